/*
 * The cells of the consoles as files, as Linux has them (vcs(4)):
 *
 *	vcs   a byte a cell, of code page 437
 *	vcsa  four bytes (rows, columns, cursor's x and y), then character and attribute of each
 *cell, the attribute as a VGA's: foreground in the low four bits, background in the high ones vcsu
 *four bytes a cell, its code point
 *
 * vcs1 and so on belong to the screen, vcsS0 to the serial port, those without a number to
 * whichever is the machine's own: the screen, where there is one. What is
 * written reaches the device at once. A cell whose bytes are written as they are stays as it is, so
 * colours that an attribute cannot say survive.
 *
 * Nothing is kept here; a call works in pieces of PIECE cells, each with the console locked, and
 * touches the program's memory without.
 */
#define LOG_SUBSYSTEM "vcs"

#include "vcs.h"

#include <abi/errno.h>
#include <fusek/devfs.h>
#include <ipc/buffer.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>

#include "codepage.h"
#include "console.h"
#include "palette.h"
#include "screen.h"

#define VCS_MAJOR    7
#define PIECE        64
#define UNIT_MAX     4
#define HEADER_BYTES 4
#define BYTE_MAX     255

enum vcs_kind { VCS_CHARACTERS, VCS_ATTRIBUTES, VCS_UNICODE };

static const struct {
	const char *prefix;
	unsigned minor; /* of the one without a number */
	unsigned unit_bytes;
	unsigned header_bytes;
} kinds[] = {
	[VCS_CHARACTERS] = {"vcs", 0, 1, 0},
	[VCS_ATTRIBUTES] = {"vcsa", 128, 2, HEADER_BYTES},
	[VCS_UNICODE] = {"vcsu", 64, 4, 0},
};

/* Constant after vcs_init(). */
struct vcs {
	struct console *console; /* NULL: virtual console `number` */
	unsigned number;         /* 0: the one that is shown */
	enum vcs_kind kind;
	char name[8];
};

/* Cells that one step of a call is about. */
struct window {
	unsigned row;
	unsigned column;
	unsigned count;    /* cells; 0: the header */
	size_t skip_bytes; /* of the first cell, or of the header */
	size_t len_bytes;  /* from there on */
};

/* ---- cells and bytes ---- */

static uint8_t attribute_of(const struct terminal *terminal, const struct cell *cell)
{
	uint8_t look = palette_look_16(terminal->palette, cell, false);

	return (uint8_t)(palette_pc_order(look >> 4) << 4 | palette_pc_order(look & 15));
}

static colour_t colour_of(unsigned pc, unsigned otherwise)
{
	unsigned ansi = palette_pc_order(pc);

	return ansi == otherwise ? COLOUR_DEFAULT : COLOUR_INDEXED(ansi);
}

static void to_bytes(enum vcs_kind kind, const struct terminal *terminal, const struct cell *cell,
		     uint8_t *to)
{
	uint32_t character = cell->character;

	if (kind == VCS_UNICODE) {
		memcpy(to, &character, sizeof(character));
		return;
	}
	to[0] = codepage_byte(character);
	if (kind == VCS_ATTRIBUTES)
		to[1] = attribute_of(terminal, cell);
}

/* Changes of the cell what `to` says other than `from`, the bytes that it had. */
static void from_bytes(enum vcs_kind kind, const uint8_t *from, const uint8_t *to,
		       struct cell *cell)
{
	uint32_t character;

	if (memcmp(from, to, kinds[kind].unit_bytes) == 0)
		return;
	if (kind == VCS_UNICODE) {
		memcpy(&character, to, sizeof(character));
		cell->character = character <= 0x10ffff ? character : 0xfffd;
		return;
	}
	if (from[0] != to[0])
		cell->character = codepage_character(to[0]);
	if (kind == VCS_ATTRIBUTES && from[1] != to[1]) {
		cell->attributes &= CELL_WIDE | CELL_TAIL;
		cell->foreground = colour_of(to[1] & 15, PALETTE_FOREGROUND);
		cell->background = colour_of(to[1] >> 4, PALETTE_BACKGROUND);
	}
}

static void header_bytes(const struct terminal *terminal, uint8_t to[HEADER_BYTES])
{
	to[0] = (uint8_t)MIN(terminal->rows, (unsigned)BYTE_MAX);
	to[1] = (uint8_t)MIN(terminal->columns, (unsigned)BYTE_MAX);
	to[2] = (uint8_t)MIN(terminal->place.column, (unsigned)BYTE_MAX);
	to[3] = (uint8_t)MIN(terminal->place.row, (unsigned)BYTE_MAX);
}

/* ---- windows ---- */

/* Of the terminal as it is now; false: the offset is at or behind the end. */
static bool find_window(enum vcs_kind kind, const struct terminal *terminal, uint64_t offset_bytes,
			size_t want_bytes, struct window *out)
{
	unsigned unit = kinds[kind].unit_bytes;
	unsigned header = kinds[kind].header_bytes;
	uint64_t ncells = (uint64_t)terminal->rows * terminal->columns;
	uint64_t cell;

	if (offset_bytes < header) {
		*out = (struct window){.skip_bytes = offset_bytes,
				       .len_bytes = MIN(want_bytes, header - offset_bytes)};
		return true;
	}
	offset_bytes -= header;
	cell = offset_bytes / unit;
	if (cell >= ncells)
		return false;
	out->row = (unsigned)(cell / terminal->columns);
	out->column = (unsigned)(cell % terminal->columns);
	out->count = MIN(terminal->columns - out->column, (unsigned)PIECE);
	out->skip_bytes = offset_bytes % unit;
	out->len_bytes = MIN(want_bytes, (size_t)out->count * unit - out->skip_bytes);
	out->count = (unsigned)((out->skip_bytes + out->len_bytes + unit - 1) / unit);
	return true;
}

/* What the window holds, as bytes. */
static void fill_window(enum vcs_kind kind, const struct terminal *terminal,
			const struct window *window, uint8_t *bytes)
{
	const struct cell *cells = terminal->lines[window->row] + window->column;

	if (window->count == 0)
		header_bytes(terminal, bytes);
	for (unsigned i = 0; i < window->count; i++)
		to_bytes(kind, terminal, &cells[i], bytes + i * kinds[kind].unit_bytes);
}

static void change_window(const struct vcs *vcs, struct console *console,
			  const struct window *window, const uint8_t *before, const uint8_t *after)
{
	const struct terminal *terminal = console->terminal;
	unsigned unit = kinds[vcs->kind].unit_bytes;
	struct cell cells[PIECE];

	if (window->count == 0) {
		if (before[2] != after[2] || before[3] != after[3])
			console_put_cursor(console, after[3], after[2]);
		return;
	}
	memcpy(cells, terminal->lines[window->row] + window->column,
	       window->count * sizeof(struct cell));
	for (unsigned i = 0; i < window->count; i++)
		from_bytes(vcs->kind, before + i * unit, after + i * unit, &cells[i]);
	console_put_cells(console, window->row, window->column, cells, window->count);
}

/* ---- as a device ---- */

/* NULL: the console has not been made. */
static struct console *console_of(const struct vcs *vcs)
{
	return vcs->console ? vcs->console : screen_console_get(vcs->number);
}

/* As Linux: whole code points only. */
static bool is_misaligned(const struct vcs *vcs, uint64_t offset_bytes, size_t len_bytes)
{
	return vcs->kind == VCS_UNICODE && ((offset_bytes | len_bytes) % UNIT_MAX) != 0;
}

/* The bytes of one window. 0: the end. */
static ssize_t read_piece(const struct vcs *vcs, struct console *console, uint64_t offset_bytes,
			  size_t want_bytes, uint8_t *bytes, struct window *window)
{
	const struct terminal *terminal;
	ssize_t done = 0;
	err_t err = console_lock(console);

	if (err)
		return err;
	terminal = console->terminal;
	*window = (struct window){0};
	if (find_window(vcs->kind, terminal, offset_bytes, want_bytes, window)) {
		fill_window(vcs->kind, terminal, window, bytes);
		done = (ssize_t)window->len_bytes;
	}
	console_unlock(console);
	return done;
}

static ssize_t vcs_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			unsigned flags)
{
	const struct vcs *vcs = file->argument;
	size_t wanted = buffer_remaining(buffer);
	uint8_t bytes[PIECE * UNIT_MAX];
	struct window window = {0};
	size_t done = 0;
	struct console *console = console_of(vcs);
	ssize_t got;

	(void)flags;
	if (!console)
		return -ENXIO;
	if (is_misaligned(vcs, offset_bytes, wanted))
		return -EINVAL;
	while (done < wanted) {
		got = read_piece(vcs, console, offset_bytes + done, wanted - done, bytes, &window);
		if (got < 0)
			return done ? (ssize_t)done : got;
		if (got == 0)
			break;
		if (buffer_copy_to(buffer, bytes + window.skip_bytes, (size_t)got) < (size_t)got)
			return done ? (ssize_t)done : -EFAULT;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Puts `len_bytes` of what the program wrote into one window. 0: the end. */
static ssize_t write_piece(const struct vcs *vcs, struct console *console, uint64_t offset_bytes,
			   const uint8_t *from, size_t len_bytes)
{
	uint8_t before[PIECE * UNIT_MAX];
	uint8_t after[PIECE * UNIT_MAX];
	struct window window = {0};
	ssize_t done = 0;
	err_t err = console_lock(console);

	if (err)
		return err;
	if (find_window(vcs->kind, console->terminal, offset_bytes, len_bytes, &window)) {
		fill_window(vcs->kind, console->terminal, &window, before);
		memcpy(after, before, sizeof(after));
		memcpy(after + window.skip_bytes, from, window.len_bytes);
		change_window(vcs, console, &window, before, after);
		done = (ssize_t)window.len_bytes;
	}
	console_unlock(console);
	return done;
}

/* All of what was copied in, up to the end of the cells. */
static ssize_t write_bytes(const struct vcs *vcs, struct console *console, uint64_t offset_bytes,
			   const uint8_t *from, size_t len_bytes)
{
	size_t done = 0;
	ssize_t put;

	while (done < len_bytes) {
		put = write_piece(vcs, console, offset_bytes + done, from + done, len_bytes - done);
		if (put <= 0)
			return done ? (ssize_t)done : put;
		done += (size_t)put;
	}
	return (ssize_t)done;
}

static ssize_t vcs_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			 unsigned flags)
{
	const struct vcs *vcs = file->argument;
	size_t wanted = buffer_remaining(buffer);
	uint8_t bytes[PIECE * UNIT_MAX];
	size_t done = 0;
	ssize_t put;
	struct console *console = console_of(vcs);
	size_t n;

	(void)flags;
	if (!console)
		return -ENXIO;
	if (is_misaligned(vcs, offset_bytes, wanted))
		return -EINVAL;
	while (done < wanted) {
		n = buffer_copy_from(buffer, bytes, MIN(sizeof(bytes), wanted - done));
		if (n == 0)
			return done ? (ssize_t)done : -EFAULT;
		put = write_bytes(vcs, console, offset_bytes + done, bytes, n);
		if (put < 0)
			return done ? (ssize_t)done : put;
		done += (size_t)put;
		if ((size_t)put < n)
			break;
	}
	return done || !wanted ? (ssize_t)done : -ENOSPC;
}

static const struct device_ops vcs_ops = {.read = vcs_read, .write = vcs_write};

/* ---- setting up ---- */

/* `suffix` as in the name. */
static void make(struct vcs *vcs, enum vcs_kind kind, const char *suffix, unsigned minor)
{
	err_t err;

	vcs->kind = kind;
	kernel_format(vcs->name, sizeof(vcs->name), "%s%s", kinds[kind].prefix, suffix);
	err = devfs_register(vcs->name, VCS_MAJOR, kinds[kind].minor + minor, 0660, DEVICE_SEEKABLE,
			     &vcs_ops, vcs);
	if (err)
		log_err("/dev/%s cannot be made (error %d)", vcs->name, -err);
}

void vcs_init(void)
{
	static struct vcs all[ARRAY_SIZE(kinds) * (2 + SCREEN_VCS)];
	struct console *own = screen_present() ? NULL : &serial_console;
	struct vcs *next = all;
	char suffix[4];

	for (unsigned kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		next->console = own;
		make(next++, kind, "", 0);
		next->console = &serial_console;
		make(next++, kind, "S0", 63); /* the last minor of its kind */
		for (unsigned i = 1; screen_present() && i <= SCREEN_VCS; i++) {
			next->number = i;
			kernel_format(suffix, sizeof(suffix), "%u", i);
			make(next++, kind, suffix, i);
		}
	}
}
