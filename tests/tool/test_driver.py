"""new-driver and test-driver: what is made from the template builds and passes in each place; an
edit that breaks it is found, and how long that took is told."""

import re
import subprocess

import pytest

from conftest import TOOL


def tool(*words):
    return subprocess.run([TOOL, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True, check=False, timeout=300)


@pytest.mark.parametrize("name", ["", "Notes", "9p", "a/b", "a b", "x" * 32])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    done = tool("new-driver", "--output", tmp_path / "new", "--", name)
    assert done.returncode == 1 and "a name is a small letter" in done.stderr
    assert not (tmp_path / "new").exists()


def test_nothing_is_written_over(tmp_path):
    done = tool("new-driver", "notes", "--output", tmp_path)
    assert done.returncode == 1 and f"{tmp_path}: File exists" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_makefile_is_refused(tmp_path):
    done = tool("test-driver", tmp_path)
    assert done.returncode == 1 and "new-driver makes a folder with one" in done.stderr


def test_a_new_driver_passes_everywhere_and_a_spoiled_one_fails(tmp_path):
    folder = tmp_path / "notes"
    assert tool("new-driver", "notes", "--output", folder).returncode == 0
    assert not any("@" + "NAME@" in path.read_text() for path in folder.iterdir())
    done = tool("test-driver", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("7 passed, 0 failed") == 3

    source = folder / "notes.c"
    source.write_text(source.read_text().replace("memcpy(out, node->data + offset, len);",
                                                 "memset(out, 0, len);"))
    done = tool("test-driver", folder, "--on", "fuselage")
    assert done.returncode == 1
    assert "FAIL what_is_written_is_read" in done.stdout
    assert re.search(r"; [\d.]+ s after the start$", done.stderr, re.MULTILINE), done.stderr


def test_memory_that_is_lost_is_found_and_named(tmp_path):
    folder = tmp_path / "notes"
    assert tool("new-driver", "notes", "--output", folder).returncode == 0
    source = folder / "notes.c"
    source.write_text(source.read_text().replace("\tfree(node->data);\n", ""))
    done = tool("test-driver", folder, "--on", "asan")
    assert done.returncode == 1
    assert "FAIL it_ends_without_complaint" in done.stdout
    assert "LeakSanitizer: detected memory leaks" in done.stdout
