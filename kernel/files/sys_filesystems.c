/*
 * System calls that tell about filesystems: how full one is, and which kinds there are. Owns no
 * state.
 */
#include "../process/uthread.h"
#include "../sys_path.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <lib/string.h>

/* ---- how full ---- */

int sys_statfs(uptr_t path, uptr_t out)
{
	struct abi_statfs statfs;
	struct at_path from;
	err_t err = at_path_get(AT_FDCWD, path, &from);

	if (err)
		return err;
	err = vfs_statfs(uthread_fs(), NULL, from.name, 0, &statfs);
	at_path_put(&from);
	return err ? err : user_put(out, &statfs);
}

int sys_fstatfs(int fd, uptr_t out)
{
	struct object *object = fd_get(current_fds(), fd);
	struct abi_statfs statfs;
	err_t err;

	if (!object)
		return -EBADF;
	err = vfs_statfs(uthread_fs(), object, "", AT_EMPTY_PATH, &statfs);
	object_put(object);
	return err ? err : user_put(out, &statfs);
}

struct abi_ustat {
	int32_t f_tfree; /* blocks */
	int32_t padding;
	uint64_t f_tinode;
	char f_fname[6], f_fpack[6];
	uint32_t padding2;
};
_Static_assert(sizeof(struct abi_ustat) == 32, "struct ustat of x86-64");

int sys_ustat(unsigned dev, uptr_t out)
{
	struct abi_ustat ustat = {0};
	struct server_statfs statfs;
	/* The kernel's encoding of a number in 32 bits has our low ones as they are. */
	err_t err = mount_statfs(abi_major(dev) ? 0 : abi_minor(dev), &statfs);

	if (err)
		return err;
	ustat.f_tfree = (int32_t)statfs.blocks_free;
	ustat.f_tinode = statfs.files_free;
	return user_put(out, &ustat);
}

/* ---- which kinds ---- */

#define SYSFS_INDEX 1
#define SYSFS_NAME  2
#define SYSFS_COUNT 3

#define TYPE_BYTES 64

static int count_types(void)
{
	unsigned count = 0;

	while (filesystem_name(count))
		count++;
	return (int)count;
}

static int index_of_type(uptr_t from)
{
	char name[TYPE_BYTES];
	const char *type;
	ssize_t len = user_copy_string(name, from, sizeof(name));

	if (len < 0)
		return len == -ENAMETOOLONG ? -EINVAL : (int)len;
	for (unsigned i = 0; (type = filesystem_name(i)); i++) {
		if (strcmp(type, name) == 0)
			return (int)i;
	}
	return -EINVAL;
}

int sys_sysfs(int option, uint64_t first, uint64_t second)
{
	const char *name;

	switch (option) {
	case SYSFS_INDEX:
		return index_of_type(uptr(first));
	case SYSFS_NAME:
		name = first < (uint64_t)count_types() ? filesystem_name((unsigned)first) : NULL;
		return name ? user_copy_out(uptr(second), name, strlen(name) + 1) : -EINVAL;
	case SYSFS_COUNT:
		return count_types();
	default:
		return -EINVAL;
	}
}
