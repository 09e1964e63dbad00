/*
 * Options of unix sockets that say when messages were sent or shall be, and those that are only
 * remembered.
 */
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"

/* Newer than some headers. */
#define OPTION_PEER_NAME   28
#define OPTION_TIMES       37
#define OPTION_PACING      47
#define OPTION_EXTENSIONS  48
#define OPTION_ADVICE      53
#define OPTION_ZEROCOPY    60
#define OPTION_SEND_TIME   61
#define OPTION_INTERFACE   62
#define OPTION_NEW_STAMPS  63
#define OPTION_NEW_TIMES   65
#define OPTION_BUDGET      70
#define OPTION_NETWORK     71
#define OPTION_BUFFER_LOCK 72
#define OPTION_RESERVE     73

#define RECEIVED 8
#define SOFTWARE 16

struct pair {
	int32_t first;
	uint32_t second;
};

static int set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
}

static int get(int fd, int option)
{
	int value = -77;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) || len != sizeof(value) ? -99
											: value;
}

static int set_pair(int fd, int option, int first, unsigned second)
{
	struct pair pair = {first, second};

	return setsockopt(fd, SOL_SOCKET, option, &pair, sizeof(pair));
}

/* Whether both are so. */
static int has_pair(int fd, int option, int first, unsigned second)
{
	struct pair pair = {-77, 77};
	socklen_t len = sizeof(pair);

	return getsockopt(fd, SOL_SOCKET, option, &pair, &len) == 0 && len == sizeof(pair) &&
	       pair.first == first && pair.second == second;
}

/* What comes beside a byte: the bytes of the record of this type, 0: none. */
static size_t record_of(const int *fds, int type, struct timespec *out)
{
	char control[256] = {0}, byte;
	struct iovec piece = {&byte, 1};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header;

	if (send(fds[0], "x", 1, 0) != 1 || recvmsg(fds[1], &message, 0) != 1)
		return 999;
	for (header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_type != type)
			continue;
		memcpy(out, CMSG_DATA(header), sizeof(*out));
		return header->cmsg_len - CMSG_LEN(0);
	}
	return 0;
}

static void times_come_in_threes(void)
{
	struct timespec told;
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT(has_pair(fds[1], OPTION_TIMES, 0, 0));
	EXPECT_EQUAL(set(fds[1], OPTION_TIMES, RECEIVED | SOFTWARE), 0);
	EXPECT(has_pair(fds[1], OPTION_TIMES, RECEIVED | SOFTWARE, 0));
	EXPECT(has_pair(fds[1], OPTION_NEW_TIMES, 0, 0));
	EXPECT_EQUAL(record_of(fds, OPTION_TIMES, &told), 0); /* nobody has noted it */
	EXPECT_EQUAL(set(fds[1], SO_TIMESTAMP, 1), 0);
	EXPECT_EQUAL(record_of(fds, OPTION_TIMES, &told), 3 * sizeof(told));
	EXPECT(told.tv_sec > 0 && told.tv_nsec < 1000000000);
	EXPECT_EQUAL(record_of(fds, SO_TIMESTAMP, &told), sizeof(told));
	EXPECT(told.tv_nsec < 1000000);
	/* The new numbers are those of all. */
	EXPECT_EQUAL(set_pair(fds[1], OPTION_NEW_TIMES, SOFTWARE, 0), 0);
	EXPECT(has_pair(fds[1], OPTION_NEW_TIMES, SOFTWARE, 0));
	EXPECT_EQUAL(record_of(fds, OPTION_NEW_TIMES, &told), 3 * sizeof(told));
	EXPECT_EQUAL(record_of(fds, OPTION_NEW_STAMPS, &told), sizeof(told));
	EXPECT_EQUAL(set(fds[1], OPTION_TIMES, RECEIVED), 0);
	EXPECT_EQUAL(record_of(fds, OPTION_TIMES, &told), 0);
	EXPECT_EQUAL(record_of(fds, SO_TIMESTAMP, &told), sizeof(told));
	close(fds[0]), close(fds[1]);
}

static void times_that_nobody_has_are_refused(void)
{
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_ERRNO(EINVAL, set(fds[1], OPTION_TIMES, 1 << 25));
	EXPECT_ERRNO(EINVAL, set(fds[1], OPTION_TIMES, 1 << 12));
	EXPECT_EQUAL(set(fds[1], OPTION_TIMES, 1 << 12 | 1 << 11), 0);
	EXPECT_ERRNO(EINVAL, set(fds[1], OPTION_TIMES, 1 << 16));
	EXPECT_ERRNO(EOPNOTSUPP, set(fds[1], OPTION_TIMES, 1 << 15));
	EXPECT(has_pair(fds[1], OPTION_TIMES, 1 << 12 | 1 << 11, 0));
	close(fds[0]), close(fds[1]);
}

static int set_send_times(void)
{
	int fds[2];

	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	NEED(set_pair(fds[0], OPTION_SEND_TIME, CLOCK_TAI, 0) == -1 && errno == EPERM);
	NEED(set_pair(fds[0], OPTION_SEND_TIME, CLOCK_MONOTONIC, 1) == 0);
	NEED(has_pair(fds[0], OPTION_SEND_TIME, CLOCK_MONOTONIC, 1));
	NEED(send(fds[0], "x", 1, 0) == 1);
	return 0;
}

static void times_to_send_at_are_remembered(void)
{
	int fds[2];

	EXPECT_EQUAL(as_user(set_send_times), 0);
	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT(has_pair(fds[0], OPTION_SEND_TIME, 0, 0));
	EXPECT_ERRNO(EINVAL, set(fds[0], OPTION_SEND_TIME, CLOCK_MONOTONIC));
	EXPECT_ERRNO(EINVAL, set_pair(fds[0], OPTION_SEND_TIME, CLOCK_MONOTONIC, 4));
	EXPECT_ERRNO(EFAULT, setsockopt(fds[0], SOL_SOCKET, OPTION_SEND_TIME, (void *)8, 8));
	close(fds[0]), close(fds[1]);
}

static void sizes_that_were_asked_for_are_told(void)
{
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_EQUAL(get(fds[0], OPTION_BUFFER_LOCK), 0);
	EXPECT_EQUAL(set(fds[0], SO_SNDBUF, 9000), 0);
	EXPECT_EQUAL(get(fds[0], OPTION_BUFFER_LOCK), 1);
	EXPECT_EQUAL(set(fds[0], SO_RCVBUF, 9000), 0);
	EXPECT_EQUAL(get(fds[0], OPTION_BUFFER_LOCK), 3);
	EXPECT_EQUAL(set(fds[0], OPTION_BUFFER_LOCK, 2), 0);
	EXPECT_EQUAL(get(fds[0], OPTION_BUFFER_LOCK), 2);
	EXPECT_ERRNO(EINVAL, set(fds[0], OPTION_BUFFER_LOCK, 4));
	close(fds[0]), close(fds[1]);
}

static void rates_are_ints_or_longs(void)
{
	uint64_t rate = 0;
	socklen_t len = sizeof(rate);
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, OPTION_PACING, &rate, &len), 0);
	EXPECT(len == 8 && rate == UINT64_MAX);
	rate = 5000000000;
	EXPECT_EQUAL(setsockopt(fds[0], SOL_SOCKET, OPTION_PACING, &rate, sizeof(rate)), 0);
	EXPECT_EQUAL(get(fds[0], OPTION_PACING), -1);
	EXPECT_EQUAL(set(fds[0], OPTION_PACING, 4711), 0);
	EXPECT_EQUAL(get(fds[0], OPTION_PACING), 4711);
	close(fds[0]), close(fds[1]);
}

static void the_peers_name_is_told_as_a_whole(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t len = 2;
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, OPTION_PEER_NAME, &name, &len), 0);
	EXPECT(len == 2 && name.sun_family == AF_UNIX);
	len = 3; /* it has no more */
	EXPECT_ERRNO(EINVAL, getsockopt(fds[0], SOL_SOCKET, OPTION_PEER_NAME, &name, &len));
	close(fds[0]), close(fds[1]);
	EXPECT_EQUAL(fds[0] = socket(AF_UNIX, SOCK_DGRAM, 0), fds[0]);
	EXPECT_ERRNO(ENOTCONN, getsockopt(fds[0], SOL_SOCKET, OPTION_PEER_NAME, &name, &len));
	close(fds[0]);
}

static void what_is_of_networks_is_as_linux_has_it(void)
{
	uint64_t number = 0;
	socklen_t len = sizeof(number);
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_EQUAL(get(fds[0], OPTION_EXTENSIONS), 64);
	EXPECT_EQUAL(get(fds[0], OPTION_ZEROCOPY), 0);
	EXPECT_EQUAL(get(fds[0], OPTION_RESERVE), 0);
	EXPECT_ERRNO(EOPNOTSUPP, set(fds[0], OPTION_ZEROCOPY, 0));
	EXPECT_ERRNO(EINVAL, set(fds[0], OPTION_RESERVE, -1));
	EXPECT_EQUAL(set(fds[0], OPTION_ADVICE, 0), 0);
	EXPECT_EQUAL(set(fds[0], OPTION_BUDGET, 8), 0);
	EXPECT_ERRNO(ENOPROTOOPT, getsockopt(fds[0], SOL_SOCKET, OPTION_BUDGET, &number, &len));
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, OPTION_NETWORK, &number, &len), 0);
	EXPECT(number != 0);
	len = 4;
	EXPECT_ERRNO(EINVAL, getsockopt(fds[0], SOL_SOCKET, OPTION_NETWORK, &number, &len));
	EXPECT_EQUAL(set(fds[0], OPTION_INTERFACE, 0), 0);
	EXPECT_EQUAL(get(fds[0], OPTION_INTERFACE), 0);
	EXPECT_ERRNO(EINVAL, set(fds[0], OPTION_INTERFACE, -1));
	close(fds[0]), close(fds[1]);
}

int main(void)
{
	RUN(times_come_in_threes);
	RUN(times_that_nobody_has_are_refused);
	RUN(times_to_send_at_are_remembered);
	RUN(sizes_that_were_asked_for_are_told);
	RUN(rates_are_ints_or_longs);
	RUN(the_peers_name_is_told_as_a_whole);
	RUN(what_is_of_networks_is_as_linux_has_it);
	return check_end();
}
