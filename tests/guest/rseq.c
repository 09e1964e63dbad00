/*
 * Restartable sequences: who may register what, that the CPU's number is where the thread said, and
 * that a sequence which was interrupted goes on at its abort handler.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"
#include "signal_help.h"

#define UNREGISTER           1
#define SIGNATURE            0x53053053
#define FEATURE_SIZE         27 /* AT_RSEQ_FEATURE_SIZE */
#define ALIGNMENT            28
#define CPU_ID_UNINITIALIZED UINT32_MAX

struct rseq {
	uint32_t cpu_id_start;
	volatile uint32_t cpu_id;
	volatile uint64_t sequence;
	uint32_t flags;
	uint32_t node_id;
	uint32_t mm_cid;
	uint32_t padding;
} __attribute__((aligned(32)));

struct sequence {
	uint32_t version;
	uint32_t flags;
	uint64_t start;
	uint64_t len;
	uint64_t abort;
} __attribute__((aligned(32)));

static struct rseq own = {.cpu_id = CPU_ID_UNINITIALIZED};

static int rseq(void *address, unsigned len, unsigned flags, unsigned signature)
{
	return (int)syscall(SYS_rseq, address, len, flags, signature);
}

static int begin(void)
{
	return rseq(&own, sizeof(own), 0, SIGNATURE);
}

static int finish(void)
{
	own.sequence = 0;
	return rseq(&own, sizeof(own), UNREGISTER, SIGNATURE);
}

extern char sequence_start[], sequence_end[], sequence_abort[];

static struct sequence loop = {.abort = 1};

/* Runs in the sequence, which has no end of its own, until it is aborted. */
static __attribute__((noinline)) void run_until_aborted(void)
{
	loop = (struct sequence){.start = (uintptr_t)sequence_start,
				 .len = (uintptr_t)(sequence_end - sequence_start),
				 .abort = (uintptr_t)sequence_abort};
	__asm__ volatile(".globl sequence_start, sequence_end, sequence_abort\n"
			 "	movq	%[loop], %[current]\n"
			 "sequence_start:\n"
			 "	pause\n"
			 "	jmp	sequence_start\n"
			 "sequence_end:\n"
			 "	.long	0x53053053\n"
			 "sequence_abort:\n"
			 : [current] "=m"(own.sequence)
			 : [loop] "r"(&loop)
			 : "memory");
}

/* ---- registering ---- */

static void rseq_is_registered_once_and_taken_back_as_it_was_given(void)
{
	static struct rseq other;

	EXPECT_EQUAL(begin(), 0);
	EXPECT_ERRNO(EBUSY, begin());
	EXPECT_ERRNO(EPERM, rseq(&own, sizeof(own), 0, 1));
	EXPECT_ERRNO(EINVAL, rseq(&other, sizeof(other), 0, SIGNATURE));
	EXPECT_ERRNO(EINVAL, rseq(&other, sizeof(other), UNREGISTER, SIGNATURE));
	EXPECT_ERRNO(EINVAL, rseq(&own, 64, UNREGISTER, SIGNATURE));
	EXPECT_ERRNO(EPERM, rseq(&own, sizeof(own), UNREGISTER, 1));
	EXPECT_EQUAL(finish(), 0);
	EXPECT_EQUAL(own.cpu_id, CPU_ID_UNINITIALIZED);
	EXPECT_EQUAL(own.cpu_id_start, 0);
	EXPECT_ERRNO(EINVAL, finish());
}

static void rseq_refuses_what_it_cannot_use(void)
{
	EXPECT_ERRNO(EINVAL, rseq(&own, sizeof(own), 1u << 20, SIGNATURE));
	EXPECT_ERRNO(EINVAL, rseq(&own, 20, 0, SIGNATURE));
	EXPECT_ERRNO(EINVAL, rseq((char *)&own + 8, sizeof(own), 0, SIGNATURE));
	EXPECT_ERRNO(EFAULT, rseq((void *)-64L, sizeof(own), 0, SIGNATURE));
}

static void the_kernel_says_how_long_it_is(void)
{
	EXPECT(getauxval(FEATURE_SIZE) >= 28);
	EXPECT_EQUAL(getauxval(ALIGNMENT), 32);
}

/* ---- the CPU's number ---- */

static void the_number_of_the_cpu_follows_the_thread(void)
{
	cpu_set_t before;
	cpu_set_t one;
	unsigned cpu;

	EXPECT_EQUAL(sched_getaffinity(0, sizeof(before), &before), 0);
	EXPECT_EQUAL(begin(), 0);
	EXPECT(own.cpu_id != CPU_ID_UNINITIALIZED);
	for (unsigned i = 0; i < 64; i++) {
		if (!CPU_ISSET(i, &before))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		EXPECT_EQUAL(sched_setaffinity(0, sizeof(one), &one), 0);
		EXPECT_EQUAL(syscall(SYS_getcpu, &cpu, NULL, NULL), 0);
		EXPECT_EQUAL(own.cpu_id, cpu);
		EXPECT_EQUAL(own.cpu_id_start, cpu);
		EXPECT_EQUAL(own.node_id, 0);
		EXPECT(own.mm_cid < 64);
	}
	EXPECT_EQUAL(sched_setaffinity(0, sizeof(before), &before), 0);
	EXPECT_EQUAL(finish(), 0);
}

/* Nor does it make the thread forget what else is its own. */
static int read_tsc_elsewhere(void)
{
	cpu_set_t all, one;
	unsigned low, high;

	NEED(sched_getaffinity(0, sizeof(all), &all) == 0);
	NEED(begin() == 0);
	NEED(prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0);
	for (unsigned i = 0; i < 64; i++) {
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (CPU_ISSET(i, &all))
			NEED(sched_setaffinity(0, sizeof(one), &one) == 0);
	}
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return 250;
}

static void a_thread_that_moves_keeps_its_tsc_forbidden(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(read_tsc_elsewhere());
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* ---- sequences ---- */

static volatile uint64_t interrupted_at;

static void note_place(int signal, siginfo_t *info, void *context)
{
	note_info(signal, info, context);
	interrupted_at = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

static void a_signal_aborts_a_sequence(void)
{
	struct itimerval soon = {.it_value = {.tv_usec = 1000}, .it_interval = {.tv_usec = 1000}};
	struct itimerval never = {0};

	EXPECT_EQUAL(install_info(SIGALRM, note_place, 0), 0);
	EXPECT_EQUAL(begin(), 0);
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &soon, NULL), 0);
	do { /* it may be preempted before */
		interrupted_at = 0;
		run_until_aborted();
	} while (interrupted_at != (uintptr_t)sequence_abort);
	EXPECT_EQUAL(setitimer(ITIMER_REAL, &never, NULL), 0);
	EXPECT_EQUAL(own.sequence, 0);
	EXPECT_EQUAL(finish(), 0);
}

static void losing_the_cpu_aborts_a_sequence(void)
{
	cpu_set_t before;
	cpu_set_t one;
	pid_t pid;

	EXPECT_EQUAL(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	for (unsigned i = 0; i < 64 && !CPU_COUNT(&one); i++) {
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &one);
	}
	EXPECT_EQUAL(sched_setaffinity(0, sizeof(one), &one), 0);
	pid = fork();
	if (!pid) {
		for (;;)
			; /* wants the same CPU */
	}
	EXPECT_EQUAL(begin(), 0);
	run_until_aborted();
	EXPECT_EQUAL(own.sequence, 0);
	EXPECT_EQUAL(finish(), 0);
	kill(pid, SIGKILL);
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	EXPECT_EQUAL(sched_setaffinity(0, sizeof(before), &before), 0);
}

static void a_sequence_that_was_left_is_forgotten(void)
{
	EXPECT_EQUAL(install(SIGUSR1, note, 0), 0);
	EXPECT_EQUAL(begin(), 0);
	loop = (struct sequence){.start = (uintptr_t)sequence_start,
				 .len = (uintptr_t)(sequence_end - sequence_start),
				 .abort = (uintptr_t)sequence_abort};
	own.sequence = (uintptr_t)&loop;
	EXPECT_EQUAL(raise(SIGUSR1), 0);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(own.sequence, 0);
	EXPECT_EQUAL(finish(), 0);
}

/* ---- membarrier ---- */

#define BARRIER_RSEQ          (1 << 7)
#define BARRIER_REGISTER_RSEQ (1 << 8)
#define BARRIER_REGISTRATIONS (1 << 9)
#define ONE_CPU               1

static int barrier(int command, unsigned flags, int cpu)
{
	return (int)syscall(SYS_membarrier, command, flags, cpu);
}

static volatile int barrier_cpu; /* -1: all */
static volatile bool enough, is_elsewhere;

static void *end_sequences(void *argument)
{
	long result = 0;

	sched_setaffinity(0, sizeof(cpu_set_t), argument);
	is_elsewhere = true;
	while (!enough && !result)
		result = barrier_cpu < 0 ? barrier(BARRIER_RSEQ, 0, 0)
					 : barrier(BARRIER_RSEQ, ONE_CPU, barrier_cpu);
	return (void *)result;
}

/* It has a CPU of its own, where nothing else ends the sequence. */
static void run_beside(const cpu_set_t *mine, cpu_set_t *others)
{
	struct sched_param param = {.sched_priority = 1};
	struct sched_param usual = {0};
	pthread_t thread;
	void *result;

	enough = is_elsewhere = false;
	EXPECT_EQUAL(pthread_create(&thread, NULL, end_sequences, others), 0);
	while (!is_elsewhere)
		sched_yield();
	EXPECT_EQUAL(sched_setaffinity(0, sizeof(*mine), mine), 0);
	(void)syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param);
	EXPECT_EQUAL(begin(), 0);
	run_until_aborted();
	EXPECT_EQUAL(own.sequence, 0);
	EXPECT_EQUAL(finish(), 0);
	(void)syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &usual);
	enough = true;
	pthread_join(thread, &result);
	EXPECT_EQUAL((intptr_t)result, 0);
}

static void a_barrier_ends_the_sequences_of_others(void)
{
	cpu_set_t before, mine, others;

	EXPECT_ERRNO(EPERM, barrier(BARRIER_RSEQ, 0, 0));
	EXPECT_EQUAL(barrier(BARRIER_REGISTER_RSEQ, 0, 0), 0);
	EXPECT(barrier(BARRIER_REGISTRATIONS, 0, 0) & BARRIER_REGISTER_RSEQ);
	EXPECT(barrier(0, 0, 0) & BARRIER_RSEQ);
	EXPECT_EQUAL(barrier(BARRIER_RSEQ, 0, 0), 0);
	EXPECT_EQUAL(barrier(BARRIER_RSEQ, ONE_CPU, 9999), 0);
	EXPECT_EQUAL(barrier(BARRIER_RSEQ, ONE_CPU, -1), 0);
	EXPECT_ERRNO(EINVAL, barrier(BARRIER_RSEQ, 2, 0));
	EXPECT_ERRNO(EINVAL, barrier(BARRIER_REGISTER_RSEQ, ONE_CPU, 0));
	EXPECT_EQUAL(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&mine);
	for (int i = 0; i < 64 && !CPU_COUNT(&mine); i++) {
		barrier_cpu = i;
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &mine);
	}
	CPU_XOR(&others, &before, &mine);
	if (!CPU_COUNT(&others))
		return;
	run_beside(&mine, &others);
	sched_setaffinity(0, sizeof(before), &before);
	barrier_cpu = -1;
	if (!failure[0])
		run_beside(&mine, &others);
	sched_setaffinity(0, sizeof(before), &before);
}

/* ---- nonsense ---- */

static void spoil_nothing(void)
{
}

/* How a child ends that runs `spoil` and then takes a signal. */
static int end_of(void (*spoil)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		install(SIGUSR1, note, 0);
		if (begin())
			_exit(1);
		/* Who loses the CPU in between has no sequence any more. */
		for (unsigned i = 0; i < (spoil == spoil_nothing ? 1 : 1000); i++) {
			loop = (struct sequence){.start = (uintptr_t)sequence_start,
						 .len = (uintptr_t)(sequence_end - sequence_start),
						 .abort = (uintptr_t)sequence_abort};
			own.sequence = (uintptr_t)&loop;
			spoil();
			raise(SIGUSR1);
		}
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void spoil_pointer(void)
{
	own.sequence = 8;
}

static void spoil_version(void)
{
	loop.version = 1;
}

static void spoil_signature(void)
{
	loop.abort++;
}

static void spoil_abort(void)
{
	loop.abort = loop.start;
}

static void spoil_length(void)
{
	loop.len = UINT64_MAX;
}

static void spoil_memory(void)
{
	struct sequence *far =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	own.sequence = (uintptr_t)far;
	munmap(far, 4096);
}

static void nonsense_is_a_fault(void)
{
	EXPECT_EQUAL(end_of(spoil_nothing), 0);
	EXPECT_EQUAL(end_of(spoil_pointer), SIGSEGV);
	EXPECT_EQUAL(end_of(spoil_version), SIGSEGV);
	EXPECT_EQUAL(end_of(spoil_signature), SIGSEGV);
	EXPECT_EQUAL(end_of(spoil_abort), SIGSEGV);
	EXPECT_EQUAL(end_of(spoil_length), SIGSEGV);
	EXPECT_EQUAL(end_of(spoil_memory), SIGSEGV);
}

/* ---- copies ---- */

static void a_child_has_it_and_a_new_program_has_not(void)
{
	char *arguments[] = {"rseq", "begin", NULL};
	char *environment[] = {NULL};
	int status;
	pid_t pid;

	EXPECT_EQUAL(begin(), 0);
	pid = fork();
	if (!pid) {
		if (begin() != -1 || errno != EBUSY || own.cpu_id == CPU_ID_UNINITIALIZED)
			_exit(1);
		execve("/proc/self/exe", arguments, environment);
		_exit(2);
	}
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT_EQUAL(finish(), 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "begin") == 0)
		return begin() ? 3 : 0;
	RUN(rseq_is_registered_once_and_taken_back_as_it_was_given);
	RUN(rseq_refuses_what_it_cannot_use);
	RUN(the_kernel_says_how_long_it_is);
	RUN(the_number_of_the_cpu_follows_the_thread);
	RUN(a_thread_that_moves_keeps_its_tsc_forbidden);
	RUN(a_signal_aborts_a_sequence);
	RUN(losing_the_cpu_aborts_a_sequence);
	RUN(a_sequence_that_was_left_is_forgotten);
	RUN(a_barrier_ends_the_sequences_of_others);
	RUN(nonsense_is_a_fault);
	RUN(a_child_has_it_and_a_new_program_has_not);
	return check_end();
}
