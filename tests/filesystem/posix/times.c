/*
 * Time stamps: what sets which, and utimensat(2).
 */
#include "posix.h"

#include <time.h>

#define OLD_NS (OLD_S * 1000000000)

/* An old file with text; since its ctime cannot be made old, the clock moves on behind it. */
#define OLD_FILE(name)                                                                             \
	PUT(name, "text");                                                                         \
	EXPECT(make_old(name));                                                                    \
	long long changed = ctime_of(name);                                                        \
	tick()
#define OLD_DIRECTORY(name)                                                                        \
	MKDIR(name, 0777);                                                                         \
	EXPECT(make_old(name));                                                                    \
	long long changed = ctime_of(name);                                                        \
	tick()
#define MODIFIED(name)     EXPECT(mtime_of(name) != OLD_NS && ctime_of(name) > changed)
#define ONLY_CHANGED(name) EXPECT(mtime_of(name) == OLD_NS && ctime_of(name) > changed)
#define UNTOUCHED(name)    EXPECT(mtime_of(name) == OLD_NS && ctime_of(name) == changed)

CASE(new_file_has_three_times_of_now)
{
	struct timespec before, after;

	clock_gettime(CLOCK_REALTIME, &before);
	PUT("f", "");
	clock_gettime(CLOCK_REALTIME, &after);
	STAT(status, "f");
	EXPECT(status.st_atim.tv_sec >= before.tv_sec - 1 &&
	       status.st_atim.tv_sec <= after.tv_sec + 1);
	EXPECT(status.st_mtim.tv_sec >= before.tv_sec - 1 &&
	       status.st_mtim.tv_sec <= after.tv_sec + 1);
	EXPECT(status.st_ctim.tv_sec >= before.tv_sec - 1 &&
	       status.st_ctim.tv_sec <= after.tv_sec + 1);
}

CASE(new_file_modifies_its_directory)
{
	OLD_DIRECTORY("d");
	PUT("d/f", "");
	MODIFIED("d");
}

CASE(open_to_create_what_is_there_does_not_modify_the_directory)
{
	MKDIR("e", 0777);
	PUT("e/f", "");
	EXPECT(make_old("e"));
	OPEN(fd, "e/f", O_CREAT | O_RDWR, 0644);
	EXPECT_EQUAL(mtime_of("e"), OLD_NS);
}

CASE(new_directory_modifies_its_parent)
{
	OLD_DIRECTORY("d");
	MKDIR("d/e", 0755);
	MODIFIED("d");
}

CASE(new_symlink_modifies_its_directory)
{
	OLD_DIRECTORY("d");
	EXPECT_EQUAL(symlink("x", "d/l"), 0);
	MODIFIED("d");
}

CASE(new_fifo_modifies_its_directory)
{
	OLD_DIRECTORY("d");
	EXPECT_EQUAL(mkfifo("d/p", 0644), 0);
	MODIFIED("d");
}

CASE(unlink_modifies_the_directory)
{
	MKDIR("d", 0777);
	PUT("d/f", "");
	EXPECT(make_old("d"));
	EXPECT_EQUAL(unlink("d/f"), 0);
	EXPECT(mtime_of("d") != OLD_NS);
}

CASE(rmdir_modifies_the_parent)
{
	MKDIR("d", 0777);
	MKDIR("d/e", 0777);
	EXPECT(make_old("d"));
	EXPECT_EQUAL(rmdir("d/e"), 0);
	EXPECT(mtime_of("d") != OLD_NS);
}

CASE(rename_modifies_both_directories)
{
	MKDIR("d", 0777);
	MKDIR("e", 0777);
	PUT("d/f", "");
	EXPECT(make_old("d") && make_old("e"));
	EXPECT_EQUAL(rename("d/f", "e/f"), 0);
	EXPECT(mtime_of("d") != OLD_NS && mtime_of("e") != OLD_NS);
}

CASE(rename_changes_the_file)
{
	OLD_FILE("f");
	EXPECT_EQUAL(rename("f", "g"), 0);
	ONLY_CHANGED("g");
}

CASE(link_changes_the_file_and_modifies_the_directory)
{
	MKDIR("d", 0777);
	EXPECT(make_old("d"));
	OLD_FILE("f");
	EXPECT_EQUAL(link("f", "d/g"), 0);
	ONLY_CHANGED("f");
	EXPECT(mtime_of("d") != OLD_NS);
}

CASE(unlink_changes_what_has_another_name)
{
	PUT("g", "");
	EXPECT_EQUAL(link("g", "h"), 0);
	EXPECT(make_old("g"));
	long long changed = ctime_of("g");
	tick();
	EXPECT_EQUAL(unlink("h"), 0);
	ONLY_CHANGED("g");
}

CASE(chmod_changes_a_file)
{
	OLD_FILE("f");
	EXPECT_EQUAL(chmod("f", 0600), 0);
	ONLY_CHANGED("f");
}

CASE(chown_changes_a_file)
{
	OLD_FILE("f");
	EXPECT_EQUAL(chown("f", ALICE, ALICE), 0);
	ONLY_CHANGED("f");
}

CASE(write_modifies_a_file)
{
	OLD_FILE("f");
	OPEN(fd, "f", O_WRONLY);
	EXPECT_EQUAL(write(fd, "T", 1), 1);
	MODIFIED("f");
}

CASE(write_of_nothing_modifies_nothing)
{
	OLD_FILE("f");
	OPEN(fd, "f", O_WRONLY);
	EXPECT_EQUAL(write(fd, "", 0), 0);
	EXPECT_EQUAL(close(fd), 0);
	UNTOUCHED("f");
}

CASE(open_and_close_touch_nothing)
{
	OLD_FILE("f");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(close(fd), 0);
	UNTOUCHED("f");
}

CASE(truncating_open_modifies_a_file)
{
	OLD_FILE("f");
	OPEN(fd, "f", O_WRONLY | O_TRUNC);
	MODIFIED("f");
}

CASE(truncate_modifies_a_file)
{
	OLD_FILE("f");
	EXPECT_EQUAL(truncate("f", 1), 0);
	MODIFIED("f");
}

CASE(ftruncate_to_the_same_size_modifies_a_file)
{
	OLD_FILE("f");
	OPEN(fd, "f", O_WRONLY);
	EXPECT_EQUAL(ftruncate(fd, 4), 0);
	MODIFIED("f");
}

CASE(fallocate_changes_a_file)
{
	OLD_FILE("f");
	OPEN(fd, "f", O_WRONLY);
	EXPECT_EQUAL(fallocate(fd, 0, 0, 8192), 0);
	EXPECT(ctime_of("f") > changed);
}

CASE(first_read_since_a_change_is_an_access)
{
	char byte;

	PUT("f", "text");
	EXPECT(make_old("f"));
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(read(fd, &byte, 1), 1);
	EXPECT(atime_of("f") != OLD_NS);
	EXPECT_EQUAL(mtime_of("f"), OLD_NS);
}

CASE(read_with_O_NOATIME_is_no_access)
{
	char byte;

	PUT("f", "text");
	EXPECT(make_old("f"));
	OPEN(fd, "f", O_RDONLY | O_NOATIME);
	EXPECT_EQUAL(read(fd, &byte, 1), 1);
	EXPECT_EQUAL(atime_of("f"), OLD_NS);
}

CASE(listing_is_an_access)
{
	MKDIR("d", 0755);
	EXPECT(make_old("d"));
	EXPECT_EQUAL(nentries_of("d"), 2);
	EXPECT(atime_of("d") != OLD_NS);
}

CASE(reading_a_link_modifies_nothing)
{
	char target[8];

	EXPECT_EQUAL(symlink("x", "l"), 0);
	EXPECT(make_old("l"));
	EXPECT_EQUAL(readlink("l", target, sizeof(target)), 1);
	EXPECT_EQUAL(mtime_of("l"), OLD_NS);
}

CASE(utimensat_sets_nanoseconds)
{
	struct timespec times[2] = {{1000000000, 123456789}, {1500000000, 987654321}};

	PUT("f", "");
	EXPECT_EQUAL(utimensat(AT_FDCWD, "f", times, 0), 0);
	EXPECT_EQUAL(atime_of("f"), 1000000000123456789);
	EXPECT_EQUAL(mtime_of("f"), 1500000000987654321);
}

CASE(utimensat_sets_times_before_1970)
{
	struct timespec times[2] = {{-1000, 0}, {-1, 500000000}};

	PUT("f", "");
	EXPECT_EQUAL(utimensat(AT_FDCWD, "f", times, 0), 0);
	EXPECT_EQUAL(mtime_of("f"), -500000000);
	EXPECT_EQUAL(atime_of("f"), -1000000000000);
}

CASE(utimensat_sets_times_after_2038)
{
	struct timespec times[2] = {{5000000000, 0}, {6000000000, 1}};

	PUT("f", "");
	EXPECT_EQUAL(utimensat(AT_FDCWD, "f", times, 0), 0);
	EXPECT_EQUAL(atime_of("f"), 5000000000000000000);
	EXPECT_EQUAL(mtime_of("f"), 6000000000000000001);
}

CASE(utimensat_omits_and_takes_now)
{
	struct timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};

	PUT("f", "");
	EXPECT(make_old("f"));
	EXPECT_EQUAL(utimensat(AT_FDCWD, "f", times, 0), 0);
	EXPECT_EQUAL(atime_of("f"), OLD_NS);
	EXPECT(mtime_of("f") > OLD_NS);
}

CASE(utimensat_that_omits_both_changes_nothing)
{
	struct timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};

	OLD_FILE("f");
	EXPECT_EQUAL(utimensat(AT_FDCWD, "f", times, 0), 0);
	UNTOUCHED("f");
}

CASE(utimensat_changes_a_file)
{
	OLD_FILE("f");
	EXPECT(make_old("f"));
	ONLY_CHANGED("f");
}

CASE(utimensat_of_a_link_itself)
{
	PUT("f", "");
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT(make_old("l"));
	EXPECT_EQUAL(mtime_of("l"), OLD_NS);
	EXPECT(mtime_of("f") != OLD_NS);
}

CASE(utimensat_refuses_impossible_nanoseconds)
{
	struct timespec times[2] = {{0, 1000000000}, {0, 0}};

	PUT("f", "");
	EXPECT_ERRNO(EINVAL, utimensat(AT_FDCWD, "f", times, 0));
}

CASE(utimensat_to_now_needs_write_permission)
{
	PUT("f", "");
	EXPECT_EQUAL(chmod("f", 0666), 0);
	as(ALICE);
	EXPECT_EQUAL(utimensat(AT_FDCWD, "f", NULL, 0), 0);
	as(0);
	EXPECT_EQUAL(chmod("f", 0644), 0);
	as(ALICE);
	EXPECT_ERRNO(EACCES, utimensat(AT_FDCWD, "f", NULL, 0));
}

CASE(utimensat_to_a_time_is_for_the_owner)
{
	struct timespec times[2] = {{1, 0}, {1, 0}};

	PUT("f", "");
	EXPECT_EQUAL(chmod("f", 0666), 0);
	as(ALICE);
	EXPECT_ERRNO(EPERM, utimensat(AT_FDCWD, "f", times, 0));
}

CASE(futimens_sets_an_unlinked_file_s)
{
	struct timespec times[2] = {{1, 0}, {2, 0}};

	PUT("f", "");
	OPEN(fd, "f", O_RDONLY);
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_EQUAL(futimens(fd, times), 0);
	FSTAT(status, fd);
	EXPECT_EQUAL(status.st_mtim.tv_sec, 2);
}
