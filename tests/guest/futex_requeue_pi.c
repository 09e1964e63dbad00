/*
 * FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI: who waits on a word is passed on to a lock that
 * lends priority. Who gets it, errors, times, signals, and an owner that dies.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "signal_help.h"

#define FUTEX_WAIT            0
#define FUTEX_WAKE            1
#define FUTEX_REQUEUE         3
#define FUTEX_CMP_REQUEUE     4
#define FUTEX_LOCK_PI         6
#define FUTEX_UNLOCK_PI       7
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_CMP_REQUEUE_PI  12
#define PRIVATE               128
#define REALTIME              256
#define WAITERS               0x80000000u
#define OWNER_DIED            0x40000000u
#define TID                   0x3fffffffu
#define NOBODY                0x3ffffffeu

typedef volatile uint32_t word_t;

static word_t condition, lock, other_lock;

static int wait_for(word_t *word, uint32_t value, int flags, const struct timespec *time,
		    word_t *to)
{
	return (int)syscall(SYS_futex, word, FUTEX_WAIT_REQUEUE_PI | flags, value, time, to, 0);
}

static int pass(word_t *from, int nwake, int nmove, word_t *to, uint32_t value, int flags)
{
	return (int)syscall(SYS_futex, from, FUTEX_CMP_REQUEUE_PI | flags, nwake, (long)nmove, to,
			    value);
}

static int pass_one(void)
{
	return pass(&condition, 1, 0, &lock, condition, PRIVATE);
}

static int wake(word_t *word)
{
	return (int)syscall(SYS_futex, word, FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0);
}

static int take(word_t *word)
{
	return (int)syscall(SYS_futex, word, FUTEX_LOCK_PI | PRIVATE, 0, NULL, NULL, 0);
}

static int give(word_t *word)
{
	return (int)syscall(SYS_futex, word, FUTEX_UNLOCK_PI | PRIVATE, 0, NULL, NULL, 0);
}

static uint32_t tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

/* ---- a thread that waits ---- */

struct waiter {
	pthread_t thread;
	const struct timespec *time;
	int result;     /* 0, or the errno */
	uint32_t found; /* the lock, when the wait was over */
	bool owns;      /* the lock says so */
	volatile bool is_over;
};

static void *waiter_main(void *argument)
{
	struct waiter *waiter = argument;

	waiter->result = wait_for(&condition, 0, PRIVATE, waiter->time, &lock) ? errno : 0;
	waiter->found = lock;
	waiter->owns = (waiter->found & TID) == tid();
	if (!waiter->result && give(&lock))
		waiter->result = errno;
	waiter->is_over = true;
	return NULL;
}

static void start(struct waiter *waiter, const struct timespec *time)
{
	*waiter = (struct waiter){.time = time};
	pthread_create(&waiter->thread, NULL, waiter_main, waiter);
}

/* It is on the word's list: who would wake it is told that it waits for a lock. */
static void await(void)
{
	while (wake(&condition) == 0)
		sched_yield();
}

static void begin(void)
{
	condition = lock = other_lock = 0;
}

/* ---- who gets it ---- */

static void who_is_passed_on_has_the_free_lock(void)
{
	struct waiter waiter;

	begin();
	EXPECT_EQUAL(pass_one(), 0); /* nobody waits */
	EXPECT_EQUAL(lock, 0);
	start(&waiter, NULL);
	await();
	EXPECT_EQUAL(pass_one(), 1);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQUAL(waiter.result, 0);
	EXPECT(waiter.owns);
	EXPECT_EQUAL(lock, 0);
}

static void all_are_passed_on_and_get_it_in_turn(void)
{
	struct waiter waiters[3];
	int npassed = 0;

	begin();
	EXPECT_EQUAL(take(&lock), 0);
	for (int i = 0; i < 3; i++)
		start(&waiters[i], NULL);
	while (npassed < 3) {
		int n = pass(&condition, 1, 10, &lock, 0, PRIVATE);

		EXPECT(n >= 0);
		npassed += n;
		sched_yield();
	}
	EXPECT_EQUAL(npassed, 3);
	EXPECT_EQUAL(lock, tid() | WAITERS);
	EXPECT_EQUAL(give(&lock), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(waiters[i].thread, NULL);
		EXPECT_EQUAL(waiters[i].result, 0);
		EXPECT(waiters[i].owns);
	}
	EXPECT_EQUAL(lock & TID, 0);
}

static void one_at_a_time_is_passed_on(void)
{
	struct waiter waiters[2];

	begin();
	EXPECT_EQUAL(take(&lock), 0);
	for (int i = 0; i < 2; i++)
		start(&waiters[i], NULL);
	for (int i = 0; i < 2; i++) {
		await();
		EXPECT_EQUAL(pass_one(), 1);
	}
	EXPECT_EQUAL(pass_one(), 0);
	EXPECT_EQUAL(give(&lock), 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(waiters[i].thread, NULL);
		EXPECT_EQUAL(waiters[i].result, 0);
		EXPECT(waiters[i].owns);
	}
}

static void it_works_across_processes(void)
{
	word_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	EXPECT(words != MAP_FAILED);
	pid = fork();
	if (!pid) {
		if (wait_for(&words[0], 0, 0, NULL, &words[1]) || (words[1] & TID) != tid())
			_exit(1);
		_exit(syscall(SYS_futex, &words[1], FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) != 0);
	}
	while (pass(&words[0], 1, 0, &words[1], 0, 0) == 0)
		sched_yield();
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(words[1] & TID, 0);
	munmap((void *)words, 4096);
}

/* ---- errors ---- */

static void what_cannot_be_is_refused(void)
{
	word_t *odd = (word_t *)((char *)&condition + 2);
	word_t *nowhere = (word_t *)8192;

	begin();
	EXPECT_ERRNO(EINVAL, wait_for(&condition, 0, PRIVATE, NULL, &condition));
	EXPECT_ERRNO(EINVAL, wait_for(&condition, 0, 0, NULL, &condition));
	EXPECT_ERRNO(EINVAL, wait_for(&condition, 0, PRIVATE, NULL, odd));
	EXPECT_ERRNO(EINVAL, wait_for(odd, 0, PRIVATE, NULL, &lock));
	EXPECT_ERRNO(EAGAIN, wait_for(&condition, 1, PRIVATE, NULL, &lock));
	EXPECT_ERRNO(EFAULT, wait_for(nowhere, 0, PRIVATE, NULL, &lock));
	EXPECT_ERRNO(EFAULT, wait_for(&condition, 0, 0, NULL, nowhere));
	EXPECT_ERRNO(EFAULT, wait_for(&condition, 0, PRIVATE, (struct timespec *)8, &lock));
	EXPECT_ERRNO(EINVAL, wait_for(&condition, 0, PRIVATE, &(struct timespec){0, -1}, &lock));

	EXPECT_ERRNO(EINVAL, pass(&condition, 1, 1, &condition, 0, PRIVATE));
	EXPECT_ERRNO(EINVAL, pass(&condition, 0, 1, &lock, 0, PRIVATE));
	EXPECT_ERRNO(EINVAL, pass(&condition, 2, 1, &lock, 0, PRIVATE));
	EXPECT_ERRNO(EINVAL, pass(&condition, 1, -1, &lock, 0, PRIVATE));
	EXPECT_ERRNO(EINVAL, pass(&condition, 1, 1, odd, 0, PRIVATE));
	EXPECT_ERRNO(EINVAL, pass(odd, 1, 1, &lock, 0, PRIVATE));
	EXPECT_ERRNO(EAGAIN, pass(&condition, 1, 1, &lock, 1, PRIVATE));
	EXPECT_ERRNO(EFAULT, pass(nowhere, 1, 1, &lock, 0, PRIVATE));
	EXPECT_ERRNO(EFAULT, pass(&condition, 1, 1, nowhere, 0, 0));
	EXPECT_ERRNO(ENOSYS, pass(&condition, 1, 1, &lock, 0, PRIVATE | REALTIME));
}

static void *plain_main(void *argument)
{
	(void)argument;
	return (void *)syscall(SYS_futex, &condition, FUTEX_WAIT | PRIVATE, 0, NULL, NULL, 0);
}

static int pass_to_no_lock(int op)
{
	return (int)syscall(SYS_futex, &condition, op | PRIVATE, 0, 1L, &other_lock, 0);
}

static void kinds_of_waiting_do_not_mix(void)
{
	struct waiter waiter;
	pthread_t thread;
	void *result;

	begin();
	pthread_create(&thread, NULL, plain_main, NULL);
	while (pass_one() == 0)
		sched_yield();
	EXPECT_ERRNO(EINVAL, pass_one());
	EXPECT_EQUAL(wake(&condition), 1);
	pthread_join(thread, &result);
	EXPECT_EQUAL((intptr_t)result, 0);

	start(&waiter, NULL);
	await();
	EXPECT_ERRNO(EINVAL, wake(&condition));
	EXPECT_ERRNO(EINVAL, pass_to_no_lock(FUTEX_REQUEUE));
	EXPECT_ERRNO(EINVAL, pass_to_no_lock(FUTEX_CMP_REQUEUE));
	EXPECT_ERRNO(EINVAL, pass(&condition, 1, 0, &other_lock, 0, PRIVATE));
	EXPECT_EQUAL(pass_one(), 1);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQUAL(waiter.result, 0);
}

static void *owner_that_waits(void *argument)
{
	struct waiter *waiter = argument;

	take(&lock);
	return waiter_main(waiter);
}

static void a_lock_that_cannot_be_waited_for_leaves_all_as_it_was(void)
{
	struct waiter waiter = {0};

	begin();
	pthread_create(&waiter.thread, NULL, owner_that_waits, &waiter);
	await();
	EXPECT_ERRNO(EDEADLK, pass_one()); /* its own */
	lock = NOBODY;
	EXPECT_ERRNO(ESRCH, pass_one());
	lock = 0;
	EXPECT_ERRNO(EINVAL, wake(&condition)); /* it waits still */
	EXPECT_EQUAL(pass_one(), 1);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQUAL(waiter.result, 0);
}

/* ---- times and signals ---- */

static void a_time_ends_the_wait(void)
{
	struct timespec past = {1, 0};
	struct timespec soon;
	struct waiter waiter;

	begin();
	EXPECT_ERRNO(ETIMEDOUT, wait_for(&condition, 0, PRIVATE, &past, &lock));
	EXPECT_ERRNO(ETIMEDOUT, wait_for(&condition, 0, PRIVATE | REALTIME, &past, &lock));
	EXPECT_EQUAL(wake(&condition), 0); /* it has left */

	/* The same after it was passed on, whichever comes first. */
	EXPECT_EQUAL(take(&lock), 0);
	clock_gettime(CLOCK_MONOTONIC, &soon);
	soon.tv_nsec += 5000000;
	soon.tv_sec += soon.tv_nsec / 1000000000;
	soon.tv_nsec %= 1000000000;
	start(&waiter, &soon);
	while (!waiter.is_over && pass_one() == 0)
		sched_yield();
	pthread_join(waiter.thread, NULL);
	EXPECT_EQUAL(waiter.result, ETIMEDOUT);
	EXPECT_EQUAL(waiter.found & TID, tid());
	EXPECT_EQUAL(give(&lock), 0);
	EXPECT_EQUAL(lock & TID, 0);
}

static void change_word(int signal)
{
	note(signal);
	condition = 1;
}

static void a_signal_before_begins_it_anew(void)
{
	struct waiter waiter;

	begin();
	EXPECT_EQUAL(install(SIGUSR1, note, 0), 0);
	start(&waiter, NULL);
	await();
	EXPECT_EQUAL(pthread_kill(waiter.thread, SIGUSR1), 0);
	while (!ncalls)
		sched_yield();
	await();
	EXPECT_EQUAL(pass_one(), 1);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQUAL(waiter.result, 0);
	EXPECT(waiter.owns);

	begin();
	EXPECT_EQUAL(install(SIGUSR1, change_word, 0), 0);
	start(&waiter, NULL);
	await();
	EXPECT_EQUAL(pthread_kill(waiter.thread, SIGUSR1), 0);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQUAL(waiter.result, EAGAIN);
	EXPECT_EQUAL(lock, 0);
}

static void a_signal_afterwards_ends_it(void)
{
	struct waiter waiter;

	begin();
	EXPECT_EQUAL(install(SIGUSR1, note, 0), 0);
	EXPECT_EQUAL(take(&lock), 0);
	start(&waiter, NULL);
	await();
	EXPECT_EQUAL(pass_one(), 1);
	EXPECT_EQUAL(pthread_kill(waiter.thread, SIGUSR1), 0);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQUAL(waiter.result, EAGAIN);
	EXPECT_EQUAL(waiter.found & TID, tid());
	EXPECT_EQUAL(give(&lock), 0);
}

/* ---- an owner that dies ---- */

static volatile bool may_die;

static void *owner_that_dies(void *argument)
{
	(void)argument;
	take(&lock);
	while (!may_die)
		sched_yield();
	return NULL;
}

static void who_was_passed_on_inherits_from_a_dead_owner(void)
{
	struct waiter waiter;
	pthread_t owner;

	begin();
	may_die = false;
	pthread_create(&owner, NULL, owner_that_dies, NULL);
	while (!lock)
		sched_yield();
	start(&waiter, NULL);
	await();
	EXPECT_EQUAL(pass_one(), 1);
	may_die = true;
	pthread_join(owner, NULL);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQUAL(waiter.result, 0);
	EXPECT(waiter.owns);
	EXPECT(waiter.found & OWNER_DIED);
}

int main(void)
{
	RUN(who_is_passed_on_has_the_free_lock);
	RUN(all_are_passed_on_and_get_it_in_turn);
	RUN(one_at_a_time_is_passed_on);
	RUN(it_works_across_processes);
	RUN(what_cannot_be_is_refused);
	RUN(kinds_of_waiting_do_not_mix);
	RUN(a_lock_that_cannot_be_waited_for_leaves_all_as_it_was);
	RUN(a_time_ends_the_wait);
	RUN(a_signal_before_begins_it_anew);
	RUN(a_signal_afterwards_ends_it);
	RUN(who_was_passed_on_inherits_from_a_dead_owner);
	return check_end();
}
