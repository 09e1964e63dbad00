/* sources: mm/slab_frames.c mm/slab_debug.c mm/buddy.c */
/*
 * Slabs over a buddy allocator of their own, and what debug builds find out about their users:
 * every kind of misuse ends in a panic that names it.
 */
#include "buddy.h"
#include "slab_priv.h"

#include <lib/panic.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define FRAMES  2048
#define OBJECTS 3000

static struct buddy buddy;
static jmp_buf panicked;
static bool panic_expected;
static char panic_text[256];

void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(panic_text, sizeof(panic_text), format, arguments);
	va_end(arguments);
	if (!panic_expected) {
		puts(panic_text);
		abort();
	}
	panic_expected = false;
	longjmp(panicked, 1);
}

struct frame *frame_alloc(unsigned order, unsigned flags)
{
	struct frame *frame = buddy_alloc(&buddy, order);

	if (frame)
		frame->state = FRAME_USED;
	return frame;
}

void frame_free(struct frame *frame, unsigned order)
{
	assert_int_equal(frame->state, FRAME_USED);
	assert_int_equal(frame->order, order);
	buddy_free(&buddy, frame, order);
}

static void map_fixed(uint64_t address, size_t len_bytes)
{
	void *memory = mmap((void *)address, len_bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	assert_ptr_equal(memory, (void *)address);
}

static int make_memory(void **state)
{
	(void)state;
	map_fixed(DIRECT_MAP_BASE, FRAMES * PAGE_SIZE);
	map_fixed(FRAME_TABLE_BASE, FRAMES * sizeof(struct frame));
	buddy_init(&buddy, FRAME_TABLE);
	buddy_add(&buddy, 1, FRAMES);
	return 0;
}

static struct slab_cache make_cache(uint32_t object_bytes, uint32_t align_bytes)
{
	return (struct slab_cache){
		.name = "test", .object_bytes = object_bytes, .align_bytes = align_bytes};
}

static void *take(struct slab_cache *cache)
{
	void *block = slab_take_locked(cache);

	if (block)
		slab_check_alloc(cache, block);
	return block;
}

static void give(struct slab_cache *cache, void *block)
{
	slab_check_free(cache, block);
	slab_give_locked(cache, block);
}

static void random_life(uint32_t object_bytes, uint32_t align_bytes)
{
	static uint8_t *objects[OBJECTS];
	struct slab_cache cache = make_cache(object_bytes, align_bytes);
	uint64_t free_before = buddy.nfree;
	uint64_t live = 0;

	slab_cache_layout(&cache);
	for (unsigned step = 0; step < 30000; step++) {
		unsigned i = (unsigned)rand() % OBJECTS;

		if (objects[i]) {
			for (uint32_t k = 0; k < object_bytes; k++)
				assert_int_equal(objects[i][k], (uint8_t)i);
			give(&cache, objects[i]);
			objects[i] = NULL;
			live--;
		} else if ((objects[i] = take(&cache))) {
			assert_true(IS_ALIGNED((uintptr_t)objects[i], align_bytes));
			memset(objects[i], (int)i, object_bytes);
			live++;
		}
		assert_int_equal(cache.nout, live);
	}
	for (unsigned i = 0; i < OBJECTS; i++) {
		if (objects[i])
			give(&cache, objects[i]);
		objects[i] = NULL;
	}
	assert_int_equal(cache.nout, 0);
	assert_true(list_empty(&cache.partial));
	assert_true(cache.nslabs <= EMPTY_SLABS_MAX);
	assert_int_equal(free_before - buddy.nfree, cache.nslabs << cache.slab_order);
	while (cache.nempty) {
		struct frame *slab = list_first_entry(&cache.empty, struct frame, link);

		list_del(&slab->link);
		slab->state = FRAME_USED;
		frame_free(slab, cache.slab_order);
		cache.nempty--;
	}
}

static void objects_of_any_size_live_apart(void **state)
{
	(void)state;
	srand(17);
	random_life(1, 1);
	random_life(8, 8);
	random_life(24, 8);
	random_life(100, 4);
	random_life(192, 64);
	random_life(1000, 8);
	random_life(4096, 16);
}

static void no_memory_is_an_answer(void **state)
{
	struct slab_cache cache = make_cache(4096, 16);
	struct list taken = LIST_INIT(taken);
	uint64_t count = 0;
	void *block;

	(void)state;
	slab_cache_layout(&cache);
	while ((block = take(&cache))) {
		list_add_tail(&taken, (struct list *)block);
		count++;
	}
	assert_true(count > FRAMES / 2);
	while (!list_empty(&taken)) {
		struct list *link = taken.next;

		list_del(link);
		give(&cache, link);
	}
	assert_int_equal(cache.nout, 0);
	assert_non_null(take(&cache));
}

/* ---- what is found out ---- */

#define assert_panics(word, statement)                                                             \
	do {                                                                                       \
		panic_expected = true;                                                             \
		if (setjmp(panicked) == 0) {                                                       \
			statement;                                                                 \
			fail_msg("no panic");                                                      \
		}                                                                                  \
		assert_non_null(strstr(panic_text, word));                                         \
	} while (0)

static struct slab_cache checked;

static uint8_t *checked_object(uint32_t bytes)
{
	checked = make_cache(bytes, 1);
	slab_cache_layout(&checked);
	return take(&checked);
}

static void a_double_free_is_found(void **state)
{
	uint8_t *object = checked_object(40);

	(void)state;
	slab_check_free(&checked, object); /* into a magazine, say */
	assert_panics("freed twice", slab_check_free(&checked, object));
}

static void one_byte_behind_the_object_is_found(void **state)
{
	uint8_t *object = checked_object(41);

	(void)state;
	object[41] = 0;
	assert_panics("behind", slab_check_free(&checked, object));
}

static void a_write_after_the_free_is_found(void **state)
{
	uint8_t *object = checked_object(64);

	(void)state;
	slab_check_free(&checked, object);
	object[17] ^= 1;
	assert_panics("after it was freed", slab_check_alloc(&checked, object));
}

static void a_write_into_a_block_of_the_free_chain_is_found(void **state)
{
	uint8_t *object = checked_object(64);

	(void)state;
	give(&checked, object);
	object[63] = 1;
	assert_panics("after it was freed", take(&checked));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_of_any_size_live_apart),
		cmocka_unit_test(no_memory_is_an_answer),
		cmocka_unit_test(a_double_free_is_found),
		cmocka_unit_test(one_byte_behind_the_object_is_found),
		cmocka_unit_test(a_write_after_the_free_is_found),
		cmocka_unit_test(a_write_into_a_block_of_the_free_chain_is_found),
	};

	return cmocka_run_group_tests(tests, make_memory, NULL);
}
