/*
 * ptrace: what stops a tracee, and what is told of it: signals, system calls, births, new programs,
 * ends, and the stops of a whole process.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"
#include "ptrace_help.h"
#include "signal_help.h"

#define SELF "/proc/self/exe"

/* ---- signals ---- */

static int raise_and_count(void)
{
	install(SIGUSR1, note, 0);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR1);
	raise(SIGUSR2);
	return ncalls;
}

static void signals_pass_by_the_tracer(void)
{
	pid_t pid = traced_child(raise_and_count);
	siginfo_t info;

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGUSR1));
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	EXPECT_EQUAL(info.si_signo, SIGUSR1);
	EXPECT_EQUAL(info.si_pid, pid);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, SIGUSR1),
		     STOPPED_BY(SIGUSR2)); /* ignored ones, too */
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, SIGUSR2), EXITED_WITH(1));
}

static void a_tracer_keeps_signals_and_sends_others(void)
{
	pid_t pid = traced_child(raise_and_count);

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGUSR1));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGUSR2));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, SIGUSR1), EXITED_WITH(1)); /* another one */
	pid = traced_child(raise_and_count);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGUSR1));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, SIGTERM), SIGTERM);
}

static int value_of_signal(void)
{
	install_info(SIGRTMIN, note_info, 0);
	block(SIGRTMIN);
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1});
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 2});
	raise(SIGUSR1);
	unblock(SIGRTMIN);
	return last_info.si_value.sival_int;
}

static void siginfo_is_looked_at_and_changed(void)
{
	struct __ptrace_peeksiginfo_args args = {.flags = PTRACE_PEEKSIGINFO_SHARED, .nr = 5};
	pid_t pid = traced_child(value_of_signal);
	siginfo_t infos[5], info;

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGUSR1));
	EXPECT_EQUAL(ptrace(PTRACE_PEEKSIGINFO, pid, &args, infos), 2);
	EXPECT_EQUAL(infos[0].si_value.sival_int, 1);
	EXPECT_EQUAL(infos[1].si_value.sival_int, 2);
	args.off = 1;
	EXPECT_EQUAL(ptrace(PTRACE_PEEKSIGINFO, pid, &args, infos), 1);
	EXPECT_EQUAL(infos[0].si_value.sival_int, 2);
	args.nr = -1;
	EXPECT_ERRNO(EINVAL, ptrace(PTRACE_PEEKSIGINFO, pid, &args, infos));
	args = (struct __ptrace_peeksiginfo_args){.flags = 2, .nr = 1};
	EXPECT_ERRNO(EINVAL, ptrace(PTRACE_PEEKSIGINFO, pid, &args, infos));
	EXPECT_ERRNO(EFAULT, ptrace(PTRACE_PEEKSIGINFO, pid, 8, infos));
	args.flags = 0; /* its own: none */
	EXPECT_EQUAL(ptrace(PTRACE_PEEKSIGINFO, pid, &args, infos), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGRTMIN));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, SIGRTMIN), STOPPED_BY(SIGRTMIN));
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	info.si_value.sival_int = 9;
	EXPECT_EQUAL(ptrace(PTRACE_SETSIGINFO, pid, 0, &info), 0);
	EXPECT_ERRNO(EFAULT, ptrace(PTRACE_SETSIGINFO, pid, 0, 8));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, SIGRTMIN), EXITED_WITH(9));
}

static void the_mask_is_looked_at_and_changed(void)
{
	pid_t pid = traced_child(value_of_signal);
	uint64_t mask = 0;

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGUSR1));
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGMASK, pid, sizeof(mask), &mask), 0);
	EXPECT_EQUAL(mask >> (SIGRTMIN - 1) & 1, 1);
	EXPECT_ERRNO(EINVAL, ptrace(PTRACE_GETSIGMASK, pid, 4, &mask));
	mask = ~0ul;
	EXPECT_EQUAL(ptrace(PTRACE_SETSIGMASK, pid, sizeof(mask), &mask), 0);
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGMASK, pid, sizeof(mask), &mask), 0);
	EXPECT_EQUAL(mask >> (SIGKILL - 1) & 1, 0);
	mask = 0;
	EXPECT_EQUAL(ptrace(PTRACE_SETSIGMASK, pid, sizeof(mask), &mask), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGRTMIN)); /* at once */
	end_of(pid);
}

#define GET_RSEQ_CONFIGURATION 0x420f
#define SECCOMP_GET_FILTER     0x420c

struct rseq_told {
	uint64_t address;
	uint32_t size, signature, flags, padding;
};

static struct {
	uint32_t words[8];
} __attribute__((aligned(32))) sequences;

static int register_sequences(void)
{
	if (syscall(SYS_rseq, &sequences, sizeof(sequences), 0, 0x53053053))
		return 1;
	raise(SIGUSR1);
	return 0;
}

static void its_restartable_sequences_are_told(void)
{
	pid_t pid = traced_child(register_sequences);
	struct rseq_told told = {.address = 1};

	EXPECT_EQUAL(ptrace(GET_RSEQ_CONFIGURATION, pid, sizeof(told), &told), sizeof(told));
	EXPECT_EQUAL(told.address, 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGUSR1));
	EXPECT_EQUAL(ptrace(GET_RSEQ_CONFIGURATION, pid, sizeof(told), &told), sizeof(told));
	EXPECT_EQUAL(told.address, (uintptr_t)&sequences);
	EXPECT_EQUAL(told.size, sizeof(sequences));
	EXPECT_EQUAL(told.signature, 0x53053053);
	EXPECT_EQUAL(told.flags, 0);
	told.size = 99; /* as much as is wanted */
	EXPECT_EQUAL(ptrace(GET_RSEQ_CONFIGURATION, pid, 8, &told), sizeof(told));
	EXPECT_EQUAL(told.size, 99);
	EXPECT_ERRNO(EFAULT, ptrace(GET_RSEQ_CONFIGURATION, pid, sizeof(told), 8));
	EXPECT(ptrace(SECCOMP_GET_FILTER, pid, 0, 0) == -1); /* it has none */
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(0));
}

static int touch_nothing(void)
{
	__asm__ volatile("movl $1, 8");
	return 0;
}

static void faults_are_the_tracers_first(void)
{
	pid_t pid = traced_child(touch_nothing);
	siginfo_t info;

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGSEGV));
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	EXPECT_EQUAL((long)info.si_addr, 8);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGSEGV)); /* again */
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, SIGSEGV) & 0x7f, SIGSEGV);
}

/* ---- system calls ---- */

static int make_calls(void)
{
	long bad = syscall(SYS_close, 1000);

	return (int)syscall(SYS_getppid) == 77 ? 5 : bad == -1 ? 6 : 8;
}

#define CALL_STOP ((SIGTRAP | 0x80) << 8 | 0x7f)

static void system_calls_stop_twice(void)
{
	struct __ptrace_syscall_info info;
	struct user_regs_struct regs;
	pid_t pid = traced_child(make_calls);
	unsigned long message;
	siginfo_t signal;

	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), STOPPED_BY(SIGTRAP)); /* tells no more */
	EXPECT_EQUAL(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	while (regs.orig_rax != SYS_close) {
		EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
		EXPECT_EQUAL(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
	}
	EXPECT_EQUAL((long)regs.rax, -ENOSYS);
	EXPECT_EQUAL(regs.rdi, 1000);
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGINFO, pid, 0, &signal), 0);
	EXPECT_EQUAL(signal.si_code, SIGTRAP | 0x80);
	EXPECT_EQUAL(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	EXPECT_EQUAL(message, 1);
	EXPECT_EQUAL(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info), 80);
	EXPECT_EQUAL(info.op, PTRACE_SYSCALL_INFO_ENTRY);
	EXPECT_EQUAL(info.arch, 0xc000003e);
	EXPECT_EQUAL(info.entry.nr, SYS_close);
	EXPECT_EQUAL(info.entry.args[0], 1000);
	EXPECT_EQUAL(info.instruction_pointer, regs.rip);
	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info), 33);
	EXPECT_EQUAL(info.op, PTRACE_SYSCALL_INFO_EXIT);
	EXPECT_EQUAL(info.exit.rval, -EBADF);
	EXPECT_EQUAL(info.exit.is_error, 1);
	EXPECT_EQUAL(ptrace(PTRACE_GET_SYSCALL_INFO, pid, 8, &info), 33); /* a part */
	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), 77), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(5));
}

static void a_tracer_changes_and_prevents_calls(void)
{
	pid_t pid = traced_child(make_calls);

	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	do {
		EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
	} while (ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.orig_rax), 0) !=
		 SYS_close);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), SYS_getpid),
		     0);
	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rax), 0), pid);
	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP); /* getppid */
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), -1l), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rax), 0), -ENOSYS);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(8));
}

static void calls_are_emulated(void)
{
	pid_t pid = traced_child(make_calls);

	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	do {
		EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
	} while (ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.orig_rax), 0) !=
		 SYS_close);
	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), CALL_STOP);
	EXPECT_EQUAL(next_of(pid, 31 /* SYSEMU */, 0), CALL_STOP);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.orig_rax), 0),
		     SYS_getppid);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), 77), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(5));
}

static int wait_long(void)
{
	struct timespec time = {.tv_sec = 1000};
	int fds[2];
	char byte;

	if (pipe(fds))
		return 1;
	(void)!read(fds[0], &byte, 1);
	return nanosleep(&time, NULL);
}

static void interrupted_calls_say_so(void)
{
	pid_t pid = traced_child(wait_long);
	struct user_regs_struct regs;
	int status;

	do {
		EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), STOPPED_BY(SIGTRAP));
		EXPECT_EQUAL(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
	} while (regs.orig_rax != SYS_read);
	EXPECT_EQUAL(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
	EXPECT_EQUAL(kill(pid, SIGWINCH), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
	EXPECT_EQUAL((long)regs.rax, -512); /* ERESTARTSYS */
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGWINCH));
	EXPECT_EQUAL(ptrace(PTRACE_SETREGS, pid, 0, &regs), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_SYSCALL, 0), STOPPED_BY(SIGTRAP)); /* it begins anew */
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.orig_rax), 0),
		     SYS_read);
	end_of(pid);
}

/* ---- births, programs, ends ---- */

static void *do_little(void *argument)
{
	return argument;
}

static int have_children(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0)
		_exit(3);
	waitpid(pid, NULL, 0);
	pid = vfork();
	if (pid == 0)
		_exit(4);
	waitpid(pid, NULL, 0);
	pthread_create(&thread, NULL, do_little, NULL);
	pthread_join(thread, NULL);
	return 5;
}

#define EVENTS                                                                                     \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE)

struct seen {
	int forks, vforks, clones, dones, exits, newborn, threads;
	int sum; /* of exit statuses */
};

/* Lets all tracees run to their ends; what they tell is counted. */
static struct seen run_all(pid_t first)
{
	struct seen seen = {0};
	int status;
	pid_t pid;

	if (ptrace(PTRACE_CONT, first, 0, 0))
		return seen;
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFEXITED(status)) {
			seen.sum += WEXITSTATUS(status);
			seen.exits++;
			continue;
		}
		switch (status >> 16) {
		case PTRACE_EVENT_FORK:
			seen.forks++;
			break;
		case PTRACE_EVENT_VFORK:
			seen.vforks++;
			break;
		case PTRACE_EVENT_CLONE:
			seen.clones++;
			break;
		case PTRACE_EVENT_VFORK_DONE:
			seen.dones++;
			break;
		case 128: /* PTRACE_EVENT_STOP */
			seen.newborn++;
			break;
		default:
			if (WSTOPSIG(status) == SIGSTOP)
				seen.newborn++;
			else if (WSTOPSIG(status) == SIGCHLD)
				(void)0;
			else
				seen.sum += 1000;
		}
		ptrace(PTRACE_CONT, pid, 0, 0);
	}
	return seen;
}

static void children_and_threads_are_traced_too(void)
{
	pid_t pid = traced_child(have_children);
	struct seen seen;

	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, EVENTS), 0);
	seen = run_all(pid);
	EXPECT_EQUAL(seen.forks, 1);
	EXPECT_EQUAL(seen.vforks, 1);
	EXPECT_EQUAL(seen.dones, 1);
	EXPECT_EQUAL(seen.clones, 1);
	EXPECT_EQUAL(seen.newborn, 3);
	EXPECT_EQUAL(seen.exits, 4); /* the thread's, too */
	/* The thread's status is its own, or that of the process if that ends meanwhile. */
	EXPECT(seen.sum == 3 + 4 + 5 || seen.sum == 3 + 4 + 5 + 5);
}

static int execute_self(void)
{
	char *arguments[] = {(char *)(uintptr_t)SELF, (char *)(uintptr_t) "exit", NULL};

	execv(SELF, arguments);
	return 1;
}

static void a_new_program_traps(void)
{
	pid_t pid = traced_child(execute_self);
	unsigned long message;

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGTRAP));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(12));
	pid = traced_child(execute_self);
	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_AT(PTRACE_EVENT_EXEC));
	EXPECT_EQUAL(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	EXPECT_EQUAL(message, pid);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_AT(PTRACE_EVENT_EXIT));
	EXPECT_EQUAL(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	EXPECT_EQUAL(message, EXITED_WITH(12));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(12));
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_SETOPTIONS, pid, 0, 0));
}

static void *execute_from_thread(void *argument)
{
	execute_self();
	return argument;
}

static int execute_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, execute_from_thread, NULL);
	pause();
	return 1;
}

/* A thread that is not the first becomes it; nobody hears of the first one's end. */
static void a_thread_that_executes_gets_the_processes_number(void)
{
	pid_t pid = traced_child(execute_in_thread);
	unsigned long thread, message;
	int status;

	EXPECT_EQUAL(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC),
		     0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_AT(PTRACE_EVENT_CLONE));
	EXPECT_EQUAL(ptrace(PTRACE_GETEVENTMSG, pid, 0, &thread), 0);
	EXPECT_EQUAL(waitpid((pid_t)thread, &status, __WALL), (pid_t)thread);
	EXPECT_EQUAL(status, STOPPED_BY(SIGSTOP));
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQUAL(ptrace(PTRACE_CONT, thread, 0, 0), 0);
	EXPECT_EQUAL(waitpid(-1, &status, __WALL), pid);
	EXPECT_EQUAL(status, STOPPED_AT(PTRACE_EVENT_EXEC));
	EXPECT_EQUAL(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	EXPECT_EQUAL(message, thread);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(12));
	EXPECT_ERRNO(ECHILD, waitpid(-1, &status, __WALL));
}

/* ---- stops of the whole process ---- */

static void a_stop_is_told_and_can_be_passed(void)
{
	pid_t pid = traced_child(wait_long);
	siginfo_t info;
	int status;

	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQUAL(kill(pid, SIGTSTP), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, STOPPED_BY(SIGTSTP)); /* the signal */
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, SIGSTOP), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, STOPPED_BY(SIGSTOP)); /* the stop that it makes */
	EXPECT_ERRNO(EINVAL, ptrace(PTRACE_GETSIGINFO, pid, 0, &info));
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0); /* it runs although it is stopped */
	EXPECT_EQUAL(kill(pid, SIGUSR1), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, STOPPED_BY(SIGUSR1));
	end_of(pid);
}

#define EVENT_STOP(signal) (((signal) | 128 << 8) << 8 | 0x7f)

static void a_seized_one_is_interrupted(void)
{
	pid_t pid = sleeping_child();
	siginfo_t info;
	int status;

	EXPECT_ERRNO(EIO, ptrace(PTRACE_SEIZE, pid, 0, 1 << 30));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_SEIZE, pid, 8, 0));
	EXPECT_EQUAL(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	EXPECT_EQUAL(waitpid(pid, &status, WNOHANG), 0); /* it runs on */
	EXPECT_EQUAL(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, EVENT_STOP(SIGTRAP));
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	EXPECT_EQUAL(info.si_code, SIGTRAP | 128 << 8);
	EXPECT_ERRNO(EINVAL, ptrace(PTRACE_SETOPTIONS, pid, 0, 1 << 30));
	EXPECT_EQUAL(ptrace(PTRACE_DETACH, pid, 0, SIGUSR1),
		     0); /* no signal's stop: it is not sent */
	EXPECT_EQUAL(kill(pid, SIGTERM), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, SIGTERM);
	pid = traced_child(do_nothing); /* not seized */
	EXPECT_ERRNO(EIO, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_LISTEN, pid, 0, 0));
	end_of(pid);
}

static void a_seized_one_is_stopped_and_listens(void)
{
	pid_t pid = sleeping_child();
	int status;

	EXPECT_EQUAL(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	EXPECT_EQUAL(kill(pid, SIGSTOP), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, STOPPED_BY(SIGSTOP));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_LISTEN, pid, 0, 0));
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, SIGSTOP), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, EVENT_STOP(SIGSTOP));
	EXPECT_EQUAL(ptrace(PTRACE_LISTEN, pid, 0, 0), 0);
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_CONT, pid, 0, 0)); /* not there for requests */
	EXPECT_EQUAL(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_EQUAL(kill(pid, SIGCONT), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, EVENT_STOP(SIGTRAP)); /* it is not stopped any more */
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, STOPPED_BY(SIGCONT));
	end_of(pid);
}

static void one_that_is_stopped_can_be_attached_to(void)
{
	pid_t pid = sleeping_child();
	int status;

	EXPECT_EQUAL(kill(pid, SIGSTOP), 0);
	EXPECT_EQUAL(waitpid(pid, &status, WUNTRACED), pid);
	EXPECT_EQUAL(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, EVENT_STOP(SIGSTOP));
	EXPECT_EQUAL(ptrace(PTRACE_DETACH, pid, 0, 0), 0); /* it remains stopped */
	EXPECT_EQUAL(kill(pid, SIGTERM), 0);
	EXPECT_EQUAL(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_EQUAL(kill(pid, SIGCONT), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, SIGTERM);
}

static void waitid_tells_of_traps(void)
{
	pid_t pid = traced_child(touch_nothing);
	siginfo_t info = {0};

	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
	EXPECT_EQUAL(info.si_code, CLD_TRAPPED);
	EXPECT_EQUAL(info.si_status, SIGSEGV);
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
	info.si_pid = 1;
	EXPECT_EQUAL(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG), 0);
	EXPECT_EQUAL(info.si_pid, 0);
	end_of(pid);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 12;
	RUN(signals_pass_by_the_tracer);
	RUN(a_tracer_keeps_signals_and_sends_others);
	RUN(siginfo_is_looked_at_and_changed);
	RUN(the_mask_is_looked_at_and_changed);
	RUN(its_restartable_sequences_are_told);
	RUN(faults_are_the_tracers_first);
	RUN(system_calls_stop_twice);
	RUN(a_tracer_changes_and_prevents_calls);
	RUN(calls_are_emulated);
	RUN(interrupted_calls_say_so);
	RUN(children_and_threads_are_traced_too);
	RUN(a_new_program_traps);
	RUN(a_thread_that_executes_gets_the_processes_number);
	RUN(a_stop_is_told_and_can_be_passed);
	RUN(a_seized_one_is_interrupted);
	RUN(a_seized_one_is_stopped_and_listens);
	RUN(one_that_is_stopped_can_be_attached_to);
	RUN(waitid_tells_of_traps);
	return check_end();
}
