/*
 * The floating-point and vector registers belong to the program: they survive system calls,
 * sleeping and losing the CPU to others.
 */
#include <cpuid.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#include "check.h"

#define CPUID_1_ECX_OSXSAVE (1U << 27)
#define CPUID_1_ECX_AVX     (1U << 28)
#define SLEEP_NS            20000000

struct vector_state {
	_Alignas(32) unsigned char bytes[16][32];
};

static void fill(struct vector_state *state, unsigned seed)
{
	for (unsigned i = 0; i < 16; i++)
		for (unsigned j = 0; j < 32; j++)
			state->bytes[i][j] = (unsigned char)(seed + i * 32 + j);
}

#define EACH_REGISTER(DO, kind)                                                                    \
	DO(kind, 0)                                                                                \
	DO(kind, 1)                                                                                \
	DO(kind, 2)                                                                                \
	DO(kind, 3)                                                                                \
	DO(kind, 4)                                                                                \
	DO(kind, 5)                                                                                \
	DO(kind, 6)                                                                                \
	DO(kind, 7)                                                                                \
	DO(kind, 8)                                                                                \
	DO(kind, 9)                                                                                \
	DO(kind, 10)                                                                               \
	DO(kind, 11)                                                                               \
	DO(kind, 12)                                                                               \
	DO(kind, 13)                                                                               \
	DO(kind, 14)                                                                               \
	DO(kind, 15)

#define LOAD_XMM(unused, n)  "movdqa 32*" #n "(%[before]), %%xmm" #n "\n\t"
#define STORE_XMM(unused, n) "movdqa %%xmm" #n ", 32*" #n "(%[after])\n\t"
#define LOAD_YMM(unused, n)  "vmovdqa 32*" #n "(%[before]), %%ymm" #n "\n\t"
#define STORE_YMM(unused, n) "vmovdqa %%ymm" #n ", 32*" #n "(%[after])\n\t"
#define ALL_XMM                                                                                    \
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",   \
		"xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/* nanosleep between loading and storing, in one piece, so that the compiler uses no register. */
static long sleep_with_xmm(const struct vector_state *before, struct vector_state *after,
			   const struct timespec *duration)
{
	long result = SYS_nanosleep;

	__asm__ volatile(EACH_REGISTER(LOAD_XMM, ) "syscall\n\t" EACH_REGISTER(STORE_XMM, )
			 : "+a"(result)
			 : [before] "r"(before), [after] "r"(after), "D"(duration), "S"(0L)
			 : "rcx", "r11", "memory", ALL_XMM);
	return result;
}

static long sleep_with_ymm(const struct vector_state *before, struct vector_state *after,
			   const struct timespec *duration)
{
	long result = SYS_nanosleep;

	__asm__ volatile(
		EACH_REGISTER(LOAD_YMM, ) "syscall\n\t" EACH_REGISTER(STORE_YMM, ) "vzeroupper"
		: "+a"(result)
		: [before] "r"(before), [after] "r"(after), "D"(duration), "S"(0L)
		: "rcx", "r11", "memory", ALL_XMM);
	return result;
}

static void sse_registers_survive_sleeping(void)
{
	struct timespec duration = {.tv_nsec = SLEEP_NS};
	struct vector_state before, after;

	for (unsigned seed = 0; seed < 5; seed++) {
		fill(&before, seed * 50);
		memset(&after, 0, sizeof(after));
		EXPECT_EQUAL(sleep_with_xmm(&before, &after, &duration), 0);
		for (int i = 0; i < 16; i++)
			EXPECT(memcmp(before.bytes[i], after.bytes[i], 16) == 0);
	}
}

static bool has_avx(void)
{
	unsigned eax, ebx, ecx, edx;

	__cpuid(1, eax, ebx, ecx, edx);
	if (!(ecx & CPUID_1_ECX_OSXSAVE) || !(ecx & CPUID_1_ECX_AVX))
		return false;
	__asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
	return (eax & 6) == 6;
}

static void avx_registers_survive_sleeping(void)
{
	struct timespec duration = {.tv_nsec = SLEEP_NS};
	struct vector_state before, after;

	if (!has_avx())
		return;
	fill(&before, 77);
	memset(&after, 0, sizeof(after));
	EXPECT_EQUAL(sleep_with_ymm(&before, &after, &duration), 0);
	EXPECT(memcmp(&before, &after, sizeof(after)) == 0);
}

static void x87_registers_survive_sleeping(void)
{
	struct timespec duration = {.tv_nsec = SLEEP_NS};
	long result = SYS_nanosleep;
	double sum = 0, pi = 0;

	/* Two values stay on the x87 stack across the call. */
	__asm__ volatile("fldpi\n\tfld1\n\tsyscall\n\tfstpl %[sum]\n\tfstpl %[pi]"
			 : "+a"(result), [sum] "=m"(sum), [pi] "=m"(pi)
			 : "D"(&duration), "S"(0L)
			 : "rcx", "r11", "memory");
	EXPECT_EQUAL(result, 0);
	EXPECT(sum == 1.0);
	EXPECT(pi > 3.14159265 && pi < 3.14159266);
}

static void rounding_modes_survive_sleeping(void)
{
	struct timespec duration = {.tv_nsec = SLEEP_NS};
	unsigned mxcsr_before, mxcsr = 0x1f80 | 0x6000, mxcsr_after;
	unsigned short control_before, control = 0xf7f, control_after;

	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr_before), "=m"(control_before));
	__asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(control));
	nanosleep(&duration, NULL);
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr_after), "=m"(control_after));
	__asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr_before), "m"(control_before));
	EXPECT_EQUAL(mxcsr_after & 0xffc0, mxcsr);
	EXPECT_EQUAL(control_after, control);
}

/* Long enough to lose the CPU many times; a sum whose exact value is known. */
static void sums_survive_losing_the_cpu(void)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec++;
	do {
		volatile double sum = 0;
		double a = 0, b = 1, c = 2, d = 3;

		for (int i = 0; i < 100000; i++) {
			a += 1;
			b += 1;
			c += 1;
			d += 1;
		}
		sum = a + b + c + d;
		EXPECT(sum == 400006.0);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
}

int main(void)
{
	RUN(sse_registers_survive_sleeping);
	RUN(avx_registers_survive_sleeping);
	RUN(x87_registers_survive_sleeping);
	RUN(rounding_modes_survive_sleeping);
	RUN(sums_survive_losing_the_cpu);
	return check_end();
}
