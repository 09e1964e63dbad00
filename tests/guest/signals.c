/*
 * Signal handlers: what they are told, on which stack they run, what faults become, and what their
 * return restores.
 */
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"
#include "signal_help.h"

static void a_handler_runs_and_returns(void)
{
	EXPECT_EQUAL(install(SIGUSR1, note, 0), 0);
	EXPECT_EQUAL(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(last_signal, SIGUSR1);
	EXPECT_EQUAL(raise(SIGUSR1), 0);
	EXPECT_EQUAL(ncalls, 2);
}

static void info_says_who_and_how(void)
{
	union sigval value = {.sival_int = 1234};

	EXPECT_EQUAL(install_info(SIGUSR1, note_info, 0), 0);
	EXPECT_EQUAL(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQUAL(last_info.si_code, SI_USER);
	EXPECT_EQUAL(last_info.si_pid, getpid());
	EXPECT_EQUAL(last_info.si_uid, getuid());
	EXPECT_EQUAL(raise(SIGUSR1), 0);
	EXPECT_EQUAL(last_info.si_code, SI_TKILL);
	EXPECT_EQUAL(sigqueue(getpid(), SIGUSR1, value), 0);
	EXPECT_EQUAL(last_info.si_code, SI_QUEUE);
	EXPECT_EQUAL(last_info.si_value.sival_int, 1234);
	EXPECT_EQUAL(ncalls, 3);
}

static void blocked_signals_wait_and_merge(void)
{
	sigset_t pending;

	EXPECT_EQUAL(install(SIGUSR1, note, 0), 0);
	block(SIGUSR1);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	EXPECT_EQUAL(ncalls, 0);
	EXPECT_EQUAL(sigpending(&pending), 0);
	EXPECT(sigismember(&pending, SIGUSR1));
	unblock(SIGUSR1);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(sigpending(&pending), 0);
	EXPECT(!sigismember(&pending, SIGUSR1));
}

static int order[8];

static void note_order(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (ncalls < 8)
		order[ncalls] = info->si_value.sival_int;
	ncalls++;
}

static void real_time_signals_queue_in_order(void)
{
	EXPECT_EQUAL(install_info(SIGRTMIN + 2, note_order, 0), 0);
	block(SIGRTMIN + 2);
	for (int i = 0; i < 4; i++) {
		union sigval value = {.sival_int = 10 + i};

		EXPECT_EQUAL(sigqueue(getpid(), SIGRTMIN + 2, value), 0);
	}
	unblock(SIGRTMIN + 2);
	EXPECT_EQUAL(ncalls, 4);
	for (int i = 0; i < 4; i++)
		EXPECT_EQUAL(order[i], 10 + i);
}

static volatile int depth;
static volatile int deepest;

static void nest(int signal)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (deepest < 3 && ncalls++ < 3)
		raise(signal);
	depth--;
}

static void nesting_is_as_asked(void)
{
	depth = deepest = 0;
	EXPECT_EQUAL(install(SIGUSR1, nest, 0), 0);
	raise(SIGUSR1);
	EXPECT_EQUAL(deepest, 1);
	depth = deepest = 0;
	EXPECT_EQUAL(install(SIGUSR1, nest, SA_NODEFER), 0);
	raise(SIGUSR1);
	EXPECT_EQUAL(deepest, 3);
}

static volatile int seen_mask;

static void look_at_mask(int signal)
{
	sigset_t mask;

	(void)signal;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	seen_mask = sigismember(&mask, SIGUSR1) | sigismember(&mask, SIGUSR2) << 1 |
		    sigismember(&mask, SIGTERM) << 2;
}

static void the_mask_holds_while_the_handler_runs(void)
{
	struct sigaction action = {.sa_handler = look_at_mask};
	sigset_t mask;

	sigaddset(&action.sa_mask, SIGUSR2);
	EXPECT_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
	raise(SIGUSR1);
	EXPECT_EQUAL(seen_mask, 3);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	EXPECT(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));
}

static void a_handler_of_one_use_is_reset(void)
{
	struct sigaction action;

	EXPECT_EQUAL(install(SIGUSR1, note, SA_RESETHAND), 0);
	raise(SIGUSR1);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(sigaction(SIGUSR1, NULL, &action), 0);
	EXPECT(action.sa_handler == SIG_DFL);
}

static void some_cannot_be_caught(void)
{
	struct sigaction action = {.sa_handler = note};

	EXPECT_ERRNO(EINVAL, sigaction(SIGKILL, &action, NULL));
	EXPECT_ERRNO(EINVAL, sigaction(SIGSTOP, &action, NULL));
	EXPECT_ERRNO(EINVAL, kill(getpid(), 65));
	EXPECT_ERRNO(EINVAL, kill(getpid(), -1));
	EXPECT_ERRNO(ESRCH, kill(0x3ffffff, 0));
	EXPECT_EQUAL(kill(getpid(), 0), 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 4L));
}

/* ---- other stacks ---- */

static char other_stack[32768];
static volatile uintptr_t handler_sp;

static void note_stack(int signal)
{
	char here;

	(void)signal;
	handler_sp = (uintptr_t)&here;
}

static void handlers_can_have_their_own_stack(void)
{
	stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
	stack_t now;
	char here;

	EXPECT_EQUAL(sigaltstack(&stack, NULL), 0);
	EXPECT_EQUAL(install(SIGUSR1, note_stack, SA_ONSTACK), 0);
	raise(SIGUSR1);
	EXPECT(handler_sp - (uintptr_t)other_stack < sizeof(other_stack));
	EXPECT_EQUAL(install(SIGUSR1, note_stack, 0), 0);
	raise(SIGUSR1);
	EXPECT(handler_sp - (uintptr_t)other_stack >= sizeof(other_stack));
	EXPECT(handler_sp < (uintptr_t)&here);
	EXPECT_EQUAL(sigaltstack(NULL, &now), 0);
	EXPECT_EQUAL(now.ss_flags, 0);
	stack.ss_size = 100;
	EXPECT_ERRNO(ENOMEM, sigaltstack(&stack, NULL));
	stack.ss_size = sizeof(other_stack);
	stack.ss_flags = 0x55;
	EXPECT_ERRNO(EINVAL, sigaltstack(&stack, NULL));
	stack.ss_flags = SS_DISABLE;
	EXPECT_EQUAL(sigaltstack(&stack, NULL), 0);
}

static sigjmp_buf back;
static volatile uintptr_t fault_address;
static volatile int fault_code;

static void leap(int signal, siginfo_t *info, void *context)
{
	(void)context;
	last_signal = signal;
	fault_address = (uintptr_t)info->si_addr;
	fault_code = info->si_code;
	siglongjmp(back, 1);
}

static int use_up_the_stack(volatile int *depth_left)
{
	volatile char bytes[4096];

	bytes[0] = (char)*depth_left;
	return --*depth_left ? use_up_the_stack(depth_left) + bytes[0] : 0;
}

static void a_full_stack_can_be_survived(void)
{
	stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)};
	volatile int enough = 1000000;

	EXPECT_EQUAL(sigaltstack(&stack, NULL), 0);
	EXPECT_EQUAL(install_info(SIGSEGV, leap, SA_ONSTACK), 0);
	last_signal = 0;
	if (!sigsetjmp(back, 1))
		use_up_the_stack(&enough);
	EXPECT_EQUAL(last_signal, SIGSEGV);
	stack.ss_flags = SS_DISABLE;
	EXPECT_EQUAL(sigaltstack(&stack, NULL), 0);
	signal(SIGSEGV, SIG_DFL);
}

/* ---- faults ---- */

static void faults_name_address_and_reason(void)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(page != MAP_FAILED);
	EXPECT_EQUAL(install_info(SIGSEGV, leap, 0), 0);
	if (!sigsetjmp(back, 1))
		*(volatile char *)(page + 7) = 1;
	EXPECT_EQUAL(fault_address, (uintptr_t)page + 7);
	EXPECT_EQUAL(fault_code, SEGV_ACCERR);
	munmap(page, 4096);
	if (!sigsetjmp(back, 1))
		*(volatile char *)(page + 8) = 1;
	EXPECT_EQUAL(fault_address, (uintptr_t)page + 8);
	EXPECT_EQUAL(fault_code, SEGV_MAPERR);
	signal(SIGSEGV, SIG_DFL);
}

static void arithmetic_and_instructions_fault_too(void)
{
	volatile int zero = 0;
	volatile int many = 1000;

	EXPECT_EQUAL(install_info(SIGFPE, leap, 0), 0);
	EXPECT_EQUAL(install_info(SIGILL, leap, 0), 0);
	last_signal = 0;
	if (!sigsetjmp(back, 1))
		zero = many / zero;
	EXPECT_EQUAL(last_signal, SIGFPE);
	EXPECT_EQUAL(fault_code, FPE_INTDIV);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("ud2");
	EXPECT_EQUAL(last_signal, SIGILL);
	EXPECT_EQUAL(fault_code, ILL_ILLOPN);
	EXPECT(fault_address != 0);
	signal(SIGFPE, SIG_DFL);
	signal(SIGILL, SIG_DFL);
}

static void beyond_a_file_is_a_bus_error(void)
{
	char name[] = "/tmp/signals_XXXXXX";
	int fd = mkstemp(name);
	char *pages;

	EXPECT(fd >= 0);
	EXPECT_EQUAL(ftruncate(fd, 100), 0);
	pages = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	EXPECT(pages != MAP_FAILED);
	EXPECT_EQUAL(install_info(SIGBUS, leap, 0), 0);
	last_signal = 0;
	if (!sigsetjmp(back, 1))
		(void)*(volatile char *)(pages + 4096);
	EXPECT_EQUAL(last_signal, SIGBUS);
	EXPECT_EQUAL(fault_code, BUS_ADRERR);
	EXPECT_EQUAL(fault_address, (uintptr_t)pages + 4096);
	munmap(pages, 8192);
	close(fd);
	unlink(name);
	signal(SIGBUS, SIG_DFL);
}

/* ---- registers ---- */

static void skip_instruction(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)signal;
	(void)info;
	user->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 */
	user->uc_mcontext.gregs[REG_RBX] = 77;
}

static void a_handler_can_change_registers(void)
{
	long value = 5;

	EXPECT_EQUAL(install_info(SIGILL, skip_instruction, 0), 0);
	__asm__ volatile("mov $6, %%rbx\n\tud2\n\tmov %%rbx, %0" : "=r"(value)::"rbx", "memory");
	EXPECT_EQUAL(value, 77);
	signal(SIGILL, SIG_DFL);
}

static void spoil_the_fpu(int signal)
{
	volatile double x = 1.0;

	(void)signal;
	fesetround(FE_UPWARD);
	for (int i = 0; i < 20; i++)
		x = x * 1.7 + i;
	__asm__ volatile("pxor %%xmm7, %%xmm7\n\tpcmpeqd %%xmm6, %%xmm6" ::: "xmm6", "xmm7");
	ncalls++;
}

static void the_fpu_is_kept(void)
{
	uint64_t in = 0x1122334455667788;
	uint64_t out;
	long pid = getpid();
	long result;

	EXPECT_EQUAL(install(SIGUSR1, spoil_the_fpu, 0), 0);
	fesetround(FE_DOWNWARD);
	__asm__ volatile("movq %2, %%xmm7\n\tsyscall\n\tmovq %%xmm7, %1"
			 : "=a"(result), "=r"(out)
			 : "r"(in), "0"(SYS_kill), "D"(pid), "S"(SIGUSR1)
			 : "rcx", "r11", "memory", "xmm6", "xmm7");
	EXPECT_EQUAL(result, 0);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(out, in);
	EXPECT_EQUAL(fegetround(), FE_DOWNWARD);
	fesetround(FE_TONEAREST);
}

static void all_registers_survive(void)
{
	long pid = getpid();
	long result;
	long sum;

	EXPECT_EQUAL(install(SIGUSR1, note, 0), 0);
	__asm__ volatile("mov $1, %%rbx\n\tmov $2, %%r12\n\tmov $4, %%r13\n\tmov $8, %%r14\n\t"
			 "mov $16, %%r15\n\tmov $32, %%r8\n\tmov $64, %%r9\n\tmov $128, %%r10\n\t"
			 "mov $256, %%rdx\n\tsyscall\n\t"
			 "add %%r12, %%rbx\n\tadd %%r13, %%rbx\n\tadd %%r14, %%rbx\n\t"
			 "add %%r15, %%rbx\n\tadd %%r8, %%rbx\n\tadd %%r9, %%rbx\n\t"
			 "add %%r10, %%rbx\n\tadd %%rdx, %%rbx\n\tmov %%rbx, %1"
			 : "=a"(result), "=&S"(sum)
			 : "0"(SYS_kill), "D"(pid), "1"(SIGUSR1)
			 : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			   "r15", "memory");
	EXPECT_EQUAL(result, 0);
	EXPECT_EQUAL(ncalls, 1);
	EXPECT_EQUAL(sum, 511);
}

static void a_false_return_is_a_fault(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		/* No frame lies there. */
		__asm__ volatile("xor %%esp, %%esp\n\tsyscall" ::"a"(SYS_rt_sigreturn) : "memory");
		_exit(0);
	}
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void poison(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)signal;
	(void)info;
	user->uc_mcontext.gregs[REG_RIP] = (long long)0x8000000000000000;
}

static void return_to(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)signal;
	(void)info;
	/* Privileged: interrupts off, I/O allowed; and a kernel's segments. */
	user->uc_mcontext.gregs[REG_EFL] = 0x3000;
	user->uc_mcontext.gregs[REG_CSGSFS] = 0x10;
	/* Bits of MXCSR that fault, in the register's image. */
	if (user->uc_mcontext.fpregs)
		user->uc_mcontext.fpregs->mxcsr = 0xffffffff;
}

static void a_poisoned_frame_is_a_fault_of_the_program(void)
{
	void (*const handlers[])(int, siginfo_t *, void *) = {poison, return_to};

	for (int i = 0; i < 2; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			install_info(SIGUSR1, handlers[i], 0);
			raise(SIGUSR1);
			_exit(55);
		}
		EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
		/* Linux masks MXCSR's bits or refuses them: either way the machine is well. */
		EXPECT(i == 1 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV));
		EXPECT(WIFSIGNALED(status) || WEXITSTATUS(status) == 55);
	}
}

static void a_handler_where_no_program_is_is_a_fault(void)
{
	static const uint64_t addresses[] = {UINT64_C(1) << 63, UINT64_C(1) << 47,
					     UINT64_C(0xffffffff80000000)};

	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			install(SIGUSR1, (void (*)(int))addresses[i], 0);
			kill(getpid(), SIGUSR1);
			_exit(1);
		}
		EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	}
}

int main(void)
{
	RUN(a_handler_runs_and_returns);
	RUN(info_says_who_and_how);
	RUN(blocked_signals_wait_and_merge);
	RUN(real_time_signals_queue_in_order);
	RUN(nesting_is_as_asked);
	RUN(the_mask_holds_while_the_handler_runs);
	RUN(a_handler_of_one_use_is_reset);
	RUN(some_cannot_be_caught);
	RUN(handlers_can_have_their_own_stack);
	RUN(a_full_stack_can_be_survived);
	RUN(faults_name_address_and_reason);
	RUN(arithmetic_and_instructions_fault_too);
	RUN(beyond_a_file_is_a_bus_error);
	RUN(a_handler_can_change_registers);
	RUN(the_fpu_is_kept);
	RUN(all_registers_survive);
	RUN(a_false_return_is_a_fault);
	RUN(a_poisoned_frame_is_a_fault_of_the_program);
	RUN(a_handler_where_no_program_is_is_a_fault);
	return check_end();
}
