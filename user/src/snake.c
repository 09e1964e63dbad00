/*
 * snake: eat, grow, do not bite yourself. Drawn cell by cell (common/cells.h), played with raw
 * keys.
 *
 * A square of the board is two cells wide, which is about a square on a screen. The board is an
 * array of marks; the snake is a ring of squares, its head the newest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/cells.h"
#include "common/keys.h"
#include "common/program.h"

static const char help[] = "usage: snake [--speed N] [--turns] [--seed N]\n"
			   "Steer with the cursor keys, WASD or HJKL; p pauses, q quits.\n"
			   "  --speed N  steps a second at the start, 1 to 50 (6)\n"
			   "  --turns    one step for each key, for slow lines and slow people\n"
			   "  --seed N   where the food lies: the same N, the same game\n";

#define SPEED_DEFAULT 6
#define SPEED_MAX     50
#define MIN_WIDTH     8
#define MIN_HEIGHT    4
#define START_LENGTH  4

#define BACKGROUND CELL_BLACK
#define FRAME      CELL_COLOURS(CELL_CYAN, BACKGROUND)
#define TITLE      CELL_COLOURS(CELL_BROWN | CELL_BRIGHT, BACKGROUND)
#define TEXT       CELL_COLOURS(CELL_GREY | CELL_BRIGHT, BACKGROUND)
#define GRASS      CELL_COLOURS(CELL_GREY, BACKGROUND)
#define BODY       CELL_COLOURS(CELL_GREEN, BACKGROUND)
#define BODY_LIGHT CELL_COLOURS(CELL_GREEN | CELL_BRIGHT, BACKGROUND)
#define HEAD       CELL_COLOURS(CELL_GREY | CELL_BRIGHT, CELL_GREEN)
#define DEAD_HEAD  CELL_COLOURS(CELL_GREY | CELL_BRIGHT, CELL_RED)
#define FOOD       CELL_COLOURS(CELL_RED | CELL_BRIGHT, BACKGROUND)
#define BANNER     CELL_COLOURS(CELL_GREY | CELL_BRIGHT, CELL_RED)

struct square {
	unsigned char x, y;
};

enum direction { UP, DOWN, RIGHT, LEFT };

struct game {
	struct cells cells;
	unsigned width, height; /* of the board, in squares */
	unsigned char *taken;   /* by square: the snake is there */
	struct square *body;    /* a ring of width * height squares */
	unsigned head;          /* its place in the ring */
	unsigned length;
	unsigned growing; /* squares that the tail still waits */
	enum direction direction;
	struct square food;
	unsigned score, best;
	unsigned long random; /* xorshift's state, never 0 */
	bool dead;
};

static unsigned long random_number(struct game *game)
{
	game->random ^= game->random << 13;
	game->random ^= game->random >> 7;
	game->random ^= game->random << 17;
	return game->random;
}

/* ---- drawing ---- */

static void draw_square(struct game *game, struct square at, const char pair[2],
			unsigned char colours)
{
	unsigned x = 1 + at.x * 2u;

	cells_put(&game->cells, x, 2u + at.y, (unsigned char)pair[0], colours);
	cells_put(&game->cells, x + 1, 2u + at.y, (unsigned char)pair[1], colours);
}

static void draw_frame(struct game *game)
{
	struct cells *cells = &game->cells;
	unsigned right = 1 + game->width * 2;
	unsigned bottom = 2 + game->height;

	for (unsigned x = 1; x < right; x++) {
		cells_put(cells, x, 1, CELL_LINE, FRAME);
		cells_put(cells, x, bottom, CELL_LINE, FRAME);
	}
	for (unsigned y = 2; y < bottom; y++) {
		cells_put(cells, 0, y, CELL_BAR, FRAME);
		cells_put(cells, right, y, CELL_BAR, FRAME);
	}
	cells_put(cells, 0, 1, CELL_TOP_LEFT, FRAME);
	cells_put(cells, right, 1, CELL_TOP_RIGHT, FRAME);
	cells_put(cells, 0, bottom, CELL_LOWER_LEFT, FRAME);
	cells_put(cells, right, bottom, CELL_LOWER_RIGHT, FRAME);
}

static void draw_score(struct game *game)
{
	char text[64];

	snprintf(text, sizeof(text), "score %-5u best %-5u", game->score, game->best);
	cells_text(&game->cells, 1, 0, TITLE, "snake");
	cells_text(&game->cells, 8, 0, TEXT, text);
	cells_text(&game->cells, 32, 0, FRAME, "arrows steer, p pauses, q quits");
}

static void draw_banner(struct game *game, const char *text)
{
	unsigned middle = game->width + 1;
	unsigned length = (unsigned)strlen(text);

	cells_text(&game->cells, middle > length / 2 ? middle - length / 2 : 0,
		   2 + game->height / 2, BANNER, text);
}

static struct square part(const struct game *game, unsigned from_head)
{
	unsigned room = game->width * game->height;

	return game->body[(game->head + room - from_head) % room];
}

static void draw_board(struct game *game)
{
	static const char blocks[2] = {(char)CELL_BLOCK, (char)CELL_BLOCK};
	static const char diamonds[2] = {CELL_DIAMOND, CELL_DIAMOND};

	for (unsigned y = 0; y < game->height; y++) {
		for (unsigned x = 0; x < game->width; x++)
			draw_square(game, (struct square){(unsigned char)x, (unsigned char)y}, "  ",
				    GRASS);
	}
	draw_square(game, game->food, diamonds, FOOD);
	for (unsigned i = game->length - 1; i > 0; i--)
		draw_square(game, part(game, i), blocks, i % 2 ? BODY_LIGHT : BODY);
	draw_square(game, part(game, 0), game->dead ? "xx" : "oo", game->dead ? DEAD_HEAD : HEAD);
}

static void draw(struct game *game, const char *banner)
{
	cells_clear(&game->cells, GRASS);
	draw_frame(game);
	draw_score(game);
	draw_board(game);
	if (banner)
		draw_banner(game, banner);
	cells_show(&game->cells);
}

/* ---- the rules ---- */

static unsigned char *mark(struct game *game, struct square at)
{
	return &game->taken[at.y * game->width + at.x];
}

static void place_food(struct game *game)
{
	unsigned room = game->width * game->height;
	unsigned skip;

	if (game->length >= room)
		return; /* the board is full: the next step ends it */
	skip = (unsigned)(random_number(game) % (room - game->length));
	for (unsigned i = 0; i < room; i++) {
		if (game->taken[i] || skip-- > 0)
			continue;
		game->food = (struct square){(unsigned char)(i % game->width),
					     (unsigned char)(i / game->width)};
		return;
	}
}

static void start_game(struct game *game)
{
	struct square middle = {(unsigned char)(game->width / 2),
				(unsigned char)(game->height / 2)};

	memset(game->taken, 0, (size_t)game->width * game->height);
	game->head = 0;
	game->body[0] = middle;
	game->length = 1;
	game->growing = START_LENGTH - 1;
	game->direction = RIGHT;
	game->score = 0;
	game->dead = false;
	*mark(game, middle) = 1;
	place_food(game);
}

/* The square in front of the head; false: there is the frame. */
static bool next_square(const struct game *game, struct square *out)
{
	static const signed char moves[][2] = {
		[UP] = {0, -1}, [DOWN] = {0, 1}, [RIGHT] = {1, 0}, [LEFT] = {-1, 0}};
	struct square head = part(game, 0);
	int x = head.x + moves[game->direction][0];
	int y = head.y + moves[game->direction][1];

	*out = (struct square){(unsigned char)x, (unsigned char)y};
	return x >= 0 && y >= 0 && x < (int)game->width && y < (int)game->height;
}

static void drop_tail(struct game *game)
{
	if (game->growing > 0) {
		game->growing--;
		return;
	}
	*mark(game, part(game, game->length - 1)) = 0;
	game->length--;
}

static void step(struct game *game)
{
	struct square to;

	if (!next_square(game, &to)) {
		game->dead = true;
		return;
	}
	drop_tail(game); /* first: the head may follow right behind it */
	if (*mark(game, to)) {
		game->dead = true;
		return;
	}
	game->head = (game->head + 1) % (game->width * game->height);
	game->body[game->head] = to;
	game->length++;
	*mark(game, to) = 1;
	if (memcmp(&to, &game->food, sizeof(to)) == 0) {
		game->score++;
		game->growing++;
		place_food(game);
	}
	if (game->score > game->best)
		game->best = game->score;
}

static void steer(struct game *game, enum direction direction)
{
	struct square to;
	enum direction before = game->direction;

	/* Turning back would bite the neck. */
	game->direction = direction;
	if (game->length > 1 && next_square(game, &to)) {
		struct square neck = part(game, 1);

		if (memcmp(&to, &neck, sizeof(to)) == 0)
			game->direction = before;
	}
}

/* ---- playing ---- */

static bool direction_of(int code, enum direction *out)
{
	static const struct {
		int codes[4];
		enum direction direction;
	} keys[] = {
		{{KEY_UP, 'w', 'k', 'W'}, UP},
		{{KEY_DOWN, 's', 'j', 'S'}, DOWN},
		{{KEY_RIGHT, 'd', 'l', 'D'}, RIGHT},
		{{KEY_LEFT, 'a', 'h', 'A'}, LEFT},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		for (size_t j = 0; j < 4; j++) {
			if (keys[i].codes[j] == code) {
				*out = keys[i].direction;
				return true;
			}
		}
	}
	return false;
}

static bool is_quit(const struct key *key)
{
	return key->code == 'q' || key->code == 'Q' || key->code == 3 ||
	       key->code == KEY_END_OF_INPUT;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for a key that says to go on. False: to quit. */
static bool wait_for_any(struct keys *keys)
{
	struct key key = keys_read(keys, -1);

	return !is_quit(&key);
}

/* Keys until the next step is due; by --turns until one came. False: to quit. */
static bool take_keys(struct game *game, struct keys *keys, int step_ms)
{
	long due_ms = now_ms() + step_ms;
	enum direction direction;
	bool steered = false;

	for (;;) {
		long left_ms = due_ms - now_ms();
		struct key key;

		if (step_ms >= 0 && left_ms <= 0)
			return true;
		key = keys_read(keys, step_ms < 0 ? -1 : (int)left_ms);
		if (is_quit(&key))
			return false;
		if (key.code == 'p') {
			draw(game, " paused: any key goes on ");
			if (!wait_for_any(keys))
				return false;
			draw(game, NULL);
			due_ms = now_ms() + step_ms;
		} else if (key.code != KEY_NONE && !steered) {
			/* One turn a step: two quick ones would turn the snake into its neck. */
			steered = direction_of(key.code, &direction);
			if (steered)
				steer(game, direction);
			if (step_ms < 0)
				return true;
		}
	}
}

/* Faster with each tenth piece of food; -1: by turns. */
static int step_ms(const struct game *game, unsigned speed, bool turns)
{
	unsigned steps = speed + game->score / 5;

	return turns ? -1 : 1000 / (int)(steps < SPEED_MAX ? steps : SPEED_MAX);
}

/* Until death. False: to quit. */
static bool play(struct game *game, struct keys *keys, unsigned speed, bool turns)
{
	char banner[64];

	start_game(game);
	while (!game->dead) {
		draw(game, NULL);
		if (!take_keys(game, keys, step_ms(game, speed, turns)))
			return false;
		step(game);
	}
	snprintf(banner, sizeof(banner), " game over, score %u: any key for another, q quits ",
		 game->score);
	draw(game, banner);
	return wait_for_any(keys);
}

static bool make_board(struct game *game)
{
	const struct cells *cells = &game->cells;

	if (cells->columns < 2 + 2 * MIN_WIDTH || cells->rows < 3 + MIN_HEIGHT)
		return false;
	game->width = (cells->columns - 2) / 2;
	game->height = cells->rows - 3;
	game->width = game->width < 255 ? game->width : 255;
	game->height = game->height < 255 ? game->height : 255;
	game->taken = calloc(game->width, game->height);
	game->body = calloc((size_t)game->width * game->height, sizeof(*game->body));
	return game->taken && game->body;
}

int main(int argc, char **argv)
{
	unsigned speed = SPEED_DEFAULT;
	struct game game = {0};
	struct keys keys;
	bool turns = false;
	bool fits;

	program_start("snake", help, argc, argv);
	if (getrandom(&game.random, sizeof(game.random), 0) < 0)
		game.random = (unsigned long)now_ms();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--turns") == 0)
			turns = true;
		else if (strcmp(argv[i], "--speed") == 0 && i + 1 < argc)
			speed = (unsigned)parse_number(argv[++i], "a speed", SPEED_MAX);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			game.random = parse_number(argv[++i], "a seed", 1000000000);
		else
			usage_error("what is '%s'?", argv[i]);
	}
	game.random = (game.random + 1) * 0x9e3779b97f4a7c15; /* small seeds differ in all bits */
	speed = speed ? speed : 1;
	game.random = game.random ? game.random : 1;

	if (!cells_open(&game.cells)) {
		complain_errno("standard input is no terminal to play on");
		return program_end(1);
	}
	fits = make_board(&game);
	keys_start(&keys, 0);
	while (fits && play(&game, &keys, speed, turns))
		;
	keys_end(&keys);
	cells_close(&game.cells);
	free(game.taken);
	free(game.body);
	if (!fits)
		complain("the terminal is too small for a snake");
	else
		printf("snake: best score %u\n", game.best);
	return program_end(fits ? 0 : 1);
}
