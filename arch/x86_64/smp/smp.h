/*
 * Several CPUs, for arch/ alone: who they are, how one is started, what it does with calls of the
 * others.
 */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include <arch/cpu.h>
#include <lib/types.h>

struct trap_frame;

extern struct cpu first_cpu; /* in start.c */

/* ---- cpus.c ---- */

/* Memory of one more CPU: struct cpu, what is arch's, its copy of the PERCPU() data, a stack. NULL:
 * no memory. It is nobody's yet: cpu_publish() makes it known. */
struct cpu *cpu_create(uint32_t id, uint32_t apic_id);
/* Of a CPU that never ran. */
void cpu_destroy(struct cpu *cpu);
/* From now on `cpu`, the running one, is counted. */
void cpu_publish(struct cpu *cpu);

/* ---- call.c ---- */

/* What other CPUs want this one to do: in the interrupt, interrupts off. */
void cpu_calls_run(void);

/* ---- nmi.c ---- */

/* The NMI is one of ours and has been dealt with. Does not return where this CPU is to stop. */
bool nmi_answer(const struct trap_frame *frame);
/* Has a CPU wait for ever in its NMI handler, deaf to all others (arch/triggers.h). */
void nmi_trigger_hang(uint32_t id);

/* ---- tsc.c ---- */

/* The first CPU's side of the comparison with the one that is being started, and that one's. False:
 * the other did not answer. */
bool tsc_compare(struct cpu *other);
void tsc_compare_answer(const struct cpu *self, bool (*given_up)(void));

#endif
