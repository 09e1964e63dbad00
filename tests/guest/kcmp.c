/*
 * kcmp: what two processes share, and what they do not.
 */
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"
#include "ptrace_help.h"

static pid_t other;

static long compare(int type, unsigned long left, unsigned long right)
{
	return syscall(SYS_kcmp, getpid(), other, type, left, right);
}

static void a_file_is_the_same_by_any_number(void)
{
	int fd = open("/dev/null", O_RDONLY), copy = dup(fd), again = open("/dev/null", O_RDONLY);
	long order;

	other = getpid();
	EXPECT_EQUAL(compare(KCMP_FILE, (unsigned)fd, (unsigned)fd), 0);
	EXPECT_EQUAL(compare(KCMP_FILE, (unsigned)fd, (unsigned)copy), 0);
	order = compare(KCMP_FILE, (unsigned)fd, (unsigned)again);
	EXPECT(order == 1 || order == 2);
	EXPECT_EQUAL(compare(KCMP_FILE, (unsigned)again, (unsigned)fd), 3 - order);
	other = sleeping_child();
	EXPECT_EQUAL(compare(KCMP_FILE, (unsigned)fd, (unsigned)copy), 0);
	EXPECT(compare(KCMP_FILE, (unsigned)fd, (unsigned)again) > 0);
	end_of(other);
	close(fd);
	other = getpid();
	EXPECT_ERRNO(EBADF, compare(KCMP_FILE, (unsigned)fd, (unsigned)copy));
	EXPECT_ERRNO(EBADF, compare(KCMP_FILE, (unsigned)copy, (unsigned)fd));
	EXPECT_ERRNO(EBADF, compare(KCMP_FILE, (unsigned)copy, 1UL << 31));
	close(copy);
	close(again);
}

static int sleep_here(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return 0;
}

static void what_clone_shares_is_the_same(void)
{
	static const struct {
		int flag;
		int type;
	} shared[] = {{CLONE_VM, KCMP_VM},
		      {CLONE_FILES, KCMP_FILES},
		      {CLONE_FS, KCMP_FS},
		      {CLONE_VM | CLONE_SIGHAND, KCMP_SIGHAND}};
	static char stack[16384];

	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
		other = getpid();
		EXPECT_EQUAL(compare(shared[i].type, 0, 0), 0);
		other = clone(sleep_here, stack + sizeof(stack), shared[i].flag | SIGCHLD, NULL);
		EXPECT_EQUAL(compare(shared[i].type, 0, 0), 0);
		end_of(other);
		other = sleeping_child();
		EXPECT(compare(shared[i].type, 0, 0) > 0);
		end_of(other);
	}
	/* Nobody has anything to give back. */
	other = sleeping_child();
	EXPECT_EQUAL(compare(KCMP_SYSVSEM, 0, 0), 0);
	end_of(other);
}

static void an_epoll_names_what_it_watches(void)
{
	struct kcmp_epoll_slot slot;
	struct epoll_event event = {.events = EPOLLIN};
	int fds[2], epoll = epoll_create1(0);

	other = getpid();
	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event), 0);
	slot = (struct kcmp_epoll_slot){.efd = (unsigned)epoll, .tfd = (unsigned)fds[0]};
	EXPECT_EQUAL(compare(KCMP_EPOLL_TFD, (unsigned)fds[0], (unsigned long)&slot), 0);
	EXPECT(compare(KCMP_EPOLL_TFD, (unsigned)fds[1], (unsigned long)&slot) > 0);
	slot.toff = 1;
	EXPECT_ERRNO(ENOENT, compare(KCMP_EPOLL_TFD, (unsigned)fds[0], (unsigned long)&slot));
	slot = (struct kcmp_epoll_slot){.efd = (unsigned)epoll, .tfd = (unsigned)fds[1]};
	EXPECT_ERRNO(ENOENT, compare(KCMP_EPOLL_TFD, (unsigned)fds[0], (unsigned long)&slot));
	slot.efd = (unsigned)fds[0];
	EXPECT_ERRNO(EINVAL, compare(KCMP_EPOLL_TFD, (unsigned)fds[0], (unsigned long)&slot));
	slot.efd = 8000;
	EXPECT_ERRNO(EBADF, compare(KCMP_EPOLL_TFD, (unsigned)fds[0], (unsigned long)&slot));
	EXPECT_ERRNO(EFAULT, compare(KCMP_EPOLL_TFD, (unsigned)fds[0], 8));
	close(epoll);
	close(fds[0]);
	close(fds[1]);
}

static int look_at_stranger(void)
{
	NEED(compare(KCMP_VM, 0, 0) == -1 && errno == EPERM);
	return 0;
}

static void bad_calls_are_refused(void)
{
	other = getpid();
	EXPECT_ERRNO(EINVAL, compare(8, 0, 0));
	EXPECT_ERRNO(EINVAL, compare(-1, 0, 0));
	/* A Linux without block devices has no such thing. */
	EXPECT(compare(KCMP_IO, 0, 0) == 0 || errno == EOPNOTSUPP);
	other = NO_PROCESS;
	EXPECT_ERRNO(ESRCH, compare(KCMP_VM, 0, 0));
	other = sleeping_child();
	EXPECT_EQUAL(as_user(look_at_stranger), 0);
	end_of(other);
}

int main(void)
{
	/* A container may keep it back. */
	if (may_be_restricted() && syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0)) {
		puts("ok nothing: kcmp is not there");
		return 0;
	}
	RUN(a_file_is_the_same_by_any_number);
	RUN(what_clone_shares_is_the_same);
	RUN(an_epoll_names_what_it_watches);
	RUN(bad_calls_are_refused);
	return check_end();
}
