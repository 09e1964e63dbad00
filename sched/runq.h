/*
 * One CPU's queue of ready threads, as pure data: who is next, and what a slice is worth. It knows
 * threads as struct sched_entity, has no lock and no clock: the caller brings both. The running
 * thread is in no queue.
 *
 * All of it takes a fixed number of steps. A level is a list, a bit says whether it is empty; the
 * expired list holds those of POLICY_OTHER who have used their slice, and becomes the level of
 * those who compute when nobody else is ready: that begins a new epoch. An entity is given at most
 * one slice an epoch, whether it sleeps in between or not, so an epoch ends and nobody starves.
 */
#ifndef SCHED_RUNQ_H
#define SCHED_RUNQ_H

#include <lib/panic.h>
#include <sched/entity.h>

struct runq {
	uint64_t ready; /* bit n: level n is not empty */
	uint32_t epoch;
	uint32_t nready;
	struct list expired; /* their entities' epoch is the next one */
	struct list level[SCHED_LEVELS];
};

void runq_init(struct runq *queue);

/* A policy's level, slice and start; `priority` of FIFO and RR. */
void entity_init(struct sched_entity *entity, enum sched_policy policy, unsigned priority,
		 int nice);
/* Of POLICY_OTHER, queued or not: what is left of the slice changes in proportion. */
void entity_set_nice(struct sched_entity *entity, int nice);

/* A new one. Half of what is left of the slice of `parent` (NULL: none) is its first slice, so that
 * making threads does not prolong the epoch. */
void runq_start(struct runq *queue, struct sched_entity *entity, struct sched_entity *parent);
/* It slept and is ready again. */
static inline void runq_wake(struct runq *queue, struct sched_entity *entity);
/* It ran, and is still ready: behind the others if its slice is spent, else first of its level. */
void runq_preempted(struct runq *queue, struct sched_entity *entity);
/* The same for one that lets the others of its level go first, and gives its boost back. */
void runq_yielded(struct runq *queue, struct sched_entity *entity);
/* Takes out who runs next; NULL: nobody is ready. */
static inline struct sched_entity *runq_pick(struct runq *queue);

/* Direct switch: `to`, which sleeps, may run in place of `from` without passing the queue, unless
 * somebody who is ready outranks it or the slice of `from` is spent. If it may, `to` has the rest
 * of the slice of `from`, and `from` what `to` had: together they have no more than before. */
bool runq_try_lend(struct runq *queue, struct sched_entity *from, struct sched_entity *to);

/* ---- between the queues of two CPUs ---- */

/* Takes out the most urgent one that `may` allows, looking at `looks` of a level at most. NULL:
 * none. *expired: it had used its slice. */
struct sched_entity *runq_steal(struct runq *queue,
				bool (*may)(const struct sched_entity *entity, void *argument),
				void *argument, unsigned looks, bool *expired);
/* Takes this one out, which is in the queue; true: it had used its slice. */
bool must_check runq_remove(struct runq *queue, struct sched_entity *entity);
/* Puts in one that was taken out of another queue: it has what it had left, in this epoch, or waits
 * for the next one. */
void runq_add_moved(struct runq *queue, struct sched_entity *entity, bool expired);

/* Somebody of a more urgent level than `level` is ready. */
static inline bool runq_outranks(const struct runq *queue, unsigned level)
{
	return (queue->ready & ((UINT64_C(1) << level) - 1)) != 0;
}

/* ---- the halves of wake and pick that are on the path of every switch ---- */

/* The others: a new epoch, or a slice that is spent. runq_next_epoch: false if nobody is ready. */
bool runq_next_epoch(struct runq *queue);
bool runq_refill_for_wake(struct runq *queue, struct sched_entity *entity);

static inline void runq_add_tail(struct runq *queue, struct sched_entity *entity)
{
	debug_assert(!list_linked(&entity->run_link));
	list_add_tail(&queue->level[entity->level], &entity->run_link);
	queue->ready |= UINT64_C(1) << entity->level;
	queue->nready++;
}

static inline void runq_wake(struct runq *queue, struct sched_entity *entity)
{
	if (likely(entity->policy == POLICY_OTHER)) {
		if (unlikely(entity->epoch != queue->epoch || entity->slice_left_ns <= 0) &&
		    !runq_refill_for_wake(queue, entity))
			return; /* it is among the expired */
		entity->level = entity->woken_level;
	}
	runq_add_tail(queue, entity);
}

static inline struct sched_entity *runq_pick(struct runq *queue)
{
	struct sched_entity *entity;
	struct list *list;

	if (unlikely(!queue->ready) && !runq_next_epoch(queue))
		return NULL;
	list = &queue->level[__builtin_ctzll(queue->ready)];
	entity = list_first_entry(list, struct sched_entity, run_link);
	list_del(&entity->run_link);
	if (list_empty(list))
		queue->ready &= queue->ready - 1; /* its bit is the lowest */
	queue->nready--;
	return entity;
}

static inline void entity_charge(struct sched_entity *entity, uint64_t ran_ns)
{
	entity->slice_left_ns -= (int64_t)ran_ns;
}

#endif
