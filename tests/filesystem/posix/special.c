/*
 * Files of other kinds, extended attributes, locks, and what is said of the whole.
 */
#include "posix.h"

#include <linux/falloc.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

CASE(mknod_makes_a_regular_file)
{
	EXPECT_EQUAL(mknod("f", S_IFREG | 0640, 0), 0);
	STAT(status, "f");
	EXPECT(S_ISREG(status.st_mode));
	EXPECT_EQUAL(status.st_mode & 07777, 0640);
}

CASE(mknod_makes_devices_for_root)
{
	EXPECT_EQUAL(mknod("c", S_IFCHR | 0600, makedev(1, 3)), 0);
	EXPECT_EQUAL(mknod("b", S_IFBLK | 0600, makedev(7, 300)), 0);
	STAT(character, "c");
	STAT(block, "b");
	EXPECT(S_ISCHR(character.st_mode) && character.st_rdev == makedev(1, 3));
	EXPECT(S_ISBLK(block.st_mode) && block.st_rdev == makedev(7, 300));
}

CASE(mknod_of_a_device_by_a_user_is_EPERM)
{
	MKDIR("d", 0777);
	as(ALICE);
	EXPECT_ERRNO(EPERM, mknod("d/c", S_IFCHR | 0600, makedev(1, 3)));
	EXPECT_EQUAL(mknod("d/p", S_IFIFO | 0600, 0), 0);
}

CASE(mknod_of_a_directory_is_EPERM)
{
	EXPECT_ERRNO(EPERM, mknod("d", S_IFDIR | 0755, 0));
}

CASE(made_fifo_has_the_mode_less_the_umask)
{
	umask(027);
	EXPECT_EQUAL(mkfifo("p", 0666), 0);
	STAT(status, "p");
	EXPECT(S_ISFIFO(status.st_mode));
	EXPECT_EQUAL(status.st_mode & 07777, 0640);
}

CASE(fifo_carries_bytes)
{
	char bytes[5] = "";

	EXPECT_EQUAL(mkfifo("p", 0644), 0);
	OPEN(reader, "p", O_RDONLY | O_NONBLOCK);
	OPEN(writer, "p", O_WRONLY);
	EXPECT_EQUAL(write(writer, "text", 4), 4);
	EXPECT_EQUAL(read(reader, bytes, 4), 4);
	EXPECT(strcmp(bytes, "text") == 0);
	EXPECT_EQUAL(size_of("p"), 0);
}

CASE(fifo_that_is_renamed_stays_connected)
{
	char byte;

	EXPECT_EQUAL(mkfifo("p", 0644), 0);
	OPEN(reader, "p", O_RDONLY | O_NONBLOCK);
	EXPECT_EQUAL(rename("p", "q"), 0);
	OPEN(writer, "q", O_WRONLY | O_NONBLOCK);
	EXPECT_EQUAL(write(writer, "x", 1), 1);
	EXPECT_EQUAL(read(reader, &byte, 1), 1);
}

CASE(socket_has_a_name)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "s"};
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);

	EXPECT(server >= 0 && client >= 0);
	EXPECT_EQUAL(bind(server, (struct sockaddr *)&name, sizeof(name)), 0);
	STAT(status, "s");
	EXPECT(S_ISSOCK(status.st_mode));
	EXPECT_EQUAL(listen(server, 1), 0);
	EXPECT_EQUAL(connect(client, (struct sockaddr *)&name, sizeof(name)), 0);
	EXPECT_EQUAL(unlink("s"), 0);
}

CASE(socket_of_a_name_that_is_there_is_EADDRINUSE)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "f"};
	int server = socket(AF_UNIX, SOCK_STREAM, 0);

	PUT("f", "");
	EXPECT(server >= 0);
	EXPECT_ERRNO(EADDRINUSE, bind(server, (struct sockaddr *)&name, sizeof(name)));
}

CASE(xattr_is_set_read_listed_and_removed)
{
	char bytes[32] = "";

	PUT("f", "");
	EXPECT_ERRNO(ENODATA, getxattr("f", "user.a", bytes, sizeof(bytes)));
	EXPECT_EQUAL(setxattr("f", "user.a", "value", 5, 0), 0);
	EXPECT_EQUAL(getxattr("f", "user.a", bytes, sizeof(bytes)), 5);
	EXPECT(memcmp(bytes, "value", 5) == 0);
	EXPECT_EQUAL(listxattr("f", bytes, sizeof(bytes)), 7);
	EXPECT(strcmp(bytes, "user.a") == 0);
	EXPECT_EQUAL(removexattr("f", "user.a"), 0);
	EXPECT_ERRNO(ENODATA, removexattr("f", "user.a"));
}

CASE(xattr_follows_the_file_and_not_the_name)
{
	char byte;

	PUT("f", "");
	EXPECT_EQUAL(setxattr("f", "user.a", "1", 1, 0), 0);
	EXPECT_EQUAL(rename("f", "g"), 0);
	EXPECT_EQUAL(link("g", "h"), 0);
	EXPECT_EQUAL(getxattr("h", "user.a", &byte, 1), 1);
	EXPECT_EQUAL(byte, '1');
}

CASE(xattr_create_and_replace_say_what_is_there)
{
	PUT("f", "");
	EXPECT_ERRNO(ENODATA, setxattr("f", "user.a", "1", 1, XATTR_REPLACE));
	EXPECT_EQUAL(setxattr("f", "user.a", "1", 1, XATTR_CREATE), 0);
	EXPECT_ERRNO(EEXIST, setxattr("f", "user.a", "1", 1, XATTR_CREATE));
	EXPECT_EQUAL(setxattr("f", "user.a", "2", 1, XATTR_REPLACE), 0);
}

CASE(xattr_without_room_is_ERANGE)
{
	char bytes[4];

	PUT("f", "");
	EXPECT_EQUAL(setxattr("f", "user.a", "value", 5, 0), 0);
	EXPECT_ERRNO(ERANGE, getxattr("f", "user.a", bytes, 4));
	EXPECT_ERRNO(ERANGE, listxattr("f", bytes, 4));
	EXPECT_EQUAL(getxattr("f", "user.a", NULL, 0), 5);
}

CASE(xattr_of_a_user_needs_permission)
{
	char byte;

	PUT("f", "");
	EXPECT_EQUAL(setxattr("f", "user.a", "1", 1, 0), 0);
	as(ALICE);
	EXPECT_ERRNO(EACCES, setxattr("f", "user.a", "2", 1, 0));
	EXPECT_EQUAL(getxattr("f", "user.a", &byte, 1), 1);
	as(0);
	EXPECT_EQUAL(chmod("f", 0600), 0);
	as(ALICE);
	EXPECT_ERRNO(EACCES, getxattr("f", "user.a", &byte, 1));
}

/* Whether another process could lock the file so: 0, or the error. */
static int child_locks(const char *name, short type, off_t start)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 10};
	int status;
	pid_t child = fork();

	if (child == 0) {
		int fd = open(name, O_RDWR);

		_exit(fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 ? 0 : errno);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

CASE(lock_of_a_range_keeps_others_out)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};

	PUT("f", "");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(fcntl(fd, F_SETLK, &lock), 0);
	EXPECT_EQUAL(child_locks("f", F_RDLCK, 5), EAGAIN);
	EXPECT_EQUAL(child_locks("f", F_WRLCK, 10), 0);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(child_locks("f", F_WRLCK, 0), 0);
}

CASE(locks_to_read_are_shared)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};

	PUT("f", "");
	OPEN(fd, "f", O_RDWR);
	EXPECT_EQUAL(fcntl(fd, F_SETLK, &lock), 0);
	EXPECT_EQUAL(child_locks("f", F_RDLCK, 0), 0);
	EXPECT_EQUAL(child_locks("f", F_WRLCK, 0), EAGAIN);
}

CASE(lock_of_the_whole_file_is_the_open_file_s)
{
	PUT("f", "");
	OPEN(first, "f", O_RDWR);
	OPEN(second, "f", O_RDWR);
	EXPECT_EQUAL(flock(first, LOCK_EX), 0);
	EXPECT_ERRNO(EWOULDBLOCK, flock(second, LOCK_SH | LOCK_NB));
	EXPECT_EQUAL(flock(first, LOCK_UN), 0);
	EXPECT_EQUAL(flock(second, LOCK_SH | LOCK_NB), 0);
}

CASE(whole_counts_blocks_files_and_names)
{
	struct statvfs status;

	EXPECT_EQUAL(statvfs(".", &status), 0);
	EXPECT(status.f_bsize >= 512 && status.f_blocks > 0 && status.f_bfree <= status.f_blocks);
	EXPECT_EQUAL(status.f_namemax, 255);
}

CASE(all_files_are_on_one_device)
{
	MKDIR("d", 0755);
	PUT("d/f", "");
	STAT(directory, "d");
	STAT(file, "d/f");
	EXPECT_EQUAL(directory.st_dev, file.st_dev);
	EXPECT(directory.st_ino != file.st_ino);
}

CASE(cwd_is_the_path_that_led_here)
{
	char here[4096], there[4096];

	EXPECT(getcwd(here, sizeof(here)));
	MKDIR("d", 0755);
	EXPECT_EQUAL(chdir("d"), 0);
	EXPECT(getcwd(there, sizeof(there)));
	EXPECT(strncmp(here, there, strlen(here)) == 0 && strcmp(there + strlen(here), "/d") == 0);
}
