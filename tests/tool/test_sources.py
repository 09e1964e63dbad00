"""./fuselage sources, with an archive that lies in a folder."""

import hashlib
import subprocess
import tarfile
from types import SimpleNamespace

import pytest

from fuselage import sources
from fuselage.common import ToolError

TARBALL = b"the original"


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A world with one source and one binary package; run(**options) collects their sources."""
    fetch, fetch_apt = sources.fetcher()
    lock = {"thing": fetch.Package({"Source": "thing", "Suite": "x", "Upstream": "1",
                                    "Orig-SHA256": hashlib.sha256(TARBALL).hexdigest(),
                                    "Licence": "MIT"}),
            "headers": fetch.Package({"Package": "headers", "Suite": "x", "Upstream": "6.*",
                                      "Licence": "GPL-2"}),
            "asked": fetch.Package({"Package": "asked", "Suite": "x", "Upstream": "1",
                                    "Fetch": "asked"})}
    files = {"thing": {"thing_1.orig.tar.gz": TARBALL, "thing_1-2.dsc": b"dsc"},
             "headers": {"headers_6.5-1.deb": b"deb"}}
    packages = tmp_path / "build" / "shared" / "packages"
    packages.mkdir(parents=True)
    for key, version in (("thing", "1-2"), ("headers", "6.5-1")):
        (packages / f"{key}.version").write_text(f"{lock[key].pin()}\n{version}\n")

    class Apt:
        def __init__(self, folder, wanted):
            assert [package.key for package in wanted] == ["thing", "headers"]

        def download(self, package, name, version):
            folder = tmp_path / "downloads" / name
            folder.mkdir(parents=True, exist_ok=True)
            for file, content in files[name].items():
                assert version in ("1-2", "6.5-1")
                (folder / file).write_bytes(content)
            return sorted(folder.iterdir())

        def forget_downloads(self, package):
            pass

    tree = tmp_path / "tree"
    (tree / "folder").mkdir(parents=True)
    (tree / "folder" / "code.c").write_text("int x;\n")
    subprocess.run(["git", "init", "-q", tree], check=True)
    subprocess.run(["git", "add", "folder"], cwd=tree, check=True)
    (tree / "not-tracked").write_text("")
    image = tmp_path / "fuselage.iso"
    image.write_bytes(b"image")
    monkeypatch.setattr(fetch, "read_lock", lambda: lock)
    monkeypatch.setattr(fetch_apt, "PrivateApt", Apt)
    monkeypatch.setattr(sources, "ROOT", tree)
    monkeypatch.setattr(sources, "BUILD", tmp_path / "build")
    monkeypatch.setattr(sources, "SHARED", tmp_path / "build" / "shared")
    monkeypatch.setattr(sources, "fetcher", lambda: (fetch, fetch_apt))

    def run(output="out", images=(image,)):
        return sources.main(SimpleNamespace(output=str(tmp_path / output), image=list(images)))

    run.files, run.folder, run.image, run.packages = files, tmp_path, image, packages
    return run


def test_everything_lies_beside_the_image(archive):
    assert archive() == 0
    out = archive.folder / "out"
    assert (out / "image" / "fuselage.iso").read_bytes() == b"image"
    assert (out / "fuselage" / "folder" / "code.c").exists()
    assert not (out / "fuselage" / "not-tracked").exists()
    assert (out / "packages" / "thing" / "thing_1.orig.tar.gz").read_bytes() == TARBALL
    assert (out / "packages" / "headers" / "headers_6.5-1.deb").exists()
    readme = (out / "README").read_text()
    assert "thing  1-2  (MIT)" in readme and "headers.version:" in readme
    assert "asked" not in readme
    subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=out, check=True)
    listed = (out / "SHA256SUMS").read_text().count("\n")
    assert listed == sum(path.is_file() for path in out.rglob("*")) - 1


def test_a_tar_has_the_same(archive):
    assert archive("all.tar.gz") == 0
    with tarfile.open(archive.folder / "all.tar.gz") as tar:
        names = tar.getnames()
    assert "all/README" in names and "all/packages/thing/thing_1-2.dsc" in names


def test_another_tarball_than_the_pinned_one_is_refused(archive):
    archive.files["thing"]["thing_1.orig.tar.gz"] = b"another"
    with pytest.raises(ToolError, match="not the one that is pinned"):
        archive()


def test_what_is_there_is_not_overwritten(archive):
    (archive.folder / "out").mkdir()
    (archive.folder / "out" / "mine").write_text("")
    with pytest.raises(ToolError, match="there already"):
        archive()


def test_what_is_missing_is_named(archive):
    with pytest.raises(ToolError, match="cannot read .*nowhere"):
        archive(images=[archive.folder / "nowhere"])
    (archive.packages / "thing.version").unlink()
    with pytest.raises(ToolError, match="thing has not been fetched"):
        archive("other")
