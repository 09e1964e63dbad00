"""--get: the archive that the guest sends is what stdin holds, so each test writes its own."""

import io
import os
import stat
import tarfile

MTIME_S = "1700000000.123456789"
MTIME_NS = 1_700_000_000_123_456_789


def archive(*members):
    """A pax archive of (name, type, mode, content or link)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, mode, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, mode
            info.pax_headers["mtime"] = MTIME_S
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content or ""
                tar.addfile(info)
    return out.getvalue()


FILE, DIR, LINK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE
STATUS = 3      # what the fake guest's program ends with


def get(guest, data, *pairs, packer="0", way=()):
    options = list(way)
    for pair in pairs:
        options += ["--get", pair]
    return guest("archive", packer, options=options, input=data)


def test_a_large_file_comes_out_identical(guest, tmp_path):
    content = os.urandom(64 << 20)
    ended = get(guest, archive(("tmp/big", FILE, 0o640, content)), "/tmp/big")
    assert ended.returncode == STATUS, ended.stderr
    assert (tmp_path / "big").read_bytes() == content
    assert stat.S_IMODE((tmp_path / "big").stat().st_mode) == 0o640


def test_through_the_ports_as_well(guest, tmp_path):
    content = os.urandom(100_000)
    ended = get(guest, archive(("f", FILE, 0o600, content)), "f", way=["--ports-only"])
    assert ended.returncode == STATUS, ended.stderr
    assert (tmp_path / "f").read_bytes() == content


def test_a_tree_keeps_modes_times_and_symlinks(guest, tmp_path):
    data = archive(("tmp/t", DIR, 0o755, None), ("tmp/t/shut", DIR, 0o500, None),
                   ("tmp/t/shut/file", FILE, 0o4751, b"x"), ("tmp/t/empty", FILE, 0o444, b""),
                   ("tmp/t/link", LINK, 0o777, "shut/file"),
                   ("tmp/t/dangling", LINK, 0o777, "/nowhere"))
    ended = get(guest, data, "/tmp/t:out")
    assert ended.returncode == STATUS, ended.stderr
    out = tmp_path / "out"
    assert os.readlink(out / "link") == "shut/file"
    assert os.readlink(out / "dangling") == "/nowhere"
    assert stat.S_IMODE((out / "shut").stat().st_mode) == 0o500
    assert stat.S_IMODE((out / "shut" / "file").stat().st_mode) == 0o751
    for path in (out, out / "shut", out / "shut" / "file", out / "empty", out / "link"):
        assert os.lstat(path).st_mtime_ns == MTIME_NS, path


def test_several_go_where_they_were_told(guest, tmp_path):
    (tmp_path / "folder").mkdir()
    data = archive(("tmp/a", FILE, 0o644, b"a"), ("b", FILE, 0o644, b"b"),
                   ("etc/c", FILE, 0o644, b"c"))
    ended = get(guest, data, "/tmp/a:named", "b:folder", "/etc/c")
    assert ended.returncode == STATUS, ended.stderr
    assert (tmp_path / "named").read_bytes() == b"a"
    assert (tmp_path / "folder" / "b").read_bytes() == b"b"
    assert (tmp_path / "c").read_bytes() == b"c"


def test_nothing_is_written_outside(guest, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    data = archive(("t", DIR, 0o755, None), ("../evil", FILE, 0o644, b"x"),
                   ("t/../../evil", FILE, 0o644, b"x"), ("other", FILE, 0o644, b"x"),
                   ("t/link", LINK, 0o777, str(outside)), ("t/link/evil", FILE, 0o644, b"x"))
    ended = get(guest, data, "t")
    assert b"refused" in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "t"]
    assert list(outside.iterdir()) == []
    assert not (tmp_path.parent / "evil").exists()


def test_a_missing_file_is_told(guest):
    ended = get(guest, archive(("a", FILE, 0o644, b"a")), "a", "b", packer="1")
    assert ended.returncode == STATUS
    assert b"/b did not come out" in ended.stderr
    assert b"could not read all" in ended.stderr


def test_a_cut_archive_is_told(guest):
    data = archive(("a", FILE, 0o644, bytes(5000)))[:3000]
    ended = get(guest, data, "a")
    assert b"the archive is broken" in ended.stderr
