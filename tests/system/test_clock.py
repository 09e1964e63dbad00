"""What the clock is made of, and who watches over it. On the measuring machine the time is its own:
the TSC, the HPET and ACPI's timer agree there for as long as nobody breaks one on purpose."""

import re

import pytest

from conftest import measuring_machine

TAKEN = re.compile(r"clock: the TSC is \d+ us (behind|ahead of) (\w+) after \d+ us: "
                   r"(\w+) is the clock from now on")
STAMP = re.compile(r"\[ *(\d+\.\d{6})\] ")


def source(machine):
    """As `cpu` shows it."""
    return next(re.split(r"\s{2,}", line.strip())[1] for line in machine.run("cpu")
                if line.strip().startswith("clock"))


def text_of(machine):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", machine.raw.decode(errors="replace"))


def with_machine(command, options):
    """QEMU's -M q35 with more options."""
    command = list(command)
    command[command.index("q35")] += options
    return command


@pytest.mark.parametrize("words,options,expected", [
    ("", "", "tsc, watched by hpet"),
    ("", ",hpet=off", "tsc, watched by acpi_pm"),
    ("clock=tsc", "", "tsc"),
    ("clock=hpet", "", "hpet"),
    ("clock=acpi_pm", "", "acpi_pm"),
    ("clock=hpet", ",hpet=off", "tsc, watched by acpi_pm"),
    ("acpi=off", "", "tsc"),
])
def test_the_source_is_the_best_or_the_one_asked_for(boot, words, options, expected):
    machine = boot(command=with_machine(measuring_machine("debug", words), options))
    machine.wait_for_prompt()
    assert source(machine).startswith(expected + ",")
    wrong = "clock=hpet" in words and "hpet=off" in options
    assert ("clock=: say tsc" in text_of(machine)) == wrong
    assert machine.run("selftest clock_goes_forward")[-1].endswith("passed, 0 failed")


# By fault: what is done before, and what is said of the TSC.
FAULTS = {
    "tscjump": ([], "ahead of"),
    "tscback": (["sleep 4"], "behind"),
    "tscfast": ([], "ahead of"),
    "tscstop": ([], "behind"),
}


@pytest.mark.parametrize("options,counter", [("", "hpet"), (",hpet=off", "acpi_pm")])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_tsc_that_goes_wrong_is_replaced(boot, fault, options, counter):
    before, said = FAULTS[fault]
    machine = boot(command=with_machine(measuring_machine("debug"), options))
    for command in before:
        machine.run(command)
    assert not any("clock_gettime" in call for call in machine.run("trace date"))
    machine.run(f"panic {fault}")
    machine.wait_for("is the clock from now on", 60)
    machine.wait_for_prompt()
    text = text_of(machine).replace("\n", " ")
    found = TAKEN.search(text)
    assert found and found[1] == said and found[2] == found[3] == counter, text
    assert len(re.findall("from now on", text)) == 1
    assert source(machine).startswith(counter + ",")
    # Time has not gone back, and goes on; programs ask the kernel for it now.
    stamps = [float(stamp) for stamp in STAMP.findall(text_of(machine))]
    assert stamps == sorted(stamps), stamps
    assert any("clock_gettime" in call for call in machine.run("trace date"))
    assert machine.run("selftest clock_goes_forward")[-1].endswith("passed, 0 failed")
    assert re.match(r"real 1(\.\d+)? s", machine.run("time sleep 1")[-1])


def test_a_clock_is_taken_over_while_every_cpu_reads_it(boot):
    machine = boot(command=measuring_machine("debug", smp=4))
    machine.run("panic tscjump")
    for _ in range(3):
        lines = machine.run("selftest clock_goes_forward", 60)
        assert lines[-1].endswith("passed, 0 failed"), lines
    assert "hpet is the clock from now on" in text_of(machine).replace("\n", " ")
