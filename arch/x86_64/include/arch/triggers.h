/*
 * Faults on purpose that take an instruction of their own, for the tests of what a panic says.
 */
#ifndef ARCH_TRIGGERS_H
#define ARCH_TRIGGERS_H

/* Faults with a stack pointer that nothing can be pushed to, so delivering the fault faults. */
void machine_trigger_double_fault(void);

/* Makes the last CPU but the caller's deaf to all interrupts, NMIs too. Nothing happens with one
 * CPU.
 */
void machine_trigger_deaf(void);

/* The TSC seems to do so from now on, to the kernel and to programs. */
enum tsc_fault {
	TSC_JUMPS,     /* six seconds forward */
	TSC_GOES_BACK, /* by half of the time that the machine is up */
	TSC_IS_FAST,   /* by two */
	TSC_STOPS,
};
void machine_trigger_tsc(enum tsc_fault fault);

#endif
