/*
 * futex_waitv, futex_wait, futex_wake, futex_requeue: waiting on many words, and the single calls
 * that came after futex().
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wake
#define SYS_futex_wake    454
#define SYS_futex_wait    455
#define SYS_futex_requeue 456
#endif

#define SIZE_U32 2
#define PRIVATE  128
#define ALL      0xffffffffL

struct word {
	uint64_t val;
	uint64_t uaddr;
	uint32_t flags;
	uint32_t reserved;
};

static volatile uint32_t words[4];

static int waitv(struct word *list, unsigned n, unsigned flags, const struct timespec *time,
		 int clock)
{
	return (int)syscall(SYS_futex_waitv, list, n, flags, time, clock);
}

static int wait_on(volatile uint32_t *word, long value, long bits, unsigned flags,
		   const struct timespec *time, int clock)
{
	return (int)syscall(SYS_futex_wait, word, value, bits, flags, time, clock);
}

static int wake(volatile uint32_t *word, long bits, int n, unsigned flags)
{
	return (int)syscall(SYS_futex_wake, word, bits, n, flags);
}

static int requeue(struct word *pair, unsigned flags, int nwake, int nmove)
{
	return (int)syscall(SYS_futex_requeue, pair, flags, nwake, nmove);
}

static struct word word_of(volatile uint32_t *word, uint32_t value)
{
	return (struct word){value, (uintptr_t)word, SIZE_U32 | PRIVATE, 0};
}

static struct timespec past(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now;
}

/* ---- many words ---- */

static void *wait_for_three(void *argument)
{
	struct word list[3];

	(void)argument;
	for (int i = 0; i < 3; i++)
		list[i] = word_of(&words[i], 0);
	return (void *)(intptr_t)waitv(list, 3, 0, NULL, 0);
}

static void waitv_tells_which_word_was_woken(void)
{
	for (int i = 0; i < 3; i++) {
		pthread_t thread;
		void *result;

		EXPECT_EQUAL(pthread_create(&thread, NULL, wait_for_three, NULL), 0);
		while (wake(&words[i], ALL, 1, SIZE_U32 | PRIVATE) == 0)
			sched_yield();
		pthread_join(thread, &result);
		EXPECT_EQUAL((intptr_t)result, i);
		/* It has left the others. */
		for (int other = 0; other < 3; other++)
			EXPECT_EQUAL(wake(&words[other], ALL, 9, SIZE_U32 | PRIVATE), 0);
	}
}

static void waitv_wakes_across_processes(void)
{
	volatile uint32_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct word list[2];
	int status;
	pid_t pid;

	EXPECT(shared != MAP_FAILED);
	list[0] = word_of(&words[0], 0);
	list[1] = word_of(shared, 0);
	list[1].flags = SIZE_U32;
	pid = fork();
	if (!pid)
		_exit(waitv(list, 2, 0, NULL, 0));
	while (wake(shared, ALL, 1, SIZE_U32) == 0)
		sched_yield();
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(WEXITSTATUS(status), 1);
	munmap((void *)shared, 4096);
}

static void waitv_ends_by_value_and_time(void)
{
	struct word list[2] = {word_of(&words[0], 0), word_of(&words[1], 5)};
	struct timespec time = past();

	EXPECT_ERRNO(EAGAIN, waitv(list, 2, 0, NULL, 0));
	list[1].val = 0;
	EXPECT_ERRNO(ETIMEDOUT, waitv(list, 2, 0, &time, CLOCK_MONOTONIC));
	EXPECT_ERRNO(ETIMEDOUT, waitv(list, 2, 0, &(struct timespec){1, 0}, CLOCK_REALTIME));
}

static void waitv_refuses(void)
{
	struct word list[129];
	struct timespec time = past();

	for (int i = 0; i < 129; i++)
		list[i] = word_of(&words[0], 0);
	EXPECT_ERRNO(EINVAL, waitv(list, 129, 0, NULL, 0));
	EXPECT_ERRNO(EINVAL, waitv(list, 0, 0, NULL, 0));
	EXPECT_ERRNO(EINVAL, waitv(NULL, 1, 0, NULL, 0));
	EXPECT_ERRNO(EINVAL, waitv(list, 1, 1, NULL, 0));
	EXPECT_ERRNO(EINVAL, waitv(list, 1, 0, &time, CLOCK_BOOTTIME));
	EXPECT_ERRNO(EINVAL, waitv(list, 1, 0, &(struct timespec){0, -1}, CLOCK_MONOTONIC));
	EXPECT_ERRNO(EFAULT, waitv(list, 1, 0, (struct timespec *)8, CLOCK_MONOTONIC));
	EXPECT_ERRNO(EFAULT, waitv((struct word *)8, 1, 0, NULL, 0));
	EXPECT_EQUAL(waitv(list, 128, 0, &time, CLOCK_MONOTONIC) == -1 && errno == ETIMEDOUT, 1);
	list[1].reserved = 1;
	EXPECT_ERRNO(EINVAL, waitv(list, 2, 0, NULL, 0));
	list[1] = word_of(&words[0], 0);
	list[1].flags = PRIVATE | 0x40;
	EXPECT_ERRNO(EINVAL, waitv(list, 2, 0, NULL, 0));
	list[1] = word_of(&words[0], 0);
	list[1].uaddr += 2;
	EXPECT_ERRNO(EINVAL, waitv(list, 2, 0, NULL, 0));
	list[1] = word_of((volatile uint32_t *)8192, 0);
	EXPECT_ERRNO(EFAULT, waitv(list, 2, 0, NULL, 0));
}

/* ---- single words ---- */

/* False where Linux is older than these calls. */
static bool has_single_calls(void)
{
	bool there = wake(&words[0], ALL, 0, SIZE_U32 | PRIVATE) == 0;

	return there || !may_be_restricted();
}

static void *wait_with_bits(void *argument)
{
	return (void *)(intptr_t)wait_on(&words[0], 0, (intptr_t)argument, SIZE_U32 | PRIVATE, NULL,
					 0);
}

static void wait_and_wake_go_by_bits(void)
{
	pthread_t thread;
	void *result;

	EXPECT_EQUAL(pthread_create(&thread, NULL, wait_with_bits, (void *)2L), 0);
	while (wake(&words[0], 2, 1, SIZE_U32 | PRIVATE) == 0) {
		EXPECT_EQUAL(wake(&words[0], 1, 1, SIZE_U32 | PRIVATE), 0);
		sched_yield();
	}
	pthread_join(thread, &result);
	EXPECT_EQUAL((intptr_t)result, 0);
}

static void wait_and_wake_refuse(void)
{
	struct timespec time = past();
	const unsigned flags = SIZE_U32 | PRIVATE;
	volatile uint32_t *odd = (volatile uint32_t *)((uintptr_t)words + 1);

	EXPECT_ERRNO(EAGAIN, wait_on(&words[0], 1, ALL, flags, NULL, 0));
	EXPECT_ERRNO(ETIMEDOUT, wait_on(&words[0], 0, ALL, flags, &time, CLOCK_MONOTONIC));
	EXPECT_ERRNO(EINVAL, wait_on(&words[0], 0, 0, flags, NULL, 0));
	EXPECT_ERRNO(EINVAL, wait_on(&words[0], 1L << 32, ALL, flags, NULL, 0));
	EXPECT_ERRNO(EINVAL, wait_on(&words[0], 0, 1L << 32, flags, NULL, 0));
	EXPECT_ERRNO(EINVAL, wait_on(&words[0], 0, ALL, 0x40, NULL, 0));
	EXPECT_ERRNO(EINVAL, wait_on(odd, 0, ALL, flags, NULL, 0));
	EXPECT_ERRNO(EINVAL, wait_on(&words[0], 0, ALL, flags, &time, CLOCK_BOOTTIME));
	EXPECT_ERRNO(EFAULT, wait_on(&words[0], 0, ALL, flags, (void *)8, CLOCK_MONOTONIC));
	EXPECT_ERRNO(EFAULT, wait_on((volatile uint32_t *)8192, 0, ALL, flags, NULL, 0));
	EXPECT_ERRNO(EINVAL, wake(&words[0], 0, 1, flags));
	EXPECT_ERRNO(EINVAL, wake(&words[0], 1L << 32, 1, flags));
	EXPECT_ERRNO(EINVAL, wake(&words[0], ALL, 1, 0x40));
	EXPECT_ERRNO(EINVAL, wake(odd, ALL, 1, flags));
}

static void requeue_moves_who_waits(void)
{
	struct word pair[2] = {word_of(&words[0], 0), word_of(&words[1], 0)};
	pthread_t threads[2];
	void *result;
	int done = 0;

	for (int i = 0; i < 2; i++)
		EXPECT_EQUAL(pthread_create(&threads[i], NULL, wait_with_bits, (void *)ALL), 0);
	while (done < 2) {
		int moved = requeue(pair, 0, 0, 2);

		EXPECT(moved >= 0);
		done += moved;
		sched_yield();
	}
	EXPECT_EQUAL(wake(&words[0], ALL, 2, SIZE_U32 | PRIVATE), 0);
	EXPECT_EQUAL(wake(&words[1], ALL, 2, SIZE_U32 | PRIVATE), 2);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &result);
		EXPECT_EQUAL((intptr_t)result, 0);
	}
	pair[0].val = 1;
	EXPECT_ERRNO(EAGAIN, requeue(pair, 0, 1, 1));
	EXPECT_ERRNO(EINVAL, requeue(pair, 1, 1, 1));
	EXPECT_ERRNO(EINVAL, requeue(NULL, 0, 1, 1));
	EXPECT_ERRNO(EINVAL, requeue(pair, 0, -1, 1));
	EXPECT_ERRNO(EFAULT, requeue((struct word *)8, 0, 1, 1));
	pair[1].reserved = 1;
	EXPECT_ERRNO(EINVAL, requeue(pair, 0, 1, 1));
}

int main(void)
{
	RUN(waitv_tells_which_word_was_woken);
	RUN(waitv_wakes_across_processes);
	RUN(waitv_ends_by_value_and_time);
	RUN(waitv_refuses);
	if (!has_single_calls())
		return check_end();
	RUN(wait_and_wake_go_by_bits);
	RUN(wait_and_wake_refuse);
	RUN(requeue_moves_who_waits);
	return check_end();
}
