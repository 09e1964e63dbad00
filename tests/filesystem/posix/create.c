/*
 * open(2): what it makes, and of what it takes hold.
 */
#include "posix.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

CASE(created_file_has_the_mode_less_the_umask)
{
	umask(027);
	OPEN(fd, "f", O_CREAT | O_WRONLY, 0666);
	EXPECT_EQUAL(mode_of("f"), 0640);
}

CASE(created_file_is_empty_with_one_link)
{
	OPEN(fd, "f", O_CREAT | O_RDWR, 0644);
	FSTAT(status, fd);
	EXPECT(S_ISREG(status.st_mode));
	EXPECT_EQUAL(status.st_size, 0);
	EXPECT_EQUAL(status.st_nlink, 1);
	EXPECT_EQUAL(status.st_blocks, 0);
}

CASE(created_file_is_writable_for_its_maker_whatever_its_mode)
{
	MKDIR("d", 0777);
	as(ALICE);
	OPEN(fd, "d/f", O_CREAT | O_RDWR, 0);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
	EXPECT_ERRNO(EACCES, open("d/f", O_RDONLY));
}

CASE(created_file_belongs_to_who_made_it)
{
	MKDIR("d", 0777);
	as_member(ALICE, BOB, 0);
	PUT("d/f", "");
	STAT(status, "d/f");
	EXPECT_EQUAL(status.st_uid, ALICE);
	EXPECT_EQUAL(status.st_gid, BOB);
}

CASE(created_file_takes_the_group_of_a_directory_with_S_ISGID)
{
	MKDIR("d", 0777);
	EXPECT_EQUAL(chown("d", 0, BOB), 0);
	EXPECT_EQUAL(chmod("d", 02777), 0);
	as(ALICE);
	PUT("d/f", "");
	STAT(status, "d/f");
	EXPECT_EQUAL(status.st_gid, BOB);
}

CASE(create_in_a_directory_without_write_permission_is_EACCES)
{
	MKDIR("d", 0755);
	as(ALICE);
	EXPECT_ERRNO(EACCES, open("d/f", O_CREAT | O_WRONLY, 0644));
}

CASE(create_of_an_existing_file_keeps_mode_and_content)
{
	PUT("f", "text");
	OPEN(fd, "f", O_CREAT | O_RDWR, 0600);
	EXPECT_EQUAL(mode_of("f"), 0644);
	EXPECT(has("f", "text"));
}

CASE(create_behind_a_link_to_nothing_makes_its_target)
{
	EXPECT_EQUAL(symlink("target", "l"), 0);
	OPEN(fd, "l", O_CREAT | O_WRONLY, 0644);
	EXPECT(exists("target"));
}

CASE(create_of_a_directory_is_EISDIR)
{
	MKDIR("d", 0755);
	EXPECT_ERRNO(EISDIR, open("d", O_CREAT | O_RDONLY, 0644));
}

CASE(create_with_a_slash_behind_is_EISDIR)
{
	EXPECT_ERRNO(EISDIR, open("new/", O_CREAT | O_RDWR, 0644));
	EXPECT(!exists("new"));
}

CASE(exclusive_create_of_a_new_file_works)
{
	OPEN(fd, "f", O_CREAT | O_EXCL | O_RDWR, 0644);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
}

CASE(exclusive_create_of_a_file_is_EEXIST)
{
	PUT("f", "text");
	EXPECT_ERRNO(EEXIST, open("f", O_CREAT | O_EXCL | O_RDWR | O_TRUNC, 0644));
	EXPECT(has("f", "text"));
}

CASE(exclusive_create_of_a_directory_is_EEXIST)
{
	MKDIR("d", 0755);
	EXPECT_ERRNO(EEXIST, open("d", O_CREAT | O_EXCL | O_RDONLY, 0644));
}

CASE(exclusive_create_does_not_follow_a_link_to_nothing)
{
	EXPECT_EQUAL(symlink("target", "l"), 0);
	EXPECT_ERRNO(EEXIST, open("l", O_CREAT | O_EXCL | O_RDWR, 0644));
	EXPECT(!exists("target"));
}

CASE(exclusive_create_does_not_follow_a_link_to_a_file)
{
	PUT("f", "text");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_ERRNO(EEXIST, open("l", O_CREAT | O_EXCL | O_RDWR, 0644));
}

CASE(exclusive_create_after_unlink_works_again)
{
	for (int i = 0; i < 3; i++) {
		OPEN(fd, "f", O_CREAT | O_EXCL | O_RDWR, 0644);
		EXPECT_EQUAL(close(fd), 0);
		EXPECT_EQUAL(unlink("f"), 0);
	}
}

CASE(truncating_open_empties_a_file)
{
	PUT("f", "text");
	OPEN(fd, "f", O_WRONLY | O_TRUNC);
	EXPECT_EQUAL(size_of("f"), 0);
	FSTAT(status, fd);
	EXPECT_EQUAL(status.st_size, 0);
}

CASE(truncating_open_is_seen_by_who_has_it_open)
{
	char byte;

	PUT("f", "text");
	OPEN(before, "f", O_RDONLY);
	OPEN(fd, "f", O_RDWR | O_TRUNC);
	EXPECT_EQUAL(read(before, &byte, 1), 0);
}

CASE(truncating_open_without_write_permission_is_EACCES)
{
	PUT("f", "text");
	as(ALICE);
	EXPECT_ERRNO(EACCES, open("f", O_WRONLY | O_TRUNC));
	EXPECT_ERRNO(EACCES, open("f", O_RDONLY | O_TRUNC));
	as(0);
	EXPECT(has("f", "text"));
}

CASE(open_of_a_directory_to_write_is_EISDIR)
{
	MKDIR("d", 0755);
	EXPECT_ERRNO(EISDIR, open("d", O_WRONLY));
	EXPECT_ERRNO(EISDIR, open("d", O_RDWR));
	EXPECT_ERRNO(EISDIR, open("d", O_RDONLY | O_TRUNC));
}

CASE(open_as_a_directory_of_a_file_is_ENOTDIR)
{
	PUT("f", "");
	EXPECT_ERRNO(ENOTDIR, open("f", O_RDONLY | O_DIRECTORY));
}

CASE(open_as_a_directory_of_a_link_to_one_works)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(symlink("d", "l"), 0);
	OPEN(fd, "l", O_RDONLY | O_DIRECTORY);
	FSTAT(status, fd);
	EXPECT(S_ISDIR(status.st_mode));
}

CASE(open_without_following_a_link_is_ELOOP)
{
	PUT("f", "");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_ERRNO(ELOOP, open("l", O_RDONLY | O_NOFOLLOW));
	EXPECT_ERRNO(ENOTDIR, open("l", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
}

CASE(open_without_following_follows_what_is_before_the_last_name)
{
	MKDIR("d", 0755);
	PUT("d/f", "");
	EXPECT_EQUAL(symlink("d", "l"), 0);
	OPEN(fd, "l/f", O_RDONLY | O_NOFOLLOW);
}

CASE(path_descriptor_of_a_link_is_the_link_s)
{
	EXPECT_EQUAL(symlink("nowhere", "l"), 0);
	OPEN(fd, "l", O_PATH | O_NOFOLLOW);
	FSTAT(status, fd);
	EXPECT(S_ISLNK(status.st_mode));
}

CASE(path_descriptor_neither_reads_nor_writes)
{
	char byte;

	PUT("f", "x");
	OPEN(fd, "f", O_PATH);
	EXPECT_ERRNO(EBADF, read(fd, &byte, 1));
	EXPECT_ERRNO(EBADF, write(fd, "y", 1));
	EXPECT_ERRNO(EBADF, syscall(SYS_fchmod, fd, 0600)); /* musl would go by /proc */
}

CASE(path_descriptor_needs_no_permission_of_the_file)
{
	PUT("f", "");
	EXPECT_EQUAL(chmod("f", 0), 0);
	as(ALICE);
	EXPECT_ERRNO(EACCES, open("f", O_RDONLY));
	OPEN(fd, "f", O_PATH);
	FSTAT(status, fd);
	EXPECT_EQUAL(status.st_mode & 07777, 0);
}

CASE(path_descriptor_of_a_directory_is_a_place_to_begin)
{
	MKDIR("d", 0755);
	PUT("d/f", "text");
	OPEN(at, "d", O_PATH);
	EXPECT_EQUAL(renameat(at, "f", AT_FDCWD, "g"), 0);
	EXPECT(has("g", "text"));
	EXPECT_EQUAL(fchdir(at), 0);
}

CASE(directory_descriptor_survives_the_renaming_of_its_directory)
{
	MKDIR("d", 0755);
	OPEN(at, "d", O_RDONLY | O_DIRECTORY);
	EXPECT_EQUAL(rename("d", "e"), 0);
	EXPECT(openat(at, "f", O_CREAT | O_RDWR, 0644) >= 0);
	EXPECT(exists("e/f"));
}

CASE(open_at_a_file_is_ENOTDIR)
{
	PUT("f", "");
	OPEN(at, "f", O_RDONLY);
	EXPECT_ERRNO(ENOTDIR, openat(at, "g", O_RDONLY));
}

CASE(open_of_a_unix_socket_is_ENXIO)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "s"};
	int end = socket(AF_UNIX, SOCK_STREAM, 0);

	EXPECT(end >= 0);
	EXPECT_EQUAL(bind(end, (struct sockaddr *)&name, sizeof(name)), 0);
	EXPECT_ERRNO(ENXIO, open("s", O_RDWR));
}

CASE(open_of_a_fifo_without_a_reader_is_ENXIO)
{
	EXPECT_EQUAL(mkfifo("p", 0644), 0);
	EXPECT_ERRNO(ENXIO, open("p", O_WRONLY | O_NONBLOCK));
}

CASE(open_to_read_and_write_of_a_read_only_file_is_EACCES)
{
	PUT("f", "");
	EXPECT_EQUAL(chown("f", ALICE, ALICE), 0);
	EXPECT_EQUAL(chmod("f", 0444), 0);
	as(ALICE);
	EXPECT_ERRNO(EACCES, open("f", O_RDWR));
	EXPECT_ERRNO(EACCES, open("f", O_WRONLY));
	OPEN(fd, "f", O_RDONLY);
}

CASE(root_opens_what_nobody_may)
{
	PUT("f", "text");
	EXPECT_EQUAL(chmod("f", 0), 0);
	EXPECT(has("f", "text"));
	OPEN(fd, "f", O_RDWR);
}

CASE(open_with_O_NOATIME_is_for_the_owner)
{
	PUT("f", "");
	as(ALICE);
	EXPECT_ERRNO(EPERM, open("f", O_RDONLY | O_NOATIME));
	as(0);
	OPEN(fd, "f", O_RDONLY | O_NOATIME);
}

CASE(longest_name_works)
{
	struct stat status;

	PUT(longest_name, "text");
	EXPECT(has(longest_name, "text"));
	EXPECT_EQUAL(stat(longest_name, &status), 0);
	EXPECT_EQUAL(nentries_of("."), 3);
	EXPECT_EQUAL(unlink(longest_name), 0);
}

CASE(names_are_bytes)
{
	static const char *const names[] = {" ", "\n", "\\", "*", "\xff\xfe", "ä", "A", "a", "..."};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		PUT(names[i], names[i]);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		EXPECT(has(names[i], names[i]));
	EXPECT_EQUAL(nentries_of("."), 2 + 9);
}

CASE(name_is_seen_after_it_was_looked_for_in_vain)
{
	EXPECT(!exists("f"));
	PUT("f", "text");
	EXPECT(has("f", "text"));
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT(!exists("f"));
}
