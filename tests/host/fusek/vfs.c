/* sources: fusek/attributes.c fusek/change.c fusek/dentry.c fusek/devfs.c fusek/file.c
	fusek/getdents.c fusek/init.c fusek/mount.c fusek/node.c fusek/open.c fusek/path.c
	fusek/ramdisk.c fusek/remove.c fusek/ext2/super.c fusek/ext2/inode.c fusek/ext2/directory.c
	fusek/tmpfs/data.c fusek/tmpfs/entries.c fusek/tmpfs/inode.c fusek/tmpfs/names.c
	fusek/tmpfs/pages.c fusek/tmpfs/seed.c ipc/buffer.c ipc/object.c lib/tree.c lib/string.c
	tests/host/fusek/fake/kernel.c tests/host/support/image.c */
/*
 * The whole filesystem layer in one process: an image of mke2fs as root, tmpfs and devfs over it,
 * and the calls as programs make them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <abi/errno.h>
#include <arch/paging.h>
#include <fusek/devfs.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <mm/frame.h>

#include "../support/image.h"
#include "fake/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char script[] =
	"mkdir -p bin dev tmp/sub/deep var run root home private; chmod 1777 tmp;"
	"echo program > bin/program; chmod 755 bin/program; echo data > bin/data;"
	"ln -s bin/program link; ln -s /bin absolute; ln -s loop loop; ln -s nowhere dangling;"
	"ln -s ../bin/data tmp/up; seq 1 5000 > tmp/seeded; chmod 600 tmp/seeded;"
	"echo secret > private/file; chmod 700 private; chmod 600 private/file;"
	"truncate -s 20000 holes; echo end >> holes";

static struct vfs_context kernel, user;

static ssize_t null_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			 unsigned flags)
{
	return 0;
}

static ssize_t null_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			  unsigned flags)
{
	ssize_t len_bytes = (ssize_t)buffer_remaining(buffer);

	buffer->remaining_bytes = 0;
	return len_bytes;
}

static unsigned nopened;

static err_t null_open(struct device_file *file, unsigned flags)
{
	nopened++;
	return file->argument == &nopened ? 0 : -EIO;
}

static void null_release(struct device_file *file)
{
	nopened--;
}

static const struct device_ops null_ops = {
	.open = null_open, .read = null_read, .write = null_write, .release = null_release};

static int setup(void **state)
{
	size_t len_bytes;
	void *image = image_make(script, "-t ext2 -b 4096 -E root_owner=0:0", "4M", &len_bytes);
	paddr_t start;

	if (!image)
		return -1;
	fake_init();
	start = fake_memory_take(len_bytes);
	memcpy(phys_to_virt(start), image, len_bytes);
	free(image);
	if (devfs_register("null", 1, 3, 0666, 0, &null_ops, &nopened))
		return -1;
	if (fusek_init(start, start + len_bytes)) {
		fputs(fake_log, stderr);
		return -1;
	}
	kernel = vfs_kernel_context();
	user = kernel;
	user.uid = user.gid = 1000;
	return 0;
}

/* ---- short forms ---- */

static struct object *open_ok(const char *name, unsigned flags)
{
	struct object *object;
	err_t err = vfs_open(&kernel, NULL, name, flags, 0644, &object);

	if (err)
		fail_msg("open %s: %d", name, err);
	return object;
}

static err_t open_error(const struct vfs_context *context, const char *name, unsigned flags)
{
	struct object *object;
	err_t err = vfs_open(context, NULL, name, flags, 0644, &object);

	if (!err)
		object_put(object);
	return err;
}

static void write_file(const char *name, const char *text)
{
	struct object *object = open_ok(name, O_CREAT | O_TRUNC | O_WRONLY);

	assert_int_equal(object_write_kernel(object, text, strlen(text)), strlen(text));
	object_put(object);
}

static void expect_text(const char *name, const char *text)
{
	struct object *object = open_ok(name, O_RDONLY);
	char found[256];
	ssize_t len_bytes = object_read_kernel(object, found, sizeof(found), 0);

	assert_int_equal(len_bytes, strlen(text));
	assert_memory_equal(found, text, strlen(text));
	object_put(object);
}

static struct abi_stat stat_ok(const char *name)
{
	struct abi_stat stat;

	assert_int_equal(vfs_stat(&kernel, NULL, name, AT_SYMLINK_NOFOLLOW, &stat), 0);
	return stat;
}

static err_t stat_error(const char *name)
{
	struct abi_stat stat;

	return vfs_stat(&kernel, NULL, name, 0, &stat);
}

static void expect_name(const char *name, const char *expected)
{
	struct path path;
	char text[256];

	assert_int_equal(path_walk(&kernel, NULL, name, WALK_FOLLOW, &path), 0);
	assert_true(path_name(&kernel.root, &path, text, sizeof(text)) > 0);
	assert_string_equal(text, expected);
	path_put(&path);
}

/* Everything that the test made is gone again. */
static int nothing_is_held(void **state)
{
	return fake_locks_held == 0 && fake_bad_address == 0 && nopened == 0 ? 0 : -1;
}

/* ---- walking ---- */

static void paths_lead_where_they_should(void **state)
{
	expect_name("/", "/");
	expect_name("//bin///program", "/bin/program");
	expect_name("bin/./../bin/program", "/bin/program");
	expect_name("/../../bin", "/bin");
	expect_name("link", "/bin/program");
	expect_name("absolute/program", "/bin/program");
	expect_name("/tmp/..", "/");
	expect_name("/tmp/sub/deep/../../../bin", "/bin");
	expect_name("/tmp/up", "/bin/data");
	expect_name("/dev/null", "/dev/null");
	expect_name("/dev/../tmp/.", "/tmp");
}

static void bad_paths_give_linux_errors(void **state)
{
	char name[PATH_MAX + 10];
	struct path path;

	assert_int_equal(stat_error(""), -ENOENT);
	assert_int_equal(stat_error("nothing"), -ENOENT);
	assert_int_equal(stat_error("nothing/below"), -ENOENT);
	assert_int_equal(stat_error("bin/program/"), -ENOTDIR);
	assert_int_equal(stat_error("bin/program/x"), -ENOTDIR);
	assert_int_equal(stat_error("bin/program/.."), -ENOTDIR);
	assert_int_equal(stat_error("loop"), -ELOOP);
	assert_int_equal(stat_error("dangling"), -ENOENT);
	memset(name, 'x', sizeof(name));
	name[256] = 0;
	assert_int_equal(stat_error(name), -ENAMETOOLONG);
	name[255] = 0;
	assert_int_equal(stat_error(name), -ENOENT);
	memset(name, '/', sizeof(name));
	name[sizeof(name) - 1] = 0;
	assert_int_equal(stat_error(name), -ENAMETOOLONG);
	name[PATH_MAX - 1] = 0;
	assert_int_equal(stat_error(name), 0);
	assert_int_equal(path_walk(&kernel, NULL, "bin/data", WALK_DIRECTORY, &path), -ENOTDIR);
	assert_int_equal(path_walk(&kernel, NULL, "", 0, &path), -ENOENT);
}

static void forty_links_are_followed_and_no_more(void **state)
{
	char name[32], target[32];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/links", 0755), 0);
	write_file("/tmp/links/0", "end");
	for (unsigned i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "/tmp/links/%u", i);
		snprintf(target, sizeof(target), "%u", i - 1);
		assert_int_equal(vfs_symlink(&kernel, target, NULL, name), 0);
	}
	expect_text("/tmp/links/40", "end");
	assert_int_equal(open_error(&kernel, "/tmp/links/41", O_RDONLY), -ELOOP);
}

static void a_cached_walk_asks_no_server(void **state)
{
	struct names_stats before, after;

	expect_name("/tmp/sub/deep", "/tmp/sub/deep");
	assert_int_equal(stat_error("/bin/missing"), -ENOENT);
	names_stats(&before);
	expect_name("/tmp/sub/deep", "/tmp/sub/deep");
	expect_name("/bin/program", "/bin/program");
	assert_int_equal(stat_error("/bin/missing"), -ENOENT); /* a negative entry */
	names_stats(&after);
	assert_int_equal(after.nlookups, before.nlookups);
	assert_int_equal(after.nwalks - before.nwalks, 3);
	assert_int_equal(after.nwalks_fast - before.nwalks_fast, 2);
}

static void a_changed_root_is_not_left(void **state)
{
	struct vfs_context jailed = kernel;
	struct path path;
	char text[64];

	assert_int_equal(vfs_find_directory(&kernel, NULL, "/tmp/sub", &jailed.root), 0);
	jailed.cwd = jailed.root;
	assert_int_equal(path_walk(&jailed, NULL, "/../../deep/..", 0, &path), 0);
	assert_true(path_equal(&path, &jailed.root));
	assert_int_equal(path_name(&jailed.root, &path, text, sizeof(text)), 2);
	assert_string_equal(text, "/");
	path_put(&path);
	path_put(&jailed.root);
}

/* ---- the ramdisk ---- */

static void the_ramdisk_is_read_only(void **state)
{
	expect_text("/bin/data", "data\n");
	assert_int_equal(open_error(&kernel, "/bin/data", O_WRONLY), -EROFS);
	assert_int_equal(open_error(&kernel, "/bin/new", O_CREAT | O_WRONLY), -EROFS);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/bin/new", 0755), -EROFS);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/bin/data", 0), -EROFS);
	assert_int_equal(vfs_chmod(&kernel, NULL, "/bin/data", 0777, 0), -EROFS);
	assert_int_equal(vfs_access(&kernel, NULL, "/bin/data", W_OK, 0), -EROFS);
	assert_int_equal(vfs_access(&kernel, NULL, "/bin/data", R_OK, 0), 0);
	assert_int_equal(vfs_access(&kernel, NULL, "/bin/data", X_OK, 0), -EACCES);
}

static void its_pages_are_mapped_in_place(void **state)
{
	const struct object_map_request request = {.len_bytes = PAGE_SIZE};
	struct object *object = open_ok("/bin/data", O_RDONLY);
	struct memory_object *memory;
	struct page_ref page;

	assert_int_equal(object_map(object, &request, &memory), 0);
	object_put(object);
	assert_int_equal(memory->ops->get_page(memory, 0, FAULT_READ, &page), 0);
	assert_null(page.frame);
	assert_memory_equal(phys_to_virt(page.phys), "data\n", 6);
	assert_int_equal(memory->ops->get_page(memory, 1, FAULT_READ, &page), -EIO);
	memory_object_put(memory);

	object = open_ok("/holes", O_RDONLY);
	assert_int_equal(object_map(object, &request, &memory), 0);
	object_put(object);
	assert_int_equal(memory->ops->get_page(memory, 2, FAULT_READ, &page), 0);
	assert_null(page.frame);
	memory_object_put(memory);
}

static void modes_decide_for_who_is_not_root(void **state)
{
	struct object *object;

	assert_int_equal(open_error(&user, "/private/file", O_RDONLY), -EACCES);
	assert_int_equal(open_error(&user, "/tmp/seeded", O_RDONLY), -EACCES);
	assert_int_equal(open_error(&user, "/bin/data", O_RDONLY), 0);
	assert_int_equal(vfs_open_exec(&user, NULL, "/bin/data", 0, &object), -EACCES);
	assert_int_equal(vfs_open_exec(&kernel, NULL, "/bin/data", 0, &object), -EACCES);
	assert_int_equal(vfs_open_exec(&user, NULL, "/bin", 0, &object), -EACCES);
	assert_int_equal(vfs_open_exec(&user, NULL, "/link", 0, &object), 0);
	object_put(object);
}

/* ---- open ---- */

static void open_flags_do_what_they_say(void **state)
{
	struct object *object;
	struct buffer buffer;
	char byte;

	assert_int_equal(open_error(&kernel, "/bin", O_WRONLY), -EISDIR);
	assert_int_equal(open_error(&kernel, "/bin", O_CREAT), -EISDIR);
	assert_int_equal(open_error(&kernel, "/bin/data", O_DIRECTORY), -ENOTDIR);
	assert_int_equal(open_error(&kernel, "/link", O_NOFOLLOW), -ELOOP);
	assert_int_equal(open_error(&kernel, "/tmp/new/", O_CREAT | O_WRONLY), -EISDIR);
	assert_int_equal(open_error(&kernel, "/tmp", O_TMPFILE | O_RDWR), -EOPNOTSUPP);
	assert_int_equal(open_error(&kernel, "/bin/data", O_DIRECT), -EINVAL);
	assert_int_equal(open_error(&kernel, "/bin/data", 1u << 30), -EINVAL);
	assert_int_equal(open_error(&kernel, "/tmp/x", O_CREAT | O_EXCL | O_WRONLY), 0);
	assert_int_equal(open_error(&kernel, "/tmp/x", O_CREAT | O_EXCL | O_WRONLY), -EEXIST);
	assert_int_equal(vfs_symlink(&kernel, "made", NULL, "/tmp/tomake"), 0);
	assert_int_equal(open_error(&kernel, "/tmp/tomake", O_CREAT | O_EXCL), -EEXIST);
	assert_int_equal(open_error(&kernel, "/tmp/tomake", O_CREAT | O_WRONLY), 0);
	assert_int_equal(stat_ok("/tmp/made").st_size, 0);

	object = open_ok("/link", O_PATH | O_NOFOLLOW);
	buffer_init_kernel(&buffer, &byte, 1);
	assert_int_equal(object_read(object, &buffer, NULL), -EBADF);
	assert_int_equal(vfs_readlink(&kernel, object, "", &byte, 1), 1);
	assert_int_equal(byte, 'b');
	object_put(object);

	object = open_ok("/bin/data", O_RDONLY);
	assert_int_equal(object_write(object, &buffer, NULL), -EBADF);
	object_put(object);
}

static void relative_names_start_at_the_descriptor(void **state)
{
	struct object *bin = open_ok("/bin", O_RDONLY | O_DIRECTORY), *object;
	struct object *data = open_ok("/bin/data", O_RDONLY);
	struct abi_stat stat;

	assert_int_equal(vfs_open(&kernel, bin, "data", O_RDONLY, 0, &object), 0);
	object_put(object);
	assert_int_equal(vfs_open(&kernel, data, "data", O_RDONLY, 0, &object), -ENOTDIR);
	assert_int_equal(vfs_open(&kernel, data, "/bin/data", O_RDONLY, 0, &object), 0);
	object_put(object);
	assert_int_equal(vfs_stat(&kernel, data, "", AT_EMPTY_PATH, &stat), 0);
	assert_int_equal(stat.st_size, 5);
	assert_int_equal(vfs_stat(&kernel, data, "", 0, &stat), -ENOENT);
	object_put(data);
	object_put(bin);
}

/* ---- tmpfs ---- */

static void seeded_files_show_through_until_written(void **state)
{
	uint64_t frames = fake_frames_left;
	struct object *object = open_ok("/tmp/seeded", O_RDWR);
	struct abi_stat stat = stat_ok("/tmp/seeded");
	char text[16];

	assert_int_equal(stat.st_mode, S_IFREG | 0600);
	assert_int_equal(stat.st_size, 23893);
	assert_int_equal(stat.st_blocks, 0);
	assert_int_equal(object_read_kernel(object, text, 10, 23883), 10);
	assert_memory_equal(text, "4999\n5000\n", 10);
	assert_int_equal(fake_frames_left, frames);

	/* One page becomes the file's own; its neighbours and the rest of it stay as they were. */
	assert_int_equal(object_seek(object, 4096 + 10, SEEK_SET, &frames), 0);
	assert_int_equal(object_write_kernel(object, "XY", 2), 2);
	assert_int_equal(object_read_kernel(object, text, 4, 4096 + 9), 4);
	assert_memory_equal(text + 1, "XY", 2);
	assert_true(text[0] != 0 && text[3] != 0);
	assert_int_equal(object_read_kernel(object, text, 10, 23883), 10);
	assert_memory_equal(text, "4999\n5000\n", 10);
	assert_int_equal(stat_ok("/tmp/seeded").st_size, 23893);

	/* Cut and grown again: what was cut does not come back. */
	assert_int_equal(object_truncate(object, 8195), 0);
	assert_int_equal(object_truncate(object, 23893), 0);
	assert_int_equal(object_read_kernel(object, text, 5, 8193), 5);
	assert_true(text[1] != 0);
	assert_memory_equal(text + 2, "\0\0\0", 3);
	assert_int_equal(object_read_kernel(object, text, 4, 23883), 4);
	assert_memory_equal(text, "\0\0\0\0", 4);
	object_put(object);
	expect_text("/tmp/up", "data\n");
	assert_int_equal(stat_ok("/tmp/up").st_mode, S_IFLNK | 0777);
	assert_int_equal(stat_ok("/tmp").st_mode, S_IFDIR | 01777);
}

static void sparse_files_take_only_what_was_written(void **state)
{
	struct object *object = open_ok("/tmp/sparse", O_CREAT | O_RDWR);
	uint64_t position;
	char text[8];

	assert_int_equal(object_seek(object, 5l << 30, SEEK_SET, &position), 0);
	assert_int_equal(object_write_kernel(object, "end", 3), 3);
	assert_int_equal(stat_ok("/tmp/sparse").st_size, (5l << 30) + 3);
	assert_true(stat_ok("/tmp/sparse").st_blocks <= 8 * 5);
	assert_int_equal(object_read_kernel(object, text, 4, (5l << 30) - 1), 4);
	assert_memory_equal(text, "\0end", 4);
	assert_int_equal(object_read_kernel(object, text, 4, 1l << 30), 4);
	assert_memory_equal(text, "\0\0\0\0", 4);
	assert_int_equal(object_truncate(object, 0), 0);
	assert_int_equal(stat_ok("/tmp/sparse").st_blocks, 0);
	assert_int_equal(object_truncate(object, UINT64_C(1) << 62), -EFBIG);
	object_put(object);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/sparse", 0), 0);
}

static void append_and_positions_work(void **state)
{
	struct object *object = open_ok("/tmp/log", O_CREAT | O_WRONLY | O_APPEND);
	uint64_t position;

	assert_int_equal(object_write_kernel(object, "one ", 4), 4);
	assert_int_equal(object_seek(object, 0, SEEK_SET, &position), 0);
	assert_int_equal(object_write_kernel(object, "two", 3), 3);
	assert_int_equal(object_seek(object, 0, SEEK_CUR, &position), 0);
	assert_int_equal(position, 7);
	assert_int_equal(object_seek(object, -1, SEEK_END, &position), 0);
	assert_int_equal(position, 6);
	assert_int_equal(object_seek(object, -8, SEEK_END, &position), -EINVAL);
	assert_int_equal(object_seek(object, INT64_MAX, SEEK_END, &position), -EOVERFLOW);
	assert_int_equal(object_seek(object, 0, 77, &position), -EINVAL);
	object_put(object);
	expect_text("/tmp/log", "one two");
}

static void a_fault_in_the_program_ends_the_copy_there(void **state)
{
	static char memory[3 * 4096];
	struct object *object = open_ok("/tmp/fault", O_CREAT | O_RDWR);
	struct buffer buffer;

	memset(memory, 'm', sizeof(memory));
	fake_bad_address = (uint64_t)memory + 5000;
	assert_int_equal(buffer_init_user(&buffer, uptr((uint64_t)memory), sizeof(memory)), 0);
	assert_int_equal(object_write(object, &buffer, NULL), 5000);
	assert_int_equal(stat_ok("/tmp/fault").st_size, 5000);
	fake_bad_address = (uint64_t)memory;
	assert_int_equal(buffer_init_user(&buffer, uptr((uint64_t)memory), 10), 0);
	assert_int_equal(object_write(object, &buffer, NULL), -EFAULT);
	assert_int_equal(stat_ok("/tmp/fault").st_size, 5000);
	fake_bad_address = 0;
	object_put(object);
}

static void removed_files_live_while_they_are_open(void **state)
{
	uint64_t frames = fake_frames_left, blocks;
	struct object *object;
	char text[4];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/d", 0755), 0);
	blocks = fake_live_blocks;
	write_file("/tmp/d/victim", "alive");
	object = open_ok("/tmp/d/victim", O_RDONLY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/d/victim", 0), 0);
	assert_int_equal(stat_error("/tmp/d/victim"), -ENOENT);
	assert_int_equal(object_read_kernel(object, text, 4, 0), 4);
	assert_memory_equal(text, "aliv", 4);
	object_put(object);
	assert_int_equal(fake_frames_left, frames);
	assert_int_equal(fake_live_blocks, blocks + 2); /* the negative entry and its name */
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/d", AT_REMOVEDIR), 0);
}

static void directories_are_removed_when_empty(void **state)
{
	struct object *object;
	struct path path;
	char text[32];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/a", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/a/b/", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/a", 0755), -EEXIST);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/no/b", 0755), -ENOENT);
	assert_int_equal(stat_ok("/tmp/a").st_nlink, 3);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a", AT_REMOVEDIR), -ENOTEMPTY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a", 0), -EISDIR);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a/.", AT_REMOVEDIR), -EINVAL);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a/..", AT_REMOVEDIR), -ENOTEMPTY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/", AT_REMOVEDIR), -EBUSY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp", AT_REMOVEDIR), -EBUSY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/log", AT_REMOVEDIR), -ENOTDIR);
	assert_int_equal(vfs_find_directory(&kernel, NULL, "/tmp/a/b", &path), 0);
	object = open_ok("/tmp/a/b", O_RDONLY);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a/b", AT_REMOVEDIR), 0);
	assert_int_equal(path_name(&kernel.root, &path, text, sizeof(text)),
			 sizeof("/tmp/a/b (deleted)"));
	assert_string_equal(text, "/tmp/a/b (deleted)");
	/* Nothing is made in what is gone. */
	struct object *made;

	assert_int_equal(vfs_open(&kernel, object, "x", O_CREAT | O_WRONLY, 0600, &made), -ENOENT);
	object_put(object);
	path_put(&path);
	assert_int_equal(stat_ok("/tmp/a").st_nlink, 2);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/a", AT_REMOVEDIR), 0);
}

static err_t rename_to(const char *from, const char *to, unsigned flags)
{
	return vfs_rename(&kernel, NULL, from, NULL, to, flags);
}

static void renames_follow_the_rules(void **state)
{
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/r", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/r/one", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/r/two", 0755), 0);
	write_file("/tmp/r/one/file", "1");
	write_file("/tmp/r/other", "2");

	assert_int_equal(rename_to("/tmp/r/no", "/tmp/r/x", 0), -ENOENT);
	assert_int_equal(rename_to("/tmp/r/one", "/tmp/r/one/below", 0), -EINVAL);
	assert_int_equal(rename_to("/tmp/r/one", "/tmp/r/other", 0), -ENOTDIR);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/one", 0), -EISDIR);
	assert_int_equal(rename_to("/tmp/r/two", "/tmp/r/one", 0), -ENOTEMPTY);
	assert_int_equal(rename_to("/tmp/r/one/file", "/tmp/r/one", 0), -ENOTEMPTY);
	assert_int_equal(rename_to("/tmp/r/other", "/bin/other", 0), -EXDEV);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/one/file", RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/no", RENAME_EXCHANGE), -ENOENT);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/x/", 0), -ENOTDIR);
	assert_int_equal(rename_to("/tmp/r/.", "/tmp/r/x", 0), -EBUSY);
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/x", 8), -EINVAL);
	assert_int_equal(rename_to("/bin/data", "/bin/x", 0), -EROFS);

	/* Over a file; a directory over an empty one; names below move along. */
	assert_int_equal(rename_to("/tmp/r/other", "/tmp/r/one/file", 0), 0);
	expect_text("/tmp/r/one/file", "2");
	assert_int_equal(stat_error("/tmp/r/other"), -ENOENT);
	assert_int_equal(rename_to("/tmp/r/one", "/tmp/r/two", 0), 0);
	expect_text("/tmp/r/two/file", "2");
	expect_name("/tmp/r/two/file", "/tmp/r/two/file");
	assert_int_equal(stat_error("/tmp/r/one"), -ENOENT);
	assert_int_equal(stat_ok("/tmp/r").st_nlink, 3);

	/* Exchange, also of different kinds. */
	write_file("/tmp/r/file", "3");
	assert_int_equal(rename_to("/tmp/r/two", "/tmp/r/file", RENAME_EXCHANGE), 0);
	expect_text("/tmp/r/two", "3");
	expect_text("/tmp/r/file/file", "2");

	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/r/file/file", 0), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/r/file", AT_REMOVEDIR), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/r/two", 0), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/r", AT_REMOVEDIR), 0);
}

static void a_moved_working_directory_knows_its_new_name(void **state)
{
	struct path path;
	char text[64];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/m", 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/m/n", 0755), 0);
	assert_int_equal(vfs_find_directory(&kernel, NULL, "/tmp/m/n", &path), 0);
	assert_int_equal(rename_to("/tmp/m", "/tmp/moved", 0), 0);
	assert_true(path_name(&kernel.root, &path, text, sizeof(text)) > 0);
	assert_string_equal(text, "/tmp/moved/n");
	path_put(&path);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/moved/n", AT_REMOVEDIR), 0);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/moved", AT_REMOVEDIR), 0);
}

static void hard_links_are_counted(void **state)
{
	write_file("/tmp/first", "shared");
	assert_int_equal(vfs_link(&kernel, NULL, "/tmp/first", NULL, "/tmp/second", 0), 0);
	assert_int_equal(stat_ok("/tmp/first").st_nlink, 2);
	assert_int_equal(stat_ok("/tmp/first").st_ino, stat_ok("/tmp/second").st_ino);
	assert_int_equal(vfs_link(&kernel, NULL, "/tmp/first", NULL, "/tmp/second", 0), -EEXIST);
	assert_int_equal(vfs_link(&kernel, NULL, "/tmp/sub", NULL, "/tmp/s", 0), -EPERM);
	assert_int_equal(vfs_link(&kernel, NULL, "/bin/data", NULL, "/tmp/s", 0), -EXDEV);
	assert_int_equal(rename_to("/tmp/first", "/tmp/second", 0),
			 0); /* the same thing: nothing */
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/first", 0), 0);
	assert_int_equal(stat_ok("/tmp/second").st_nlink, 1);
	expect_text("/tmp/second", "shared");
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/second", 0), 0);
}

static void attributes_change_and_are_guarded(void **state)
{
	const struct abi_timespec times[2] = {{.tv_sec = 11, .tv_nsec = 12},
					      {.tv_nsec = UTIME_OMIT}};
	const struct abi_timespec bad[2] = {{.tv_nsec = -1}, {0}};
	struct abi_stat stat;

	write_file("/tmp/attr", "x");
	assert_int_equal(vfs_chmod(&user, NULL, "/tmp/attr", 0777, 0), -EPERM);
	assert_int_equal(vfs_chown(&user, NULL, "/tmp/attr", 1000, 1000, 0), -EPERM);
	assert_int_equal(vfs_utimens(&user, NULL, "/tmp/attr", times, 0), -EPERM);
	assert_int_equal(vfs_utimens(&user, NULL, "/tmp/attr", NULL, 0), -EACCES);
	assert_int_equal(vfs_chmod(&kernel, NULL, "/tmp/attr", 04755, 0), 0);
	assert_int_equal(vfs_chown(&kernel, NULL, "/tmp/attr", 1000, UINT32_MAX, 0), 0);
	stat = stat_ok("/tmp/attr");
	assert_int_equal(stat.st_mode, S_IFREG | 0755); /* a new owner: no setuid */
	assert_int_equal(stat.st_uid, 1000);
	assert_int_equal(stat.st_gid, 0);
	assert_int_equal(vfs_utimens(&kernel, NULL, "/tmp/attr", bad, 0), -EINVAL);
	assert_int_equal(vfs_utimens(&user, NULL, "/tmp/attr", times, 0), 0);
	stat = stat_ok("/tmp/attr");
	assert_int_equal(stat.st_atim.tv_sec, 11);
	assert_int_equal(stat.st_atim.tv_nsec, 12);
	assert_true(stat.st_mtim.tv_sec > 1600000000);
	fake_now_ns += NSEC_PER_SEC;
	assert_int_equal(vfs_truncate(&kernel, "/tmp/attr", 100), 0);
	assert_int_equal(stat_ok("/tmp/attr").st_size, 100);
	assert_int_equal(stat_ok("/tmp/attr").st_mtim.tv_sec, stat.st_mtim.tv_sec + 1);
	assert_int_equal(vfs_truncate(&kernel, "/tmp", 0), -EISDIR);
	/* The sticky bit of /tmp: others' files stay. */
	assert_int_equal(vfs_unlink(&user, NULL, "/tmp/log", 0), -EPERM);
	assert_int_equal(vfs_unlink(&user, NULL, "/tmp/attr", 0), 0);
}

static void memory_is_limited_and_comes_back(void **state)
{
	uint64_t frames = fake_frames_left;
	struct object *object = open_ok("/var/big", O_CREAT | O_WRONLY);
	static char block[65536];
	ssize_t done = 0;
	uint64_t total = 0;

	while (done >= 0 && total < FAKE_MEMORY_BYTES) {
		struct buffer buffer;

		buffer_init_kernel(&buffer, block, sizeof(block));
		done = object_write(object, &buffer, NULL);
		total += done > 0 ? (uint64_t)done : 0;
	}
	assert_int_equal(done, -ENOSPC);
	assert_true(total > FAKE_MEMORY_BYTES * 2 / 5 && total <= FAKE_MEMORY_BYTES / 2);
	object_put(object);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/var/big", 0), 0);
	assert_int_equal(fake_frames_left, frames);
}

/* ---- directories ---- */

static unsigned list(struct object *object, size_t buffer_bytes, bool seen[])
{
	char records[4096];
	unsigned count = 0;

	for (;;) {
		struct buffer buffer;
		ssize_t len_bytes;

		buffer_init_kernel(&buffer, records, buffer_bytes);
		len_bytes = object_getdents(object, &buffer);
		assert_true(len_bytes >= 0);
		if (!len_bytes)
			return count;
		for (ssize_t at = 0; at < len_bytes;) {
			struct abi_dirent64 *record = (void *)(records + at);
			unsigned number;

			assert_int_equal(record->d_reclen % 8, 0);
			assert_true(strlen(record->d_name) < record->d_reclen);
			if (sscanf(record->d_name, "f%u", &number) == 1) {
				assert_int_equal(record->d_type, DT_REG);
				assert_false(seen[number]);
				seen[number] = true;
			} else {
				assert_int_equal(record->d_type, DT_DIR);
			}
			count++;
			at += record->d_reclen;
		}
	}
}

static void listings_have_each_name_once_in_any_buffer(void **state)
{
	static const size_t sizes[] = {4096, 700, 32};
	struct object *object;
	struct buffer buffer;
	char name[32], small[16];

	assert_int_equal(vfs_mkdir(&kernel, NULL, "/tmp/list", 0755), 0);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "/tmp/list/f%u", i);
		write_file(name, "");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		bool seen[500] = {false};

		object = open_ok("/tmp/list", O_RDONLY | O_DIRECTORY);
		assert_int_equal(list(object, sizes[i], seen), 502);
		object_put(object);
	}
	object = open_ok("/tmp/list", O_RDONLY);
	buffer_init_kernel(&buffer, small, sizeof(small));
	assert_int_equal(object_getdents(object, &buffer), -EINVAL);
	object_put(object);
	/* Removing while listing loses nothing and doubles nothing. */
	for (unsigned i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "/tmp/list/f%u", i);
		assert_int_equal(vfs_unlink(&kernel, NULL, name, 0), 0);
	}
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/list", AT_REMOVEDIR), 0);
	object = open_ok("/bin/data", O_RDONLY);
	buffer_init_kernel(&buffer, small, sizeof(small));
	assert_int_equal(object_getdents(object, &buffer), -ENOTDIR);
	object_put(object);
}

static void the_root_of_a_mount_names_the_directory_above(void **state)
{
	struct object *object = open_ok("/tmp", O_RDONLY);
	char records[128];
	struct buffer buffer;
	struct abi_dirent64 *record = (void *)records;

	buffer_init_kernel(&buffer, records, sizeof(records));
	assert_true(object_getdents(object, &buffer) >= 48);
	assert_string_equal(record->d_name, ".");
	assert_int_equal(record->d_ino, stat_ok("/tmp").st_ino);
	record = (void *)(records + record->d_reclen);
	assert_string_equal(record->d_name, "..");
	assert_int_equal(record->d_ino, stat_ok("/").st_ino);
	object_put(object);
}

/* ---- devices and mounts ---- */

static void devices_are_found_by_name_and_by_number(void **state)
{
	struct object *object = open_ok("/dev/null", O_RDWR);
	uint64_t position;

	assert_int_equal(nopened, 1);
	assert_int_equal(stat_ok("/dev/null").st_rdev, abi_makedev(1, 3));
	assert_int_equal(object_write_kernel(object, "gone", 4), 4);
	assert_int_equal(object_seek(object, 0, SEEK_SET, &position), -ESPIPE);
	assert_int_equal(object_ioctl(object, 1, uptr(0)), -ENOTTY);
	object_put(object);
	assert_int_equal(vfs_mknod(&user, NULL, "/tmp/dev", S_IFCHR | 0666, abi_makedev(1, 3)),
			 -EPERM);
	assert_int_equal(vfs_mknod(&kernel, NULL, "/tmp/dev", S_IFCHR | 0666, abi_makedev(1, 3)),
			 0);
	object = open_ok("/tmp/dev", O_WRONLY);
	assert_int_equal(nopened, 1);
	object_put(object);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/dev", 0), 0);
	assert_int_equal(vfs_mknod(&kernel, NULL, "/tmp/dev", S_IFCHR | 0666, abi_makedev(9, 9)),
			 0);
	assert_int_equal(open_error(&kernel, "/tmp/dev", O_RDONLY), -ENXIO);
	assert_int_equal(vfs_unlink(&kernel, NULL, "/tmp/dev", 0), 0);
	/* A name that was not there may come. */
	assert_int_equal(stat_error("/dev/later"), -ENOENT);
	assert_int_equal(devfs_register("later", 1, 99, 0600, 0, &null_ops, &nopened), 0);
	assert_int_equal(stat_error("/dev/later"), 0);
	assert_int_equal(devfs_register("later", 1, 98, 0600, 0, &null_ops, NULL), -EEXIST);
	assert_int_equal(devfs_register("other", 1, 99, 0600, 0, &null_ops, NULL), -EEXIST);
}

static void mounts_are_listed(void **state)
{
	static const char *const places[] = {"/", "/dev", "/tmp", "/var", "/run", "/root", "/home"};
	struct mount_info info;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		assert_true(mount_info(i, &info));
		assert_string_equal(info.at, places[i]);
		assert_int_equal(info.read_only, i == 0);
	}
	assert_false(mount_info(ARRAY_SIZE(places), &info));
}

static void a_mount_in_use_stays(void **state)
{
	struct object *object = open_ok("/home", O_RDONLY);
	struct path path;
	struct mount_info info;

	write_file("/home/file", "x");
	path = path_get(&(struct path){file_path(object).dentry});
	assert_int_equal(mount_remove(&path), -EBUSY);
	path_put(&path);
	path = path_get(&(struct path){file_path(object).dentry});
	object_put(object);
	/* Only this reference is left, which says what to remove. */
	struct path borrowed = path;

	path_put(&path);
	assert_int_equal(mount_remove(&borrowed), 0);
	assert_false(mount_info(6, &info));
	assert_int_equal(stat_error("/home/file"), -ENOENT);
	assert_int_equal(stat_error("/home"), 0); /* what was below shows again */
}

/* ---- memory running out ---- */

static void every_failed_allocation_is_an_error_and_no_leak(void **state)
{
	struct object *object;

	write_file("/run/warm", "x");
	for (unsigned n = 0; n < 60; n++) {
		err_t err;

		fake_fail_allocation_after = n;
		err = vfs_open(&kernel, NULL, "/run/fresh", O_CREAT | O_WRONLY, 0600, &object);
		fake_fail_allocation_after = UINT64_MAX;
		if (err) {
			assert_int_equal(err, -ENOMEM);
			(void)!vfs_unlink(&kernel, NULL, "/run/fresh", 0);
			continue;
		}
		fake_fail_allocation_after = 0;
		err = vfs_mkdir(&kernel, NULL, "/run/directory", 0700);
		assert_int_equal(err, -ENOMEM);
		err = vfs_rename(&kernel, NULL, "/run/warm", NULL, "/run/warm2", 0);
		assert_int_equal(err, -ENOMEM);
		fake_fail_allocation_after = UINT64_MAX;
		object_put(object);
		expect_text("/run/warm", "x");
		return;
	}
	fail_msg("it never worked");
}

#define TEST(test) cmocka_unit_test_teardown(test, nothing_is_held)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_lead_where_they_should),
		TEST(bad_paths_give_linux_errors),
		TEST(forty_links_are_followed_and_no_more),
		TEST(a_cached_walk_asks_no_server),
		TEST(a_changed_root_is_not_left),
		TEST(the_ramdisk_is_read_only),
		TEST(its_pages_are_mapped_in_place),
		TEST(modes_decide_for_who_is_not_root),
		TEST(open_flags_do_what_they_say),
		TEST(relative_names_start_at_the_descriptor),
		TEST(seeded_files_show_through_until_written),
		TEST(sparse_files_take_only_what_was_written),
		TEST(append_and_positions_work),
		TEST(a_fault_in_the_program_ends_the_copy_there),
		TEST(removed_files_live_while_they_are_open),
		TEST(directories_are_removed_when_empty),
		TEST(renames_follow_the_rules),
		TEST(a_moved_working_directory_knows_its_new_name),
		TEST(hard_links_are_counted),
		TEST(attributes_change_and_are_guarded),
		TEST(memory_is_limited_and_comes_back),
		TEST(listings_have_each_name_once_in_any_buffer),
		TEST(the_root_of_a_mount_names_the_directory_above),
		TEST(devices_are_found_by_name_and_by_number),
		TEST(mounts_are_listed),
		TEST(a_mount_in_use_stays),
		TEST(every_failed_allocation_is_an_error_and_no_leak),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
