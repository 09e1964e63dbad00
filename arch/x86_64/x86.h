/*
 * The machine's registers and instructions, for arch/ alone. Numbers from Intel's SDM, volumes 3
 * and 4.
 */
#ifndef ARCH_X86_H
#define ARCH_X86_H

#include <lib/types.h>

/* Control registers (SDM 3A 2.5). */
#define CR0_MP       (UINT64_C(1) << 1)
#define CR0_EM       (UINT64_C(1) << 2)
#define CR0_TS       (UINT64_C(1) << 3)
#define CR0_NE       (UINT64_C(1) << 5)
#define CR0_WP       (UINT64_C(1) << 16)
#define CR4_TSD      (UINT64_C(1) << 2)
#define CR4_PGE      (UINT64_C(1) << 7)
#define CR4_OSFXSR   (UINT64_C(1) << 9)
#define CR4_OSXMM    (UINT64_C(1) << 10)
#define CR4_UMIP     (UINT64_C(1) << 11)
#define CR4_FSGSBASE (UINT64_C(1) << 16)
#define CR4_OSXSAVE  (UINT64_C(1) << 18)
#define CR4_SMEP     (UINT64_C(1) << 20)
#define CR4_SMAP     (UINT64_C(1) << 21)

/* RFLAGS (SDM 1 3.4.3). */
#define RFLAGS_FIXED (UINT64_C(1) << 1)
#define RFLAGS_CF    (UINT64_C(1) << 0)
#define RFLAGS_TF    (UINT64_C(1) << 8)
#define RFLAGS_IF    (UINT64_C(1) << 9)
#define RFLAGS_DF    (UINT64_C(1) << 10)
#define RFLAGS_NT    (UINT64_C(1) << 14)
#define RFLAGS_RF    (UINT64_C(1) << 16)
#define RFLAGS_AC    (UINT64_C(1) << 18)

/* Model-specific registers (SDM 4, table 2-2). */
#define MSR_APIC_BASE      0x1b
#define MSR_DEBUGCTL       0x1d9
#define MSR_PAT            0x277
#define MSR_TSC_DEADLINE   0x6e0
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_FMASK          0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103

#define DEBUGCTL_BTF                                                                               \
	(UINT64_C(1) << 1) /* SDM 3B 18.4.1: TF traps at branches only; #DB clears it */
#define EFER_SCE (UINT64_C(1) << 0)
#define EFER_NXE (UINT64_C(1) << 11)

/* Selectors: the order that SYSCALL and SYSRET want (SDM 2B); those of programs have Linux's
 * values, by which debuggers know a 64-bit program. */
#define SELECTOR_KERNEL_CODE 0x10
#define SELECTOR_KERNEL_DATA 0x18
#define SELECTOR_USER_DATA   0x2b
#define SELECTOR_USER_CODE   0x33
#define SELECTOR_TSS         0x40
#define GDT_ENTRIES          10

static inline uint64_t msr_read(uint32_t number)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t number, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid_read(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

#define DEFINE_CR(n)                                                                               \
	static inline uint64_t cr##n##_read(void)                                                  \
	{                                                                                          \
		uint64_t value;                                                                    \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(value));                              \
		return value;                                                                      \
	}                                                                                          \
	static inline void cr##n##_write(uint64_t value)                                           \
	{                                                                                          \
		__asm__ volatile("mov %0, %%cr" #n ::"r"(value) : "memory");                       \
	}
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)
#undef DEFINE_CR

/* RDTSC clears the upper halves of both registers (SDM 2B), which the compiler does not know. */
static inline uint64_t tsc_read(void)
{
	uint64_t tsc;

	__asm__ volatile("rdtsc\n\tshlq $32, %%rdx\n\torq %%rdx, %0" : "=a"(tsc)::"rdx", "cc");
	return tsc;
}

/* The linker script's places (kernel.ld). */
extern char kernel_image_start[], kernel_image_end[];
extern char kernel_text_start[], kernel_text_end[];
extern char kernel_rodata_start[], kernel_rodata_end[];
extern char kernel_data_start[], kernel_data_end[];
extern char percpu_start[], percpu_end[];
extern char boot_stack_guard[], boot_stack_base[], boot_stack_top[];

#endif
