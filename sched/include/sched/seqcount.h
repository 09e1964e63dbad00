/*
 * Reading without a lock what is small, read often and seldom written: readers copy it, and copy
 * again if a writer was at it meanwhile. A writer holds the spinlock that protects the thing, so a
 * reader waits for no longer than that is held. Readers may be anywhere; they must not follow a
 * pointer that they copied before seqcount_changed() said no.
 */
#ifndef SCHED_SEQCOUNT_H
#define SCHED_SEQCOUNT_H

#include <arch/cpu.h>
#include <lib/atomic.h>

struct seqcount {
	uint32_t value; /* odd: a writer is at it. By atomic access; written under the spinlock */
};

/* The fence keeps the writes that follow behind the odd value; see seqcount_changed(). */
static inline void seqcount_write_begin(struct seqcount *count)
{
	write_once(&count->value, count->value + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Pairs with seqcount_read_begin(). */
static inline void seqcount_write_end(struct seqcount *count)
{
	store_release(&count->value, count->value + 1);
}

static inline uint32_t seqcount_read_begin(const struct seqcount *count)
{
	uint32_t value;

	/* Acquire: what is read from here on was written before this value, or later. */
	while ((value = load_acquire(&count->value)) & 1)
		cpu_relax();
	return value;
}

/* Whether what was read since seqcount_read_begin() must be read again. */
static inline bool seqcount_changed(const struct seqcount *count, uint32_t begun)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return read_once(&count->value) != begun;
}

#endif
