/*
 * mkdir(2), rmdir(2), and what is read of a directory.
 */
#include "posix.h"

#include <dirent.h>

CASE(made_directory_has_the_mode_less_the_umask)
{
	umask(022);
	MKDIR("d", 0777);
	EXPECT_EQUAL(mode_of("d"), 0755);
}

CASE(made_directory_keeps_the_sticky_bit)
{
	MKDIR("d", 01777);
	EXPECT_EQUAL(mode_of("d"), 01777);
}

CASE(made_directory_has_two_links)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(nlink_of("d"), 2);
}

CASE(directory_below_adds_a_link_to_its_parent)
{
	MKDIR("d", 0755);
	MKDIR("d/e", 0755);
	MKDIR("d/g", 0755);
	EXPECT_EQUAL(nlink_of("d"), 4);
	EXPECT_EQUAL(rmdir("d/e"), 0);
	EXPECT_EQUAL(nlink_of("d"), 3);
}

CASE(file_below_adds_no_link_to_its_parent)
{
	MKDIR("d", 0755);
	PUT("d/f", "");
	EXPECT_EQUAL(nlink_of("d"), 2);
}

CASE(made_directory_belongs_to_who_made_it)
{
	MKDIR("d", 0777);
	as_member(ALICE, BOB, 0);
	MKDIR("d/e", 0755);
	STAT(status, "d/e");
	EXPECT_EQUAL(status.st_uid, ALICE);
	EXPECT_EQUAL(status.st_gid, BOB);
}

CASE(made_directory_inherits_S_ISGID_and_the_group)
{
	MKDIR("d", 0777);
	EXPECT_EQUAL(chown("d", 0, BOB), 0);
	EXPECT_EQUAL(chmod("d", 02777), 0);
	as(ALICE);
	MKDIR("d/e", 0755);
	STAT(status, "d/e");
	EXPECT_EQUAL(status.st_gid, BOB);
	EXPECT_EQUAL(status.st_mode & 07777, 02755);
}

CASE(mkdir_without_write_permission_is_EACCES)
{
	MKDIR("d", 0755);
	as(ALICE);
	EXPECT_ERRNO(EACCES, mkdir("d/e", 0755));
}

CASE(mkdir_of_dot_and_dotdot_is_EEXIST)
{
	EXPECT_ERRNO(EEXIST, mkdir(".", 0755));
	EXPECT_ERRNO(EEXIST, mkdir("..", 0755));
}

CASE(mkdir_takes_slashes_behind)
{
	MKDIR("d//", 0755);
	EXPECT(exists("d/"));
}

CASE(mkdir_of_the_longest_name_works)
{
	MKDIR(longest_name, 0755);
	EXPECT_EQUAL(rmdir(longest_name), 0);
}

CASE(directories_nest_deeply)
{
	enum { DEPTH = 40 };

	for (int i = 0; i < DEPTH; i++) {
		MKDIR("d", 0755);
		EXPECT_EQUAL(chdir("d"), 0);
	}
	PUT("f", "deep");
	for (int i = 0; i < DEPTH; i++)
		EXPECT_EQUAL(chdir(".."), 0);
	EXPECT(has(
		"d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/f",
		"deep"));
}

CASE(new_directory_holds_dot_and_dotdot)
{
	struct dirent *entry;
	int ndots = 0;

	MKDIR("d", 0755);
	DIR *directory = opendir("d");
	EXPECT(directory);
	while ((entry = readdir(directory))) {
		ndots += strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
		if (strcmp(entry->d_name, ".") == 0)
			EXPECT_EQUAL(entry->d_ino, inode_of("d"));
	}
	closedir(directory);
	EXPECT_EQUAL(ndots, 2);
	EXPECT_EQUAL(nentries_of("d"), 2);
}

CASE(dotdot_leads_to_the_parent)
{
	MKDIR("d", 0755);
	MKDIR("d/e", 0755);
	EXPECT_EQUAL(inode_of("d/e/.."), inode_of("d"));
	EXPECT_EQUAL(inode_of("d/e/../.."), inode_of("."));
}

CASE(entries_tell_number_and_type)
{
	static const unsigned char types[] = {DT_REG, DT_DIR, DT_LNK, DT_FIFO};
	static const char names[] = "fdlp";
	struct dirent *entry;
	int nseen = 0;

	PUT("f", "");
	MKDIR("d", 0755);
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_EQUAL(mkfifo("p", 0644), 0);
	DIR *directory = opendir(".");
	EXPECT(directory);
	while ((entry = readdir(directory))) {
		const char *at = strchr(names, entry->d_name[0]);

		if (!at)
			continue;
		nseen++;
		EXPECT_EQUAL(entry->d_ino, inode_of(entry->d_name));
		if (entry->d_type != DT_UNKNOWN)
			EXPECT_EQUAL(entry->d_type, types[at - names]);
	}
	closedir(directory);
	EXPECT_EQUAL(nseen, 4);
}

/* Names that have been there all the time are seen once, whatever comes and goes beside. */
CASE(many_entries_are_each_seen_once)
{
	enum { NFILES = 300 };
	char name[16], seen[NFILES] = {0};
	struct dirent *entry;
	int number, nentries = 0;

	for (int i = 0; i < NFILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		PUT(name, "");
	}
	DIR *directory = opendir(".");
	EXPECT(directory);
	while ((entry = readdir(directory))) {
		if (sscanf(entry->d_name, "f%d", &number) != 1)
			continue;
		EXPECT(number >= 0 && number < NFILES && !seen[number]);
		seen[number] = 1;
		if (nentries++ % 8 == 0) {
			snprintf(name, sizeof(name), "x%d", nentries);
			PUT(name, "");
		}
	}
	closedir(directory);
	EXPECT_EQUAL(nentries, NFILES);
}

CASE(rewound_directory_shows_what_is_new)
{
	MKDIR("d", 0755);
	DIR *directory = opendir("d");
	EXPECT(directory);
	while (readdir(directory))
		;
	PUT("d/f", "");
	rewinddir(directory);
	int nentries = 0;
	while (readdir(directory))
		nentries++;
	closedir(directory);
	EXPECT_EQUAL(nentries, 3);
}

CASE(told_place_in_a_directory_is_found_again)
{
	char name[16], after[256];
	struct dirent *entry;

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		PUT(name, "");
	}
	DIR *directory = opendir(".");
	EXPECT(directory);
	for (int i = 0; i < 20; i++)
		EXPECT(readdir(directory));
	long place = telldir(directory);
	EXPECT((entry = readdir(directory)));
	snprintf(after, sizeof(after), "%s", entry->d_name);
	while (readdir(directory))
		;
	seekdir(directory, place);
	EXPECT((entry = readdir(directory)));
	EXPECT(strcmp(entry->d_name, after) == 0);
	closedir(directory);
}

CASE(read_of_a_directory_is_EISDIR)
{
	char byte;

	MKDIR("d", 0755);
	OPEN(fd, "d", O_RDONLY);
	EXPECT_ERRNO(EISDIR, read(fd, &byte, 1));
	EXPECT_ERRNO(EISDIR, pread(fd, &byte, 1, 0));
}

CASE(listing_without_read_permission_is_EACCES)
{
	MKDIR("d", 0711);
	PUT("d/f", "text");
	as(ALICE);
	EXPECT_ERRNO(EACCES, open("d", O_RDONLY | O_DIRECTORY));
	EXPECT(has("d/f", "text"));
}

CASE(listing_without_search_permission_gives_names_only)
{
	MKDIR("d", 0744);
	PUT("d/f", "");
	as(ALICE);
	EXPECT_EQUAL(nentries_of("d"), 3);
	EXPECT(!exists("d/f"));
}

CASE(rmdir_of_what_holds_a_file_is_ENOTEMPTY)
{
	MKDIR("d", 0755);
	PUT("d/f", "");
	EXPECT_ERRNO(ENOTEMPTY, rmdir("d"));
	EXPECT_EQUAL(unlink("d/f"), 0);
	EXPECT_EQUAL(rmdir("d"), 0);
}

CASE(rmdir_of_what_holds_a_directory_is_ENOTEMPTY)
{
	MKDIR("d", 0755);
	MKDIR("d/e", 0755);
	EXPECT_ERRNO(ENOTEMPTY, rmdir("d"));
}

CASE(rmdir_of_dot_is_EINVAL)
{
	MKDIR("d", 0755);
	EXPECT_ERRNO(EINVAL, rmdir("d/."));
}

CASE(rmdir_of_dotdot_is_ENOTEMPTY)
{
	MKDIR("d", 0755);
	MKDIR("d/e", 0755);
	EXPECT_ERRNO(ENOTEMPTY, rmdir("d/e/.."));
}

CASE(rmdir_of_a_file_is_ENOTDIR)
{
	PUT("f", "");
	EXPECT_ERRNO(ENOTDIR, rmdir("f"));
	EXPECT_ERRNO(ENOTDIR, unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
}

CASE(rmdir_of_a_link_to_a_directory_is_ENOTDIR)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(symlink("d", "l"), 0);
	EXPECT_ERRNO(ENOTDIR, rmdir("l"));
	EXPECT_ERRNO(ENOTDIR, rmdir("l/"));
}

CASE(rmdir_without_write_permission_is_EACCES)
{
	MKDIR("d", 0755);
	MKDIR("d/e", 0777);
	as(ALICE);
	EXPECT_ERRNO(EACCES, rmdir("d/e"));
}

CASE(rmdir_needs_nothing_of_the_directory_itself)
{
	MKDIR("d", 0777);
	MKDIR("d/e", 0);
	as(ALICE);
	EXPECT_EQUAL(rmdir("d/e"), 0);
}

CASE(removed_directory_that_is_open_is_empty_and_takes_nothing)
{
	MKDIR("d", 0755);
	OPEN(at, "d", O_RDONLY | O_DIRECTORY);
	EXPECT_EQUAL(rmdir("d"), 0);
	EXPECT_ERRNO(ENOENT, openat(at, "f", O_CREAT | O_RDWR, 0644));
	EXPECT_ERRNO(ENOENT, mkdirat(at, "e", 0755));
	EXPECT_ERRNO(ENOENT, symlinkat("x", at, "l"));
	FSTAT(status, at);
	EXPECT_EQUAL(status.st_nlink, 0);
}

CASE(removed_working_directory_takes_nothing)
{
	MKDIR("d", 0755);
	EXPECT_EQUAL(chdir("d"), 0);
	EXPECT_EQUAL(rmdir("../d"), 0);
	EXPECT_ERRNO(ENOENT, mkdir("e", 0755));
	EXPECT_ERRNO(ENOENT, open("f", O_CREAT | O_RDWR, 0644));
}

CASE(directory_made_again_is_another_one)
{
	MKDIR("d", 0755);
	PUT("d/f", "");
	EXPECT_EQUAL(unlink("d/f"), 0);
	EXPECT_EQUAL(rmdir("d"), 0);
	MKDIR("d", 0700);
	EXPECT_EQUAL(mode_of("d"), 0700);
	EXPECT(!exists("d/f"));
	EXPECT_EQUAL(nentries_of("d"), 2);
}
