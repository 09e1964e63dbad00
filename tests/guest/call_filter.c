/*
 * Calls that are not made: seccomp's strict mode, and those that a program's own handler of SIGSYS
 * makes instead (PR_SET_SYSCALL_USER_DISPATCH).
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "signal_help.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define OFF               0
#define ON                1
#define ALLOW             0
#define BLOCK             1
#define SYS_USER_DISPATCH 2
#define ARCH_X86_64       0xc000003eu

/* ---- strict mode ---- */

static int pipe_ends[2];

static int call_by_prctl(void)
{
	char byte = 'x';

	NEED(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_SECCOMP, 1, 0, 0, 0) == 0);
	if (write(pipe_ends[1], &byte, 1) != 1 || read(pipe_ends[0], &byte, 1) != 1)
		syscall(SYS_exit, 2);
	syscall(SYS_exit, 7); /* exit_group is none of the four */
	return 3;
}

static int call_by_seccomp(void)
{
	NEED(syscall(SYS_seccomp, 0, 0, NULL) == 0);
	syscall(SYS_exit, 8);
	return 3;
}

static int ask_for_more(void)
{
	NEED(prctl(PR_SET_SECCOMP, 1, 0, 0, 0) == 0);
	syscall(SYS_getpid);
	syscall(SYS_exit, 3);
	return 3;
}

static int end_all(void)
{
	NEED(syscall(SYS_seccomp, 0, 0, NULL) == 0);
	syscall(SYS_exit_group, 3);
	return 3;
}

static int look_at_the_time(void)
{
	unsigned low, high;

	NEED(prctl(PR_SET_SECCOMP, 1, 0, 0, 0) == 0);
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	syscall(SYS_exit, 3);
	return 3;
}

static void who_is_confined_has_four_calls(void)
{
	EXPECT_EQUAL(pipe(pipe_ends), 0);
	EXPECT_EQUAL(in_child_as(0, call_by_prctl), 7);
	EXPECT_EQUAL(in_child_as(1000, call_by_seccomp), 8);
	EXPECT_EQUAL(in_child_as(0, ask_for_more), -1 - SIGKILL);
	EXPECT_EQUAL(in_child_as(0, end_all), -1 - SIGKILL);
	EXPECT_EQUAL(in_child_as(0, look_at_the_time), -1 - SIGSEGV);
}

static volatile pid_t confined;

static void *be_confined(void *argument)
{
	(void)argument;
	confined = (pid_t)syscall(SYS_gettid);
	prctl(PR_SET_SECCOMP, 1, 0, 0, 0);
	syscall(SYS_gettid);
	return NULL;
}

/* One of two threads: the other one goes on. */
static int confine_a_thread(void)
{
	pthread_t thread;

	NEED(pthread_create(&thread, NULL, be_confined, NULL) == 0);
	/* The C library does not hear of an end like that. */
	while (!confined || syscall(SYS_tgkill, getpid(), confined, 0) == 0)
		sched_yield();
	NEED(errno == ESRCH);
	NEED(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0);
	return getpid() > 0 ? 0 : 1;
}

static void it_is_one_threads_affair(void)
{
	EXPECT_EQUAL(in_child_as(0, confine_a_thread), 0);
}

static void what_is_no_mode_is_refused(void)
{
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_SECCOMP, 0, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, prctl(PR_SET_SECCOMP, 7, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, 77, 0, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, 0, 1, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, 0, 0, "argument"));
	EXPECT_EQUAL(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
}

/* ---- calls that a handler makes ---- */

static volatile uint8_t selector;

static long dispatch(unsigned long mode, unsigned long offset, unsigned long len,
		     volatile void *byte)
{
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, mode, offset, len, byte);
}

static volatile unsigned long seen_number, seen_place, seen_rax;
static volatile unsigned seen_arch;

/* Its own end is a call as well, so it allows all. */
static void make_call(int signal, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;

	selector = ALLOW;
	note_info(signal, info, context);
	seen_number = (unsigned long)info->si_syscall;
	seen_place = (unsigned long)info->si_call_addr;
	seen_arch = info->si_arch;
	seen_rax = (unsigned long)registers->uc_mcontext.gregs[REG_RAX];
	if (registers->uc_mcontext.gregs[REG_RIP] != (greg_t)seen_place)
		seen_place = 0;
	registers->uc_mcontext.gregs[REG_RAX] = 4711;
}

static int dispatch_foreign(void)
{
	NEED(install_info(SIGSYS, make_call, 0) == 0);
	selector = ALLOW;
	NEED(dispatch(ON, 0, 0, &selector) == 0);
	NEED(getppid() > 0 && ncalls == 0);
	selector = BLOCK;
	NEED(syscall(SYS_getppid) == 4711);
	NEED(ncalls == 1 && last_info.si_code == SYS_USER_DISPATCH);
	NEED(seen_number == SYS_getppid && seen_rax == SYS_getppid);
	NEED(seen_place && seen_arch == ARCH_X86_64);
	selector = BLOCK;
	NEED(syscall(100000) == 4711 && seen_number == 100000);
	/* Not in a child. */
	if (!fork()) {
		selector = BLOCK;
		_exit(syscall(SYS_getppid) == 4711);
	}
	selector = ALLOW;
	{
		int status;

		NEED(wait(&status) > 0 && status == 0);
	}
	NEED(dispatch(OFF, 0, 0, NULL) == 0);
	selector = BLOCK;
	NEED(syscall(SYS_getppid) != 4711);
	return 0;
}

static int dispatch_none_from_here(void)
{
	NEED(install_info(SIGSYS, make_call, 0) == 0);
	/* The whole program is the range from where calls are its own. */
	NEED(dispatch(ON, 1, (1UL << 47) - 1, NULL) == 0);
	NEED(getppid() > 0 && ncalls == 0);
	return 0;
}

static int no_such_state(void)
{
	selector = ALLOW;
	NEED(install_info(SIGSYS, make_call, 0) == 0);
	NEED(dispatch(ON, 0, 0, &selector) == 0);
	selector = 5;
	syscall(SYS_getppid);
	return 1;
}

static int no_selector(void)
{
	NEED(dispatch(ON, 0, 0, (void *)8) == 0);
	syscall(SYS_getppid);
	return 1;
}

static int no_handler(void)
{
	selector = ALLOW;
	NEED(dispatch(ON, 0, 0, &selector) == 0);
	selector = BLOCK;
	syscall(SYS_getppid);
	return 1;
}

static void foreign_calls_are_the_handlers(void)
{
	EXPECT_EQUAL(in_child_as(0, dispatch_foreign), 0);
	EXPECT_EQUAL(in_child_as(0, dispatch_none_from_here), 0);
	EXPECT_EQUAL(in_child_as(0, no_such_state), -1 - SIGSYS);
	EXPECT_EQUAL(in_child_as(0, no_selector), -1 - SIGSEGV);
	EXPECT_EQUAL(in_child_as(0, no_handler), -1 - SIGSYS);
}

static void what_is_no_range_is_refused(void)
{
	EXPECT_ERRNO(EINVAL, dispatch(OFF, 1, 0, NULL));
	EXPECT_ERRNO(EINVAL, dispatch(OFF, 0, 1, NULL));
	EXPECT_ERRNO(EINVAL, dispatch(OFF, 0, 0, &selector));
	EXPECT_ERRNO(EINVAL, dispatch(77, 0, 0, NULL));
	EXPECT_ERRNO(EINVAL, dispatch(ON, 4096, 0, NULL));
	EXPECT_ERRNO(EINVAL, dispatch(ON, 4096, -1UL, NULL));
	EXPECT_ERRNO(EFAULT, dispatch(ON, 0, 0, (void *)-4096L));
	EXPECT_EQUAL(dispatch(OFF, 0, 0, NULL), 0);
}

int main(void)
{
	RUN(who_is_confined_has_four_calls);
	RUN(it_is_one_threads_affair);
	RUN(what_is_no_mode_is_refused);
	RUN(foreign_calls_are_the_handlers);
	RUN(what_is_no_range_is_refused);
	return check_end();
}
