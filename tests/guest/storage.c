/*
 * What a filesystem can do with files beside reading and writing them: extended attributes, room
 * and holes, mappings, copying, locks. Runs in the folder that it is given (/tmp), so any
 * filesystem can be asked.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check.h"
#include "look.h"

#define PAGE 4096

static char name[] = "storage-file", link_name[] = "storage-link", other_name[] = "storage-other";
static int file;

/* ---- extended attributes ---- */

static void attributes_are_set_read_listed_and_removed(void)
{
	char bytes[100];

	EXPECT_ERRNO(ENODATA, getxattr(name, "user.a", bytes, sizeof(bytes)));
	EXPECT_EQUAL(setxattr(name, "user.a", "value", 5, 0), 0);
	EXPECT_EQUAL(getxattr(name, "user.a", NULL, 0), 5);
	EXPECT_EQUAL(getxattr(name, "user.a", bytes, sizeof(bytes)), 5);
	EXPECT(memcmp(bytes, "value", 5) == 0);
	EXPECT_ERRNO(ERANGE, getxattr(name, "user.a", bytes, 4));
	EXPECT_EQUAL(fgetxattr(file, "user.a", bytes, sizeof(bytes)), 5);
	EXPECT_EQUAL(listxattr(name, NULL, 0), 7);
	EXPECT_EQUAL(flistxattr(file, bytes, sizeof(bytes)), 7);
	EXPECT(memcmp(bytes, "user.a", 7) == 0);
	EXPECT_ERRNO(ERANGE, listxattr(name, bytes, 6));
	EXPECT_EQUAL(fremovexattr(file, "user.a"), 0);
	EXPECT_ERRNO(ENODATA, removexattr(name, "user.a"));
	EXPECT_EQUAL(listxattr(name, bytes, sizeof(bytes)), 0);
}

static void create_and_replace_tell_what_is_there(void)
{
	char bytes[10];

	EXPECT_ERRNO(ENODATA, setxattr(name, "user.b", "1", 1, XATTR_REPLACE));
	EXPECT_EQUAL(setxattr(name, "user.b", "1", 1, XATTR_CREATE), 0);
	EXPECT_ERRNO(EEXIST, setxattr(name, "user.b", "2", 1, XATTR_CREATE));
	EXPECT_EQUAL(fsetxattr(file, "user.b", "22", 2, XATTR_REPLACE), 0);
	EXPECT_EQUAL(getxattr(name, "user.b", bytes, sizeof(bytes)), 2);
	EXPECT_EQUAL(setxattr(name, "user.b", "", 0, 0), 0);
	EXPECT_EQUAL(getxattr(name, "user.b", bytes, sizeof(bytes)), 0);
	EXPECT_EQUAL(removexattr(name, "user.b"), 0);
}

static void bad_attributes_are_refused(void)
{
	static char large[65537], longest[257] = "user.";
	char *volatile nowhere = (char *)8;

	memset(longest + 5, 'n', 251);
	EXPECT_ERRNO(ERANGE, setxattr(name, "", "1", 1, 0));
	EXPECT_ERRNO(ERANGE, setxattr(name, longest, "1", 1, 0));
	EXPECT_ERRNO(E2BIG, setxattr(name, "user.c", large, sizeof(large), 0));
	EXPECT_ERRNO(EINVAL, setxattr(name, "user.c", "1", 1, 4));
	EXPECT_ERRNO(EOPNOTSUPP, setxattr(name, "nospace.c", "1", 1, 0));
	EXPECT_ERRNO(ENOENT, setxattr("storage-none", "user.c", "1", 1, 0));
	EXPECT_ERRNO(EBADF, fsetxattr(-1, "user.c", "1", 1, 0));
	EXPECT_ERRNO(EFAULT, setxattr(name, "user.c", nowhere, 1, 0));
}

/* "user." is of files and directories; a link has none, and is followed unless it is named. */
static void a_link_has_no_user_attributes(void)
{
	char bytes[10];

	EXPECT_EQUAL(setxattr(link_name, "user.d", "1", 1, 0), 0);
	EXPECT_EQUAL(getxattr(name, "user.d", bytes, sizeof(bytes)), 1);
	EXPECT_ERRNO(EPERM, lsetxattr(link_name, "user.d", "1", 1, 0));
	EXPECT_ERRNO(ENODATA, lgetxattr(link_name, "user.d", bytes, sizeof(bytes)));
	EXPECT_EQUAL(llistxattr(link_name, bytes, sizeof(bytes)), 0);
	EXPECT_EQUAL(removexattr(link_name, "user.d"), 0);
}

/* What a child that is nobody finds: a digit for each check that failed, 0 if none did. */
static int as_nobody(void)
{
	char bytes[100];

	if (setgid(65534) || setuid(65534))
		return 9;
	if (setxattr(name, "trusted.e", "2", 1, 0) != -1 || errno != EPERM)
		return 1;
	if (getxattr(name, "trusted.e", bytes, sizeof(bytes)) != -1 || errno != ENODATA)
		return 2;
	if (setxattr(name, "user.e", "2", 1, 0) != -1 || errno != EACCES)
		return 3;
	return 0;
}

static void trusted_attributes_are_root_s(void)
{
	int status;
	pid_t pid;

	if (geteuid() != 0 || (setxattr(name, "trusted.e", "1", 1, 0) && errno == EPERM))
		return; /* root of a container is none */
	EXPECT_EQUAL(fchmod(file, 0644), 0);
	EXPECT_EQUAL(getxattr(name, "trusted.e", NULL, 0), 1);
	pid = fork();
	if (pid == 0)
		_exit(as_nobody());
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(removexattr(name, "trusted.e"), 0);
}

static void many_attributes_keep_apart(void)
{
	char attribute[32], bytes[32];

	for (int i = 0; i < 40; i++) {
		snprintf(attribute, sizeof(attribute), "user.many.%d", i);
		EXPECT_EQUAL(setxattr(name, attribute, attribute, strlen(attribute), 0), 0);
	}
	for (int i = 39; i >= 0; i--) {
		snprintf(attribute, sizeof(attribute), "user.many.%d", i);
		EXPECT_EQUAL(getxattr(name, attribute, bytes, sizeof(bytes)), strlen(attribute));
		EXPECT(memcmp(bytes, attribute, strlen(attribute)) == 0);
		EXPECT_EQUAL(removexattr(name, attribute), 0);
	}
	EXPECT_EQUAL(listxattr(name, NULL, 0), 0);
}

/* ---- room and holes ---- */

static int all_zeros(const char *bytes, size_t len)
{
	while (len && !bytes[len - 1])
		len--;
	return !len;
}

static void room_that_is_made_reads_as_zeros(void)
{
	static char bytes[3 * PAGE];
	struct stat stat;

	EXPECT_EQUAL(ftruncate(file, 0), 0);
	EXPECT_EQUAL(pwrite(file, "begin", 5, 0), 5);
	EXPECT_EQUAL(fallocate(file, 0, PAGE + 10, PAGE), 0);
	EXPECT_EQUAL(fstat(file, &stat), 0);
	EXPECT_EQUAL(stat.st_size, 2 * PAGE + 10);
	EXPECT_EQUAL(pread(file, bytes, sizeof(bytes), 0), 2 * PAGE + 10);
	EXPECT(memcmp(bytes, "begin", 5) == 0 && all_zeros(bytes + 5, 2 * PAGE + 5));
	EXPECT_EQUAL(fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE), 0);
	EXPECT_EQUAL(fstat(file, &stat), 0);
	EXPECT_EQUAL(stat.st_size, 2 * PAGE + 10);
	EXPECT(stat.st_blocks >= 4 * PAGE / 512);
	EXPECT_EQUAL(pread(file, bytes, 5, 0), 5);
	EXPECT(memcmp(bytes, "begin", 5) == 0);
}

static void a_hole_that_is_punched_reads_as_zeros(void)
{
	const int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	static char bytes[4 * PAGE], read[4 * PAGE + 1];

	memset(bytes, 'x', sizeof(bytes));
	EXPECT_EQUAL(ftruncate(file, 0), 0);
	EXPECT_EQUAL(pwrite(file, bytes, sizeof(bytes), 0), sizeof(bytes));
	EXPECT_EQUAL(fallocate(file, punch, 100, 50), 0); /* within a page */
	memset(bytes + 100, 0, 50);
	EXPECT_EQUAL(fallocate(file, punch, PAGE - 10, 2 * PAGE + 30), 0); /* over several */
	memset(bytes + PAGE - 10, 0, 2 * PAGE + 30);
	EXPECT_EQUAL(fallocate(file, punch, 100 * PAGE, PAGE), 0); /* behind the end */
	EXPECT_EQUAL(pread(file, read, sizeof(read), 0), sizeof(bytes));
	EXPECT(memcmp(bytes, read, sizeof(bytes)) == 0);
	EXPECT_EQUAL(pwrite(file, "again", 5, 2 * PAGE), 5);
	memcpy(bytes + 2 * PAGE, "again", 5);
	EXPECT_EQUAL(pread(file, read, sizeof(read), 0), sizeof(bytes));
	EXPECT(memcmp(bytes, read, sizeof(bytes)) == 0);
}

/* Not every filesystem has it: Linux's tmpfs does not. */
static void a_range_can_be_made_zeros(void)
{
	static char read[2 * PAGE];

	EXPECT_EQUAL(ftruncate(file, 0), 0);
	EXPECT_EQUAL(pwrite(file, "0123456789", 10, 0), 10);
	if (fallocate(file, FALLOC_FL_ZERO_RANGE, 2, PAGE)) {
		EXPECT_EQUAL(errno, EOPNOTSUPP);
		return;
	}
	EXPECT_EQUAL(pread(file, read, sizeof(read), 0), PAGE + 2);
	EXPECT(read[0] == '0' && read[1] == '1' && all_zeros(read + 2, PAGE));
}

static void bad_ranges_are_refused(void)
{
	int fds[2], reader = open(name, O_RDONLY);

	EXPECT_ERRNO(EINVAL, fallocate(file, 0, -1, 10));
	EXPECT_ERRNO(EINVAL, fallocate(file, 0, 0, 0));
	EXPECT_ERRNO(EOPNOTSUPP, fallocate(file, FALLOC_FL_PUNCH_HOLE, 0, 10));
	EXPECT_ERRNO(EOPNOTSUPP, fallocate(file, 0x1000, 0, 10));
	EXPECT_ERRNO(EFBIG, fallocate(file, 0, 0x7fffffffffffffff, 10));
	EXPECT_ERRNO(EBADF, fallocate(reader, 0, 0, 10));
	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_ERRNO(ESPIPE, fallocate(fds[1], 0, 0, 10));
	EXPECT_EQUAL(close(fds[0]) | close(fds[1]) | close(reader), 0);
}

static void data_and_holes_are_found(void)
{
	EXPECT_EQUAL(ftruncate(file, 0), 0);
	EXPECT_EQUAL(ftruncate(file, 64 * PAGE), 0);
	EXPECT_ERRNO(ENXIO, lseek(file, 0, SEEK_DATA));
	EXPECT_EQUAL(lseek(file, 0, SEEK_HOLE), 0);
	EXPECT_EQUAL(pwrite(file, "data", 4, 20 * PAGE + 100), 4);
	EXPECT_EQUAL(lseek(file, 0, SEEK_DATA), 20 * PAGE);
	EXPECT_EQUAL(lseek(file, 20 * PAGE + 5, SEEK_DATA), 20 * PAGE + 5);
	EXPECT_EQUAL(lseek(file, 20 * PAGE, SEEK_HOLE), 21 * PAGE);
	EXPECT_EQUAL(lseek(file, 0, SEEK_CUR), 21 * PAGE);
	EXPECT_ERRNO(ENXIO, lseek(file, 21 * PAGE, SEEK_DATA));
	EXPECT_EQUAL(lseek(file, 30 * PAGE + 7, SEEK_HOLE), 30 * PAGE + 7);
	EXPECT_ERRNO(ENXIO, lseek(file, 64 * PAGE, SEEK_HOLE));
	EXPECT_ERRNO(ENXIO, lseek(file, -1, SEEK_DATA));
	EXPECT_EQUAL(pwrite(file, "end", 3, 64 * PAGE - 3), 3);
	EXPECT_EQUAL(lseek(file, 63 * PAGE, SEEK_HOLE), 64 * PAGE);
}

/* ---- mapping ---- */

static void a_mapping_ends_where_the_file_does(void)
{
	static char bytes[4 * PAGE];
	char *memory;

	memset(bytes, 'x', sizeof(bytes));
	EXPECT_EQUAL(ftruncate(file, 0), 0);
	EXPECT_EQUAL(pwrite(file, bytes, sizeof(bytes), 0), sizeof(bytes));
	memory = mmap(NULL, sizeof(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	EXPECT(memory != MAP_FAILED);
	for (int page = 0; page < 4; page++)
		EXPECT_EQUAL(look(memory + page * PAGE), 'x');
	memory[3 * PAGE] = 'y'; /* a copy of our own */
	EXPECT_EQUAL(ftruncate(file, PAGE + 10), 0);
	EXPECT_EQUAL(look(memory), 'x');
	EXPECT_EQUAL(look(memory + PAGE + 9), 'x');
	EXPECT_EQUAL(look(memory + PAGE + 10), 0);
	EXPECT_EQUAL(look(memory + 2 * PAGE), -1);
	EXPECT_EQUAL(look(memory + 3 * PAGE), -1); /* goes, too */
	EXPECT_EQUAL(ftruncate(file, 4 * PAGE), 0);
	EXPECT_EQUAL(look(memory + 3 * PAGE), 0);
	EXPECT_EQUAL(munmap(memory, sizeof(bytes)), 0);
}

/* ---- copying ---- */

static void bytes_are_copied_from_file_to_file(void)
{
	int other = open(other_name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	off_t from = 2, to = PAGE - 3;
	char bytes[16];

	EXPECT(other >= 0);
	EXPECT_EQUAL(ftruncate(file, 0), 0);
	EXPECT_EQUAL(pwrite(file, "0123456789", 10, 0), 10);
	EXPECT_EQUAL(copy_file_range(file, &from, other, &to, 6, 0), 6);
	EXPECT(from == 8 && to == PAGE + 3);
	EXPECT_EQUAL(pread(other, bytes, sizeof(bytes), PAGE - 4), 7);
	EXPECT(memcmp(bytes, "\000234567", 7) == 0);
	EXPECT_EQUAL(copy_file_range(file, &from, other, &to, 100, 0), 2); /* to the end */
	EXPECT_EQUAL(copy_file_range(file, &from, other, &to, 100, 0), 0);
	EXPECT_EQUAL(close(other), 0);
}

/* ---- files without a name ---- */

/* Not every filesystem has them. */
static void a_file_without_a_name_can_get_one(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);
	char path[40], bytes[8];
	struct stat stat;

	if (fd < 0) {
		EXPECT_EQUAL(errno, EOPNOTSUPP);
		return;
	}
	unlink(other_name);
	EXPECT_EQUAL(fstat(fd, &stat), 0);
	EXPECT_EQUAL(stat.st_nlink, 0);
	EXPECT_EQUAL(stat.st_mode & ~022u, (mode_t)S_IFREG | (0640 & ~022));
	EXPECT_EQUAL(write(fd, "bytes", 5), 5);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQUAL(linkat(AT_FDCWD, path, AT_FDCWD, other_name, AT_SYMLINK_FOLLOW), 0);
	EXPECT_EQUAL(fstat(fd, &stat), 0);
	EXPECT_EQUAL(stat.st_nlink, 1);
	EXPECT_EQUAL(close(fd), 0);
	fd = open(other_name, O_RDONLY);
	EXPECT_EQUAL(read(fd, bytes, sizeof(bytes)), 5);
	EXPECT_EQUAL(close(fd) | unlink(other_name), 0);
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	EXPECT(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_ERRNO(ENOENT, linkat(AT_FDCWD, path, AT_FDCWD, other_name, AT_SYMLINK_FOLLOW));
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_ERRNO(EINVAL, open(".", O_TMPFILE | O_RDONLY, 0600));
	EXPECT_ERRNO(EINVAL, open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));
	EXPECT_ERRNO(ENOTDIR, open(name, O_TMPFILE | O_RDWR, 0600));
}

/* ---- locks ---- */

static int lock(int fd, int command, short type, off_t start, off_t len)
{
	struct flock flock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(fd, command, &flock);
}

/* What is in the way of a write lock on [start, start + len): its type. */
static int in_the_way(int fd, int command, off_t start, off_t len, struct flock *out)
{
	*out = (struct flock){
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
	return fcntl(fd, command, out) ? -1 : out->l_type;
}

/* Runs it in a child and gives what it returned. */
static int in_child(int (*run)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	waitpid(pid, &status, 0);
	return status ? (WIFEXITED(status) ? WEXITSTATUS(status) : -1) : 0;
}

/* The parent has read-locked [10, 19] and write-locked [20, 29]. */
static int child_meets_locks(void)
{
	struct flock found;

	if (in_the_way(file, F_GETLK, 0, 10, &found) != F_UNLCK)
		return 1;
	if (in_the_way(file, F_GETLK, 0, 0, &found) == F_UNLCK || found.l_pid != getppid())
		return 2;
	if (in_the_way(file, F_GETLK, 20, 1, &found) != F_WRLCK || found.l_start != 20 ||
	    found.l_len != 10 || found.l_whence != SEEK_SET)
		return 3;
	if (lock(file, F_SETLK, F_RDLCK, 10, 10))
		return 4; /* readers go together */
	if (!lock(file, F_SETLK, F_WRLCK, 10, 1) || (errno != EAGAIN && errno != EACCES))
		return 5;
	if (!lock(file, F_SETLK, F_RDLCK, 15, 10) || errno != EAGAIN)
		return 6;
	return lock(file, F_SETLK, F_WRLCK, 30, 0) ? 7 : 0;
}

static int child_finds_nothing(void)
{
	struct flock found;

	return in_the_way(file, F_GETLK, 0, 0, &found) == F_UNLCK ? 0 : 1;
}

static int child_finds_two_pieces(void)
{
	struct flock found;

	if (in_the_way(file, F_GETLK, 40, 20, &found) != F_UNLCK)
		return 1;
	if (in_the_way(file, F_GETLK, 0, 0, &found) != F_WRLCK || found.l_start + found.l_len != 40)
		return 2;
	if (in_the_way(file, F_GETLK, 60, 0, &found) != F_WRLCK || found.l_start != 60 ||
	    found.l_len != 40)
		return 3;
	return 0;
}

static void locks_keep_processes_apart(void)
{
	EXPECT_EQUAL(lock(file, F_SETLK, F_RDLCK, 10, 10), 0);
	EXPECT_EQUAL(lock(file, F_SETLK, F_WRLCK, 20, 10), 0);
	EXPECT_EQUAL(in_child(child_meets_locks), 0);
	EXPECT_EQUAL(lock(file, F_SETLK, F_UNLCK, 0, 0), 0);
	EXPECT_EQUAL(in_child(child_finds_nothing), 0);
}

static void a_lock_is_cut_and_joined(void)
{
	EXPECT_EQUAL(lock(file, F_SETLK, F_WRLCK, 10, 90), 0);
	EXPECT_EQUAL(lock(file, F_SETLK, F_UNLCK, 40, 20), 0);
	EXPECT_EQUAL(in_child(child_finds_two_pieces), 0);
	EXPECT_EQUAL(lock(file, F_SETLK, F_WRLCK, 40, 20), 0); /* one again */
	EXPECT_EQUAL(lock(file, F_SETLK, F_UNLCK, 10, 90), 0);
	EXPECT_EQUAL(in_child(child_finds_nothing), 0);
}

/* Of the process: any descriptor that is closed takes them along. */
static void locks_go_when_the_file_is_closed(void)
{
	int again = open(name, O_RDWR);

	EXPECT(again >= 0);
	EXPECT_EQUAL(lock(file, F_SETLK, F_WRLCK, 0, 0), 0);
	EXPECT_EQUAL(close(again), 0);
	EXPECT_EQUAL(in_child(child_finds_nothing), 0);
}

static int child_waits(void)
{
	return lock(file, F_SETLKW, F_WRLCK, 0, 10) ? errno : 0;
}

static void who_waits_gets_the_lock(void)
{
	struct flock found;
	int status;
	pid_t pid;

	EXPECT_EQUAL(lock(file, F_SETLK, F_WRLCK, 0, 10), 0);
	pid = fork();
	if (pid == 0)
		_exit(child_waits());
	EXPECT_EQUAL(in_the_way(file, F_GETLK, 0, 10, &found), F_UNLCK);
	EXPECT_EQUAL(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_EQUAL(lock(file, F_SETLK, F_UNLCK, 0, 0), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
}

/* Each has one and wants the other's: one of the two is told. */
static void a_circle_of_waiters_is_told(void)
{
	int to_child[2], to_parent[2], status, result;
	char byte = 0;
	pid_t pid;

	EXPECT_EQUAL(pipe(to_child) | pipe(to_parent), 0);
	EXPECT_EQUAL(lock(file, F_SETLK, F_WRLCK, 0, 1), 0);
	pid = fork();
	if (pid == 0) {
		if (lock(file, F_SETLK, F_WRLCK, 1, 1) || write(to_parent[1], &byte, 1) != 1)
			_exit(100);
		_exit(lock(file, F_SETLKW, F_WRLCK, 0, 1) ? errno : 0);
	}
	EXPECT_EQUAL(read(to_parent[0], &byte, 1), 1);
	result = lock(file, F_SETLKW, F_WRLCK, 1, 1) ? errno : 0;
	EXPECT(result == 0 || result == EDEADLK);
	EXPECT_EQUAL(lock(file, F_SETLK, F_UNLCK, 0, 0), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(WEXITSTATUS(status), result ? 0 : EDEADLK);
	EXPECT_EQUAL(close(to_child[0]) | close(to_child[1]), 0);
	EXPECT_EQUAL(close(to_parent[0]) | close(to_parent[1]), 0);
}

static void open_file_locks_are_the_open_file_s(void)
{
	int again = open(name, O_RDWR), same;
	struct flock found;

	EXPECT(again >= 0);
	EXPECT_EQUAL(lock(file, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	EXPECT_ERRNO(EAGAIN, lock(again, F_OFD_SETLK, F_WRLCK, 5, 10));
	EXPECT_EQUAL(in_the_way(again, F_OFD_GETLK, 0, 0, &found), F_WRLCK);
	EXPECT_EQUAL(found.l_pid, -1);
	same = dup(file);
	EXPECT_EQUAL(lock(same, F_OFD_SETLK, F_RDLCK, 5, 10), 0);
	EXPECT_EQUAL(close(same), 0); /* it stays with the other descriptor */
	EXPECT_ERRNO(EAGAIN, lock(again, F_OFD_SETLK, F_WRLCK, 5, 10));
	EXPECT_EQUAL(lock(again, F_OFD_SETLK, F_WRLCK, 100, 0), 0);
	EXPECT_ERRNO(EAGAIN, lock(file, F_OFD_SETLK, F_RDLCK, 200, 1));
	EXPECT_EQUAL(close(again), 0);
	EXPECT_EQUAL(lock(file, F_OFD_SETLK, F_RDLCK, 200, 1), 0);
	EXPECT_EQUAL(lock(file, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
}

static void whole_files_are_locked_by_flock(void)
{
	int again = open(name, O_RDONLY);

	EXPECT(again >= 0);
	EXPECT_EQUAL(flock(file, LOCK_SH), 0);
	EXPECT_EQUAL(flock(again, LOCK_SH | LOCK_NB), 0);
	EXPECT_ERRNO(EWOULDBLOCK, flock(file, LOCK_EX | LOCK_NB));
	EXPECT_EQUAL(flock(again, LOCK_UN), 0);
	EXPECT_EQUAL(flock(file, LOCK_EX), 0);
	EXPECT_ERRNO(EWOULDBLOCK, flock(again, LOCK_SH | LOCK_NB));
	EXPECT_EQUAL(lock(file, F_SETLK, F_WRLCK, 0, 0), 0); /* fcntl's are others */
	EXPECT_EQUAL(lock(file, F_SETLK, F_UNLCK, 0, 0), 0);
	EXPECT_ERRNO(EINVAL, flock(file, 0));
	EXPECT_ERRNO(EBADF, flock(-1, LOCK_SH));
	EXPECT_EQUAL(flock(file, LOCK_UN), 0);
	EXPECT_EQUAL(flock(again, LOCK_EX | LOCK_NB), 0);
	EXPECT_EQUAL(close(again), 0);
	EXPECT_EQUAL(flock(file, LOCK_EX),
		     0); /* waits: a driver may hear of the end a little later */
	EXPECT_EQUAL(flock(file, LOCK_UN), 0);
}

static void bad_locks_are_refused(void)
{
	int reader = open(name, O_RDONLY);
	struct flock found;

	EXPECT_ERRNO(EBADF, lock(reader, F_SETLK, F_WRLCK, 0, 0));
	EXPECT_EQUAL(lock(reader, F_SETLK, F_RDLCK, 0, 0), 0);
	EXPECT_ERRNO(EINVAL, lock(file, F_SETLK, 3, 0, 0));
	EXPECT_ERRNO(EINVAL, lock(file, F_SETLK, F_WRLCK, -1, 1));
	EXPECT_ERRNO(EINVAL, lock(file, F_SETLK, F_WRLCK, 5, -6));
	EXPECT_EQUAL(lock(file, F_SETLK, F_WRLCK, 5, -5), 0);
	EXPECT_ERRNO(EOVERFLOW, lock(file, F_SETLK, F_WRLCK, 0x7fffffffffffffff, 2));
	EXPECT_ERRNO(EFAULT, fcntl(file, F_SETLK, NULL));
	found = (struct flock){.l_type = F_UNLCK};
	EXPECT_ERRNO(EINVAL, fcntl(file, F_GETLK, &found));
	EXPECT_ERRNO(EBADF, lock(-1, F_SETLK, F_WRLCK, 0, 0));
	EXPECT_EQUAL(close(reader), 0);
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "/tmp";

	if (chdir(folder) || (file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600)) < 0 ||
	    symlink(name, link_name)) {
		printf("not ok set_up: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	RUN(attributes_are_set_read_listed_and_removed);
	RUN(create_and_replace_tell_what_is_there);
	RUN(bad_attributes_are_refused);
	RUN(a_link_has_no_user_attributes);
	RUN(trusted_attributes_are_root_s);
	RUN(many_attributes_keep_apart);
	RUN(room_that_is_made_reads_as_zeros);
	RUN(a_hole_that_is_punched_reads_as_zeros);
	RUN(a_range_can_be_made_zeros);
	RUN(bad_ranges_are_refused);
	RUN(data_and_holes_are_found);
	RUN(a_mapping_ends_where_the_file_does);
	RUN(bytes_are_copied_from_file_to_file);
	RUN(a_file_without_a_name_can_get_one);
	RUN(locks_keep_processes_apart);
	RUN(a_lock_is_cut_and_joined);
	RUN(locks_go_when_the_file_is_closed);
	RUN(who_waits_gets_the_lock);
	RUN(a_circle_of_waiters_is_told);
	RUN(open_file_locks_are_the_open_file_s);
	RUN(whole_files_are_locked_by_flock);
	RUN(bad_locks_are_refused);
	unlink(name);
	unlink(link_name);
	unlink(other_name);
	return check_end();
}
