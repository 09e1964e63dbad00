/*
 * splice, tee, vmsplice and the size of pipes: what moves, what stays, what is refused.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define BYTES 300000

static char name[] = "/tmp/splice-XXXXXX";
static char data[BYTES], found[BYTES];
static int file;

static int bytes_in(int fd)
{
	int n = -1;

	return ioctl(fd, FIONREAD, &n) ? -1 : n;
}

static void a_file_goes_into_a_pipe_and_out_again(void)
{
	int ends[2], out = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	size_t done = 0;
	ssize_t n;

	EXPECT(out >= 0 && pipe(ends) == 0);
	EXPECT_EQUAL(lseek(file, 0, SEEK_SET), 0);
	while ((n = splice(file, NULL, ends[1], NULL, BYTES, 0)) > 0) {
		EXPECT_EQUAL(bytes_in(ends[0]), n);
		EXPECT_EQUAL(splice(ends[0], NULL, out, NULL, BYTES, SPLICE_F_MOVE | SPLICE_F_MORE),
			     n);
		done += (size_t)n;
	}
	EXPECT_EQUAL(n, 0);
	EXPECT_EQUAL(done, BYTES);
	EXPECT_EQUAL(lseek(file, 0, SEEK_CUR), BYTES);
	EXPECT_EQUAL(lseek(out, 0, SEEK_CUR), BYTES);
	EXPECT_EQUAL(pread(out, found, BYTES, 0), BYTES);
	EXPECT(memcmp(data, found, BYTES) == 0);
	close(ends[0]), close(ends[1]), close(out);
}

static void offsets_move_instead_of_positions(void)
{
	int ends[2], out = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	loff_t from = 1000, to = 50;

	EXPECT(out >= 0 && pipe(ends) == 0);
	EXPECT_EQUAL(lseek(file, 7, SEEK_SET), 7);
	EXPECT_EQUAL(splice(file, &from, ends[1], NULL, 5000, 0), 5000);
	EXPECT_EQUAL(from, 6000);
	EXPECT_EQUAL(lseek(file, 0, SEEK_CUR), 7);
	EXPECT_EQUAL(splice(ends[0], NULL, out, &to, 3000, 0), 3000);
	EXPECT_EQUAL(to, 3050);
	EXPECT_EQUAL(lseek(out, 0, SEEK_CUR), 0);
	EXPECT_EQUAL(bytes_in(ends[0]), 2000);
	EXPECT_EQUAL(pread(out, found, 3000, 50), 3000);
	EXPECT(memcmp(found, data + 1000, 3000) == 0);
	close(ends[0]), close(ends[1]), close(out);
}

static void pipes_are_moved_and_copied_into_pipes(void)
{
	int a[2], b[2];

	EXPECT(pipe(a) == 0 && pipe(b) == 0);
	EXPECT_EQUAL(write(a[1], data, 10000), 10000);
	EXPECT_EQUAL(tee(a[0], b[1], 6000, 0), 6000);
	EXPECT_EQUAL(bytes_in(a[0]), 10000);
	EXPECT_EQUAL(bytes_in(b[0]), 6000);
	EXPECT_EQUAL(splice(a[0], NULL, b[1], NULL, 20000, 0), 10000);
	EXPECT_EQUAL(bytes_in(a[0]), 0);
	EXPECT_EQUAL(read(b[0], found, BYTES), 16000);
	EXPECT(memcmp(found, data, 6000) == 0 && memcmp(found + 6000, data, 10000) == 0);
	EXPECT_ERRNO(EAGAIN, splice(a[0], NULL, b[1], NULL, 1, SPLICE_F_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, tee(a[0], b[1], 1, SPLICE_F_NONBLOCK));
	EXPECT_ERRNO(EINVAL, splice(a[0], NULL, a[1], NULL, 1, 0));
	EXPECT_ERRNO(EINVAL, tee(a[0], a[1], 1, 0));
	close(a[1]);
	EXPECT_EQUAL(splice(a[0], NULL, b[1], NULL, 1, 0), 0);
	EXPECT_EQUAL(tee(a[0], b[1], 1, 0), 0);
	close(a[0]), close(b[0]), close(b[1]);
}

static void what_the_other_side_does_not_take_stays(void)
{
	int ends[2], full = open("/dev/full", O_WRONLY), null = open("/dev/null", O_WRONLY);

	EXPECT(full >= 0 && null >= 0 && pipe(ends) == 0);
	EXPECT_EQUAL(write(ends[1], data, 5000), 5000);
	EXPECT(splice(ends[0], NULL, full, NULL, 5000, 0) == -1);
	EXPECT_EQUAL(bytes_in(ends[0]), 5000);
	EXPECT_EQUAL(splice(ends[0], NULL, null, NULL, 2000, 0), 2000);
	EXPECT_EQUAL(read(ends[0], found, BYTES), 3000);
	EXPECT(memcmp(found, data + 2000, 3000) == 0);
	close(ends[0]), close(ends[1]), close(full), close(null);
}

static void a_splice_waits_for_bytes_and_for_room(void)
{
	int a[2], b[2], pid, status;
	ssize_t n, sum = 0;

	EXPECT(pipe(a) == 0 && pipe(b) == 0);
	pid = fork();
	if (pid == 0) { /* moves all that comes */
		close(a[1]), close(b[0]);
		while ((n = splice(a[0], NULL, b[1], NULL, 1 << 20, 0)) > 0)
			;
		_exit(n ? 1 : 0);
	}
	close(a[0]), close(b[1]);
	if (fork() == 0) {
		for (int at = 0; at < BYTES; at += (int)n) {
			n = write(a[1], data + at, (size_t)(BYTES - at));
			if (n <= 0)
				_exit(1);
		}
		_exit(0);
	}
	close(a[1]);
	while ((n = read(b[0], found + sum, (size_t)(BYTES - sum))) > 0)
		sum += n;
	EXPECT_EQUAL(sum, BYTES);
	EXPECT(memcmp(data, found, BYTES) == 0);
	for (int i = 0; i < 2; i++)
		EXPECT(wait(&status) > 0 && status == 0);
	close(b[0]);
}

static void vmsplice_gives_and_takes_memory(void)
{
	struct iovec out[2] = {{data, 3000}, {data + 3000, 2000}}, in = {found, 4000};
	int ends[2];

	EXPECT(pipe(ends) == 0);
	EXPECT_EQUAL(vmsplice(ends[1], out, 2, SPLICE_F_GIFT), 5000);
	EXPECT_EQUAL(vmsplice(ends[0], &in, 1, 0), 4000);
	EXPECT(memcmp(found, data, 4000) == 0);
	EXPECT_EQUAL(vmsplice(ends[0], &in, 1, 0), 1000);
	EXPECT_ERRNO(EAGAIN, vmsplice(ends[0], &in, 1, SPLICE_F_NONBLOCK));
	out[0].iov_len = BYTES;
	EXPECT(vmsplice(ends[1], out, 1, 0) > 0); /* as much as there is room for */
	EXPECT_ERRNO(EAGAIN, vmsplice(ends[1], out, 1, SPLICE_F_NONBLOCK));
	EXPECT_EQUAL(vmsplice(ends[1], out, 0, 0), 0);
	EXPECT_ERRNO(EINVAL, vmsplice(ends[1], out, 1, 16));
	EXPECT_ERRNO(EINVAL, vmsplice(ends[1], out, 2000, 0));
	EXPECT_ERRNO(EBADF, vmsplice(file, out, 1, 0));
	EXPECT_ERRNO(EBADF, vmsplice(1000, out, 1, 0));
	EXPECT_ERRNO(EFAULT, vmsplice(ends[1], (void *)8, 1, 0));
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERRNO(EPIPE, vmsplice(ends[1], out, 1, 0));
	close(ends[1]);
}

static void bad_splices_are_refused(void)
{
	int ends[2], writer = open(name, O_WRONLY), appender = open(name, O_WRONLY | O_APPEND);
	loff_t at = 0, negative = -1;

	EXPECT(writer >= 0 && appender >= 0 && pipe(ends) == 0);
	EXPECT_EQUAL(write(ends[1], "x", 1), 1);
	EXPECT_EQUAL(splice(1000, NULL, 1000, NULL, 0, 0), 0);
	EXPECT_ERRNO(EINVAL, splice(file, NULL, ends[1], NULL, 1, 16));
	EXPECT_ERRNO(EBADF, splice(1000, NULL, ends[1], NULL, 1, 0));
	EXPECT_ERRNO(EBADF, splice(file, NULL, 1000, NULL, 1, 0));
	EXPECT_ERRNO(EBADF, splice(writer, NULL, ends[1], NULL, 1, 0));
	EXPECT_ERRNO(EBADF, splice(ends[1], NULL, ends[1], NULL, 1, 0));
	EXPECT_ERRNO(EBADF, splice(file, NULL, ends[0], NULL, 1, 0));
	EXPECT_ERRNO(EINVAL, splice(file, NULL, writer, NULL, 1, 0));
	EXPECT_ERRNO(EINVAL, splice(ends[0], NULL, appender, NULL, 1, 0));
	EXPECT_ERRNO(ESPIPE, splice(ends[0], &at, writer, NULL, 1, 0));
	EXPECT_ERRNO(ESPIPE, splice(file, NULL, ends[1], &at, 1, 0));
	EXPECT_ERRNO(EINVAL, splice(file, &negative, ends[1], NULL, 1, 0));
	EXPECT_ERRNO(EFAULT, splice(file, (loff_t *)8, ends[1], NULL, 1, 0));
	EXPECT_ERRNO(EINVAL, tee(file, ends[1], 1, 0));
	EXPECT_ERRNO(EINVAL, tee(ends[0], writer, 1, 0));
	EXPECT_ERRNO(EINVAL, tee(ends[0], ends[1], 1, 16));
	EXPECT_ERRNO(EBADF, tee(1000, ends[1], 1, 0));
	EXPECT_ERRNO(EBADF, tee(ends[1], ends[1], 1, 0));
	EXPECT_EQUAL(tee(1000, 1000, 0, 0), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERRNO(EPIPE, splice(file, &at, ends[1], NULL, 1, 0));
	close(ends[1]), close(writer), close(appender);
}

/* ---- the size ---- */

static void pipes_grow_and_shrink_around_their_bytes(void)
{
	int ends[2];
	ssize_t at = 0;

	EXPECT_EQUAL(pipe2(ends, O_NONBLOCK), 0);
	EXPECT_EQUAL(fcntl(ends[0], F_GETPIPE_SZ), 65536);
	/* Full, and the writer has come round into the page that is read. */
	EXPECT_EQUAL(write(ends[1], data, 65536), 65536);
	EXPECT_EQUAL(read(ends[0], found, 5000), 5000);
	at = write(ends[1], data + 65536, 4096);
	EXPECT(at == 4096 || (at == -1 && errno == EAGAIN)); /* Linux's has whole pages free */
	EXPECT_EQUAL(fcntl(ends[1], F_SETPIPE_SZ, 100000), 131072);
	EXPECT_EQUAL(fcntl(ends[0], F_GETPIPE_SZ), 131072);
	if (at != 4096)
		EXPECT_EQUAL(write(ends[1], data + 65536, 4096), 4096);
	EXPECT_EQUAL(write(ends[1], data + 69632, 40000), 40000);
	EXPECT_ERRNO(EBUSY, fcntl(ends[1], F_SETPIPE_SZ, 65536));
	EXPECT_EQUAL(read(ends[0], found + 5000, 100000), 100000);
	EXPECT(memcmp(found, data, 105000) == 0);
	EXPECT_EQUAL(fcntl(ends[1], F_SETPIPE_SZ, 16384), 16384);
	EXPECT_EQUAL(read(ends[0], found, BYTES), 4632);
	EXPECT(memcmp(found, data + 105000, 4632) == 0);
	EXPECT_EQUAL(fcntl(ends[1], F_SETPIPE_SZ, 1), 4096);
	EXPECT_EQUAL(write(ends[1], data, 10000), 4096);
	EXPECT_EQUAL(fcntl(ends[1], F_SETPIPE_SZ, 0), 4096);
	EXPECT_EQUAL(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
	EXPECT_ERRNO(EINVAL, fcntl(ends[1], F_SETPIPE_SZ, 0x80000001));
	EXPECT_ERRNO(EBADF, fcntl(file, F_SETPIPE_SZ, 4096));
	EXPECT_ERRNO(EBADF, fcntl(file, F_GETPIPE_SZ));
	close(ends[0]), close(ends[1]);
}

static void only_root_has_pipes_above_the_limit(void)
{
	int ends[2], status, pid;

	if (geteuid() != 0)
		return;
	EXPECT_EQUAL(pipe(ends), 0);
	if (fcntl(ends[1], F_SETPIPE_SZ, 2 << 20) == -1 && may_be_restricted())
		return;
	EXPECT_EQUAL(fcntl(ends[1], F_GETPIPE_SZ), 2 << 20);
	EXPECT_EQUAL(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
	pid = fork();
	if (pid == 0) {
		if (setuid(65534))
			_exit(9);
		_exit(fcntl(ends[1], F_SETPIPE_SZ, 2 << 20) == -1 && errno == EPERM ? 0 : 1);
	}
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	close(ends[0]), close(ends[1]);
}

static void a_socket_s_time_out_is_splice_s(void)
{
	struct timeval limit = {.tv_usec = 1000};
	int ends[2];
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	EXPECT_ERRNO(EAGAIN, splice(ends[0], NULL, fds[1], NULL, 4096, 0));
	close(ends[0]);
	close(ends[1]);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	for (int i = 0; i < BYTES; i++)
		data[i] = (char)(i * 7 + i / 251);
	file = mkstemp(name);
	if (file < 0 || write(file, data, BYTES) != BYTES)
		return 2;
	RUN(a_file_goes_into_a_pipe_and_out_again);
	RUN(offsets_move_instead_of_positions);
	RUN(pipes_are_moved_and_copied_into_pipes);
	RUN(what_the_other_side_does_not_take_stays);
	RUN(a_splice_waits_for_bytes_and_for_room);
	RUN(vmsplice_gives_and_takes_memory);
	RUN(bad_splices_are_refused);
	RUN(pipes_grow_and_shrink_around_their_bytes);
	RUN(only_root_has_pipes_above_the_limit);
	unlink(name);
	RUN(a_socket_s_time_out_is_splice_s);
	return check_end();
}
