/* sources: fusek/attributes.c fusek/change.c fusek/context.c fusek/dentry.c fusek/dentry_evict.c
   fusek/devfs.c fusek/file.c fusek/file_locks.c fusek/file_map.c fusek/locks.c fusek/ranges.c
   fusek/xattr.c fusek/filesystems.c fusek/getdents.c fusek/handle.c fusek/init.c fusek/memfd.c
   fusek/filesystem.c fusek/mount.c fusek/mount_calls.c fusek/mount_change.c fusek/mount_copy.c
   fusek/peers.c fusek/propagation.c fusek/mount_detached.c fusek/mount_info.c fusek/node.c
   fusek/open.c fusek/pages.c fusek/pages_direct.c fusek/pages_write.c fusek/path.c
   fusek/path_name.c fusek/ramdisk.c fusek/remove.c fusek/dnotify.c fusek/lease.c fusek/inotify.c
   fusek/notify.c ipc/anonymous.c fusek/ext2/super.c fusek/ext2/inode.c fusek/ext2/directory.c
   fusek/tmpfs/data.c fusek/tmpfs/seals.c fusek/tmpfs/range.c fusek/tmpfs/xattr.c
   fusek/tmpfs/entries.c fusek/tmpfs/inode.c fusek/tmpfs/names.c fusek/tmpfs/options.c
   fusek/tmpfs/pages.c fusek/tmpfs/seed.c fusek/driver/connection.c fusek/driver/device.c
   fusek/driver/files.c fusek/driver/ranges.c fusek/driver/control.c fusek/driver/locks.c
   fusek/driver/xattr.c fusek/driver/stream.c fusek/driver/notify.c fusek/driver/options.c
   fusek/driver/orphan.c fusek/driver/polled.c fusek/driver/reader.c fusek/driver/request.c
   fusek/driver/server.c fusek/proto/close.c fusek/proto/control.c fusek/proto/data.c
   fusek/proto/range.c fusek/proto/ioctl.c fusek/proto/lock.c fusek/proto/statx.c
   fusek/proto/xattr.c fusek/proto/forget.c fusek/proto/getattr.c fusek/proto/init.c
   fusek/proto/lookup.c fusek/proto/make.c fusek/proto/message.c fusek/proto/open.c
   fusek/proto/readdir.c fusek/proto/readlink.c fusek/proto/remove.c fusek/proto/setattr.c
   fusek/proto/statfs.c ipc/buffer.c ipc/object.c ipc/user.c lib/tree.c lib/string.c lib/fmt.c
   mm/pageset.c tests/host/fusek/fake/kernel.c tests/host/support/image.c
   tests/host/fusek/fake/tree.c tests/host/fusek/fake/driver.c
   tests/host/fusek/fake/driver_files.c tests/host/fusek/fake/mounted.c */
/*
 * Mounts that move between shared places: nothing of what was prepared for that is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/kernel.h"
#include "fake/tree.h"

#include <abi/mount.h>
#include <fusek/mount.h>

#define A "/tmp/a"
#define B "/tmp/b"

static void mount_ok(const char *source, const char *at, const char *type, unsigned long flags)
{
	assert_int_equal(vfs_mount(&kernel, source, at, type, flags, ""), 0);
}

/* B receives of A. */
static void begin_pair(void)
{
	mount_ok("none", A, "tmpfs", 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, A "/in", 0755), 0);
	mount_ok("none", A, "", MS_SHARED);
	mount_ok(A, B, "", MS_BIND);
	mount_ok("none", B, "", MS_SLAVE);
}

static void end_pair(void)
{
	assert_int_equal(vfs_umount(&kernel, A, MNT_DETACH), 0);
	assert_int_equal(vfs_umount(&kernel, B, MNT_DETACH), 0);
	names_evict();
}

/* It comes to where it came from: as a copy, under which nothing stands any more. */
static void move_to_whom_it_receives_of(void)
{
	begin_pair();
	mount_ok("none", B "/in", "tmpfs", 0);
	mount_ok(B "/in", A "/in", "", MS_MOVE);
	end_pair();
}

static void what_moves_to_whom_its_place_receives_of_leaves_nothing(void **state)
{
	uint64_t blocks;

	assert_int_equal(vfs_mkdir(&kernel, NULL, A, 0755), 0);
	assert_int_equal(vfs_mkdir(&kernel, NULL, B, 0755), 0);
	move_to_whom_it_receives_of();
	blocks = fake_live_blocks;
	move_to_whom_it_receives_of();
	assert_int_equal(fake_live_blocks, blocks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_moves_to_whom_its_place_receives_of_leaves_nothing,
					  nothing_is_held),
	};

	return cmocka_run_group_tests(tests, tree_begin, NULL);
}
