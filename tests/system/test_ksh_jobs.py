"""Programs in the background, and how they are stopped."""

import re

CTRL_C = "\x03"


def test_background_programs_are_listed_waited_for_and_killed(machine):
    assert re.fullmatch(r"\[1\] \d+", machine.run("spin &")[0])
    assert re.fullmatch(r"\[2\] \d+", machine.run("sleep 100 &")[0])
    jobs = machine.run("jobs")
    assert [line.split()[0] for line in jobs] == ["[1]", "[2]"]
    assert jobs[0].endswith("spin") and jobs[1].endswith("sleep 100")
    lines = machine.run("kill %1; wait %1")
    assert any("[1] SIGTERM: terminated, status 143  spin" in line for line in lines)
    lines = machine.run("kill -KILL %2; wait")
    assert any("SIGKILL" in line for line in lines)
    assert machine.run("jobs") == ["no jobs: `CMD &' starts one"]


def test_the_end_of_a_job_is_told_at_the_next_prompt(machine):
    machine.run("sleep 0.2 &")
    machine.run("sleep 0.6")
    assert "[1] done  sleep 0.2" in machine.text()


def test_control_c_ends_the_running_program(machine):
    machine.send("spin\r")
    machine.wait_for("ksh> spin")
    machine.send(CTRL_C)
    machine.wait_for("[SIGINT: interrupted by Ctrl-C, status 130]")
    machine.wait_for_prompt()
    assert machine.run("hello") == ["Hello, world!"]


def test_control_c_spares_the_background(machine):
    machine.run("spin &")
    machine.send("sleep 100\r")
    machine.wait_for("ksh> sleep 100")
    machine.send(CTRL_C)
    machine.wait_for("SIGINT")
    assert machine.run("jobs")[0].endswith("spin")


def test_control_c_ends_commands_of_ksh(machine):
    machine.send("cat /dev/zero > /dev/null\r")
    machine.wait_for("/dev/null")
    machine.send(CTRL_C)
    machine.wait_for_prompt()
    machine.run("spin &")
    machine.send("wait\r")
    machine.wait_for("ksh> wait")
    machine.send(CTRL_C)
    machine.wait_for_prompt()
    assert machine.run("jobs")[0].endswith("spin")


def test_input_of_a_program_is_the_console(machine):
    machine.send("cat > /dev/null < /etc/motd; /bin/cat /etc/hostname -\r")
    machine.wait_for(lambda lines: "fuselage" in lines)     # it runs, and comes to its input
    machine.send("typed line\r")
    machine.wait_for(lambda lines: lines.count("typed line") == 2)
    machine.send("\x04")
    machine.wait_for_prompt()


def test_a_program_before_ksh_has_the_console_at_once(machine):
    for _ in range(3):
        machine.screen.reset()
        machine.send("nice -20 /bin/cat\r")
        machine.wait_for("/bin/cat")
        machine.send("typed line\r")
        machine.wait_for(lambda lines: lines.count("typed line") == 2)
        machine.send("\x04")
        machine.wait_for_prompt()


def test_terminals_are_not_read_by_ksh(machine):
    assert any("no such device or terminal" in line for line in machine.run("cat /dev/tty"))
    for name in ("console", "ttyS0"):
        assert any("ksh reads this terminal itself" in line
                   for line in machine.run(f"cat /dev/{name}"))
        assert any("ksh reads this terminal itself" in line
                   for line in machine.run(f"cat < /dev/{name}"))
    assert machine.run("hello") == ["Hello, world!"]


def test_nice_is_obeyed(machine):
    machine.run("spin & nice 10 spin &")
    machine.run("sleep 2")
    lines = [line.split() for line in machine.run("ps") if "spin" in line]
    assert sorted(int(line[3]) for line in lines) == [0, 10]
    pid = next(line[0] for line in lines if line[3] == "10")
    machine.run(f"nice 3 {pid}")
    assert any(line.split()[3] == "3" for line in machine.run("ps") if "spin" in line)
