/*
 * Pairs of unix sockets: streams, datagrams and packets; their ends; what goes beside the bytes.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "signal_help.h"

static int fds[2];
static char big[300000];

static bool make(int type)
{
	return socketpair(AF_UNIX, type, 0, fds) == 0;
}

static void close_both(void)
{
	close(fds[0]);
	close(fds[1]);
}

static int events_of(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	return poll(&item, 1, 0) < 0 ? -1 : item.revents;
}

static bool reads(int fd, const char *text)
{
	char bytes[64] = {0};

	return read(fd, bytes, sizeof(bytes)) == (ssize_t)strlen(text) && strcmp(bytes, text) == 0;
}

static void a_stream_goes_both_ways(void)
{
	char bytes[4] = {0};

	EXPECT(make(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC));
	EXPECT(fcntl(fds[0], F_GETFD) == FD_CLOEXEC &&
	       fcntl(fds[0], F_GETFL) == (O_RDWR | O_NONBLOCK));
	EXPECT_EQUAL(write(fds[0], "one", 3), 3);
	EXPECT_EQUAL(write(fds[0], "two", 3), 3);
	EXPECT_EQUAL(send(fds[1], "back", 4, 0), 4);
	EXPECT_EQUAL(recv(fds[1], bytes, 2, MSG_PEEK), 2);
	EXPECT_EQUAL(recv(fds[1], bytes, 4, 0), 4); /* a stream knows no borders */
	EXPECT(memcmp(bytes, "onet", 4) == 0);
	EXPECT(reads(fds[1], "wo"));
	EXPECT(reads(fds[0], "back"));
	EXPECT_ERRNO(EAGAIN, read(fds[0], bytes, 1));
	EXPECT_EQUAL(write(fds[0], "", 0), 0);
	EXPECT_ERRNO(EAGAIN, read(fds[1], bytes, 1));
	close_both();
}

static void messages_stay_whole(void)
{
	const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};

	for (int i = 0; i < 2; i++) {
		char bytes[4] = {0};

		EXPECT(make(types[i] | SOCK_NONBLOCK));
		EXPECT_EQUAL(write(fds[0], "first", 5), 5);
		EXPECT_EQUAL(write(fds[0], "", 0), 0);
		EXPECT_EQUAL(write(fds[0], "third", 5), 5);
		EXPECT_EQUAL(recv(fds[1], bytes, 2, MSG_PEEK | MSG_TRUNC), 5);
		EXPECT_EQUAL(recv(fds[1], bytes, 3, 0), 3); /* the rest is gone */
		EXPECT(memcmp(bytes, "firs", 3) == 0);
		EXPECT_EQUAL(recv(fds[1], bytes, 3, 0), 0);
		EXPECT_EQUAL(recv(fds[1], bytes, 4, MSG_TRUNC), 5);
		EXPECT_ERRNO(EAGAIN, recv(fds[1], bytes, 4, 0));
		EXPECT_EQUAL(write(fds[0], big, 100000), 100000);
		EXPECT_EQUAL(recv(fds[1], big, sizeof(big), 0), 100000);
		EXPECT_ERRNO(EMSGSIZE, write(fds[0], big, sizeof(big)));
		close_both();
	}
}

static void the_end_is_told(void)
{
	char byte;

	install(SIGPIPE, note, 0);
	EXPECT(make(SOCK_STREAM));
	EXPECT_EQUAL(events_of(fds[0]), POLLOUT);
	EXPECT_EQUAL(write(fds[0], "last", 4), 4);
	EXPECT_EQUAL(events_of(fds[1]), POLLIN | POLLOUT);
	close(fds[0]);
	EXPECT_EQUAL(events_of(fds[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	EXPECT(reads(fds[1], "last"));
	EXPECT_EQUAL(read(fds[1], &byte, 1), 0);
	EXPECT_ERRNO(EPIPE, write(fds[1], "x", 1));
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_ERRNO(EPIPE, send(fds[1], "x", 1, MSG_NOSIGNAL));
	EXPECT_EQUAL(ncalls, 1);
	close(fds[1]);
	/* Who goes with something unread says so. */
	EXPECT(make(SOCK_STREAM));
	EXPECT_EQUAL(write(fds[0], "unread", 6), 6);
	close(fds[1]);
	EXPECT_ERRNO(ECONNRESET, read(fds[0], &byte, 1));
	EXPECT_EQUAL(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	EXPECT(make(SOCK_DGRAM));
	close(fds[1]);
	EXPECT_ERRNO(ECONNREFUSED, write(fds[0], "x", 1));
	close(fds[0]);
	signal(SIGPIPE, SIG_DFL);
}

static void one_way_can_be_shut(void)
{
	char byte;

	EXPECT(make(SOCK_STREAM | SOCK_NONBLOCK));
	EXPECT_EQUAL(write(fds[0], "x", 1), 1);
	EXPECT_EQUAL(shutdown(fds[0], SHUT_WR), 0);
	EXPECT_EQUAL(events_of(fds[1]), POLLIN | POLLOUT | POLLRDHUP);
	EXPECT_ERRNO(EPIPE, send(fds[0], "y", 1, MSG_NOSIGNAL));
	EXPECT_EQUAL(read(fds[1], &byte, 1), 1);
	EXPECT_EQUAL(read(fds[1], &byte, 1), 0);
	EXPECT_EQUAL(write(fds[1], "back", 4), 4);
	EXPECT(reads(fds[0], "back"));
	EXPECT_EQUAL(shutdown(fds[0], SHUT_RD), 0);
	EXPECT_ERRNO(EPIPE, send(fds[1], "y", 1, MSG_NOSIGNAL));
	EXPECT_EQUAL(events_of(fds[0]) & POLLHUP, POLLHUP);
	EXPECT_ERRNO(EINVAL, shutdown(fds[0], 3));
	close_both();
}

static void *write_all(void *fd)
{
	return write(*(int *)fd, big, sizeof(big)) == sizeof(big) ? fd : NULL;
}

static void a_full_one_is_waited_for(void)
{
	size_t sum = 0;
	pthread_t thread;
	void *result;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 256);
	EXPECT(make(SOCK_STREAM));
	EXPECT_EQUAL(pthread_create(&thread, NULL, write_all, &fds[0]), 0);
	while (sum < sizeof(big)) {
		char bytes[5000];
		size_t want = sum + sizeof(bytes) < sizeof(big) ? sizeof(bytes) : sizeof(big) - sum;
		ssize_t n = recv(fds[1], bytes, want, sum % 3 ? 0 : MSG_WAITALL);

		EXPECT(n > 0 && memcmp(bytes, big + sum, (size_t)n) == 0);
		EXPECT(sum % 3 || n == (ssize_t)want);
		sum += (size_t)n;
	}
	pthread_join(thread, &result);
	EXPECT(result == &fds[0]);
	EXPECT_EQUAL(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	for (sum = 0; sum < 100 * sizeof(big) && write(fds[0], big, 4096) > 0;)
		sum += 4096;
	EXPECT_EQUAL(errno, EAGAIN);
	EXPECT_EQUAL(events_of(fds[0]), 0);
	close_both();
}

static void epoll_tells_of_both_ways(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
	int ep = epoll_create1(0);

	EXPECT(make(SOCK_STREAM));
	EXPECT_EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event), 0);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 0);
	EXPECT_EQUAL(write(fds[1], "x", 1), 1);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, -1), 1);
	EXPECT_EQUAL(event.events, EPOLLIN);
	EXPECT_EQUAL(write(fds[0], "y", 1), 1);
	EXPECT(reads(fds[1], "y"));
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 0); /* there is room again: not asked for */
	close(fds[1]);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, -1), 1);
	EXPECT_EQUAL(event.events, EPOLLIN | EPOLLRDHUP | EPOLLHUP);
	close(fds[0]);
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 0);
	close(ep);
}

/* ---- beside the bytes ---- */

union control {
	struct cmsghdr header;
	char bytes[256];
};

static ssize_t send_with(int fd, int type, const void *data, size_t len)
{
	union control control = {0};
	struct iovec iov = {.iov_base = "m", .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_SPACE(len)};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = type;
	control.header.cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(&control.header), data, len);
	return sendmsg(fd, &message, 0);
}

static struct msghdr got;
static union control got_control;

static ssize_t receive_with(int fd, size_t room, int flags)
{
	static char bytes[64];
	static struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};

	memset(&got_control, 0, sizeof(got_control));
	got = (struct msghdr){.msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &got_control,
			      .msg_controllen = room};
	return recvmsg(fd, &got, flags);
}

static void descriptors_are_passed(void)
{
	int pipes[2];
	int sent[2];
	int received[2];

	EXPECT(make(SOCK_STREAM | SOCK_NONBLOCK) && pipe(pipes) == 0);
	sent[0] = pipes[1];
	sent[1] = pipes[0];
	EXPECT_EQUAL(send_with(fds[0], SCM_RIGHTS, sent, sizeof(sent)), 1);
	EXPECT_EQUAL(write(fds[0], "next", 4), 4);
	close(pipes[1]);
	EXPECT_EQUAL(receive_with(fds[1], sizeof(got_control), MSG_CMSG_CLOEXEC), 1);
	EXPECT_EQUAL(got.msg_controllen, CMSG_SPACE(sizeof(received)));
	EXPECT(got_control.header.cmsg_type == SCM_RIGHTS &&
	       got_control.header.cmsg_len == CMSG_LEN(sizeof(received)));
	memcpy(received, CMSG_DATA(&got_control.header), sizeof(received));
	EXPECT_EQUAL(fcntl(received[0], F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(write(received[0], "through", 7), 7);
	EXPECT(reads(pipes[0], "through"));
	close(received[0]);
	close(received[1]);
	EXPECT(reads(pipes[0], "")); /* nobody else could write */
	EXPECT(reads(fds[1], "next"));
	/* Where there is no room they are closed. */
	EXPECT_EQUAL(pipe(pipes), 0);
	EXPECT_EQUAL(send_with(fds[0], SCM_RIGHTS, &pipes[1], sizeof(int)), 1);
	close(pipes[1]);
	EXPECT_EQUAL(receive_with(fds[1], 0, 0), 1);
	EXPECT_EQUAL(got.msg_flags & MSG_CTRUNC, MSG_CTRUNC);
	EXPECT(reads(pipes[0], ""));
	/* And so are those that nobody receives. */
	EXPECT_EQUAL(pipe(pipes), 0);
	EXPECT_EQUAL(send_with(fds[0], SCM_RIGHTS, &pipes[1], sizeof(int)), 1);
	close(pipes[1]);
	close_both();
	EXPECT(reads(pipes[0], ""));
	close(pipes[0]);
}

/* ---- sockets through sockets ---- */

static int ends[2]; /* of a pipe: what becomes of the second one shows by the first */

/* Two descriptors through one socket; the pipe's end goes along and is closed here. */
static bool send_both(int through, int fd)
{
	int both[2] = {fd, ends[1]};

	return send_with(through, SCM_RIGHTS, both, sizeof(both)) == 1 && close(ends[1]) == 0;
}

/* Nobody has the pipe's end any more. Linux looks for lost sockets when another one is closed. */
static bool is_gone(void)
{
	struct pollfd item = {.fd = ends[0]};

	for (int i = 0; i < 1000 && poll(&item, 1, 10) == 0; i++)
		close(socket(AF_UNIX, SOCK_STREAM, 0));
	return item.revents == POLLHUP && close(ends[0]) == 0;
}

static void sockets_pass_through_sockets(void)
{
	int inner[2], received;

	EXPECT(make(SOCK_STREAM) && socketpair(AF_UNIX, SOCK_STREAM, 0, inner) == 0);
	EXPECT_EQUAL(send_with(fds[0], SCM_RIGHTS, &inner[1], sizeof(int)), 1);
	close(inner[1]);
	EXPECT_EQUAL(write(inner[0], "waits", 5), 5);
	EXPECT_EQUAL(receive_with(fds[1], sizeof(got_control), 0), 1);
	memcpy(&received, CMSG_DATA(&got_control.header), sizeof(received));
	EXPECT(reads(received, "waits"));
	close(received);
	EXPECT(reads(inner[0], ""));
	close(inner[0]);
	close_both();
}

static void a_socket_lost_in_itself_ends(void)
{
	EXPECT(make(SOCK_STREAM) && pipe(ends) == 0);
	EXPECT(send_both(fds[0], fds[1]));
	close(fds[0]);
	close(fds[1]); /* it waits in its own queue */
	EXPECT(is_gone());
}

static void sockets_lost_in_each_other_end(void)
{
	int others[2], received;

	EXPECT(make(SOCK_DGRAM) && socketpair(AF_UNIX, SOCK_STREAM, 0, others) == 0);
	EXPECT(pipe(ends) == 0 && send_both(fds[0], others[1]));
	EXPECT_EQUAL(send_with(others[0], SCM_RIGHTS, &fds[1], sizeof(int)), 1);
	close(others[1]);
	close(others[0]);
	close(fds[0]);
	/* Not lost as long as somebody can receive at one of them. */
	EXPECT_EQUAL(receive_with(fds[1], sizeof(got_control), MSG_PEEK), 1);
	memcpy(&received, CMSG_DATA(&got_control.header), sizeof(received));
	close(received);
	memcpy(&received, CMSG_DATA(&got_control.header) + sizeof(int), sizeof(received));
	close(received);
	close(fds[1]);
	EXPECT(is_gone());
}

/* One that nobody has accepted holds the one that could. */
static void a_connection_lost_where_it_waits_ends(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(name);
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);

	EXPECT_EQUAL(bind(server, (struct sockaddr *)&name, 2), 0);
	EXPECT_EQUAL(getsockname(server, (struct sockaddr *)&name, &len), 0);
	EXPECT(listen(server, 1) == 0 && connect(client, (struct sockaddr *)&name, len) == 0);
	EXPECT(pipe(ends) == 0 && send_both(client, server));
	close(client);
	close(server);
	EXPECT(is_gone());
}

/* Each of them ends the next one: no deep recursion. */
static void a_long_chain_ends(void)
{
	int outer;

	EXPECT(make(SOCK_STREAM) && pipe(ends) == 0);
	EXPECT(send_both(fds[0], 0));
	close(fds[0]);
	outer = fds[1];
	for (int i = 0; i < 900; i++) {
		EXPECT(make(SOCK_STREAM));
		EXPECT_EQUAL(send_with(fds[0], SCM_RIGHTS, &outer, sizeof(int)), 1);
		close(outer);
		close(fds[0]);
		outer = fds[1];
	}
	close(outer);
	EXPECT(is_gone());
}

static int send_until_refused(void)
{
	const struct rlimit limit = {20, 20};
	int sent = 0;

	if (setgid(54321) || setuid(54321) || setrlimit(RLIMIT_NOFILE, &limit) ||
	    !make(SOCK_STREAM))
		return 1;
	while (sent < 100 && send_with(fds[0], SCM_RIGHTS, fds, sizeof(fds)) == 1)
		sent += 2;
	if (sent < 20 || sent > 22 || errno != ETOOMANYREFS)
		return 2;
	/* What arrives counts no more. */
	if (receive_with(fds[1], 0, 0) != 1 || receive_with(fds[1], 0, 0) != 1)
		return 3;
	return send_with(fds[0], SCM_RIGHTS, fds, sizeof(fds)) == 1 ? 0 : 4;
}

static void users_have_a_limit(void)
{
	int status;
	pid_t child;

	if (geteuid() != 0)
		return; /* somebody else has none on the way but these */
	child = fork();
	if (!child)
		_exit(send_until_refused());
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
}

static void senders_are_named(void)
{
	struct ucred said = {.pid = getpid(), .uid = getuid(), .gid = getgid()};
	struct ucred told;
	socklen_t len = sizeof(told);
	int on = 1;

	EXPECT(make(SOCK_DGRAM));
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &told, &len), 0);
	EXPECT(len == sizeof(told) && told.pid == getpid() && told.uid == getuid());
	EXPECT_EQUAL(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	EXPECT_EQUAL(send_with(fds[0], SCM_CREDENTIALS, &said, sizeof(said)), 1);
	for (int i = 0; i < 2; i++) { /* said or not */
		EXPECT_EQUAL(receive_with(fds[1], sizeof(got_control), 0), 1);
		EXPECT_EQUAL(got_control.header.cmsg_type, SCM_CREDENTIALS);
		memcpy(&told, CMSG_DATA(&got_control.header), sizeof(told));
		EXPECT(told.pid == getpid() && told.uid == getuid() && told.gid == getgid());
		EXPECT_EQUAL(write(fds[0], "n", 1), 1);
	}
	close_both();
}

static void what_makes_no_sense_is_refused(void)
{
	struct sockaddr name;
	struct stat stat;
	socklen_t len = sizeof(int);
	int bad = 999;
	int value;

	EXPECT_ERRNO(EAFNOSUPPORT, socketpair(200, SOCK_STREAM, 0, fds));
	EXPECT_ERRNO(EPROTONOSUPPORT, socketpair(AF_UNIX, SOCK_STREAM, 7, fds));
	EXPECT_ERRNO(ESOCKTNOSUPPORT, socketpair(AF_UNIX, 4, 0, fds));
	EXPECT_ERRNO(EINVAL, socketpair(AF_UNIX, SOCK_STREAM | 0x1000, 0, fds));
	EXPECT_ERRNO(EFAULT, syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8));
	EXPECT_ERRNO(ENOTSOCK, send(0, "", 0, 0));
	EXPECT_ERRNO(EBADF, recv(999, &value, 1, 0));
	EXPECT(make(SOCK_STREAM));
	EXPECT_ERRNO(EBADF, send_with(fds[0], SCM_RIGHTS, &bad, sizeof(bad)));
	EXPECT_ERRNO(EINVAL, send_with(fds[0], 77, &bad, sizeof(bad)));
	EXPECT_ERRNO(EFAULT, syscall(SYS_sendmsg, fds[0], 8, 0));
	EXPECT_ERRNO(ESPIPE, pread(fds[0], &value, 1, 0));
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(fds[0], SOL_SOCKET, 9999, &value, &len));
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &value, &len), 0);
	EXPECT_EQUAL(value, SOCK_STREAM);
	EXPECT(fstat(fds[0], &stat) == 0 && S_ISSOCK(stat.st_mode));
	len = sizeof(name);
	EXPECT_EQUAL(getsockname(fds[0], &name, &len), 0);
	EXPECT(len == 2 && name.sa_family == AF_UNIX);
	close_both();
}

int main(void)
{
	RUN(a_stream_goes_both_ways);
	RUN(messages_stay_whole);
	RUN(the_end_is_told);
	RUN(one_way_can_be_shut);
	RUN(a_full_one_is_waited_for);
	RUN(epoll_tells_of_both_ways);
	RUN(descriptors_are_passed);
	RUN(sockets_pass_through_sockets);
	RUN(a_socket_lost_in_itself_ends);
	RUN(sockets_lost_in_each_other_end);
	RUN(a_connection_lost_where_it_waits_ends);
	RUN(a_long_chain_ends);
	RUN(users_have_a_limit);
	RUN(senders_are_named);
	RUN(what_makes_no_sense_is_refused);
	return check_end();
}
