"""iso: both kernels and the base ramdisk behind GRUB, for real machines.

One image for BIOS and UEFI that is a CD and a disk at once: what `grub-mkrescue` makes has an El
Torito catalogue for both kinds of firmware, an MBR with GRUB in front, and an EFI system partition.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from .build import ensure
from .common import BASE_IMAGE, BUILD, PRESETS, ToolError, kernel_elf, relative, say

# A machine without a serial port must not be asked to use it. UEFI's own console is on the serial
# port already where the firmware was told so: a second one there would show all twice.
GRUB_HEAD = """\
set timeout=3
set default=0
if [ "$grub_platform" = pc ]; then
	if serial --unit=0 --speed=115200; then
		terminal_input serial console
		terminal_output serial console
	fi
fi
insmod all_video
"""
GRUB_ENTRY = """\
menuentry "Fuselage ({title})" {{
	multiboot2 /boot/{preset}/fuselage.elf{words}
	module2 /boot/base.img ramdisk
{after}}}
"""
# After multiboot2, which sets it to what the kernel's header asks for.
TEXT_MODE = "\tset gfxpayload=text\n"
# (title, build, words for the kernel, lines for GRUB). The build whose figures and speed a real
# machine should show comes first. Without console= the screen is the console where there is one.
MENU = (("release", "release", "", ""),
        ("debug", "debug", "", ""),
        ("release, on the serial port", "release", " console=ttyS0", ""),
        ("release, without pixels", "release", "", TEXT_MODE))

# Nothing of GRUB that is not used: its fonts, translations and pictures are ten times our own size.
MKRESCUE = ["grub-mkrescue", "--fonts=", "--locales=", "--themes=", "--compress=xz"]

STICK = """\
to a USB stick, and all that is on the stick is lost, so look twice which device it is (lsblk):
    sudo dd if={image} of=/dev/sdX bs=4M conv=fsync status=progress"""


def make(output):
    """Builds both presets and the ISO at OUTPUT."""
    for preset in PRESETS:
        ensure(preset)
    with tempfile.TemporaryDirectory(prefix="iso.", dir=BUILD) as scratch:
        boot = Path(scratch) / "boot"
        for preset in PRESETS:
            (boot / preset).mkdir(parents=True)
            shutil.copy(kernel_elf(preset), boot / preset / "fuselage.elf")
        shutil.copy(BASE_IMAGE, boot / "base.img")
        (boot / "grub").mkdir()
        (boot / "grub" / "grub.cfg").write_text(
            GRUB_HEAD + "".join(GRUB_ENTRY.format(title=title, preset=preset, words=words,
                                                  after=after)
                                for title, preset, words, after in MENU))
        made = subprocess.run([*MKRESCUE, "-o", str(output), scratch, "--", "-volid", "FUSELAGE"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if made.returncode:
            raise ToolError(f"grub-mkrescue failed:\n{made.stdout}")


def main(args):
    output = Path(args.output) if args.output else BUILD / "fuselage.iso"
    make(output)
    image = relative(output)
    say(f"made {image}, for BIOS and UEFI; try it: qemu-system-x86_64 -M q35 -m 512 -cdrom {image} "
        "-serial stdio")
    say(STICK.format(image=image))
    return 0
