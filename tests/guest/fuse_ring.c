/*
 * <fuselage/fuse.h>: a driver whose requests and answers lie in a ring. On Linux there is none, and
 * the same programs go by write and read. The test itself is the driver, so that it knows when its
 * ring has something; who asks are threads of it, or children. Each test has a mount of its own.
 */
#include <fcntl.h>
#include <fuselage/fuse.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fuse_help.h"

static struct serving s;

static void *ask(void *unused)
{
	struct stat found;

	(void)unused;
	return (void *)(intptr_t)(stat(AT, &found) ? errno : 0);
}

static unsigned nfull(uint32_t *words)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FUSE_RING_PLACES; i++)
		n += __atomic_load_n(&words[i], __ATOMIC_ACQUIRE) == FUSE_RING_FULL;
	return n;
}

/* The driver holds the request of `first`, and that of `second` is in the ring, or will be read. */
static bool hold_one(pthread_t *first)
{
	s = (struct serving){0};
	if (!mount_driver() || fuselage_fuse_ring_open(&ring, device) ||
	    pthread_create(first, NULL, ask, NULL))
		return false;
	serve_until(&s, FUSE_GETATTR);
	return s.got > 0;
}

static void wait_for_requests(unsigned n)
{
	while (ring.shared && nfull(ring.shared->requests) < n)
		sched_yield();
}

static bool ask_second(pthread_t *second)
{
	if (pthread_create(second, NULL, ask, NULL))
		return false;
	wait_for_requests(1);
	return true;
}

static long result_of(pthread_t thread)
{
	void *result;

	pthread_join(thread, &result);
	return (long)(intptr_t)result;
}

/* Serves what is left (`s` has a request that is not answered, or none), and unmounts. */
static void *serve_rest(void *unused)
{
	(void)unused;
	serve_until(&s, 0);
	return (void *)(intptr_t)s.error;
}

static bool finish(pthread_t *threads, unsigned nthreads, long expected)
{
	struct driver driver = {.nthreads = 1};
	bool as_expected = pthread_create(&driver.threads[0], NULL, serve_rest, NULL) == 0;

	for (unsigned i = 0; i < nthreads; i++)
		as_expected = (result_of(threads[i]) == expected) && as_expected;
	as_expected = stop(&driver) && as_expected;
	fuselage_fuse_ring_close(&ring);
	return as_expected;
}

/* ---- what works ---- */

static void the_next_request_needs_no_call(void)
{
	pthread_t threads[2];
	unsigned before = 0, answers = 0;
	uint64_t first;

	EXPECT(hold_one(&threads[0]));
	EXPECT(ask_second(&threads[1]));
	first = s.in.header.unique;
	if (ring.shared)
		before = nfull(ring.shared->answers);
	make_reply(&s);
	exchange(&s, &s.reply);
	if (ring.shared)
		answers = nfull(ring.shared->answers);
	EXPECT(s.got > 0);
	EXPECT(s.in.header.opcode == FUSE_GETATTR && s.in.header.unique != first);
	EXPECT(!ring.shared || (before == 0 && answers == 1 && !nfull(ring.shared->requests)));
	EXPECT(finish(threads, 2, 0));
}

static void many_requests_lie_there(void)
{
	pthread_t threads[6];

	EXPECT(hold_one(&threads[0]));
	for (unsigned i = 1; i < 6; i++)
		EXPECT_EQUAL(pthread_create(&threads[i], NULL, ask, NULL), 0);
	wait_for_requests(5);
	EXPECT(finish(threads, 6, 0));
}

/* More than there are places: the others are queued. */
static void a_full_ring_leaves_the_queue(void)
{
	pthread_t threads[FUSE_RING_PLACES + 4];

	EXPECT(hold_one(&threads[0]));
	for (unsigned i = 1; i < FUSE_RING_PLACES + 4; i++)
		EXPECT_EQUAL(pthread_create(&threads[i], NULL, ask, NULL), 0);
	wait_for_requests(FUSE_RING_PLACES);
	EXPECT(finish(threads, FUSE_RING_PLACES + 4, 0));
}

static void what_nobody_takes_is_found_by_a_call(void)
{
	struct fuselage_fuse_ring kept;
	pthread_t threads[2];

	EXPECT(hold_one(&threads[0]));
	EXPECT(ask_second(&threads[1]));
	kept = ring;
	ring.shared = NULL;
	make_reply(&s);
	exchange(&s, &s.reply);
	EXPECT(s.got > 0 && s.in.header.opcode == FUSE_GETATTR);
	EXPECT(!kept.shared || !nfull(kept.shared->requests));
	ring = kept;
	EXPECT(finish(threads, 2, 0));
}

/* The same without the mapping: it is the descriptor's. */
static void a_ring_may_be_unmapped(void)
{
	pthread_t threads[2];

	EXPECT(hold_one(&threads[0]));
	EXPECT(ask_second(&threads[1]));
	fuselage_fuse_ring_close(&ring);
	EXPECT(finish(threads, 2, 0));
}

static void *ask_often(void *unused)
{
	long wrong = 0;

	for (unsigned i = 0; i < 100; i++)
		wrong += (intptr_t)ask(unused) != 0;
	return (void *)wrong;
}

static void two_threads_share_it(void)
{
	struct driver driver;
	pthread_t clients[4];
	long wrong = 0;

	EXPECT(start(&driver, 0, drive, NULL));
	EXPECT_EQUAL(fuselage_fuse_ring_open(&ring, device), 0);
	for (driver.nthreads = 0; driver.nthreads < 2; driver.nthreads++)
		EXPECT_EQUAL(pthread_create(&driver.threads[driver.nthreads], NULL, drive, NULL),
			     0);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQUAL(pthread_create(&clients[i], NULL, ask_often, NULL), 0);
	for (unsigned i = 0; i < 4; i++)
		wrong += result_of(clients[i]);
	EXPECT_EQUAL(wrong, 0);
	EXPECT(stop(&driver));
	fuselage_fuse_ring_close(&ring);
}

/* ---- what is refused ---- */

/* An answer to the request that is held, put into the ring, then spoiled; a call finds it. */
static void spoiled(void (*spoil)(struct abi_fuse_ring_answer *answer), long expected)
{
	struct abi_fuse_ring_answer *answer;
	struct fuselage_fuse_ring kept;
	pthread_t thread;

	EXPECT(hold_one(&thread));
	kept = ring;
	if (ring.shared) {
		answer = &ring.shared->answer[3];
		make_reply(&s);
		*answer =
			(struct abi_fuse_ring_answer){.len = s.reply.len, .unique = s.reply.unique};
		memcpy(answer->payload, &s.out.attr, sizeof(s.out.attr));
		spoil(answer);
		__atomic_store_n(&ring.shared->answers[3], FUSE_RING_FULL, __ATOMIC_RELEASE);
	}
	ring.shared = NULL; /* a call */
	EXPECT(finish(&thread, 1, kept.shared ? expected : 0));
	EXPECT(!kept.shared || kept.shared->answers[3] == FUSE_RING_FREE);
	fuselage_fuse_ring_close(&kept);
}

static void change_nothing(struct abi_fuse_ring_answer *answer)
{
	(void)answer;
}

static void answer_shorter(struct abi_fuse_ring_answer *answer)
{
	answer->len -= 8;
}

static void answer_longer(struct abi_fuse_ring_answer *answer)
{
	answer->len += 8;
}

static void answer_with_error_and_payload(struct abi_fuse_ring_answer *answer)
{
	answer->error = -EPERM;
}

static void answer_without_end(struct abi_fuse_ring_answer *answer)
{
	answer->len = UINT32_MAX;
}

static void answer_without_header(struct abi_fuse_ring_answer *answer)
{
	answer->len = 15;
}

static void answer_with_far_error(struct abi_fuse_ring_answer *answer)
{
	answer->error = -100000;
}

static void answer_with_positive_error(struct abi_fuse_ring_answer *answer)
{
	answer->error = 1;
}

static void answer_to_nobody(struct abi_fuse_ring_answer *answer)
{
	answer->unique += 1000000;
}

static void answer_without_number(struct abi_fuse_ring_answer *answer)
{
	answer->unique = 0;
}

/* What was passed over is answered again: `s` still has the request. */
static void spoiled_answers_are_refused(void)
{
	static const struct {
		void (*spoil)(struct abi_fuse_ring_answer *answer);
		long expected;
	} all[] = {
		{change_nothing, 0},        {answer_shorter, EIO},
		{answer_longer, EIO},       {answer_with_error_and_payload, EIO},
		{answer_without_end, 0},    {answer_without_header, 0},
		{answer_with_far_error, 0}, {answer_with_positive_error, 0},
		{answer_to_nobody, 0},      {answer_without_number, 0},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !failure[0]; i++) {
		spoiled(all[i].spoil, all[i].expected);
		if (failure[0])
			printf("# answer %zu\n", i);
	}
}

static int refusal(size_t bytes, int prot, int flags, off_t from)
{
	void *shared = mmap(NULL, bytes, prot, flags, device, from);

	if (shared == MAP_FAILED)
		return errno;
	munmap(shared, bytes);
	return 0;
}

static void other_mappings_are_refused(void)
{
	const int both = PROT_READ | PROT_WRITE;
	int not_mounted, whole, private, part, more, later, executed;

	device = open("/dev/fuse", O_RDWR);
	not_mounted = refusal(FUSE_RING_BYTES, both, MAP_SHARED, 0);
	close(device);
	EXPECT(mount_driver());
	whole = refusal(FUSE_RING_BYTES, both, MAP_SHARED, 0);
	private = refusal(FUSE_RING_BYTES, both, MAP_PRIVATE, 0);
	part = refusal(4096, both, MAP_SHARED, 0);
	more = refusal(FUSE_RING_BYTES + 4096, both, MAP_SHARED, 0);
	later = refusal(FUSE_RING_BYTES, both, MAP_SHARED, 4096);
	executed = refusal(FUSE_RING_BYTES, both | PROT_EXEC, MAP_SHARED, 0);
	close(device);
	umount(AT);
	if (whole == ENODEV && may_be_restricted())
		return; /* there is none */
	EXPECT_EQUAL(whole, 0);
	EXPECT_EQUAL(not_mounted, EPERM);
	EXPECT_EQUAL(private, EINVAL);
	EXPECT_EQUAL(part, EINVAL);
	EXPECT_EQUAL(more, EINVAL);
	EXPECT_EQUAL(later, EINVAL);
	EXPECT_EQUAL(executed, EINVAL);
}

/* ---- who goes meanwhile ---- */

static void a_killed_program_leaves_the_ring(void)
{
	pthread_t first;
	int status;
	pid_t child;

	EXPECT(hold_one(&first));
	child = fork();
	if (child == 0)
		_exit((int)(intptr_t)ask(NULL));
	EXPECT(child > 0);
	wait_for_requests(1);
	kill(child, SIGKILL);
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT(WIFSIGNALED(status));
	EXPECT(finish(&first, 1, 0));
}

/* A child that is the driver, and goes with a request in its ring. */
static void a_driver_may_die_with_a_full_ring(void)
{
	pthread_t threads[2];
	long results[2];
	int status;
	pid_t child;

	EXPECT(mount_driver());
	EXPECT_EQUAL(fuselage_fuse_ring_open(&ring, device), 0);
	child = fork();
	if (child == 0) {
		s = (struct serving){0};
		serve_until(&s, FUSE_GETATTR);
		wait_for_requests(1);
		_exit(0);
	}
	close(device);
	EXPECT(child > 0);
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQUAL(pthread_create(&threads[i], NULL, ask, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		results[i] = result_of(threads[i]);
		EXPECT(results[i] == ECONNABORTED || results[i] == ENOTCONN);
	}
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(umount(AT), 0);
	if (ring.shared) /* it outlives both */
		ring.shared->answers[0] = FUSE_RING_FULL;
	fuselage_fuse_ring_close(&ring);
}

/* Words without sense, everywhere in the ring, a number of times; then the driver is no more. */
static void *scribble(void *unused)
{
	uint64_t *words = (void *)ring.shared;
	uint64_t value = 1;

	(void)unused;
	for (unsigned pass = 0; pass < 200; pass++) {
		for (size_t i = 0; words && i < FUSE_RING_BYTES / sizeof(*words); i++) {
			value = value * 6364136223846793005 + 1442695040888963407;
			/* The words of places have values that mean something. */
			__atomic_store_n(&words[i],
					 i < 16 ? value >> 62 | (value >> 60 & 3) << 32
						: value >> (value & 63),
					 __ATOMIC_RELAXED);
		}
		sched_yield();
	}
	_exit(0);
}

static void *ask_until_it_is_gone(void *unused)
{
	intptr_t error;

	do
		error = (intptr_t)ask(unused);
	while (error == 0 || error == EIO);
	return (void *)error;
}

static void a_scribbling_driver_harms_nobody_else(void)
{
	pthread_t clients[2], scribbler;
	int status;
	pid_t child;

	EXPECT(mount_driver());
	EXPECT_EQUAL(fuselage_fuse_ring_open(&ring, device), 0);
	child = fork();
	if (child == 0) {
		struct fuselage_fuse_ring kept = ring;

		if (pthread_create(&scribbler, NULL, scribble, NULL))
			_exit(1);
		ring = kept;
		drive(NULL);
		_exit(0);
	}
	close(device);
	EXPECT(child > 0);
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQUAL(pthread_create(&clients[i], NULL, ask_until_it_is_gone, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		long error = result_of(clients[i]);

		EXPECT(error == ECONNABORTED || error == ENOTCONN);
	}
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(umount(AT), 0);
	fuselage_fuse_ring_close(&ring);
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
	RUN(the_next_request_needs_no_call);
	RUN(many_requests_lie_there);
	RUN(a_full_ring_leaves_the_queue);
	RUN(what_nobody_takes_is_found_by_a_call);
	RUN(a_ring_may_be_unmapped);
	RUN(two_threads_share_it);
	RUN(spoiled_answers_are_refused);
	RUN(other_mappings_are_refused);
	RUN(a_killed_program_leaves_the_ring);
	RUN(a_driver_may_die_with_a_full_ring);
	RUN(a_scribbling_driver_harms_nobody_else);
	rmdir(AT);
	return check_end();
}
