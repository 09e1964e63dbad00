/*
 * Timers in the order of their deadlines, as pure data: a binary heap whose links lie in the
 * timers, so that nothing is allocated. Its shape is that of a complete tree, whose n-th place is
 * found by the bits of n; insertion and removal cost the logarithm of the number of timers. No
 * lock.
 */
#ifndef SCHED_TIMERQ_H
#define SCHED_TIMERQ_H

#include <sched/timer.h>

struct timerq {
	struct timer *first; /* the earliest; NULL: none */
	uint64_t ntimers;
};

void timerq_insert(struct timerq *queue, struct timer *timer);
/* `timer` is in the queue. */
void timerq_remove(struct timerq *queue, struct timer *timer);

/* UINT64_MAX: no timer. */
static inline uint64_t timerq_deadline_ns(const struct timerq *queue)
{
	return queue->first ? queue->first->deadline_ns : UINT64_MAX;
}

#endif
