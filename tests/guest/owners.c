/*
 * Signals about descriptors: O_ASYNC, owners, F_SETSIG, and what siginfo says.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

#ifndef FIOSETOWN
#define FIOSETOWN 0x8901
#define FIOGETOWN 0x8903
#endif
#ifndef SIOCSPGRP
#define SIOCSPGRP 0x8902
#define SIOCGPGRP 0x8904
#endif

#define WAIT_S 10 /* for a signal that must come */

static sigset_t waited;

/* The next of SIGIO, SIGURG and SIGRTMIN + 1; -1: none has come. */
static int next_now(siginfo_t *info)
{
	const struct timespec now = {0};

	return sigtimedwait(&waited, info, &now);
}

static int next_signal(siginfo_t *info)
{
	const struct timespec limit = {.tv_sec = WAIT_S};

	memset(info, 0, sizeof(*info));
	return sigtimedwait(&waited, info, &limit);
}

static void forget_all(void)
{
	siginfo_t info;

	while (next_now(&info) > 0)
		;
}

static void owners_are_kept_with_the_open_file(void)
{
	struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = (int)syscall(SYS_gettid)};
	struct f_owner_ex got;
	int fds[2], copy;

	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_GETOWN), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_GETOWN_EX, &got), 0);
	EXPECT_EQUAL(got.pid, 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN, getpid()), 0);
	copy = dup(fds[0]);
	EXPECT_EQUAL(fcntl(copy, F_GETOWN), getpid());
	EXPECT_EQUAL(fcntl(fds[1], F_GETOWN), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_GETOWN_EX, &got), 0);
	EXPECT(got.type == F_OWNER_PID && got.pid == getpid());
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN, -getpgrp()), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_GETOWN_EX, &got), 0);
	EXPECT(got.type == F_OWNER_PGRP && got.pid == getpgrp());
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN_EX, &owner), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_GETOWN_EX, &got), 0);
	EXPECT(got.type == F_OWNER_TID && got.pid == owner.pid);
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN, 0), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_GETOWN), 0);

	owner = (struct f_owner_ex){.type = 3, .pid = getpid()};
	EXPECT_ERRNO(EINVAL, fcntl(fds[0], F_SETOWN_EX, &owner));
	owner = (struct f_owner_ex){.type = F_OWNER_PID, .pid = 0x3ffffff};
	EXPECT_ERRNO(ESRCH, fcntl(fds[0], F_SETOWN_EX, &owner));
	EXPECT_ERRNO(ESRCH, fcntl(fds[0], F_SETOWN, 0x3ffffff));
	EXPECT_ERRNO(ESRCH, fcntl(fds[0], F_SETOWN, -0x3ffffff));
	EXPECT_ERRNO(EINVAL, fcntl(fds[0], F_SETOWN, INT32_MIN));
	EXPECT_ERRNO(EFAULT, fcntl(fds[0], F_SETOWN_EX, (void *)8));
	EXPECT_ERRNO(EFAULT, fcntl(fds[0], F_GETOWN_EX, (void *)8));
	EXPECT_EQUAL(fcntl(fds[0], F_GETSIG), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETSIG, SIGRTMIN), 0);
	EXPECT_EQUAL(fcntl(copy, F_GETSIG), SIGRTMIN);
	EXPECT_ERRNO(EINVAL, fcntl(fds[0], F_SETSIG, 65));
	EXPECT_ERRNO(EINVAL, fcntl(fds[0], F_SETSIG, -1));
	close(copy), close(fds[0]), close(fds[1]);
	EXPECT_ERRNO(EBADF, fcntl(fds[0], F_SETOWN, getpid()));
	copy = open("/tmp", O_PATH);
	EXPECT_ERRNO(EBADF, fcntl(copy, F_SETOWN, getpid()));
	EXPECT_ERRNO(EBADF, fcntl(copy, F_GETSIG));
	close(copy);
}

/* A number that is used again is somebody else's. */
static void an_owner_that_has_gone_is_nobody(void)
{
	int fds[2];
	pid_t child;

	EXPECT_EQUAL(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN, child), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_GETOWN), child);
	kill(child, SIGKILL);
	EXPECT_EQUAL(waitpid(child, NULL, 0), child);
	EXPECT_EQUAL(fcntl(fds[0], F_GETOWN), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
	EXPECT_EQUAL(write(fds[1], "x", 1), 1);
	close(fds[0]), close(fds[1]);
}

static void a_pipe_tells_readers_and_writers(void)
{
	char bytes[1 << 16];
	siginfo_t info;
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN, getpid()), 0);
	EXPECT_EQUAL(write(fds[1], "a", 1), 1);
	EXPECT_EQUAL(next_now(&info), -1); /* O_ASYNC is off */
	EXPECT_EQUAL(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
	EXPECT(fcntl(fds[0], F_GETFL) & O_ASYNC);
	EXPECT_EQUAL(write(fds[1], "b", 1), 1);
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	EXPECT_EQUAL(info.si_code, SI_KERNEL); /* it says nothing more */
	EXPECT_EQUAL(fcntl(fds[0], F_SETSIG, SIGRTMIN + 1), 0);
	EXPECT_EQUAL(write(fds[1], "c", 1), 1);
	EXPECT_EQUAL(next_signal(&info), SIGRTMIN + 1);
	EXPECT_EQUAL(info.si_code, POLL_IN);
	EXPECT_EQUAL(info.si_fd, fds[0]);
	EXPECT_EQUAL(info.si_band, POLLIN | POLLRDNORM);

	EXPECT_EQUAL(fcntl(fds[1], F_SETOWN, getpid()), 0);
	EXPECT_EQUAL(fcntl(fds[1], F_SETSIG, SIGIO), 0);
	EXPECT_EQUAL(fcntl(fds[1], F_SETFL, O_ASYNC | O_NONBLOCK), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETFL, 0), 0);
	EXPECT(!(fcntl(fds[0], F_GETFL) & O_ASYNC));
	while (write(fds[1], bytes, sizeof(bytes)) > 0)
		;
	forget_all();
	EXPECT(read(fds[0], bytes, sizeof(bytes)) > 1 << 12);
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	EXPECT_EQUAL(info.si_code, POLL_OUT);
	EXPECT_EQUAL(info.si_fd, fds[1]);
	EXPECT(info.si_band & POLLOUT);
	close(fds[0]), close(fds[1]);
	forget_all();
}

static void a_signal_with_codes_of_its_own_says_si_sigio(void)
{
	siginfo_t info;
	sigset_t child;
	int fds[2];

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN, getpid()), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETSIG, SIGCHLD), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
	EXPECT_EQUAL(write(fds[1], "a", 1), 1);
	EXPECT_EQUAL(sigwaitinfo(&child, &info), SIGCHLD);
	EXPECT_EQUAL(info.si_code, SI_SIGIO);
	close(fds[0]), close(fds[1]);
	sigprocmask(SIG_UNBLOCK, &child, NULL);
}

static void a_socket_tells_of_bytes_and_of_the_end(void)
{
	siginfo_t info;
	int fds[2], number, on = 1;
	char byte;

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	number = getpid();
	EXPECT_EQUAL(ioctl(fds[0], FIOSETOWN, &number), 0);
	number = 0;
	EXPECT(ioctl(fds[0], FIOGETOWN, &number) == 0 && number == getpid());
	number = -getpgrp();
	EXPECT_EQUAL(ioctl(fds[0], SIOCSPGRP, &number), 0);
	number = 0;
	EXPECT(ioctl(fds[0], SIOCGPGRP, &number) == 0 && number == -getpgrp());
	number = 0x3ffffff;
	EXPECT_ERRNO(ESRCH, ioctl(fds[0], FIOSETOWN, &number));
	EXPECT_ERRNO(EFAULT, ioctl(fds[0], FIOSETOWN, (void *)8));
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN, getpid()), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETSIG, SIGRTMIN + 1), 0);
	EXPECT_EQUAL(ioctl(fds[0], FIOASYNC, &on), 0);
	EXPECT(fcntl(fds[0], F_GETFL) & O_ASYNC);
	EXPECT_EQUAL(write(fds[1], "a", 1), 1);
	EXPECT_EQUAL(next_signal(&info), SIGRTMIN + 1);
	EXPECT(info.si_code == POLL_IN && info.si_fd == fds[0]);
	EXPECT_EQUAL(read(fds[0], &byte, 1), 1);
	forget_all();
	close(fds[1]);
	EXPECT_EQUAL(next_signal(&info), SIGRTMIN + 1);
	EXPECT_EQUAL(info.si_code, POLL_HUP);
	close(fds[0]);
	forget_all();
}

static void a_byte_out_of_band_is_sigurg(void)
{
	siginfo_t info;
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN, getpid()), 0);
	EXPECT_EQUAL(send(fds[1], "u", 1, MSG_OOB), 1);
	EXPECT_EQUAL(next_signal(&info), SIGURG);
	EXPECT_EQUAL(next_now(&info), -1); /* O_ASYNC is off */
	close(fds[0]), close(fds[1]);
}

static void others_tell_as_well(void)
{
	siginfo_t info;
	int in, main_side, side;

	in = inotify_init1(IN_NONBLOCK);
	EXPECT(in >= 0);
	EXPECT(inotify_add_watch(in, "/tmp", IN_CREATE) > 0);
	EXPECT_EQUAL(fcntl(in, F_SETOWN, getpid()), 0);
	EXPECT_EQUAL(fcntl(in, F_SETFL, O_ASYNC | O_NONBLOCK), 0);
	EXPECT_EQUAL(mkdir("/tmp/owners-made", 0700), 0);
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	rmdir("/tmp/owners-made");
	close(in);

	EXPECT_EQUAL(openpty(&main_side, &side, NULL, NULL, NULL), 0);
	EXPECT_EQUAL(fcntl(side, F_SETOWN, getpid()), 0);
	EXPECT_EQUAL(fcntl(side, F_SETFL, O_ASYNC), 0);
	forget_all();
	EXPECT_EQUAL(write(main_side, "x\n", 2), 2);
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	close(side), close(main_side);
	forget_all();
}

static void what_tells_nothing_ignores_o_async(void)
{
	int on = 1, off = 0;
	int event = eventfd(0, 0);
	int file = open("/tmp/owners-file", O_CREAT | O_RDWR, 0600);

	EXPECT(event >= 0 && file >= 0);
	EXPECT_EQUAL(fcntl(event, F_SETFL, O_ASYNC), 0);
	EXPECT(!(fcntl(event, F_GETFL) & O_ASYNC));
	EXPECT_EQUAL(fcntl(file, F_SETFL, O_ASYNC), 0);
	EXPECT(!(fcntl(file, F_GETFL) & O_ASYNC));
	EXPECT_ERRNO(ENOTTY, ioctl(event, FIOASYNC, &on));
	EXPECT_ERRNO(ENOTTY, ioctl(file, FIOASYNC, &on));
	EXPECT_EQUAL(ioctl(file, FIOASYNC, &off), 0);
	EXPECT_ERRNO(EFAULT, ioctl(file, FIOASYNC, (void *)8));
	EXPECT_ERRNO(ENOTTY, ioctl(file, FIOSETOWN, &on));
	close(event), close(file);
	unlink("/tmp/owners-file");
}

/* Who may not kill it does not signal it this way either. */
static int set_owner_to_parent(void)
{
	int fds[2];

	NEED(pipe(fds) == 0);
	NEED(fcntl(fds[0], F_SETOWN, getppid()) == 0);
	NEED(fcntl(fds[0], F_SETFL, O_ASYNC) == 0);
	NEED(write(fds[1], "x", 1) == 1);
	return 0;
}

static void an_owner_is_signalled_by_who_may_alone(void)
{
	siginfo_t info;

	EXPECT_EQUAL(in_child_as(0, set_owner_to_parent), 0);
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	EXPECT_EQUAL(as_user(set_owner_to_parent), 0);
	EXPECT_EQUAL(next_now(&info), -1);
}

/* A queue that is full says so. */
static void a_full_queue_becomes_sigio(void)
{
	struct rlimit before, none;
	siginfo_t info;
	int fds[2];

	EXPECT_EQUAL(getrlimit(RLIMIT_SIGPENDING, &before), 0);
	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETOWN, getpid()), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETSIG, SIGRTMIN + 1), 0);
	EXPECT_EQUAL(fcntl(fds[0], F_SETFL, O_ASYNC), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	EXPECT_EQUAL(setrlimit(RLIMIT_SIGPENDING, &none), 0);
	EXPECT_EQUAL(write(fds[1], "x", 1), 1);
	EXPECT_EQUAL(next_signal(&info), SIGIO);
	setrlimit(RLIMIT_SIGPENDING, &before);
	close(fds[0]), close(fds[1]);
	forget_all();
}

static void open_files_are_compared_and_made(void)
{
	int old = open("/tmp/owners-file", O_CREAT | O_EXCL | O_RDWR, 0600);
	int same = dup(old);
	int other = open("/tmp/owners-file", O_CREAT | O_RDONLY, 0600);
	int made = fcntl(old, 1028 /* F_CREATED_QUERY */);

	EXPECT(old >= 0 && same >= 0 && other >= 0);
	EXPECT(made >= 0 || errno == EINVAL); /* before Linux 6.12 */
	if (made >= 0) {
		EXPECT_EQUAL(made, 1);
		EXPECT_EQUAL(fcntl(other, 1028), 0);
		EXPECT_EQUAL(fcntl(old, 1027 /* F_DUPFD_QUERY */, same), 1);
		EXPECT_EQUAL(fcntl(old, 1027, other), 0);
		EXPECT_ERRNO(EBADF, fcntl(old, 1027, 4000));
		EXPECT_ERRNO(EBADF, fcntl(4000, 1027, old));
	}
	close(old), close(same), close(other);
	unlink("/tmp/owners-file");
}

static int hide_reading(void)
{
	int fd = open("/tmp/owners-file", O_RDONLY);

	NEED(fd >= 0);
	NEED(fcntl(fd, F_SETFL, O_NOATIME) == -1 && errno == EPERM);
	NEED(!(fcntl(fd, F_GETFL) & O_NOATIME));
	return 0;
}

static void o_noatime_is_the_owner_s(void)
{
	int fd = open("/tmp/owners-file", O_CREAT | O_RDWR, 0644);

	EXPECT_EQUAL(fcntl(fd, F_SETFL, O_NOATIME | O_APPEND), 0);
	EXPECT(fcntl(fd, F_GETFL) & O_NOATIME);
	EXPECT_EQUAL(fcntl(fd, F_SETFL, 0), 0);
	EXPECT(!(fcntl(fd, F_GETFL) & (O_NOATIME | O_APPEND)));
	EXPECT_EQUAL(as_user(hide_reading), 0);
	close(fd);
	unlink("/tmp/owners-file");
}

static int set_hint_of_other(void)
{
	uint64_t hint = 2;
	int fd = open("/tmp/owners-file", O_RDONLY);

	NEED(fd >= 0);
	/* Linux before 6.11 lets everybody. */
	NEED(fcntl(fd, 1036, &hint) == 0 || errno == EPERM);
	return 0;
}

static void write_hints_are_the_file_s(void)
{
	int fd = open("/tmp/owners-file", O_CREAT | O_RDWR, 0644);
	int other = open("/tmp/owners-file", O_RDONLY);
	uint64_t hint = 77;

	EXPECT(fd >= 0 && other >= 0);
	EXPECT_EQUAL(fcntl(fd, 1035 /* F_GET_RW_HINT */, &hint), 0);
	EXPECT_EQUAL(hint, 0);
	hint = 5;
	EXPECT_EQUAL(fcntl(fd, 1036 /* F_SET_RW_HINT */, &hint), 0);
	hint = 0;
	EXPECT_EQUAL(fcntl(other, 1035, &hint), 0);
	EXPECT_EQUAL(hint, 5);
	hint = 6;
	EXPECT_ERRNO(EINVAL, fcntl(fd, 1036, &hint));
	EXPECT_ERRNO(EFAULT, fcntl(fd, 1036, (void *)8));
	EXPECT_ERRNO(EFAULT, fcntl(fd, 1035, (void *)8));
	EXPECT_EQUAL(as_user(set_hint_of_other), 0);
	close(fd), close(other);
	unlink("/tmp/owners-file");
}

int main(void)
{
	sigemptyset(&waited);
	sigaddset(&waited, SIGIO);
	sigaddset(&waited, SIGURG);
	sigaddset(&waited, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &waited, NULL);
	RUN(owners_are_kept_with_the_open_file);
	RUN(an_owner_that_has_gone_is_nobody);
	RUN(a_pipe_tells_readers_and_writers);
	RUN(a_signal_with_codes_of_its_own_says_si_sigio);
	RUN(a_socket_tells_of_bytes_and_of_the_end);
	RUN(a_byte_out_of_band_is_sigurg);
	RUN(others_tell_as_well);
	RUN(what_tells_nothing_ignores_o_async);
	RUN(an_owner_is_signalled_by_who_may_alone);
	RUN(a_full_queue_becomes_sigio);
	RUN(open_files_are_compared_and_made);
	RUN(o_noatime_is_the_owner_s);
	RUN(write_hints_are_the_file_s);
	return check_end();
}
