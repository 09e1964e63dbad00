"""A userspace as the person at the keyboard sees it: from `init` in ksh to a shell, programs on the
whole screen, other users, and back to ksh."""

import re

import pyte
import pytest
from conftest import PROMPT, TOOL, Machine

USER = re.compile(r"user@fuselage:\S+\$$")
ROOT = re.compile(r"root@fuselage:\S+#$")
LOG = re.compile(r"\[ *\d+\.\d{6}\] ")
ROWS, COLUMNS = 24, 80


def at(pattern):
    """Whether the last line that is not blank is a shell's prompt."""
    return lambda lines: bool(lines) and bool(pattern.search(lines[-1]))


def clear(machine):
    machine.screen.reset()


def shell(machine, command, pattern=USER, timeout_s=60):
    """Types a line at a shell's prompt; returns what it printed, without what the kernel said."""
    clear(machine)
    machine.send(command + "\r")
    machine.wait_for(lambda lines: len(lines) > 1 and pattern.search(lines[-1]), timeout_s)
    return [line for line in machine.lines()[1:-1] if not LOG.match(line)]


def log_in(machine, name, pattern):
    machine.wait_for("fuselage login:", 60)
    machine.send(f"{name}\r")
    machine.wait_for(at(pattern), 60)


@pytest.fixture(scope="module")
def userspace():
    """A machine that came up without ksh, where `user` is logged in on the serial port. Its window
    has 24 rows."""
    machine = Machine([str(TOOL), "run", "--append", "ksh=off"])
    log_in(machine, "user", USER)
    shell(machine, f"stty rows {ROWS} cols {COLUMNS}")
    machine.screen.resize(ROWS, COLUMNS)
    yield machine
    machine.close()


def test_a_session_is_its_users(userspace):
    assert shell(userspace, "id") == ["uid=1000(user) gid=1000(user) groups=1000(user),100(users)"]
    assert shell(userspace, "pwd; echo $SHELL $TERM") == ["/home/user", "/bin/sh xterm-256color"]
    assert shell(userspace, "tty; stat -c '%U %a' $(tty)") == ["/dev/ttyS0", "user 620"]
    assert "denied" in " ".join(shell(userspace, "cat /etc/shadow"))
    assert shell(userspace, "grep CapEff /proc/self/status") == ["CapEff:\t0000000000000000".expandtabs()]
    assert shell(userspace, "touch own && ls own; touch /etc/mine; echo $?")[0] == "own"


def test_a_pipeline_of_five(userspace):
    assert shell(userspace, "seq 1 100 | grep 7 | sort -rn | head -n 3 | tr '\\n' ' '; echo") == [
        "97 87 79"]


def test_jobs_stop_and_go_on(userspace):
    clear(userspace)
    userspace.send("sleep 1000\r")
    userspace.wait_for("sleep 1000")
    userspace.press_until(lambda: userspace.send("\x1a"), "Stopped")
    userspace.wait_for(at(USER))
    assert "Stopped" in shell(userspace, "jobs")[0]
    shell(userspace, "bg")
    assert "Running" in shell(userspace, "jobs")[0]
    clear(userspace)
    userspace.send("fg\r")
    userspace.wait_for("sleep 1000")
    userspace.press_until(lambda: userspace.send("\x03"), at(USER))


def test_vi_edits_a_file(userspace):
    clear(userspace)
    userspace.send("vi poem\r")
    userspace.wait_for("poem")
    userspace.wait_for(lambda lines: len(lines) == ROWS and lines[1] == "~")
    userspace.send("ihello\rthere\x1b")
    userspace.wait_for(lambda lines: lines[:2] == ["hello", "there"])
    userspace.send("1Gx:wq\r")
    userspace.wait_for(at(USER))
    assert shell(userspace, "cat poem") == ["ello", "there"]


def test_top_shows_who_runs(userspace):
    clear(userspace)
    userspace.send("top\r")
    userspace.wait_for("PPID USER")
    userspace.wait_for(lambda lines: any(re.match(r" +1 +0 root .*init", line) for line in lines))
    userspace.send("q")
    userspace.wait_for(at(USER))


def test_a_program_on_the_whole_screen_follows_its_size(userspace):
    clear(userspace)
    userspace.send("seq 1 500 > many; less many\r")
    userspace.wait_for(lambda lines: lines[-2:-1] == ["23"])
    userspace.send("q")
    userspace.wait_for(at(USER))
    shell(userspace, "stty rows 40 cols 100")
    assert shell(userspace, "stty size") == ["40 100"]
    userspace.screen.resize(40, 100)
    clear(userspace)
    userspace.send("less many\r")
    userspace.wait_for(lambda lines: lines[-2:-1] == ["39"])
    userspace.send("q")
    userspace.wait_for(at(USER))
    userspace.screen.resize(ROWS, COLUMNS)
    shell(userspace, f"stty rows {ROWS} cols {COLUMNS}")


def test_script_gives_a_shell_a_terminal_of_its_own(userspace):
    clear(userspace)
    userspace.send("script log\r")
    userspace.wait_for("Script started")
    userspace.wait_for(at(USER))
    assert shell(userspace, "tty; stty size") == ["/dev/pts/0", f"{ROWS} {COLUMNS}"]
    userspace.send("sleep 1000\r")
    userspace.press_until(lambda: userspace.send("\x1a"), "Stopped")
    userspace.wait_for(at(USER))
    shell(userspace, "kill -9 %1; wait")
    assert "must be suid" not in " ".join(shell(userspace, "su -c true </dev/null"))
    userspace.send("exit\r")
    userspace.wait_for("Script done")
    userspace.wait_for(at(USER))
    assert "/dev/pts/0" in shell(userspace, "cat log")
    clear(userspace)    # what the log holds looks like prompts
    assert shell(userspace, "tty") == ["/dev/ttyS0"]


def test_a_password_is_changed_and_asked_for(userspace):
    clear(userspace)
    userspace.send("passwd\r")
    for prompt in ("New password:", "Retype new password:"):
        userspace.wait_for(prompt)
        userspace.send("se,cret\r")
    userspace.wait_for("password of user changed", 60)
    userspace.wait_for(at(USER))
    assert "se,cret" not in userspace.text()
    clear(userspace)
    userspace.send("su user -c 'echo as $(id -un)'\r")
    userspace.wait_for("Password:")
    userspace.send("wrong\r")
    userspace.wait_for("Authentication failure", 60)
    userspace.wait_for(at(USER))
    clear(userspace)
    userspace.send("su user -c 'echo as $(id -un)'\r")
    userspace.wait_for("Password:")
    userspace.send("se,cret\r")
    userspace.wait_for("as user", 60)
    userspace.wait_for(at(USER))
    assert shell(userspace, "su -c \"grep -c '^user:.6.' /etc/shadow\"") == ["1"]


def test_su_makes_an_administrator_who_halts_to_ksh(userspace):
    clear(userspace)
    userspace.send("su -\r")
    userspace.wait_for(at(ROOT))
    assert shell(userspace, "id -u; whoami; pwd", ROOT) == ["0", "root", "/root"]
    assert shell(userspace, "kill -9 1; kill -STOP 1; ps | grep -c '[s]bin/init'", ROOT) == ["1"]
    assert "first process" in " ".join(shell(userspace, "/sbin/init", ROOT))
    clear(userspace)
    userspace.send("halt\r")
    userspace.wait_for_prompt(60)
    left = userspace.run("ps")
    assert not [line for line in left if "getty" in line or "login" in line or "sh" in line.split()]


def halted(machine):
    """At ksh's prompt, by way of halt if the userspace is still there."""
    if machine.lines()[-1:] != [PROMPT]:
        clear(machine)
        machine.send("su -c halt\r")
        machine.wait_for_prompt(60)


def test_the_end_of_process_1_is_told_and_leads_back(userspace):
    halted(userspace)
    assert userspace.run("init /bin/false")[-1].endswith("status 1]")
    said = userspace.run("init /bin/crash null")    # its last line may be too long for one
    assert [line for line in said if line.startswith("[SIGSEGV")], said
    said = " ".join(userspace.run("init /bin/nothing"))
    assert "init: /bin/nothing: no such file" in said.lower()


def test_poweroff_ends_the_machine(userspace):
    halted(userspace)
    clear(userspace)
    userspace.send("init\r")
    log_in(userspace, "root", ROOT)
    userspace.send("poweroff\r")
    assert userspace.wait_for_end(60) == 0
