/*
 * Modes, owners, and who may do what.
 */
#include "posix.h"

#include <sys/syscall.h>

/* Whether the effective user may. */
static bool may(const char *name, int what)
{
	return faccessat(AT_FDCWD, name, what, AT_EACCESS) == 0;
}

/* A file of ALICE's, and of BOB's group. */
#define FILE_OF_ALICE(name, mode)                                                                  \
	PUT(name, "text");                                                                         \
	EXPECT_EQUAL(chown(name, ALICE, BOB), 0);                                                  \
	EXPECT_EQUAL(chmod(name, mode), 0)

CASE(chmod_sets_all_twelve_bits)
{
	PUT("f", "");
	for (unsigned bit = 1; bit <= 04000; bit <<= 1) {
		EXPECT_EQUAL(chmod("f", bit), 0);
		EXPECT_EQUAL(mode_of("f"), bit);
	}
	EXPECT_EQUAL(chmod("f", 07777), 0);
	EXPECT_EQUAL(mode_of("f"), 07777);
}

CASE(chmod_of_a_directory_works)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(chmod("d", 03711), 0);
	EXPECT_EQUAL(mode_of("d"), 03711);
}

CASE(chmod_follows_a_link)
{
	PUT("f", "");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_EQUAL(chmod("l", 0600), 0);
	EXPECT_EQUAL(mode_of("f"), 0600);
	EXPECT_EQUAL(mode_of("l"), 0777);
}

CASE(fchmod_sets_the_mode)
{
	PUT("f", "");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(fchmod(fd, 0640), 0);
	EXPECT_EQUAL(mode_of("f"), 0640);
}

CASE(chmod_of_another_s_file_is_EPERM)
{
	FILE_OF_ALICE("f", 0666);
	as(BOB);
	EXPECT_ERRNO(EPERM, chmod("f", 0600));
	as(0);
	EXPECT_EQUAL(mode_of("f"), 0666);
}

CASE(chmod_of_one_s_own_file_works_without_other_rights)
{
	FILE_OF_ALICE("f", 0);
	as(ALICE);
	EXPECT_EQUAL(chmod("f", 0600), 0);
	EXPECT(has("f", "text"));
}

/* Set-group-id of a file whose group one is no member of is dropped. */
CASE(chmod_drops_S_ISGID_of_a_foreign_group)
{
	FILE_OF_ALICE("f", 0644);
	as(ALICE);
	EXPECT_EQUAL(chmod("f", 02755), 0);
	EXPECT_EQUAL(mode_of("f"), 0755);
}

CASE(chmod_keeps_S_ISGID_of_one_s_own_group)
{
	FILE_OF_ALICE("f", 0644);
	as_member(ALICE, ALICE, BOB);
	EXPECT_EQUAL(chmod("f", 02755), 0);
	EXPECT_EQUAL(mode_of("f"), 02755);
}

CASE(chown_sets_owner_and_group)
{
	PUT("f", "");
	EXPECT_EQUAL(chown("f", ALICE, BOB), 0);
	STAT(status, "f");
	EXPECT_EQUAL(status.st_uid, ALICE);
	EXPECT_EQUAL(status.st_gid, BOB);
}

CASE(chown_of_minus_one_leaves_it)
{
	PUT("f", "");
	EXPECT_EQUAL(chown("f", ALICE, BOB), 0);
	EXPECT_EQUAL(chown("f", (uid_t)-1, 77), 0);
	EXPECT_EQUAL(chown("f", 78, (gid_t)-1), 0);
	EXPECT_EQUAL(chown("f", (uid_t)-1, (gid_t)-1), 0);
	STAT(status, "f");
	EXPECT_EQUAL(status.st_uid, 78);
	EXPECT_EQUAL(status.st_gid, 77);
}

CASE(chown_takes_large_numbers)
{
	PUT("f", "");
	EXPECT_EQUAL(chown("f", 0x7ffffff0, 0xfffffff0), 0);
	STAT(status, "f");
	EXPECT_EQUAL(status.st_uid, 0x7ffffff0);
	EXPECT_EQUAL(status.st_gid, 0xfffffff0);
}

CASE(chown_follows_a_link_and_lchown_does_not)
{
	PUT("f", "");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_EQUAL(chown("l", ALICE, ALICE), 0);
	EXPECT_EQUAL(lchown("l", BOB, BOB), 0);
	STAT(of_file, "f");
	STAT(of_link, "l");
	EXPECT_EQUAL(of_file.st_uid, ALICE);
	EXPECT_EQUAL(of_link.st_uid, BOB);
}

CASE(fchown_sets_the_owner)
{
	PUT("f", "");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(fchown(fd, ALICE, BOB), 0);
	STAT(status, "f");
	EXPECT_EQUAL(status.st_uid, ALICE);
}

CASE(giving_a_file_away_is_EPERM)
{
	FILE_OF_ALICE("f", 0644);
	as(ALICE);
	EXPECT_ERRNO(EPERM, chown("f", BOB, (gid_t)-1));
	EXPECT_ERRNO(EPERM, chown("f", (uid_t)-1, 77));
	as(BOB);
	EXPECT_ERRNO(EPERM, chown("f", BOB, (gid_t)-1));
}

CASE(owner_gives_a_file_to_another_group_of_his)
{
	FILE_OF_ALICE("f", 0644);
	as_member(ALICE, ALICE, 77);
	EXPECT_EQUAL(chown("f", (uid_t)-1, 77), 0);
	EXPECT_EQUAL(chown("f", ALICE, ALICE), 0);
	STAT(status, "f");
	EXPECT_EQUAL(status.st_gid, ALICE);
}

CASE(chown_by_the_owner_clears_S_ISUID_and_S_ISGID)
{
	FILE_OF_ALICE("f", 06755);
	as_member(ALICE, ALICE, 77);
	EXPECT_EQUAL(chown("f", (uid_t)-1, 77), 0);
	EXPECT_EQUAL(mode_of("f"), 0755);
}

CASE(chown_by_root_clears_them_as_well)
{
	FILE_OF_ALICE("f", 06755);
	EXPECT_EQUAL(chown("f", BOB, BOB), 0);
	EXPECT_EQUAL(mode_of("f"), 0755);
}

CASE(chown_keeps_S_ISGID_that_means_mandatory_locks)
{
	FILE_OF_ALICE("f", 02644);
	EXPECT_EQUAL(chown("f", BOB, BOB), 0);
	EXPECT_EQUAL(mode_of("f"), 02644);
}

CASE(chown_of_a_directory_keeps_its_bits)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(chmod("d", 06755), 0);
	EXPECT_EQUAL(chown("d", BOB, BOB), 0);
	EXPECT_EQUAL(mode_of("d"), 06755);
}

CASE(write_by_another_clears_S_ISUID_and_S_ISGID)
{
	FILE_OF_ALICE("f", 06777);
	as(77);
	OPEN(fd, "f", O_WRONLY);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
	EXPECT_EQUAL(mode_of("f"), 0777);
}

CASE(write_by_root_keeps_S_ISUID_and_S_ISGID)
{
	FILE_OF_ALICE("f", 06777);
	OPEN(fd, "f", O_WRONLY);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
	EXPECT_EQUAL(mode_of("f"), 06777);
}

CASE(truncate_by_another_clears_S_ISUID)
{
	FILE_OF_ALICE("f", 04777);
	as(77);
	EXPECT_EQUAL(truncate("f", 1), 0);
	EXPECT_EQUAL(mode_of("f"), 0777);
}

CASE(owner_s_bits_are_the_owner_s_alone)
{
	FILE_OF_ALICE("f", 0077);
	as_member(ALICE, BOB, 0);
	EXPECT(!may("f", R_OK) && !may("f", W_OK) && !may("f", X_OK));
	EXPECT_ERRNO(EACCES, open("f", O_RDONLY));
}

CASE(group_s_bits_are_the_group_s_alone)
{
	FILE_OF_ALICE("f", 0707);
	as(BOB);
	EXPECT(!may("f", R_OK) && !may("f", W_OK) && !may("f", X_OK));
	EXPECT_ERRNO(EACCES, open("f", O_RDONLY));
}

CASE(other_s_bits_are_for_all_others)
{
	FILE_OF_ALICE("f", 0005);
	as(77);
	EXPECT(may("f", R_OK) && may("f", X_OK) && !may("f", W_OK));
	OPEN(fd, "f", O_RDONLY);
}

CASE(one_of_many_groups_counts)
{
	FILE_OF_ALICE("f", 0060);
	as_member(77, 77, BOB);
	EXPECT(may("f", R_OK | W_OK));
	OPEN(fd, "f", O_RDWR);
}

CASE(root_may_all_but_execute_what_nobody_executes)
{
	PUT("f", "");
	EXPECT_EQUAL(chmod("f", 0), 0);
	EXPECT(may("f", R_OK | W_OK) && !may("f", X_OK));
	EXPECT_EQUAL(chmod("f", 0001), 0);
	EXPECT(may("f", X_OK));
}

CASE(root_searches_any_directory)
{
	MKDIR("d", 0);
	PUT("d/f", "text");
	EXPECT(has("d/f", "text"));
	EXPECT_EQUAL(nentries_of("d"), 3);
}

CASE(search_permission_is_wanted_of_each_directory)
{
	MKDIR("d", 0711);
	MKDIR("d/e", 0711);
	PUT("d/e/f", "text");
	as(ALICE);
	EXPECT(has("d/e/f", "text"));
	as(0);
	EXPECT_EQUAL(chmod("d", 0766), 0);
	as(ALICE);
	EXPECT_ERRNO(EACCES, open("d/e/f", O_RDONLY));
	as(0);
	EXPECT_EQUAL(chmod("d", 0711), 0);
	EXPECT_EQUAL(chmod("d/e", 0766), 0);
	as(ALICE);
	EXPECT_ERRNO(EACCES, open("d/e/f", O_RDONLY));
	EXPECT_ERRNO(EACCES, chdir("d/e"));
}

CASE(permission_is_asked_when_a_file_is_opened_and_not_later)
{
	char bytes[4];

	FILE_OF_ALICE("f", 0644);
	as(ALICE);
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(chmod("f", 0), 0);
	EXPECT_EQUAL(read(fd, bytes, 4), 4);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
}

CASE(truncate_without_write_permission_is_EACCES)
{
	FILE_OF_ALICE("f", 0644);
	as(BOB);
	EXPECT_ERRNO(EACCES, truncate("f", 0));
	as(0);
	EXPECT(has("f", "text"));
}

CASE(access_asks_for_the_real_user)
{
	FILE_OF_ALICE("f", 0600);
	as(BOB);
	EXPECT_EQUAL(access("f", R_OK | W_OK), 0);
	EXPECT(!may("f", R_OK));
}

CASE(execution_needs_its_bit)
{
	char *const arguments[] = {"f", NULL}, *const none[] = {NULL};

	PUT("f", "#!/nowhere\n");
	EXPECT_ERRNO(EACCES, execve("f", arguments, none));
	EXPECT_EQUAL(chmod("f", 0755), 0);
	EXPECT_ERRNO(ENOENT, execve("f", arguments, none));
}

CASE(fchmodat_refuses_a_file_that_is_none)
{
	EXPECT_ERRNO(EBADF, fchmod(-1, 0600));
	EXPECT_ERRNO(EBADF, fchown(-1, 0, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_fchmodat, -1, "f", 0600));
}
