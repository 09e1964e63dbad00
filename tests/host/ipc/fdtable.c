/* sources: ipc/fdtable.c ipc/object.c ipc/buffer.c lib/string.c tests/host/fusek/fake/kernel.c */
/*
 * Descriptor tables and buffers on the host, where ASan sees who touches what he has given up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ipc/fdtable.h>
#include <mm/slab.h>

#include "../fusek/fake/kernel.h"

#include <string.h>

static unsigned nreleased;

static void note_release(struct object *object)
{
	nreleased++;
}

static void free_object(struct object *object)
{
	kfree(object);
}

static const struct object_ops ops = {.release = note_release, .free = free_object};

static struct object *make(void)
{
	struct object *object = kzalloc(sizeof(*object));

	object_init(object, &ops, OBJECT_OTHER, O_RDWR);
	return object;
}

static struct fd_table *table;

static int begin(void **state)
{
	nreleased = 0;
	fake_fail_allocation_after = UINT64_MAX;
	table = fd_table_create();
	return table ? 0 : -1;
}

static int end(void **state)
{
	fake_fail_allocation_after = UINT64_MAX;
	fd_table_put(table);
	return fake_live_blocks == 0 && fake_preempt_depth == 0 ? 0 : -1;
}

static void numbers_are_the_lowest_free_ones(void **state)
{
	for (int i = 0; i < FD_LIMIT; i++)
		assert_int_equal(fd_add(table, make(), 0), i);
	assert_int_equal(fd_add(table, make(), 0), -EMFILE);
	assert_int_equal(fd_close(table, 640), 0);
	assert_int_equal(fd_close(table, 3), 0);
	assert_int_equal(fd_add(table, make(), 0), 3);
	assert_int_equal(fd_add(table, make(), 0), 640);
	assert_int_equal(fd_dup(table, 0, 640, 0), -EMFILE);
	assert_int_equal(fd_dup(table, 0, FD_LIMIT, 0), -EINVAL);
	assert_int_equal(nreleased, 3);
}

static void wrong_numbers_are_refused(void **state)
{
	static const int wrong[] = {-1, 0, 1, 63, 64, FD_MAX - 1, FD_MAX, INT32_MAX, INT32_MIN};

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_null(fd_get(table, wrong[i]));
		assert_int_equal(fd_close(table, wrong[i]), -EBADF);
		assert_int_equal(fd_flags(table, wrong[i]), -EBADF);
		assert_int_equal(fd_set_flags(table, wrong[i], 0), -EBADF);
		assert_int_equal(fd_dup(table, wrong[i], 0, 0), -EBADF);
	}
	assert_int_equal(fd_add(table, make(), 0), 0);
	assert_int_equal(fd_dup_to(table, 0, -1, 0), -EBADF);
	assert_int_equal(fd_dup_to(table, 0, FD_MAX, 0), -EBADF);
	assert_int_equal(fd_dup_to(table, 0, 1, O_NONBLOCK), -EINVAL);
}

static void an_object_lives_as_long_as_somebody_uses_it(void **state)
{
	struct object *object;

	assert_int_equal(fd_add(table, make(), 0), 0);
	object = fd_get(table, 0);
	assert_int_equal(fd_close(table, 0), 0);
	assert_int_equal(nreleased, 0);
	object_put(object);
	assert_int_equal(nreleased, 1);
}

static void no_memory_leaves_the_table_as_it_was(void **state)
{
	struct fd_table *copy;

	assert_int_equal(fd_add(table, make(), 0), 0);
	assert_int_equal(fd_dup(table, 0, 100, 0), 100);
	fake_fail_allocation_after = 0;
	assert_int_equal(fd_dup(table, 0, 200, 0), -ENOMEM);
	assert_int_equal(fd_dup_to(table, 0, 200, 0), -ENOMEM);
	assert_int_equal(fd_table_copy(table, &copy), -ENOMEM);
	fake_fail_allocation_after = 1;
	assert_int_equal(fd_table_copy(table, &copy), -ENOMEM);
	fake_fail_allocation_after = UINT64_MAX;
	assert_int_equal(nreleased, 0);
	assert_int_equal(table->nopen, 2);
}

static void exec_closes_what_is_marked(void **state)
{
	assert_int_equal(fd_add(table, make(), O_CLOEXEC), 0);
	assert_int_equal(fd_add(table, make(), 0), 1);
	assert_int_equal(fd_dup(table, 1, 70, O_CLOEXEC), 70);
	fd_table_close_on_exec(table);
	assert_null(fd_get(table, 0));
	assert_null(fd_get(table, 70));
	assert_int_equal(fd_flags(table, 1), 0);
	assert_int_equal(nreleased, 1);
}

static void sum_numbers(void *argument, int fd, struct object *object)
{
	*(int *)argument += fd;
}

static void each_descriptor_is_visited(void **state)
{
	int sum = 0;

	assert_int_equal(fd_add(table, make(), 0), 0);
	assert_int_equal(fd_dup(table, 0, 5, 0), 5);
	assert_int_equal(fd_dup(table, 0, 1000, 0), 1000);
	fd_for_each(table, sum_numbers, &sum);
	assert_int_equal(sum, 1005);
}

/* ---- buffers ---- */

static void pieces_are_filled_one_after_the_other(void **state)
{
	char a[3], b[1], c[8] = {0};
	const struct buffer_segment pieces[] = {
		{(uint64_t)a, 3}, {(uint64_t)a, 0}, {(uint64_t)b, 1}, {(uint64_t)c, 8}};
	struct buffer buffer;

	assert_int_equal(buffer_init_segments(&buffer, pieces, 4), 0);
	assert_int_equal(buffer_remaining(&buffer), 12);
	assert_int_equal(buffer_copy_to(&buffer, "abcd", 4), 4);
	assert_int_equal(buffer_copy_to(&buffer, "efgh", 4), 4);
	assert_int_equal(buffer_clear(&buffer, 2), 2);
	assert_int_equal(buffer_remaining(&buffer), 2);
	assert_int_equal(buffer_copy_to(&buffer, "ijkl", 4), 2);
	assert_int_equal(buffer_copy_to(&buffer, "mn", 2), 0);
	assert_memory_equal(a, "abc", 3);
	assert_memory_equal(b, "d", 1);
	assert_memory_equal(c, "efgh\0\0ij", 8);
}

static void a_fault_stops_in_the_right_piece(void **state)
{
	char a[4], b[4];
	const struct buffer_segment pieces[] = {{(uint64_t)a, 4}, {(uint64_t)b, 4}};
	struct buffer buffer;

	fake_bad_address = (uint64_t)b + 2;
	assert_int_equal(buffer_init_segments(&buffer, pieces, 2), 0);
	assert_int_equal(buffer_copy_to(&buffer, "12345678", 8), 6);
	assert_int_equal(buffer_copy_to(&buffer, "78", 2), 0);
	assert_int_equal(buffer_remaining(&buffer), 2);
	fake_bad_address = 0;
}

static void lengths_that_no_call_can_return_are_refused(void **state)
{
	const struct buffer_segment large[] = {{0, INT64_MAX}, {0, 1}};
	const struct buffer_segment wrap[] = {{UINT64_MAX - 10, 100}};
	struct buffer buffer;

	assert_int_equal(buffer_init_segments(&buffer, large, 2), -EINVAL);
	assert_int_equal(buffer_init_segments(&buffer, wrap, 1), -EFAULT);
	assert_int_equal(buffer_init_user(&buffer, uptr(UINT64_MAX - 10), 100), -EFAULT);
	assert_int_equal(buffer_init_user(&buffer, uptr(4096), UINT64_C(1) << 40), 0);
	assert_int_equal(buffer_remaining(&buffer), BUFFER_BYTES_MAX);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_are_the_lowest_free_ones),
		TEST(wrong_numbers_are_refused),
		TEST(an_object_lives_as_long_as_somebody_uses_it),
		TEST(no_memory_leaves_the_table_as_it_was),
		TEST(exec_closes_what_is_marked),
		TEST(each_descriptor_is_visited),
		TEST(pieces_are_filled_one_after_the_other),
		TEST(a_fault_stops_in_the_right_piece),
		TEST(lengths_that_no_call_can_return_are_refused),
	};

	fake_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
