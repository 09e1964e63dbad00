#!/usr/bin/python3
"""Keyboard layouts of X11 as the kernel's keymap files.

ckbcomp, of Debian's console-setup, makes Linux console keymaps of the layouts in xkb-data; this
takes what it says of each key and packs it as kernel/input/keymap.h describes. DIR gets a file for
each of LAYOUTS; nothing is done if they are there and newer than this script and its inputs.
"""

import argparse
import re
import struct
import subprocess
import sys
from pathlib import Path

# The name here -> layout and variant of xkb-data. The kernel has us built in.
LAYOUTS = {
    "be": "be", "br": "br", "ch": "ch", "de": "de", "dk": "dk", "dvorak": "us:dvorak", "es": "es",
    "fr": "fr", "it": "it", "no": "no", "pl": "pl", "pt": "pt", "se": "se", "uk": "gb",
    "us-intl": "us:intl",
}
KEYS_MAX = 128
KEY_PAD_DOT, KEY_RIGHT_ALT = 83, 100
# The keys whose meaning is the layout's: of all others the kernel knows it.
LAYOUT_KEYS = [*range(2, 14), *range(16, 28), *range(30, 42), *range(43, 54), 57, 86, 89, 124]
KEY_IS_LETTER, KEY_IS_ALTGR_LETTER = 1, 2
KEYMAP_ALTGR, KEYMAP_PAD_COMMA = 1, 2
KEYSYM_DEAD = 0xe000
# enum dead_key, in its order; some have two names.
DEAD = ["grave", "acute", "circumflex", "tilde", "diaeresis", "cedilla", "macron", "breve",
        "abovedot", "abovering", "doubleacute", "caron", "ogonek", "belowdot", "stroke"]
ALIASES = {"kbreve": "breve", "kcaron": "caron", "kdoubleacute": "doubleacute", "kogonek": "ogonek"}
LINE = re.compile(r"keycode (\d+) = (.+)")


class KeymapError(Exception):
    """What is wrong with a layout; the text is the whole message."""


def symbol(word):
    """(symbol, is a letter) of what ckbcomp says of one key on one level."""
    letter = word.startswith("+")
    word = word.lstrip("+")
    if match := re.fullmatch(r"U\+([0-9a-f]{4})", word):
        code = int(match[1], 16)
        visible = 0x20 <= code < 0x7f or 0xa0 <= code < 0xd800
        return (code if visible else 0), letter
    if word.startswith("dead_"):
        name = ALIASES.get(word[5:], word[5:])
        return (KEYSYM_DEAD + DEAD.index(name) if name in DEAD else 0), False
    return 0, False     # a function, or a key that this level does not have


def keys_of(text):
    """Key -> the words of its four levels, from ckbcomp's compact output."""
    keys = {}
    for line in text.splitlines():
        if match := LINE.fullmatch(line):
            keys[int(match[1])] = match[2].split()
    return keys


def pack(name, text):
    keys = keys_of(text)
    missing = [key for key in LAYOUT_KEYS[:48] if len(keys.get(key, [])) < 4]
    if missing:
        raise KeymapError(f"{name}: ckbcomp says nothing of the keys {missing}")
    altgr = keys.get(KEY_RIGHT_ALT, [""])[0] == "AltGr"
    flags = KEYMAP_ALTGR * altgr \
        | KEYMAP_PAD_COMMA * (keys.get(KEY_PAD_DOT, [""])[0] == "KP_Comma")
    entries = []
    for key in LAYOUT_KEYS:
        levels = [symbol(word) for word in keys.get(key, [])[:4]]
        if len(levels) < 4 or not any(code for code, _ in levels):
            continue
        if not altgr:
            levels[2:] = [(0, False)] * 2
        own = KEY_IS_LETTER * levels[0][1] | KEY_IS_ALTGR_LETTER * levels[2][1]
        entries.append(struct.pack("<BB4H", key, own, *(code for code, _ in levels)))
    return b"FKM1" + struct.pack("<BBH", flags, 0, len(entries)) + b"".join(entries)


def ckbcomp(packages, layout):
    """What ckbcomp writes; it complains of keysyms that the console does not have, which is fine."""
    name, _, variant = layout.partition(":")
    command = ["perl", str(packages / "console-setup" / "usr" / "bin" / "ckbcomp"), "-compact",
               f"-I{packages / 'xkb-data' / 'usr' / 'share' / 'X11' / 'xkb'}",
               "-model", "pc105", "-layout", name, *(["-variant", variant] if variant else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KeymapError(f"{' '.join(command)}:\n{done.stderr.strip()}")
    return done.stdout


def is_made(packages, folder):
    inputs = [Path(__file__), packages / "console-setup.version", packages / "xkb-data.version"]
    newest = max(path.stat().st_mtime for path in inputs)
    made = [folder / name for name in LAYOUTS]
    return all(path.exists() and path.stat().st_mtime >= newest for path in made) \
        and {path.name for path in folder.iterdir()} == set(LAYOUTS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, required=True, metavar="DIR",
                        help="where tools/fetch.py put console-setup and xkb-data")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    if is_made(arguments.packages, arguments.into):
        return
    for path in arguments.into.iterdir():
        path.unlink()
    for name, layout in LAYOUTS.items():
        (arguments.into / name).write_bytes(pack(name, ckbcomp(arguments.packages, layout)))


if __name__ == "__main__":
    try:
        main()
    except (KeymapError, OSError) as error:
        sys.exit(f"keymaps.py: {error}")
