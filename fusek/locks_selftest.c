/*
 * Self-test of the limit of locks on parts of files.
 */
#include <fusek/file.h>
#include <lib/selftest.h>
#include <mm/frame.h>

#define NAME "/tmp/.selftest_locks"

/* One byte in two, so that none becomes one with another. */
static struct object_lock lock_at(uint64_t i, uint16_t type)
{
	return (struct object_lock){.kind = OBJECT_LOCK_PROCESS,
				    .owner = UINT64_MAX,
				    .type = type,
				    .start = 2 * i,
				    .end = 2 * i};
}

static err_t lock_byte(struct object *object, uint64_t i, uint16_t type)
{
	const struct object_lock lock = lock_at(i, type);

	return object_lock(object, &lock, false);
}

SELFTEST(records_of_locks_have_a_limit)
{
	const struct vfs_context context = vfs_kernel_context();
	const struct object_lock all = {.kind = OBJECT_LOCK_PROCESS,
					.owner = UINT64_MAX,
					.type = F_UNLCK,
					.end = INT64_MAX};
	/* Far more than a program may make the kernel keep, even if one took no more than this. */
	const uint64_t too_many = frames_total() * PAGE_SIZE / 512 / sizeof(struct object_lock);
	struct object *object;
	uint64_t count = 0;
	err_t err = 0;

	if (!selftest_check(vfs_open(&context, NULL, NAME, O_CREAT | O_RDWR, 0600, &object) == 0))
		return;
	while (!err && count < too_many)
		err = lock_byte(object, count++, F_RDLCK);
	selftest_check(err == -ENOLCK);
	selftest_check(lock_byte(object, 0, F_UNLCK) == 0); /* giving back is always possible */
	selftest_check(lock_byte(object, 0, F_RDLCK) == 0);
	selftest_check(object_lock(object, &all, false) == 0);
	selftest_check(lock_byte(object, 0, F_WRLCK) == 0);
	selftest_check(object->ops->closed(object, UINT64_MAX) == 0);
	object_put(object);
	selftest_check(vfs_unlink(&context, NULL, NAME, 0) == 0);
}
