/*
 * rename(2) and renameat2(2).
 */
#include "posix.h"

#include <linux/fs.h>
#include <sys/syscall.h>

static long rename_with(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

CASE(rename_moves_a_file_with_what_it_is)
{
	PUT("f", "text");
	EXPECT_EQUAL(chmod("f", 0600), 0);
	long long inode = inode_of("f");
	EXPECT_EQUAL(rename("f", "g"), 0);
	EXPECT(!exists("f") && has("g", "text"));
	EXPECT_EQUAL(inode_of("g"), inode);
	EXPECT_EQUAL(mode_of("g"), 0600);
	EXPECT_EQUAL(nlink_of("g"), 1);
}

CASE(rename_moves_to_another_directory)
{
	MKDIR("d", 0755);
	PUT("f", "text");
	EXPECT_EQUAL(rename("f", "d/g"), 0);
	EXPECT(!exists("f") && has("d/g", "text"));
	EXPECT_EQUAL(nentries_of("d"), 3);
	EXPECT_EQUAL(nentries_of("."), 3);
}

CASE(rename_replaces_a_file)
{
	PUT("f", "new");
	PUT("g", "old");
	EXPECT_EQUAL(rename("f", "g"), 0);
	EXPECT(!exists("f") && has("g", "new"));
	EXPECT_EQUAL(nlink_of("g"), 1);
}

CASE(replaced_file_lives_with_who_has_it_open)
{
	char bytes[4] = "";

	PUT("f", "new");
	PUT("g", "old");
	OPEN(fd, "g", O_RDONLY);
	EXPECT_EQUAL(rename("f", "g"), 0);
	EXPECT_EQUAL(read(fd, bytes, 3), 3);
	EXPECT(strcmp(bytes, "old") == 0);
	FSTAT(status, fd);
	EXPECT_EQUAL(status.st_nlink, 0);
}

CASE(replaced_file_with_another_name_loses_one_link)
{
	PUT("f", "new");
	PUT("g", "old");
	EXPECT_EQUAL(link("g", "h"), 0);
	EXPECT_EQUAL(rename("f", "g"), 0);
	EXPECT_EQUAL(nlink_of("h"), 1);
	EXPECT(has("h", "old"));
}

CASE(renamed_file_is_written_by_who_had_it_open)
{
	PUT("f", "text");
	OPEN(fd, "f", O_WRONLY);
	EXPECT_EQUAL(rename("f", "g"), 0);
	EXPECT_EQUAL(write(fd, "T", 1), 1);
	EXPECT(has("g", "Text"));
}

CASE(rename_to_itself_does_nothing)
{
	PUT("f", "text");
	EXPECT_EQUAL(rename("f", "f"), 0);
	EXPECT(has("f", "text"));
}

/* rename(2): to another name of the same file it does nothing, and says 0. */
CASE(rename_to_a_link_of_the_same_file_does_nothing)
{
	PUT("f", "text");
	EXPECT_EQUAL(link("f", "g"), 0);
	EXPECT_EQUAL(rename("f", "g"), 0);
	EXPECT(exists("f") && exists("g"));
	EXPECT_EQUAL(nlink_of("f"), 2);
}

CASE(rename_of_a_link_moves_the_link)
{
	char target[8] = "";

	PUT("f", "text");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_EQUAL(rename("l", "m"), 0);
	EXPECT_EQUAL(readlink("m", target, sizeof(target)), 1);
	EXPECT(has("f", "text") && !exists("l"));
}

CASE(rename_replaces_a_link_and_not_its_target)
{
	PUT("f", "new");
	PUT("g", "old");
	EXPECT_EQUAL(symlink("g", "l"), 0);
	EXPECT_EQUAL(rename("f", "l"), 0);
	EXPECT(has("l", "new") && has("g", "old"));
	STAT(status, "l");
	EXPECT(S_ISREG(status.st_mode));
}

CASE(rename_of_a_fifo_works)
{
	EXPECT_EQUAL(mkfifo("p", 0644), 0);
	EXPECT_EQUAL(rename("p", "q"), 0);
	STAT(status, "q");
	EXPECT(S_ISFIFO(status.st_mode));
}

CASE(rename_moves_a_directory_with_what_is_below)
{
	MKDIR("d", 0755);
	MKDIR("d/e", 0755);
	PUT("d/e/f", "text");
	EXPECT_EQUAL(rename("d", "g"), 0);
	EXPECT(has("g/e/f", "text") && !exists("d"));
}

CASE(renamed_directory_has_another_parent)
{
	MKDIR("d", 0755);
	MKDIR("e", 0755);
	MKDIR("d/sub", 0755);
	EXPECT_EQUAL(rename("d/sub", "e/sub"), 0);
	EXPECT_EQUAL(inode_of("e/sub/.."), inode_of("e"));
	EXPECT_EQUAL(nlink_of("d"), 2);
	EXPECT_EQUAL(nlink_of("e"), 3);
}

CASE(rename_replaces_an_empty_directory)
{
	MKDIR("d", 0700);
	PUT("d/f", "text");
	MKDIR("e", 0755);
	EXPECT_EQUAL(rename("d", "e"), 0);
	EXPECT(has("e/f", "text") && !exists("d"));
	EXPECT_EQUAL(mode_of("e"), 0700);
}

CASE(rename_over_a_directory_that_is_not_empty_is_ENOTEMPTY)
{
	MKDIR("d", 0755);
	MKDIR("e", 0755);
	PUT("e/f", "");
	EXPECT_ERRNO(ENOTEMPTY, rename("d", "e"));
	EXPECT(exists("d") && exists("e/f"));
}

CASE(rename_of_a_directory_below_itself_is_EINVAL)
{
	MKDIR("d", 0755);
	MKDIR("d/e", 0755);
	EXPECT_ERRNO(EINVAL, rename("d", "d/f"));
	EXPECT_ERRNO(EINVAL, rename("d", "d/e/f"));
	EXPECT(exists("d/e"));
}

CASE(rename_over_a_directory_above_is_ENOTEMPTY)
{
	MKDIR("d", 0755);
	MKDIR("d/e", 0755);
	EXPECT_ERRNO(ENOTEMPTY, rename("d/e", "d"));
}

CASE(rename_of_a_directory_over_a_file_is_ENOTDIR)
{
	MKDIR("d", 0755);
	PUT("f", "");
	EXPECT_ERRNO(ENOTDIR, rename("d", "f"));
	EXPECT(exists("d") && has("f", ""));
}

CASE(rename_of_a_file_over_a_directory_is_EISDIR)
{
	MKDIR("d", 0755);
	PUT("f", "");
	EXPECT_ERRNO(EISDIR, rename("f", "d"));
}

CASE(rename_of_a_file_to_a_name_with_a_slash_is_ENOTDIR)
{
	PUT("f", "");
	EXPECT_ERRNO(ENOTDIR, rename("f", "g/"));
	EXPECT(exists("f"));
}

CASE(rename_of_a_directory_takes_slashes)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(rename("d/", "e/"), 0);
	EXPECT(exists("e"));
}

CASE(rename_of_dot_and_dotdot_is_EBUSY)
{
	MKDIR("d", 0755);
	EXPECT_ERRNO(EBUSY, rename("d/.", "e"));
	EXPECT_ERRNO(EBUSY, rename("d/..", "e"));
	EXPECT_ERRNO(EBUSY, rename("d", "."));
}

CASE(rename_without_write_permission_of_the_old_place_is_EACCES)
{
	MKDIR("d", 0755);
	MKDIR("e", 0777);
	PUT("d/f", "");
	as(ALICE);
	EXPECT_ERRNO(EACCES, rename("d/f", "e/f"));
}

CASE(rename_without_write_permission_of_the_new_place_is_EACCES)
{
	MKDIR("d", 0755);
	MKDIR("e", 0777);
	PUT("e/f", "");
	as(ALICE);
	EXPECT_ERRNO(EACCES, rename("e/f", "d/f"));
}

CASE(rename_of_another_s_file_needs_only_the_directory)
{
	MKDIR("d", 0777);
	PUT("d/f", "text");
	as(ALICE);
	EXPECT_EQUAL(rename("d/f", "d/g"), 0);
	EXPECT(has("d/g", "text"));
}

/* Its "..", which changes, is a part of it. */
CASE(rename_of_another_s_directory_to_another_parent_is_EACCES)
{
	MKDIR("d", 0777);
	MKDIR("e", 0777);
	MKDIR("d/sub", 0755);
	as(ALICE);
	EXPECT_ERRNO(EACCES, rename("d/sub", "e/sub"));
	EXPECT_EQUAL(rename("d/sub", "d/other"), 0);
}

CASE(rename_in_a_sticky_directory_of_another_s_file_is_EPERM)
{
	MKDIR("d", 01777);
	PUT("d/f", "");
	EXPECT_EQUAL(chown("d/f", BOB, BOB), 0);
	as(ALICE);
	EXPECT_ERRNO(EPERM, rename("d/f", "d/g"));
	as(BOB);
	EXPECT_EQUAL(rename("d/f", "d/g"), 0);
}

CASE(rename_over_another_s_file_in_a_sticky_directory_is_EPERM)
{
	MKDIR("d", 01777);
	PUT("d/f", "");
	PUT("d/g", "");
	EXPECT_EQUAL(chown("d/f", ALICE, ALICE), 0);
	EXPECT_EQUAL(chown("d/g", BOB, BOB), 0);
	as(ALICE);
	EXPECT_ERRNO(EPERM, rename("d/f", "d/g"));
}

CASE(rename_without_replacing_is_EEXIST)
{
	PUT("f", "new");
	PUT("g", "old");
	EXPECT_ERRNO(EEXIST, rename_with("f", "g", RENAME_NOREPLACE));
	EXPECT(has("f", "new") && has("g", "old"));
}

CASE(rename_without_replacing_moves_to_a_free_name)
{
	PUT("f", "text");
	EXPECT_EQUAL(rename_with("f", "g", RENAME_NOREPLACE), 0);
	EXPECT(has("g", "text") && !exists("f"));
}

CASE(exchange_swaps_two_files)
{
	PUT("f", "one");
	PUT("g", "two");
	EXPECT_EQUAL(rename_with("f", "g", RENAME_EXCHANGE), 0);
	EXPECT(has("f", "two") && has("g", "one"));
}

CASE(exchange_swaps_a_file_and_a_directory)
{
	MKDIR("d", 0755);
	MKDIR("d/sub", 0755);
	PUT("d/sub/x", "");
	PUT("f", "text");
	EXPECT_EQUAL(rename_with("d/sub", "f", RENAME_EXCHANGE), 0);
	EXPECT(has("d/sub", "text") && exists("f/x"));
	EXPECT_EQUAL(nlink_of("d"), 2);
	EXPECT_EQUAL(inode_of("f/.."), inode_of("."));
}

CASE(exchange_with_nothing_is_ENOENT)
{
	PUT("f", "text");
	EXPECT_ERRNO(ENOENT, rename_with("f", "g", RENAME_EXCHANGE));
	EXPECT(has("f", "text"));
}

CASE(exchange_with_a_directory_above_is_EINVAL)
{
	MKDIR("d", 0755);
	MKDIR("d/e", 0755);
	EXPECT_ERRNO(EINVAL, rename_with("d", "d/e", RENAME_EXCHANGE));
}

CASE(exchange_without_replacing_is_EINVAL)
{
	PUT("f", "");
	PUT("g", "");
	EXPECT_ERRNO(EINVAL, rename_with("f", "g", RENAME_EXCHANGE | RENAME_NOREPLACE));
	EXPECT_ERRNO(EINVAL, rename_with("f", "g", 1U << 20));
}

CASE(rename_of_a_working_directory_takes_it_along)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(chdir("d"), 0);
	EXPECT_EQUAL(rename("../d", "../e"), 0);
	PUT("f", "text");
	EXPECT(has("../e/f", "text"));
}

CASE(rename_back_and_forth_keeps_a_file)
{
	PUT("f", "text");
	for (int i = 0; i < 20; i++) {
		EXPECT_EQUAL(rename("f", "g"), 0);
		EXPECT(!exists("f"));
		EXPECT_EQUAL(rename("g", "f"), 0);
		EXPECT(!exists("g"));
	}
	EXPECT(has("f", "text"));
}

CASE(rename_to_the_longest_name_works)
{
	PUT("f", "text");
	EXPECT_EQUAL(rename("f", longest_name), 0);
	EXPECT(has(longest_name, "text"));
	EXPECT_EQUAL(rename(longest_name, "f"), 0);
}
