/*
 * Calls on files beside the everyday ones: times in the older forms, directories in the older form,
 * ranges of descriptors, reads and writes with flags, hints.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "check.h"

#define RWF_HIPRI_  0x01
#define RWF_DSYNC_  0x02
#define RWF_SYNC_   0x04
#define RWF_NOWAIT_ 0x08
#define RWF_APPEND_ 0x10

static char folder[] = "/tmp/file-calls-XXXXXX";

/* ---- times ---- */

static void times_are_set_in_all_forms(void)
{
	struct timeval times[2] = {{1000, 500000}, {2000, 250000}};
	long seconds[2] = {3000, 4000};
	struct stat stat_;
	int fd = open("f", O_CREAT | O_RDWR, 0600);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(syscall(SYS_utimes, "f", times), 0);
	EXPECT_EQUAL(stat("f", &stat_), 0);
	EXPECT(stat_.st_atim.tv_sec == 1000 && stat_.st_atim.tv_nsec == 500000000);
	EXPECT(stat_.st_mtim.tv_sec == 2000 && stat_.st_mtim.tv_nsec == 250000000);
	EXPECT_EQUAL(syscall(SYS_utime, "f", seconds), 0);
	EXPECT_EQUAL(stat("f", &stat_), 0);
	EXPECT(stat_.st_atim.tv_sec == 3000 && stat_.st_mtim.tv_sec == 4000);
	EXPECT(stat_.st_atim.tv_nsec == 0 && stat_.st_mtim.tv_nsec == 0);
	EXPECT_EQUAL(syscall(SYS_futimesat, AT_FDCWD, "f", times), 0);
	EXPECT_EQUAL(stat("f", &stat_), 0);
	EXPECT(stat_.st_mtim.tv_sec == 2000);
	times[1].tv_sec = 7000;
	EXPECT_EQUAL(syscall(SYS_futimesat, fd, NULL, times), 0);
	EXPECT_EQUAL(stat("f", &stat_), 0);
	EXPECT(stat_.st_mtim.tv_sec == 7000);
	EXPECT_EQUAL(syscall(SYS_utime, "f", NULL), 0);
	EXPECT_EQUAL(stat("f", &stat_), 0);
	EXPECT(stat_.st_mtim.tv_sec > 7000);
	close(fd);
	unlink("f");
}

static void bad_times_are_refused(void)
{
	struct timeval times[2] = {{0, 1000000}, {0, 0}};
	long seconds[2] = {0, 0};
	int fd = open("f", O_CREAT | O_RDWR, 0600);

	EXPECT(fd >= 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_utimes, "f", times));
	times[0].tv_usec = -1;
	EXPECT_ERRNO(EINVAL, syscall(SYS_futimesat, AT_FDCWD, "f", times));
	EXPECT_ERRNO(EINVAL, syscall(SYS_futimesat, fd, NULL, times));
	times[0].tv_usec = 0;
	EXPECT_ERRNO(ENOENT, syscall(SYS_utimes, "no", times));
	EXPECT_ERRNO(ENOENT, syscall(SYS_utime, "no", seconds));
	EXPECT_ERRNO(ENOENT, syscall(SYS_utime, "", seconds));
	EXPECT_ERRNO(EFAULT, syscall(SYS_utime, "f", 8));
	EXPECT_ERRNO(EFAULT, syscall(SYS_utimes, "f", 8));
	EXPECT_ERRNO(EFAULT, syscall(SYS_utime, 8, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_utime, NULL, NULL));
	EXPECT_ERRNO(ENOTDIR, syscall(SYS_futimesat, fd, "g", times));
	EXPECT_ERRNO(EBADF, syscall(SYS_futimesat, 1000, "g", times));
	EXPECT_ERRNO(EBADF, syscall(SYS_futimesat, 1000, NULL, times));
	if (geteuid() == 0 && fork() == 0) {
		if (seteuid(1234))
			_exit(9);
		_exit(syscall(SYS_utime, "f", seconds) == -1 && errno == EPERM ? 0 : 1);
	} else if (geteuid() == 0) {
		int status;

		EXPECT(wait(&status) > 0 && status == 0);
	}
	close(fd);
	unlink("f");
}

/* ---- directories ---- */

static void directories_are_read_in_the_old_form(void)
{
	char records[4096], file[300];
	unsigned seen = 0;
	int fd, len;

	mkdir("d", 0755);
	memset(file, 'x', sizeof(file));
	memcpy(file, "d/", 2);
	file[2 + 201] = '\0';
	close(open("d/a", O_CREAT, 0600));
	close(open(file, O_CREAT, 0600));
	EXPECT_EQUAL(symlink("a", "d/link"), 0);
	EXPECT_EQUAL(mkdir("d/sub", 0755), 0);
	fd = open("d", O_RDONLY);
	EXPECT_ERRNO(EINVAL, syscall(SYS_getdents, fd, records, 10));
	while ((len = (int)syscall(SYS_getdents, fd, records, 300)) > 0) {
		for (int at = 0; at < len;) {
			char *record = records + at, *name = record + 18;
			unsigned short bytes;
			unsigned long ino;
			char type;

			memcpy(&ino, record, 8);
			memcpy(&bytes, record + 16, 2);
			EXPECT(bytes >= 24 && bytes % 8 == 0 && ino);
			type = record[bytes - 1];
			if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "sub"))
				EXPECT_EQUAL(type, DT_DIR);
			else if (!strcmp(name, "link"))
				EXPECT_EQUAL(type, DT_LNK);
			else
				EXPECT_EQUAL(type, DT_REG);
			seen++;
			at += bytes;
		}
	}
	EXPECT_EQUAL(len, 0);
	EXPECT_EQUAL(seen, 6);
	EXPECT_ERRNO(EBADF, syscall(SYS_getdents, 1000, records, 300));
	lseek(fd, 0, SEEK_SET);
	EXPECT_ERRNO(EFAULT, syscall(SYS_getdents, fd, 8, 300));
	EXPECT_EQUAL(rmdir("d/sub"), 0);
	unlink("d/link"), unlink("d/a"), unlink(file);
	EXPECT_EQUAL(rmdir("d"), 0);
	EXPECT_ERRNO(ENOENT, syscall(SYS_getdents, fd, records, 300));
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	EXPECT_ERRNO(ENOTDIR, syscall(SYS_getdents, fd, records, 300));
	close(fd);
}

/* ---- ranges of descriptors ---- */

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int close_range_(unsigned first, unsigned last, unsigned flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

static void ranges_of_descriptors_are_closed(void)
{
	for (int fd = 100; fd < 110; fd++)
		EXPECT_EQUAL(dup2(1, fd), fd);
	EXPECT_EQUAL(dup2(1, 700), 700);
	EXPECT_EQUAL(close_range_(102, 104, 0), 0);
	EXPECT(is_open(101) && !is_open(102) && !is_open(104) && is_open(105));
	EXPECT_EQUAL(close_range_(105, 105, 4), 0); /* CLOEXEC */
	EXPECT_EQUAL(fcntl(105, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(fcntl(106, F_GETFD), 0);
	EXPECT_EQUAL(close_range_(106, ~0u, 0), 0);
	EXPECT(is_open(105) && !is_open(106) && !is_open(109) && !is_open(700));
	EXPECT_EQUAL(close_range_(5000000, ~0u, 0), 0);
	EXPECT_EQUAL(close_range_(100, 1000, 0), 0);
	EXPECT(!is_open(100) && is_open(2));
	EXPECT_ERRNO(EINVAL, close_range_(5, 4, 0));
	EXPECT_ERRNO(EINVAL, close_range_(4, 5, 1));
	EXPECT_ERRNO(EINVAL, close_range_(4, 5, 8));
}

static int child_with_shared_table(void *argument)
{
	(void)argument;
	return close_range_(100, 200, 2) || is_open(100) || !is_open(1); /* UNSHARE */
}

static void a_range_can_be_closed_for_oneself_alone(void)
{
	static _Alignas(16) char stack[65536];
	int status, pid;

	EXPECT_EQUAL(dup2(1, 100), 100);
	pid = clone(child_with_shared_table, stack + sizeof(stack),
		    CLONE_FILES | CLONE_VM | SIGCHLD, NULL);
	EXPECT(pid > 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT(is_open(100));
	close(100);
}

/* ---- reads and writes with flags ---- */

#define RWF_NOAPPEND_ 0x20
#define RWF_NOSIGNAL_ 0x100

static ssize_t preadv2_(int fd, const struct iovec *pieces, int npieces, int64_t at, int flags)
{
	return syscall(SYS_preadv2, fd, pieces, npieces, at, 0, flags);
}

static ssize_t pwritev2_(int fd, const struct iovec *pieces, int npieces, int64_t at, int flags)
{
	return syscall(SYS_pwritev2, fd, pieces, npieces, at, 0, flags);
}

static void reads_and_writes_take_flags(void)
{
	char text[16] = {0};
	struct iovec out[2] = {{"hello ", 6}, {"world", 5}}, in = {text, sizeof(text)};
	int fd = open("f", O_CREAT | O_RDWR, 0600);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(pwritev2_(fd, out, 2, -1, 0), 11);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 11);
	EXPECT_EQUAL(pwritev2_(fd, out, 1, 2, RWF_DSYNC_), 6);
	EXPECT_EQUAL(pwritev2_(fd, out, 1, 2, RWF_SYNC_ | RWF_HIPRI_), 6);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 11);
	/* At the end wherever it is told; the position stays. */
	EXPECT_EQUAL(pwritev2_(fd, out + 1, 1, 0, RWF_APPEND_), 5);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 11);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_EQUAL(preadv2_(fd, &in, 1, -1, 0), 16);
	EXPECT(memcmp(text, "hehello rldworld", 16) == 0);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 16);
	EXPECT_EQUAL(preadv2_(fd, &in, 1, 3, RWF_HIPRI_), 13);
	EXPECT_EQUAL(lseek(fd, 2, SEEK_SET), 2);
	EXPECT_EQUAL(pwritev2_(fd, out, 1, -1, RWF_APPEND_), 6);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 22);
	EXPECT_ERRNO(EINVAL, preadv2_(fd, &in, 1, -2, 0));
	EXPECT_ERRNO(EINVAL, pwritev2_(fd, out, 1, -2, 0));
	EXPECT_ERRNO(EOPNOTSUPP, preadv2_(fd, &in, 1, 0, 0x4000000));
	EXPECT_ERRNO(EOPNOTSUPP, pwritev2_(fd, out, 1, 0, 0x4000000));
	if (!may_be_restricted()) /* Linux: the filesystem's to say */
		EXPECT_ERRNO(EOPNOTSUPP, preadv2_(fd, &in, 1, 0, RWF_NOWAIT_));
	EXPECT_ERRNO(EINVAL, preadv2_(fd, &in, -1, 0, 0));
	EXPECT_ERRNO(EINVAL, pwritev2_(fd, out, 1025, 0, 0));
	EXPECT_ERRNO(EFAULT, preadv2_(fd, (void *)8, 1, 0, 0));
	EXPECT_ERRNO(EBADF, preadv2_(1000, &in, 1, 0, 0));
	EXPECT_ERRNO(EBADF, pwritev2_(1000, out, 1, 0, 0));
	close(fd);
	unlink("f");
}

static void a_pipe_is_not_waited_for_on_request(void)
{
	char byte;
	struct iovec in = {&byte, 1};
	int ends[2];

	EXPECT_EQUAL(pipe(ends), 0);
	EXPECT_ERRNO(EAGAIN, preadv2_(ends[0], &in, 1, -1, RWF_NOWAIT_));
	EXPECT_ERRNO(ESPIPE, preadv2_(ends[0], &in, 1, 0, RWF_NOWAIT_));
	while (pwritev2_(ends[1], &in, 1, -1, RWF_NOWAIT_) == 1)
		;
	EXPECT_EQUAL(errno, EAGAIN);
	EXPECT_EQUAL(preadv2_(ends[0], &in, 1, -1, RWF_NOWAIT_), 1);
	close(ends[0]);
	close(ends[1]);
}

static void what_never_waits_takes_the_flag(void)
{
	char byte;
	struct iovec in = {&byte, 1};
	int zero = open("/dev/zero", O_RDWR), memory = memfd_create("m", 0), ends[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	EXPECT_ERRNO(EAGAIN, preadv2_(ends[0], &in, 1, -1, RWF_NOWAIT_));
	EXPECT_EQUAL(pwritev2_(ends[1], &in, 1, -1, RWF_NOWAIT_), 1);
	EXPECT_EQUAL(preadv2_(ends[0], &in, 1, -1, RWF_NOWAIT_), 1);
	EXPECT_EQUAL(preadv2_(zero, &in, 1, 0, RWF_NOWAIT_), 1);
	EXPECT_EQUAL(pwritev2_(zero, &in, 1, 0, RWF_NOWAIT_), 1);
	/* Linux's tmpfs does not know it. */
	EXPECT_ERRNO(EOPNOTSUPP, preadv2_(memory, &in, 1, 0, RWF_NOWAIT_));
	EXPECT_ERRNO(EBADF, preadv2_(1000, &in, 1, 0, RWF_NOWAIT_));
	close(ends[0]), close(ends[1]), close(zero), close(memory);
}

/* Linux has them since 6.9 and 6.18. */
static void o_append_and_sigpipe_can_be_left_out(void)
{
	char text[8] = {0};
	struct iovec out = {"abc", 3};
	int fd = open("f", O_CREAT | O_RDWR | O_APPEND, 0600), ends[2];

	EXPECT_EQUAL(write(fd, "12345", 5), 5);
	if (pwritev2_(fd, &out, 1, 1, RWF_NOAPPEND_) == 3) {
		EXPECT_EQUAL(pread(fd, text, 8, 0), 5);
		EXPECT(memcmp(text, "1abc5", 5) == 0);
		EXPECT_ERRNO(EINVAL, pwritev2_(fd, &out, 1, 1, RWF_NOAPPEND_ | RWF_APPEND_));
	} else {
		EXPECT(errno == EOPNOTSUPP && may_be_restricted());
	}
	close(fd);
	unlink("f");
	EXPECT_EQUAL(pipe(ends), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_DFL);
	EXPECT(pwritev2_(ends[1], &out, 1, -1, RWF_NOSIGNAL_) == -1 &&
	       (errno == EPIPE || (errno == EOPNOTSUPP && may_be_restricted())));
	close(ends[1]);
}

/* ---- hints ---- */

static void hints_are_checked(void)
{
	int fd = open("f", O_CREAT | O_RDWR, 0600), writer = open("f", O_WRONLY);
	int place = open("f", O_PATH), ends[2];

	EXPECT(fd >= 0 && writer >= 0 && place >= 0 && pipe(ends) == 0);
	EXPECT_EQUAL(write(fd, "text", 4), 4);
	for (int advice = 0; advice <= 5; advice++)
		EXPECT_EQUAL(syscall(SYS_fadvise64, fd, 0L, 0L, advice), 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_fadvise64, fd, 0L, 0L, 6));
	EXPECT_ERRNO(EINVAL, syscall(SYS_fadvise64, fd, 0L, 0L, -1));
	EXPECT_ERRNO(EINVAL, syscall(SYS_fadvise64, fd, 0L, -1L, 0));
	EXPECT_ERRNO(ESPIPE, syscall(SYS_fadvise64, ends[0], 0L, 0L, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_fadvise64, place, 0L, 0L, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_fadvise64, 1000, 0L, 0L, 0));
	EXPECT_EQUAL(syscall(SYS_readahead, fd, 0L, 4096L), 0);
	EXPECT_ERRNO(EBADF, syscall(SYS_readahead, writer, 0L, 4096L));
	EXPECT_ERRNO(EBADF, syscall(SYS_readahead, place, 0L, 4096L));
	EXPECT_ERRNO(EINVAL, syscall(SYS_readahead, ends[0], 0L, 4096L));
	EXPECT_EQUAL(syscall(SYS_sync_file_range, fd, 0L, 0L, 7), 0);
	EXPECT_EQUAL(syscall(SYS_sync_file_range, fd, 1L, 2L, 2), 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_sync_file_range, fd, 0L, 0L, 8));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sync_file_range, fd, -1L, 0L, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sync_file_range, fd, 0L, -1L, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sync_file_range, fd, INT64_MAX, 1L, 0));
	EXPECT_ERRNO(ESPIPE, syscall(SYS_sync_file_range, ends[0], 0L, 0L, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_sync_file_range, place, 0L, 0L, 0));
	close(fd), close(writer), close(place), close(ends[0]), close(ends[1]);
	unlink("f");
}

/* As dd does for the end of a file that is no whole block. */
static void direct_access_can_be_switched(void)
{
	int fd = open("f", O_CREAT | O_RDWR | O_DIRECT, 0600);
	int null = open("/dev/null", O_WRONLY);
	int flags;

	if (fd < 0 && errno == EINVAL && may_be_restricted())
		return; /* what /tmp is there has none */
	EXPECT(fd >= 0 && null >= 0);
	flags = fcntl(fd, F_GETFL);
	EXPECT(flags & O_DIRECT);
	EXPECT_EQUAL(fcntl(fd, F_SETFL, flags & ~O_DIRECT), 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFL), flags & ~O_DIRECT);
	EXPECT_EQUAL(write(fd, "end", 3), 3);
	EXPECT_EQUAL(fcntl(fd, F_SETFL, O_DIRECT | O_APPEND), 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFL), flags | O_APPEND);
	EXPECT_ERRNO(EINVAL, fcntl(null, F_SETFL, O_DIRECT));
	close(fd), close(null);
	unlink("f");
}

int main(void)
{
	if (!mkdtemp(folder) || chdir(folder))
		return 2;
	chmod(folder, 0755);
	RUN(times_are_set_in_all_forms);
	RUN(bad_times_are_refused);
	RUN(directories_are_read_in_the_old_form);
	RUN(ranges_of_descriptors_are_closed);
	RUN(a_range_can_be_closed_for_oneself_alone);
	RUN(reads_and_writes_take_flags);
	RUN(a_pipe_is_not_waited_for_on_request);
	RUN(what_never_waits_takes_the_flag);
	RUN(o_append_and_sigpipe_can_be_left_out);
	RUN(hints_are_checked);
	RUN(direct_access_can_be_switched);
	rmdir(folder);
	return check_end();
}
