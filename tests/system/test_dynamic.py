"""Dynamic programs: the kernel maps the loader that they name, and it does the rest."""

import subprocess
from pathlib import Path

LOADER = Path("/lib/ld-musl-x86_64.so.1")


def build(folder, text, *flags):
    (folder / "p.c").write_text(text)
    subprocess.run(["musl-gcc", *flags, "-o", folder / "p", folder / "p.c"], check=True)
    return folder / "p"


def test_a_dynamic_program_runs_with_its_loader(fexec, tmp_path):
    program = build(tmp_path, '#include <math.h>\n#include <pthread.h>\n#include <stdio.h>\n'
                    "static void *half(void *x) { *(double *)x /= 2; return x; }\n"
                    "int main(int argc, char **argv)\n{\n\tpthread_t t;\n\tdouble x = argc;\n"
                    "\tpthread_create(&t, 0, half, &x);\n\tpthread_join(t, 0);\n"
                    '\tprintf("%s %.1f\\n", argv[1], x);\n\treturn 5;\n}\n')
    ended = fexec("/bin/p", "argument", options=["--add", f"{program}:/bin/p",
                                                 "--add", f"{LOADER.resolve()}:{LOADER}"])
    assert (ended.stdout, ended.returncode) == (b"argument 1.0\n", 5)


def test_without_its_loader_it_is_not_found(fexec, tmp_path):
    program = build(tmp_path, "int main(void) { return 0; }\n")
    ended = fexec("/bin/p", options=["--add", f"{program}:/bin/p", "--log", tmp_path / "log"])
    assert ended.returncode == 127
    assert f"its loader {LOADER} cannot be opened" in (tmp_path / "log").read_text(errors="replace")
