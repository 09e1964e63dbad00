/*
 * Calls that libraries have newer forms for, and small ones that the other tests only use: each as
 * a system call, what it does and what it refuses.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

#define BAD_ADDRESS ((void *)8)

static char folder[] = "/tmp/plain-calls-XXXXXX";

/* ---- files ---- */

static void files_are_made_and_written_through(void)
{
	int fd = (int)syscall(SYS_creat, "f", 0600);
	int ends[2];

	EXPECT(fd >= 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
	EXPECT_EQUAL(write(fd, "text", 4), 4);
	EXPECT_EQUAL(syscall(SYS_fsync, fd), 0);
	EXPECT_EQUAL(syscall(SYS_fdatasync, fd), 0);
	EXPECT_EQUAL(syscall(SYS_syncfs, fd), 0);
	EXPECT_EQUAL(syscall(SYS_sync), 0);
	close(fd);
	fd = (int)syscall(SYS_creat, "f", 0600); /* it is cut */
	EXPECT_EQUAL(lseek(fd, 0, SEEK_END), 0);
	EXPECT_EQUAL(pipe(ends), 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_fsync, ends[1]));
	EXPECT_ERRNO(EINVAL, syscall(SYS_fdatasync, ends[1]));
	EXPECT_ERRNO(EBADF, syscall(SYS_fsync, -1));
	EXPECT_ERRNO(EBADF, syscall(SYS_fdatasync, -1));
	EXPECT_ERRNO(EBADF, syscall(SYS_syncfs, -1));
	EXPECT_ERRNO(ENOENT, syscall(SYS_creat, "none/f", 0600));
	EXPECT_ERRNO(EISDIR, syscall(SYS_creat, ".", 0600));
	EXPECT_ERRNO(EFAULT, syscall(SYS_creat, BAD_ADDRESS, 0600));
	close(ends[0]);
	close(ends[1]);
	close(fd);
	unlink("f");
}

static void pieces_have_a_position_of_their_own(void)
{
	char left[3], right[3];
	struct iovec out[2] = {{"abc", 3}, {"def", 3}};
	struct iovec in[2] = {{left, 3}, {right, 3}};
	struct iovec bad = {BAD_ADDRESS, 3};
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	int ends[2];

	EXPECT_EQUAL(pipe(ends), 0);
	EXPECT_EQUAL(syscall(SYS_pwritev, fd, out, 2, 2, 0), 6);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 0);
	EXPECT_EQUAL(syscall(SYS_preadv, fd, in, 2, 3, 0), 5);
	EXPECT(!memcmp(left, "bcd", 3) && !memcmp(right, "ef", 2));
	EXPECT_EQUAL(syscall(SYS_preadv, fd, in, 2, 100, 0), 0);
	EXPECT_ERRNO(ESPIPE, syscall(SYS_preadv, ends[0], in, 2, 0, 0));
	EXPECT_ERRNO(ESPIPE, syscall(SYS_pwritev, ends[1], out, 2, 0, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_preadv, fd, in, 2, -1L, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_pwritev, fd, out, 2, -1L, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_preadv, fd, in, -1, 0, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_pwritev, fd, out, 1025, 0, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_preadv, -1, in, 2, 0, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_pwritev, -1, out, 2, 0, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_preadv, fd, &bad, 1, 0, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_pwritev, fd, BAD_ADDRESS, 1, 0, 0));
	close(ends[0]);
	close(ends[1]);
	close(fd);
	unlink("f");
}

/* On the link itself, where it has no place for them. */
static void attributes_are_of_the_name_itself(void)
{
	char value[8];
	int fd = open("f", O_CREAT | O_RDWR, 0600);

	EXPECT_EQUAL(symlink("f", "to-f"), 0);
	EXPECT_EQUAL(syscall(SYS_lsetxattr, "f", "user.a", "one", 3, XATTR_CREATE), 0);
	EXPECT_ERRNO(EEXIST, syscall(SYS_lsetxattr, "f", "user.a", "two", 3, XATTR_CREATE));
	EXPECT_EQUAL(syscall(SYS_lsetxattr, "f", "user.a", "two", 3, XATTR_REPLACE), 0);
	EXPECT_EQUAL(syscall(SYS_lgetxattr, "f", "user.a", value, sizeof(value)), 3);
	EXPECT(!memcmp(value, "two", 3));
	EXPECT_ERRNO(ERANGE, syscall(SYS_lgetxattr, "f", "user.a", value, 1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_lgetxattr, "f", "user.a", BAD_ADDRESS, 8));
	EXPECT_ERRNO(EPERM, syscall(SYS_lsetxattr, "to-f", "user.a", "one", 3, 0));
	EXPECT_ERRNO(ENODATA, syscall(SYS_lgetxattr, "f", "user.b", value, sizeof(value)));
	EXPECT_ERRNO(ENODATA, syscall(SYS_lsetxattr, "f", "user.b", "one", 3, XATTR_REPLACE));
	EXPECT_ERRNO(EINVAL, syscall(SYS_lsetxattr, "f", "user.b", "one", 3, 8));
	EXPECT_ERRNO(EOPNOTSUPP, syscall(SYS_lsetxattr, "f", "none.b", "one", 3, 0));
	EXPECT_ERRNO(ENOENT, syscall(SYS_lgetxattr, "none", "user.a", value, sizeof(value)));
	EXPECT_EQUAL(syscall(SYS_lremovexattr, "f", "user.a"), 0);
	EXPECT_ERRNO(ENODATA, syscall(SYS_lremovexattr, "f", "user.a"));
	EXPECT_ERRNO(EPERM, syscall(SYS_lremovexattr, "to-f", "user.a"));
	EXPECT_ERRNO(ENOENT, syscall(SYS_lremovexattr, "none", "user.a"));
	EXPECT_ERRNO(EFAULT, syscall(SYS_lremovexattr, "f", BAD_ADDRESS));
	close(fd);
	unlink("f");
	unlink("to-f");
}

/* ---- descriptors ---- */

static void descriptors_are_copied_to_a_number(void)
{
	int ends[2];

	EXPECT_EQUAL(pipe(ends), 0);
	EXPECT_EQUAL(syscall(SYS_dup3, ends[0], 20, O_CLOEXEC), 20);
	EXPECT_EQUAL(fcntl(20, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(syscall(SYS_dup3, ends[1], 20, 0), 20);
	EXPECT_EQUAL(fcntl(20, F_GETFD), 0);
	EXPECT_EQUAL(write(20, "x", 1), 1);
	EXPECT_ERRNO(EINVAL, syscall(SYS_dup3, 20, 20, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_dup3, ends[0], 21, O_NONBLOCK));
	EXPECT_ERRNO(EBADF, syscall(SYS_dup3, 21, 20, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_dup3, ends[0], -1, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_dup3, ends[0], 1 << 30, 0));
	close(20);
	close(ends[0]);
	close(ends[1]);
}

static void waits_on_descriptors_in_the_older_forms(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = 7};
	struct timeval soon = {0, 1000};
	struct timespec soon_ns = {0, 1000000};
	int ep = (int)syscall(SYS_epoll_create, 1);
	int ends[2];
	fd_set set;

	EXPECT(ep >= 0 && fcntl(ep, F_GETFD) == 0);
	EXPECT_EQUAL(pipe(ends), 0);
	EXPECT_EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &event), 0);
	event.data.fd = 0;
	EXPECT_EQUAL(syscall(SYS_epoll_wait, ep, &event, 1, 0), 0);
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	EXPECT_EQUAL(syscall(SYS_select, ends[0] + 1, &set, NULL, NULL, &soon), 0);
	EXPECT(!FD_ISSET(ends[0], &set) && soon.tv_sec == 0 && soon.tv_usec == 0);
	EXPECT_EQUAL(write(ends[1], "x", 1), 1);
	EXPECT_EQUAL(syscall(SYS_epoll_wait, ep, &event, 1, -1), 1);
	EXPECT(event.data.fd == 7 && event.events == EPOLLIN);
	FD_SET(ends[0], &set);
	EXPECT_EQUAL(syscall(SYS_select, ends[0] + 1, &set, NULL, NULL, NULL), 1);
	EXPECT(FD_ISSET(ends[0], &set));
	EXPECT_EQUAL(syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, &soon_ns, NULL), 1);
	EXPECT_ERRNO(EINVAL, syscall(SYS_select, -1, &set, NULL, NULL, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_select, 3, BAD_ADDRESS, NULL, NULL, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_pselect6, -1, &set, NULL, NULL, NULL, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_pselect6, 3, &set, NULL, NULL, BAD_ADDRESS, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_epoll_wait, ep, &event, 0, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_epoll_wait, ends[0], &event, 1, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_epoll_wait, -1, &event, 1, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_epoll_create, 0));
	close(ends[0]);
	FD_SET(ends[0], &set);
	EXPECT_ERRNO(EBADF, syscall(SYS_select, ends[0] + 1, &set, NULL, NULL, NULL));
	EXPECT_ERRNO(EBADF, syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, NULL, NULL));
	close(ends[1]);
	close(ep);
}

static void files_are_watched_by_the_older_form(void)
{
	int fd = (int)syscall(SYS_inotify_init);

	EXPECT(fd >= 0 && fcntl(fd, F_GETFD) == 0 && fcntl(fd, F_GETFL) == O_RDONLY);
	EXPECT(inotify_add_watch(fd, folder, IN_DELETE_SELF) >= 0);
	close(fd);
}

/* ---- signals ---- */

static volatile sig_atomic_t ncaught;

static void count(int signal)
{
	(void)signal;
	ncaught++;
}

static void alarms_end_a_pause(void)
{
	struct itimerval soon = {.it_value = {0, 20000}};
	struct sigaction action = {.sa_handler = count};

	EXPECT_EQUAL(sigaction(SIGALRM, &action, NULL), 0);
	EXPECT_EQUAL(syscall(SYS_alarm, 100), 0);
	EXPECT_EQUAL(syscall(SYS_alarm, 0), 100);
	EXPECT_EQUAL(syscall(SYS_alarm, 0), 0);
	ncaught = 0;
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &soon, NULL), 0);
	EXPECT_ERRNO(EINTR, syscall(SYS_pause));
	EXPECT_EQUAL(ncaught, 1);
}

static void a_mask_is_lifted_for_a_wait(void)
{
	uint64_t none = 0;
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	ncaught = 0;
	raise(SIGALRM);
	EXPECT_EQUAL(ncaught, 0);
	EXPECT_ERRNO(EINTR, syscall(SYS_rt_sigsuspend, &none, 8));
	EXPECT_EQUAL(ncaught, 1);
	EXPECT_ERRNO(EINVAL, syscall(SYS_rt_sigsuspend, &none, 4));
	EXPECT_ERRNO(EFAULT, syscall(SYS_rt_sigsuspend, BAD_ADDRESS, 8));
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

/* That it was sent by kill() is the kernel's to say. */
static int may_not_lie_to_its_parent(void)
{
	siginfo_t info = {.si_code = SI_USER};
	pid_t parent = getppid();
	long result = syscall(SYS_rt_tgsigqueueinfo, parent, parent, SIGUSR1, &info);

	return result == -1 && errno == EPERM ? 0 : 1;
}

static void a_thread_is_sent_a_value(void)
{
	siginfo_t info = {.si_code = SI_QUEUE, .si_value.sival_int = 42};
	siginfo_t got;
	sigset_t set;
	pid_t self = getpid();

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	EXPECT_EQUAL(syscall(SYS_rt_tgsigqueueinfo, self, self, SIGUSR1, &info), 0);
	EXPECT_EQUAL(sigwaitinfo(&set, &got), SIGUSR1);
	EXPECT(got.si_code == SI_QUEUE && got.si_value.sival_int == 42);
	EXPECT_ERRNO(EINVAL, syscall(SYS_rt_tgsigqueueinfo, self, 0, SIGUSR1, &info));
	EXPECT_ERRNO(EINVAL, syscall(SYS_rt_tgsigqueueinfo, self, self, 65, &info));
	EXPECT_ERRNO(ESRCH, syscall(SYS_rt_tgsigqueueinfo, 1, self, SIGUSR1, &info));
	EXPECT_ERRNO(EFAULT, syscall(SYS_rt_tgsigqueueinfo, self, self, SIGUSR1, BAD_ADDRESS));
	EXPECT_EQUAL(in_child_as(0, may_not_lie_to_its_parent), 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the process, the time ---- */

static int sets_groups_as_allowed(void)
{
	gid_t real, effective, saved;

	if (syscall(SYS_setregid, 100, 200) || syscall(SYS_getresgid, &real, &effective, &saved) ||
	    real != 100 || effective != 200 || saved != 200)
		return 1;
	if (syscall(SYS_setresuid, 1000, 1000, 1000) || syscall(SYS_setregid, 200, 100))
		return 2;
	if (syscall(SYS_setregid, -1, 300) != -1 || errno != EPERM)
		return 3;
	return 0;
}

static void groups_are_told_and_set(void)
{
	gid_t real, effective, saved;

	EXPECT_EQUAL(syscall(SYS_getresgid, &real, &effective, &saved), 0);
	EXPECT(real == getgid() && effective == getegid());
	EXPECT_ERRNO(EFAULT, syscall(SYS_getresgid, &real, &effective, BAD_ADDRESS));
	EXPECT_EQUAL(syscall(SYS_getpgrp), getpgid(0));
	EXPECT_EQUAL(syscall(SYS_setregid, -1, -1), 0);
	if (geteuid() == 0)
		EXPECT_EQUAL(in_child_as(0, sets_groups_as_allowed), 0);
}

static void the_time_is_told_in_seconds(void)
{
	int64_t told = 0;
	time_t before = time(NULL);
	long now = syscall(SYS_time, &told);

	EXPECT(now >= before && now <= before + 60 && told == now);
	EXPECT_ERRNO(EFAULT, syscall(SYS_time, BAD_ADDRESS));
}

/* ---- what small ones refuse ---- */

static void names_and_descriptors_are_checked(void)
{
	char list[8];
	int fd = open("f", O_CREAT | O_RDWR, 0600);

	EXPECT_EQUAL(syscall(SYS_link, "f", "g"), 0);
	EXPECT_ERRNO(EEXIST, syscall(SYS_link, "f", "g"));
	EXPECT_ERRNO(ENOENT, syscall(SYS_link, "none", "h"));
	EXPECT_ERRNO(EPERM, syscall(SYS_link, ".", "h"));
	EXPECT_ERRNO(EEXIST, syscall(SYS_mknod, "f", S_IFREG | 0600, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_dup2, -1, 20));
	EXPECT_ERRNO(EBADF, syscall(SYS_dup2, fd, -1));
	EXPECT_ERRNO(EBADF, syscall(SYS_fchdir, -1));
	EXPECT_ERRNO(ENOTDIR, syscall(SYS_fchdir, fd));
	EXPECT_ERRNO(EBADF, syscall(SYS_fchown, -1, 0, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_fstatfs, -1, list));
	EXPECT_ERRNO(EFAULT, syscall(SYS_fstatfs, fd, BAD_ADDRESS));
	EXPECT_ERRNO(EBADF, syscall(SYS_fgetxattr, -1, "user.a", list, 8));
	EXPECT_ERRNO(ENODATA, syscall(SYS_fgetxattr, fd, "user.a", list, 8));
	EXPECT_ERRNO(EBADF, syscall(SYS_flistxattr, -1, list, 8));
	EXPECT_ERRNO(ENOENT, syscall(SYS_llistxattr, "none", list, 8));
	EXPECT_ERRNO(EBADF, syscall(SYS_fremovexattr, -1, "user.a"));
	EXPECT_ERRNO(ENODATA, syscall(SYS_fremovexattr, fd, "user.a"));
	EXPECT_ERRNO(ENOENT, syscall(SYS_utimensat, AT_FDCWD, "none", NULL, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_utimensat, AT_FDCWD, "f", NULL, 1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_utimensat, AT_FDCWD, "f", BAD_ADDRESS, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_umount2, "f", 0));
	EXPECT_ERRNO(ENOENT, syscall(SYS_umount2, "none", 0));
	EXPECT_EQUAL(unlink("f") + unlink("g"), 0);
	close(fd);
}

static void what_is_no_process_is_not_found(void)
{
	enum { NOBODY = 0x7ffffffe };
	struct {
		void *next;
		long offset;
		void *pending;
	} robust = {&robust, 0, NULL};
	uint64_t set = 0;
	stack_t stack = {.ss_sp = &robust, .ss_size = 64};
	size_t bytes;
	void *head;

	EXPECT_ERRNO(ESRCH, syscall(SYS_getpgid, NOBODY));
	EXPECT_ERRNO(ESRCH, syscall(SYS_getsid, NOBODY));
	EXPECT_ERRNO(ESRCH, syscall(SYS_tkill, NOBODY, SIGUSR1));
	EXPECT_ERRNO(EINVAL, syscall(SYS_tkill, 0, SIGUSR1));
	EXPECT_ERRNO(ESRCH, syscall(SYS_get_robust_list, NOBODY, &head, &bytes));
	EXPECT_ERRNO(EFAULT, syscall(SYS_get_robust_list, 0, BAD_ADDRESS, &bytes));
	EXPECT_ERRNO(EINVAL, syscall(SYS_set_robust_list, &robust, 8));
	EXPECT_ERRNO(EINVAL, syscall(SYS_getrlimit, 99, &robust));
	EXPECT_ERRNO(EFAULT, syscall(SYS_getrlimit, RLIMIT_CORE, BAD_ADDRESS));
	EXPECT_ERRNO(EINVAL, syscall(SYS_rt_sigpending, &set, 9));
	EXPECT_ERRNO(EFAULT, syscall(SYS_rt_sigpending, BAD_ADDRESS, 8));
	EXPECT_ERRNO(ENOMEM, syscall(SYS_sigaltstack, &stack, NULL));
	stack.ss_flags = 64;
	EXPECT_ERRNO(EINVAL, syscall(SYS_sigaltstack, &stack, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_sigaltstack, BAD_ADDRESS, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_signalfd, -1, &set, 4));
	EXPECT_ERRNO(EBADF, syscall(SYS_signalfd, 99, &set, 8));
	EXPECT_ERRNO(EINVAL, syscall(SYS_epoll_pwait2, 0, &set, 0, NULL, NULL, 8));
	EXPECT_ERRNO(EFAULT, syscall(SYS_getcpu, BAD_ADDRESS, NULL, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, BAD_ADDRESS));
}

static bool is_asleep(pid_t pid)
{
	char path[32];
	char text[256];
	const char *state;
	ssize_t bytes;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	bytes = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	if (bytes <= 0)
		return true; /* it has ended: what follows tells */
	text[bytes] = '\0';
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

/* It goes on for the rest, by restart_syscall(). */
static void a_limit_is_set_by_the_old_call(void)
{
	struct rlimit before, limit, after;

	EXPECT_EQUAL(getrlimit(RLIMIT_CORE, &before), 0);
	limit = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	EXPECT_EQUAL(syscall(SYS_setrlimit, RLIMIT_CORE, &limit), 0);
	EXPECT_EQUAL(syscall(SYS_getrlimit, RLIMIT_CORE, &after), 0);
	EXPECT(after.rlim_cur == 0 && after.rlim_max == before.rlim_max);
	EXPECT_EQUAL(syscall(SYS_setrlimit, RLIMIT_CORE, &before), 0);
	limit = (struct rlimit){.rlim_cur = 2, .rlim_max = 1};
	EXPECT_ERRNO(EINVAL, syscall(SYS_setrlimit, RLIMIT_CORE, &limit));
	EXPECT_ERRNO(EINVAL, syscall(SYS_setrlimit, 99, &before));
	EXPECT_ERRNO(EFAULT, syscall(SYS_setrlimit, RLIMIT_CORE, BAD_ADDRESS));
}

static void a_sleep_outlives_a_stop(void)
{
	const struct timespec time = {.tv_nsec = 200000000};
	struct timespec begun, ended;
	int status;
	pid_t child;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	child = fork();
	if (child == 0)
		_exit(syscall(SYS_nanosleep, &time, NULL) ? 1 : 0);
	while (!is_asleep(child))
		sched_yield();
	EXPECT_EQUAL(kill(child, SIGSTOP), 0);
	EXPECT(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	EXPECT_EQUAL(kill(child, SIGCONT), 0);
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	EXPECT((ended.tv_sec - begun.tv_sec) * 1000000000 + ended.tv_nsec - begun.tv_nsec >=
	       time.tv_nsec);
}

static void begin(void)
{
	EXPECT(mkdtemp(folder) && chdir(folder) == 0);
}

static void nothing_is_left(void)
{
	EXPECT_EQUAL(rmdir(folder), 0);
}

int main(void)
{
	RUN(begin);
	RUN(files_are_made_and_written_through);
	RUN(pieces_have_a_position_of_their_own);
	RUN(attributes_are_of_the_name_itself);
	RUN(descriptors_are_copied_to_a_number);
	RUN(waits_on_descriptors_in_the_older_forms);
	RUN(files_are_watched_by_the_older_form);
	RUN(alarms_end_a_pause);
	RUN(a_mask_is_lifted_for_a_wait);
	RUN(a_thread_is_sent_a_value);
	RUN(groups_are_told_and_set);
	RUN(the_time_is_told_in_seconds);
	RUN(names_and_descriptors_are_checked);
	RUN(what_is_no_process_is_not_found);
	RUN(a_limit_is_set_by_the_old_call);
	RUN(a_sleep_outlives_a_stop);
	RUN(nothing_is_left);
	return check_end();
}
