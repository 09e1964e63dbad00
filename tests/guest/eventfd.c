/*
 * eventfd: counting, waiting, polling, errors.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static uint64_t got;

static ssize_t put(int fd, uint64_t value)
{
	return write(fd, &value, sizeof(value));
}

static ssize_t take(int fd)
{
	return read(fd, &got, sizeof(got));
}

static int events_of(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT};

	return poll(&item, 1, 0) < 0 ? -1 : item.revents;
}

static void a_read_takes_the_sum_of_what_was_written(void)
{
	int fd = eventfd(3, EFD_NONBLOCK);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(put(fd, 4), 8);
	EXPECT_EQUAL(take(fd), 8);
	EXPECT_EQUAL(got, 7);
	EXPECT_ERRNO(EAGAIN, take(fd));
	EXPECT_EQUAL(put(fd, 0), 8);
	EXPECT_ERRNO(EAGAIN, take(fd));
	close(fd);
}

static void a_semaphore_gives_one_at_a_time(void)
{
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);

	EXPECT(fd >= 0);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQUAL(take(fd), 8);
		EXPECT_EQUAL(got, 1);
	}
	EXPECT_ERRNO(EAGAIN, take(fd));
	close(fd);
}

static void poll_says_what_would_not_wait(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	EXPECT_EQUAL(events_of(fd), POLLOUT);
	EXPECT_EQUAL(put(fd, 1), 8);
	EXPECT_EQUAL(events_of(fd), POLLIN | POLLOUT);
	EXPECT_EQUAL(put(fd, UINT64_MAX - 2), 8);
	EXPECT_EQUAL(events_of(fd), POLLIN);
	EXPECT_ERRNO(EAGAIN, put(fd, 1));
	EXPECT_EQUAL(take(fd), 8);
	EXPECT(got == UINT64_MAX - 1);
	close(fd);
}

static void what_is_no_number_is_refused(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct stat stat;
	char small[7];

	EXPECT(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
	EXPECT_ERRNO(EINVAL, read(fd, small, sizeof(small)));
	EXPECT_ERRNO(EINVAL, write(fd, small, sizeof(small)));
	EXPECT_ERRNO(EINVAL, put(fd, UINT64_MAX));
	EXPECT_ERRNO(EFAULT, syscall(SYS_write, fd, 8, 8));
	EXPECT_ERRNO(ESPIPE, pread(fd, &got, 8, 0));
	EXPECT_EQUAL(fstat(fd, &stat), 0);
	EXPECT_EQUAL(stat.st_mode, 0600);
	EXPECT_ERRNO(EINVAL, eventfd(0, 4));
	close(fd);
	fd = (int)syscall(SYS_eventfd, 5);
	EXPECT(fd >= 0 && take(fd) == 8 && got == 5);
	close(fd);
}

static void *write_two(void *fd)
{
	put(*(int *)fd, 2);
	return NULL;
}

static void a_reader_waits_for_a_writer(void)
{
	int fd = eventfd(0, 0);
	struct pollfd item = {.fd = fd, .events = POLLIN};
	pthread_t thread;

	EXPECT_EQUAL(pthread_create(&thread, NULL, write_two, &fd), 0);
	EXPECT_EQUAL(take(fd), 8);
	EXPECT_EQUAL(got, 2);
	pthread_join(thread, NULL);
	EXPECT_EQUAL(pthread_create(&thread, NULL, write_two, &fd), 0);
	EXPECT_EQUAL(poll(&item, 1, -1), 1);
	EXPECT_EQUAL(item.revents, POLLIN);
	pthread_join(thread, NULL);
	close(fd);
}

static void *take_later(void *fd)
{
	take(*(int *)fd);
	return NULL;
}

static void a_writer_waits_for_room(void)
{
	int fd = eventfd(0, 0);
	pthread_t thread;

	EXPECT_EQUAL(put(fd, UINT64_MAX - 1), 8);
	EXPECT_EQUAL(pthread_create(&thread, NULL, take_later, &fd), 0);
	EXPECT_EQUAL(put(fd, 6), 8);
	pthread_join(thread, NULL);
	EXPECT_EQUAL(take(fd), 8);
	EXPECT_EQUAL(got, 6);
	close(fd);
}

int main(void)
{
	RUN(a_read_takes_the_sum_of_what_was_written);
	RUN(a_semaphore_gives_one_at_a_time);
	RUN(poll_says_what_would_not_wait);
	RUN(what_is_no_number_is_refused);
	RUN(a_reader_waits_for_a_writer);
	RUN(a_writer_waits_for_room);
	return check_end();
}
