/*
 * Filters of unix sockets: which messages they take, and how much of them.
 */
#include <linux/filter.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"

#define LOCK_FILTER       44
#define ATTACH_PROGRAM    50
#define ATTACH_FOR_GROUP  51
#define DETACH_FROM_GROUP 68
#define TAKE              BPF_STMT(BPF_RET | BPF_K, 0xffffffff)
#define DROP              BPF_STMT(BPF_RET | BPF_K, 0)

static int attach(int fd, const struct sock_filter *program, unsigned n)
{
	struct sock_fprog whole = {(unsigned short)n, (struct sock_filter *)(uintptr_t)program};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &whole, sizeof(whole));
}

#define ATTACH(fd, ...)                                                                            \
	attach(fd, (struct sock_filter[]){__VA_ARGS__},                                            \
	       sizeof((struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter))

static int set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
}

/* What comes of sending this; -1: nothing. */
static int pass(const int *fds, const char *text)
{
	char got[16];
	size_t len = strlen(text);

	if (send(fds[0], text, len, 0) != (ssize_t)len)
		return -99;
	return (int)recv(fds[1], got, sizeof(got), MSG_DONTWAIT | MSG_TRUNC);
}

static void pass_messages(int type)
{
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, type, 0, fds), 0);
	EXPECT_EQUAL(ATTACH(fds[1], BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
			    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'x', 0, 1), DROP, TAKE),
		     0);
	EXPECT_EQUAL(pass(fds, "abc"), 3);
	EXPECT_EQUAL(pass(fds, "xbc"), -1);
	EXPECT_EQUAL(errno, EAGAIN);
	EXPECT_EQUAL(send(fds[1], "xbc", 3, 0), 3); /* the other way */
	EXPECT_EQUAL(recv(fds[0], (char[3]){0}, 3, MSG_DONTWAIT), 3);
	EXPECT_EQUAL(ATTACH(fds[1], BPF_STMT(BPF_RET | BPF_K, 2)), 0);
	EXPECT_EQUAL(pass(fds, "xbc"), 2);
	EXPECT_EQUAL(pass(fds, "x"), 1);
	EXPECT_EQUAL(ATTACH(fds[1], BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
			    BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 1), BPF_STMT(BPF_RET | BPF_A, 0)),
		     0);
	EXPECT_EQUAL(pass(fds, "12345"), 4);
	EXPECT_EQUAL(pass(fds, "1"), -1);
	/* Beyond its end there is nothing to take. */
	EXPECT_EQUAL(ATTACH(fds[1], BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), TAKE), 0);
	EXPECT_EQUAL(pass(fds, "123"), -1);
	EXPECT_EQUAL(pass(fds, "1234"), 4);
	EXPECT_EQUAL(set(fds[1], SO_DETACH_FILTER, 0), 0);
	EXPECT_EQUAL(pass(fds, "123"), 3);
	close(fds[0]), close(fds[1]);
}

static void a_filter_takes_messages_or_not(void)
{
	pass_messages(SOCK_DGRAM);
	if (!failure[0])
		pass_messages(SOCK_SEQPACKET);
}

static void a_stream_is_not_filtered(void)
{
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	EXPECT_EQUAL(ATTACH(fds[1], DROP), 0);
	EXPECT_EQUAL(pass(fds, "abc"), 3);
	close(fds[0]), close(fds[1]);
}

/* Descriptors that nobody takes are closed. */
static void what_is_dropped_leaves_nothing(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec piece = {"x", 1};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[2], ends[2];
	char byte;

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_EQUAL(ATTACH(fds[1], DROP), 0);
	EXPECT_EQUAL(pipe(ends), 0);
	*header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
				   .cmsg_level = SOL_SOCKET,
				   .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
	EXPECT_EQUAL(sendmsg(fds[0], &message, 0), 1);
	close(ends[1]);
	EXPECT_EQUAL(read(ends[0], &byte, 1), 0);
	/* As many as one likes: they take no room. */
	for (int i = 0; i < 10000; i++)
		EXPECT_EQUAL(send(fds[0], "x", 1, MSG_DONTWAIT), 1);
	close(fds[0]), close(fds[1]), close(ends[0]);
}

static void a_filter_can_be_read_and_locked(void)
{
	struct sock_filter got[2];
	int fds[2], value;
	socklen_t len = 0;

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, NULL, &len), 0);
	EXPECT_EQUAL(len, 0);
	EXPECT_ERRNO(ENOENT, set(fds[0], SO_DETACH_FILTER, 0));
	EXPECT_EQUAL(ATTACH(fds[0], BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), TAKE), 0);
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, NULL, &len), 0);
	EXPECT_EQUAL(len, 2); /* instructions */
	len = 1;
	EXPECT_ERRNO(EINVAL, getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, got, &len));
	len = 2;
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, got, &len), 0);
	EXPECT(len == 2 && got[1].code == (BPF_RET | BPF_K) && got[1].k == 0xffffffff);
	EXPECT_ERRNO(EFAULT, getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, (void *)8, &len));
	EXPECT_EQUAL(set(fds[0], LOCK_FILTER, 0), 0);
	EXPECT_EQUAL(set(fds[0], LOCK_FILTER, 1), 0);
	len = sizeof(value);
	EXPECT_EQUAL(getsockopt(fds[0], SOL_SOCKET, LOCK_FILTER, &value, &len), 0);
	EXPECT_EQUAL(value, 1);
	EXPECT_ERRNO(EPERM, set(fds[0], LOCK_FILTER, 0));
	EXPECT_ERRNO(EPERM, set(fds[0], SO_DETACH_FILTER, 0));
	EXPECT_ERRNO(EPERM, ATTACH(fds[0], TAKE));
	close(fds[0]), close(fds[1]);
}

static void what_is_no_filter_is_refused(void)
{
	struct sock_fprog none = {1, NULL}, empty = {0, (void *)8}, nowhere = {1, (void *)8};
	int fds[2];

	EXPECT_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	EXPECT_ERRNO(EINVAL, ATTACH(fds[0], BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0)));
	EXPECT_ERRNO(EINVAL, ATTACH(fds[0], BPF_STMT(BPF_JMP | BPF_JA, 1), TAKE));
	EXPECT_ERRNO(EINVAL, ATTACH(fds[0], BPF_STMT(BPF_LD | BPF_MEM, 3), TAKE));
	EXPECT_ERRNO(EINVAL, ATTACH(fds[0], BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), TAKE));
	EXPECT_ERRNO(EINVAL, setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_FILTER, &none, sizeof(none)));
	EXPECT_ERRNO(EINVAL,
		     setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_FILTER, &empty, sizeof(empty)));
	EXPECT_ERRNO(EFAULT,
		     setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_FILTER, &nowhere, sizeof(nowhere)));
	EXPECT_ERRNO(EFAULT,
		     setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_FILTER, (void *)8, sizeof(nowhere)));
	EXPECT_ERRNO(EINVAL, setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_FILTER, &none, 8));
	EXPECT_ERRNO(EINVAL, setsockopt(fds[0], SOL_SOCKET, ATTACH_FOR_GROUP, &none, sizeof(none)));
	EXPECT_ERRNO(EINVAL, set(fds[0], DETACH_FROM_GROUP, 0));
	close(fds[0]), close(fds[1]);
}

int main(void)
{
	RUN(a_filter_takes_messages_or_not);
	RUN(a_stream_is_not_filtered);
	RUN(what_is_dropped_leaves_nothing);
	RUN(a_filter_can_be_read_and_locked);
	RUN(what_is_no_filter_is_refused);
	return check_end();
}
