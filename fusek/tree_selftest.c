/*
 * Self-tests of the file tree as the machine has it: the ramdisk, the mounts, the devices.
 */
#include <fusek/file.h>
#include <fusek/mount.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/slab.h>

static const char program[] = "/lib/ksh"; /* every ramdisk has it: we run from it */

static err_t stat_of(const char *name, struct abi_stat *out)
{
	const struct vfs_context context = vfs_kernel_context();

	return vfs_stat(&context, NULL, name, 0, out);
}

static err_t open_of(const char *name, unsigned flags, struct object **out)
{
	const struct vfs_context context = vfs_kernel_context();

	return vfs_open(&context, NULL, name, flags, 0644, out);
}

static err_t stat_error(const char *name)
{
	struct abi_stat stat;

	return stat_of(name, &stat);
}

SELFTEST(ramdisk_file_is_read)
{
	struct object *object;
	struct abi_stat stat;
	char head[4], tail[4];

	if (!selftest_check(open_of(program, O_RDONLY, &object) == 0))
		return;
	selftest_check(object_stat(object, &stat) == 0);
	selftest_check(S_ISREG(stat.st_mode) && stat.st_size > 4096);
	selftest_check(object_read_kernel(object, head, 4, 0) == 4);
	selftest_check(memcmp(head, "\177ELF", 4) == 0);
	selftest_check(object_read_kernel(object, tail, 4, (uint64_t)stat.st_size - 2) == 2);
	selftest_check(object_read_kernel(object, tail, 4, (uint64_t)stat.st_size) == 0);
	object_put(object);
}

SELFTEST(ramdisk_page_is_mapped_in_place)
{
	const struct object_map_request request = {.len_bytes = PAGE_SIZE};
	struct memory_object *memory;
	struct page_ref page = {0};
	struct object *object;

	if (!selftest_check(open_of(program, O_RDONLY, &object) == 0))
		return;
	if (selftest_check(object_map(object, &request, &memory) == 0)) {
		selftest_check(memory->ops->get_page(memory, 0, FAULT_READ, &page) == 0);
		selftest_check(page.frame == NULL);
		selftest_check(memcmp(phys_to_virt(page.phys), "\177ELF", 4) == 0);
		selftest_check(memory->ops->get_page(memory, 1u << 20, FAULT_READ, &page) == -EIO);
		memory_object_put(memory);
	}
	object_put(object);
}

SELFTEST(ramdisk_refuses_changes)
{
	const struct vfs_context context = vfs_kernel_context();
	struct object *object;

	selftest_check(open_of(program, O_WRONLY, &object) == -EROFS);
	selftest_check(open_of("/lib/new", O_CREAT | O_WRONLY, &object) == -EROFS);
	selftest_check(vfs_unlink(&context, NULL, program, 0) == -EROFS);
	selftest_check(vfs_rename(&context, NULL, program, NULL, "/lib/x", 0) == -EROFS);
	selftest_check(vfs_chmod(&context, NULL, program, 0, 0) == -EROFS);
}

SELFTEST(paths_that_are_wrong_give_linux_errors)
{
	char *name = kmalloc(PATH_MAX);

	if (!selftest_check(name))
		return;
	selftest_check(stat_error("") == -ENOENT);
	selftest_check(stat_error("/lib/ksh/") == -ENOTDIR);
	selftest_check(stat_error("/lib/ksh/x") == -ENOTDIR);
	selftest_check(stat_error("/no/such/file") == -ENOENT);
	memset(name, 'x', PATH_MAX - 1);
	name[PATH_MAX - 1] = '\0';
	selftest_check(stat_error(name) == -ENAMETOOLONG);
	name[NAME_MAX + 1] = '\0';
	selftest_check(stat_error(name) == -ENAMETOOLONG);
	name[NAME_MAX] = '\0';
	selftest_check(stat_error(name) == -ENOENT);
	kfree(name);
}

SELFTEST(path_crosses_mounts_both_ways)
{
	struct abi_stat root, again, tmp;

	selftest_check(stat_of("/", &root) == 0);
	selftest_check(stat_of("/tmp/../dev/..//.", &again) == 0);
	selftest_check(stat_of("/tmp", &tmp) == 0);
	selftest_check(root.st_dev == again.st_dev && root.st_ino == again.st_ino);
	selftest_check(root.st_dev != tmp.st_dev);
}

SELFTEST(path_walk_is_served_by_the_cache)
{
	struct names_stats before, after;

	selftest_check(stat_error(program) == 0);
	names_stats(&before);
	for (unsigned i = 0; i < 10; i++)
		selftest_check(stat_error(program) == 0);
	names_stats(&after);
	selftest_check(after.nwalks_fast - before.nwalks_fast >= 10);
}

SELFTEST(mounts_have_root_tmp_and_dev)
{
	bool root = false, tmp = false, dev = false;
	struct mount_info *info = kmalloc(sizeof(*info));

	if (!selftest_check(info))
		return;
	for (unsigned i = 0; mount_info(i, info); i++) {
		root |= strcmp(info->at, "/") == 0 && strcmp(info->options, "ro") == 0 &&
			strcmp(info->type, "ext2") == 0;
		tmp |= strcmp(info->at, "/tmp") == 0 && strcmp(info->options, "rw,relatime") == 0 &&
		       strcmp(info->type, "tmpfs") == 0;
		dev |= strcmp(info->at, "/dev") == 0 && strcmp(info->type, "devfs") == 0;
	}
	selftest_check(root && tmp && dev);
	kfree(info);
}

SELFTEST(device_is_opened_through_devfs)
{
	struct object *object;
	struct abi_stat stat;
	uint64_t position;

	if (!selftest_check(open_of("/dev/null", O_RDWR, &object) == 0))
		return;
	selftest_check(object_stat(object, &stat) == 0);
	selftest_check(S_ISCHR(stat.st_mode) && stat.st_rdev == abi_makedev(1, 3));
	selftest_check(object_write_kernel(object, "x", 1) == 1);
	(void)!object_seek(object, 0, SEEK_SET, &position);
	object_put(object);
	selftest_check(stat_error("/dev/no-such-device") == -ENOENT);
}
