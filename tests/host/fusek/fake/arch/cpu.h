/*
 * The CPU as host tests have it: one, without interrupts; preemption only counts.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <lib/types.h>

struct thread;

typedef uint64_t cpuset_t;

extern uint32_t fake_preempt_depth;

static inline uint32_t cpu_id(void)
{
	return 0;
}

static inline struct thread *current_thread(void)
{
	return NULL;
}

static inline uint32_t cpu_count(void)
{
	return 1;
}

typedef uint64_t irqflags_t;

static inline bool irqs_off(void)
{
	return false;
}

static inline irqflags_t irq_save(void)
{
	return 0;
}

static inline void irq_restore(irqflags_t flags)
{
}

static inline bool in_interrupt(void)
{
	return false;
}

static inline void preempt_disable(void)
{
	fake_preempt_depth++;
}

static inline void preempt_enable(void)
{
	fake_preempt_depth--;
}

static inline void cpu_relax(void)
{
}

static inline uint64_t cpu_random(void)
{
	return UINT64_C(0x0123456789abcdef);
}

#endif
