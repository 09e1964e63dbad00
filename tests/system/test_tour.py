"""The tour (docs/tour): every command on its pages is run, and says what the page says it does.

In a block ```ksh, `ksh> COMMAND` is typed at a prompt; all of a page go to one machine, one after the
other. In a block ```sh, `$ COMMAND` is run by the host's shell in the tree, which is built. What
follows a command is what it prints. A line `...` stands for any lines, also none; `...` inside of a
line for any text; a number for any number, a hexadecimal one for any such, a time or a size for any
with any unit, blanks for blanks. In a block ```ksh exact or ```sh exact, numbers stand for themselves.
"""

import re
import subprocess

import pytest

from conftest import HALTED, PROMPT, TREE

PAGES = sorted((TREE / "docs" / "tour").glob("[0-9][0-9]-*.md"))
BLOCK = re.compile(r"^```(ksh|sh)( exact)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r"(?P<dots>\.\.\.)|(?P<hex>\s*(?:0x[0-9a-f]+|\b[0-9a-f]{8,16}\b))"
                   r"|(?P<time>\s*(?<![\w.])\d+(?:\.\d+)? (?:ns|us|ms|s)\b)"
                   r"|(?P<size>\s*(?<![\w.])\d+(?:\.\d+)? (?:[KMG]i)?B\b)"
                   r"|(?P<number>\s*(?<![\w.])\d+(?:\.\d+)?)|(?P<blanks>\s+)")
NUMBER = r"\s*\d+(?:\.\d+)?"
KINDS = {"dots": ".*", "hex": r"\s*(?:0x)?[0-9a-f]+", "number": NUMBER, "blanks": r"\s+",
         "time": NUMBER + " (?:ns|us|ms|s)", "size": NUMBER + " (?:[KMG]i)?B"}
NUMBERS = ("hex", "number", "time", "size")
LIMIT_S = 60


def pattern(line, exact):
    """What a printed line must match, for a line of a page."""
    parts, at = [], 0
    for match in TOKEN.finditer(line):
        literal = exact and match.lastgroup in NUMBERS
        parts += [re.escape(line[at:match.start()]),
                  re.escape(match[0]) if literal else KINDS[match.lastgroup]]
        at = match.end()
    return re.compile("".join(parts) + re.escape(line[at:]))


def matches(expected, printed, exact):
    """Whether the lines PRINTED are those EXPECTED, where `...` takes any number of them."""
    if not expected:
        return not printed
    if expected[0] == "...":
        return any(matches(expected[1:], printed[taken:], exact)
                   for taken in range(len(printed) + 1))
    return bool(printed) and bool(pattern(expected[0], exact).fullmatch(printed[0])) \
        and matches(expected[1:], printed[1:], exact)


def commands_of(page):
    """(kind, command, expected lines, exact) in the page's order."""
    for kind, exact, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        prompt = "ksh> " if kind == "ksh" else "$ "
        lines = text.splitlines()
        assert lines[0].startswith(prompt), f"{page.name}: a block does not begin with `{prompt}'"
        starts = [i for i, line in enumerate(lines) if line.startswith(prompt)] + [len(lines)]
        for start, end in zip(starts, starts[1:]):
            yield (kind, lines[start].removeprefix(prompt),
                   [line.rstrip() for line in lines[start + 1:end]], bool(exact))


def typed(machine, command):
    """What a machine prints for COMMAND; it may be its last."""
    machine.wait_for_prompt()
    machine.screen.reset()
    machine.send(command)
    machine.wait_for(command)
    machine.send("\r")

    def done(lines):
        return len(lines) > 1 and (lines[-1].strip() == PROMPT or HALTED in lines[-1])

    machine.wait_for(done, LIMIT_S)
    lines = machine.lines()[1:]
    return [line for line in lines if line.strip() != PROMPT]


def shell(command):
    done = subprocess.run(["sh", "-c", command], cwd=TREE, timeout=LIMIT_S, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return [line.rstrip() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_says_what_the_page_says(boot, page):
    commands = list(commands_of(page))
    assert any(kind == "ksh" for kind, *_ in commands), "it shows nothing in ksh"
    machine = None
    for kind, command, expected, exact in commands:
        if kind == "ksh":
            machine = machine or boot()
            printed = typed(machine, command)
        else:
            printed = shell(command)
        assert matches(expected, printed, exact), \
            f"`{command}' printed\n" + "\n".join(printed) + "\nthe page has\n" + "\n".join(expected)


def test_the_tour_is_whole():
    assert [page.name[:2] for page in PAGES] == [f"{number:02}" for number in range(1, 13)]
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(re.findall(r"^\*\*Exercise \d\.\*\*", text, re.MULTILINE)) == 2, page.name
        for heading in ("## The problem", "## Our answer", "## See it", "## Exercises"):
            assert f"\n{heading}\n" in text, (page.name, heading)


@pytest.mark.parametrize("expected,printed,exact,same", [
    (["a 12 KiB"], ["a   7.5 KiB"], False, True),
    (["a 12 KiB"], ["a 7 KiB"], True, False),
    (["took 1.5 ms, [ 7]"], ["took 20 us, [123]"], False, True),
    (["took 1.5 ms"], ["took 1.5 MiB"], False, False),
    (["at 0x10f"], ["at 0xffffffff80100000"], False, True),
    (["x ... y"], ["x anything at all y"], False, True),
    (["one", "...", "two"], ["one", "two"], False, True),
    (["one", "...", "two"], ["one", "2", "3", "two"], False, True),
    (["one", "...", "two"], ["one", "two", "three"], False, False),
    (["a+b"], ["aab"], False, False),
    (["r15"], ["r14"], False, False),
    ([], ["something"], False, False),
])
def test_lines_are_compared_as_described(expected, printed, exact, same):
    assert matches(expected, printed, exact) == same
