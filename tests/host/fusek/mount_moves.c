/* sources: @driver */
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
