/*
 * The interrupt controllers, as trap.c and the start see them.
 */
#ifndef ARCH_INTERRUPTS_H
#define ARCH_INTERRUPTS_H

#include <lib/types.h>

#define VECTOR_IRQ_BASE 0x20 /* 16 lines of the 8259 */
#define VECTOR_TIMER    0xf0 /* local APIC timer */
#define VECTOR_KICK     0xf1 /* another CPU wants us to look at our run queue */
#define VECTOR_CALL     0xf2 /* another CPU wants a function to be called here */
#define VECTOR_SPURIOUS 0xff

/* 8259: moved to VECTOR_IRQ_BASE, all lines masked. */
void pic_init(void);
void pic_unmask(unsigned line);
void pic_end(unsigned line);
/* False: the line was not really in service (SDM of the 8259: spurious IRQ 7 and 15); nothing to
 * end or handle. */
bool pic_is_real(unsigned line);

/* Finds the local APIC and sets up the first CPU's, with the 8259 passed through on LINT0. False:
 * there is none. */
bool apic_init(void);
/* The running CPU's, as every CPU does. */
void apic_init_cpu(void);
bool apic_present(void);
void apic_end(void);
uint32_t apic_id(void);

/* What one CPU sends to another (SDM 3A 10.6.1): a fixed interrupt by its vector, NMI, INIT, or the
 * start-up interrupt with the number of the page to start at. Level is always asserted. */
#define IPI_FIXED      0x4000u
#define IPI_NMI        0x4400u
#define IPI_INIT       0x4500u
#define IPI_STARTUP    0x4600u
#define IPI_TARGET_MAX 254 /* what xAPIC's destination can name, less the broadcast */
/* To the CPU with the APIC id `target`. From any context. */
void apic_send(uint32_t target, uint32_t what);
/* Counts down once from `count`, then VECTOR_TIMER. 0: stops. */
void apic_timer_set(uint32_t count);
uint32_t apic_timer_remaining(void);
/* One count every 16 bus cycles. */
void apic_timer_start_free(void);

#endif
