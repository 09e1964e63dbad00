"""Fuzzers: tests/fuzz/NAME.c under libFuzzer with ASan and UBSan, and how much of the code it saw.

The first comment of a harness says what it is made of; names of files follow each word:

    /* sources: kernel/elf_parse.c      what is fuzzed; COVERAGE_MIN % of its lines must run
       with: lib/string.c               what it needs besides
       options: max_len=512 runs=20000  libFuzzer's own; runs: executions in the usual suite */

tests/fuzz/NAME.py, where there is one, is called with a folder and puts inputs into its `seeds/`,
and whatever else the harness looks for in FUSELAGE_FUZZ, which names that folder. Interesting
inputs are kept in build/fuzz/NAME/corpus/ from run to run, a finding as build/fuzz/NAME/finding-*.
"""

import json
import os
import re
import sys
import time

from . import results
from .common import BUILD, ROOT

RUNS = 100000
SECONDS = 6                     # whichever comes first
NIGHTLY_RUNS = 1000000
COVERAGE_MIN = 90.0             # of a run of seconds as well: the seeds get that far
FOLDERS = ("abi", "lib", "arch/x86_64", "sched", "mm", "ipc", "fusek")
SUPPORT = ROOT / "tests" / "fuzz" / "support"
WORD = re.compile(r"(sources|with|options):")


def recipe(harness):
    """{"sources": [...], "with": [...], "options": [...]} from the first comment."""
    first = harness.read_text(encoding="utf-8").partition("*/")[0].removeprefix("/*")
    parts = WORD.split(first)
    return {"with": [], "options": []} | {word: text.split()
                                          for word, text in zip(parts[1::2], parts[2::2])}


def compile_command(harness, made_of, output, *flags):
    sources = [ROOT / name for name in made_of["sources"] + made_of["with"]]
    folders = dict.fromkeys(source.parent for source in sources)
    # What is not fuzzed guides the fuzzer nowhere, and counting its steps takes half of the time.
    unwatched = output.with_name("unwatched")
    unwatched.write_text("".join(f"src:{path}\n" for path in (
        harness, *(ROOT / name for name in made_of["with"]))), encoding="utf-8")
    return ["clang", "-std=gnu17", "-g", "-O2", "-DFUSELAGE_HOST=1", "-DFUSELAGE_DEBUG=1",
            "-fno-omit-frame-pointer", f"-fsanitize-coverage-ignorelist={unwatched}", *flags,
            # A stand-in for a header of the kernel's comes first, for who asks for it.
            *([f"-I{SUPPORT}"] if any("support" in name for name in made_of["with"]) else []),
            *(f"-I{ROOT / folder}/include" for folder in FOLDERS),
            *(f"-iquote{folder}" for folder in folders),
            str(harness), *map(str, sources), "-o", str(output)]


def covered(place, made_of, process):
    """(percent, text) of the lines of the sources that the seeds and the corpus reach."""
    sources = [str(ROOT / name) for name in made_of["sources"]]
    _, text = process(["llvm-profdata", "merge", "-o", str(place / "profile"),
                       str(place / "raw.profile")])
    passed, exported = process(["llvm-cov", "export", "-format=text", "-summary-only",
                                f"-instr-profile={place}/profile", str(place / "counter"),
                                *sources])
    if not passed:
        return 0, text + exported
    lines = json.loads(exported)["data"][0]["totals"]["lines"]
    return lines["percent"], f"{lines['covered']} of {lines['count']} lines"


def run(harness, process):
    """(passed, text): builds, fuzzes, and measures what was reached."""
    name = harness.stem
    place = BUILD / "fuzz" / name
    (place / "corpus").mkdir(parents=True, exist_ok=True)
    (place / "seeds").mkdir(exist_ok=True)
    environment = dict(os.environ, FUSELAGE_FUZZ=str(place),
                       LLVM_PROFILE_FILE=str(place / "raw.profile"))
    made_of = recipe(harness)
    steps = [compile_command(harness, made_of, place / "fuzzer",
                             "-fsanitize=fuzzer,address,undefined",
                             "-fno-sanitize-recover=undefined"),
             compile_command(harness, made_of, place / "counter", "-fsanitize=fuzzer",
                             "-fprofile-instr-generate", "-fcoverage-mapping")]
    if harness.with_suffix(".py").exists():
        steps.append([sys.executable, "-B", str(harness.with_suffix(".py")), str(place)])
    for command in steps:
        passed, text = process(command)
        if not passed:
            return False, text
    return fuzz(name, place, made_of, process, environment)


def fuzz(name, place, made_of, process, environment):
    nightly = bool(os.environ.get("FUSELAGE_NIGHTLY"))
    options = dict(option.split("=", 1) for option in made_of["options"])
    runs = int(options.pop("runs", RUNS))
    limits = [f"-runs={NIGHTLY_RUNS}"] if nightly else \
        [f"-runs={runs}", f"-max_total_time={SECONDS}"]
    seed = int(time.time()) if nightly else 1
    started_s = time.monotonic()
    passed, text = process([str(place / "fuzzer"), *limits, f"-seed={seed}", "-timeout=10",
                            "-print_final_stats=1", "-verbosity=1",
                            f"-artifact_prefix={place}/finding-",
                            *(f"-{key}={value}" for key, value in options.items()),
                            str(place / "corpus"), str(place / "seeds")], environment=environment)
    took_s = time.monotonic() - started_s
    if not passed:
        return False, f"{text}\nthe input is in {place}"
    executed = int(re.search(r"number_of_executed_units: (\d+)", text)[1])
    _, text = process([str(place / "counter"), "-runs=0", str(place / "corpus"),
                       str(place / "seeds")], environment=environment)
    percent, lines = covered(place, made_of, process)
    if percent < COVERAGE_MIN:
        return False, f"{text}\n{lines} ({percent:.1f} %) were reached, " \
                      f"{COVERAGE_MIN:.0f} % are asked for"
    if nightly:
        results.note("fuzz", f"{name}-executions", executed, seed, took_s)
        results.note("fuzz", f"{name}-lines-percent", f"{percent:.1f}", seed, took_s)
    return True, f"{executed} executions; {lines} ({percent:.1f} %)"
