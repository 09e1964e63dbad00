"""ksh may fault, and its file may be broken: the kernel survives both and says what happened."""

import re
import shutil
import subprocess

from conftest import TOOL, TREE


def test_a_fault_in_ksh_is_reported_and_ksh_starts_anew(machine):
    machine.run("spin &")
    machine.screen.reset()
    machine.send("panic ksh\r")
    machine.wait_for("ksh was started anew after a fault")
    machine.wait_for_prompt()
    text = machine.text()
    assert "ksh faulted: write of 0x10" in text
    assert re.search(r"0x[0-9a-f]+ break_ksh\+0x", text)
    assert re.search(r"0x[0-9a-f]+ command_panic\+0x", text)
    assert re.search(r"0x[0-9a-f]+ ksh_main\+0x", text)
    assert machine.run("hello") == ["Hello, world!"]
    assert any("spin" in line for line in machine.run("ps"))


def objects_in_use(machine):
    """{slab cache: live objects}; names that were looked up may stay known."""
    lines = [re.fullmatch(r"(.*?) +\d+ +(\d+) +\d+ +[\d.]+ \w+", line)
             for line in machine.run("mem -s")]
    live = {line[1]: int(line[2]) for line in lines if line}
    assert live["kmalloc-64"], "ksh has some memory, so this looks at nothing"
    return {name: count for name, count in live.items()
            if name not in ("struct dentry", "struct node")}


def test_a_restart_leaves_nothing_behind(machine):
    machine.send("panic ksh\r")
    machine.wait_for("started anew after")
    machine.wait_for_prompt()
    before = objects_in_use(machine)
    for _ in range(2):
        machine.screen.reset()
        machine.send("panic ksh\r")
        machine.wait_for("started anew after")
        machine.wait_for_prompt()
    assert objects_in_use(machine) == before


def test_ksh_is_not_started_for_ever(machine):
    for _ in range(4):
        machine.screen.reset()
        machine.send("panic ksh\r")
        machine.wait_for("started anew after")
        machine.wait_for_prompt()
    machine.send("panic ksh\r")
    machine.wait_for("is not started again")


def boot_with_ksh(boot, tmp_path, change):
    """A machine whose /lib/ksh is the true one after change(bytes)."""
    tree = tmp_path / "tree"
    shutil.copytree(TREE / "build" / "shared" / "ramdisk" / "tree", tree, symlinks=True)
    ksh = tree / "lib" / "ksh"
    ksh.write_bytes(change(bytearray(ksh.read_bytes())))
    image = tmp_path / "broken.img"
    subprocess.run([TOOL, "ramdisk", tree, "--output", image], check=True,
                   stdin=subprocess.DEVNULL)
    return boot("--ramdisk", image)


def test_a_cut_off_ksh_is_refused(boot, tmp_path):
    machine = boot_with_ksh(boot, tmp_path, lambda data: data[:5000])
    machine.wait_for("/lib/ksh cannot be loaded: a segment reaches beyond the end of the file", 60)


def test_a_ksh_for_another_table_is_refused(boot, tmp_path):
    def other_version(data):
        at = data.index(b"Fuselage\0") + 12
        data[at] += 1
        return data

    machine = boot_with_ksh(boot, tmp_path, other_version)
    machine.wait_for("it was built against another version of the kernel's table", 60)


def test_a_program_of_user_space_is_no_ksh(boot, tmp_path):
    hello = TREE / "build" / "shared" / "ramdisk" / "tree" / "bin" / "hello"
    machine = boot_with_ksh(boot, tmp_path, lambda data: hello.read_bytes())
    machine.wait_for("/lib/ksh cannot be loaded: it is not position-independent", 60)
