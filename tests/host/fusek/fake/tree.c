/*
 * See tree.h.
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

#include "../../support/image.h"
#include "kernel.h"
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char script[] =
	"mkdir -p bin dev tmp/sub/deep var run root home private; chmod 1777 tmp;"
	"echo program > bin/program; chmod 755 bin/program; echo data > bin/data;"
	"ln -s bin/program link; ln -s /bin absolute; ln -s loop loop; ln -s nowhere dangling;"
	"ln -s ../bin/data tmp/up; seq 1 5000 > tmp/seeded; chmod 600 tmp/seeded; cp tmp/seeded "
	"tmp/punched;"
	"echo secret > private/file; chmod 700 private; chmod 600 private/file;"
	"truncate -s 20000 holes; echo end >> holes";

struct vfs_context kernel, user;

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

unsigned nopened;

static err_t null_open(struct device_file *file, unsigned flags)
{
	nopened++;
	return file->argument == &nopened ? 0 : -EIO;
}

static void null_release(struct device_file *file)
{
	nopened--;
}

const struct device_ops null_ops = {
	.open = null_open, .read = null_read, .write = null_write, .release = null_release};

int tree_begin(void **state)
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
	user.capabilities = 0;
	user.own_capabilities = 0;
	user.uid = user.gid = OTHER_UID;
	return 0;
}

/* ---- short forms ---- */

struct object *open_ok(const char *name, unsigned flags)
{
	struct object *object;
	err_t err = vfs_open(&kernel, NULL, name, flags, 0644, &object);

	if (err)
		fail_msg("open %s: %d", name, err);
	return object;
}

err_t open_error(const struct vfs_context *context, const char *name, unsigned flags)
{
	struct object *object;
	err_t err = vfs_open(context, NULL, name, flags, 0644, &object);

	if (!err)
		object_put(object);
	return err;
}

void write_file(const char *name, const char *text)
{
	struct object *object = open_ok(name, O_CREAT | O_TRUNC | O_WRONLY);

	assert_int_equal(object_write_kernel(object, text, strlen(text)), strlen(text));
	object_put(object);
}

void expect_text(const char *name, const char *text)
{
	struct object *object = open_ok(name, O_RDONLY);
	char found[256];
	ssize_t len_bytes = object_read_kernel(object, found, sizeof(found), 0);

	assert_int_equal(len_bytes, strlen(text));
	assert_memory_equal(found, text, strlen(text));
	object_put(object);
}

struct abi_stat stat_ok(const char *name)
{
	struct abi_stat stat;

	assert_int_equal(vfs_stat(&kernel, NULL, name, AT_SYMLINK_NOFOLLOW, &stat), 0);
	return stat;
}

err_t stat_error(const char *name)
{
	struct abi_stat stat;

	return vfs_stat(&kernel, NULL, name, 0, &stat);
}

void expect_name(const char *name, const char *expected)
{
	struct path path;
	char text[256];

	assert_int_equal(path_walk(&kernel, NULL, name, WALK_FOLLOW, &path), 0);
	assert_true(path_name(&kernel.root, &path, text, sizeof(text)) > 0);
	assert_string_equal(text, expected);
	path_put(&path);
}

/* Everything that the test made is gone again. */
int nothing_is_held(void **state)
{
	return fake_locks_held == 0 && fake_bad_address == 0 && nopened == 0 ? 0 : -1;
}
