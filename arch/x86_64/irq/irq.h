/*
 * Controllers of device interrupts, for this folder: the 8259 pair, or I/O APICs.
 */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <lib/types.h>

/* Which of them is in charge is decided once (irq_init()). Lines as in arch/trap.h. */
struct irq_controller {
	const char *name;
	/* The input that the line ends at: two lines may share one. */
	uint32_t (*place_of)(unsigned line);
	/* There is such an input. */
	bool (*leads_here)(unsigned line);
	/* It leads to the CPU from now on: the first one if the controller knows no other. */
	void (*unmask)(unsigned line, uint32_t cpu);
	bool reaches_all_cpus;
	/* False: it was nothing; there is nothing to handle or to end. */
	bool (*is_real)(unsigned line);
	void (*end)(unsigned line);
	/* An interrupt of this CPU has begun and not ended. Interrupts off. */
	bool (*in_service)(void);
};

extern const struct irq_controller pic_controller, ioapic_controller;

/* The 8259s, lines at vectors from `base` on, all masked. */
void pic_init(unsigned base);
/* False: there is no I/O APIC that works. All pins are masked. */
bool ioapic_init(void);

#endif
