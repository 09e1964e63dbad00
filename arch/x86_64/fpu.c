/*
 * Owns the extended state of programs: saved and loaded eagerly by context_switch(), never used by
 * the kernel itself (it is compiled with -mgeneral-regs-only). XSAVE where the CPU has it, else
 * FXSAVE (SDM 1, chapters 10.5 and 13).
 *
 * Only x87, SSE and AVX with its wider parts are managed; protection keys (component 9) stay off.
 */
#include "fpu.h"

#include "x86.h"

#include <arch/context.h>
#include <arch/cpu.h>
#include <lib/string.h>

/* XCR0: x87, SSE, AVX, AVX-512 (three components). */
#define XCR0_WANTED   UINT64_C(0xe7)
#define FXSAVE_BYTES  512
#define FCW_DEFAULT   0x037f /* psABI 3.4.1 */
#define MXCSR_DEFAULT 0x00001f80
#define FXSAVE_FCW    0
#define FXSAVE_MXCSR  24

/* What the instructions below touch at least; "memory" tells of the rest. */
struct fxsave_area {
	char bytes[FXSAVE_BYTES];
};

/* Constant after fpu_detect(). */
static uint64_t components;
static size_t state_bytes = FXSAVE_BYTES;

void fpu_detect(void)
{
	if (!cpu_features()->xsave)
		return;
	components = cpuid_read(0xd, 0).eax & XCR0_WANTED;
}

void fpu_enable(void)
{
	if (!components)
		return;
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)components),
			 "d"((uint32_t)(components >> 32))
			 : "memory");
	/* EBX: the size that what XCR0 enables now takes. The same on all CPUs. */
	if (cpu_id() == 0)
		state_bytes = cpuid_read(0xd, 0).ebx;
}

size_t fpu_state_bytes(void)
{
	return state_bytes;
}

void fpu_state_init(void *state)
{
	uint16_t fcw = FCW_DEFAULT;
	uint32_t mxcsr = MXCSR_DEFAULT;

	/* An XSAVE header of zeros: all components in their initial state, but FCW and MXCSR are
	 * always loaded. */
	memset(state, 0, state_bytes);
	memcpy((char *)state + FXSAVE_FCW, &fcw, sizeof(fcw));
	memcpy((char *)state + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

void fpu_save(void *state)
{
	if (components)
		__asm__ volatile("xsave64 %0"
				 : "+m"(*(struct fxsave_area *)state)
				 : "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
				 : "memory");
	else
		__asm__ volatile("fxsave64 %0" : "=m"(*(struct fxsave_area *)state));
}

void fpu_load(const void *state)
{
	if (components)
		__asm__ volatile("xrstor64 %0" ::"m"(*(const struct fxsave_area *)state),
				 "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
				 : "memory");
	else
		__asm__ volatile("fxrstor64 %0" ::"m"(*(const struct fxsave_area *)state));
}
