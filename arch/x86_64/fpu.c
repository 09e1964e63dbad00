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
#include <arch/registers.h>
#include <arch/trap.h>

#include <lib/string.h>

#include <abi/signal.h>

/* XCR0: x87, SSE, AVX, AVX-512 (three components). */
#define XCR0_WANTED        UINT64_C(0xe7)
#define XCR0_LEGACY        UINT64_C(0x3) /* x87 and SSE, which FXSAVE keeps */
#define FCW_DEFAULT        0x037f        /* psABI 3.4.1 */
#define MXCSR_DEFAULT      0x00001f80
#define FXSAVE_FCW         0
#define FXSAVE_MXCSR       24
#define FXSAVE_MASK        28
#define MXCSR_DEFAULT_MASK UINT32_C(0xffbf) /* where the CPU says 0 (SDM 1, 11.6.6) */
#define XSAVE_HEADER_WORDS 8

/* What the instructions below touch at least; "memory" tells of the rest. */
struct fxsave_area {
	char bytes[FXSAVE_BYTES];
} __attribute__((aligned(16)));

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

uint64_t fpu_state_components(void)
{
	return components ? components : XCR0_LEGACY;
}

uint64_t fpu_components(void)
{
	return components;
}

bool fpu_mxcsr_is_loadable(const void *state)
{
	struct fxsave_area own;
	uint32_t mask;
	uint32_t mxcsr;

	__asm__ volatile("fxsave64 %0" : "=m"(own));
	memcpy(&mask, own.bytes + FXSAVE_MASK, sizeof(mask));
	memcpy(&mxcsr, (const char *)state + FXSAVE_MXCSR, sizeof(mxcsr));
	return !(mxcsr & ~(mask ? mask : MXCSR_DEFAULT_MASK));
}

/* SDM 1, 13.8.1: XRSTOR faults on components beyond XCR0, on a compacted form, on reserved bytes of
 * the header and on reserved bits of MXCSR. */
bool fpu_state_is_loadable(const void *state)
{
	uint64_t header[XSAVE_HEADER_WORDS];

	if (!fpu_mxcsr_is_loadable(state))
		return false;
	if (!components)
		return true;
	memcpy(header, (const char *)state + FXSAVE_BYTES, sizeof(header));
	for (unsigned i = 1; i < XSAVE_HEADER_WORDS; i++) {
		if (header[i])
			return false;
	}
	return !(header[0] & ~components);
}

/* Flags of the exceptions that are not masked, in the order that Linux looks at them: SDM 1, 8.1.3
 * and 10.2.3. */
int fpu_fault_code(uint64_t vector)
{
	uint32_t raised;
	uint32_t mxcsr;
	uint16_t status;
	uint16_t control;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstsw %0" : "=m"(status));
	__asm__ volatile("fnstcw %0" : "=m"(control));
	raised = vector == TRAP_SIMD ? mxcsr & ~(mxcsr >> 7) : (uint32_t)(status & ~control);
	if (raised & 1)
		return FPE_FLTINV;
	if (raised & 4)
		return FPE_FLTDIV;
	if (raised & 8)
		return FPE_FLTOVF;
	if (raised & (2 | 16))
		return FPE_FLTUND;
	return raised & 32 ? FPE_FLTRES : 0;
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

void fpu_save_current(void)
{
	fpu_save(((struct context *)current_thread())->fpu);
}

void fpu_load_current(void)
{
	fpu_load(((struct context *)current_thread())->fpu);
}
