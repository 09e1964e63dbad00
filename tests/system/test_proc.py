"""What Debian's busybox and bash read in /proc and show of it."""

import re
import shutil
from pathlib import Path

BUSYBOX = Path(shutil.which("busybox") or "/bin/busybox").resolve()
BASH = Path(shutil.which("bash-static") or "/bin/bash-static").resolve()
SCRIPT = """
mark() { echo "== $1"; }
busybox ln -s /bin/busybox /tmp/sleep; /tmp/sleep 1000 & sleeper=$!
mark ps; busybox ps
mark top; busybox top -b -n1
mark free; busybox free
mark uptime; busybox uptime
mark mount; busybox mkdir /tmp/p && busybox mount -t proc none /tmp/p && busybox mount
mark df; busybox df
mark pidof; echo $sleeper; busybox pidof sleep
mark killall; busybox killall sleep || kill -9 $sleeper; wait $sleeper 2>/dev/null; echo $?
mark unmounted; busybox test -d /tmp/p/$$ && busybox umount /tmp/p && busybox ls /tmp/p
mark streams; busybox cat <(echo one) <(echo two); echo three | busybox cat /dev/stdin
echo four >/dev/stdout
mark kernel; busybox wc -l < /proc/sys/kernel/random/uuid; busybox ls /proc/self/task | busybox wc -l
"""


def sections_of(text):
    parts = re.split(r"^== (\w+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def test_busybox_and_bash_find_what_they_look_for(fexec, tmp_path):
    script = tmp_path / "script"
    script.write_text(SCRIPT)
    add = [f"{BUSYBOX}:/bin/busybox", f"{BASH}:/bin/bash", f"{script}:/tmp/script"]
    ended = fexec("/bin/bash", "/tmp/script",
                  options=[word for path in add for word in ("--add", path)])
    text = ended.stdout.decode()
    shown = sections_of(text)
    assert ended.returncode == 0 and len(shown) == 11, text + ended.stderr.decode()
    assert re.search(r"^ +\d+ root +.*/tmp/sleep 1000$", shown["ps"], re.M), shown["ps"]
    assert re.search(r"^Mem: \d+K used, \d+K free", shown["top"], re.M), shown["top"]
    assert re.search(r"busybox top -b -n1", shown["top"]), shown["top"]
    memory = re.search(r"^Mem: +(\d+) +(\d+) +(\d+)", shown["free"], re.M)
    assert memory and int(memory[1]) > int(memory[3]) > 0, shown["free"]
    assert re.search(r"up 0 min, .*load average: \d+\.\d\d, ", shown["uptime"]), shown["uptime"]
    for line in (r"^ramdisk on / type ext2 \(ro\)$", r"^tmpfs on /tmp type tmpfs \(rw,relatime\)$",
                 r"^proc on /proc type proc \(rw,relatime\)$",
                 r"^none on /tmp/p type proc \(rw,relatime\)$"):
        assert re.search(line, shown["mount"], re.M), shown["mount"]
    assert re.search(r"^tmpfs +\d+ +\d+ +\d+ +\d+% /tmp$", shown["df"], re.M), shown["df"]
    sleeper, found = shown["pidof"].split()
    assert sleeper == found
    assert shown["killall"].split() == ["143"], shown["killall"]
    assert shown["unmounted"] == "", shown["unmounted"]
    assert shown["streams"].split() == ["one", "two", "three", "four"], shown["streams"]
    assert shown["kernel"].split() == ["1", "1"], shown["kernel"]
