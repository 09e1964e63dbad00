/*
 * What goes through unix sockets: datagrams to anybody, many at once; options and time-outs.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#ifndef SIOCOUTQ
#define SIOCOUTQ 0x5411
#endif

#include "check.h"
#include "signal_help.h"
#include "socket_help.h"

/* ---- datagrams ---- */

static void datagrams_find_their_way(void)
{
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	char bytes[8];
	int to = bound(SOCK_DGRAM, "to");
	int sender = bound(SOCK_DGRAM, "from");
	int nameless = socket(AF_UNIX, SOCK_DGRAM, 0);

	EXPECT_ERRNO(ENOTCONN, send(sender, "x", 1, 0));
	EXPECT_EQUAL(sendto(sender, "one", 3, 0, NAMED("to")), 3);
	EXPECT_EQUAL(recvfrom(to, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len), 3);
	EXPECT_EQUAL(len, PATH_OFFSET + 5);
	EXPECT(strcmp(from.sun_path, "from") == 0);
	EXPECT_EQUAL(sendto(to, "two", 3, 0, (struct sockaddr *)&from, len), 3);
	EXPECT(reads(sender, "two"));
	EXPECT_EQUAL(sendto(nameless, "", 0, 0, NAMED("to")), 0);
	len = sizeof(from);
	EXPECT_EQUAL(recvfrom(to, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len), 0);
	EXPECT_EQUAL(len, 0);
	EXPECT_ERRNO(EINVAL, sendto(sender, "x", 1, 0, named("to"), 1));
	EXPECT_ERRNO(ENOENT, sendto(sender, "x", 1, 0, NAMED("none")));
	/* Connected: an end where others' messages do not come in. */
	EXPECT_EQUAL(connect(sender, NAMED("to")), 0);
	EXPECT_EQUAL(connect(to, NAMED("from")), 0);
	EXPECT_EQUAL(send(sender, "three", 5, 0), 5);
	EXPECT(reads(to, "three"));
	EXPECT_ERRNO(EPERM, sendto(nameless, "x", 1, 0, NAMED("to")));
	EXPECT_ERRNO(EPERM, connect(nameless, NAMED("to")));
	from.sun_family = AF_UNSPEC;
	EXPECT_EQUAL(send(sender, "lost", 4, 0), 4);
	EXPECT_EQUAL(connect(to, (struct sockaddr *)&from, sizeof(from)), 0);
	EXPECT_ERRNO(EAGAIN, recv(to, bytes, sizeof(bytes), MSG_DONTWAIT));
	EXPECT_EQUAL(option(sender, SO_ERROR), ECONNRESET);
	EXPECT_EQUAL(sendto(nameless, "four", 4, 0, NAMED("to")), 4);
	EXPECT(reads(to, "four"));
	close(to);
	EXPECT_ERRNO(ECONNREFUSED, send(sender, "x", 1, 0));
	EXPECT_ERRNO(ENOTCONN, send(sender, "x", 1, 0));
	EXPECT_ERRNO(ECONNREFUSED, sendto(sender, "x", 1, 0, NAMED("to")));
	close(sender);
	close(nameless);
	unlink("to");
	unlink("from");
}

static void *send_one_more(void *fd)
{
	return send(*(int *)fd, "more", 4, 0) == 4 ? fd : NULL;
}

static void a_full_queue_is_waited_for(void)
{
	struct epoll_event event = {.events = EPOLLOUT | EPOLLET};
	int to = bound(SOCK_DGRAM, "to");
	int sender = connected(SOCK_DGRAM, "to");
	int ep = epoll_create1(0);
	pthread_t thread;
	void *result;
	char byte;
	int sent = 0;

	EXPECT_EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, sender, &event), 0);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 1);
	while (sent < 10000 && send(sender, "x", 1, MSG_DONTWAIT) == 1)
		sent++;
	EXPECT_EQUAL(errno, EAGAIN);
	EXPECT(sent >= 10 && sent < 10000);
	EXPECT_EQUAL(events_of(sender), 0);
	EXPECT_EQUAL(read(to, &byte, 1), 1);
	EXPECT_EQUAL(events_of(sender), POLLOUT);
	EXPECT_EQUAL(send(sender, "x", 1, MSG_DONTWAIT), 1);
	EXPECT_EQUAL(events_of(sender), 0);
	EXPECT_EQUAL(pthread_create(&thread, NULL, send_one_more, &sender), 0);
	for (int i = 0; i < sent; i++)
		EXPECT_EQUAL(read(to, &byte, 1), 1);
	EXPECT(reads(to, "more"));
	pthread_join(thread, &result);
	EXPECT(result == &sender);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 1);
	close(ep);
	close(to);
	close(sender);
	unlink("to");
}

/* ---- many at once ---- */

static void many_messages_in_one_call(void)
{
	char bytes[4][8] = {0};
	struct iovec in[4], out[4] = {{"a", 1}, {"bb", 2}, {"ccc", 3}, {"d", 1}};
	struct mmsghdr messages[4];
	struct timespec later = {.tv_sec = 100};
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < 4; i++) {
		messages[i].msg_hdr.msg_iov = &out[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	EXPECT_EQUAL(syscall(SYS_sendmmsg, fds[0], messages, 3, 0), 3);
	EXPECT_EQUAL(messages[2].msg_len, 3);
	messages[1].msg_hdr.msg_iov = (void *)8;
	EXPECT_EQUAL(syscall(SYS_sendmmsg, fds[0], messages, 2, 0), 1);
	EXPECT_ERRNO(EFAULT, syscall(SYS_sendmmsg, fds[0], messages + 1, 1, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_sendmmsg, 999, messages, 2, 0));
	EXPECT_EQUAL(syscall(SYS_sendmmsg, fds[0], messages, 0, 0), 0);
	for (int i = 0; i < 4; i++) {
		in[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
		messages[i].msg_hdr.msg_iov = &in[i];
	}
	EXPECT_EQUAL(syscall(SYS_recvmmsg, fds[1], messages, 2, 0, &later), 2);
	EXPECT(messages[0].msg_len == 1 && messages[1].msg_len == 2);
	EXPECT(strcmp(bytes[0], "a") == 0 && strcmp(bytes[1], "bb") == 0);
	EXPECT(later.tv_sec > 0 && later.tv_sec < 100);
	EXPECT_EQUAL(syscall(SYS_recvmmsg, fds[1], messages, 4, MSG_WAITFORONE, NULL), 2);
	EXPECT(strcmp(bytes[0], "ccc") == 0);
	EXPECT_ERRNO(EAGAIN, syscall(SYS_recvmmsg, fds[1], messages, 4, MSG_DONTWAIT, NULL));
	/* The time is looked at after each message. */
	EXPECT(write(fds[0], "d", 1) == 1 && write(fds[0], "e", 1) == 1);
	later = (struct timespec){.tv_nsec = 1};
	EXPECT_EQUAL(syscall(SYS_recvmmsg, fds[1], messages, 4, 0, &later), 1);
	EXPECT_EQUAL(syscall(SYS_recvmmsg, fds[1], messages, 4, MSG_DONTWAIT, NULL), 1);
	later.tv_nsec = 2000000000;
	EXPECT_ERRNO(EINVAL, syscall(SYS_recvmmsg, fds[1], messages, 4, 0, &later));
	EXPECT_ERRNO(EFAULT, syscall(SYS_recvmmsg, fds[1], messages, 4, 0, 8));
	close(fds[0]);
	close(fds[1]);
}

static void options_are_kept(void)
{
	struct timeval time = {.tv_sec = 3, .tv_usec = 500000}, got;
	struct linger linger = {.l_onoff = 1, .l_linger = 7};
	socklen_t len = sizeof(got);
	int fds[2], value = 10000, on = 1;

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT_EQUAL(option(fds[0], SO_TYPE), SOCK_STREAM);
	EXPECT_EQUAL(option(fds[0], SO_DOMAIN), AF_UNIX);
	EXPECT_EQUAL(option(fds[0], SO_PROTOCOL), 0);
	EXPECT_EQUAL(option(fds[0], SO_ERROR), 0);
	EXPECT_EQUAL(option(fds[0], SO_SNDBUF), 212992);
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)), 0);
	EXPECT_EQUAL(option(fds[0], SO_SNDBUF), 20000);
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &value, sizeof(value)), 0);
	EXPECT_EQUAL(option(fds[0], SO_RCVBUF), 20000);
	value = 1;
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)), 0);
	EXPECT_EQUAL(option(fds[0], SO_SNDBUF), 4608);
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	EXPECT_EQUAL(option(fds[0], SO_REUSEADDR), 1);
	EXPECT_EQUAL(option(fds[0], SO_BROADCAST), 0);
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	len = sizeof(linger);
	linger.l_linger = 0;
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_LINGER, &linger, &len), 0);
	EXPECT(linger.l_onoff == 1 && linger.l_linger == 7);
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), 0);
	len = sizeof(got);
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len), 0);
	EXPECT(got.tv_sec == 3 && got.tv_usec == 500000);
	time.tv_usec = 1000000;
	EXPECT_ERRNO(EDOM, setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)));
	EXPECT_ERRNO(EINVAL, setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &time, 8));
	EXPECT_ERRNO(EINVAL, setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, 3));
	EXPECT_ERRNO(EFAULT, syscall(SYS_setsockopt, fds[0], SOL_SOCKET, SO_SNDBUF, 8, 4));
	EXPECT_ERRNO(EOPNOTSUPP, setsockopt(fds[0], 99, 1, &value, sizeof(value)));
	EXPECT_ERRNO(ENOPROTOOPT, setsockopt(fds[0], SOL_SOCKET, 9999, &value, sizeof(value)));
	EXPECT_ERRNO(ENOPROTOOPT, setsockopt(fds[0], SOL_SOCKET, SO_TYPE, &value, sizeof(value)));
	EXPECT_ERRNO(EBADF, setsockopt(999, SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)));
	EXPECT_ERRNO(ENOTSOCK, setsockopt(0, SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)));
	EXPECT_ERRNO(EAFNOSUPPORT, socket(250, SOCK_STREAM, 0));
	EXPECT_ERRNO(EPROTONOSUPPORT, socket(AF_UNIX, SOCK_STREAM, 9));
	EXPECT_ERRNO(ESOCKTNOSUPPORT, socket(AF_UNIX, 4, 0));
	EXPECT_ERRNO(EINVAL, socket(AF_UNIX, SOCK_STREAM | 0x100, 0));
	close(fds[0]);
	close(fds[1]);
}

static void waits_end_when_they_should(void)
{
	struct timeval soon = {.tv_usec = 20000};
	int fds[2], n;
	char byte;

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	EXPECT_ERRNO(EAGAIN, read(fds[0], &byte, 1));
	/* A time-out and SA_RESTART do not go together. */
	soon.tv_sec = 100;
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	install(SIGALRM, note, SA_RESTART);
	ualarm(20000, 20000); /* one may come before it reads */
	EXPECT_ERRNO(EINTR, read(fds[0], &byte, 1));
	ualarm(0, 0);
	signal(SIGALRM, SIG_DFL);
	alarm(100);
	EXPECT_EQUAL(write(fds[0], "ab", 2), 2);
	EXPECT_EQUAL(ioctl(fds[1], FIONREAD, &n), 0);
	EXPECT_EQUAL(n, 2);
	EXPECT_EQUAL(ioctl(fds[0], SIOCOUTQ, &n), 0);
	EXPECT(n >= 2);
	EXPECT_EQUAL(shutdown(fds[0], SHUT_WR), 0);
	EXPECT(reads(fds[1], "ab"));
	EXPECT_EQUAL(ioctl(fds[0], SIOCOUTQ, &n), 0);
	EXPECT_EQUAL(n, 0);
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT(write(fds[0], "abc", 3) == 3 && write(fds[0], "de", 2) == 2);
	EXPECT_EQUAL(ioctl(fds[1], FIONREAD, &n), 0);
	EXPECT_EQUAL(n, 3); /* the next one */
	close(fds[0]);
	close(fds[1]);
}

/* SO_RCVLOWAT: a read waits for as many. The other side writes the last byte when it has seen that
 * the first ones were taken. */
static void a_read_waits_for_as_many_as_were_asked_for(void)
{
	int fds[2], status, n = 3;
	char bytes[8];
	pid_t pid;

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT_EQUAL(setsockopt(fds[1], SOL_SOCKET, SO_RCVLOWAT, &n, sizeof(n)), 0);
	pid = fork();
	if (pid == 0) {
		if (write(fds[0], "ab", 2) != 2)
			_exit(1);
		do
			ioctl(fds[0], SIOCOUTQ, &n);
		while (n);
		_exit(write(fds[0], "c", 1) != 1);
	}
	EXPECT_EQUAL(read(fds[1], bytes, sizeof(bytes)), 3);
	EXPECT(memcmp(bytes, "abc", 3) == 0);
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	close(fds[0]);
	close(fds[1]);
}

static void a_look_goes_on_over_pieces(void)
{
	char bytes[16] = {0};
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT(write(fds[0], "one", 3) == 3 && write(fds[0], "two", 3) == 3);
	EXPECT_EQUAL(recv(fds[1], bytes, sizeof(bytes), MSG_PEEK), 6);
	EXPECT(strcmp(bytes, "onetwo") == 0);
	EXPECT(reads(fds[1], "onetwo"));
	close(fds[0]);
	close(fds[1]);
}

static void the_signal_is_for_streams_alone(void)
{
	struct iovec iov = {.iov_base = "x", .iov_len = 1};
	int fds[2];

	install(SIGPIPE, note, 0);
	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	close(fds[1]);
	EXPECT_ERRNO(EPIPE, write(fds[0], "x", 1));
	EXPECT_ERRNO(EPIPE, writev(fds[0], &iov, 1));
	EXPECT_ERRNO(EPIPE, send(fds[0], "x", 1, 0));
	EXPECT_EQUAL(ncalls, 0);
	close(fds[0]);
	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[1]);
	EXPECT_ERRNO(EPIPE, writev(fds[0], &iov, 1));
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_ERRNO(EPIPE, send(fds[0], "x", 1, 0));
	EXPECT_EQUAL(ncalls, 2);
	close(fds[0]);
	signal(SIGPIPE, SIG_DFL);
}

static void the_unconnected_say_so(void)
{
	int stream = socket(AF_UNIX, SOCK_STREAM, 0);
	int packets = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	int fds[2];
	char byte;

	EXPECT_ERRNO(ENOTCONN, send(stream, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERRNO(EINVAL, recv(stream, &byte, 1, 0));
	EXPECT_ERRNO(ENOTCONN, send(packets, "x", 1, MSG_NOSIGNAL));
	EXPECT_ERRNO(ENOTCONN, recv(packets, &byte, 1, 0));
	EXPECT_ERRNO(EOPNOTSUPP, sendto(stream, "x", 1, 0, NAMED("x")));
	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT_ERRNO(EISCONN, sendto(fds[0], "x", 1, 0, NAMED("x")));
	close(fds[0]);
	close(fds[1]);
	close(stream);
	close(packets);
}

int main(void)
{
	alarm(100);
	RUN(datagrams_find_their_way);
	RUN(a_full_queue_is_waited_for);
	RUN(many_messages_in_one_call);
	RUN(options_are_kept);
	RUN(waits_end_when_they_should);
	RUN(a_read_waits_for_as_many_as_were_asked_for);
	RUN(a_look_goes_on_over_pieces);
	RUN(the_signal_is_for_streams_alone);
	RUN(the_unconnected_say_so);
	return check_end();
}
