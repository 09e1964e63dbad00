"""Who does not get on is named in the log, once, with where it is; the machine goes on."""

import pytest

CASES = {
    "softlockup": ("has not let go of thread ksh", "trigger_softlockup+"),
    "hungthread": ("thread ksh (", "trigger_hungthread+"),
}


@pytest.mark.parametrize("trigger", CASES)
def test_what_hangs_is_named_with_its_backtrace(boot, trigger):
    machine = boot("--append", "watchdog=1")
    machine.wait_for_prompt()
    machine.run(f"panic {trigger}")
    machine.wait_for("context_start+")      # the report's last line, which may come after the prompt
    said, where = CASES[trigger]
    lines = machine.run("dmesg 60")
    found = [i for i, line in enumerate(lines) if "watchdog: " in line and said in line]
    assert len(found) == 1, lines
    assert any(where in line for line in lines[found[0] + 1:found[0] + 17]), lines


def test_a_cpu_with_interrupts_off_is_named_by_another(boot):
    machine = boot("--smp", "2", "--append", "watchdog=1")
    machine.wait_for_prompt()
    machine.run("panic hardlockup")
    machine.wait_for("context_start+")
    lines = machine.run("dmesg 60")
    assert any("has not let go of thread ksh" in line for line in lines), lines
    assert any("trigger_hardlockup+" in line for line in lines), lines


def test_a_machine_that_gets_on_is_told_nothing(boot):
    machine = boot("--smp", "2", "--append", "watchdog=2")
    machine.wait_for_prompt()
    machine.run("primes")
    assert not any("watchdog: " in line for line in machine.run("dmesg 60"))
