/*
 * The model, random numbers, and how a failure is told.
 */
#include "exerciser.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NLAST 24

struct file files[NFILES];
struct file *names[NNAMES];
struct opened opened[NOPEN];
struct mapping mappings[NMAPS];

extern unsigned long long seed;
static uint64_t state;
static bool is_seeded;
static char last[NLAST][160];
static unsigned long nsteps;

const char *name_of(unsigned number)
{
	static const char texts[NNAMES + 1][3] = {"f0", "f1", "f2", "f3", "f4",
						  "f5", "f6", "f7", "?"};

	return texts[number];
}

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators". */
uint32_t draw(void)
{
	if (!is_seeded) {
		state = seed * 2654435761U + 88172645463325252U;
		is_seeded = true;
	}
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 2685821657736338717U) >> 32);
}

unsigned draw_below(unsigned limit)
{
	return draw() % limit;
}

unsigned draw_offset(unsigned limit)
{
	unsigned offset = draw_below(limit);

	if (draw_below(3) == 0) { /* about an edge */
		offset -= offset % PAGE;
		if (offset && draw_below(2))
			offset -= draw_below(3);
	}
	return offset;
}

unsigned draw_length(unsigned offset)
{
	unsigned most = draw_below(8) ? 3 * PAGE : 64 * 1024, left = SIZE_MAX_ - offset;
	unsigned len = draw_below(4) ? 1 + draw_below(most) : PAGE * (1 + draw_below(most / PAGE));

	return len < left ? len : left;
}

void draw_bytes(unsigned char *to, size_t len)
{
	uint64_t word = (uint64_t)draw() << 32 | draw();

	for (size_t at = 0; at < len; at += sizeof(word)) {
		memcpy(to + at, &word, len - at < sizeof(word) ? len - at : sizeof(word));
		word = word * 6364136223846793005U + 1442695040888963407U;
	}
}

unsigned draw_name(bool used)
{
	unsigned begin = draw_below(NNAMES);

	for (unsigned i = 0; i < NNAMES; i++) {
		if (!names[(begin + i) % NNAMES] == !used)
			return (begin + i) % NNAMES;
	}
	return NNAMES;
}

struct opened *draw_opened(int rights)
{
	unsigned begin = draw_below(NOPEN);

	for (unsigned i = 0; i < NOPEN; i++) {
		struct opened *each = &opened[(begin + i) % NOPEN];
		int mode = each->flags & O_ACCMODE;

		if (each->fd >= 0 && (mode == O_RDWR || mode == rights))
			return each;
	}
	return NULL;
}

static bool is_free(const struct file *file)
{
	return !file->nnames && !file->nopen && !file->nmaps;
}

struct file *file_alloc(void)
{
	for (unsigned i = 0; i < NFILES; i++) {
		if (is_free(&files[i]))
			return &files[i];
	}
	return NULL;
}

void file_put(struct file *file)
{
	if (is_free(file))
		file_resize(file, 0);
}

void file_write(struct file *file, unsigned offset, const void *bytes, unsigned len)
{
	memcpy(file->bytes + offset, bytes, len);
	if (offset + len > file->size)
		file->size = offset + len;
}

void file_resize(struct file *file, unsigned size)
{
	if (size < file->size)
		memset(file->bytes + size, 0, file->size - size);
	file->size = size;
}

unsigned file_name(const struct file *file)
{
	for (unsigned i = 0; i < NNAMES; i++) {
		if (names[i] == file)
			return i;
	}
	return NNAMES;
}

void step(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(last[nsteps++ % NLAST], sizeof(last[0]), format, arguments);
	va_end(arguments);
}

void wrong(const char *format, ...)
{
	unsigned long first = nsteps > NLAST ? nsteps - NLAST : 0;
	va_list arguments;

	printf("not ok: seed %llu, step %lu: ", seed, nsteps);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\nthe last steps:\n");
	for (unsigned long i = first; i < nsteps; i++)
		printf("%8lu %s\n", i + 1, last[i % NLAST]);
	fflush(stdout);
	exit(1);
}

void expect(long result, long expected, const char *call)
{
	if (result == -1)
		wrong("%s: %s", call, strerror(errno));
	if (result != expected)
		wrong("%s is %ld, not %ld", call, result, expected);
}

void expect_bytes(const struct file *file, unsigned offset, const void *bytes, unsigned len,
		  const char *how)
{
	const unsigned char *found = bytes;
	unsigned at = 0, nwrong = 0;

	if (memcmp(file->bytes + offset, bytes, len) == 0)
		return;
	while (found[at] == file->bytes[offset + at])
		at++;
	for (unsigned i = at; i < len; i++)
		nwrong += found[i] != file->bytes[offset + i];
	wrong("%s, %s: of %u bytes from %u on %u are wrong, the first at %u: %02x, not %02x; its "
	      "size is "
	      "%u",
	      name_of(file_name(file)), how, len, offset, nwrong, offset + at, found[at],
	      file->bytes[offset + at], file->size);
}
