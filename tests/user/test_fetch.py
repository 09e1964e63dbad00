"""tools/fetch.py's own judgement, without the network."""

import os
import subprocess
import sys

import pytest
from conftest import TREE

sys.path.insert(0, str(TREE / "tools"))
import fetch  # noqa: E402
import fetch_apt  # noqa: E402
from fetch_common import FetchError, read_stanzas  # noqa: E402


def package(**fields):
    return fetch.Package({"Package": "p", "Suite": "bookworm", "Upstream": "1.2"} | fields)


@pytest.mark.parametrize("upstream, version, accepted", [
    ("1.2.3", "1.2.3-1", True), ("1.2.3", "1:1.2.3-1+deb12u4", True), ("1.2.3", "1.2.30-1", False),
    ("1.2.3", "1.2.4-1", False), ("6.1.*", "6.1.176-1", True), ("6.1.*", "6.12.3-1", False),
    ("6.1.*", "6.1-1", True), ("1.0-rc2", "1.0-rc2-3", True)])
def test_which_versions_a_pin_accepts(upstream, version, accepted):
    assert package(Upstream=upstream).accepts(version) is accepted


def test_the_lock_file_is_well_formed():
    lock = fetch.read_lock()
    assert {"musl", "linux-libc-dev"} <= set(lock)
    assert len(lock["musl"].orig_sha256) == 64
    with pytest.raises(FetchError, match="Orig-SHA256"):
        fetch.Package({"Source": "s", "Suite": "x", "Upstream": "1"})
    with pytest.raises(FetchError, match="musl"):
        fetch.choose(lock, ["nope"])


def test_nothing_to_do_is_quick():
    subprocess.run([TREE / "tools" / "fetch.py"], check=True)
    before = os.times()
    subprocess.run([TREE / "tools" / "fetch.py"], check=True)
    after = os.times()
    # Processor time: what else runs on this host does not count.
    assert after.children_user + after.children_system \
        - before.children_user - before.children_system < 0.5


def test_a_version_that_has_gone_is_explained():
    class Archive:
        def versions(self, _):
            return ["2.0-1", "1.9-4"]
    with pytest.raises(FetchError) as caught:
        fetch.pick_version(package(Upstream="1.8"), Archive())
    for part in ("p 1.8", "2.0-1, 1.9-4", "--move p", "FUSELAGE_DEBIAN_MIRROR"):
        assert part in str(caught.value)


def test_a_wrong_tarball_is_refused(tmp_path):
    tarball = tmp_path / "s_1.orig.tar.gz"
    tarball.write_bytes(b"not what was pinned")
    pinned = fetch.Package({"Source": "s", "Suite": "x", "Upstream": "1", "Orig-SHA256": "0" * 64})
    with pytest.raises(FetchError, match="checksum"):
        fetch.unpack_source(pinned, [tarball], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_mirrors_are_found_in_both_formats(monkeypatch):
    one_line = ("# comment\n"
                "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main # x\n"
                "deb-src cdrom:[Debian] bookworm main\n")
    first = next(fetch_apt.read_one_line_entries(one_line))
    assert first == {"URIs": "http://mirror.example/debian", "Suites": "bookworm",
                     "Components": "main ", "Signed-By": "/k.gpg"}
    stanzas = read_stanzas("Types: deb\nURIs: http://a.example/\nSuites: trixie trixie-updates\n"
                           "Components: main\nSigned-By:\n -----BEGIN\n .\n x\n")
    assert stanzas[0]["Signed-By"] == "\n -----BEGIN\n .\n x"
    monkeypatch.delenv("FUSELAGE_DEBIAN_MIRROR", raising=False)
    monkeypatch.setattr(fetch_apt, "system_entries", lambda: stanzas)
    # Another release's entry is still a mirror of all Debian; another distribution's is not.
    assert fetch_apt.debian_mirror("bookworm") == stanzas[0]
    stanzas[0]["Suites"] = "noble"
    assert fetch_apt.debian_mirror("bookworm") is None
    monkeypatch.setenv("FUSELAGE_DEBIAN_MIRROR", "http://b.example/")
    assert fetch_apt.debian_mirror("bookworm")["URIs"] == "http://b.example/"


def test_an_empty_package_leads_to_the_one_that_is_meant():
    class Archive:
        def depends(self, name, _architecture, version):
            return {("p", "1.2-1"): "q-doc (= 1.2-1), q-5-image (= 1.2-2)",
                    ("q-5-image", "1.2-2"): "base | other (>= 3), q-5-binary (= 1.2-3)"
                    }[name, version]
    found = fetch.behind(package(Through="q-*-image q-*-binary"), "1.2-1", Archive())
    assert found == ("q-5-binary", "1.2-3")
    assert fetch.behind(package(), "1.2-1", Archive()) == ("p", "1.2-1")
    with pytest.raises(FetchError, match="nothing called r-"):
        fetch.behind(package(Through="r-*"), "1.2-1", Archive())


def test_of_a_package_only_what_was_asked_for_is_kept(tmp_path):
    for name in ("boot/image-5", "boot/config-5", "lib/modules/5/m.ko"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    with pytest.raises(FetchError, match="has no boot/x-"):
        fetch.keep_only(["boot/image-*", "boot/x-*"], tmp_path)
    fetch.keep_only(["boot/image-*"], tmp_path)
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["boot", "image-5"]
