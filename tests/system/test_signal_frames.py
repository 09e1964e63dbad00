"""Handlers' frames on a CPU without XSAVE: FXSAVE's area alone."""

from pathlib import Path

GUEST = Path(__file__).resolve().parents[2] / "build" / "shared" / "guest"


def test_frames_of_a_plain_cpu(fexec):
    ended = fexec("/bin/signals", options=["--cpu", "qemu64", "--add",
                                           f"{GUEST / 'signals'}:/bin/signals"])
    text = ended.stdout.decode()
    assert ended.returncode == 0 and "ok the_fpu_is_kept" in text, text
