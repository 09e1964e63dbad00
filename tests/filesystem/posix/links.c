/*
 * link(2), symlink(2), readlink(2), and names that lead over links.
 */
#include "posix.h"

#include <sys/syscall.h>

CASE(link_gives_a_file_a_second_name)
{
	PUT("f", "text");
	EXPECT_EQUAL(link("f", "g"), 0);
	EXPECT_EQUAL(inode_of("f"), inode_of("g"));
	EXPECT_EQUAL(nlink_of("f"), 2);
	EXPECT_EQUAL(nlink_of("g"), 2);
	EXPECT(has("g", "text"));
}

CASE(write_by_one_name_is_read_by_the_other)
{
	PUT("f", "text");
	EXPECT_EQUAL(link("f", "g"), 0);
	OPEN(fd, "f", O_WRONLY | O_APPEND);
	EXPECT_EQUAL(write(fd, "more", 4), 4);
	EXPECT_EQUAL(size_of("g"), 8);
	EXPECT(has("g", "textmore"));
}

CASE(mode_set_by_one_name_is_seen_by_the_other)
{
	PUT("f", "");
	EXPECT_EQUAL(link("f", "g"), 0);
	EXPECT_EQUAL(chmod("f", 0600), 0);
	EXPECT_EQUAL(mode_of("g"), 0600);
}

CASE(link_of_a_directory_is_EPERM)
{
	MKDIR("d", 0755);
	EXPECT_ERRNO(EPERM, link("d", "e"));
}

CASE(link_of_a_link_names_the_link)
{
	PUT("f", "");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_EQUAL(link("l", "m"), 0);
	STAT(status, "m");
	EXPECT(S_ISLNK(status.st_mode));
	EXPECT_EQUAL(status.st_nlink, 2);
}

CASE(link_that_follows_names_the_target)
{
	PUT("f", "");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_EQUAL(linkat(AT_FDCWD, "l", AT_FDCWD, "m", AT_SYMLINK_FOLLOW), 0);
	EXPECT_EQUAL(inode_of("m"), inode_of("f"));
}

CASE(link_of_a_fifo_works)
{
	EXPECT_EQUAL(mkfifo("p", 0644), 0);
	EXPECT_EQUAL(link("p", "q"), 0);
	EXPECT_EQUAL(nlink_of("q"), 2);
}

CASE(link_without_write_permission_is_EACCES)
{
	MKDIR("d", 0755);
	MKDIR("e", 0777);
	PUT("e/f", "");
	EXPECT_EQUAL(chown("e/f", ALICE, ALICE), 0);
	as(ALICE);
	EXPECT_ERRNO(EACCES, link("e/f", "d/g"));
}

CASE(link_refuses_unknown_flags)
{
	PUT("f", "");
	EXPECT_ERRNO(EINVAL, linkat(AT_FDCWD, "f", AT_FDCWD, "g", 1 << 20));
	EXPECT(!exists("g"));
}

CASE(link_of_what_was_unlinked_while_open_is_ENOENT)
{
	char path[64];

	PUT("f", "");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(unlink("f"), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_ERRNO(ENOENT, linkat(AT_FDCWD, path, AT_FDCWD, "g", AT_SYMLINK_FOLLOW));
}

CASE(hundred_links_are_counted)
{
	char name[16];

	PUT("f", "text");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		EXPECT_EQUAL(link("f", name), 0);
	}
	EXPECT_EQUAL(nlink_of("f"), 101);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		EXPECT_EQUAL(unlink(name), 0);
	}
	EXPECT_EQUAL(nlink_of("f"), 1);
}

CASE(symlink_holds_its_text)
{
	char target[64] = "";

	EXPECT_EQUAL(symlink("some/where/../else", "l"), 0);
	EXPECT_EQUAL(readlink("l", target, sizeof(target)), 18);
	EXPECT(strcmp(target, "some/where/../else") == 0);
}

CASE(symlink_has_the_size_of_its_text_and_one_link)
{
	EXPECT_EQUAL(symlink("12345", "l"), 0);
	STAT(status, "l");
	EXPECT(S_ISLNK(status.st_mode));
	EXPECT_EQUAL(status.st_size, 5);
	EXPECT_EQUAL(status.st_nlink, 1);
	EXPECT_EQUAL(status.st_mode & 07777, 0777);
}

CASE(symlink_belongs_to_who_made_it)
{
	MKDIR("d", 0777);
	as_member(ALICE, BOB, 0);
	EXPECT_EQUAL(symlink("x", "d/l"), 0);
	STAT(status, "d/l");
	EXPECT_EQUAL(status.st_uid, ALICE);
	EXPECT_EQUAL(status.st_gid, BOB);
}

CASE(symlink_of_an_empty_target_is_ENOENT)
{
	EXPECT_ERRNO(ENOENT, symlink("", "l"));
}

CASE(symlink_of_4096_bytes_is_ENAMETOOLONG)
{
	EXPECT_ERRNO(ENAMETOOLONG, symlink(too_long_path, "l"));
}

CASE(symlink_of_4000_bytes_works)
{
	static char target[4001], back[4096];

	memset(target, 't', 4000);
	EXPECT_EQUAL(symlink(target, "l"), 0);
	EXPECT_EQUAL(size_of("l"), 4000);
	EXPECT_EQUAL(readlink("l", back, sizeof(back)), 4000);
	EXPECT(memcmp(target, back, 4000) == 0);
}

CASE(symlink_without_write_permission_is_EACCES)
{
	MKDIR("d", 0755);
	as(ALICE);
	EXPECT_ERRNO(EACCES, symlink("x", "d/l"));
}

CASE(symlink_with_a_slash_behind_is_ENOENT)
{
	EXPECT_ERRNO(ENOENT, symlink("x", "l/"));
}

CASE(readlink_cuts_what_has_no_room)
{
	char target[4] = "....";

	EXPECT_EQUAL(symlink("123456", "l"), 0);
	EXPECT_EQUAL(readlink("l", target, 3), 3);
	EXPECT(memcmp(target, "123.", 4) == 0);
}

CASE(readlink_without_room_is_EINVAL)
{
	char target[1];

	EXPECT_EQUAL(symlink("x", "l"), 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_readlink, "l", target, 0)); /* musl has a byte for it */
}

CASE(readlink_of_a_file_or_directory_is_EINVAL)
{
	char target[4];

	PUT("f", "");
	MKDIR("d", 0755);
	EXPECT_ERRNO(EINVAL, readlink("f", target, sizeof(target)));
	EXPECT_ERRNO(EINVAL, readlink("d", target, sizeof(target)));
}

CASE(links_lead_on_to_links)
{
	PUT("f", "text");
	EXPECT_EQUAL(symlink("f", "a"), 0);
	EXPECT_EQUAL(symlink("a", "b"), 0);
	EXPECT_EQUAL(symlink("b", "c"), 0);
	EXPECT(has("c", "text"));
}

/* path_resolution(7): at most 40 are followed. */
CASE(forty_links_are_followed_and_no_more)
{
	char name[16], target[16];

	PUT("l0", "text");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		EXPECT_EQUAL(symlink(target, name), 0);
	}
	EXPECT(has("l40", "text"));
	EXPECT_ERRNO(ELOOP, open("l41", O_RDONLY));
}

CASE(two_links_to_each_other_are_ELOOP)
{
	struct stat status;

	EXPECT_EQUAL(symlink("a", "b"), 0);
	EXPECT_EQUAL(symlink("b", "a"), 0);
	EXPECT_ERRNO(ELOOP, stat("a", &status));
	EXPECT_EQUAL(lstat("a", &status), 0);
}

CASE(link_leads_on_from_its_own_directory)
{
	MKDIR("d", 0755);
	PUT("d/f", "below");
	PUT("f", "above");
	EXPECT_EQUAL(symlink("f", "d/l"), 0);
	EXPECT_EQUAL(symlink("../f", "d/up"), 0);
	EXPECT(has("d/l", "below") && has("d/up", "above"));
}

CASE(link_to_an_absolute_path_works)
{
	char here[4000], target[4096];

	PUT("f", "text");
	EXPECT(getcwd(here, sizeof(here)));
	snprintf(target, sizeof(target), "%s/f", here);
	EXPECT_EQUAL(symlink(target, "l"), 0);
	EXPECT(has("l", "text"));
}

CASE(slash_behind_a_link_follows_it)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(symlink("d", "l"), 0);
	STAT(status, "l/");
	EXPECT(S_ISDIR(status.st_mode));
	MKDIR("l/sub", 0755);
	EXPECT(exists("d/sub"));
}

CASE(link_s_target_that_comes_later_is_found)
{
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_ERRNO(ENOENT, open("l", O_RDONLY));
	PUT("f", "text");
	EXPECT(has("l", "text"));
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_ERRNO(ENOENT, open("l", O_RDONLY));
}

CASE(link_made_again_leads_elsewhere)
{
	PUT("f", "one");
	PUT("g", "two");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT(has("l", "one"));
	EXPECT_EQUAL(unlink("l"), 0);
	EXPECT_EQUAL(symlink("g", "l"), 0);
	EXPECT(has("l", "two"));
}
