"""pack's archives hold the tree that was there, byte for byte and nanosecond for nanosecond."""

import io
import os
import stat
import tarfile


def archive(run, *paths, status=0):
    done = run("pack", *paths, text=False)
    assert done.returncode == status, done.stderr
    return tarfile.open(fileobj=io.BytesIO(done.stdout)), done


def test_a_tree_comes_back_identical(run, tmp_path):
    tree = tmp_path / "tree"
    (tree / "sub" / ("deep" * 30)).mkdir(parents=True)
    (tree / "empty").touch()
    (tree / "data").write_bytes(os.urandom(1234567))
    (tree / "data").chmod(0o4751)
    (tree / "sub" / ("n" * 200)).write_text("long name")
    (tree / "sub" / "umläut \n newline").write_text("odd name")
    (tree / "link").symlink_to("sub/" + "x" * 150)
    (tree / "old").touch()
    os.utime(tree / "old", ns=(0, -1_250_000_000))
    os.utime(tree / "data", ns=(0, 1234567890_123456789))
    os.utime(tree / "link", ns=(0, 987654321_000000001), follow_symlinks=False)
    os.utime(tree / "sub", ns=(0, 2**33 * 10**9))

    tar, _ = archive(run, "tree")
    headers = {member.name: member.pax_headers for member in tar}
    expected = set()
    for folder, folders, files in os.walk(tmp_path):
        expected |= {os.path.relpath(os.path.join(folder, name), tmp_path)
                     for name in folders + files}
    assert set(tar.getnames()) == expected
    for member in tar:
        path = tmp_path / member.name
        status = path.lstat()
        assert member.mode == stat.S_IMODE(status.st_mode)
        seconds, _, nanoseconds = headers[member.name].get("mtime", f"{member.mtime}").partition(".")
        sign = -1 if seconds.startswith("-") else 1
        mtime_ns = int(seconds) * 10**9 + sign * int((nanoseconds or "0").ljust(9, "0"))
        assert mtime_ns == status.st_mtime_ns, member.name
        if path.is_symlink():
            assert member.linkname == os.readlink(path)
        elif path.is_file():
            assert tar.extractfile(member).read() == path.read_bytes()


def test_names_are_the_arguments_without_the_root(run, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_text("x")
    tar, _ = archive(run, tmp_path / "d", "d/f", "d//")
    absolute = str(tmp_path).lstrip("/")
    assert tar.getnames() == [f"{absolute}/d", f"{absolute}/d/f", "d/f", "d", "d/f"]


def test_what_is_missing_is_told_and_the_rest_is_there(run, tmp_path):
    (tmp_path / "f").write_text("x")
    tar, done = archive(run, "nope", "f", status=1)
    assert tar.getnames() == ["f"]
    assert done.stderr == b"pack: nope: No such file or directory\n"


def test_kinds_of_files(run, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    tar, _ = archive(run, "fifo")
    assert tar.getmember("fifo").isfifo()
    tar, _ = archive(run, "/dev/null")
    assert tar.getmember("dev/null").ischr()


def test_a_large_file(run, tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.seek(70 << 20)
        file.write(b"end")
    tar, _ = archive(run, "large")
    assert tar.extractfile("large").read() == (tmp_path / "large").read_bytes()
