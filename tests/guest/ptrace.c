/*
 * ptrace: how a tracee begins, goes on and ends; its memory and its registers.
 */
#include <asm/prctl.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "as_user.h"
#include "check.h"
#include "ptrace_help.h"

static volatile long variable = 42;
static const long constant = 43;

static int return_variable(void)
{
	return (int)variable;
}

/* ---- begin and end ---- */

static void a_child_asks_to_be_traced(void)
{
	pid_t pid = traced_child(do_nothing);

	EXPECT(pid != NO_PROCESS);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
	EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
}

static void who_is_traced_is_not_traced_twice(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(1);
		_exit(ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 && errno == EPERM ? 0 : 2);
	}
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
}

static void attaching_stops_a_process(void)
{
	pid_t pid = sleeping_child();
	int status;

	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_CONT, pid, 0, 0));
	EXPECT_EQUAL(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
	EXPECT_ERRNO(EPERM, ptrace(PTRACE_ATTACH, pid, 0, 0));
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, STOPPED_BY(SIGSTOP));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_CONT, pid, 0, 65));
	EXPECT_EQUAL(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_CONT, pid, 0, 0)); /* it runs */
	EXPECT_EQUAL(waitpid(pid, &status, WNOHANG), 0);
	EXPECT_EQUAL(kill(pid, SIGTERM), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, STOPPED_BY(SIGTERM));
	EXPECT_EQUAL(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
	EXPECT_EQUAL(kill(pid, SIGTERM), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void oneself_and_nobody_cannot_be_traced(void)
{
	pid_t gone = fork();

	if (gone == 0)
		_exit(0);
	waitpid(gone, NULL, 0);
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_ATTACH, gone, 0, 0));
	EXPECT_ERRNO(EPERM, ptrace(PTRACE_ATTACH, getpid(), 0, 0));
	EXPECT_ERRNO(ESRCH, ptrace(PTRACE_CONT, getppid(), 0, 0));
	EXPECT_ERRNO(ESRCH, ptrace(0x7777, getpid(), 0, 0));
}

static void a_killed_tracee_ends_in_any_stop(void)
{
	pid_t pid = traced_child(do_nothing);
	int status;

	EXPECT(pid != NO_PROCESS);
	EXPECT_EQUAL(kill(pid, SIGKILL), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	pid = traced_child(do_nothing);
	EXPECT_EQUAL(ptrace(PTRACE_KILL, pid, 0, 0), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The tracer is a process between: with its end its tracee goes on, or ends. */
static int end_of_tracers_tracee(unsigned options)
{
	int fds[2], status = -1;
	char byte = 0;
	pid_t tracee, tracer;

	if (pipe(fds))
		return -1;
	tracee = fork();
	if (tracee == 0) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 1 ? 5 : 6);
	}
	tracer = fork();
	if (tracer == 0) {
		if (ptrace(PTRACE_SEIZE, tracee, 0, options) ||
		    ptrace(PTRACE_INTERRUPT, tracee, 0, 0))
			_exit(1);
		_exit(waitpid(tracee, &status, 0) != tracee);
	}
	close(fds[0]);
	if (waitpid(tracer, &status, 0) != tracer || status)
		return -1;
	if (write(fds[1], "x", 1) != 1 && errno != EPIPE)
		return -1;
	close(fds[1]);
	return waitpid(tracee, &status, 0) == tracee ? status : -1;
}

static void tracees_survive_their_tracer_unless_it_wants_otherwise(void)
{
	signal(SIGPIPE, SIG_IGN);
	EXPECT_EQUAL(end_of_tracers_tracee(0), EXITED_WITH(5));
	EXPECT_EQUAL(end_of_tracers_tracee(PTRACE_O_EXITKILL), SIGKILL);
}

/* First the tracer learns of the end, then the parent. */
static void the_parent_waits_for_the_tracer(void)
{
	pid_t tracee = sleeping_child();
	pid_t tracer;
	int fds[2];
	int status;
	char byte;

	EXPECT_EQUAL(pipe(fds), 0);
	tracer = fork();
	if (tracer == 0) {
		if (ptrace(PTRACE_SEIZE, tracee, 0, 0) || write(fds[1], "x", 1) != 1)
			_exit(1);
		if (waitid(P_PID, (id_t)tracee, NULL, WEXITED | WNOWAIT))
			_exit(2);
		_exit(waitpid(tracee, &status, 0) == tracee && WTERMSIG(status) == SIGTERM ? 0 : 3);
	}
	EXPECT_EQUAL(read(fds[0], &byte, 1), 1);
	EXPECT_EQUAL(kill(tracee, SIGTERM), 0);
	EXPECT_EQUAL(waitpid(tracer, &status, 0), tracer); /* its signal passes two stops */
	EXPECT_EQUAL(status, EXITED_WITH(3));
	EXPECT_EQUAL(kill(tracee, SIGKILL), 0);
	EXPECT_EQUAL(waitpid(tracee, &status, 0), tracee);
	close(fds[0]);
	close(fds[1]);
}

static void proc_says_who_traces(void)
{
	char path[64], text[1024] = "", line[32];
	pid_t pid = traced_child(do_nothing);
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	snprintf(line, sizeof(line), "TracerPid:\t%d\n", getpid());
	EXPECT(strstr(text, line));
	EXPECT(strstr(text, "State:\tt (tracing stop)"));
	end_of(pid);
}

static pid_t stranger;

static int trace_stranger(void)
{
	NEED(ptrace(PTRACE_ATTACH, stranger, 0, 0) == -1 && errno == EPERM);
	NEED(ptrace(PTRACE_SEIZE, stranger, 0, 0) == -1 && errno == EPERM);
	NEED(ptrace(PTRACE_ATTACH, getppid(), 0, 0) == -1 && errno == EPERM);
	return 0;
}

static void nobody_traces_whom_he_may_not_look_at(void)
{
	stranger = sleeping_child();
	EXPECT_EQUAL(as_user(trace_stranger), 0);
	end_of(stranger);
}

/* ---- memory ---- */

static void memory_is_read_and_written(void)
{
	pid_t pid = traced_child(return_variable);

	EXPECT(pid != NO_PROCESS);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKDATA, pid, &variable, 0), 42);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKTEXT, pid, &constant, 0), 43);
	EXPECT_EQUAL(ptrace(PTRACE_POKEDATA, pid, &variable, 9), 0);
	EXPECT_EQUAL(variable, 42);
	EXPECT_EQUAL(ptrace(PTRACE_POKETEXT, pid, &constant, 44), 0); /* though it is read-only */
	EXPECT_EQUAL(ptrace(PTRACE_PEEKDATA, pid, &constant, 0), 44);
	EXPECT_EQUAL(*(volatile const long *)&constant, 43);
	EXPECT_ERRNO(EIO, ptrace(PTRACE_PEEKDATA, pid, 8, 0));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_POKEDATA, pid, 8, 0));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_PEEKDATA, pid, -8l, 0));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_POKEDATA, pid, -4096l, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_ptrace, PTRACE_PEEKDATA, pid, &variable, 8));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(9));
}

static void *no_access;

static void pages_without_rights_are_read_and_written(void)
{
	pid_t pid;

	no_access = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*(long *)no_access = 77;
	EXPECT_EQUAL(mprotect(no_access, 4096, PROT_NONE), 0);
	pid = traced_child(do_nothing);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKDATA, pid, no_access, 0), 77);
	EXPECT_EQUAL(ptrace(PTRACE_POKEDATA, pid, no_access, 78), 0);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKDATA, pid, no_access, 0), 78);
	EXPECT_EQUAL(mprotect(no_access, 4096, PROT_READ), 0);
	EXPECT_EQUAL(*(long *)no_access, 77);
	munmap(no_access, 4096);
	end_of(pid);
}

/* ---- registers ---- */

static int sum_in_registers(void)
{
	long result;

	/* r12, rbx and xmm3 are 0 but for the tracer, who looks at rbp, too. */
	__asm__ volatile("xorl %%ebx, %%ebx\n\txorl %%r12d, %%r12d\n\tmovl $11, %%r13d\n\t"
			 "pxor %%xmm3, %%xmm3\n\tint3\n\tmovq %%xmm3, %0\n\t"
			 "addq %%rbx, %0\n\taddq %%r12, %0"
			 : "=r"(result)::"rbx", "r12", "r13", "xmm3");
	return (int)result;
}

static void general_registers(void)
{
	struct user_regs_struct regs, again;
	pid_t pid = traced_child(sum_in_registers);

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGTRAP));
	EXPECT_EQUAL(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
	EXPECT_EQUAL(regs.r13, 11);
	EXPECT_EQUAL(regs.cs, 0x33);
	EXPECT_EQUAL(regs.ss, 0x2b);
	EXPECT_EQUAL((long)regs.orig_rax, -1);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKTEXT, pid, regs.rip - 1, 0) & 0xff, 0xcc);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), 0), regs.rip);
	regs.rbx = 20;
	EXPECT_EQUAL(ptrace(PTRACE_SETREGS, pid, 0, &regs), 0);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.r12), 3), 0);
	EXPECT_EQUAL(ptrace(PTRACE_GETREGS, pid, 0, &again), 0);
	regs.r12 = 3;
	EXPECT_EQUAL(memcmp(&regs, &again, sizeof(regs)), 0);
	EXPECT_ERRNO(EIO, ptrace(PTRACE_PEEKUSER, pid, 3, 0));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_PEEKUSER, pid, 928, 0));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_POKEUSER, pid, 928, 0));
	EXPECT_ERRNO(EIO, ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_tsize), 0));
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, u_tsize), 0), 0);
	EXPECT_ERRNO(EIO, ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.cs), 0x10));
	EXPECT_ERRNO(EIO,
		     ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.fs_base), LONG_MIN));
	EXPECT_ERRNO(EFAULT, ptrace(PTRACE_GETREGS, pid, 0, 8));
	EXPECT_ERRNO(EFAULT, ptrace(PTRACE_SETREGS, pid, 0, 8));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(23));
}

static void fpu_registers(void)
{
	struct user_fpregs_struct fpu, bad;
	pid_t pid = traced_child(sum_in_registers);

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGTRAP));
	EXPECT_EQUAL(ptrace(PTRACE_GETFPREGS, pid, 0, &fpu), 0);
	EXPECT_EQUAL(fpu.cwd, 0x37f);
	EXPECT_EQUAL(fpu.xmm_space[12], 0);
	fpu.xmm_space[12] = 31;
	EXPECT_EQUAL(ptrace(PTRACE_SETFPREGS, pid, 0, &fpu), 0);
	bad = fpu;
	bad.mxcsr = ~0u;
	EXPECT_ERRNO(EINVAL, ptrace(PTRACE_SETFPREGS, pid, 0, &bad));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(31));
}

static void register_sets(void)
{
	static char state[8192];
	struct user_regs_struct regs;
	struct iovec piece = {&regs, sizeof(regs) + 64};
	pid_t pid = traced_child(sum_in_registers);
	uint64_t components;

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGTRAP));
	EXPECT_EQUAL(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &piece), 0);
	EXPECT_EQUAL(piece.iov_len, sizeof(regs));
	EXPECT_EQUAL(regs.r13, 11);
	piece.iov_len = 12;
	EXPECT_ERRNO(EINVAL, ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &piece));
	piece.iov_len = 16;
	EXPECT_EQUAL(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &piece), 0);
	EXPECT_EQUAL(piece.iov_len, 16);
	regs.rbx = 4;
	piece.iov_len = sizeof(regs);
	EXPECT_EQUAL(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &piece), 0);
	EXPECT_ERRNO(EINVAL, ptrace(PTRACE_GETREGSET, pid, 0x7777, &piece));
	EXPECT_ERRNO(EFAULT, ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, 8));
	piece = (struct iovec){state, sizeof(state)};
	EXPECT_EQUAL(ptrace(PTRACE_GETREGSET, pid, NT_PRFPREG, &piece), 0);
	EXPECT_EQUAL(piece.iov_len, 512);
	EXPECT_EQUAL(ptrace(PTRACE_SETREGSET, pid, NT_PRFPREG, &piece), 0);
	piece.iov_len = sizeof(state);
	if (ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &piece) == 0) {
		EXPECT(piece.iov_len >= 576);
		memcpy(&components, state + 464, sizeof(components));
		EXPECT((components & 3) == 3);
		state[160 + 3 * 16] = 50; /* xmm3 */
		components = 3;
		memcpy(state + 512, &components, sizeof(components));
		EXPECT_EQUAL(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &piece), 0);
	} else {
		EXPECT_EQUAL(errno, ENODEV); /* a CPU without XSAVE */
		EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.r12), 50), 0);
	}
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(54));
}

static void segment_bases(void)
{
	pid_t pid = traced_child(do_nothing);
	uint64_t base = 0;

	EXPECT_EQUAL(syscall(SYS_ptrace, PTRACE_ARCH_PRCTL, pid, &base, ARCH_GET_FS), 0);
	EXPECT(base);
	EXPECT_EQUAL(syscall(SYS_ptrace, PTRACE_ARCH_PRCTL, pid, 0x1000, ARCH_SET_GS), 0);
	EXPECT_EQUAL(syscall(SYS_ptrace, PTRACE_ARCH_PRCTL, pid, &base, ARCH_GET_GS), 0);
	EXPECT_EQUAL(base, 0x1000);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.gs_base), 0), 0x1000);
	EXPECT_ERRNO(EPERM, syscall(SYS_ptrace, PTRACE_ARCH_PRCTL, pid, LONG_MIN, ARCH_SET_FS));
	EXPECT_ERRNO(EINVAL, syscall(SYS_ptrace, PTRACE_ARCH_PRCTL, pid, 0, 77));
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
}

/* ---- steps and debug registers ---- */

static int count_instructions(void)
{
	__asm__ volatile("int3\n\tnop\n\tmovl $39, %%eax\n\tsyscall\n\tnop\n\tint3" ::
				 : "rax", "rcx", "r11", "memory");
	return 3;
}

static void single_steps(void)
{
	pid_t pid = traced_child(count_instructions);
	unsigned long before, rip;
	struct user_regs_struct regs;
	siginfo_t info;
	static const int lengths[] = {1, 5, 2, 1, 1};

	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGTRAP));
	before = (unsigned long)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), 0);
	for (int i = 0; i < 5; i++) {
		EXPECT_EQUAL(next_of(pid, PTRACE_SINGLESTEP, 0), STOPPED_BY(SIGTRAP));
		EXPECT_EQUAL(ptrace(PTRACE_GETREGS, pid, 0, &regs), 0);
		rip = regs.rip;
		EXPECT_EQUAL(rip - before, lengths[i]);
		EXPECT_EQUAL(regs.eflags & 0x100, 0);
		before = rip;
		if (i == 2)
			EXPECT_EQUAL(regs.rax, pid);
	}
	EXPECT_EQUAL(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(3));
}

static volatile int watched;

static __attribute__((noinline)) int write_watched(void)
{
	watched++;
	return 0;
}

static int write_twice(void)
{
	(void)getppid();
	(void)write_watched();
	(void)write_watched();
	return watched;
}

#define DEBUG_REGISTER(n) (offsetof(struct user, u_debugreg) + (n) * sizeof(long))

static void watchpoints(void)
{
	pid_t pid = traced_child(write_twice);
	siginfo_t info;

	/* Register 0: four bytes, writes. */
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(0), &watched), 0);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(7), 0xd0001), 0);
	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, DEBUG_REGISTER(0), 0), &watched);
	for (int i = 1; i <= 2; i++) {
		EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGTRAP));
		EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, DEBUG_REGISTER(6), 0) & 0xf, 1);
		EXPECT_EQUAL(ptrace(PTRACE_PEEKDATA, pid, &watched, 0) & 0xffffffff, i);
		EXPECT_EQUAL(ptrace(PTRACE_GETSIGINFO, pid, 0, &info), 0);
		EXPECT_EQUAL(info.si_code, 4); /* TRAP_HWBKPT */
	}
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(2));
}

static void breakpoints_in_registers(void)
{
	pid_t pid = traced_child(write_twice);

	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(2), write_watched), 0);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(7), 1 << 4), 0);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), STOPPED_BY(SIGTRAP));
		EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), 0),
			     write_watched);
		EXPECT_EQUAL(ptrace(PTRACE_PEEKDATA, pid, &watched, 0) & 0xffffffff, i);
	}
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(7), 0), 0);
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(2));
}

static void debug_registers_take_programs_addresses_only(void)
{
	pid_t pid = traced_child(do_nothing);

	EXPECT_EQUAL(ptrace(PTRACE_PEEKUSER, pid, DEBUG_REGISTER(0), 0), 0);
	EXPECT_ERRNO(EIO, ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(4), 1));
	EXPECT(ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(0), LONG_MIN) == -1);
	EXPECT_EQUAL(ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(0), (char *)&watched + 1), 0);
	EXPECT_ERRNO(EINVAL, ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(7), 0xd0001)); /* odd */
	EXPECT_EQUAL(next_of(pid, PTRACE_CONT, 0), EXITED_WITH(7));
}

int main(void)
{
	RUN(a_child_asks_to_be_traced);
	RUN(who_is_traced_is_not_traced_twice);
	RUN(attaching_stops_a_process);
	RUN(oneself_and_nobody_cannot_be_traced);
	RUN(a_killed_tracee_ends_in_any_stop);
	RUN(tracees_survive_their_tracer_unless_it_wants_otherwise);
	RUN(the_parent_waits_for_the_tracer);
	RUN(proc_says_who_traces);
	RUN(nobody_traces_whom_he_may_not_look_at);
	RUN(memory_is_read_and_written);
	RUN(pages_without_rights_are_read_and_written);
	RUN(general_registers);
	RUN(fpu_registers);
	RUN(register_sets);
	RUN(segment_bases);
	RUN(single_steps);
	RUN(watchpoints);
	RUN(breakpoints_in_registers);
	RUN(debug_registers_take_programs_addresses_only);
	return check_end();
}
