/*
 * Mounts that share what is mounted in them: MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, what
 * comes to peers and goes from them, move_mount's MOVE_MOUNT_SET_GROUP and MOVE_MOUNT_BENEATH.
 * Written for an administrator.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "mount_help.h"

#define DIR "/tmp/mount_peers"
#define A   DIR "/a"
#define B   DIR "/b"
#define C   DIR "/c"
#define D   DIR "/d"

/* linux/mount.h cannot be had beside sys/mount.h. */
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x004
#endif
#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP 0x100
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

struct attributes {
	uint64_t set, clear, propagation, userns_fd;
};

static bool tmpfs_on(const char *at)
{
	return mount("none", at, "tmpfs", 0, NULL) == 0;
}

static bool bind(const char *from, const char *at)
{
	return mount(from, at, NULL, MS_BIND, NULL) == 0;
}

static bool becomes(const char *at, unsigned long type)
{
	return mount(NULL, at, NULL, type, NULL) == 0;
}

static bool is_there(const char *name)
{
	return access(name, F_OK) == 0;
}

static bool make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);

	return fd >= 0 && close(fd) == 0;
}

static int move(const char *from, const char *to, unsigned flags)
{
	return (int)syscall(SYS_move_mount, AT_FDCWD, from, AT_FDCWD, to, flags);
}

/* Behind "shared:" or "master:" in the line of the mount at `at`, which is the last one there; 0:
 * it is not said. */
static unsigned number_of(const char *at, const char *kind)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[1024], place[256];
	unsigned number = 0;

	while (file && fgets(line, sizeof(line), file)) {
		char *fields = strstr(line, " - ");
		char *said;

		if (fields)
			*fields = 0;
		if (sscanf(line, "%*s %*s %*s %*s %255s", place) != 1 || strcmp(place, at) != 0)
			continue;
		said = strstr(line, kind);
		number = said ? (unsigned)atoi(said + strlen(kind)) : 0;
	}
	if (file)
		fclose(file);
	return number;
}

static unsigned shared(const char *at)
{
	return number_of(at, " shared:");
}

static unsigned master(const char *at)
{
	return number_of(at, " master:");
}

static bool is_private(const char *at)
{
	return !shared(at) && !master(at);
}

/* How many mounts stand at the place. */
static unsigned mounts_at(const char *at)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[1024], place[256];
	unsigned count = 0;

	while (file && fgets(line, sizeof(line), file))
		count +=
			sscanf(line, "%*s %*s %*s %*s %255s", place) == 1 && strcmp(place, at) == 0;
	if (file)
		fclose(file);
	return count;
}

/* A, shared, has a directory "in", and B is its peer. */
static bool two_peers(void)
{
	return tmpfs_on(A) && mkdir(A "/in", 0755) == 0 && becomes(A, MS_SHARED) && bind(A, B);
}

static void clear(void)
{
	static const char *const all[] = {A, B, C, D};

	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
		while (umount2(all[i], MNT_DETACH) == 0)
			;
}

static void a_bind_of_what_is_shared_is_its_peer(void)
{
	EXPECT(tmpfs_on(A));
	EXPECT(is_private(A));
	EXPECT(bind(A, B));
	EXPECT(is_private(B));
	EXPECT_EQUAL(umount(B), 0);
	EXPECT(becomes(A, MS_SHARED));
	EXPECT(becomes(A, MS_SHARED)); /* as it is */
	EXPECT(bind(A, B));
	EXPECT(shared(A) != 0);
	EXPECT_EQUAL(shared(B), shared(A));
	EXPECT(becomes(B, MS_PRIVATE));
	EXPECT(is_private(B));
	EXPECT(shared(A) != 0);
}

static void what_is_mounted_in_one_comes_to_all(void)
{
	EXPECT(two_peers());
	EXPECT(bind(A "/in", C)); /* a peer that shows less */
	EXPECT(tmpfs_on(A "/in"));
	EXPECT(make(A "/in/file"));
	EXPECT(is_there(B "/in/file"));
	EXPECT(is_there(C "/file"));
	EXPECT(shared(A "/in") != 0 && shared(A "/in") != shared(A));
	EXPECT_EQUAL(shared(B "/in"), shared(A "/in"));
	/* What comes is shared itself. */
	EXPECT_EQUAL(mkdir(A "/in/deeper", 0755), 0);
	EXPECT(tmpfs_on(B "/in/deeper"));
	EXPECT(make(B "/in/deeper/file"));
	EXPECT(is_there(A "/in/deeper/file"));
	EXPECT(is_there(C "/deeper/file"));
	/* And goes from all. */
	EXPECT_EQUAL(umount(C "/deeper"), 0);
	EXPECT(!is_there(A "/in/deeper/file") && !is_there(B "/in/deeper/file"));
	EXPECT_EQUAL(umount(B "/in"), 0);
	EXPECT(!is_there(A "/in/file") && !is_there(C "/file"));
	EXPECT_EQUAL(mounts_at(C), 1);
}

static void what_one_does_not_show_does_not_come_to_it(void)
{
	EXPECT(two_peers());
	EXPECT_EQUAL(mkdir(A "/other", 0755), 0);
	EXPECT(bind(A "/in", C));
	EXPECT(tmpfs_on(B "/other"));
	EXPECT_EQUAL(mounts_at(A "/other"), 1);
	EXPECT_EQUAL(mounts_at(C), 1);
}

static void a_receiver_gives_nothing_back(void)
{
	EXPECT(two_peers());
	EXPECT_EQUAL(mkdir(A "/own", 0755), 0);
	EXPECT(becomes(B, MS_SLAVE));
	EXPECT_EQUAL(master(B), shared(A));
	EXPECT_EQUAL(shared(B), 0);
	EXPECT(tmpfs_on(B "/own"));
	EXPECT_EQUAL(mounts_at(A "/own"), 0);
	EXPECT(is_private(B "/own"));
	EXPECT(tmpfs_on(A "/in"));
	EXPECT(make(A "/in/file"));
	EXPECT(is_there(B "/in/file"));
	EXPECT_EQUAL(master(B "/in"), shared(A "/in"));
	EXPECT_EQUAL(shared(B "/in"), 0);
	EXPECT_EQUAL(umount(B "/in"), 0);
	EXPECT(is_there(A "/in/file"));
	/* A copy of it receives as well. */
	EXPECT(bind(B, C));
	EXPECT_EQUAL(master(C), shared(A));
	EXPECT_EQUAL(shared(C), 0);
}

static void receivers_pass_on_to_their_peers_and_receivers(void)
{
	EXPECT(two_peers());
	EXPECT(becomes(B, MS_SLAVE));
	EXPECT(becomes(B, MS_SHARED));
	EXPECT(master(B) == shared(A) && shared(B) != 0 && shared(B) != shared(A));
	EXPECT(bind(B, C));
	EXPECT(shared(C) == shared(B) && master(C) == shared(A));
	EXPECT(bind(C, D) && becomes(D, MS_SLAVE));
	EXPECT(master(D) == shared(C));
	EXPECT(tmpfs_on(A "/in"));
	EXPECT(make(A "/in/file"));
	EXPECT(is_there(B "/in/file") && is_there(C "/in/file") && is_there(D "/in/file"));
	EXPECT(shared(B "/in") && shared(B "/in") == shared(C "/in"));
	EXPECT(master(B "/in") == shared(A "/in") && master(C "/in") == shared(A "/in"));
	EXPECT(master(D "/in") == shared(B "/in") && !shared(D "/in"));
	EXPECT_EQUAL(umount(A "/in"), 0);
	EXPECT(!is_there(B "/in/file") && !is_there(C "/in/file") && !is_there(D "/in/file"));
	/* From the middle it goes down, not up. */
	EXPECT(tmpfs_on(C "/in"));
	EXPECT_EQUAL(mounts_at(A "/in"), 0);
	EXPECT_EQUAL(mounts_at(B "/in"), 1);
	EXPECT_EQUAL(mounts_at(D "/in"), 1);
}

static void who_is_left_without_peers_hands_its_receivers_on(void)
{
	unsigned first;

	EXPECT(two_peers());
	first = shared(A);
	EXPECT(becomes(B, MS_SLAVE) && becomes(B, MS_SHARED));
	EXPECT(bind(B, C) && becomes(C, MS_SLAVE));
	EXPECT(master(C) == shared(B));
	EXPECT(becomes(B, MS_SLAVE)); /* the last of its peers: of whom it received before */
	EXPECT(master(B) == first && !shared(B));
	EXPECT_EQUAL(master(C), first);
	EXPECT(becomes(A, MS_PRIVATE));
	EXPECT(is_private(B) && is_private(C));
	EXPECT(becomes(A, MS_SLAVE)); /* of nobody */
	EXPECT(is_private(A));
}

static void an_unmounted_peer_hands_its_receivers_on(void)
{
	EXPECT(two_peers());
	EXPECT(bind(A, C) && becomes(C, MS_SLAVE));
	EXPECT_EQUAL(umount(B), 0);
	EXPECT_EQUAL(master(C), shared(A));
	EXPECT_EQUAL(umount(A), 0);
	EXPECT(is_private(C));
}

static void no_copy_is_made_of_what_is_unbindable(void)
{
	EXPECT(tmpfs_on(A));
	EXPECT_EQUAL(mkdir(A "/in", 0755), 0);
	EXPECT(tmpfs_on(A "/in"));
	EXPECT(becomes(A "/in", MS_UNBINDABLE));
	EXPECT_ERRNO(EINVAL, mount(A "/in", B, NULL, MS_BIND, NULL));
	EXPECT(becomes(A "/in", MS_SLAVE)); /* which says nothing of that */
	EXPECT_ERRNO(EINVAL, mount(A "/in", B, NULL, MS_BIND, NULL));
	EXPECT_EQUAL(mount(A, B, NULL, MS_BIND | MS_REC, NULL), 0);
	EXPECT_EQUAL(mounts_at(B "/in"), 0);
	/* It does not come to what is shared. */
	EXPECT(tmpfs_on(C) && mkdir(C "/to", 0755) == 0 && becomes(C, MS_SHARED));
	EXPECT_ERRNO(EINVAL, mount(A "/in", C "/to", NULL, MS_MOVE, NULL));
	EXPECT(becomes(A "/in", MS_SHARED)); /* which ends it */
	EXPECT(bind(A "/in", D));
}

static void a_tree_is_moved_to_all_and_not_out_of_what_is_shared(void)
{
	EXPECT(two_peers());
	EXPECT(tmpfs_on(C));
	EXPECT_EQUAL(mkdir(C "/below", 0755), 0);
	EXPECT(tmpfs_on(C "/below"));
	EXPECT(make(C "/below/file"));
	EXPECT_EQUAL(mount(C, A "/in", NULL, MS_MOVE, NULL), 0);
	EXPECT(is_there(A "/in/below/file") && is_there(B "/in/below/file"));
	EXPECT(shared(A "/in/below") && shared(B "/in/below") == shared(A "/in/below"));
	EXPECT_ERRNO(EINVAL, mount(A "/in", D, NULL, MS_MOVE, NULL));
	EXPECT(becomes(A, MS_PRIVATE));
	EXPECT_EQUAL(mount(A "/in", D, NULL, MS_MOVE, NULL), 0);
	EXPECT(is_there(D "/below/file") && is_there(B "/in/below/file"));
}

static void a_tree_can_come_into_itself(void)
{
	EXPECT(two_peers());
	EXPECT_EQUAL(umount(B), 0);
	EXPECT_EQUAL(mkdir(A "/in/below", 0755), 0);
	EXPECT_EQUAL(mount(A, A "/in", NULL, MS_BIND | MS_REC, NULL), 0);
	EXPECT_EQUAL(shared(A "/in"), shared(A));
	EXPECT_EQUAL(mounts_at(A "/in"), 1);
	EXPECT(tmpfs_on(A "/in/in"));
	EXPECT_EQUAL(umount2(A, MNT_DETACH), 0);
}

static void all_of_a_tree_becomes_shared(void)
{
	struct attributes private = {.propagation = MS_PRIVATE};
	struct attributes many = {.propagation = MS_PRIVATE | MS_SHARED};

	EXPECT(tmpfs_on(A));
	EXPECT_EQUAL(mkdir(A "/in", 0755), 0);
	EXPECT(tmpfs_on(A "/in"));
	EXPECT(becomes(A, MS_SHARED | MS_REC));
	EXPECT(shared(A) && shared(A "/in") && shared(A) != shared(A "/in"));
	EXPECT_EQUAL(
		syscall(SYS_mount_setattr, AT_FDCWD, A, AT_RECURSIVE, &private, sizeof(private)),
		0);
	EXPECT(is_private(A) && is_private(A "/in"));
	private.propagation = MS_SHARED;
	EXPECT_EQUAL(syscall(SYS_mount_setattr, AT_FDCWD, A, 0, &private, sizeof(private)), 0);
	EXPECT(shared(A) && is_private(A "/in"));
	EXPECT_ERRNO(EINVAL, syscall(SYS_mount_setattr, AT_FDCWD, A, 0, &many, sizeof(many)));
	EXPECT_ERRNO(EINVAL, mount(NULL, A, NULL, MS_PRIVATE | MS_SHARED, NULL));
	EXPECT(mkdir(A "/plain", 0755) == 0);
	EXPECT_ERRNO(EINVAL, mount(NULL, A "/plain", NULL, MS_SHARED, NULL));
}

static void what_is_in_use_with_a_peer_stays_everywhere(void)
{
	int fd;

	EXPECT(two_peers());
	EXPECT(tmpfs_on(A "/in"));
	EXPECT(make(B "/in/file"));
	fd = open(B "/in/file", O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT_ERRNO(EBUSY, umount(A "/in"));
	EXPECT(mounts_at(A "/in") == 1 && mounts_at(B "/in") == 1);
	EXPECT_EQUAL(umount2(A "/in", MNT_DETACH), 0);
	EXPECT(mounts_at(A "/in") == 0 && mounts_at(B "/in") == 0);
	EXPECT_EQUAL(close(fd), 0);
}

static void what_has_something_of_its_own_in_it_stays(void)
{
	EXPECT(two_peers());
	EXPECT(tmpfs_on(A "/in"));
	EXPECT_EQUAL(mkdir(A "/in/deep", 0755), 0);
	EXPECT(becomes(B "/in", MS_PRIVATE));
	EXPECT(tmpfs_on(B "/in/deep"));
	EXPECT_EQUAL(mounts_at(A "/in/deep"), 0);
	EXPECT_EQUAL(umount(A "/in"), 0);
	EXPECT_EQUAL(mounts_at(B "/in"), 1);
	EXPECT_EQUAL(mounts_at(B "/in/deep"), 1);
}

static void what_covers_a_peer_comes_to_its_place(void)
{
	EXPECT(two_peers());
	EXPECT(tmpfs_on(A "/in"));
	EXPECT(becomes(B "/in", MS_PRIVATE));
	EXPECT(tmpfs_on(B "/in"));
	EXPECT(make(B "/in/mine"));
	EXPECT_EQUAL(mounts_at(B "/in"), 2);
	EXPECT_EQUAL(umount(A "/in"), 0);
	EXPECT_EQUAL(mounts_at(B "/in"), 1);
	EXPECT(is_there(B "/in/mine"));
	EXPECT_EQUAL(umount(B "/in"), 0);
}

static void what_comes_goes_under_what_stands_there(void)
{
	EXPECT(two_peers());
	EXPECT(becomes(B, MS_SLAVE));
	EXPECT(tmpfs_on(B "/in"));
	EXPECT(make(B "/in/mine"));
	EXPECT(tmpfs_on(A "/in"));
	EXPECT(make(A "/in/theirs"));
	EXPECT(is_there(B "/in/mine") && !is_there(B "/in/theirs"));
	EXPECT_EQUAL(mounts_at(B "/in"), 2);
	EXPECT_EQUAL(umount(B "/in"), 0);
	EXPECT(is_there(B "/in/theirs"));
	EXPECT_EQUAL(umount(A "/in"), 0);
	EXPECT_EQUAL(mounts_at(B "/in"), 0);
}

static void a_detached_tree_takes_its_parts_from_peers(void)
{
	EXPECT(two_peers());
	EXPECT(tmpfs_on(A "/in"));
	EXPECT_EQUAL(mkdir(A "/in/deep", 0755), 0);
	EXPECT(tmpfs_on(A "/in/deep"));
	EXPECT_EQUAL(umount2(A "/in", MNT_DETACH), 0);
	EXPECT(mounts_at(B "/in") == 0 && mounts_at(B "/in/deep") == 0);
}

static void a_tree_by_descriptor_is_a_peer_and_comes_to_all(void)
{
	int tree;

	EXPECT(two_peers());
	EXPECT(tmpfs_on(C) && becomes(C, MS_SHARED));
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, C, OPEN_TREE_CLONE);
	EXPECT(tree >= 0);
	EXPECT_EQUAL(syscall(SYS_move_mount, tree, "", AT_FDCWD, A "/in", MOVE_MOUNT_F_EMPTY_PATH),
		     0);
	EXPECT_EQUAL(close(tree), 0);
	EXPECT_EQUAL(shared(A "/in"), shared(C));
	EXPECT_EQUAL(shared(B "/in"), shared(C));
	/* One that is closed unused leaves nothing. */
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, C, OPEN_TREE_CLONE);
	EXPECT(tree >= 0 && close(tree) == 0);
	EXPECT_EQUAL(umount(A "/in"), 0);
	EXPECT_EQUAL(umount(C), 0);
}

static void a_group_is_given_to_a_private_mount(void)
{
	EXPECT(two_peers());
	EXPECT(becomes(B, MS_PRIVATE));
	EXPECT(bind(A "/in", C) && becomes(C, MS_PRIVATE));
	EXPECT_ERRNO(EINVAL, move(B, A, MOVE_MOUNT_SET_GROUP)); /* has none to give */
	EXPECT_EQUAL(move(A, B, MOVE_MOUNT_SET_GROUP), 0);
	EXPECT_EQUAL(shared(B), shared(A));
	EXPECT_ERRNO(EINVAL, move(A, B, MOVE_MOUNT_SET_GROUP)); /* has it already */
	EXPECT_EQUAL(move(A, C, MOVE_MOUNT_SET_GROUP), 0);      /* shows a part of it */
	EXPECT(tmpfs_on(A "/in"));
	EXPECT(make(A "/in/file"));
	EXPECT(is_there(B "/in/file") && is_there(C "/file"));
	EXPECT_EQUAL(umount(A "/in"), 0);

	EXPECT(tmpfs_on(D));
	EXPECT_ERRNO(EINVAL, move(A, D, MOVE_MOUNT_SET_GROUP)); /* another filesystem */
	EXPECT_ERRNO(EINVAL, move(A, A "/in", MOVE_MOUNT_SET_GROUP));
	EXPECT(becomes(B, MS_SLAVE));
	EXPECT_EQUAL(umount(D), 0);
	EXPECT(bind(B, D) && becomes(D, MS_PRIVATE));
	EXPECT_EQUAL(move(B, D, MOVE_MOUNT_SET_GROUP), 0);
	EXPECT(master(D) == shared(A) && !shared(D));
	EXPECT(becomes(C, MS_PRIVATE));
	EXPECT(becomes(B, MS_PRIVATE));
	EXPECT_ERRNO(EINVAL, move(C, B, MOVE_MOUNT_SET_GROUP));
}

static void no_group_is_taken_from_a_part(void)
{
	EXPECT(two_peers());
	EXPECT_EQUAL(umount(B), 0);
	EXPECT(bind(A "/in", B));
	EXPECT(bind(A, C) && becomes(C, MS_PRIVATE));
	EXPECT_ERRNO(EINVAL, move(B, C, MOVE_MOUNT_SET_GROUP)); /* which shows more */
}

static void a_mount_comes_beneath_another(void)
{
	EXPECT(tmpfs_on(A) && make(A "/upper"));
	EXPECT(tmpfs_on(B) && make(B "/lower"));
	EXPECT_EQUAL(move(B, A, MOVE_MOUNT_BENEATH), 0);
	EXPECT(is_there(A "/upper") && mounts_at(A) == 2 && mounts_at(B) == 0);
	EXPECT_EQUAL(umount(A), 0);
	EXPECT(is_there(A "/lower"));
	EXPECT_EQUAL(umount(A), 0);
	EXPECT_EQUAL(mounts_at(A), 0);
}

static void beneath_what_is_shared_it_comes_to_all(void)
{
	EXPECT(two_peers());
	EXPECT(tmpfs_on(A "/in") && make(A "/in/upper"));
	EXPECT(tmpfs_on(C) && make(C "/lower"));
	EXPECT_EQUAL(move(C, A "/in", MOVE_MOUNT_BENEATH), 0);
	EXPECT(is_there(A "/in/upper") && is_there(B "/in/upper"));
	EXPECT(mounts_at(A "/in") == 2 && mounts_at(B "/in") == 2);
	EXPECT_EQUAL(umount(A "/in"), 0);
	EXPECT(is_there(A "/in/lower"));
}

static void not_everything_goes_beneath(void)
{
	EXPECT(tmpfs_on(A) && mkdir(A "/in", 0755) == 0);
	EXPECT(tmpfs_on(B) && mkdir(B "/in", 0755) == 0);
	EXPECT_ERRNO(EINVAL, move(B, A "/in", MOVE_MOUNT_BENEATH)); /* no mount there */
	EXPECT_ERRNO(EINVAL, move(B, B, MOVE_MOUNT_BENEATH));
	EXPECT_ERRNO(EINVAL, move(B, "/", MOVE_MOUNT_BENEATH));
	EXPECT_ERRNO(EINVAL, move(B "/in", A, MOVE_MOUNT_BENEATH)); /* none that could */
	EXPECT(tmpfs_on(B "/in"));
	EXPECT_ERRNO(EINVAL, move(B "/in", B, MOVE_MOUNT_BENEATH)); /* it stands in that */
	EXPECT_ERRNO(EINVAL, move(A, B, MOVE_MOUNT_BENEATH | MOVE_MOUNT_SET_GROUP));
	EXPECT_ERRNO(EINVAL, move(A, B, 0x400));
}

static void what_comes_to_peers_counts_for_each(void)
{
	unsigned before = count_mounts();

	EXPECT(two_peers());
	EXPECT(bind(A, C) && bind(A, D));
	EXPECT_EQUAL(count_mounts(), before + 4);
	EXPECT(tmpfs_on(A "/in"));
	EXPECT_EQUAL(count_mounts(), before + 8);
	EXPECT_EQUAL(umount(A "/in"), 0);
	EXPECT_EQUAL(count_mounts(), before + 4);
}

static void peers_go_with_a_removed_directory(void)
{
	EXPECT(two_peers());
	EXPECT(tmpfs_on(A "/in"));
	EXPECT_ERRNO(EBUSY, rmdir(B "/in"));
	EXPECT_EQUAL(umount(B "/in"), 0);
	EXPECT_EQUAL(rmdir(B "/in"), 0);
}

#define RUN_CLEAR(test)                                                                            \
	do {                                                                                       \
		RUN(test);                                                                         \
		clear();                                                                           \
	} while (0)

int main(void)
{
	static const char *const all[] = {DIR, A, B, C, D};
	unsigned before;

	/* On a machine that has them: nobody else sees the mounts. */
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
		mkdir(all[i], 0755);
	if ((!tmpfs_on(A) || umount(A)) && may_be_restricted()) {
		printf("ok nothing_can_be_mounted_here\n");
		return 0;
	}
	before = count_mounts();
	RUN_CLEAR(a_bind_of_what_is_shared_is_its_peer);
	RUN_CLEAR(what_is_mounted_in_one_comes_to_all);
	RUN_CLEAR(what_one_does_not_show_does_not_come_to_it);
	RUN_CLEAR(a_receiver_gives_nothing_back);
	RUN_CLEAR(receivers_pass_on_to_their_peers_and_receivers);
	RUN_CLEAR(who_is_left_without_peers_hands_its_receivers_on);
	RUN_CLEAR(an_unmounted_peer_hands_its_receivers_on);
	RUN_CLEAR(no_copy_is_made_of_what_is_unbindable);
	RUN_CLEAR(a_tree_is_moved_to_all_and_not_out_of_what_is_shared);
	RUN_CLEAR(a_tree_can_come_into_itself);
	RUN_CLEAR(all_of_a_tree_becomes_shared);
	RUN_CLEAR(what_is_in_use_with_a_peer_stays_everywhere);
	RUN_CLEAR(what_has_something_of_its_own_in_it_stays);
	RUN_CLEAR(what_covers_a_peer_comes_to_its_place);
	RUN_CLEAR(what_comes_goes_under_what_stands_there);
	RUN_CLEAR(a_detached_tree_takes_its_parts_from_peers);
	RUN_CLEAR(a_tree_by_descriptor_is_a_peer_and_comes_to_all);
	RUN_CLEAR(a_group_is_given_to_a_private_mount);
	RUN_CLEAR(no_group_is_taken_from_a_part);
	RUN_CLEAR(a_mount_comes_beneath_another);
	RUN_CLEAR(beneath_what_is_shared_it_comes_to_all);
	RUN_CLEAR(not_everything_goes_beneath);
	RUN_CLEAR(what_comes_to_peers_counts_for_each);
	RUN_CLEAR(peers_go_with_a_removed_directory);
	if (count_mounts() != before) {
		printf("not ok all_mounts_are_gone: %u, not %u\n", count_mounts(), before);
		return 1;
	}
	for (unsigned i = sizeof(all) / sizeof(*all); i-- > 0;)
		rmdir(all[i]);
	return check_end();
}
