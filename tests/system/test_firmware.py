"""The one image of ./fuselage iso, on BIOS and UEFI, as a CD, as a drive and as a USB stick; and
machines without a serial port."""

import re
import subprocess
import time

import pytest

from conftest import RAMDISK, kernel, on_this_terminal

QEMU = ["qemu-system-x86_64", "-no-user-config", "-nodefaults", "-no-reboot", "-cpu", "max",
        "-m", "128"]
FIRMWARE = {
    "bios": [],
    "uefi": ["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE.fd"],
}
STICK = ["-drive", "if=none,id=stick,snapshot=on,format=raw,file={iso}",
         "-device", "usb-storage,drive=stick"]
MEDIA = {
    "cd": ["-cdrom", "{iso}"],
    "drive": ["-drive", "snapshot=on,format=raw,file={iso}"],
    "stick-usb2": ["-device", "usb-ehci", *STICK],
    "stick-usb3": ["-device", "qemu-xhci", *STICK],
}
# A line of the monitor's "info registers".
IDLE = re.compile(r"RIP=ffffffff\w+ RFL=\w+[2367abef]\w\w .*HLT=1")
# Every pair of firmware, chipset and medium is in at least one of these.
MACHINES = ["bios-pc-cd", "bios-q35-drive", "bios-pc-stick-usb3", "uefi-q35-cd", "uefi-pc-drive",
            "uefi-q35-stick-usb2"]


@pytest.mark.parametrize("name", MACHINES)
def test_the_image_reaches_the_prompt(boot, iso, name):
    firmware, chipset, medium = name.split("-", 2)
    options = [word.format(iso=iso) for word in MEDIA[medium]]
    machine = boot(command=on_this_terminal(QEMU + ["-M", chipset] + FIRMWARE[firmware] + options))
    machine.wait_for("Fuselage (release)", 60)
    machine.send("\r")
    machine.wait_for_prompt()
    assert machine.run("hello") == ["Hello, world!"]


def test_without_a_serial_port_the_image_comes_up_and_idles(boot, iso):
    """Nobody sees its prompt: it is there when the CPU sleeps in the kernel, time after time, and
    can be woken (RFLAGS.IF), which tells it from a machine that has given up."""
    machine = boot(command=QEMU + ["-M", "pc", "-display", "none", "-cdrom", str(iso),
                                   "-monitor", "stdio"])
    deadline_s = time.monotonic() + 60
    idle = 0
    while idle < 3 and time.monotonic() < deadline_s:
        machine.screen.reset()
        machine.send("info registers\r")
        machine.wait_for("FPR6")
        idle = idle + 1 if any(IDLE.match(line) for line in machine.lines()) else 0
    assert idle == 3, machine.text()


def test_without_a_console_port_programs_run():
    """COM1 is missing; the exec channel has ports of its own."""
    ports = [word for port, name in ((0x5e0, "out"), (0x5e1, "nowhere"), (0x5e2, "nowhere"))
             for word in ("-device", f"isa-debugcon,iobase={port:#x},chardev={name}")]
    ended = subprocess.run(
        QEMU + ["-M", "q35", "-display", "none", "-kernel", kernel(), "-initrd", RAMDISK,
                "-append", "exec=hello", "-chardev", "null,id=com2",
                "-device", "isa-serial,index=1,chardev=com2", "-chardev", "stdio,id=out",
                "-chardev", "null,id=nowhere,mux=on", *ports],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, check=True)
    assert ended.stdout == b"Hello, world!\n"
