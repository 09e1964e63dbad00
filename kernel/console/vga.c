/*
 * The VGA's text mode: 80 columns, a character of code page 437 and two of 16 colours a cell (IBM
 * VGA/XGA Technical Reference; registers as in FreeVGA). Owns its registers and the window at
 * 0xb8000, which is written and never read after the probe.
 *
 * There may be none: a machine without one answers reads with ones, and one whose firmware left a
 * graphics mode is not touched.
 */
#include "codepage.h"
#include "palette.h"
#include "screen_priv.h"

#include <arch/boot.h>
#include <arch/port.h>
#include <lib/string.h>
#include <mm/kva.h>

#define WINDOW       0xb8000
#define WINDOW_BYTES 0x8000
#define ROWS         25
#define COLUMNS      80

#define CRTC_INDEX      0x3d4
#define CRTC_DATA       0x3d5
#define GRAPHICS_INDEX  0x3ce
#define GRAPHICS_DATA   0x3cf
#define ATTRIBUTE_WRITE 0x3c0
#define ATTRIBUTE_READ  0x3c1
#define INPUT_STATUS    0x3da /* a read makes ATTRIBUTE_WRITE expect an index */
#define DAC_WRITE_INDEX 0x3c8
#define DAC_DATA        0x3c9

#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_END   0x0b
#define CRTC_START_HIGH   0x0c
#define CRTC_START_LOW    0x0d
#define CRTC_CURSOR_HIGH  0x0e
#define CRTC_CURSOR_LOW   0x0f
#define CURSOR_OFF        0x20
#define CURSOR_LINES      16

#define GRAPHICS_MISCELLANEOUS 0x06
#define MISCELLANEOUS_PIXELS   0x01 /* graphics, not text */
#define MISCELLANEOUS_WINDOW   0x0c
#define WINDOW_AT_B8000        0x0c

#define ATTRIBUTE_MODE   0x10
#define MODE_BLINK       0x08
#define ATTRIBUTE_ENABLE 0x20 /* with the index: the palette is shown */

static volatile uint16_t *window; /* constant after vga_find() */

/* ---- registers ---- */

static uint8_t crtc_read(uint8_t index)
{
	port_out8(CRTC_INDEX, index);
	return port_in8(CRTC_DATA);
}

static void crtc_write(uint8_t index, uint8_t value)
{
	port_out8(CRTC_INDEX, index);
	port_out8(CRTC_DATA, value);
}

static bool text_mode_is_on(void)
{
	uint8_t value;

	port_out8(GRAPHICS_INDEX, GRAPHICS_MISCELLANEOUS);
	value = port_in8(GRAPHICS_DATA);
	return !(value & MISCELLANEOUS_PIXELS) && (value & MISCELLANEOUS_WINDOW) == WINDOW_AT_B8000;
}

/* A register that keeps what is written. */
static bool cursor_register_works(void)
{
	uint8_t before = crtc_read(CRTC_CURSOR_LOW);
	bool works;

	crtc_write(CRTC_CURSOR_LOW, before ^ 0x55);
	works = crtc_read(CRTC_CURSOR_LOW) == (before ^ 0x55);
	crtc_write(CRTC_CURSOR_LOW, before);
	return works;
}

static bool memory_works(void)
{
	uint16_t before = window[0];
	bool works;

	window[0] = before ^ 0x5555;
	works = window[0] == (before ^ 0x5555);
	window[0] = before;
	return works;
}

/* With blinking off the eighth attribute bit makes a bright background. */
static void blinking_off(void)
{
	uint8_t mode;

	port_in8(INPUT_STATUS);
	port_out8(ATTRIBUTE_WRITE, ATTRIBUTE_MODE | ATTRIBUTE_ENABLE);
	mode = port_in8(ATTRIBUTE_READ);
	port_out8(ATTRIBUTE_WRITE, mode & ~MODE_BLINK);
}

/* ---- as a display ---- */

static void draw(struct display *display, unsigned row, unsigned column, const struct cell *cells,
		 unsigned count)
{
	const struct display_colours *colours = &display->colours;
	volatile uint16_t *to = window + row * COLUMNS + column;

	for (unsigned i = 0; i < count; i++) {
		uint8_t look = palette_look_16(colours->palette, &cells[i], colours->reverse);
		unsigned attribute = palette_pc_order(look >> 4) << 4 | palette_pc_order(look & 15);

		to[i] = (uint16_t)(attribute << 8 | codepage_byte(cells[i].character));
	}
}

static void cursor(struct display *display, const struct display_cursor *cursor)
{
	uint16_t place = (uint16_t)(cursor->row * COLUMNS + cursor->column);
	uint8_t start = cursor->style == CURSOR_UNDERLINE ? CURSOR_LINES - 2 : 0;

	(void)display;
	crtc_write(CRTC_CURSOR_START, cursor->shown ? start : CURSOR_OFF);
	if (!cursor->shown)
		return;
	crtc_write(CRTC_CURSOR_END, CURSOR_LINES - 1);
	crtc_write(CRTC_CURSOR_HIGH, (uint8_t)(place >> 8));
	crtc_write(CRTC_CURSOR_LOW, (uint8_t)place);
}

/* The 16 colours of the text mode are these entries of the 256 in the DAC (the BIOS's default
 * palette registers), six bits a colour. */
static void load_palette(struct display *display)
{
	static const uint8_t entries[] = {0, 1, 2, 3, 4, 5, 20, 7, 56, 57, 58, 59, 60, 61, 62, 63};

	for (unsigned ansi = 0; ansi < 16; ansi++) {
		uint32_t rgb = display->colours.palette[ansi];

		port_out8(DAC_WRITE_INDEX, entries[palette_pc_order(ansi)]);
		port_out8(DAC_DATA, (uint8_t)(rgb >> 18 & 0x3f));
		port_out8(DAC_DATA, (uint8_t)(rgb >> 10 & 0x3f));
		port_out8(DAC_DATA, (uint8_t)(rgb >> 2 & 0x3f));
	}
}

static const struct display_ops vga_ops = {
	.draw = draw,
	.cursor = cursor,
	.palette = load_palette,
};

static struct display vga = {
	.ops = &vga_ops,
	.name = "VGA text",
	.rows = ROWS,
	.columns = COLUMNS,
};

struct display *vga_find(void)
{
	if (!text_mode_is_on() || !cursor_register_works())
		return NULL;
	window = kva_map_device(WINDOW, WINDOW_BYTES);
	if (!window || !memory_works())
		return NULL;
	/* What is shown begins at the window's start, wherever the firmware scrolled to. */
	crtc_write(CRTC_START_HIGH, 0);
	crtc_write(CRTC_START_LOW, 0);
	blinking_off();
	return &vga;
}
