/*
 * Bytes out of band in a unix stream: MSG_OOB, the mark that they leave, and SO_OOBINLINE.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#ifndef SIOCATMARK
#define SIOCATMARK 0x8905
#endif

static int ends[2];

static void make_pair(void)
{
	close(ends[0]);
	close(ends[1]);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends))
		perror("socketpair");
}

/* Whether the bytes come next, and no more with them. */
static bool comes(const char *bytes, int flags)
{
	char got[16] = "";

	return recv(ends[1], got, sizeof(got), flags) == (ssize_t)strlen(bytes) &&
	       !strcmp(got, bytes);
}

static int is_at_mark(void)
{
	int there = -1;

	return ioctl(ends[1], SIOCATMARK, &there) ? -1 : there;
}

static short events(void)
{
	struct pollfd poll_of = {.fd = ends[1], .events = POLLIN | POLLPRI};

	return poll(&poll_of, 1, 0) < 0 ? -1 : poll_of.revents;
}

static void the_last_byte_is_out_of_band(void)
{
	char got[4];
	struct iovec piece = {got, sizeof(got)};
	struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};

	make_pair();
	EXPECT_EQUAL(events(), 0);
	EXPECT_EQUAL(send(ends[0], "abcX", 4, MSG_OOB), 4);
	EXPECT_EQUAL(events(), POLLIN | POLLPRI);
	EXPECT(comes("X", MSG_OOB | MSG_PEEK));
	EXPECT_EQUAL(is_at_mark(), 0);
	EXPECT(comes("abc", 0));
	EXPECT_EQUAL(is_at_mark(), 1);
	EXPECT_EQUAL(recvmsg(ends[1], &header, MSG_OOB), 1);
	EXPECT(got[0] == 'X' && header.msg_flags & MSG_OOB);
	EXPECT_ERRNO(EAGAIN, recv(ends[1], got, sizeof(got), 0));
	EXPECT_ERRNO(EINVAL, recv(ends[1], got, sizeof(got), MSG_OOB));
	EXPECT(!(events() & POLLPRI));
}

static void who_goes_on_loses_it(void)
{
	char got[4];

	make_pair();
	EXPECT_EQUAL(send(ends[0], "X", 1, MSG_OOB), 1);
	EXPECT_EQUAL(send(ends[0], "yz", 2, 0), 2);
	EXPECT(comes("yz", MSG_PEEK));
	EXPECT(comes("X", MSG_OOB | MSG_PEEK));
	EXPECT(comes("yz", 0));
	EXPECT_ERRNO(EINVAL, recv(ends[1], got, sizeof(got), MSG_OOB));
	EXPECT_EQUAL(send(ends[0], "X", 1, MSG_OOB), 1);
	EXPECT_ERRNO(EAGAIN, recv(ends[1], got, sizeof(got), 0));
	EXPECT_EQUAL(send(ends[0], "X", 1, MSG_OOB), 1);
	close(ends[0]);
	EXPECT_EQUAL(recv(ends[1], got, sizeof(got), 0), 0);
}

static void a_later_one_makes_it_an_ordinary_byte(void)
{
	make_pair();
	EXPECT_EQUAL(send(ends[0], "a1", 2, MSG_OOB), 2);
	EXPECT_EQUAL(send(ends[0], "b2", 2, MSG_OOB), 2);
	EXPECT(comes("a1b", 0));
	EXPECT(comes("2", MSG_OOB));
}

static void it_may_be_one_of_the_stream(void)
{
	char got[4];

	make_pair();
	EXPECT_EQUAL(setsockopt(ends[1], SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int)), 0);
	EXPECT_EQUAL(send(ends[0], "aX", 2, MSG_OOB), 2);
	EXPECT_EQUAL(send(ends[0], "b", 1, 0), 1);
	EXPECT_ERRNO(EINVAL, recv(ends[1], got, sizeof(got), MSG_OOB));
	EXPECT(comes("a", 0)); /* up to the mark all the same */
	EXPECT_EQUAL(is_at_mark(), 1);
	EXPECT(comes("Xb", 0));
}

static void descriptors_that_are_skipped_are_closed(void)
{
	char control[CMSG_SPACE(sizeof(int))] = "", got[4] = "X";
	struct iovec piece = {got, 1};
	struct msghdr header = {.msg_iov = &piece,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	struct cmsghdr *record = CMSG_FIRSTHDR(&header);
	int fds[2];

	make_pair();
	EXPECT_EQUAL(pipe(fds), 0);
	record->cmsg_len = CMSG_LEN(sizeof(int));
	record->cmsg_level = SOL_SOCKET;
	record->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(record), &fds[1], sizeof(int));
	EXPECT_EQUAL(sendmsg(ends[0], &header, MSG_OOB), 1);
	close(fds[1]);
	EXPECT_ERRNO(EAGAIN, recv(ends[1], got, sizeof(got), 0));
	EXPECT_EQUAL(read(fds[0], got, 1), 0);
	close(fds[0]);
}

static void only_streams_have_them(void)
{
	static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
	char got[4];
	int pair[2];

	make_pair();
	EXPECT_ERRNO(EOPNOTSUPP, send(ends[0], "", 0, MSG_OOB));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQUAL(socketpair(AF_UNIX, types[i], 0, pair), 0);
		EXPECT_ERRNO(EOPNOTSUPP, send(pair[0], "x", 1, MSG_OOB));
		EXPECT_ERRNO(EOPNOTSUPP, recv(pair[1], got, sizeof(got), MSG_OOB));
		close(pair[0]);
		close(pair[1]);
	}
}

int main(void)
{
	ends[0] = ends[1] = -1;
	RUN(the_last_byte_is_out_of_band);
	RUN(who_goes_on_loses_it);
	RUN(a_later_one_makes_it_an_ordinary_byte);
	RUN(it_may_be_one_of_the_stream);
	RUN(descriptors_that_are_skipped_are_closed);
	RUN(only_streams_have_them);
	return check_end();
}
