/*
 * Futexes whose owner inherits the priority of those who wait: the word, who gets it next, errors,
 * owners that die, and that a chain of owners runs ahead of who is in between.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "signal_help.h"

#define FUTEX_LOCK_PI    6
#define FUTEX_UNLOCK_PI  7
#define FUTEX_TRYLOCK_PI 8
#define FUTEX_LOCK_PI2   13
#define PRIVATE          128
#define REALTIME         256
#define WAITERS          0x80000000u
#define OWNER_DIED       0x40000000u
#define TID              0x3fffffffu

typedef volatile uint32_t word_t;

static int futex(word_t *word, int op, const struct timespec *time)
{
	return (int)syscall(SYS_futex, word, op, 0, time, NULL, 0);
}

static uint32_t tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

static void wait_until_waited_for(word_t *word)
{
	while (!(*word & WAITERS))
		sched_yield();
}

/* ---- the word ---- */

static void a_free_word_becomes_the_owners_number(void)
{
	word_t word = 0;

	EXPECT_EQUAL(futex(&word, FUTEX_LOCK_PI | PRIVATE, NULL), 0);
	EXPECT_EQUAL(word, tid());
	EXPECT_EQUAL(futex(&word, FUTEX_UNLOCK_PI | PRIVATE, NULL), 0);
	EXPECT_EQUAL(word, 0);
	EXPECT_EQUAL(futex(&word, FUTEX_TRYLOCK_PI, NULL), 0);
	EXPECT_EQUAL(word, tid());
	EXPECT_EQUAL(futex(&word, FUTEX_UNLOCK_PI, NULL), 0);
	EXPECT_EQUAL(futex(&word, FUTEX_LOCK_PI2 | PRIVATE, NULL), 0);
	EXPECT_EQUAL(futex(&word, FUTEX_UNLOCK_PI | PRIVATE, NULL), 0);
	EXPECT_EQUAL(word, 0);
}

static void a_dead_owners_mark_stays_for_who_takes_the_word(void)
{
	word_t word = OWNER_DIED;

	EXPECT_EQUAL(futex(&word, FUTEX_LOCK_PI, NULL), 0);
	EXPECT_EQUAL(word, OWNER_DIED | tid());
	EXPECT_EQUAL(futex(&word, FUTEX_UNLOCK_PI, NULL), 0);
	EXPECT_EQUAL(word, 0);
}

/* ---- errors ---- */

static void what_cannot_be_is_refused(void)
{
	word_t words[2] = {0};
	word_t *odd = (word_t *)((char *)words + 2);

	EXPECT_ERRNO(EPERM, futex(words, FUTEX_UNLOCK_PI, NULL));
	words[0] = 1; /* somebody's, not ours */
	EXPECT_ERRNO(EPERM, futex(words, FUTEX_UNLOCK_PI, NULL));
	words[0] = tid();
	EXPECT_ERRNO(EDEADLK, futex(words, FUTEX_LOCK_PI, NULL));
	EXPECT_ERRNO(EDEADLK, futex(words, FUTEX_TRYLOCK_PI, NULL));
	words[0] = 0x3ffffffe; /* nobody's */
	EXPECT_ERRNO(ESRCH, futex(words, FUTEX_LOCK_PI, NULL));
	EXPECT_EQUAL(words[0] & TID, 0x3ffffffe);
	EXPECT_ERRNO(EINVAL, futex(odd, FUTEX_LOCK_PI, NULL));
	EXPECT_ERRNO(EFAULT, futex((word_t *)8192, FUTEX_LOCK_PI | PRIVATE, NULL));
	EXPECT_ERRNO(EFAULT, futex((word_t *)8192, FUTEX_UNLOCK_PI | PRIVATE, NULL));
	EXPECT_ERRNO(EFAULT, futex(words, FUTEX_LOCK_PI, (struct timespec *)8));
	EXPECT_ERRNO(EINVAL, futex(words, FUTEX_LOCK_PI, &(struct timespec){0, -1}));
	EXPECT_ERRNO(ENOSYS, futex(words, FUTEX_LOCK_PI | REALTIME, NULL));
}

/* ---- two threads ---- */

struct other {
	word_t word;
	pthread_t thread;
	sem_t has_it;
	sem_t let_go;
	uint32_t tid;
	int result;
	volatile bool dies;
};

static void *owner_main(void *argument)
{
	struct other *other = argument;

	block(SIGALRM); /* else its handler comes here while it runs in the other thread */
	other->tid = tid();
	other->result = futex(&other->word, FUTEX_LOCK_PI | PRIVATE, NULL);
	sem_post(&other->has_it);
	sem_wait(&other->let_go);
	if (other->dies)
		return NULL;
	other->result |= futex(&other->word, FUTEX_UNLOCK_PI | PRIVATE, NULL);
	return NULL;
}

/* Another thread has the word when this returns. */
static void start_owner(struct other *other)
{
	memset(other, 0, sizeof(*other));
	sem_init(&other->has_it, 0, 0);
	sem_init(&other->let_go, 0, 0);
	pthread_create(&other->thread, NULL, owner_main, other);
	sem_wait(&other->has_it);
}

static void *waiter_main(void *argument)
{
	struct other *other = argument;
	int result = futex(&other->word, FUTEX_LOCK_PI | PRIVATE, NULL);

	if (!result && (other->word & TID) != tid())
		result = -2;
	if (!result)
		result = futex(&other->word, FUTEX_UNLOCK_PI | PRIVATE, NULL);
	return (void *)(intptr_t)result;
}

static void the_word_goes_from_the_owner_to_who_waits(void)
{
	struct other other;
	pthread_t waiters[3];
	void *result;

	start_owner(&other);
	EXPECT_EQUAL(other.word, other.tid);
	EXPECT_ERRNO(EAGAIN, futex(&other.word, FUTEX_TRYLOCK_PI | PRIVATE, NULL));
	for (int i = 0; i < 3; i++)
		pthread_create(&waiters[i], NULL, waiter_main, &other);
	wait_until_waited_for(&other.word);
	EXPECT_EQUAL(other.word & TID, other.tid);
	sem_post(&other.let_go);
	for (int i = 0; i < 3; i++) {
		pthread_join(waiters[i], &result);
		EXPECT_EQUAL((intptr_t)result, 0);
	}
	pthread_join(other.thread, NULL);
	EXPECT_EQUAL(other.result, 0);
	EXPECT_EQUAL(other.word & TID, 0);
}

static void a_time_ends_the_wait(void)
{
	struct timespec past = {1, 0};
	struct timespec soon;
	struct other other;

	start_owner(&other);
	EXPECT_ERRNO(ETIMEDOUT, futex(&other.word, FUTEX_LOCK_PI | PRIVATE, &past));
	EXPECT_ERRNO(ETIMEDOUT, futex(&other.word, FUTEX_LOCK_PI2 | PRIVATE | REALTIME, &past));
	clock_gettime(CLOCK_MONOTONIC, &soon);
	EXPECT_ERRNO(ETIMEDOUT, futex(&other.word, FUTEX_LOCK_PI2 | PRIVATE, &soon));
	EXPECT_EQUAL(other.word & TID, other.tid);
	sem_post(&other.let_go);
	pthread_join(other.thread, NULL);
	EXPECT_EQUAL(other.result, 0);
	EXPECT_EQUAL(other.word & TID, 0);
}

static struct other *to_let_go;

static void let_go(int signal)
{
	note(signal);
	if (ncalls == 3)
		sem_post(&to_let_go->let_go);
}

static void a_signal_does_not_end_it(void)
{
	struct itimerval often = {.it_value = {.tv_usec = 2000}, .it_interval = {.tv_usec = 2000}};
	struct itimerval never = {0};
	struct other other;

	start_owner(&other);
	to_let_go = &other;
	EXPECT_EQUAL(install(SIGALRM, let_go, 0), 0);
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &often, NULL), 0);
	EXPECT_EQUAL(futex(&other.word, FUTEX_LOCK_PI | PRIVATE, NULL), 0);
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &never, NULL), 0);
	EXPECT(ncalls >= 3);
	EXPECT_EQUAL(other.word & TID, tid());
	EXPECT_EQUAL(futex(&other.word, FUTEX_UNLOCK_PI | PRIVATE, NULL), 0);
	pthread_join(other.thread, NULL);
}

/* Linux sets WAITERS before the waiter stands in the chain that a deadlock is looked for in. */
static void wait_until_it_sleeps(uint32_t who)
{
	char name[64], line[128], state = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/self/task/%u/stat", who);
	while (state != 'S') {
		file = fopen(name, "r");
		if (!file || !fgets(line, sizeof(line), file) ||
		    sscanf(line, "%*d (%*[^)]) %c", &state) != 1)
			break;
		fclose(file);
	}
	EXPECT_EQUAL(state, 'S');
}

static word_t first, second, second_owner;

static void *other_way_round(void *argument)
{
	int result;

	(void)argument;
	second_owner = tid();
	if (futex(&second, FUTEX_LOCK_PI | PRIVATE, NULL))
		return (void *)1;
	result = futex(&first, FUTEX_LOCK_PI | PRIVATE, NULL);
	futex(&second, FUTEX_UNLOCK_PI | PRIVATE, NULL);
	if (!result)
		futex(&first, FUTEX_UNLOCK_PI | PRIVATE, NULL);
	return (void *)(intptr_t)result;
}

static void a_ring_is_a_deadlock(void)
{
	pthread_t thread;
	void *result;

	first = second = 0;
	EXPECT_EQUAL(futex(&first, FUTEX_LOCK_PI | PRIVATE, NULL), 0);
	pthread_create(&thread, NULL, other_way_round, NULL);
	wait_until_waited_for(&first);
	wait_until_it_sleeps(second_owner);
	EXPECT_ERRNO(EDEADLK, futex(&second, FUTEX_LOCK_PI | PRIVATE, NULL));
	EXPECT_EQUAL(futex(&first, FUTEX_UNLOCK_PI | PRIVATE, NULL), 0);
	pthread_join(thread, &result);
	EXPECT_EQUAL((intptr_t)result, 0);
}

/* ---- owners that die ---- */

static void who_waits_inherits_from_a_dead_thread(void)
{
	struct other other;

	start_owner(&other);
	other.dies = true;
	to_let_go = &other;
	ncalls = 2;
	EXPECT_EQUAL(install(SIGALRM, let_go, 0), 0);
	ncalls = 2;
	EXPECT_EQUAL(
		setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = 1000}}, NULL),
		0);
	if (futex(&other.word, FUTEX_LOCK_PI | PRIVATE, NULL)) {
		/* It was gone before we came. */
		EXPECT_EQUAL(errno, ESRCH);
	} else {
		EXPECT_EQUAL(other.word & (OWNER_DIED | TID), OWNER_DIED | tid());
		EXPECT_EQUAL(futex(&other.word, FUTEX_UNLOCK_PI | PRIVATE, NULL), 0);
		EXPECT_EQUAL(other.word & TID, 0);
	}
	pthread_join(other.thread, NULL);
}

static void a_word_in_shared_memory_is_inherited_by_another_process(void)
{
	word_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	EXPECT(word != MAP_FAILED);
	EXPECT_EQUAL(futex(word, FUTEX_LOCK_PI, NULL), 0);
	pid = fork();
	if (!pid) {
		if (futex(word, FUTEX_LOCK_PI, NULL) || (*word & TID) != tid())
			_exit(1);
		_exit(futex(word, FUTEX_UNLOCK_PI, NULL) ? 2 : 0);
	}
	wait_until_waited_for(word);
	EXPECT_EQUAL(futex(word, FUTEX_UNLOCK_PI, NULL), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(*word & TID, 0);
	munmap((void *)word, 4096);
}

/* ---- as the C library uses them ---- */

static pthread_mutex_t mutex_of(bool robust)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t mutex;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	if (robust)
		pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &attributes);
	return mutex;
}

static pthread_mutex_t lower, upper;
static int sum;

static void *count(void *argument)
{
	(void)argument;
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&lower);
		sum++;
		pthread_mutex_unlock(&lower);
	}
	return NULL;
}

static void mutexes_that_inherit_exclude_each_other(void)
{
	pthread_t threads[4];

	lower = mutex_of(false);
	sum = 0;
	for (int i = 0; i < 4; i++)
		EXPECT_EQUAL(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQUAL(sum, 8000);
	EXPECT_EQUAL(pthread_mutex_destroy(&lower), 0);
}

static void *lock_and_die(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&lower);
	return NULL;
}

static void a_robust_one_tells_that_its_owner_died(void)
{
	pthread_t thread;

	lower = mutex_of(true);
	EXPECT_EQUAL(pthread_create(&thread, NULL, lock_and_die, NULL), 0);
	pthread_join(thread, NULL);
	EXPECT_EQUAL(pthread_mutex_lock(&lower), EOWNERDEAD);
	EXPECT_EQUAL(pthread_mutex_consistent(&lower), 0);
	EXPECT_EQUAL(pthread_mutex_unlock(&lower), 0);
	EXPECT_EQUAL(pthread_mutex_lock(&lower), 0);
	EXPECT_EQUAL(pthread_mutex_unlock(&lower), 0);
}

/* ---- priorities ---- */

static sem_t holds;
static volatile bool high_has_it;
static volatile bool gave_up;

static int become(int priority)
{
	struct sched_param param = {.sched_priority = priority};

	return (int)syscall(SYS_sched_setscheduler, 0, priority ? SCHED_FIFO : SCHED_OTHER, &param);
}

static void *low_main(void *argument)
{
	(void)argument;
	become(10);
	pthread_mutex_lock(&lower);
	sem_post(&holds); /* which is where it loses the CPU */
	pthread_mutex_unlock(&lower);
	return NULL;
}

static void *middle_main(void *argument)
{
	(void)argument;
	become(15);
	pthread_mutex_lock(&upper);
	sem_post(&holds); /* the same */
	pthread_mutex_lock(&lower);
	pthread_mutex_unlock(&lower);
	pthread_mutex_unlock(&upper);
	return NULL;
}

/* Wants all of the CPU, ahead of the two but not of who waits for them. */
static void *hog_main(void *argument)
{
	time_t end;

	(void)argument;
	become(20);
	end = time(NULL) + 3;
	while (!high_has_it && !gave_up)
		gave_up = time(NULL) > end;
	return NULL;
}

static void *high_main(void *argument)
{
	(void)argument;
	become(30);
	pthread_mutex_lock(&upper);
	high_has_it = true;
	pthread_mutex_unlock(&upper);
	return NULL;
}

static void a_chain_of_owners_runs_ahead_of_who_is_in_between(void)
{
	void *(*const mains[])(void *) = {low_main, middle_main, hog_main, high_main};
	pthread_t threads[4];
	cpu_set_t before;
	cpu_set_t one;

	EXPECT_EQUAL(sched_getaffinity(0, sizeof(before), &before), 0);
	if (become(50)) {
		EXPECT_EQUAL(errno, EPERM);
		return;
	}
	CPU_ZERO(&one);
	for (unsigned i = 0; i < 64 && !CPU_COUNT(&one); i++) {
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &one);
	}
	EXPECT_EQUAL(sched_setaffinity(0, sizeof(one), &one), 0);
	lower = mutex_of(false);
	upper = mutex_of(false);
	sem_init(&holds, 0, 0);
	for (int i = 0; i < 4; i++) {
		EXPECT_EQUAL(pthread_create(&threads[i], NULL, mains[i], NULL), 0);
		if (i < 2)
			sem_wait(&holds);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQUAL(become(0), 0);
	EXPECT_EQUAL(sched_setaffinity(0, sizeof(before), &before), 0);
	EXPECT(high_has_it && !gave_up);
}

int main(void)
{
	RUN(a_free_word_becomes_the_owners_number);
	RUN(a_dead_owners_mark_stays_for_who_takes_the_word);
	RUN(what_cannot_be_is_refused);
	RUN(the_word_goes_from_the_owner_to_who_waits);
	RUN(a_time_ends_the_wait);
	RUN(a_signal_does_not_end_it);
	RUN(a_ring_is_a_deadlock);
	RUN(who_waits_inherits_from_a_dead_thread);
	RUN(a_word_in_shared_memory_is_inherited_by_another_process);
	RUN(mutexes_that_inherit_exclude_each_other);
	RUN(a_robust_one_tells_that_its_owner_died);
	RUN(a_chain_of_owners_runs_ahead_of_who_is_in_between);
	return check_end();
}
