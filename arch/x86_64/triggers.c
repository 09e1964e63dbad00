/*
 * Faults on purpose (arch/triggers.h). No state.
 */
#include <arch/triggers.h>

#include "smp/smp.h"

#include <arch/cpu.h>

#include <lib/types.h>

/* In no region of the kernel's map: see arch/paging.h. */
#define NOWHERE UINT64_C(0xffff800000001000)

void machine_trigger_double_fault(void)
{
	uint64_t saved;

	/* The push faults; the processor has to push the fault's frame to the same place: #DF (SDM
	 * 3A, 6.15). The frame pointer stays, so the backtrace is whole; asking for the
	 * frame's address makes the compiler set one up. Put back in case nothing happens. */
	__asm__ volatile("movq %%rsp, %0\n\t"
			 "movq %1, %%rsp\n\t"
			 "pushq $0\n\t"
			 "movq %0, %%rsp"
			 : "=&r"(saved)
			 : "r"(NOWHERE), "r"(__builtin_frame_address(0))
			 : "memory");
}

void machine_trigger_deaf(void)
{
	uint32_t self = cpu_id();
	uint32_t last = cpu_count() - 1;

	if (last == self && last > 0)
		last--;
	if (last != self)
		nmi_trigger_hang(last);
}
