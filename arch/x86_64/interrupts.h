/*
 * The interrupt controllers, as trap.c and the start see them.
 */
#ifndef ARCH_INTERRUPTS_H
#define ARCH_INTERRUPTS_H

#include <lib/types.h>

#define VECTOR_IRQ_BASE 0x20 /* 16 lines of the 8259 */
#define VECTOR_TIMER    0xf0 /* local APIC timer */
#define VECTOR_KICK     0xf1 /* another CPU wants us to look at our run queue */
#define VECTOR_SPURIOUS 0xff

/* 8259: moved to VECTOR_IRQ_BASE, all lines masked. */
void pic_init(void);
void pic_unmask(unsigned line);
void pic_end(unsigned line);
/* False: the line was not really in service (SDM of the 8259: spurious IRQ 7 and 15); nothing to
 * end or handle. */
bool pic_is_real(unsigned line);

/* Local APIC of the running CPU: enabled, 8259 passed through on LINT0. False: there is none. */
bool apic_init(void);
bool apic_present(void);
void apic_end(void);
uint32_t apic_id(void);
/* Counts down once from `count`, then VECTOR_TIMER. 0: stops. */
void apic_timer_set(uint32_t count);
uint32_t apic_timer_remaining(void);
/* One count every 16 bus cycles. */
void apic_timer_start_free(void);

#endif
