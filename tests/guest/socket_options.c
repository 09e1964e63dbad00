/*
 * Options of unix sockets: what they say of the other end, of messages, and those that are only
 * remembered.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

/* Newer than some headers. */
#define OPTION_PASSPIDFD 76
#define OPTION_PEERPIDFD 77
#define MESSAGE_PIDFD    4

static int get(int fd, int option)
{
	int value = -77;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) || len != sizeof(value) ? -99
											: value;
}

static int set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
}

/* A family that is in no kernel, and those that a kernel without networks lacks. */
static void families_that_are_not_there_are_refused(void)
{
	int fds[2];

	EXPECT_ERRNO(EAFNOSUPPORT, socket(-1, SOCK_STREAM, 0));
	EXPECT_ERRNO(EAFNOSUPPORT, socket(4000, SOCK_STREAM, 0));
	EXPECT_ERRNO(EAFNOSUPPORT, socketpair(4000, SOCK_STREAM, 0, fds));
	EXPECT_ERRNO(EINVAL, socket(AF_UNIX, 15, 0));
	EXPECT_ERRNO(ESOCKTNOSUPPORT, socket(AF_UNIX, SOCK_RDM, 0));
	EXPECT_ERRNO(EPROTONOSUPPORT, socket(AF_UNIX, SOCK_STREAM, 17));
	EXPECT_ERRNO(EINVAL, socket(AF_UNIX, SOCK_STREAM | 0x100, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8));
}

static void switches_are_on_or_off(void)
{
	static const int switches[] = {
		SO_DEBUG,       SO_REUSEADDR, SO_DONTROUTE,        SO_BROADCAST,
		SO_KEEPALIVE,   SO_OOBINLINE, SO_NO_CHECK,         SO_PASSCRED,
		SO_PASSSEC,     SO_TIMESTAMP, SO_TIMESTAMPNS,      SO_RXQ_OVFL,
		SO_WIFI_STATUS, SO_NOFCS,     SO_SELECT_ERR_QUEUE, OPTION_PASSPIDFD};
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++) {
		if (get(fds[0], switches[i]) != 0 || set(fds[0], switches[i], 5) ||
		    get(fds[0], switches[i]) != 1 || set(fds[0], switches[i], 0) ||
		    get(fds[0], switches[i]) != 0)
			FAIL("option %d", switches[i]);
	}
	/* One kind of time at a time. */
	EXPECT_EQUAL(set(fds[0], SO_TIMESTAMP, 1), 0);
	EXPECT_EQUAL(set(fds[0], SO_TIMESTAMPNS, 1), 0);
	EXPECT_EQUAL(get(fds[0], SO_TIMESTAMP), 0);
	EXPECT_EQUAL(get(fds[0], SO_TIMESTAMPNS), 1);
	EXPECT_EQUAL(set(fds[0], SO_BSDCOMPAT, 1), 0);
	EXPECT_EQUAL(get(fds[0], SO_BSDCOMPAT), 0);
	EXPECT_EQUAL(set(fds[0], SO_REUSEPORT, 0), 0);
	EXPECT_EQUAL(get(fds[0], SO_REUSEPORT), 0);
	close(fds[0]), close(fds[1]);
}

static void numbers_are_kept(void)
{
	uint64_t cookie = 0, other = 0;
	socklen_t len = sizeof(cookie);
	uint32_t memory[9];
	int fds[2];
	char name[16];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT_EQUAL(get(fds[0], SO_PRIORITY), 0);
	EXPECT_EQUAL(set(fds[0], SO_PRIORITY, 6), 0);
	EXPECT_EQUAL(get(fds[0], SO_PRIORITY), 6);
	EXPECT_EQUAL(get(fds[0], SO_INCOMING_CPU), -1);
	EXPECT_EQUAL(set(fds[0], SO_INCOMING_CPU, 3), 0);
	EXPECT_EQUAL(get(fds[0], SO_INCOMING_CPU), 3);
	EXPECT_EQUAL(get(fds[0], SO_BUSY_POLL), 0);
	EXPECT_EQUAL(set(fds[0], SO_BUSY_POLL, 0), 0);
	EXPECT_ERRNO(EINVAL, set(fds[0], SO_BUSY_POLL, -1));
	EXPECT_EQUAL(get(fds[0], SO_INCOMING_NAPI_ID), 0);
	EXPECT_EQUAL(get(fds[0], SO_DOMAIN), AF_UNIX);
	EXPECT_EQUAL(get(fds[0], SO_TYPE), SOCK_STREAM);
	EXPECT_EQUAL(get(fds[0], SO_PROTOCOL), 0);
	EXPECT_EQUAL(get(fds[0], SO_ACCEPTCONN), 0);
	EXPECT_ERRNO(ENOPROTOOPT, set(fds[0], SO_TYPE, 1));
	EXPECT_ERRNO(ENOPROTOOPT, set(fds[0], SO_ACCEPTCONN, 1));
	EXPECT_ERRNO(ENOPROTOOPT, set(fds[0], 4000, 1));
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	EXPECT_EQUAL(getsockopt(fds[1], SOL_SOCKET, SO_COOKIE, &other, &len), 0);
	EXPECT(len == 8 && cookie != other);
	len = 4;
	EXPECT_ERRNO(EINVAL, getsockopt(fds[0], SOL_SOCKET, SO_COOKIE, &cookie, &len));
	len = sizeof(memory);
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_MEMINFO, memory, &len), 0);
	EXPECT(len == 36 && memory[1] == (uint32_t)get(fds[0], SO_RCVBUF) &&
	       memory[3] == (uint32_t)get(fds[0], SO_SNDBUF));
	len = sizeof(name);
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	EXPECT_EQUAL(len, 0);
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_BINDTODEVICE, "", 1), 0);
	EXPECT_ERRNO(ENODEV, setsockopt(fds[0], SOL_SOCKET, SO_BINDTODEVICE, "nothere0", 9));
	EXPECT_ERRNO(EFAULT, setsockopt(fds[0], SOL_SOCKET, SO_BINDTODEVICE, (void *)8, 9));
	EXPECT_ERRNO(EFAULT, setsockopt(fds[0], SOL_SOCKET, SO_PRIORITY, (void *)8, 4));
	EXPECT_ERRNO(EINVAL, setsockopt(fds[0], SOL_SOCKET, SO_PRIORITY, &len, 3));
	len = 4;
	EXPECT_ERRNO(EFAULT, getsockopt(fds[0], SOL_SOCKET, SO_PRIORITY, (void *)8, &len));
	EXPECT_ERRNO(EFAULT, getsockopt(fds[0], SOL_SOCKET, SO_PRIORITY, name, (void *)8));
	len = (socklen_t)-1;
	EXPECT_ERRNO(EINVAL, getsockopt(fds[0], SOL_SOCKET, SO_PRIORITY, name, &len));
	len = 4;
	EXPECT_ERRNO(EOPNOTSUPP, getsockopt(fds[0], 4000, SO_PRIORITY, name, &len));
	EXPECT_ERRNO(EOPNOTSUPP, setsockopt(fds[0], 4000, SO_PRIORITY, name, 4));
	EXPECT_ERRNO(ENOTSOCK, setsockopt(STDIN_FILENO, SOL_SOCKET, SO_PRIORITY, name, 4));
	EXPECT_ERRNO(EBADF, setsockopt(4000, SOL_SOCKET, SO_PRIORITY, name, 4));
	EXPECT_ERRNO(EBADF, getsockopt(4000, SOL_SOCKET, SO_PRIORITY, name, &len));
	close(fds[0]), close(fds[1]);
}

static int what_is_the_administrator_s(void)
{
	int fds[2];

	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	NEED(set(fds[0], SO_PRIORITY, 7) == -1 && errno == EPERM);
	NEED(set(fds[0], SO_PRIORITY, 5) == 0);
	NEED(set(fds[0], SO_MARK, 1) == -1 && errno == EPERM);
	NEED(set(fds[0], SO_SNDBUFFORCE, 1 << 20) == -1 && errno == EPERM);
	NEED(set(fds[0], SO_RCVBUFFORCE, 1 << 20) == -1 && errno == EPERM);
	return 0;
}

static void some_need_capabilities(void)
{
	int fds[2];

	EXPECT_EQUAL(as_user(what_is_the_administrator_s), 0);
	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	if (set(fds[0], SO_MARK, 9) && may_be_restricted())
		return;
	EXPECT_EQUAL(get(fds[0], SO_MARK), 9);
	EXPECT_EQUAL(set(fds[0], SO_PRIORITY, 7), 0);
	EXPECT_EQUAL(set(fds[0], SO_SNDBUFFORCE, 1 << 23), 0);
	EXPECT_EQUAL(get(fds[0], SO_SNDBUF), 1 << 24);
	EXPECT_EQUAL(set(fds[0], SO_RCVBUFFORCE, 1 << 23), 0);
	EXPECT_EQUAL(get(fds[0], SO_RCVBUF), 1 << 24);
	close(fds[0]), close(fds[1]);
}

/* ---- the other end ---- */

static int connect_and_check(const struct sockaddr_un *name, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return fd < 0 || connect(fd, (const struct sockaddr *)name, len) ? -1 : fd;
}

static void the_peer_is_known_by_a_descriptor_and_its_groups(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0socket-options"};
	socklen_t name_len = offsetof(struct sockaddr_un, sun_path) + 15;
	const gid_t groups[] = {1700, 30, 1600};
	gid_t told[8];
	socklen_t len;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int fd, pidfd = -1, go[2];
	struct pollfd ended = {.events = POLLIN};
	pid_t child;
	char byte;

	len = sizeof(pidfd);
	EXPECT_ERRNO(ENODATA, getsockopt(listener, SOL_SOCKET, OPTION_PEERPIDFD, &pidfd, &len));
	len = sizeof(told);
	EXPECT_ERRNO(ENODATA, getsockopt(listener, SOL_SOCKET, SO_PEERGROUPS, told, &len));
	EXPECT_EQUAL(bind(listener, (struct sockaddr *)&name, name_len), 0);
	EXPECT_EQUAL(listen(listener, 4), 0);
	EXPECT_EQUAL(pipe(go), 0);
	child = fork();
	if (child == 0) {
		close(go[1]);
		if (setgroups(3, groups) || connect_and_check(&name, name_len) < 0)
			_exit(1);
		_exit(read(go[0], &byte, 1) == 0 ? 0 : 2);
	}
	fd = accept(listener, NULL, NULL);
	EXPECT(fd >= 0);
	len = sizeof(pidfd);
	EXPECT_EQUAL(getsockopt(fd, SOL_SOCKET, OPTION_PEERPIDFD, &pidfd, &len), 0);
	EXPECT_EQUAL(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	ended.fd = pidfd;
	EXPECT_EQUAL(poll(&ended, 1, 0), 0);
	len = sizeof(told);
	EXPECT_EQUAL(getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, told, &len), 0);
	EXPECT(len == sizeof(groups) && told[0] == 30 && told[1] == 1600 && told[2] == 1700);
	len = 8;
	EXPECT_ERRNO(ERANGE, getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, told, &len));
	EXPECT_EQUAL(len, sizeof(groups));
	close(go[1]);
	EXPECT_EQUAL(poll(&ended, 1, 10000), 1); /* it was that one */
	EXPECT_EQUAL(waitpid(child, NULL, 0), child);
	close(pidfd), close(fd), close(listener), close(go[0]);
}

/* ---- beside messages ---- */

/* What came beside one byte: the record of this type. */
static const void *beside(int fd, int type, size_t bytes)
{
	static char control[256] __attribute__((aligned(8)));
	char byte;
	struct iovec piece = {&byte, 1};
	struct msghdr header = {.msg_iov = &piece,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};

	if (recvmsg(fd, &header, MSG_DONTWAIT) != 1)
		return NULL;
	for (struct cmsghdr *at = CMSG_FIRSTHDR(&header); at; at = CMSG_NXTHDR(&header, at))
		if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == type &&
		    at->cmsg_len == CMSG_LEN(bytes))
			return CMSG_DATA(at);
	return NULL;
}

static void messages_say_when_they_were_sent(void)
{
	const struct timespec *stamp;
	const struct timeval *time;
	struct timespec before, after;
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_EQUAL(set(fds[0], SO_TIMESTAMPNS, 1), 0);
	clock_gettime(CLOCK_REALTIME, &before);
	EXPECT_EQUAL(send(fds[1], "x", 1, 0), 1);
	clock_gettime(CLOCK_REALTIME, &after);
	stamp = beside(fds[0], SO_TIMESTAMPNS, sizeof(*stamp));
	EXPECT(stamp && stamp->tv_sec >= before.tv_sec && stamp->tv_sec <= after.tv_sec);
	EXPECT_EQUAL(set(fds[0], SO_TIMESTAMP, 1), 0);
	EXPECT_EQUAL(send(fds[1], "x", 1, 0), 1);
	time = beside(fds[0], SO_TIMESTAMP, sizeof(*time));
	EXPECT(time && time->tv_sec >= before.tv_sec && time->tv_usec < 1000000);
	EXPECT_EQUAL(set(fds[0], SO_TIMESTAMP, 0), 0);
	EXPECT_EQUAL(send(fds[1], "x", 1, 0), 1);
	EXPECT(!beside(fds[0], SO_TIMESTAMP, sizeof(*time)));
	close(fds[0]), close(fds[1]);
}

static void messages_bring_a_descriptor_of_who_sent_them(void)
{
	struct pollfd ended = {.events = POLLIN};
	const int *told;
	int fds[2];
	pid_t child;

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT_EQUAL(set(fds[0], OPTION_PASSPIDFD, 1), 0);
	child = fork();
	if (child == 0)
		_exit(send(fds[1], "x", 1, 0) != 1 || pause());
	EXPECT_EQUAL(poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, 10000), 1);
	told = beside(fds[0], MESSAGE_PIDFD, sizeof(*told));
	EXPECT(told && *told >= 0);
	ended.fd = *told;
	EXPECT_EQUAL(poll(&ended, 1, 0), 0);
	EXPECT_EQUAL(syscall(SYS_pidfd_send_signal, ended.fd, SIGKILL, NULL, 0), 0);
	EXPECT_EQUAL(poll(&ended, 1, 10000), 1);
	EXPECT_EQUAL(waitpid(child, NULL, 0), child);
	close(ended.fd), close(fds[0]), close(fds[1]);
}

static bool peeks(int fd, const char *text)
{
	char bytes[16];
	ssize_t n = recv(fd, bytes, strlen(text), MSG_PEEK | MSG_DONTWAIT);

	return n == (ssize_t)strlen(text) && memcmp(bytes, text, (size_t)n) == 0;
}

static void who_looks_goes_on_where_he_stopped(void)
{
	char bytes[16];
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT_EQUAL(get(fds[0], SO_PEEK_OFF), -1);
	EXPECT_EQUAL(write(fds[1], "abc", 3), 3);
	EXPECT_EQUAL(write(fds[1], "defgh", 5), 5);
	EXPECT(peeks(fds[0], "ab") && peeks(fds[0], "ab"));
	EXPECT_EQUAL(set(fds[0], SO_PEEK_OFF, 1), 0);
	EXPECT(peeks(fds[0], "bc"));
	EXPECT_EQUAL(get(fds[0], SO_PEEK_OFF), 3);
	EXPECT(peeks(fds[0], "de") && peeks(fds[0], "fgh"));
	EXPECT_EQUAL(get(fds[0], SO_PEEK_OFF), 8);
	EXPECT_ERRNO(EAGAIN, recv(fds[0], bytes, 4, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQUAL(read(fds[0], bytes, 4), 4);
	EXPECT_EQUAL(get(fds[0], SO_PEEK_OFF), 4);
	EXPECT_EQUAL(set(fds[0], SO_PEEK_OFF, 0), 0);
	EXPECT(peeks(fds[0], "efgh"));
	EXPECT_EQUAL(set(fds[0], SO_PEEK_OFF, -1), 0);
	EXPECT(peeks(fds[0], "ef") && peeks(fds[0], "efgh"));
	close(fds[0]), close(fds[1]);

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_EQUAL(send(fds[1], "abcd", 4, 0), 4);
	EXPECT_EQUAL(send(fds[1], "efgh", 4, 0), 4);
	EXPECT_EQUAL(set(fds[0], SO_PEEK_OFF, 2), 0);
	EXPECT(peeks(fds[0], "cd") && peeks(fds[0], "ef") && peeks(fds[0], "gh"));
	EXPECT_ERRNO(EAGAIN, recv(fds[0], bytes, 4, MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQUAL(recv(fds[0], bytes, 16, 0), 4);
	EXPECT_EQUAL(get(fds[0], SO_PEEK_OFF), 4);
	close(fds[0]), close(fds[1]);
}

static void *send_nothing(void *fd)
{
	return (void *)send(*(int *)fd, "", 0, 0);
}

/* One that has no bytes is one as well, once. */
static void who_looks_sees_empty_messages(void)
{
	pthread_t sender;
	char bytes[16];
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_EQUAL(set(fds[0], SO_PEEK_OFF, 0), 0);
	EXPECT_EQUAL(send(fds[1], "abcd", 4, 0), 4);
	EXPECT(peeks(fds[0], "abcd"));
	EXPECT_EQUAL(pthread_create(&sender, NULL, send_nothing, &fds[1]), 0);
	EXPECT_EQUAL(recv(fds[0], bytes, sizeof(bytes), MSG_PEEK), 0);
	pthread_join(sender, NULL);
	EXPECT_ERRNO(EAGAIN, recv(fds[0], bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT));
	EXPECT_EQUAL(send(fds[1], "ef", 2, 0), 2);
	EXPECT(peeks(fds[0], "ef"));
	EXPECT_EQUAL(get(fds[0], SO_PEEK_OFF), 6);
	EXPECT_EQUAL(recv(fds[0], bytes, sizeof(bytes), 0), 4);
	EXPECT_EQUAL(recv(fds[0], bytes, sizeof(bytes), 0), 0);
	EXPECT_EQUAL(recv(fds[0], bytes, sizeof(bytes), 0), 2);
	EXPECT_EQUAL(set(fds[0], SO_PEEK_OFF, INT32_MAX), 0);
	EXPECT_ERRNO(EAGAIN, recv(fds[0], bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT));
	close(fds[0]), close(fds[1]);
}

int main(void)
{
	RUN(families_that_are_not_there_are_refused);
	RUN(switches_are_on_or_off);
	RUN(numbers_are_kept);
	RUN(some_need_capabilities);
	RUN(the_peer_is_known_by_a_descriptor_and_its_groups);
	RUN(messages_say_when_they_were_sent);
	RUN(messages_bring_a_descriptor_of_who_sent_them);
	RUN(who_looks_goes_on_where_he_stopped);
	RUN(who_looks_sees_empty_messages);
	return check_end();
}
