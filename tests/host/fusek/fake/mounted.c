/* See mounted.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mounted.h"

#include <fusek/mount.h>
#include <string.h>

int mounted_begin(void **state)
{
	return tree_begin(state) || fake_driver_register() || vfs_mkdir(&kernel, NULL, AT, 0755);
}

int mounted(void **state)
{
	fake_driver_start();
	fake_log[0] = 0;
	return vfs_mount(&kernel, "mock", AT, "fuse.mock", 0, fake_driver_options);
}

/* All that the driver gave out has come back: before the mount goes, which takes the rest away. */
int gone(void **state)
{
	names_evict();
	fake_driver_serve();
	if (mock.nremembered || mock.nopen)
		fail_msg("%ld look-ups and %ld handles were kept", (long)mock.nremembered,
			 (long)mock.nopen);
	if (vfs_umount(&kernel, AT, MNT_DETACH))
		fail_msg("the mount stays");
	fake_driver_stop();
	return fake_locks_held || fake_pending;
}

err_t look(const char *name)
{
	struct abi_stat stat;

	return vfs_stat(&kernel, NULL, name, 0, &stat);
}

ssize_t read_file(const char *name, char *to, size_t to_bytes)
{
	struct object *object;
	ssize_t got;
	err_t err = vfs_open(&kernel, NULL, name, O_RDONLY, 0, &object);

	if (err)
		return err;
	got = object_read_kernel(object, to, to_bytes, 0);
	object_put(object);
	return got;
}

ssize_t write_to(const char *name, const char *text, unsigned flags)
{
	struct object *object;
	ssize_t done;
	err_t err = vfs_open(&kernel, NULL, name, O_WRONLY | flags, 0644, &object);

	if (err)
		return err;
	done = object_write_kernel(object, text, strlen(text));
	object_put(object);
	return done;
}

ssize_t read_link(void)
{
	char text[PATH_MAX];

	return vfs_readlink(&kernel, NULL, AT "/link", text, sizeof(text));
}

ssize_t list(const char *name)
{
	char bytes[1024];
	struct object *object;
	struct buffer buffer;
	ssize_t got;
	err_t err = vfs_open(&kernel, NULL, name, O_RDONLY | O_DIRECTORY, 0, &object);

	if (err)
		return err;
	buffer_init_kernel(&buffer, bytes, sizeof(bytes));
	got = object_getdents(object, &buffer, DIRENT_64);
	object_put(object);
	return got;
}
