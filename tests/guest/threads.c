/*
 * POSIX threads as the C library builds them on clone, futexes and signals.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int exit_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *add_one(void *argument)
{
	return (char *)argument + 1;
}

static void join_gets_the_result(void)
{
	pthread_t thread;
	void *result;

	EXPECT_EQUAL(pthread_create(&thread, NULL, add_one, (void *)41), 0);
	EXPECT_EQUAL(pthread_join(thread, &result), 0);
	EXPECT_EQUAL((long)result, 42);
}

static void *number(void *argument)
{
	(void)argument;
	return (void *)syscall(SYS_gettid);
}

static void numbers_are_of_the_process_and_of_the_thread(void)
{
	pthread_t thread;
	void *tid;

	EXPECT_EQUAL(pthread_create(&thread, NULL, number, NULL), 0);
	EXPECT_EQUAL(pthread_join(thread, &tid), 0);
	EXPECT((long)tid != getpid());
	EXPECT_EQUAL(syscall(SYS_gettid), getpid());
	/* It has ended, and soon nothing is left of it. */
	while (syscall(SYS_tgkill, getpid(), (long)tid, 0) == 0)
		sched_yield();
	EXPECT_EQUAL(errno, ESRCH);
	EXPECT_ERRNO(ESRCH, syscall(SYS_tgkill, 1, getpid(), 0));
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long counter;

static void *count(void *argument)
{
	for (long i = 0; i < (long)argument; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void mutexes_exclude(void)
{
	enum { THREADS = 4, TIMES = 5000 };
	pthread_t threads[THREADS];

	counter = 0;
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQUAL(pthread_create(&threads[i], NULL, count, (void *)TIMES), 0);
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQUAL(pthread_join(threads[i], NULL), 0);
	EXPECT_EQUAL(counter, THREADS * TIMES);
}

static int turn;

static void *play(void *argument)
{
	int own = (int)(long)argument;

	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != own)
			pthread_cond_wait(&changed, &mutex);
		turn = !own;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void conditions_wake(void)
{
	pthread_t one;
	pthread_t two;

	turn = 0;
	EXPECT_EQUAL(pthread_create(&one, NULL, play, (void *)0), 0);
	EXPECT_EQUAL(pthread_create(&two, NULL, play, (void *)1), 0);
	EXPECT_EQUAL(pthread_join(one, NULL), 0);
	EXPECT_EQUAL(pthread_join(two, NULL), 0);
	EXPECT_EQUAL(turn, 0);
}

static void a_condition_can_time_out(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&mutex);
	EXPECT_EQUAL(pthread_cond_timedwait(&changed, &mutex, &until), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
}

static __thread int own = 5;

static void *change_own(void *argument)
{
	own += (int)(long)argument;
	return (void *)(long)own;
}

static void each_has_its_own_variables(void)
{
	pthread_t one;
	pthread_t two;
	void *first;
	void *second;

	EXPECT_EQUAL(pthread_create(&one, NULL, change_own, (void *)1), 0);
	EXPECT_EQUAL(pthread_create(&two, NULL, change_own, (void *)2), 0);
	EXPECT_EQUAL(pthread_join(one, &first), 0);
	EXPECT_EQUAL(pthread_join(two, &second), 0);
	EXPECT_EQUAL((long)first, 6);
	EXPECT_EQUAL((long)second, 7);
	EXPECT_EQUAL(own, 5);
}

static int cleaned;

static void clean(void *argument)
{
	cleaned += (int)(long)argument;
}

static void *wait_in_read(void *argument)
{
	char byte;

	pthread_cleanup_push(clean, (void *)1);
	(void)!read(*(int *)argument, &byte, 1);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_in_condition(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push((void (*)(void *))(void *)pthread_mutex_unlock, &mutex);
	for (;;)
		pthread_cond_wait(&changed, &mutex);
	pthread_cleanup_pop(1);
	return NULL;
}

static void blocked_calls_are_cancelled(void)
{
	pthread_t thread;
	void *result;
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	cleaned = 0;
	EXPECT_EQUAL(pthread_create(&thread, NULL, wait_in_read, &fds[0]), 0);
	EXPECT_EQUAL(pthread_cancel(thread), 0);
	EXPECT_EQUAL(pthread_join(thread, &result), 0);
	EXPECT(result == PTHREAD_CANCELED);
	EXPECT_EQUAL(cleaned, 1);
	EXPECT_EQUAL(pthread_create(&thread, NULL, wait_in_condition, NULL), 0);
	usleep(10000); /* mostly it waits by now; either way it has to work */
	EXPECT_EQUAL(pthread_cancel(thread), 0);
	EXPECT_EQUAL(pthread_join(thread, &result), 0);
	EXPECT(result == PTHREAD_CANCELED);
	EXPECT_EQUAL(pthread_mutex_trylock(&mutex), 0);
	pthread_mutex_unlock(&mutex);
	close(fds[0]);
	close(fds[1]);
}

static sem_t done;

static void *post(void *argument)
{
	(void)argument;
	sem_post(&done);
	return NULL;
}

static void detached_ones_end_alone(void)
{
	pthread_attr_t attributes;

	EXPECT_EQUAL(sem_init(&done, 0, 0), 0);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 50; i++) {
		pthread_t thread;

		EXPECT_EQUAL(pthread_create(&thread, &attributes, post, NULL), 0);
		EXPECT_EQUAL(sem_wait(&done), 0);
	}
}

static void many_one_after_the_other(void)
{
	for (long i = 0; i < 200; i++) {
		pthread_t thread;
		void *result;

		EXPECT_EQUAL(pthread_create(&thread, NULL, add_one, (void *)i), 0);
		EXPECT_EQUAL(pthread_join(thread, &result), 0);
		EXPECT_EQUAL((long)result, i + 1);
	}
}

static volatile int lent; /* by the thread that is made, for its maker */

static int use_what_is_lent(void *argument)
{
	const struct timespec a_while = {.tv_nsec = 20000000};

	(void)argument;
	syscall(SYS_nanosleep, &a_while, NULL);
	lent = 1;
	return 0;
}

/* It has no memory of its own for the C library, which therefore may not see it. */
static void a_maker_waits_for_the_thread_it_lends_to(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	int tid = clone(use_what_is_lent, stack + sizeof(stack),
			CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				CLONE_SYSVSEM | CLONE_VFORK,
			NULL);

	EXPECT(tid > 0);
	EXPECT_EQUAL(lent, 1);
}

static void *sleep_for_ever(void *argument)
{
	(void)argument;
	for (;;)
		pause();
	return NULL;
}

static void *spin(void *argument)
{
	(void)argument;
	for (volatile int i = 0;; i++)
		;
	return NULL;
}

static void *end_all(void *argument)
{
	exit((int)(long)argument);
	return NULL;
}

static void exit_ends_all_of_them(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_create(&thread, NULL, sleep_for_ever, NULL);
		pthread_create(&thread, NULL, spin, NULL);
		pthread_create(&thread, NULL, end_all, (void *)21);
		sleep_for_ever(NULL);
	}
	EXPECT_EQUAL(exit_of(pid), 21);
}

static void *end_later(void *argument)
{
	(void)argument;
	usleep(20000); /* mostly the first thread has ended by now; either way it has to work */
	_exit(22);
	return NULL;
}

static void the_first_may_leave_before_the_others(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, end_later, NULL);
		pthread_exit(NULL);
	}
	EXPECT_EQUAL(exit_of(pid), 22);
}

static void a_fatal_signal_ends_all_of_them(void)
{
	pthread_t thread;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_create(&thread, NULL, spin, NULL);
		pthread_create(&thread, NULL, sleep_for_ever, NULL);
		kill(getpid(), SIGTERM);
		sleep_for_ever(NULL);
	}
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static volatile int asking;

/* Asks for the next numbers, which threads are just being given. */
static void *ask_for_numbers(void *argument)
{
	long tid = *(const long *)argument;

	while (asking) {
		for (long i = 1; i < 8; i++) {
			if (syscall(SYS_tgkill, getpid(), tid + i, 0) == 0)
				tid += i;
		}
		if (syscall(SYS_tkill, tid, 0) != 0)
			tid++;
	}
	return NULL;
}

static void threads_that_begin_can_be_asked_for(void)
{
	long first = getpid();
	pthread_t asker;

	asking = 1;
	EXPECT_EQUAL(pthread_create(&asker, NULL, ask_for_numbers, &first), 0);
	for (int i = 0; i < 300; i++) {
		pthread_t thread;
		void *tid;

		EXPECT_EQUAL(pthread_create(&thread, NULL, number, NULL), 0);
		EXPECT_EQUAL(pthread_join(thread, &tid), 0);
	}
	asking = 0;
	EXPECT_EQUAL(pthread_join(asker, NULL), 0);
}

static void *fork_and_wait(void *argument)
{
	pid_t pid = fork();

	(void)argument;
	if (pid == 0)
		_exit(syscall(SYS_gettid) == getpid() ? 23 : 1);
	return (void *)(long)exit_of(pid);
}

static void a_child_has_the_one_thread_that_forked(void)
{
	pthread_t thread;
	pthread_t spinner;
	void *result;

	EXPECT_EQUAL(pthread_create(&spinner, NULL, sleep_for_ever, NULL), 0);
	EXPECT_EQUAL(pthread_create(&thread, NULL, fork_and_wait, NULL), 0);
	EXPECT_EQUAL(pthread_join(thread, &result), 0);
	EXPECT_EQUAL((long)result, 23);
	EXPECT_EQUAL(pthread_cancel(spinner), 0);
	EXPECT_EQUAL(pthread_join(spinner, NULL), 0);
}

static void *change_directory(void *argument)
{
	return (void *)(long)chdir(argument);
}

static void the_working_directory_is_everybodys(void)
{
	char before[256];
	char after[256];
	pthread_t thread;

	EXPECT(getcwd(before, sizeof(before)));
	EXPECT_EQUAL(pthread_create(&thread, NULL, change_directory, "/dev"), 0);
	EXPECT_EQUAL(pthread_join(thread, NULL), 0);
	EXPECT(getcwd(after, sizeof(after)) && !strcmp(after, "/dev"));
	EXPECT_EQUAL(chdir(before), 0);
}

/* ---- futexes ---- */

static long futex(void *word, int op, int value, void *time, void *word2, int value3)
{
	return syscall(SYS_futex, word, op, value, time, word2, value3);
}

static void futexes_refuse_what_linux_refuses(void)
{
	static int word = 1;
	struct timespec none = {0};
	struct timespec wrong = {.tv_nsec = 1000000000};

	EXPECT_ERRNO(EAGAIN, futex(&word, FUTEX_WAIT, 2, NULL, NULL, 0));
	EXPECT_ERRNO(ETIMEDOUT, futex(&word, FUTEX_WAIT, 1, &none, NULL, 0));
	EXPECT_ERRNO(ETIMEDOUT, futex(&word, FUTEX_WAIT_PRIVATE, 1, &none, NULL, 0));
	EXPECT_ERRNO(EINVAL, futex(&word, FUTEX_WAIT, 1, &wrong, NULL, 0));
	EXPECT_ERRNO(EINVAL, futex((char *)&word + 1, FUTEX_WAIT, 1, NULL, NULL, 0));
	EXPECT_ERRNO(EINVAL, futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0));
	EXPECT_ERRNO(EINVAL, futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	EXPECT_ERRNO(ENOSYS, futex(&word, 99, 1, NULL, NULL, 0));
	EXPECT_ERRNO(EFAULT, futex((void *)16, FUTEX_WAIT, 1, NULL, NULL, 0));
	EXPECT_ERRNO(EAGAIN, futex(&word, FUTEX_CMP_REQUEUE, 1, NULL, &word, 7));
	EXPECT_EQUAL(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
}

struct waiters {
	int word;
	int other;
	int nready;
	int nwoken;
};

static void *wait_on_word(void *argument)
{
	struct waiters *waiters = argument;

	__atomic_fetch_add(&waiters->nready, 1, __ATOMIC_SEQ_CST);
	while (futex(&waiters->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == -1 && errno == EINTR)
		;
	__atomic_fetch_add(&waiters->nwoken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void requeued_waiters_wait_elsewhere(void)
{
	enum { THREADS = 3 };
	struct waiters waiters = {0};
	pthread_t threads[THREADS];
	long moved = 0;
	long woken = 0;

	for (int i = 0; i < THREADS; i++)
		EXPECT_EQUAL(pthread_create(&threads[i], NULL, wait_on_word, &waiters), 0);
	while (moved < THREADS) {
		long more = futex(&waiters.word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1,
				  &waiters.other, 0);

		EXPECT(more >= 0);
		moved += more;
		sched_yield();
	}
	EXPECT_EQUAL(futex(&waiters.word, FUTEX_WAKE_PRIVATE, 99, NULL, NULL, 0), 0);
	EXPECT_EQUAL(__atomic_load_n(&waiters.nwoken, __ATOMIC_SEQ_CST), 0);
	woken = futex(&waiters.other, FUTEX_WAKE_PRIVATE, 99, NULL, NULL, 0);
	EXPECT_EQUAL(woken, THREADS);
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQUAL(pthread_join(threads[i], NULL), 0);
}

static void wake_op_changes_and_compares(void)
{
	static int first;
	static int second = 5;
	int add_if_five = FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5);
	int or_bit = FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_LT, -1);

	EXPECT_EQUAL(futex(&first, FUTEX_WAKE_OP, 1, (void *)1, &second, add_if_five), 0);
	EXPECT_EQUAL(second, 8);
	EXPECT_EQUAL(futex(&first, FUTEX_WAKE_OP, 1, (void *)1, &second, or_bit), 0);
	EXPECT_EQUAL(second, 8 | 16);
	EXPECT_ERRNO(EFAULT, futex(&first, FUTEX_WAKE_OP, 1, (void *)1, (void *)16, or_bit));
}

static void shared_words_wake_other_processes(void)
{
	int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	EXPECT(word != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		while (__atomic_load_n(&word[0], __ATOMIC_SEQ_CST) == 0)
			futex(&word[0], FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(24);
	}
	__atomic_store_n(&word[0], 1, __ATOMIC_SEQ_CST);
	EXPECT(futex(&word[0], FUTEX_WAKE, 1, NULL, NULL, 0) >= 0);
	EXPECT_EQUAL(exit_of(pid), 24);
	munmap(word, 4096);
}

static pthread_mutex_t *robust;

static void *die_with_it(void *argument)
{
	(void)argument;
	pthread_mutex_lock(robust);
	return NULL;
}

static void a_dead_owner_is_told(void)
{
	pthread_mutexattr_t attributes;
	pthread_t thread;
	pid_t pid;

	robust = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT(robust != MAP_FAILED);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	EXPECT_EQUAL(pthread_mutex_init(robust, &attributes), 0);
	EXPECT_EQUAL(pthread_create(&thread, NULL, die_with_it, NULL), 0);
	EXPECT_EQUAL(pthread_join(thread, NULL), 0);
	EXPECT_EQUAL(pthread_mutex_lock(robust), EOWNERDEAD);
	EXPECT_EQUAL(pthread_mutex_consistent(robust), 0);
	EXPECT_EQUAL(pthread_mutex_unlock(robust), 0);

	EXPECT_EQUAL(pthread_mutex_init(robust, &attributes), 0);
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(robust);
		kill(getpid(), SIGKILL);
	}
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_EQUAL(pthread_mutex_lock(robust), EOWNERDEAD);
	EXPECT_EQUAL(pthread_mutex_consistent(robust), 0);
	EXPECT_EQUAL(pthread_mutex_unlock(robust), 0);
	EXPECT_EQUAL(pthread_mutex_lock(robust), 0);
	pthread_mutex_unlock(robust);
}

int main(void)
{
	RUN(join_gets_the_result);
	RUN(numbers_are_of_the_process_and_of_the_thread);
	RUN(mutexes_exclude);
	RUN(conditions_wake);
	RUN(a_condition_can_time_out);
	RUN(each_has_its_own_variables);
	RUN(blocked_calls_are_cancelled);
	RUN(detached_ones_end_alone);
	RUN(many_one_after_the_other);
	RUN(a_maker_waits_for_the_thread_it_lends_to);
	RUN(exit_ends_all_of_them);
	RUN(the_first_may_leave_before_the_others);
	RUN(a_fatal_signal_ends_all_of_them);
	RUN(threads_that_begin_can_be_asked_for);
	RUN(a_child_has_the_one_thread_that_forked);
	RUN(the_working_directory_is_everybodys);
	RUN(futexes_refuse_what_linux_refuses);
	RUN(requeued_waiters_wait_elsewhere);
	RUN(wake_op_changes_and_compares);
	RUN(shared_words_wake_other_processes);
	RUN(a_dead_owner_is_told);
	return check_end();
}
