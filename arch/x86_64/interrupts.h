/*
 * The interrupt controllers, as trap.c and the start see them.
 */
#ifndef ARCH_INTERRUPTS_H
#define ARCH_INTERRUPTS_H

#include <lib/types.h>

#define VECTOR_IRQ_BASE 0x20 /* and IRQ_LINES from here on */
#define VECTOR_PIC_BASE 0xe0 /* of 8259s that are masked: what comes from there is spurious */
#define VECTOR_TIMER    0xf0 /* local APIC timer */
#define VECTOR_KICK     0xf1 /* another CPU wants us to look at our run queue */
#define VECTOR_CALL     0xf2 /* another CPU wants a function to be called here */
#define VECTOR_SPURIOUS 0xff

/* ---- lines of devices: irq/ ---- */

/* Decides which controller is in charge: I/O APICs, with the 8259s masked, or the 8259s. After
 * apic_init(). */
void irq_init(void);
bool irq_by_8259(void);
/* The interrupt of a line, and one that belongs to nothing. Interrupts off. */
void irq_line(unsigned line);
void irq_stray(unsigned vector);
/* An interrupt has been taken on this CPU and not been ended. Interrupts off. */
bool irq_in_service(void);
const char *irq_owner(unsigned line); /* NULL: nobody's */
uint32_t irq_cpu(unsigned line);      /* where one with an owner leads to */
const char *irq_controller_name(void);

/* ---- the local APIC ---- */

/* Finds it. False: there is none. */
bool apic_init(void);
/* Sets up the running CPU's, after irq_init(). */
void apic_init_cpu(void);
bool apic_present(void);
void apic_end(void);
/* Taken and not ended: this vector; any. */
bool apic_in_service(unsigned vector);
bool apic_any_in_service(void);
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
