/*
 * The system call instruction: which registers it may change, what wrong numbers say.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#define EFLAGS_DF 0x400UL

/* RBX, RDX, RSI, RDI, RBP and R8 to R15, in this order; the place of R11 stays unused. */
#define NREGISTERS 13

/*
 * Makes the call `number` with every register set to a pattern of its own, and stores what is in
 * them afterwards. RBP is saved on the stack, below the red zone that the compiler may be using.
 */
static long call_with_patterns(long number, const uint64_t *before, uint64_t *after)
{
	long result = number;

	__asm__ volatile("subq $128, %%rsp\n\t"
			 "pushq %%rbp\n\t"
			 "pushq %[after]\n\t"
			 "movq %[before], %%rcx\n\t"
			 "movq 0(%%rcx), %%rbx\n\t"
			 "movq 8(%%rcx), %%rdx\n\t"
			 "movq 16(%%rcx), %%rsi\n\t"
			 "movq 24(%%rcx), %%rdi\n\t"
			 "movq 32(%%rcx), %%rbp\n\t"
			 "movq 40(%%rcx), %%r8\n\t"
			 "movq 48(%%rcx), %%r9\n\t"
			 "movq 56(%%rcx), %%r10\n\t"
			 "movq 72(%%rcx), %%r12\n\t"
			 "movq 80(%%rcx), %%r13\n\t"
			 "movq 88(%%rcx), %%r14\n\t"
			 "movq 96(%%rcx), %%r15\n\t"
			 "syscall\n\t"
			 "popq %%rcx\n\t"
			 "movq %%rbx, 0(%%rcx)\n\t"
			 "movq %%rdx, 8(%%rcx)\n\t"
			 "movq %%rsi, 16(%%rcx)\n\t"
			 "movq %%rdi, 24(%%rcx)\n\t"
			 "movq %%rbp, 32(%%rcx)\n\t"
			 "movq %%r8, 40(%%rcx)\n\t"
			 "movq %%r9, 48(%%rcx)\n\t"
			 "movq %%r10, 56(%%rcx)\n\t"
			 "movq %%r12, 72(%%rcx)\n\t"
			 "movq %%r13, 80(%%rcx)\n\t"
			 "movq %%r14, 88(%%rcx)\n\t"
			 "movq %%r15, 96(%%rcx)\n\t"
			 "popq %%rbp\n\t"
			 "addq $128, %%rsp"
			 : "+a"(result), [before] "+S"(before), [after] "+D"(after)
			 :
			 : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			   "r15", "memory", "cc");
	return result;
}

static void a_call_changes_only_rax_rcx_and_r11(void)
{
	static const long numbers[] = {SYS_getpid, SYS_sched_yield, SYS_getuid, 5000};

	for (size_t n = 0; n < sizeof(numbers) / sizeof(*numbers); n++) {
		uint64_t before[NREGISTERS], after[NREGISTERS];

		for (unsigned i = 0; i < NREGISTERS; i++)
			before[i] = after[i] = 0x1111111111111111u * (i + 1);
		call_with_patterns(numbers[n], before, after);
		for (unsigned i = 0; i < NREGISTERS; i++)
			EXPECT_EQUAL(after[i], before[i]);
	}
}

static void flags_are_kept(void)
{
	unsigned long flags;
	long result = SYS_getpid;

	__asm__ volatile("std\n\tsyscall\n\tpushfq\n\tpopq %[flags]\n\tcld"
			 : "+a"(result), [flags] "=r"(flags)
			 :
			 : "rcx", "r11", "memory", "cc");
	EXPECT_EQUAL(result, getpid());
	EXPECT(flags & EFLAGS_DF);
}

static void calls_that_are_not_there_say_enosys(void)
{
	EXPECT_ERRNO(ENOSYS, syscall(5000));
	EXPECT_ERRNO(ENOSYS, syscall(-1));
	EXPECT_ERRNO(ENOSYS, syscall(1023));
	EXPECT_ERRNO(ENOSYS, syscall(0x7fffffff));
}

int main(void)
{
	RUN(a_call_changes_only_rax_rcx_and_r11);
	RUN(flags_are_kept);
	RUN(calls_that_are_not_there_say_enosys);
	return check_end();
}
