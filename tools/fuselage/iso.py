"""iso: both kernels and the base ramdisk behind GRUB, for machines with a BIOS."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from .build import ensure
from .common import BASE_IMAGE, BUILD, PRESETS, ToolError, kernel_elf, relative, say

GRUB_HEAD = """\
set timeout=3
set default=0
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
"""
GRUB_ENTRY = """\
menuentry "Fuselage ({preset})" {{
	multiboot2 /boot/{preset}/fuselage.elf console=ttyS0
	module2 /boot/base.img ramdisk
}}
"""
# The build whose figures and speed a real machine should show comes first.
MENU = ("release", "debug")


def make(output):
    """Builds both presets and the ISO at OUTPUT."""
    for preset in PRESETS:
        ensure(preset)
    with tempfile.TemporaryDirectory(prefix="iso.", dir=BUILD) as scratch:
        boot = Path(scratch) / "boot"
        for preset in MENU:
            (boot / preset).mkdir(parents=True)
            shutil.copy(kernel_elf(preset), boot / preset / "fuselage.elf")
        shutil.copy(BASE_IMAGE, boot / "base.img")
        (boot / "grub").mkdir()
        (boot / "grub" / "grub.cfg").write_text(
            GRUB_HEAD + "".join(GRUB_ENTRY.format(preset=preset) for preset in MENU))
        made = subprocess.run(["grub-mkrescue", "-o", str(output), scratch],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if made.returncode:
            raise ToolError(f"grub-mkrescue failed:\n{made.stdout}")


def main(args):
    output = Path(args.output) if args.output else BUILD / "fuselage.iso"
    make(output)
    say(f"made {relative(output)}; try it: qemu-system-x86_64 -M q35 -m 512 -cdrom "
        f"{relative(output)} -nographic")
    return 0
