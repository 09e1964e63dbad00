"""The screen: text mode and pixels, what is on them, keys, the cells as files, a panic's last words.

Emulation of sequences is compared with pyte in tests/console/.
"""

from urllib.parse import quote

import pytest
from conftest import HALTED, PROMPT
from screen import kernel_options, screen_machine  # noqa: F401  (a fixture)

# The colours that the console has at the start: kernel/console/palette.c.
PALETTE = [0x000000, 0xc8443c, 0x4fa84a, 0xc99a2e, 0x4b78d2, 0xa85cc0, 0x34a5ad, 0xc6c6c6,
           0x6e6e6e, 0xff7468, 0x84de74, 0xf7d86a, 0x86adff, 0xdb94f2, 0x74e2e6, 0xffffff]
COLOURS = r"/bin/echo -e '\e[31mred\e[1;34mblue\e[0;42mgreen\e[38;5;208morange" \
          r"\e[38;2;1;2;3;48;2;250;251;252mtrue\e[0mplain'"


def commands(*words):
    """For the kernel's command line: ksh runs these."""
    return "ksh.run=" + quote("; ".join(words), safe="/")


def test_text_mode_is_a_console_with_keys(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options(commands(COLOURS)))
    picture = machine.wait_for(machine.vga_text, lambda picture: picture.begins("redblue"))
    assert "a hybrid kernel" in picture.text()
    assert picture.colours("red") == {(4, 0)} and picture.colours("blue") == {(9, 0)}
    assert picture.colours("green") == {(7, 2)} and picture.colours("plain") == {(7, 0)}
    machine.type("hello\n")
    machine.wait_for(machine.vga_text, "Hello, world!")
    # The log is on the serial port as well; the shell is not.
    said = machine.said()
    assert "Fuselage (debug build)" in said and PROMPT not in said


def test_a_question_before_a_log_line_is_answered_once(screen_machine):  # noqa: F811
    """What stands in the cursor's row is drawn again behind the line: that is no second question."""
    machine = screen_machine(kernel_options(commands(
        r"/bin/echo -ne '\e[6n'", "crash null", "echo 'sur'vived")))
    picture = machine.wait_for(machine.vga_text, "survived")
    assert "segmentation fault" in picture.text()
    assert picture.text().count("^[[") == 1


def test_a_console_on_the_serial_port_leaves_the_screen_to_its_terminal(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("console=ttyS0 " + commands("echo seen > /dev/tty1")))
    picture = machine.wait_for(machine.vga_text, lambda picture: "seen" in picture.lines())
    assert PROMPT not in picture.text() and "clock" not in picture.text()


def test_both_consoles_show_the_log_and_the_last_has_the_shell(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("console=tty1 console=ttyS0"))
    machine.wait_for(machine.vga_text, "Fuselage (debug build)")
    assert PROMPT not in machine.vga_text().text()


@pytest.mark.parametrize("video, rows, columns", [("640x480", 30, 80), ("1024x768", 48, 128)])
def test_pixels_show_text_and_colours(screen_machine, video, rows, columns):  # noqa: F811
    machine = screen_machine(kernel_options(f"video={video} " + commands(COLOURS)))
    picture = machine.wait_for(machine.picture, lambda picture: picture.begins("redblue"))
    assert (len(picture.rows), len(picture.rows[0])) == (rows, columns)
    foreground, background = PALETTE[7], PALETTE[0]
    assert picture.colours("red") == {(PALETTE[1], background)}
    assert picture.colours("blue") == {(PALETTE[12], background)}
    assert picture.colours("green") == {(foreground, PALETTE[2])}
    assert picture.colours("orange") == {(0xff8700, PALETTE[2])}
    assert picture.colours("true") == {(0x010203, 0xfafbfc)}
    assert picture.colours("plain") == {(foreground, background)}


def test_a_screen_with_nothing_to_draw_is_not_hung(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("watchdog=1 " + commands("/bin/sleep 4", "echo awake")))
    machine.wait_for(machine.vga_text, lambda picture: picture.begins("awake"))
    assert "watchdog" not in machine.said()


def test_24_mib_are_enough_for_pixels(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("video=800x600") + ["-m", "24"])
    machine.wait_for(machine.picture, PROMPT)


def test_a_mode_that_is_not_there_is_refused_by_name(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("video=9000x9000"))
    picture = machine.wait_for(machine.vga_text, PROMPT)
    assert "video=9000x9000: the adapter has no such mode" in picture.text()


def test_rows_that_scrolled_away_come_back(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("video=640x480 " + commands("help", "help")))
    machine.wait_for(machine.picture, lambda picture: picture.at_prompt()
                     and not picture.find("a hybrid kernel"))
    for _ in range(8):
        machine.press("shift-pgup")
    machine.wait_for(machine.picture, "a hybrid kernel")
    machine.type("x")
    machine.wait_for(machine.picture, "ksh> x")


def test_the_loaders_framebuffer_is_used(screen_machine, iso):  # noqa: F811
    machine = screen_machine(["-M", "pc", "-m", "128", "-cdrom", iso])
    machine.wait_for(machine.picture, PROMPT, 90)
    machine.type("hello\n")
    picture = machine.wait_for(machine.picture, "Hello, world!")
    assert picture.colours("Hello") == {(PALETTE[7], PALETTE[0])}


def test_the_loader_can_leave_text_mode(screen_machine, iso):  # noqa: F811
    machine = screen_machine(["-M", "pc", "-m", "128", "-cdrom", iso])
    machine.wait_for(machine.vga_text, "without pixels", 90)
    machine.press("down", "down", "down", "ret")
    machine.wait_for(machine.vga_text, PROMPT, 90)


@pytest.mark.parametrize("video", ["", "video=800x600 "])
def test_a_panic_reaches_the_screen(screen_machine, video):  # noqa: F811
    machine = screen_machine(kernel_options(video + commands("panic null")))
    look = machine.picture if video else machine.vga_text
    picture = machine.wait_for(look, "trigger_null")
    assert picture.find("KERNEL PANIC: null pointer dereference: write to 0x8")[0] == 0
    assert picture.colours("KERNEL PANIC") == {(0xffffff, PALETTE[1]) if video else (15, 4)}
    assert HALTED in machine.said()


def test_cells_are_files(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options(commands(
        "echo -n CELLS > /dev/vcs1", "cp /dev/vcs1 /tmp/cells", "cat /tmp/cells > /dev/ttyS0",
        "echo done")))
    picture = machine.wait_for(machine.vga_text, lambda picture: picture.begins("done"))
    assert picture.lines()[0].startswith("CELLS")
    said = machine.said()
    assert "CELLS" in said and "echo -n CELLS" in said


def test_cells_of_the_serial_terminal_are_drawn_by_sequences(machine):
    machine.run("echo -n CELLS > /dev/vcsS0")
    machine.wait_for(lambda lines: lines[0].startswith("CELLS") and lines[-1].strip() == PROMPT)
    assert machine.run("cp /dev/vcsuS0 /tmp/cells") == []
    assert machine.run("hello") == ["Hello, world!"]


def test_a_pixel_file_where_there_are_pixels(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("video=640x480 " + commands(
        "cat /dev/urandom > /dev/fb0", "echo written")))
    machine.wait_for(machine.picture, lambda picture: picture.begins("written"))
    noise = machine.pixels()[-40:]
    assert len({colour for row in noise for colour in row}) > 10000


def test_text_returns_when_who_has_the_pixels_is_killed(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("video=640x480 " + commands(
        "plasma & sleep 3", "kill -KILL %1", "/bin/echo back")))
    machine.wait_for(machine.picture, lambda picture: not picture.find("Fuselage"))
    picture = machine.wait_for(machine.picture, lambda picture: picture.begins("back"))
    assert picture.find("a hybrid kernel")


def test_each_virtual_console_has_its_own_screen(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options(commands(
        "echo 'sec'ond > /dev/tty2", "hexdump /dev/vcs2", "echo 'st'ill")))
    machine.wait_for(machine.vga_text, "still")
    assert machine.vga_text().find("second")    # of vcs2's cells
    assert not machine.vga_text().begins("second")
    machine.press("alt-f2")
    machine.wait_for(machine.vga_text,      # which is drawn row by row
                     lambda picture: picture.begins("second") and PROMPT not in picture.text())
    machine.type("typed")
    machine.wait_for(machine.vga_text, lambda picture: picture.begins("typed"))     # its own echo
    machine.press("alt-f1")
    machine.wait_for(machine.vga_text,
                     lambda picture: picture.find("still") and picture.at_prompt())
    machine.type("init\n")
    machine.wait_for(machine.vga_text, "fuselage login:")
    machine.press("alt-f3")
    machine.wait_for(machine.vga_text, "(tty3)")
    machine.type("user\n")
    machine.wait_for(machine.vga_text, "user@fuselage:")
    machine.type("tty\n")
    machine.wait_for(machine.vga_text, lambda picture: picture.begins("/dev/tty3"))
