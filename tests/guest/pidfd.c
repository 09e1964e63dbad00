/*
 * Descriptors of processes: how they come about, what can be done by one, and that each names its
 * process for good; and clone3's choice of a number.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "signal_help.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define PIDFD_NONBLOCK O_NONBLOCK
#define ADVICE_COLD    20

static int pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int send_signal(int fd, int signal, siginfo_t *info, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}

static int getfd(int fd, int other, unsigned flags)
{
	return (int)syscall(SYS_pidfd_getfd, fd, other, flags);
}

static long clone3(struct clone_args *args)
{
	return syscall(SYS_clone3, args, sizeof(*args));
}

static pid_t child_that_waits(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;)
		pause();
}

static pid_t child_that_exits(int status)
{
	pid_t pid = fork();

	if (!pid)
		_exit(status);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int events_of(int fd, int timeout_ms)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	return poll(&poller, 1, timeout_ms) < 0 ? -1 : poller.revents;
}

/* ---- making one ---- */

static void pidfd_open_gives_a_descriptor_that_goes_with_exec(void)
{
	int fd = pidfd_open(getpid(), 0);
	struct stat stat;
	char byte;

	EXPECT(fd >= 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR);
	EXPECT_EQUAL(fstat(fd, &stat), 0);
	EXPECT_ERRNO(EINVAL, read(fd, &byte, 1));
	EXPECT_ERRNO(EINVAL, write(fd, &byte, 1));
	EXPECT_EQUAL(close(fd), 0);
	fd = pidfd_open(getpid(), PIDFD_NONBLOCK);
	EXPECT(fd >= 0 && fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQUAL(close(fd), 0);
}

static void pidfd_open_refuses_what_is_no_process(void)
{
	EXPECT_ERRNO(EINVAL, pidfd_open(0, 0));
	EXPECT_ERRNO(EINVAL, pidfd_open(-1, 0));
	EXPECT_ERRNO(EINVAL, pidfd_open(getpid(), O_APPEND));
	EXPECT_ERRNO(ESRCH, pidfd_open(4000000, 0));
}

static void clone_gives_the_child_and_a_descriptor_of_it(void)
{
	int fd = -1;
	siginfo_t info = {0};
	long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, 0L);

	if (!pid)
		_exit(fcntl(3, F_GETFD) == -1 ? 7 : 8); /* the child does not have it */
	EXPECT(pid > 0 && fd >= 3);
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), 0);
	EXPECT_EQUAL(info.si_pid, pid);
	EXPECT_EQUAL(info.si_status, 7);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL,
				     &fd, NULL, 0L));
	EXPECT_ERRNO(EFAULT, syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, 8L, NULL, 0L));
	EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, 0));
}

static void a_number_that_cannot_be_told_is_not(void)
{
	long pid = syscall(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, NULL, 8L, NULL, 0L);

	if (!pid)
		_exit(5);
	EXPECT_EQUAL(waitpid(-1, NULL, 0), pid);
}

static void clone3_gives_descriptor_and_number(void)
{
	int fd = -1;
	pid_t number = 0;
	struct clone_args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
				  .pidfd = (uintptr_t)&fd,
				  .parent_tid = (uintptr_t)&number,
				  .exit_signal = SIGCHLD};
	long pid = clone3(&args);

	if (!pid)
		_exit(0);
	EXPECT(pid > 0 && fd >= 3);
	EXPECT_EQUAL(number, pid);
	EXPECT_EQUAL(waitid(P_PIDFD, (id_t)fd, NULL, WEXITED), 0);
	EXPECT_EQUAL(close(fd), 0);
	args.parent_tid = args.pidfd;
	EXPECT_ERRNO(EINVAL, clone3(&args));
	args.flags = CLONE_PIDFD;
	args.pidfd = 8;
	EXPECT_ERRNO(EFAULT, clone3(&args));
	EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, 0));
}

static void without_a_free_descriptor_there_is_no_child(void)
{
	struct rlimit before;
	struct rlimit few;
	int fds[32];
	int nfds = 0;
	int fd = -1;
	long result;

	EXPECT_EQUAL(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 32;
	EXPECT_EQUAL(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (nfds < 32 && (fds[nfds] = dup(1)) >= 0)
		nfds++;
	result = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, 0L);
	if (!result)
		_exit(0);
	result = result == -1 ? errno : 0;
	fd = pidfd_open(getpid(), 0) == -1 ? errno : 0;
	while (nfds)
		close(fds[--nfds]);
	EXPECT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
	EXPECT_EQUAL(result, EMFILE);
	EXPECT_EQUAL(fd, EMFILE);
	EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, 0));
}

/* ---- waiting ---- */

static void poll_tells_the_end_and_that_it_was_waited_for(void)
{
	pid_t pid = child_that_waits();
	int fd = pidfd_open(pid, 0);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(events_of(fd, 0), 0);
	EXPECT_EQUAL(kill(pid, SIGKILL), 0);
	EXPECT_EQUAL(events_of(fd, 10000), POLLIN);
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_EQUAL(events_of(fd, 0) & POLLIN, POLLIN);
	EXPECT_EQUAL(close(fd), 0);
}

static void epoll_knows_an_end_that_comes_later(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	pid_t pid = child_that_waits();
	int fd = pidfd_open(pid, 0);
	int epoll = epoll_create1(0);

	EXPECT(fd >= 0 && epoll >= 0);
	EXPECT_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	EXPECT_EQUAL(epoll_wait(epoll, &event, 1, 0), 0);
	EXPECT_EQUAL(kill(pid, SIGKILL), 0);
	EXPECT_EQUAL(epoll_wait(epoll, &event, 1, 10000), 1);
	EXPECT(event.events & EPOLLIN);
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(close(epoll), 0);
}

static void waitid_waits_for_that_one_alone(void)
{
	pid_t other = child_that_exits(1);
	pid_t pid = child_that_exits(9);
	int fd = pidfd_open(pid, 0);
	siginfo_t info = {0};

	EXPECT(fd >= 0);
	EXPECT_EQUAL(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), 0);
	EXPECT_EQUAL(info.si_pid, pid);
	EXPECT_EQUAL(info.si_status, 9);
	EXPECT_ERRNO(ECHILD, waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
	EXPECT_EQUAL(waitpid(-1, NULL, 0), other);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_ERRNO(EBADF, waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
	EXPECT_ERRNO(EBADF, waitid(P_PIDFD, 1, &info, WEXITED));
	EXPECT_ERRNO(EINVAL, waitid(P_PIDFD, (id_t)-1, &info, WEXITED));
	EXPECT_ERRNO(EINVAL, waitid((idtype_t)17, 1, &info, WEXITED));
}

static void waitid_does_not_wait_for_a_nonblocking_one(void)
{
	pid_t pid = child_that_waits();
	int fd = pidfd_open(pid, PIDFD_NONBLOCK);
	siginfo_t info = {0};

	EXPECT(fd >= 0);
	EXPECT_ERRNO(EAGAIN, waitid(P_PIDFD, (id_t)fd, &info, WEXITED));
	EXPECT_EQUAL(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG), 0);
	EXPECT_EQUAL(info.si_pid, 0);
	EXPECT_EQUAL(send_signal(fd, SIGKILL, NULL, 0), 0);
	EXPECT_EQUAL(events_of(fd, 10000), POLLIN);
	EXPECT_EQUAL(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), 0);
	EXPECT_EQUAL(info.si_code, CLD_KILLED);
	EXPECT_EQUAL(close(fd), 0);
}

/* ---- signals ---- */

static void a_signal_goes_by_it_with_its_info(void)
{
	siginfo_t info = {.si_signo = SIGRTMIN, .si_code = SI_QUEUE};
	int fd = pidfd_open(getpid(), 0);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(install_info(SIGRTMIN, note_info, 0), 0);
	EXPECT_EQUAL(send_signal(fd, SIGRTMIN, NULL, 0), 0);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(last_info.si_code, SI_USER);
	EXPECT_EQUAL(last_info.si_pid, getpid());
	info.si_value.sival_int = 12;
	EXPECT_EQUAL(send_signal(fd, SIGRTMIN, &info, 0), 0);
	EXPECT_EQUAL(ncalls, 2);
	EXPECT_EQUAL(last_info.si_value.sival_int, 12);
	/* To oneself one may say that the kernel sent it. */
	info.si_code = SI_KERNEL;
	EXPECT_EQUAL(send_signal(fd, SIGRTMIN, &info, 0), 0);
	EXPECT_EQUAL(ncalls, 3);
	EXPECT_EQUAL(send_signal(fd, 0, NULL, 0), 0);
	EXPECT_EQUAL(ncalls, 3);
	EXPECT_EQUAL(close(fd), 0);
}

static void pidfd_send_signal_refuses(void)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
	pid_t pid = child_that_waits();
	int fd = pidfd_open(pid, 0);

	EXPECT(fd >= 0);
	EXPECT_ERRNO(EINVAL, send_signal(fd, SIGUSR2, &info, 0));
	EXPECT_ERRNO(EINVAL, send_signal(fd, 65, NULL, 0));
	EXPECT_ERRNO(EINVAL, send_signal(fd, -1, NULL, 0));
	EXPECT_ERRNO(EINVAL, send_signal(fd, SIGUSR1, NULL, 1u << 20));
	EXPECT_ERRNO(EFAULT, send_signal(fd, SIGUSR1, (void *)8, 0));
	info.si_code = SI_USER;
	EXPECT_ERRNO(EPERM, send_signal(fd, SIGUSR1, &info, 0));
	EXPECT_ERRNO(EBADF, send_signal(1, SIGUSR1, NULL, 0));
	EXPECT_ERRNO(EBADF, send_signal(-1, SIGUSR1, NULL, 0));
	/* A zombie takes it; who was waited for does not. */
	EXPECT_EQUAL(kill(pid, SIGKILL), 0);
	EXPECT_EQUAL(events_of(fd, 10000), POLLIN);
	EXPECT_EQUAL(send_signal(fd, SIGUSR1, NULL, 0), 0);
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_ERRNO(ESRCH, send_signal(fd, SIGUSR1, NULL, 0));
	EXPECT_EQUAL(close(fd), 0);
}

static int a_user_may_not(int fd)
{
	if (send_signal(fd, SIGUSR1, NULL, 0) != -1 || errno != EPERM)
		return 1;
	return getfd(fd, 1, 0) != -1 || errno != EPERM;
}

static void of_another_user_it_gives_no_rights(void)
{
	pid_t child;
	int status;
	int fd = pidfd_open(getpid(), 0);

	EXPECT(fd >= 0);
	if (getuid() != 0)
		return;
	child = fork();
	if (!child)
		_exit(setgid(1000) || setuid(1000) ? 2 : a_user_may_not(fd));
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(close(fd), 0);
}

/* ---- descriptors ---- */

static void pidfd_getfd_shares_the_open_file(void)
{
	int own = pidfd_open(getpid(), 0);
	int pair[2];
	pid_t pid;
	int fd;
	int copy;
	char byte = 0;

	EXPECT(own >= 0);
	EXPECT_EQUAL(pipe(pair), 0);
	pid = child_that_waits();
	fd = pidfd_open(pid, 0);
	EXPECT(fd >= 0);
	copy = getfd(fd, pair[1], 0);
	if (copy == -1 && errno == EPERM && may_be_restricted())
		copy = getfd(own, pair[1], 0); /* a container's root may not */
	EXPECT(copy > pair[1]);
	EXPECT_EQUAL(fcntl(copy, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(write(copy, "x", 1), 1);
	EXPECT_EQUAL(read(pair[0], &byte, 1), 1);
	EXPECT_EQUAL(byte, 'x');
	EXPECT_EQUAL(close(copy), 0);
	EXPECT_ERRNO(EBADF, getfd(own, 1023, 0));
	EXPECT_ERRNO(EBADF, getfd(own, -1, 0));
	EXPECT_ERRNO(EBADF, getfd(1, 1, 0));
	EXPECT_ERRNO(EBADF, getfd(-1, 1, 0));
	EXPECT_ERRNO(EINVAL, getfd(own, 1, 1));
	end(pid);
	EXPECT_ERRNO(ESRCH, getfd(fd, 1, 0));
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(close(own), 0);
	EXPECT_EQUAL(close(pair[0]) | close(pair[1]), 0);
}

static int directory_of(pid_t pid, const char *below, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d%s", pid, below);
	return open(path, flags);
}

/* As it was done before there were descriptors of processes. */
static void its_directory_in_proc_takes_signals_too(void)
{
	pid_t pid = child_that_waits();
	int fd = directory_of(pid, "", O_RDONLY | O_DIRECTORY);
	int path = directory_of(pid, "", O_PATH);
	int file = directory_of(pid, "/stat", O_RDONLY);
	int root = open("/proc", O_RDONLY | O_DIRECTORY);
	int status;

	EXPECT(fd >= 0 && path >= 0 && file >= 0 && root >= 0);
	EXPECT_ERRNO(EBADF, send_signal(path, 0, NULL, 0));
	EXPECT_ERRNO(EBADF, send_signal(file, 0, NULL, 0));
	EXPECT_ERRNO(EBADF, send_signal(root, 0, NULL, 0));
	EXPECT_EQUAL(send_signal(fd, 0, NULL, 0), 0);
	EXPECT_ERRNO(EINVAL, send_signal(fd, 0, NULL, 1u << 31));
	EXPECT_ERRNO(EBADF, getfd(fd, 0, 0)); /* it is no descriptor of it otherwise */
	EXPECT_EQUAL(send_signal(fd, SIGTERM, NULL, 0), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(WTERMSIG(status), SIGTERM);
	EXPECT_ERRNO(ESRCH, send_signal(fd, 0, NULL, 0));
	close(fd);
	close(path);
	close(file);
	close(root);
}

/* ---- what /proc says ---- */

static bool fdinfo_has(int fd, const char *line)
{
	char path[64];
	char text[512] = "";
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	if (info < 0)
		return false;
	if (read(info, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(info);
	return strstr(text, line);
}

static void fdinfo_names_the_process_while_it_is_there(void)
{
	pid_t pid = child_that_waits();
	int fd = pidfd_open(pid, 0);
	char line[32];

	EXPECT(fd >= 0);
	snprintf(line, sizeof(line), "\nPid:\t%d\n", pid);
	EXPECT(fdinfo_has(fd, line));
	end(pid);
	EXPECT(fdinfo_has(fd, "\nPid:\t-1\n"));
	EXPECT_EQUAL(close(fd), 0);
}

/* ---- the number of a child ---- */

static long clone_with_number(pid_t *numbers, size_t count)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)numbers, .set_tid_size = count};
	long pid = clone3(&args);

	if (!pid)
		_exit(0);
	return pid;
}

static void clone3_takes_the_number_that_it_is_told(void)
{
	pid_t pid = child_that_exits(0);
	pid_t own = getpid();
	pid_t bad = -1;

	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_ERRNO(EINVAL, clone_with_number(&pid, 0));
	EXPECT_ERRNO(EINVAL, clone_with_number(NULL, 1));
	EXPECT_ERRNO(EINVAL, clone_with_number(&pid, 33));
	EXPECT_ERRNO(EINVAL, clone_with_number(&bad, 1));
	if (getuid() != 0)
		return;
	EXPECT_EQUAL(clone_with_number(&pid, 1), pid);
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_ERRNO(EEXIST, clone_with_number(&own, 1));
	EXPECT_ERRNO(EFAULT, clone_with_number((void *)8, 1));
}

static int try_as_user(void)
{
	pid_t number = 30000;

	return clone_with_number(&number, 1) != -1 || errno != EPERM;
}

static void a_number_is_the_administrators_to_choose(void)
{
	int status;
	pid_t pid;

	if (getuid() != 0)
		return;
	pid = fork();
	if (!pid)
		_exit(setgid(1000) || setuid(1000) ? 2 : try_as_user());
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
}

static void a_groups_number_is_nobodys_while_it_has_members(void)
{
	pid_t leader;
	int start[2];
	char byte;

	if (getuid() != 0)
		return;
	EXPECT_EQUAL(pipe(start), 0);
	leader = fork();
	if (!leader) {
		setpgid(0, 0);
		if (!fork()) {
			close(start[1]);
			_exit((int)read(start[0], &byte, 1)); /* until its parent's parent closes */
		}
		_exit(0);
	}
	EXPECT_EQUAL(waitpid(leader, NULL, 0), leader);
	EXPECT_EQUAL(kill(-leader, 0), 0);
	EXPECT_ERRNO(EEXIST, clone_with_number(&leader, 1));
	EXPECT_EQUAL(close(start[0]) | close(start[1]), 0);
	while (kill(-leader, 0) == 0)
		sched_yield();
	EXPECT_EQUAL(clone_with_number(&leader, 1), leader);
	EXPECT_EQUAL(waitpid(leader, NULL, 0), leader);
}

/* ---- another's memory ---- */

static long advise(int fd, void *address, size_t len, int advice, unsigned flags)
{
	struct iovec pieces[2] = {{address, len / 2}, {(char *)address + len / 2, len / 2}};

	return syscall(SYS_process_madvise, fd, pieces, 2L, advice, flags);
}

static void process_madvise_advises_on_anothers_memory(void)
{
	static char page[8192] __attribute__((aligned(4096))) = "there";
	pid_t pid = child_that_waits();
	int fd = pidfd_open(pid, 0);
	int own = pidfd_open(getpid(), 0);
	struct iovec far = {(void *)(1L << 46), 4096};
	struct iovec bad = {page + 1, 4096};

	EXPECT(fd >= 0 && own >= 0);
	EXPECT_EQUAL(advise(own, page, sizeof(page), ADVICE_COLD, 0), sizeof(page));
	EXPECT_EQUAL(strcmp(page, "there"), 0);
	EXPECT_ERRNO(EINVAL, advise(own, page, sizeof(page), ADVICE_COLD, 1));
	EXPECT_ERRNO(EINVAL, advise(own, page, sizeof(page), 999, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_process_madvise, own, &bad, 1L, ADVICE_COLD, 0));
	EXPECT_ERRNO(ENOMEM, syscall(SYS_process_madvise, own, &far, 1L, ADVICE_COLD, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_process_madvise, own, &far, 5000L, ADVICE_COLD, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_process_madvise, own, 8L, 1L, ADVICE_COLD, 0));
	EXPECT_ERRNO(EBADF, advise(1, page, sizeof(page), ADVICE_COLD, 0));
	if (!may_be_restricted())
		EXPECT_EQUAL(advise(fd, page, sizeof(page), ADVICE_COLD, 0), sizeof(page));
	end(pid);
	EXPECT_ERRNO(ESRCH, advise(fd, page, sizeof(page), ADVICE_COLD, 0));
	EXPECT_EQUAL(close(fd) | close(own), 0);
}

int main(void)
{
	RUN(pidfd_open_gives_a_descriptor_that_goes_with_exec);
	RUN(pidfd_open_refuses_what_is_no_process);
	RUN(clone_gives_the_child_and_a_descriptor_of_it);
	RUN(a_number_that_cannot_be_told_is_not);
	RUN(clone3_gives_descriptor_and_number);
	RUN(without_a_free_descriptor_there_is_no_child);
	RUN(poll_tells_the_end_and_that_it_was_waited_for);
	RUN(epoll_knows_an_end_that_comes_later);
	RUN(waitid_waits_for_that_one_alone);
	RUN(waitid_does_not_wait_for_a_nonblocking_one);
	RUN(a_signal_goes_by_it_with_its_info);
	RUN(pidfd_send_signal_refuses);
	RUN(its_directory_in_proc_takes_signals_too);
	RUN(of_another_user_it_gives_no_rights);
	RUN(pidfd_getfd_shares_the_open_file);
	RUN(fdinfo_names_the_process_while_it_is_there);
	RUN(clone3_takes_the_number_that_it_is_told);
	RUN(a_number_is_the_administrators_to_choose);
	RUN(a_groups_number_is_nobodys_while_it_has_members);
	RUN(process_madvise_advises_on_anothers_memory);
	return check_end();
}
