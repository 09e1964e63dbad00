/*
 * ptrace: the ends of threads as their tracer sees them, whatever ends them, and steps from branch
 * to branch.
 */
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "check.h"
#include "ptrace_help.h"

#ifndef PTRACE_SINGLEBLOCK
#define PTRACE_SINGLEBLOCK 33
#endif
#define SELF "/proc/self/exe"

/* ---- ends ---- */

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void begin_thread(void *(*body)(void *argument))
{
	pthread_t thread;

	pthread_create(&thread, NULL, body, NULL);
}

static int end_with_a_thread(void)
{
	begin_thread(wait_for_ever);
	syscall(SYS_exit_group, 7);
	return 1;
}

static int pause_with_a_thread(void)
{
	begin_thread(wait_for_ever);
	pause();
	return 1;
}

static unsigned long message_of(pid_t tid)
{
	unsigned long message = ~0ul;

	return ptrace(PTRACE_GETEVENTMSG, tid, 0, &message) ? ~1ul : message;
}

#define ENDS (PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT)

/* Runs until it has made its thread, which stops before its first step. The result: its number. */
static pid_t thread_of(pid_t pid, unsigned long options)
{
	pid_t thread;
	int status;

	if (ptrace(PTRACE_SETOPTIONS, pid, 0, options) ||
	    next_of(pid, PTRACE_CONT, 0) != STOPPED_AT(PTRACE_EVENT_CLONE))
		return NO_PROCESS;
	thread = (pid_t)message_of(pid);
	if (waitpid(thread, &status, __WALL) != thread || status != STOPPED_BY(SIGSTOP))
		return NO_PROCESS;
	return thread;
}

static void expect_end(pid_t tid, int status)
{
	int got = -1;

	EXPECT_EQUAL(waitpid(tid, &got, __WALL), tid);
	EXPECT_EQUAL(got, STOPPED_AT(PTRACE_EVENT_EXIT));
	EXPECT_EQUAL(message_of(tid), status);
}

static void who_is_ended_by_another_threads_exit_tells_of_it(void)
{
	pid_t pid = traced_child(end_with_a_thread);
	pid_t thread = thread_of(pid, ENDS);
	struct user_regs_struct regs;

	EXPECT_EQUAL(ptrace(PTRACE_CONT, thread, 0, 0), 0);
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	expect_end(pid, EXITED_WITH(7));
	expect_end(thread, EXITED_WITH(7));
	/* It can still be looked at. */
	EXPECT_EQUAL(ptrace(PTRACE_GETREGS, thread, 0, &regs), 0);
	EXPECT_EQUAL(next_of(thread, PTRACE_CONT, 0), EXITED_WITH(7));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
}

static void who_is_killed_tells_of_it(void)
{
	pid_t pid = traced_child(pause_with_a_thread);
	pid_t thread = thread_of(pid, ENDS);

	EXPECT_EQUAL(ptrace(PTRACE_CONT, thread, 0, 0), 0);
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQUAL(kill(pid, SIGKILL), 0);
	expect_end(thread, SIGKILL);
	expect_end(pid, SIGKILL);
	EXPECT_EQUAL(next_of(thread, PTRACE_CONT, 0), SIGKILL);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), SIGKILL);
}

static void *execute_from_thread(void *argument)
{
	char *arguments[] = {(char *)(uintptr_t)SELF, (char *)(uintptr_t) "exit", NULL};

	execv(SELF, arguments);
	return argument;
}

static int execute_in_thread(void)
{
	begin_thread(execute_from_thread);
	return (int)(intptr_t)wait_for_ever(NULL);
}

static void who_is_replaced_by_another_threads_program_tells_of_it(void)
{
	pid_t pid = traced_child(execute_in_thread);
	pid_t thread = thread_of(pid, ENDS | PTRACE_O_TRACEEXEC);

	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQUAL(ptrace(PTRACE_CONT, thread, 0, 0), 0);
	expect_end(pid, 0); /* the first thread; the other one waits for it */
	EXPECT_EQUAL(waitpid(-1, NULL, __WALL | WNOHANG), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_AT(PTRACE_EVENT_EXEC));
	EXPECT_EQUAL(message_of(pid), thread);
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	expect_end(pid, EXITED_WITH(12));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(12));
	EXPECT_ERRNO(ECHILD, waitpid(-1, NULL, __WALL));
}

static void who_is_left_by_its_tracer_ends_without_a_word(void)
{
	pid_t pid = traced_child(end_with_a_thread);
	pid_t thread = thread_of(pid, ENDS);
	int status;

	EXPECT_EQUAL(ptrace(PTRACE_CONT, thread, 0, 0), 0);
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	expect_end(thread, EXITED_WITH(7));
	EXPECT_EQUAL(ptrace(PTRACE_DETACH, thread, 0, 0), 0);
	expect_end(pid, EXITED_WITH(7));
	EXPECT_EQUAL(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, EXITED_WITH(7));
}

/* ---- the dead ---- */

static void wait_for_death(pid_t tid)
{
	siginfo_t info;

	EXPECT_EQUAL(waitid(P_PID, (id_t)tid, &info, WEXITED | WNOWAIT | __WALL), 0);
}

static void a_dead_tracee_is_there_to_be_waited_for(void)
{
	pid_t pid = traced_child(do_nothing);
	long word = 0;

	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	wait_for_death(pid);
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_CONT, pid, 0, 0));
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_DETACH, pid, 0, 0));
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_PEEKDATA, pid, &word, 0));
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_GETEVENTMSG, pid, 0, &word));
	EXPECT_EQUAL(ptrace(PTRACE_KILL, pid, 0, 0), 0);
	EXPECT_ERRNO(EIO, ptrace(PTRACE_INTERRUPT, pid, 0, 0)); /* it was not seized */
	EXPECT_ERRNO(EPERM, ptrace(PTRACE_ATTACH, pid, 0, 0));
	EXPECT_ERRNO(EPERM, ptrace(PTRACE_SEIZE, pid, 0, 0));
	end_of(pid);
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_KILL, pid, 0, 0));
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_ATTACH, pid, 0, 0));
}

static void a_dead_one_that_was_seized_can_be_interrupted(void)
{
	pid_t pid = sleeping_child();

	EXPECT_EQUAL(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	EXPECT_EQUAL(kill(pid, SIGKILL), 0);
	wait_for_death(pid);
	EXPECT_EQUAL(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	EXPECT_EQUAL(ptrace(PTRACE_KILL, pid, 0, 0), 0);
	end_of(pid);
}

static void a_dead_child_cannot_be_attached_to(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	wait_for_death(pid);
	EXPECT_ERRNO(EPERM, ptrace(PTRACE_ATTACH, pid, 0, 0));
	EXPECT_ERRNO(EPERM, ptrace(PTRACE_SEIZE, pid, 0, 0));
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_KILL, pid, 0, 0));
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
}

static void *end_at_once(void *argument)
{
	return argument;
}

static int lose_a_thread(void)
{
	begin_thread(end_at_once);
	pause();
	return 1;
}

static void a_dead_thread_keeps_its_number_for_its_tracer(void)
{
	pid_t pid = traced_child(lose_a_thread);
	pid_t thread = thread_of(pid, PTRACE_O_TRACECLONE);

	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQUAL(ptrace(PTRACE_CONT, thread, 0, 0), 0);
	wait_for_death(thread);
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_CONT, thread, 0, 0));
	EXPECT_ERRNO(EPERM, ptrace(PTRACE_ATTACH, thread, 0, 0));
	EXPECT_EQUAL(ptrace(PTRACE_KILL, thread, 0, 0), 0);
	EXPECT_EQUAL(waitpid(thread, NULL, __WALL), thread);
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_ATTACH, thread, 0, 0));
	end_of(pid);
}

/* ---- from branch to branch ---- */

/* Between its traps: instructions of one byte and of two, a jump, and those that it leaps over. */
static int jump(void)
{
	__asm__ volatile(
		"int3\n\tnop\n\tnop\n\tnop\n\tnop\n\tjmp 1f\n\tnop\n\tnop\n1:\tnop\n\tint3");
	return 3;
}

#define RIP        offsetof(struct user, regs.rip)
#define JUMP_AT    4
#define TARGET_AT  8
#define CODE_BYTES 10

/* A CPU that knows nothing of branches stops after each instruction. */
static void steps_end_where_a_branch_leads(void)
{
	pid_t pid = traced_child(jump);
	long begin, at = 0;
	int nsteps = 0;

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGTRAP));
	begin = ptrace(PTRACE_PEEKUSER, pid, RIP, 0);
	while (at != TARGET_AT && nsteps++ < CODE_BYTES) {
		EXPECT_EQUAL(next_of(pid, PTRACE_SINGLEBLOCK, 0), STOPPED_BY(SIGTRAP));
		at = ptrace(PTRACE_PEEKUSER, pid, RIP, 0) - begin;
	}
	EXPECT_EQUAL(at, TARGET_AT);
	EXPECT(nsteps == 1 || nsteps == JUMP_AT + 1);
	/* Steps of one instruction are what they were. */
	EXPECT_EQUAL(next_of(pid, PTRACE_SINGLESTEP, 0), STOPPED_BY(SIGTRAP));
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, RIP, 0) - begin, TARGET_AT + 1);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGTRAP));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(3));
}

static void who_is_not_stopped_takes_no_such_step(void)
{
	pid_t pid = sleeping_child();

	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_SINGLEBLOCK, pid, 0, 0));
	end_of(pid);
	pid = traced_child(do_nothing);
	EXPECT_ERRNO(EIO, ptrace(PTRACE_SINGLEBLOCK, pid, 0, 65));
	end_of(pid);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 12;
	RUN(who_is_ended_by_another_threads_exit_tells_of_it);
	RUN(who_is_killed_tells_of_it);
	RUN(who_is_replaced_by_another_threads_program_tells_of_it);
	RUN(who_is_left_by_its_tracer_ends_without_a_word);
	RUN(a_dead_tracee_is_there_to_be_waited_for);
	RUN(a_dead_one_that_was_seized_can_be_interrupted);
	RUN(a_dead_child_cannot_be_attached_to);
	RUN(a_dead_thread_keeps_its_number_for_its_tracer);
	RUN(steps_end_where_a_branch_leads);
	RUN(who_is_not_stopped_takes_no_such_step);
	return check_end();
}
