/*
 * poll() and the descriptors that it is asked about, and what happens when no more may be opened.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"

#define PATIENCE_MS 5000

static void what_cannot_be_waited_for_is_told_at_once(void)
{
	int name_only = open("/tmp", O_PATH);
	struct pollfd asked = {.fd = name_only, .events = POLLIN};

	EXPECT(name_only >= 0);
	EXPECT_EQUAL(poll(&asked, 1, PATIENCE_MS), 1);
	EXPECT_EQUAL(asked.revents, POLLNVAL);
	EXPECT_EQUAL(close(name_only), 0);
	EXPECT_EQUAL(poll(&asked, 1, PATIENCE_MS), 1);
	EXPECT_EQUAL(asked.revents, POLLNVAL);
	asked.fd = -1;
	EXPECT_EQUAL(poll(&asked, 1, 0), 0);
	EXPECT_EQUAL(asked.revents, 0);
}

static void normal_data_has_a_second_name(void)
{
	struct pollfd asked[2] = {{.events = POLLRDNORM}, {.events = POLLWRNORM}};
	int ends[2];

	EXPECT_EQUAL(pipe(ends), 0);
	asked[0].fd = ends[0];
	asked[1].fd = ends[1];
	EXPECT_EQUAL(poll(asked, 2, PATIENCE_MS), 1);
	EXPECT_EQUAL(asked[0].revents, 0);
	EXPECT_EQUAL(asked[1].revents, POLLWRNORM);
	EXPECT_EQUAL(write(ends[1], "x", 1), 1);
	asked[0].events = POLLIN | POLLRDNORM;
	EXPECT_EQUAL(poll(asked, 1, PATIENCE_MS), 1);
	EXPECT_EQUAL(asked[0].revents, POLLIN | POLLRDNORM);
	EXPECT_EQUAL(close(ends[0]), 0);
	EXPECT_EQUAL(close(ends[1]), 0);
}

static void with_no_descriptors_left_nothing_opens(void)
{
	struct rlimit before, none;
	int opened, copied, piped, ends[2];
	int opened_errno, copied_errno, piped_errno;

	EXPECT_EQUAL(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	EXPECT_EQUAL(setrlimit(RLIMIT_NOFILE, &none), 0);
	opened = open("/dev/null", O_RDONLY);
	opened_errno = errno;
	copied = dup(1);
	copied_errno = errno;
	piped = pipe(ends);
	piped_errno = errno;
	EXPECT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
	EXPECT_EQUAL(opened, -1);
	EXPECT_EQUAL(opened_errno, EMFILE);
	EXPECT_EQUAL(copied, -1);
	EXPECT_EQUAL(copied_errno, EMFILE);
	EXPECT_EQUAL(piped, -1);
	EXPECT_EQUAL(piped_errno, EMFILE);
	EXPECT_ERRNO(EINVAL, fcntl(1, F_DUPFD, (long)before.rlim_cur));
}

int main(void)
{
	RUN(what_cannot_be_waited_for_is_told_at_once);
	RUN(normal_data_has_a_second_name);
	RUN(with_no_descriptors_left_nothing_opens);
	return check_end();
}
