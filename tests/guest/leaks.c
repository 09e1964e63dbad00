/*
 * Nothing that a program can read tells where the kernel is: its stack and registers at the start,
 * what system calls write and leave in registers, the tables whose address any program may ask for.
 *
 * A value in the kernel's half is a leak unless it is a small negative number. The debug kernel
 * puts such values on its stack before each call, so a structure that is not filled in shows.
 */
#include <cpuid.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define KERNEL_HALF UINT64_C(0xffff800000000000)
#define NEGATIVE    UINT64_C(0xffffffffffff0000)
/* Linux's and ours: views of the tables, in the same place on every machine. */
#define ENTRY_AREA_START UINT64_C(0xfffffe0000000000)
#define ENTRY_AREA_END   UINT64_C(0xfffffe8000000000)
#define HALF_POISON      UINT32_C(0xb0b0b0b0)
#define OUT_BYTES        8192
#define UMIP             (1u << 2) /* CPUID leaf 7, ECX */

static char out[OUT_BYTES];
static const char *leaking; /* the call that was made last */

static bool is_kernels(uint64_t value)
{
	return value >= KERNEL_HALF && value < NEGATIVE;
}

/* Where in [from, from + len) an address of the kernel's or a piece of poison lies; -1: nowhere. At
 * every byte: structures may be packed. */
static long find_leak(const char *from, size_t len)
{
	for (size_t i = 0; i + sizeof(uint64_t) <= len; i++) {
		uint64_t value;
		uint32_t half;

		memcpy(&value, from + i, sizeof(value));
		memcpy(&half, from + i, sizeof(half));
		if (half == HALF_POISON || (i % 8 == 0 && is_kernels(value)))
			return (long)i;
	}
	return -1;
}

static void the_stack_at_start_is_clean(void)
{
	const char *top = (const char *)getauxval(AT_EXECFN);

	/* From here to the strings at its top: all that was there before main(). */
	EXPECT(top);
	EXPECT_EQUAL(find_leak(__builtin_frame_address(0),
			       (size_t)(top - (const char *)__builtin_frame_address(0))),
		     -1);
}

struct probe {
	const char *name;
	long number;
	long arguments[5]; /* OUT: the buffer */
};

#define OUT ((long)out)

static bool leaks(const struct probe *probe)
{
	register long a4 __asm__("r10") = probe->arguments[3];
	register long a5 __asm__("r8") = probe->arguments[4];
	uint64_t rcx, rdx = (uint64_t)probe->arguments[2], r11, r9 = 0;
	register uint64_t a6 __asm__("r9") = r9;
	long result = probe->number;
	long rdi = probe->arguments[0], rsi = probe->arguments[1];

	memset(out, 0, sizeof(out));
	leaking = probe->name;
	__asm__ volatile("syscall"
			 : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "=c"(rcx), "+r"(a4),
			   "+r"(a5), "+r"(a6)
			 :
			 : "r11", "memory");
	__asm__ volatile("movq %%r11, %0" : "=r"(r11));
	return is_kernels((uint64_t)result) || is_kernels((uint64_t)rdi) ||
	       is_kernels((uint64_t)rsi) || is_kernels(rdx) || is_kernels(rcx) ||
	       is_kernels((uint64_t)a4) || is_kernels((uint64_t)a5) || is_kernels(a6) ||
	       is_kernels(r11) || find_leak(out, sizeof(out)) >= 0;
}

static void what_calls_write_is_clean(void)
{
	int directory = open("/", O_RDONLY | O_DIRECTORY);
	int file = open("/dev/null", O_RDWR);
	const struct probe probes[] = {
		{"stat", SYS_stat, {(long)"/", OUT}},
		{"lstat", SYS_lstat, {(long)"/dev/null", OUT}},
		{"fstat", SYS_fstat, {directory, OUT}},
		{"newfstatat", SYS_newfstatat, {AT_FDCWD, (long)"/tmp", OUT, 0}},
		{"statx", SYS_statx, {AT_FDCWD, (long)"/dev/null", 0, 0xfff, OUT}},
		{"statfs", SYS_statfs, {(long)"/", OUT}},
		{"statfs of /tmp", SYS_statfs, {(long)"/tmp", OUT}},
		{"fstatfs", SYS_fstatfs, {file, OUT}},
		{"getdents64", SYS_getdents64, {directory, OUT, OUT_BYTES}},
		{"getcwd", SYS_getcwd, {OUT, OUT_BYTES}},
		{"readlink", SYS_readlink, {(long)"/proc/self/exe", OUT, OUT_BYTES}},
		{"uname", SYS_uname, {OUT}},
		{"sysinfo", SYS_sysinfo, {OUT}},
		{"getrusage", SYS_getrusage, {RUSAGE_SELF, OUT}},
		{"times", SYS_times, {OUT}},
		{"getrlimit", SYS_getrlimit, {RLIMIT_STACK, OUT}},
		{"prlimit64", SYS_prlimit64, {0, RLIMIT_NOFILE, 0, OUT}},
		{"clock_gettime", SYS_clock_gettime, {CLOCK_MONOTONIC, OUT}},
		{"clock_getres", SYS_clock_getres, {CLOCK_REALTIME, OUT}},
		{"gettimeofday", SYS_gettimeofday, {OUT, OUT + 64}},
		{"getcpu", SYS_getcpu, {OUT, OUT + 64}},
		{"getresuid", SYS_getresuid, {OUT, OUT + 64, OUT + 128}},
		{"getgroups", SYS_getgroups, {64, OUT}},
		{"sched_getaffinity", SYS_sched_getaffinity, {0, 128, OUT}},
		{"sched_getparam", SYS_sched_getparam, {0, OUT}},
		{"sched_getattr", SYS_sched_getattr, {0, OUT, 128, 0}},
		{"sched_rr_get_interval", SYS_sched_rr_get_interval, {0, OUT}},
		{"rt_sigaction", SYS_rt_sigaction, {10, 0, OUT, 8}},
		{"rt_sigprocmask", SYS_rt_sigprocmask, {0, 0, OUT, 8}},
		{"rt_sigpending", SYS_rt_sigpending, {OUT, 8}},
		{"sigaltstack", SYS_sigaltstack, {0, OUT}},
		{"pipe2", SYS_pipe2, {OUT, O_CLOEXEC}},
		{"capget", SYS_capget, {OUT, OUT + 64}},
		{"getitimer", SYS_getitimer, {0, OUT}},
		{"mincore", SYS_mincore, {OUT & ~4095L, 4096, OUT}},
		{"TCGETS", SYS_ioctl, {0, TCGETS, OUT}},
		{"TIOCGWINSZ", SYS_ioctl, {0, TIOCGWINSZ, OUT}},
		{"FIONREAD", SYS_ioctl, {0, FIONREAD, OUT}},
		{"get_robust_list", SYS_get_robust_list, {0, OUT, OUT + 64}},
		{"arch_prctl", SYS_arch_prctl, {0x1003, OUT}}, /* ARCH_GET_FS */
		{"PR_GET_NAME", SYS_prctl, {16, OUT}},
		{"a call that does not exist", 9999, {OUT, OUT, OUT, OUT, OUT}},
	};

	EXPECT(directory >= 0 && file >= 0);
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++) {
		if (leaks(&probes[i]))
			FAIL("%s leaks, at %ld of what it wrote", leaking,
			     find_leak(out, sizeof(out)));
	}
	close(directory);
	close(file);
}

/* The instructions that tell, where the CPU does not refuse them to programs. */
static void descriptor_tables_lie_where_they_always_do(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} gdt = {0}, idt = {0};
	unsigned a, b, c = 0, d;
	uint64_t task = 0, local = 0, status = 0;

	__get_cpuid_count(7, 0, &a, &b, &c, &d);
	if (c & UMIP)
		return;
	__asm__ volatile("sgdt %0\n\tsidt %1" : "=m"(gdt), "=m"(idt));
	__asm__ volatile("str %0\n\tsldt %1\n\tsmsw %2" : "=r"(task), "=r"(local), "=r"(status));
	EXPECT(gdt.base >= ENTRY_AREA_START && gdt.base < ENTRY_AREA_END);
	EXPECT(idt.base >= ENTRY_AREA_START && idt.base < ENTRY_AREA_END);
	EXPECT(!is_kernels(task) && !is_kernels(local) && !is_kernels(status));
}

int main(void)
{
	RUN(the_stack_at_start_is_clean);
	RUN(what_calls_write_is_clean);
	RUN(descriptor_tables_lie_where_they_always_do);
	return check_end();
}
