/*
 * crash: dies in a chosen way, to see what the kernel makes of it.
 *
 * Each kind breaks one rule that the kernel or the CPU enforces. Statuses are what a shell shows:
 * 128 and the signal. The exceptions are badptr, which breaks rules only in system calls and has to
 * survive, and exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/program.h"

/* In the upper half of the address space: the kernel's, canonical. */
#define KERNEL_ADDRESS 0xffffffff80000000UL
/* Bit 47 is not copied into the bits above: no address at all. */
#define NO_ADDRESS    0x0000900000000000UL
#define RETURN_OPCODE 0xc3

static const char help[] = "usage: crash [KIND [N]]\n"
			   "Dies in the way that is named; alone, lists the ways.\n";

/* A variable, since compilers make something else of a null pointer that they can see. */
static volatile uintptr_t null_address;

static void crash_null(void)
{
	*(volatile int *)null_address = 1;
}

static void crash_divide(void)
{
	__asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; cltd; idivl %%ecx"
			 :
			 :
			 : "eax", "ecx", "edx", "cc");
}

static void crash_privileged(void)
{
	__asm__ volatile("hlt");
}

static void crash_kernel_read(void)
{
	(void)*(volatile int *)KERNEL_ADDRESS;
}

static void crash_kernel_write(void)
{
	*(volatile int *)KERNEL_ADDRESS = 1;
}

static void crash_non_canonical(void)
{
	(void)*(volatile int *)NO_ADDRESS;
}

static void crash_read_only(void)
{
	*(volatile char *)(uintptr_t)help = 1;
}

/* Never true, which the compiler must not find out; a frame of its own keeps it from making a loop.
 */
static volatile bool deep_enough;

static int recurse(volatile const char *caller)
{
	volatile char frame[1024];

	if (deep_enough)
		return 0;
	frame[0] = caller ? caller[0] : 0;
	return recurse(frame) + frame[0];
}

static void crash_stack(void)
{
	recurse(NULL);
}

/* The canary, and nothing else: the function finds it changed when it returns. */
static void crash_smash(void)
{
	volatile char array[16];
	volatile char *at = array;

	for (size_t i = 0; i < sizeof(array) + sizeof(uint64_t); i++)
		at[i] = 'A';
}

static void crash_illegal(void)
{
	__asm__ volatile("ud2");
}

static void crash_breakpoint(void)
{
	__asm__ volatile("int3");
}

/* RFLAGS.TF: the CPU traps behind each instruction. */
static void crash_step(void)
{
	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop" ::: "cc", "memory");
}

/* The same with the GS base set to an address of the kernel's, which a program may do where
 * FSGSBASE works: the kernel's entry must not take it for its own. */
static void crash_step_gs(void)
{
	if (getauxval(AT_HWCAP2) & 2)
		__asm__ volatile(
			".byte 0xf3, 0x48, 0x0f, 0xae, 0xd8" ::"a"(KERNEL_ADDRESS)); /* wrgsbase */
	crash_step();
}

static void call_data(const unsigned char *code)
{
	void (*function)(void);

	memcpy(&function, &code, sizeof(function));
	function();
}

static void crash_jump(void)
{
	static unsigned char code[] = {RETURN_OPCODE};

	call_data(code);
}

static void crash_noexec_stack(void)
{
	volatile unsigned char code[] = {RETURN_OPCODE};

	call_data((const unsigned char *)(uintptr_t)code);
}

/* errno of a call, or 0; straight after it. */
static int outcome(long result)
{
	return result == -1 ? errno : 0;
}

/* Whether a call with a pointer that it must refuse did so. */
static bool refused(const char *what, const char *kind, int reason)
{
	if (reason == EFAULT)
		return true;
	complain("badptr: %s with %s should say '%s' and says '%s'", what, kind, strerror(EFAULT),
		 reason ? strerror(reason) : "Success");
	return false;
}

static int refused_everywhere(const char *kind, uintptr_t address, int readable, int writable)
{
	const struct {
		const char *what;
		int reason;
	} calls[] = {
#define CALL(what, ...) {what, outcome(syscall(__VA_ARGS__))}
		CALL("read", SYS_read, readable, address, 16),
		CALL("write", SYS_write, writable, address, 16),
		CALL("writev", SYS_writev, writable, address, 1),
		CALL("openat", SYS_openat, AT_FDCWD, address, O_RDONLY),
		CALL("newfstatat", SYS_newfstatat, AT_FDCWD, "/", address, 0),
		CALL("newfstatat's path", SYS_newfstatat, AT_FDCWD, address, address, 0),
		CALL("fstat", SYS_fstat, readable, address),
		CALL("uname", SYS_uname, address),
		CALL("getcwd", SYS_getcwd, address, 4096),
		CALL("clock_gettime", SYS_clock_gettime, 0, address),
		CALL("nanosleep", SYS_nanosleep, address, 0),
#undef CALL
	};
	int wrong = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		wrong += !refused(calls[i].what, kind, calls[i].reason);
	return wrong;
}

static void crash_badptr(void)
{
	char scratch[] = "/tmp/crash-badptr-XXXXXX";
	int readable = open("/etc/passwd", O_RDONLY), writable = mkstemp(scratch);
	int wrong;

	if (readable < 0 || writable < 0) {
		complain_errno("badptr: cannot open %s", readable < 0 ? "/etc/passwd" : scratch);
		exit(1);
	}
	wrong = refused_everywhere("the address 8", 8, readable, writable) +
		refused_everywhere("a kernel address", KERNEL_ADDRESS, readable, writable) +
		refused_everywhere("no address at all", NO_ADDRESS, readable, writable);
	unlink(scratch);
	exit(wrong != 0);
}

static const struct kind {
	const char *name;
	void (*crash)(void);
	const char *status;
	const char *what;
} kinds[] = {
	{"null", crash_null, "139", "writes through a null pointer"},
	{"divide", crash_divide, "136", "divides by zero"},
	{"privileged", crash_privileged, "139", "executes an instruction of the kernel's, HLT"},
	{"kernel-read", crash_kernel_read, "139", "reads the kernel's memory"},
	{"kernel-write", crash_kernel_write, "139", "writes the kernel's memory"},
	{"non-canonical", crash_non_canonical, "139", "reads where no address can be"},
	{"read-only", crash_read_only, "139", "writes to its own constants"},
	{"stack", crash_stack, "139", "calls itself until the stack is full"},
	{"smash", crash_smash, "139", "writes over the end of an array on its stack"},
	{"badptr", crash_badptr, "0", "passes bad pointers to system calls, all must be refused"},
	{"illegal", crash_illegal, "132", "executes an undefined instruction, UD2"},
	{"breakpoint", crash_breakpoint, "133", "executes a breakpoint, INT3, without a debugger"},
	{"step", crash_step, "133", "single-steps itself without a debugger"},
	{"step-gs", crash_step_gs, "133", "the same with GS pointing into the kernel"},
	{"abort", abort, "134", "calls abort()"},
	{"jump", crash_jump, "139", "jumps into its data"},
	{"noexec-stack", crash_noexec_stack, "139", "jumps onto its stack"},
	{"exit", NULL, "N", "does not crash: exits with status N"},
};

#define NKINDS (sizeof(kinds) / sizeof(*kinds))

static int list_kinds(void)
{
	puts("KIND           STATUS  WHAT IT DOES");
	for (size_t i = 0; i < NKINDS; i++)
		printf("%-13s  %6s  %s\n", kinds[i].name, kinds[i].status, kinds[i].what);
	return program_end(0);
}

int main(int argc, char **argv)
{
	program_start("crash", help, argc, argv);
	if (argc < 2)
		return list_kinds();
	if (strcmp(argv[1], "exit") == 0) {
		if (argc != 3)
			usage_error("exit needs a status");
		return (int)parse_number(argv[2], "status", 255);
	}
	for (size_t i = 0; i < NKINDS; i++) {
		if (strcmp(argv[1], kinds[i].name) != 0)
			continue;
		kinds[i].crash();
		complain("%s: this should have been the end", kinds[i].name);
		return 1;
	}
	usage_error("there is no kind '%s' (crash alone lists them)", argv[1]);
}
