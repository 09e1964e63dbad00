/*
 * malloc over brk and mmap, and brk itself.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

/* A pattern that depends on the block, so that blocks which overlap are found out. */
static void fill(unsigned char *block, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		block[i] = (unsigned char)(seed + i * 7);
}

static bool is_filled(const unsigned char *block, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		if (block[i] != (unsigned char)(seed + i * 7))
			return false;
	return true;
}

static void many_blocks_do_not_overlap(void)
{
	enum { BLOCKS = 2000 };
	static unsigned char *blocks[BLOCKS];

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < BLOCKS; i++) {
			size_t len = 1 + (i * 37 + round * 101) % 3000;

			blocks[i] = malloc(len);
			EXPECT(blocks[i] != NULL);
			EXPECT_EQUAL((uintptr_t)blocks[i] % 16, 0);
			fill(blocks[i], len, i);
		}
		for (unsigned i = 0; i < BLOCKS; i++) {
			EXPECT(is_filled(blocks[i], 1 + (i * 37 + round * 101) % 3000, i));
			free(blocks[i]);
		}
	}
}

static void large_blocks_come_and_go(void)
{
	for (int i = 0; i < 20; i++) {
		size_t len = 4 << 20;
		unsigned char *block = malloc(len);

		EXPECT(block != NULL);
		fill(block, len, (unsigned)i);
		EXPECT(is_filled(block, len, (unsigned)i));
		free(block);
	}
}

static void large_blocks_are_zero_from_calloc(void)
{
	for (int i = 0; i < 3; i++) {
		size_t len = 1 << 20;
		unsigned char *block = calloc(1, len);

		EXPECT(block != NULL);
		for (size_t at = 0; at < len; at++)
			EXPECT_EQUAL(block[at], 0);
		memset(block, 0xff, len);
		free(block);
	}
}

static void realloc_keeps_what_was_there(void)
{
	size_t len = 10;
	unsigned char *block = malloc(len);

	EXPECT(block != NULL);
	fill(block, len, 3);
	while (len < 3 << 20) {
		unsigned char *longer = realloc(block, len * 3);

		EXPECT(longer != NULL);
		EXPECT(is_filled(longer, len, 3));
		block = longer;
		len *= 3;
		fill(block, len, 3);
	}
	block = realloc(block, 100);
	EXPECT(block && is_filled(block, 100, 3));
	free(block);
}

static void alignment_is_what_was_asked_for(void)
{
	for (size_t align = 16; align <= 65536; align *= 2) {
		void *block = aligned_alloc(align, align * 2);

		EXPECT(block != NULL);
		EXPECT_EQUAL((uintptr_t)block % align, 0);
		free(block);
	}
}

static void too_much_is_refused(void)
{
	volatile size_t too_much = SIZE_MAX / 4;

	void *block = malloc(too_much);

	EXPECT(block == NULL);
	EXPECT_EQUAL(errno, ENOMEM);
}

/* musl's sbrk() refuses to move anything: the call itself is meant. Nothing allocates meanwhile. */
static void brk_grows_and_shrinks(void)
{
	uintptr_t start = (uintptr_t)syscall(SYS_brk, 0L);
	uintptr_t end = start + (1 << 20);
	volatile unsigned char *memory = (volatile unsigned char *)start;
	bool grown, zero, shrunk, zero_again;

	EXPECT(start != 0);
	grown = (uintptr_t)syscall(SYS_brk, end) == end;
	zero = memory[4096] == 0 && memory[(1 << 20) - 1] == 0;
	memory[4096] = 1;
	memory[(1 << 20) - 1] = 2;
	shrunk = (uintptr_t)syscall(SYS_brk, start) == start;
	grown = grown && (uintptr_t)syscall(SYS_brk, end) == end;
	/* Whole pages only: the first one may be shared with what was there before. */
	zero_again = memory[8192] == 0 && memory[(1 << 20) - 1] == 0;
	syscall(SYS_brk, start);
	EXPECT(grown && zero && shrunk && zero_again);
}

static void brk_that_cannot_be_changes_nothing(void)
{
	uintptr_t now = (uintptr_t)syscall(SYS_brk, 0L);

	EXPECT_EQUAL(syscall(SYS_brk, 1L), now);
	EXPECT_EQUAL(syscall(SYS_brk, 0x7ffffffff000L), now);
}

int main(void)
{
	RUN(many_blocks_do_not_overlap);
	RUN(large_blocks_come_and_go);
	RUN(large_blocks_are_zero_from_calloc);
	RUN(realloc_keeps_what_was_there);
	RUN(alignment_is_what_was_asked_for);
	RUN(too_much_is_refused);
	RUN(brk_grows_and_shrinks);
	RUN(brk_that_cannot_be_changes_nothing);
	return check_end();
}
