"""Keyboard layouts: what tools/keymaps.py makes of ckbcomp's output, and what the build made of it."""

import struct
import sys

import pytest
from conftest import TREE

sys.path.insert(0, str(TREE / "tools"))
import keymaps  # noqa: E402

PACKAGES = TREE / "build" / "shared" / "packages"
ROWS = {2: "1234567890", 16: "qwertyuiop", 30: "asdfghjkl", 44: "zxcvbnm"}


def keys_of(data):
    """Key -> (flags, symbols) of a keymap file."""
    count = struct.unpack_from("<H", data, 6)[0]
    assert data[:4] == b"FKM1" and len(data) == 8 + 10 * count
    entries = [struct.unpack_from("<BB4H", data, 8 + 10 * n) for n in range(count)]
    assert [entry[0] for entry in entries] == sorted({entry[0] for entry in entries})
    return {key: (flags, symbols) for key, flags, *symbols in entries}


def row(keys, first, level=0):
    return "".join(chr(keys[first + n][1][level]) for n in range(len(ROWS[first])))


def made(name):
    return keys_of((TREE / "build" / "shared" / "keymaps" / name).read_bytes())


def test_what_one_line_says():
    assert keymaps.symbol("U+0031") == (0x31, False)
    assert keymaps.symbol("+U+00e4") == (0xe4, True)
    assert keymaps.symbol("U+0007") == (0, False)
    assert keymaps.symbol("dead_kcaron") == (0xe00b, False)
    assert keymaps.symbol("dead_horn") == (0, False)
    assert keymaps.symbol("VoidSymbol") == (0, False)


def test_output_that_lacks_a_key_is_refused():
    with pytest.raises(keymaps.KeymapError, match="nothing of the keys"):
        keymaps.pack("x", "keycode 2 = U+0031 U+0021 U+0031 U+0021")


def test_us_is_what_the_kernel_has_built_in():
    keys = keys_of(keymaps.pack("us", keymaps.ckbcomp(PACKAGES, "us")))
    built_in = (TREE / "kernel" / "input" / "keymap.c").read_text()
    for first, plain in ROWS.items():
        assert row(keys, first) == plain
        assert f'"{plain}' in built_in or f'\\\\{plain}' in built_in
        assert row(keys, first, 1)[:4] in built_in
    assert "".join(chr(keys[key][1][0]) for key in (12, 13, 26, 27, 39, 40, 41, 43, 51, 52, 53)) \
        == "-=[];'`\\,./"
    assert "".join(chr(keys[key][1][1]) for key in (12, 13, 26, 27, 39, 40, 41, 43, 51, 52, 53)) \
        == '_+{}:"~|<>?'


def test_layouts_are_what_is_printed_on_their_keys():
    german, french, british, dvorak = map(made, ("de", "fr", "uk", "dvorak"))
    assert row(german, 16) == "qwertzuiop" and row(german, 44) == "yxcvbnm"
    assert chr(german[26][1][0]) + chr(german[12][1][0]) == "üß"
    assert german[16][1][2] == ord("@") and german[18][1][2] == ord("€")
    assert row(french, 16) == "azertyuiop" and row(french, 2) == "&é\"'(-è_çà"
    assert row(french, 2, 1) == "1234567890"
    assert row(british, 2, 1) == '!"£$%^&*()'
    assert row(dvorak, 30) == "aoeuidhtn"
    assert (TREE / "build" / "shared" / "keymaps" / "de").read_bytes()[4] == 3
