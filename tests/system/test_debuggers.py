"""Debian's strace, gdbserver and gdb, as they are, in the machine."""

import re
import shlex
import shutil
import subprocess
import zipfile
from pathlib import Path

from conftest import TOOL

PROGRAM = r"""
struct point { int x, y; };
static struct point at = {3, 4};

__attribute__((noinline)) static int inner(struct point *point, int by)
{
	point->x += by;
	point->y -= by;
	return point->x;
}

int main(void)
{
	int sum = 0;

	for (int i = 1; i < 4; i++)
		sum += inner(&at, i);
	return sum;
}
"""


def with_libraries(program):
    """Options that bring a dynamic program and what it is linked with."""
    listed = subprocess.run(["ldd", program], check=True, stdout=subprocess.PIPE, text=True).stdout
    libraries = re.findall(r"(/\S+) \(0x", listed)
    added = [f"{program}:/bin/{Path(program).name}"]
    added += [f"{Path(library).resolve()}:{library}" for library in libraries]
    return [word for each in added for word in ("--add", each)]


def test_strace_follows_a_pipeline(fexec, tmp_path):
    ended = fexec("/bin/strace", "-f", "-o", "/tmp/trace", "sh", "-c", "echo some words | cat",
                  options=[*with_libraries(shutil.which("strace")), "--get", "/tmp/trace"])
    assert ended.stdout == b"some words\n", ended.stderr
    text = (tmp_path / "trace").read_text()
    first = int(re.search(r"^(\d+) +execve\(\"/bin/sh\", \[\"sh\", \"-c\", ", text, re.MULTILINE)[1])
    made = re.findall(r"^\d+ +(?:v?fork|clone3?)\(.*= (\d+)$", text, re.MULTILINE)
    made += re.findall(r"^\d+ +<\.\.\. (?:v?fork|clone3?) resumed>.*= (\d+)$", text, re.MULTILINE)
    assert len(made) >= 2 and str(first) not in made, text
    assert re.search(r"^\d+ +(?:pipe2?\(|<\.\.\. pipe2? resumed>).*\[\d+, \d+\]", text, re.MULTILINE), text
    assert re.search(r"^\d+ +write\(1, \"some words\\n\", 11\) += 11$", text, re.MULTILINE), text
    assert re.search(r"^\d+ +(?:read\(0, |<\.\.\. read resumed>)\"some words\\n\", \d+\) += 11$", text,
                     re.MULTILINE), text
    assert re.search(r"^\d+ +execve\(\"/proc/self/exe\", \[\"cat\"\]", text, re.MULTILINE), text
    for pid in made[:2]:
        assert re.search(rf"^{pid} +\+\+\+ exited with 0 \+\+\+$", text, re.MULTILINE), text
    assert re.search(r"SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_EXITED, ", text), text


def test_gdb_stops_looks_and_goes_on(tmp_path):
    """The host's gdb speaks with gdbserver, which does the machine's part, by the standard streams."""
    (tmp_path / "prog.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-g", "-O0", "-static", "-o", "prog", "prog.c"], cwd=tmp_path, check=True)
    inside = [TOOL, "exec", *with_libraries(shutil.which("gdbserver")), "--add", tmp_path / "prog",
              "--", "/bin/gdbserver", "--once", "-", "/tmp/prog"]
    # On a busy host the machine may take longer to boot than gdb is used to wait.
    commands = ["set remotetimeout 100", "set sysroot",
                f"target remote | {shlex.join(map(str, inside))}", "break inner", "continue",
                "bt", "print *point", "finish", "delete", "watch at.x", "continue", "print at", "delete",
                "continue"]
    shown = subprocess.run(["gdb", "-nx", "-batch",
                            *[word for command in commands for word in ("-ex", command)], "prog"],
                           cwd=tmp_path, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, timeout=200).stdout
    assert re.search(r"^#0 .*inner \(point=0x[0-9a-f]+ <at>, by=1\)", shown, re.MULTILINE), shown
    assert re.search(r"^#1 .* main \(\)", shown, re.MULTILINE), shown
    assert "$1 = {x = 3, y = 4}" in shown
    assert "Value returned is $2 = 4" in shown
    assert "Old value = 4\nNew value = 6\n" in shown
    assert "$3 = {x = 6, y = 3}" in shown
    assert "exited with code 023]" in shown


def python_of_gdb(archive):
    """What gdb's own Python needs of its library, and gdb's part of it, where it looks for both."""
    library, own = Path("/usr/lib/python3.11"), Path("/usr/share/gdb/python")
    wanted = [*library.glob("*.py"), *own.rglob("*.py")]
    for package in ("collections", "encodings", "importlib", "json", "re"):
        wanted += (library / package).rglob("*.py")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in wanted:
            out.write(path, path.relative_to(own if own in path.parents else library))
    return ["--add", f"{archive}:/usr/lib/python311.zip"]


def test_gdb_itself_runs_inside(fexec, tmp_path):
    """All of it, with its Python: it starts the program by a shell, and stops it by a register."""
    (tmp_path / "prog.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-g", "-O0", "-static", "-o", "prog", "prog.c"], cwd=tmp_path, check=True)
    commands = ["break inner", "run", "bt", "print *point", "finish", "delete", "watch at.x", "continue",
                "python print('at.y is', gdb.parse_and_eval('at.y'))", "delete", "continue"]
    ended = fexec("/bin/gdb", "-nx", "-batch",
                  *[word for command in commands for word in ("-ex", command)], "/tmp/prog",
                  options=[*with_libraries(shutil.which("gdb")), "--add", tmp_path / "prog",
                           *python_of_gdb(tmp_path / "python311.zip")])
    shown = ended.stdout.decode()
    assert re.search(r"^#0 .*inner \(point=0x[0-9a-f]+ <at>, by=1\)", shown, re.MULTILINE), shown
    assert re.search(r"^#1 .* main \(\)", shown, re.MULTILINE), shown
    assert "$1 = {x = 3, y = 4}" in shown
    assert "Value returned is $2 = 4" in shown
    assert "Hardware watchpoint 2: at.x" in shown and "Old value = 4\nNew value = 6\n" in shown
    assert "at.y is 3" in shown
    assert "exited with code 023]" in shown
    assert "Python Exception" not in shown
