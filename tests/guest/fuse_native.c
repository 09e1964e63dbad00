/*
 * <fuselage/fuse.h>: a driver that answers and waits by one call; on Linux the same by write and
 * read. The driver (fuse_help.h) is a thread of this program or a child of it. Each test has a
 * mount of its own. Where nothing can be mounted there is nothing to test.
 */
#include <fcntl.h>
#include <fuselage/fuse.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fuse_help.h"

static char text[DATA_BYTES + 1];

static long stat_file(void)
{
	struct stat found;

	return stat(AT "/file", &found) ? -errno : (long)found.st_size;
}

/* ---- what works ---- */

static bool reads_back(int fd, size_t bytes, off_t from)
{
	memset(text, 0, sizeof(text));
	return pread(fd, text, bytes, from) == (ssize_t)bytes &&
	       memcmp(text, data + from, bytes) == 0;
}

static void an_answer_brings_the_next_request(void)
{
	struct driver driver;
	bool whole, part, odd;
	ssize_t written;
	int fd;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 251);
	EXPECT(start(&driver, 1, drive, NULL));
	EXPECT_EQUAL(stat_file(), DATA_BYTES);
	fd = open(AT "/file", O_RDWR);
	EXPECT(fd >= 0);
	part = reads_back(fd, 100, 0);
	whole = reads_back(fd, DATA_BYTES, 0);
	odd = reads_back(fd, 4096, 4097);
	memset(text, 'x', 5000);
	written = pwrite(fd, text, 5000, 3000);
	EXPECT(part && whole && odd);
	EXPECT_EQUAL(written, 5000);
	EXPECT(data[2999] == (char)(2999 * 7 + 2999 / 251) && data[3000] == 'x' &&
	       data[7999] == 'x');
	EXPECT_EQUAL(close(fd), 0);
	EXPECT(stop(&driver));
}

static void *stat_often(void *unused)
{
	long wrong = 0;

	(void)unused;
	for (unsigned i = 0; i < 200; i++)
		wrong += stat_file() != DATA_BYTES;
	return (void *)wrong;
}

static void two_threads_serve_two_programs(void)
{
	struct driver driver;
	pthread_t clients[2];
	void *wrong[2];

	EXPECT(start(&driver, 2, drive, NULL));
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQUAL(pthread_create(&clients[i], NULL, stat_often, NULL), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(clients[i], &wrong[i]);
	EXPECT_EQUAL((long)wrong[0] + (long)wrong[1], 0);
	EXPECT(stop(&driver));
}

/* ---- what is refused ---- */

/* What a driver does with the first GETATTR before it goes on, and what it was told. */
struct lie {
	void (*tell)(struct serving *s);
	int result; /* its errno */
	int more;   /* of a second call, where there is one */
};

static void *lie_once(void *argument)
{
	struct serving *s = calloc(1, sizeof(*s));
	struct lie *lie = argument;
	intptr_t error;

	if (!s)
		return NULL;
	serve_until(s, FUSE_GETATTR);
	make_reply(s);
	lie->tell(s);
	lie->result = s->error;
	serve_until(s, 0);
	error = s->error;
	free(s);
	return (void *)error;
}

/* The lie, as the driver and who asked are told of it. */
static void lies(void (*tell)(struct serving *s), int told_driver, long told_client)
{
	struct lie lie = {.tell = tell};
	struct driver driver;
	struct stat found;
	long result;

	EXPECT(start(&driver, 1, lie_once, &lie));
	result = stat(AT, &found) ? -errno : 0;
	EXPECT(stop(&driver));
	EXPECT_EQUAL(result, told_client);
	EXPECT_EQUAL(lie.result, told_driver);
}

/* Nothing is waited for, so that the driver can put it right. */
static void try_without_waiting(struct serving *s, const struct abi_fuse_reply *reply)
{
	struct fuse_in_header asked = s->in.header;

	fcntl(device, F_SETFL, O_RDWR | O_NONBLOCK);
	exchange(s, reply);
	fcntl(device, F_SETFL, O_RDWR);
	if (s->got < 0) { /* perhaps still the one to be answered */
		s->in.header = asked;
		s->got = sizeof(asked);
	}
}

static void wrong_unique(struct serving *s)
{
	s->reply.unique += 1000000;
	try_without_waiting(s, &s->reply);
}

static void short_payload(struct serving *s)
{
	s->reply.len--;
	exchange(s, &s->reply);
}

static void long_payload(struct serving *s)
{
	s->reply.len += 8;
	exchange(s, &s->reply);
}

static void error_and_payload(struct serving *s)
{
	s->reply.error = -EPERM;
	exchange(s, &s->reply);
}

static void positive_error(struct serving *s)
{
	s->reply.error = EPERM;
	try_without_waiting(s, &s->reply);
}

static void far_error(struct serving *s)
{
	s->reply.error = -100000;
	try_without_waiting(s, &s->reply);
}

static void no_header(struct serving *s)
{
	s->reply.len = FUSE_SERVE_HEADER_BYTES - 1;
	try_without_waiting(s, &s->reply);
}

static void endless_payload(struct serving *s)
{
	s->reply.len = UINT32_MAX;
	try_without_waiting(s, &s->reply);
}

static void no_unique(struct serving *s)
{
	s->reply.unique = 0;
	try_without_waiting(s, &s->reply);
}

static void unknown_flag(struct serving *s)
{
	s->reply.flags = 1u << 31;
	try_without_waiting(s, &s->reply);
}

static void no_memory_there(struct serving *s)
{
	s->reply.payload = 8;
	try_without_waiting(s, &s->reply);
}

static void no_reply_there(struct serving *s)
{
	if (may_be_restricted()) /* the library reads it there */
		s->error = EFAULT;
	else
		try_without_waiting(s, (const void *)8);
}

static void short_buffer(struct serving *s)
{
	s->error = fuselage_fuse_exchange(device, &s->reply, &s->in, 100) < 0 ? errno : 0;
}

static void lies_are_refused(void)
{
	static const struct {
		void (*tell)(struct serving *s);
		int told_driver;
		long told_client;
	} all[] = {
		{short_payload, EBADMSG, -EIO},
		{long_payload, EBADMSG, -EIO},
		{error_and_payload, EBADMSG, -EIO},
		{wrong_unique, EAGAIN, 0},
		{positive_error, EBADMSG, 0},
		{far_error, EBADMSG, 0},
		{no_header, EBADMSG, 0},
		{no_unique, EBADMSG, 0},
		{unknown_flag, EBADMSG, 0},
		{no_reply_there, EFAULT, 0},
		{short_buffer, EINVAL, 0},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !failure[0]; i++) {
		lies(all[i].tell, all[i].told_driver, all[i].told_client);
		if (failure[0])
			printf("# lie %zu\n", i);
	}
}

/* Who asked is told of it, or the driver may answer again. */
static void a_payload_that_cannot_be_read_is_refused(void (*tell)(struct serving *s))
{
	struct lie lie = {.tell = tell};
	struct driver driver;
	struct stat found;
	long result;

	EXPECT(start(&driver, 1, lie_once, &lie));
	result = stat(AT, &found) ? -errno : 0;
	EXPECT(stop(&driver));
	EXPECT(lie.result == EBADMSG || lie.result == EFAULT);
	EXPECT(result == -EIO || result == 0);
}

static void a_payload_without_end_is_refused(void)
{
	a_payload_that_cannot_be_read_is_refused(endless_payload);
}

static void a_payload_nowhere_is_refused(void)
{
	a_payload_that_cannot_be_read_is_refused(no_memory_there);
}

static void what_is_no_driver_has_no_requests(void)
{
	struct serving *s = calloc(1, sizeof(*s));

	EXPECT(s);
	device = open("/dev/fuse", O_RDWR);
	EXPECT(device >= 0);
	exchange(s, NULL);
	EXPECT_EQUAL(s->got, -1);
	EXPECT_EQUAL(s->error, EPERM); /* not mounted */
	close(device);
	exchange(s, NULL);
	EXPECT_EQUAL(s->error, EBADF);
	free(s);
}

/* ---- who goes meanwhile ---- */

static void a_driver_may_die_with_a_request(void)
{
	struct stat found;
	int status, result;
	pid_t child;

	EXPECT(mount_driver());
	child = fork();
	if (child == 0) {
		struct serving *s = calloc(1, sizeof(*s));

		if (s)
			serve_until(s, FUSE_GETATTR);
		_exit(0);
	}
	close(device);
	EXPECT(child > 0);
	result = stat(AT, &found) ? errno : 0;
	EXPECT(result == ECONNABORTED || result == ENOTCONN);
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(stat(AT, &found), -1);
	EXPECT_EQUAL(errno, ENOTCONN);
	EXPECT_EQUAL(umount(AT), 0);
}

static int asked[2]; /* a byte for each request that is held */

/* Holds the first GETATTR until it is interrupted, and answers then. */
static void *hold_until_interrupted(void *unused)
{
	struct serving *s = calloc(1, sizeof(*s));
	uint64_t held;
	intptr_t error = 0;

	(void)unused;
	if (!s)
		return NULL;
	serve_until(s, FUSE_GETATTR);
	held = s->in.header.unique;
	if (write(asked[1], "", 1) == 1) {
		exchange(s, NULL);
		if (s->got > 0 && s->in.header.opcode == FUSE_INTERRUPT &&
		    ((const struct fuse_interrupt_in *)(&s->in.header + 1))->unique == held) {
			s->in.header.unique = held;
			reply_with(s, EINTR, NULL, 0);
			exchange(s, &s->reply);
		}
		serve_until(s, 0);
		error = s->error;
	}
	free(s);
	return (void *)error;
}

static void is_asked(int signal)
{
	(void)signal;
}

/* A child that asks, gets `signal` once the driver holds its request, and how it ended. */
static int ask_and_send(int signal)
{
	int status = -1;
	char byte;
	pid_t child = fork();

	if (child == 0) {
		struct sigaction caught = {.sa_handler = is_asked};
		struct stat found;

		sigaction(SIGUSR1, &caught, NULL);
		_exit(stat(AT, &found) ? errno : 0);
	}
	if (child < 0 || read(asked[0], &byte, 1) != 1)
		return -1;
	kill(child, signal);
	waitpid(child, &status, 0);
	return status;
}

static void an_interrupted_request_is_told(int signal, int expected)
{
	struct driver driver;
	int status;

	EXPECT_EQUAL(pipe(asked), 0);
	EXPECT(start(&driver, 1, hold_until_interrupted, NULL));
	status = ask_and_send(signal);
	EXPECT_EQUAL(stat_file(), DATA_BYTES); /* and the driver goes on */
	EXPECT(stop(&driver));
	close(asked[0]);
	close(asked[1]);
	EXPECT_EQUAL(status, expected);
}

static void a_signal_interrupts_a_request(void)
{
	an_interrupted_request_is_told(SIGUSR1, EINTR << 8);
}

static void a_killed_program_does_not_hold_the_driver(void)
{
	an_interrupted_request_is_told(SIGKILL, SIGKILL);
}

/* Waits for a request, and says what came instead. */
static void *wait_once(void *argument)
{
	struct serving *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	do
		serve_until(s, FUSE_INIT);
	while (s->got < 0);
	make_reply(s);
	exchange(s, &s->reply);
	__atomic_store_n((int *)argument, s->error, __ATOMIC_SEQ_CST);
	serve_until(s, 0);
	free(s);
	return (void *)(intptr_t)ENODEV;
}

static void a_signal_ends_the_wait(void)
{
	struct sigaction caught = {.sa_handler = is_asked};
	struct driver driver;
	int told = 0;

	sigaction(SIGUSR2, &caught, NULL);
	EXPECT(start(&driver, 1, wait_once, &told));
	while (!__atomic_load_n(&told, __ATOMIC_SEQ_CST)) {
		pthread_kill(driver.threads[0], SIGUSR2);
		sched_yield();
	}
	EXPECT(stop(&driver));
	EXPECT_EQUAL(told, EINTR);
}

int main(void)
{
	/* On a machine that has them: nobody else sees the mounts. */
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir(AT, 0755);
	if (!mount_driver() && may_be_restricted()) {
		printf("ok nothing_can_be_mounted_here\n");
		rmdir(AT);
		return 0;
	}
	umount(AT);
	close(device);
	RUN(an_answer_brings_the_next_request);
	RUN(two_threads_serve_two_programs);
	RUN(lies_are_refused);
	RUN(a_payload_without_end_is_refused);
	RUN(a_payload_nowhere_is_refused);
	RUN(what_is_no_driver_has_no_requests);
	RUN(a_driver_may_die_with_a_request);
	RUN(a_signal_interrupts_a_request);
	RUN(a_killed_program_does_not_hold_the_driver);
	RUN(a_signal_ends_the_wait);
	rmdir(AT);
	return check_end();
}
