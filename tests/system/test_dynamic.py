"""Dynamic programs: the kernel maps the loader that they name, which is in the ramdisk, and it does
the rest."""

import subprocess
from pathlib import Path

import pytest

from conftest import TREE

SDK = TREE / "build" / "shared" / "sdk"
HOST_LOADER = Path("/lib/ld-musl-x86_64.so.1")

PROGRAM = """
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
int twice(int number);
static void *half(void *x) { *(double *)x /= 2; return x; }
int main(int argc, char **argv)
{
	pthread_t t;
	double x = argc;
	pthread_create(&t, 0, half, &x);
	pthread_join(t, 0);
	void *self = dlopen(0, RTLD_NOW);
	printf("%s %.1f %d %d\\n", argv[1], x, twice(21), dlsym(self, "twice") == (void *)twice);
	return 5;
}
"""


def build(compiler, folder, name, text, *flags):
    (folder / f"{name}.c").write_text(text)
    subprocess.run([compiler, *flags, "-o", folder / name, folder / f"{name}.c"], check=True)
    return folder / name


@pytest.mark.parametrize("ours", [True, False], ids=["sdk", "host"])
def test_a_dynamic_program_runs_with_its_loader(fexec, tmp_path, ours):
    compiler = SDK / "bin" / "fuselage-cc" if ours else "musl-gcc"
    library = build(compiler, tmp_path, "libtwice.so", "int twice(int n) { return 2 * n; }\n",
                    "-shared", "-fPIC")
    program = build(compiler, tmp_path, "p", PROGRAM, *["-dynamic"] * ours, f"-L{tmp_path}",
                    "-ltwice")
    added = {program: "/bin/p", library: "/lib/libtwice.so"}
    if not ours:
        added[HOST_LOADER.resolve()] = HOST_LOADER
    ended = fexec("/bin/p", "argument",
                  options=[word for file, at in added.items() for word in ("--add", f"{file}:{at}")])
    assert (ended.stdout, ended.returncode) == (b"argument 1.0 42 1\n", 5)


def test_without_its_loader_it_is_not_found(fexec, tmp_path):
    program = build("musl-gcc", tmp_path, "p", "int main(void) { return 0; }\n",
                    "-Wl,--dynamic-linker=/lib/missing.so")
    ended = fexec("/bin/p", options=["--add", f"{program}:/bin/p", "--log", tmp_path / "log"])
    assert ended.returncode == 127
    assert "its loader /lib/missing.so cannot be opened" in (tmp_path / "log").read_text(errors="replace")
