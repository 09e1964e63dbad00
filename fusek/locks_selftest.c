/*
 * Self-test of the limit of locks on parts of files.
 */
#include <fusek/file.h>
#include <lib/selftest.h>
#include <mm/frame.h>

#define NAME   "/tmp/.selftest_locks_a"
#define NFILES 16u /* the time of a call grows with the locks of its file */

static struct object *files[NFILES];

static bool open_files(const struct vfs_context *context)
{
	char name[] = NAME;

	for (unsigned i = 0; i < NFILES; i++) {
		name[sizeof(name) - 2] = (char)('a' + i);
		if (vfs_open(context, NULL, name, O_CREAT | O_RDWR, 0600, &files[i]) ||
		    vfs_unlink(context, NULL, name, 0))
			return false;
	}
	return true;
}

/* One byte in two, so that none becomes one with another. */
static err_t lock_byte(uint64_t i, uint16_t type)
{
	const struct object_lock lock = {.kind = OBJECT_LOCK_PROCESS,
					 .owner = UINT64_MAX,
					 .type = type,
					 .start = 2 * i,
					 .end = 2 * i};

	return object_lock(files[i % NFILES], &lock, false);
}

SELFTEST(records_of_locks_have_a_limit)
{
	const struct vfs_context context = vfs_kernel_context();
	/* Far more than a program may make the kernel keep, even if one took no more than this. */
	const uint64_t too_many = frames_total() * PAGE_SIZE / 512 / sizeof(struct object_lock);
	uint64_t count = 0;
	err_t err = 0;

	if (!selftest_check(open_files(&context)))
		return;
	while (!err && count < too_many)
		err = lock_byte(count++, F_RDLCK);
	selftest_check(err == -ENOLCK);
	selftest_check(lock_byte(0, F_UNLCK) == 0); /* giving back is always possible */
	selftest_check(lock_byte(0, F_RDLCK) == 0);
	for (unsigned i = 0; i < NFILES; i++) {
		selftest_check(files[i]->ops->closed(files[i], UINT64_MAX) == 0);
		object_put(files[i]);
	}
}
