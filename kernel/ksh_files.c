/*
 * ksh's files: names are walked from its own working directory, open files are known by the numbers
 * of ksh_resources.c.
 */
#include "ksh_session.h"

#include "devices.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* The kernel's own context but for the working directory, which holds a reference once it is
 * another one than the root. It outlives a restart of ksh. */
static struct path working_directory;

static struct vfs_context context(void)
{
	struct vfs_context own = vfs_kernel_context();

	if (!path_is_none(&working_directory))
		own.cwd = working_directory;
	return own;
}

int ksh_file_open(const char *path, unsigned flags, unsigned mode)
{
	struct vfs_context own = context();
	unsigned how =
		flags & KSH_OPEN_WRITE ? (flags & KSH_OPEN_READ ? O_RDWR : O_WRONLY) : O_RDONLY;
	struct object *object;
	err_t err;

	how |= (flags & KSH_OPEN_CREATE ? O_CREAT : 0) | (flags & KSH_OPEN_TRUNCATE ? O_TRUNC : 0) |
	       (flags & KSH_OPEN_APPEND ? O_APPEND : 0) |
	       (flags & KSH_OPEN_DIRECTORY ? O_DIRECTORY : 0);
	err = vfs_open(&own, NULL, path, how, mode, &object);
	return err ? err : ksh_file_add(object);
}

/* From Linux's form (abi_makedev) to major << 32 | minor. */
static uint64_t device_number(uint64_t rdev)
{
	uint64_t major = (rdev >> 8 & 0xfff) | (rdev >> 32 & ~UINT64_C(0xfff));
	uint64_t minor = (rdev & 0xff) | (rdev >> 12 & UINT64_C(0xffffff00));

	return major << 32 | minor;
}

static bool is_terminal(struct object *object)
{
	struct abi_stat stat;
	uint64_t major;

	if (object_stat(object, &stat) || !S_ISCHR(stat.st_mode))
		return false;
	major = device_number(stat.st_rdev) >> 32;
	return major == DEVICE_TTY_MAJOR || major == DEVICE_SERIAL_MAJOR;
}

long ksh_file_read(int file, void *to, size_t len_bytes)
{
	struct object *object = ksh_file_object(file);
	struct buffer buffer;

	if (!object)
		return -EBADF;
	if (is_terminal(object))
		return -EBUSY; /* ksh has its own way to the console; this one never sees Ctrl-C */
	buffer_init_kernel(&buffer, to, len_bytes);
	return object_read(object, &buffer, NULL);
}

long ksh_file_write(int file, const void *from, size_t len_bytes)
{
	struct object *object = ksh_file_object(file);

	return object ? object_write_kernel(object, from, len_bytes) : -EBADF;
}

/* Hands out the records of one read. Where the caller has no room for all of them the position goes
 * back to behind the last one taken. */
static size_t take_records(struct object *object, const char *records, size_t len_bytes,
			   struct ksh_dirent *out, size_t max)
{
	const struct abi_dirent64 *record;
	int64_t behind = 0;
	size_t count = 0;
	size_t at;

	for (at = 0; at < len_bytes && count < max; at += record->d_reclen) {
		record = (const struct abi_dirent64 *)(records + at);
		out[count].type = record->d_type;
		string_copy(out[count].name, sizeof(out[count].name), record->d_name);
		behind = record->d_off;
		count++;
	}
	if (at < len_bytes) {
		uint64_t position;

		if (object_seek(object, behind, SEEK_SET, &position) != 0)
			return 0;
	}
	return count;
}

long ksh_file_entries(int file, struct ksh_dirent *out, size_t max)
{
	struct object *object = ksh_file_object(file);
	size_t count = 0;

	if (!object)
		return -EBADF;
	while (count < max) {
		alignas(struct abi_dirent64) char records[1024];
		struct buffer buffer;
		size_t taken;
		ssize_t got;

		buffer_init_kernel(&buffer, records, sizeof(records));
		got = object_getdents(object, &buffer, DIRENT_64);
		if (got < 0 && !count)
			return got;
		if (got <= 0)
			break;
		taken = take_records(object, records, (size_t)got, out + count, max - count);
		if (!taken)
			return -EIO;
		count += taken;
	}
	return (long)count;
}

int ksh_file_stat(const char *path, bool follow_link, struct ksh_stat *out)
{
	struct vfs_context own = context();
	struct abi_stat stat;
	err_t err = vfs_stat(&own, NULL, path, follow_link ? 0 : AT_SYMLINK_NOFOLLOW, &stat);

	if (err)
		return err;
	*out = (struct ksh_stat){
		.inode = stat.st_ino,
		.size_bytes = (uint64_t)stat.st_size,
		.links = stat.st_nlink,
		.mtime_s = stat.st_mtim.tv_sec,
		.device = device_number(stat.st_rdev),
		.mode = stat.st_mode,
		.uid = stat.st_uid,
		.gid = stat.st_gid,
	};
	return 0;
}

long ksh_file_link(const char *path, char *to, size_t to_bytes)
{
	struct vfs_context own = context();
	ssize_t len = vfs_readlink(&own, NULL, path, to, to_bytes - 1);

	if (len >= 0)
		to[len] = '\0';
	return len;
}

int ksh_directory_change(const char *path)
{
	struct vfs_context own = context();
	struct path found;
	err_t err = vfs_find_directory(&own, NULL, path, &found);

	if (err)
		return err;
	path_put(&working_directory);
	working_directory = found;
	return 0;
}

int ksh_directory_name(char *to, size_t to_bytes)
{
	struct vfs_context own = context();
	ssize_t len = path_name(&own.root, &own.cwd, to, to_bytes);

	return len < 0 ? (int)len : 0;
}

long ksh_mount_list(struct ksh_mount *out, size_t max)
{
	struct mount_info info;
	unsigned count;

	for (count = 0; mount_info(count, &info); count++) {
		if (count >= max)
			continue;
		out[count] = (struct ksh_mount){
			.total_bytes = info.statfs.blocks * info.statfs.block_bytes,
			.number = info.fs_number,
			.free_bytes = info.statfs.blocks_free * info.statfs.block_bytes,
		};
		string_copy(out[count].type, sizeof(out[count].type), info.type);
		string_copy(out[count].source, sizeof(out[count].source), info.source);
		string_copy(out[count].path, sizeof(out[count].path), info.at);
		string_copy(out[count].options, sizeof(out[count].options), info.options);
	}
	return count;
}
