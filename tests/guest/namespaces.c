/*
 * Namespaces of names (CLONE_NEWUTS) and networks (CLONE_NEWNET): who is in which, how one gets
 * into another, and the files that stand for them.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"

#define PIDFD_OPEN       434
#define NS_GET_USERNS    0xb701
#define NS_GET_PARENT    0xb702
#define NS_GET_NSTYPE    0xb703
#define NS_GET_OWNER_UID 0xb704
#define OWN              "/proc/self/ns/uts"
#define OF_THREAD        "/proc/thread-self/ns/uts"

static char first_name[65];

static int is_called(const char *name)
{
	struct utsname now;

	return uname(&now) == 0 && strcmp(now.nodename, name) == 0;
}

static int call_it(const char *name)
{
	return sethostname(name, strlen(name));
}

/* The number of the file that it leads to. */
static long number_of(const char *path)
{
	struct stat status;

	return stat(path, &status) ? -1 : (long)status.st_ino;
}

/* By the link's text. */
static long number_in(const char *path)
{
	char text[64] = "";
	char *end;
	long number;

	if (readlink(path, text, sizeof(text) - 1) < 0 || strncmp(text, "uts:[", 5) != 0)
		return -2;
	number = strtol(text + 5, &end, 10);
	return strcmp(end, "]") == 0 ? number : -3;
}

static int status_of(pid_t child)
{
	int status;

	return waitpid(child, &status, __WALL) == child ? status : -1;
}

/* ---- a new one ---- */

static int leave(void)
{
	long before = number_of(OWN);
	char text[65] = "";
	int fd, other;

	NEED(before > 0 && number_in(OWN) == before && number_in(OF_THREAD) == before);
	fd = open(OWN, O_RDONLY);
	NEED(fd >= 0);
	NEED(unshare(CLONE_NEWUTS) == 0);
	NEED(is_called(first_name)); /* a copy */
	NEED(number_of(OWN) != before && number_in(OWN) == number_of(OWN));
	NEED(call_it("somewhere else") == 0 && is_called("somewhere else"));
	NEED(setdomainname("else", 4) == 0);
	other = open("/proc/sys/kernel/hostname", O_RDONLY);
	NEED(read(other, text, sizeof(text)) > 0 && strcmp(text, "somewhere else\n") == 0);
	close(other);
	other = open(OWN, O_RDONLY);
	NEED(setns(fd, CLONE_NEWUTS) == 0 && is_called(first_name));
	NEED(number_of(OWN) == before);
	/* It is still there, since it is open. */
	NEED(setns(other, 0) == 0 && is_called("somewhere else"));
	return 0;
}

static void a_name_in_another_namespace_is_its_own(void)
{
	EXPECT_EQUAL(in_child_as(0, leave), 0);
	EXPECT(is_called(first_name));
}

static int share(void)
{
	pid_t child;
	long own;

	NEED(unshare(CLONE_NEWUTS) == 0 && call_it("theirs") == 0);
	own = number_of(OWN);
	child = fork();
	if (!child)
		_exit(!(is_called("theirs") && number_of(OWN) == own && call_it("ours") == 0));
	NEED(status_of(child) == 0 && is_called("ours"));
	return 0;
}

static int have_one_at_birth(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, size, tls;
	} args = {.flags = CLONE_NEWUTS, .exit_signal = SIGCHLD};

	if (!child)
		_exit(!(call_it("the child's") == 0 && is_called("the child's")));
	NEED(child > 0 && status_of(child) == 0 && is_called(first_name));
	child = (pid_t)syscall(435, &args, sizeof(args));
	if (!child)
		_exit(!(call_it("the child's") == 0));
	NEED(child > 0 && status_of(child) == 0 && is_called(first_name));
	return 0;
}

static void children_share_it_or_have_a_new_one(void)
{
	EXPECT_EQUAL(in_child_as(0, share), 0);
	EXPECT_EQUAL(in_child_as(0, have_one_at_birth), 0);
	EXPECT(is_called(first_name));
}

/* ---- another process's ---- */

static int enter_by_process(void)
{
	int ends[2], back[2], pidfd;
	pid_t child;
	char byte, path[64];

	NEED(pipe(ends) == 0 && pipe(back) == 0);
	child = fork();
	if (!child) {
		NEED(unshare(CLONE_NEWUTS) == 0 && call_it("over there") == 0);
		NEED(write(ends[1], "x", 1) == 1);
		_exit(read(back[0], &byte, 1) == 1 ? 0 : 1);
	}
	NEED(read(ends[0], &byte, 1) == 1);
	pidfd = (int)syscall(PIDFD_OPEN, child, 0);
	NEED(pidfd >= 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", child);
	NEED(number_of(path) > 0 && number_of(path) != number_of(OWN));
	NEED(setns(pidfd, 0) == -1 && errno == EINVAL);
	NEED(setns(pidfd, CLONE_VM) == -1 && errno == EINVAL);
	NEED(setns(pidfd, CLONE_NEWUTS) == 0 && is_called("over there"));
	NEED(number_of(path) == number_of(OWN));
	NEED(write(back[1], "x", 1) == 1 && status_of(child) == 0);
	NEED(setns(pidfd, CLONE_NEWUTS) == -1 && errno == ESRCH);
	NEED(is_called("over there"));
	return 0;
}

static void one_enters_that_of_a_process(void)
{
	EXPECT_EQUAL(in_child_as(0, enter_by_process), 0);
}

/* ---- networks ---- */

#define NETWORK "/proc/self/ns/net"
#define COOKIE  71 /* SO_NETNS_COOKIE */

static const struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0of one network"};

static int bind_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	return bind(fd, (const void *)&abstract, sizeof(abstract)) ? -errno : fd;
}

static int connect_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	int result = connect(fd, (const void *)&abstract, sizeof(abstract)) ? -errno : 0;

	close(fd);
	return result;
}

static int is_listed(void)
{
	static char text[65536];
	int fd = open("/proc/self/net/unix", O_RDONLY);
	ssize_t len, all = 0;

	while ((len = read(fd, text + all, sizeof(text) - 1 - (size_t)all)) > 0)
		all += len;
	close(fd);
	text[all] = 0;
	return strstr(text, "@of one network") != NULL;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, COOKIE, &cookie, &len) ? 0 : cookie;
}

static int leave_network(void)
{
	int here = bind_abstract(), back = open(NETWORK, O_RDONLY), there, again;

	NEED(here >= 0 && back >= 0 && connect_abstract() == 0 && is_listed());
	NEED(bind_abstract() == -EADDRINUSE);
	NEED(unshare(CLONE_NEWNET) == 0);
	NEED(connect_abstract() == -ECONNREFUSED && !is_listed());
	there = bind_abstract();
	NEED(there >= 0 && connect_abstract() == 0 && is_listed());
	NEED(cookie_of(here) && cookie_of(there) && cookie_of(here) != cookie_of(there));
	/* A socket stays where it was made. */
	NEED(setns(back, CLONE_NEWNET) == 0 && close(here) == 0);
	NEED(connect_abstract() == -ECONNREFUSED && !is_listed());
	again = socket(AF_UNIX, SOCK_DGRAM, 0);
	NEED(cookie_of(again) != cookie_of(there));
	NEED(connect(there, (const void *)&abstract, sizeof(abstract)) == 0);
	return 0;
}

static int enter_both(void)
{
	pid_t child = fork();
	int pidfd, status;

	if (!child) {
		raise(SIGSTOP);
		_exit(0);
	}
	NEED(waitpid(child, &status, WUNTRACED) == child);
	NEED(unshare(CLONE_NEWNET | CLONE_NEWUTS) == 0 && call_it("another") == 0);
	pidfd = (int)syscall(PIDFD_OPEN, child, 0);
	NEED(setns(pidfd, CLONE_NEWNET | CLONE_NEWUTS) == 0 && is_called(first_name));
	NEED(kill(child, SIGCONT) == 0 && status_of(child) == 0);
	return 0;
}

static void a_network_has_its_own_abstract_names(void)
{
	EXPECT_EQUAL(in_child_as(0, leave_network), 0);
	EXPECT_EQUAL(in_child_as(0, enter_both), 0);
}

/* ---- files ---- */

static void files_stand_for_them(void)
{
	struct stat status;
	int fd = open(OWN, O_RDONLY | O_CLOEXEC);
	char byte;

	EXPECT(fd >= 0);
	EXPECT_EQUAL(fstat(fd, &status), 0);
	EXPECT(S_ISREG(status.st_mode) && (status.st_mode & 0777) == 0444);
	EXPECT_EQUAL((long)status.st_ino, number_in(OWN));
	EXPECT_EQUAL(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWUTS);
	EXPECT_ERRNO(EINVAL, ioctl(fd, NS_GET_PARENT));
	EXPECT_ERRNO(EINVAL, ioctl(fd, NS_GET_OWNER_UID, &byte));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, 0x5401, &byte));
	EXPECT_ERRNO(EINVAL, read(fd, &byte, 1));
	EXPECT_ERRNO(EINVAL, setns(fd, CLONE_NEWIPC));
	close(fd);
	EXPECT_ERRNO(EBADF, setns(fd, 0));
	fd = open("/proc/self/status", O_RDONLY);
	EXPECT_ERRNO(EINVAL, setns(fd, 0));
	close(fd);
}

/* ---- who may ---- */

static int without_rights(void)
{
	int fd = open(OWN, O_RDONLY);
	char path[64];

	NEED(unshare(CLONE_NEWUTS) == -1 && errno == EPERM);
	NEED(syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0) == -1 && errno == EPERM);
	NEED(fd >= 0 && setns(fd, CLONE_NEWUTS) == -1 && errno == EPERM);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", getppid());
	NEED(readlink(path, (char[64]){0}, 64) == -1 && errno == EACCES);
	return 0;
}

static void it_is_the_administrators_affair(void)
{
	EXPECT_EQUAL(as_user(without_rights), 0);
}

int main(void)
{
	struct utsname now;

	if (uname(&now) == 0)
		strcpy(first_name, now.nodename);
	RUN(a_name_in_another_namespace_is_its_own);
	RUN(children_share_it_or_have_a_new_one);
	RUN(one_enters_that_of_a_process);
	RUN(a_network_has_its_own_abstract_names);
	RUN(files_stand_for_them);
	RUN(it_is_the_administrators_affair);
	return check_end();
}
