/*
 * Self-tests of descriptor tables, with objects that only count their ends.
 */
#include <ipc/fdtable.h>
#include <lib/selftest.h>
#include <mm/slab.h>
#include <sched/rcu.h>

static uint32_t nreleased; /* atomic */

static void note_release(struct object *object)
{
	atomic_add_relaxed(&nreleased, 1);
}

static void free_object(struct object *object)
{
	kfree(object);
}

static const struct object_ops counting_ops = {.release = note_release, .free = free_object};

static struct object *make_object(void)
{
	struct object *object = kzalloc(sizeof(*object));

	if (object)
		object_init(object, &counting_ops, OBJECT_OTHER, O_RDONLY);
	return object;
}

static bool begin(struct fd_table **table)
{
	write_once(&nreleased, 0);
	*table = fd_table_create();
	return *table != NULL;
}

SELFTEST(fdtable_gives_the_lowest_number)
{
	struct fd_table *table;

	if (!selftest_check(begin(&table)))
		return;
	for (int i = 0; i < 100; i++)
		selftest_check(fd_add(table, make_object(), 0) == i);
	selftest_check(fd_close(table, 70) == 0);
	selftest_check(fd_close(table, 7) == 0);
	selftest_check(fd_close(table, 7) == -EBADF);
	selftest_check(fd_add(table, make_object(), 0) == 7);
	selftest_check(fd_add(table, make_object(), 0) == 70);
	selftest_check(fd_get(table, 100) == NULL);
	selftest_check(fd_get(table, -1) == NULL);
	selftest_check(fd_get(table, FD_MAX) == NULL);
	fd_table_put(table);
	selftest_check(read_once(&nreleased) == 102);
}

SELFTEST(fdtable_dup_shares_the_object)
{
	struct fd_table *table;
	struct object *object;

	if (!selftest_check(begin(&table)))
		return;
	selftest_check(fd_add(table, make_object(), O_CLOEXEC) == 0);
	selftest_check(fd_dup(table, 0, 10, 0) == 10);
	selftest_check(fd_dup_to(table, 10, 300, O_CLOEXEC) == 300);
	selftest_check(fd_dup_to(table, 10, 10, 0) == -EINVAL);
	selftest_check(fd_dup_to(table, 11, 12, 0) == -EBADF);
	selftest_check(fd_dup_to(table, 10, FD_LIMIT, 0) == -EBADF);
	selftest_check(fd_flags(table, 0) == FD_CLOEXEC);
	selftest_check(fd_flags(table, 10) == 0);
	selftest_check(fd_set_flags(table, 10, FD_CLOEXEC) == 0);
	selftest_check(fd_set_flags(table, 300, 0) == 0);
	/* Whoever gets a number next inherits nothing from its last owner. */
	selftest_check(fd_dup(table, 10, 20, O_CLOEXEC) == 20);
	selftest_check(fd_close(table, 20) == 0);
	selftest_check(fd_dup(table, 10, 20, 0) == 20 && fd_flags(table, 20) == 0);
	selftest_check(fd_close(table, 20) == 0);
	object = fd_get(table, 300);
	fd_table_close_on_exec(table);
	selftest_check(fd_get(table, 0) == NULL && fd_get(table, 10) == NULL);
	selftest_check(read_once(&nreleased) == 0);
	object_put(object);
	fd_table_put(table);
	selftest_check(read_once(&nreleased) == 1);
}

SELFTEST(fdtable_dup_replaces_what_stood_there)
{
	struct fd_table *table;
	int reserved;

	if (!selftest_check(begin(&table)))
		return;
	selftest_check(fd_add(table, make_object(), 0) == 0);
	selftest_check(fd_add(table, make_object(), 0) == 1);
	selftest_check(fd_dup_to(table, 0, 1, 0) == 1);
	selftest_check(read_once(&nreleased) == 1);
	selftest_check(fd_reserve(table, 0, 0, &reserved) == 0);
	selftest_check(fd_get(table, reserved) == NULL);
	selftest_check(fd_dup_to(table, 0, reserved, 0) == -EBUSY);
	fd_unreserve(table, reserved);
	selftest_check(fd_dup_to(table, 0, reserved, 0) == reserved);
	fd_table_put(table);
	selftest_check(read_once(&nreleased) == 2);
}

SELFTEST(fdtable_keeps_its_limit)
{
	struct fd_table *table;
	int fd;

	if (!selftest_check(begin(&table)))
		return;
	write_once(&table->limit, 3);
	for (int i = 0; i < 3; i++)
		selftest_check(fd_add(table, make_object(), 0) == i);
	selftest_check(fd_add(table, make_object(), 0) == -EMFILE);
	selftest_check(fd_reserve(table, 3, 0, &fd) == -EINVAL);
	selftest_check(fd_reserve(table, -1, 0, &fd) == -EINVAL);
	fd_table_put(table);
	selftest_check(read_once(&nreleased) == 4);
}

SELFTEST(fdtable_copy_holds_its_own_references)
{
	struct fd_table *table, *copy;

	if (!selftest_check(begin(&table)))
		return;
	selftest_check(fd_add(table, make_object(), O_CLOEXEC) == 0);
	selftest_check(fd_dup(table, 0, 200, 0) == 200);
	if (selftest_check(fd_table_copy(table, &copy) == 0)) {
		fd_table_put(table);
		selftest_check(read_once(&nreleased) == 0);
		selftest_check(fd_flags(copy, 0) == FD_CLOEXEC && fd_flags(copy, 200) == 0);
		selftest_check(fd_add(copy, make_object(), 0) == 1);
		table = copy;
	}
	fd_table_put(table);
	selftest_check(read_once(&nreleased) == 2);
}
