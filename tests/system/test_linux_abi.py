"""What the kernel says of system calls: those that it does not have, and those that are traced.
The calls themselves are tested by tests/guest, see test_guest.py."""

import re
import subprocess


def test_a_missing_call_is_told_once_by_program_name_and_number(fexec, tmp_path):
    (tmp_path / "p.c").write_text('#include <unistd.h>\n#include <sys/syscall.h>\n'
                                  "int main(void)\n{\n\tfor (int i = 0; i < 5; i++)\n"
                                  "\t\tsyscall(SYS_swapoff, 0);\n\treturn 0;\n}\n")
    subprocess.run(["gcc", "-static", "-o", tmp_path / "p", tmp_path / "p.c"], check=True)
    ended = fexec("/tmp/p", options=["--add", tmp_path / "p", "--log", tmp_path / "log"])
    assert ended.returncode == 0
    log = (tmp_path / "log").read_text(errors="replace")
    told = [line for line in log.splitlines() if "swapoff" in line]
    assert len(told) == 1
    assert "p[" in told[0] and "swapoff (168) is missing" in told[0]


def test_a_missing_call_is_told_once_a_boot_for_a_name_and_the_list_has_an_end(fexec, tmp_path):
    (tmp_path / "p.c").write_text('#include <unistd.h>\n#include <sys/syscall.h>\n'
                                  '#include <sys/prctl.h>\n#include <sys/wait.h>\n#include <stdio.h>\n'
                                  "int main(void)\n{\n\tchar name[16];\n"
                                  "\tfor (int i = 0; i < 400; i++) {\n\t\tif (!fork()) {\n"
                                  '\t\t\tsprintf(name, "n%d", i / 2);\n'
                                  "\t\t\tprctl(PR_SET_NAME, name);\n"
                                  "\t\t\tsyscall(SYS_swapoff, 0);\n\t\t\t_exit(0);\n\t\t}\n"
                                  "\t\twait(0);\n\t}\n\treturn 0;\n}\n")
    subprocess.run(["gcc", "-static", "-o", tmp_path / "p", tmp_path / "p.c"], check=True)
    ended = fexec("/tmp/p", options=["--add", tmp_path / "p", "--log", tmp_path / "log"])
    assert ended.returncode == 0
    log = (tmp_path / "log").read_text(errors="replace")
    told = re.findall(r"(n\d+)\[\d+\]: system call swapoff", log)
    assert len(told) == len(set(told)) and 100 < len(told) <= 128
    assert log.count("others will not be") == 1


def test_trace_shows_calls_as_strace_does(machine):
    machine.run("trace on")
    machine.run("/bin/cat /no/file")  # cat alone is a command of ksh itself
    machine.run("trace off")
    log = "\n".join(machine.run("dmesg"))
    assert 'open("/no/file", O_RDONLY' in log
    assert "= -1 ENOENT" in log
    assert "exit_group(1) = ?" in log


def test_control_c_ends_a_program(machine):
    machine.wait_for_prompt()
    machine.send("spin 60\r")
    machine.wait_for("spin 60")
    machine.wait_for(lambda lines: lines[-1].strip() != "ksh>")
    machine.send("\x03")
    machine.wait_for_prompt(20)
    assert not any("spin" in line for line in machine.run("ps"))
