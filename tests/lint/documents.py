#!/usr/bin/python3
"""What the documents name is there: files and folders, functions, structures, and links.

A link [`name()`](file) must lead to a file that has this function. In the documents of EXACT, in
backticks, a word with a slash is a path of this tree (one that begins with a slash is a path of
the guest, one in build/ is made), `name()` is a function, and `name()` (`path`) a function in that
file. Links of all documents must lead to a file, and to a heading where they name one.
"""

import re
import sys
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, report, tracked  # noqa: E402

# These speak of the tree as it is. The others speak of plans, of examples or of Linux.
EXACT = [Path(name) for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md",
                                 "docs/design.md", "docs/drivers.md", "docs/exec-channel.md")]
TOUR = Path("docs/tour")
CODE = re.compile(r"`([^`]+)`")
BLOCK = re.compile(r"^```.*?^```", re.M | re.S)
PATH = re.compile(r"[\w.+-]+(/[\w.+-]+)*/?")
FUNCTION = re.compile(r"(\w+)\(\)")
PLACED = re.compile(r"`(\w+)\(\)`\s+\(`([\w./+-]+)`")
STRUCT = re.compile(r"struct (\w+)")
LINKED = re.compile(r"\[`(\w+)\(\)`\]\(([^)#\s]+)\)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
SUFFIXES = (".c", ".h", ".asm", ".py")
FILE_SUFFIXES = SUFFIXES + (".md", ".def", ".ld", ".cmake", ".pml", ".txt", ".svg", ".lock")

FILES = {str(path) for path in tracked("")}
FOLDERS = {str(parent) for name in FILES for parent in Path(name).parents}


@lru_cache(maxsize=None)
def text_of(name):
    return (TREE / name).read_text(encoding="utf-8", errors="replace")


@lru_cache(maxsize=None)
def functions_of(name):
    """What NAME defines or declares: at the start of a line of C, as a member, label or def."""
    text = text_of(name)
    if name.endswith(".py"):
        return set(re.findall(r"^\s*def (\w+)\(", text, re.M))
    if name.endswith(".asm"):
        return set(re.findall(r"^(\w+):", text, re.M))
    # A static inline function of a header counts like any other; a call is indented and does not.
    return set(re.findall(r"^\w[^\n;{}=#]*?\b(\w+)\(", text, re.M)) \
        | set(re.findall(r"^#define (\w+)\(", text, re.M)) \
        | set(re.findall(r"\(\*(\w+)\)\(", text))


SOURCES = sorted(name for name in FILES if name.endswith(SUFFIXES))
FUNCTIONS = set().union(*map(functions_of, SOURCES))
STRUCTS = {match for name in SOURCES if name.endswith((".c", ".h"))
           for match in re.findall(r"\bstruct (\w+) \{", text_of(name))}


def path_problem(word):
    word = word.removeprefix("./")
    if not PATH.fullmatch(word) or word.startswith("build/"):
        return None
    if "/" not in word:
        looks_like_file = word.endswith(FILE_SUFFIXES) and not word.startswith(".")
        known = any(name == word or name.endswith("/" + word) for name in FILES)
        return f"no file is called {word}" if looks_like_file and not known else None
    if word.rstrip("/") in (FOLDERS if word.endswith("/") else FILES | FOLDERS):
        return None
    return f"there is no {word}"


def code_problem(word):
    if match := FUNCTION.fullmatch(word):
        return None if match[1] in FUNCTIONS else f"there is no function {match[1]}()"
    if match := STRUCT.fullmatch(word):
        return None if match[1] in STRUCTS else f"there is no struct {match[1]}"
    return path_problem(word)


def names_in(document, text):
    for match in CODE.finditer(text):
        if problem := code_problem(" ".join(match[1].split())):
            yield match.start(), problem
    for match in PLACED.finditer(text):
        name, place = match.groups()
        if place in FILES and name not in functions_of(place):
            yield match.start(), f"{place} has no {name}()"


@lru_cache(maxsize=None)
def anchors_of(name):
    """GitHub's anchors of the headings of NAME."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            for heading in HEADING.findall(text_of(name))}


def links_in(document, text):
    for match in LINK.finditer(text):
        target, _, anchor = match[1].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        place = (TREE / document.parent / target).resolve() if target else TREE / document
        if not place.is_relative_to(TREE) or not place.exists():
            yield match.start(), f"the link {match[1]} leads nowhere"
        elif place.suffix == ".tsv":
            continue            # its rows are lint/results' business
        elif anchor and anchor not in anchors_of(str(place.relative_to(TREE))):
            yield match.start(), f"the link {match[1]} names no heading"


def functions_in(document, text):
    """Links to functions."""
    for match in LINKED.finditer(text):
        name, target = match.groups()
        place = (TREE / document.parent / target).resolve()
        if place.is_file() and name not in functions_of(str(place.relative_to(TREE))):
            yield match.start(), f"{place.relative_to(TREE)} has no {name}()"


def line_of(text, position):
    return text.count("\n", 0, position) + 1


complaints = [f"{name} is missing" for name in EXACT if str(name) not in FILES]
for document in tracked(".md"):
    # Blocks of code are blanked, line by line, so that line numbers stay.
    prose = BLOCK.sub(lambda match: "\n" * match[0].count("\n"), text_of(str(document)))
    found = [*links_in(document, prose), *functions_in(document, prose)]
    if document in EXACT or document.parent == TOUR:
        found += names_in(document, prose)
    complaints += [f"{document}:{line_of(prose, position)}: {problem}"
                   for position, problem in sorted(found)]
report(complaints)
