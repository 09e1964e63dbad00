/*
 * A character device that this program serves itself, by /dev/cuse (CUSE): opening, reading,
 * writing, poll, and ioctls that say which memory they want. Where there is no /dev/cuse there is
 * nothing to test.
 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

#define NAME    "guest_cuse"
#define AT      "/dev/" NAME
#define PLAIN   0x4711 /* no sizes in its number */
#define REFUSED 0x4712

static int device;
static int ready[2]; /* a pipe: the device is there */
static pthread_t thread;
static char stored[64];
static unsigned nreleased; /* atomic */

static void answer(uint64_t unique, int error, const void *head, size_t head_len, const void *more,
		   size_t more_len)
{
	struct fuse_out_header out = {.len = (uint32_t)(sizeof(out) + head_len + more_len),
				      .error = -error,
				      .unique = unique};
	struct iovec parts[] = {{&out, sizeof(out)},
				{(void *)(uintptr_t)head, head_len},
				{(void *)(uintptr_t)more, more_len}};

	if (writev(device, parts, 3) < 0)
		return; /* whoever asked has gone */
}

static void say_hello(uint64_t unique)
{
	static const char info[] = "OTHER=thing\0DEVNAME=" NAME;
	const struct cuse_init_out out = {.major = 7,
					  .minor = 31,
					  .flags = CUSE_UNRESTRICTED_IOCTL,
					  .max_read = 4096,
					  .max_write = 4096};

	answer(unique, 0, &out, sizeof(out), info, sizeof(info));
	if (write(ready[1], "", 1) != 1)
		abort();
}

/* PLAIN wants the number that its argument points to, and makes it one more. */
static void serve_ioctl(const struct fuse_in_header *in, const struct fuse_ioctl_in *ioctl)
{
	const struct fuse_ioctl_iovec wanted[] = {{ioctl->arg, 4}, {ioctl->arg, 4}};
	struct fuse_ioctl_out out = {.result = 5};
	uint32_t number;

	if (ioctl->cmd != PLAIN || !(ioctl->flags & FUSE_IOCTL_UNRESTRICTED)) {
		answer(in->unique, EPERM, NULL, 0, NULL, 0);
	} else if (!ioctl->in_size) {
		out = (struct fuse_ioctl_out){
			.flags = FUSE_IOCTL_RETRY, .in_iovs = 1, .out_iovs = 1};
		answer(in->unique, 0, &out, sizeof(out), wanted, sizeof(wanted));
	} else {
		memcpy(&number, ioctl + 1, sizeof(number));
		number++;
		answer(in->unique, 0, &out, sizeof(out), &number, sizeof(number));
	}
}

static void serve(const struct fuse_in_header *in, const void *arguments)
{
	const struct fuse_write_in *write_in = arguments;
	const struct fuse_open_out opened = {.fh = 7};
	const struct fuse_poll_out events = {.revents = POLLIN};
	const struct fuse_write_out written = {.size = write_in->size};

	switch (in->opcode) {
	case CUSE_INIT:
		say_hello(in->unique);
		break;
	case FUSE_OPEN:
		answer(in->unique, 0, &opened, sizeof(opened), NULL, 0);
		break;
	case FUSE_READ:
		answer(in->unique, 0, stored, strlen(stored), NULL, 0);
		break;
	case FUSE_WRITE:
		memcpy(stored, write_in + 1, write_in->size);
		stored[write_in->size] = 0;
		answer(in->unique, 0, &written, sizeof(written), NULL, 0);
		break;
	case FUSE_IOCTL:
		serve_ioctl(in, arguments);
		break;
	case FUSE_POLL:
		answer(in->unique, 0, &events, sizeof(events), NULL, 0);
		break;
	case FUSE_RELEASE:
		__atomic_fetch_add(&nreleased, 1, __ATOMIC_RELEASE);
		answer(in->unique, 0, NULL, 0, NULL, 0);
		break;
	default:
		answer(in->unique, ENOSYS, NULL, 0, NULL, 0);
		break;
	}
}

static void *drive(void *unused)
{
	static union {
		struct fuse_in_header header;
		char bytes[FUSE_MIN_READ_BUFFER + 4096];
	} in;

	while (read(device, &in, sizeof(in)) > 0) {
		if (in.header.opcode == FUSE_IOCTL &&
		    ((const struct fuse_ioctl_in *)(&in.header + 1))->cmd == REFUSED)
			break; /* the driver ends */
		serve(&in.header, &in.header + 1);
	}
	close(device);
	return unused;
}

static bool begin(void)
{
	char byte;

	device = open("/dev/cuse", O_RDWR | O_CLOEXEC);
	return device >= 0 && pipe(ready) == 0 && pthread_create(&thread, NULL, drive, NULL) == 0 &&
	       read(ready[0], &byte, 1) == 1;
}

/* By an ioctl that it does not survive. One that does not get there would leave it waiting. */
static void end(int fd)
{
	if (ioctl(fd, REFUSED, 0) != -1 || errno != ECONNABORTED)
		abort();
	close(fd);
	pthread_join(thread, NULL);
	close(ready[0]);
	close(ready[1]);
}

static void a_program_serves_a_device(void)
{
	struct stat stat_;
	char text[64];
	int fd;

	EXPECT(begin());
	EXPECT_EQUAL(stat(AT, &stat_), 0);
	EXPECT(S_ISCHR(stat_.st_mode));
	fd = open(AT, O_RDWR);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(write(fd, "to the program", 14), 14);
	EXPECT_EQUAL(read(fd, text, sizeof(text)), 14);
	EXPECT_EQUAL(memcmp(text, "to the program", 14), 0);
	end(fd);
}

static void its_ioctls_name_the_memory_that_they_want(void)
{
	uint32_t number = 41;
	int fd;

	EXPECT(begin());
	fd = open(AT, O_RDWR);
	EXPECT_EQUAL(ioctl(fd, PLAIN, &number), 5);
	EXPECT_EQUAL(number, 42);
	EXPECT_ERRNO(EFAULT, ioctl(fd, PLAIN, (void *)8));
	EXPECT_ERRNO(EPERM, ioctl(fd, PLAIN + 7, &number));
	end(fd);
}

static void it_can_be_polled(void)
{
	struct pollfd item = {.events = POLLIN | POLLOUT};

	EXPECT(begin());
	item.fd = open(AT, O_RDWR);
	EXPECT_EQUAL(poll(&item, 1, -1), 1);
	EXPECT_EQUAL(item.revents, POLLIN);
	end(item.fd);
}

static void it_goes_with_its_program_and_comes_again(void)
{
	char byte;
	int fd, other;

	for (int round = 0; round < 3; round++) {
		EXPECT(begin());
		fd = open(AT, O_RDWR);
		other = open(AT, O_RDONLY);
		EXPECT(fd >= 0 && other >= 0);
		end(fd);
		EXPECT_ERRNO(ENOTCONN, read(other, &byte, 1));
		close(other);
		EXPECT_ERRNO(ENOENT, open(AT, O_RDWR));
	}
}

int main(void)
{
	int there = open("/dev/cuse", O_RDWR);

	if (there < 0 && may_be_restricted()) {
		printf("ok there_is_no_cuse_here\n");
		return 0;
	}
	close(there);
	RUN(a_program_serves_a_device);
	RUN(its_ioctls_name_the_memory_that_they_want);
	RUN(it_can_be_polled);
	RUN(it_goes_with_its_program_and_comes_again);
	return check_end();
}
