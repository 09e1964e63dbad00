/*
 * unlink(2), and files whose last name is gone.
 */
#include "posix.h"

CASE(unlink_takes_the_name_away)
{
	PUT("f", "");
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT(!exists("f"));
	EXPECT_EQUAL(nentries_of("."), 2);
	EXPECT_ERRNO(ENOENT, unlink("f"));
}

CASE(unlink_of_a_directory_is_EISDIR)
{
	MKDIR("d", 0755);
	EXPECT_ERRNO(EISDIR, unlink("d"));
	EXPECT_ERRNO(EISDIR, unlinkat(AT_FDCWD, "d", 0));
	EXPECT(exists("d"));
}

CASE(unlink_of_a_link_takes_the_link)
{
	PUT("f", "text");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_EQUAL(unlink("l"), 0);
	EXPECT(has("f", "text"));
}

CASE(unlink_of_a_link_to_a_directory_works)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(symlink("d", "l"), 0);
	EXPECT_EQUAL(unlink("l"), 0);
	EXPECT(exists("d"));
}

CASE(unlink_of_a_fifo_works)
{
	EXPECT_EQUAL(mkfifo("p", 0644), 0);
	EXPECT_EQUAL(unlink("p"), 0);
	EXPECT(!exists("p"));
}

CASE(unlink_lowers_the_count_of_links)
{
	PUT("f", "text");
	EXPECT_EQUAL(link("f", "g"), 0);
	EXPECT_EQUAL(nlink_of("g"), 2);
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_EQUAL(nlink_of("g"), 1);
	EXPECT(has("g", "text"));
}

CASE(unlink_without_write_permission_of_the_directory_is_EACCES)
{
	MKDIR("d", 0755);
	PUT("d/f", "");
	EXPECT_EQUAL(chmod("d/f", 0777), 0);
	as(ALICE);
	EXPECT_ERRNO(EACCES, unlink("d/f"));
}

CASE(unlink_needs_no_permission_of_the_file)
{
	MKDIR("d", 0777);
	PUT("d/f", "");
	EXPECT_EQUAL(chmod("d/f", 0), 0);
	as(ALICE);
	EXPECT_EQUAL(unlink("d/f"), 0);
}

CASE(unlink_in_a_sticky_directory_of_another_s_file_is_EPERM)
{
	MKDIR("d", 01777);
	PUT("d/f", "");
	EXPECT_EQUAL(chown("d/f", BOB, BOB), 0);
	as(ALICE);
	EXPECT_ERRNO(EPERM, unlink("d/f"));
	as(BOB);
	EXPECT_EQUAL(unlink("d/f"), 0);
}

CASE(unlink_in_a_sticky_directory_of_one_s_own_works)
{
	MKDIR("d", 01777);
	EXPECT_EQUAL(chown("d", ALICE, ALICE), 0);
	PUT("d/f", "");
	EXPECT_EQUAL(chown("d/f", BOB, BOB), 0);
	as(ALICE);
	EXPECT_EQUAL(unlink("d/f"), 0);
}

CASE(unlinked_file_is_read_by_who_has_it_open)
{
	char bytes[5] = "";

	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_EQUAL(read(fd, bytes, 4), 4);
	EXPECT(strcmp(bytes, "text") == 0);
}

CASE(unlinked_file_has_no_links)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(unlink("f"), 0);
	FSTAT(status, fd);
	EXPECT_EQUAL(status.st_nlink, 0);
	EXPECT_EQUAL(status.st_size, 4);
}

CASE(unlinked_file_is_written_and_grows)
{
	char bytes[9] = "";

	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_EQUAL(pwrite(fd, "more", 4, 4), 4);
	EXPECT_EQUAL(pread(fd, bytes, 8, 0), 8);
	EXPECT(strcmp(bytes, "textmore") == 0);
	FSTAT(status, fd);
	EXPECT_EQUAL(status.st_size, 8);
}

CASE(unlinked_file_is_truncated)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_EQUAL(ftruncate(fd, 2), 0);
	FSTAT(status, fd);
	EXPECT_EQUAL(status.st_size, 2);
}

CASE(unlinked_file_changes_mode_and_owner)
{
	PUT("f", "text");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_EQUAL(fchmod(fd, 0600), 0);
	EXPECT_EQUAL(fchown(fd, ALICE, BOB), 0);
	FSTAT(status, fd);
	EXPECT_EQUAL(status.st_mode & 07777, 0600);
	EXPECT_EQUAL(status.st_uid, ALICE);
	EXPECT_EQUAL(status.st_gid, BOB);
}

CASE(unlinked_name_is_free_for_another_file)
{
	char bytes[4] = "";

	PUT("f", "old");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(unlink("f"), 0);
	PUT("f", "new");
	EXPECT_EQUAL(read(fd, bytes, 3), 3);
	EXPECT(strcmp(bytes, "old") == 0 && has("f", "new"));
}

CASE(two_who_have_an_unlinked_file_open_share_it)
{
	char bytes[5] = "";

	PUT("f", "text");
	OPEN(first, "f", O_RDWR);
	OPEN(second, "f", O_RDWR);
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_EQUAL(pwrite(first, "T", 1, 0), 1);
	EXPECT_EQUAL(pread(second, bytes, 4, 0), 4);
	EXPECT(strcmp(bytes, "Text") == 0);
	EXPECT_EQUAL(close(first), 0);
	EXPECT_EQUAL(pread(second, bytes, 4, 0), 4);
}

CASE(unlinked_file_is_opened_again_by_its_descriptor)
{
	char path[64], bytes[5] = "";

	PUT("f", "text");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(unlink("f"), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OPEN(again, path, O_RDWR);
	EXPECT_EQUAL(write(again, "T", 1), 1);
	EXPECT_EQUAL(read(fd, bytes, 4), 4);
	EXPECT(strcmp(bytes, "Text") == 0);
}

CASE(unlinkat_refuses_unknown_flags)
{
	PUT("f", "");
	EXPECT_ERRNO(EINVAL, unlinkat(AT_FDCWD, "f", 1));
	EXPECT(exists("f"));
}

CASE(unlink_of_dot_is_EISDIR)
{
	EXPECT_ERRNO(EISDIR, unlink("."));
	EXPECT_ERRNO(EISDIR, unlink(".."));
}
