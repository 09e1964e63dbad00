/*
 * plasma: waves of colour, in pixels where there is a framebuffer, else two to a character in the
 * terminal. Whole numbers only, and at most PIXELS_MAX points a picture: slow machines play along.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/framebuffer.h"
#include "common/keys.h"
#include "common/program.h"
#include "common/screen.h"

static const char help[] =
	"usage: plasma [--terminal] [--frames N]\n"
	"Waves of colour on the screen's pixels (/dev/fb0), or in the terminal.\n"
	"Any key ends it.\n"
	"  --terminal  in the terminal though there are pixels\n"
	"  --frames N  ends after N pictures\n";

#define PIXELS_MAX (320 * 200)
#define FRAMES_MAX 1000000000
#define FRAME_MS   40
#define TABLE      256 /* steps of a circle, and colours */

/* Where a picture goes. */
struct canvas {
	bool has_pixels;
	struct framebuffer framebuffer;
	unsigned scale;         /* pixels to a point's side */
	unsigned width, height; /* in points */
	unsigned char *points;  /* colours, row by row */
	uint32_t *line;         /* a row of pixels */
	uint32_t pixels[TABLE];
};

static signed char sine[TABLE]; /* -127 to 127 */
static unsigned char palette[TABLE][3];

/* A quarter circle by steps of a rotation, so no library of sines is needed. */
static void make_tables(void)
{
	/* cos and sin of 2 pi / 256, times 2^30 */
	const long long turn_cos = 1073418433, turn_sin = 26350943;
	long long x = 1LL << 30, y = 0;

	for (int i = 0; i < TABLE; i++) {
		long long next_x = (x * turn_cos - y * turn_sin) >> 30;

		sine[i] = (signed char)(y * 127 >> 30);
		y = (x * turn_sin + y * turn_cos) >> 30;
		x = next_x;
	}
	for (int i = 0; i < TABLE; i++) {
		palette[i][0] = (unsigned char)(128 + sine[i]);
		palette[i][1] = (unsigned char)(128 + sine[(i + 85) % TABLE] / 2);
		palette[i][2] = (unsigned char)(128 + sine[(i + 170) % TABLE]);
	}
}

static int wave(unsigned angle)
{
	return sine[angle % TABLE];
}

/* Four waves: along x, along y, across, and around a point that wanders. */
static void compute(struct canvas *canvas, unsigned time)
{
	unsigned char *point = canvas->points;
	int centre_x = (int)canvas->width / 2 * (256 + wave(time)) / 256;
	int centre_y = (int)canvas->height / 2 * (256 + wave(time * 2 + 64)) / 256;
	unsigned fine = 1 + 320 / (canvas->width + 1); /* so that a small picture has waves, too */

	for (int y = 0; y < (int)canvas->height; y++) {
		int row = wave((unsigned)y * 2 * fine + time * 3);
		long dy = (long)(y - centre_y) * (y - centre_y);

		for (int x = 0; x < (int)canvas->width; x++) {
			long dx = (long)(x - centre_x) * (x - centre_x);
			int sum = row + wave((unsigned)x * fine + time * 2) +
				  wave((unsigned)(x + y) * fine + time) +
				  wave((unsigned)((dx + dy) * fine * fine >> 6) - time * 4);

			*point++ = (unsigned char)(sum / 3 + (int)time * 2);
		}
	}
}

/* ---- showing ---- */

static void show_pixels(struct canvas *canvas)
{
	const unsigned char *points = canvas->points;
	unsigned scale = canvas->scale;

	for (unsigned y = 0; y < canvas->height; y++, points += canvas->width) {
		for (unsigned x = 0; x < canvas->width * scale; x++)
			canvas->line[x] = canvas->pixels[points[x / scale]];
		for (unsigned i = 0; i < scale; i++)
			framebuffer_put(&canvas->framebuffer, 0, y * scale + i, canvas->line,
					canvas->width * scale);
	}
}

static void show_terminal(const struct canvas *canvas)
{
	fputs("\033[H", stdout);
	for (unsigned y = 0; y + 1 < canvas->height; y += 2) {
		const unsigned char *upper = canvas->points + y * canvas->width;
		int before = -1;

		if (y > 0)
			fputs("\r\n", stdout);
		for (unsigned x = 0; x < canvas->width; x++) {
			const unsigned char *a = palette[upper[x]];
			const unsigned char *b = palette[upper[x + canvas->width]];
			int both = upper[x] << 8 | upper[x + canvas->width];

			if (both != before)
				printf("\033[38;2;%u;%u;%u;48;2;%u;%u;%um", a[0], a[1], a[2], b[0],
				       b[1], b[2]);
			before = both;
			fputs("\u2580", stdout);
		}
	}
	fputs("\033[0m", stdout);
	fflush(stdout);
}

/* ---- the canvas ---- */

static void use_pixels(struct canvas *canvas)
{
	const struct framebuffer *framebuffer = &canvas->framebuffer;

	canvas->has_pixels = true;
	for (canvas->scale = 1;
	     framebuffer->width / canvas->scale * (framebuffer->height / canvas->scale) >
	     PIXELS_MAX;
	     canvas->scale++)
		;
	canvas->width = framebuffer->width / canvas->scale;
	canvas->height = framebuffer->height / canvas->scale;
	for (unsigned i = 0; i < TABLE; i++)
		canvas->pixels[i] =
			framebuffer_pixel(framebuffer, palette[i][0], palette[i][1], palette[i][2]);
}

static void use_terminal(struct canvas *canvas)
{
	struct screen screen = screen_get();

	canvas->scale = 1;
	canvas->width = screen.columns;
	canvas->height = screen.rows * 2;
	fputs("\033[?1049h\033[?25l", stdout);
}

static void canvas_close(struct canvas *canvas)
{
	if (canvas->has_pixels)
		framebuffer_close(&canvas->framebuffer);
	else
		fputs("\033[?25h\033[?1049l", stdout);
	free(canvas->points);
	free(canvas->line);
}

static bool canvas_open(struct canvas *canvas, bool terminal)
{
	*canvas = (struct canvas){0};
	if (!terminal && framebuffer_open(&canvas->framebuffer))
		use_pixels(canvas);
	else
		use_terminal(canvas);
	canvas->points = malloc((size_t)canvas->width * canvas->height);
	canvas->line = malloc((size_t)canvas->width * canvas->scale * sizeof(*canvas->line));
	if (canvas->points && canvas->line)
		return true;
	canvas_close(canvas);
	errno = ENOMEM;
	return false;
}

/* ---- running ---- */

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for the picture's time to be over. True: a key came, or there is nobody to press one. */
static bool is_over(struct keys *keys, long due_ms)
{
	long left_ms = due_ms - now_ms();
	struct key key;

	if (!keys->is_terminal) {
		struct timespec pause = {.tv_nsec = (left_ms > 0 ? left_ms : 0) * 1000000};

		nanosleep(&pause, NULL);
		return false;
	}
	key = keys_read(keys, left_ms > 0 ? (int)left_ms : 0);
	return key.code != KEY_NONE;
}

int main(int argc, char **argv)
{
	unsigned long frames = FRAMES_MAX;
	bool terminal = false;
	struct canvas canvas;
	struct keys keys;

	program_start("plasma", help, argc, argv);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--terminal") == 0)
			terminal = true;
		else if (strcmp(argv[i], "--frames") == 0 && i + 1 < argc)
			frames = parse_number(argv[++i], "a number of pictures", FRAMES_MAX);
		else
			usage_error("what is '%s'?", argv[i]);
	}
	make_tables();
	if (!canvas_open(&canvas, terminal)) {
		complain_errno("cannot draw");
		return program_end(1);
	}
	keys_start(&keys, STDIN_FILENO);
	for (unsigned time = 0; time < frames; time++) {
		long due_ms = now_ms() + FRAME_MS;

		compute(&canvas, time);
		if (canvas.has_pixels)
			show_pixels(&canvas);
		else
			show_terminal(&canvas);
		if (ferror(stdout) || is_over(&keys, due_ms))
			break;
	}
	keys_end(&keys);
	canvas_close(&canvas);
	return program_end(0);
}
