/*
 * The run queue: see runq.h. Invariants: bit n of `ready` is set exactly while level n has entries;
 * what is on the expired list has the epoch after the queue's own and a fresh slice; entities of
 * POLICY_OTHER are on the last two levels or on the expired list.
 */
#include "runq.h"

/* 3 ms * 1.25^-nice, rounded. */
static const uint32_t nice_slices_ns[NICE_MAX - NICE_MIN + 1] = {
	260208521, 208166817, 166533454, 133226763, 106581410, 85265128, 68212103, 54569682,
	43655746,  34924597,  27939677,  22351742,  17881393,  14305115, 11444092, 9155273,
	7324219,   5859375,   4687500,   3750000,   3000000,   2400000,  1920000,  1536000,
	1228800,   983040,    786432,    629146,    503316,    402653,   322123,   257698,
	206158,    164927,    131941,    105553,    84442,     67554,    54043,    43235,
};

uint32_t nice_slice_ns(int nice)
{
	return nice_slices_ns[MAX(NICE_MIN, MIN(NICE_MAX, nice)) - NICE_MIN];
}

void runq_init(struct runq *queue)
{
	queue->ready = 0;
	queue->epoch = 0;
	queue->nready = 0;
	list_init(&queue->expired);
	for (unsigned level = 0; level < SCHED_LEVELS; level++)
		list_init(&queue->level[level]);
}

void entity_init(struct sched_entity *entity, enum sched_policy policy, unsigned priority, int nice)
{
	*entity = (struct sched_entity){.policy = (uint8_t)policy};
	list_init(&entity->run_link);
	switch (policy) {
	case POLICY_OTHER:
		entity->level = LEVEL_NORMAL;
		entity->nice = (int8_t)MAX(NICE_MIN, MIN(NICE_MAX, nice));
		entity->slice_full_ns = nice_slice_ns(nice);
		entity->woken_level = LEVEL_BOOSTED;
		break;
	case POLICY_FIFO:
	case POLICY_RR:
		assert(priority >= SCHED_PRIORITY_MIN && priority <= SCHED_PRIORITY_MAX);
		entity->level = (uint8_t)(SCHED_PRIORITY_MAX - priority);
		entity->slice_full_ns = policy == POLICY_RR ? RR_SLICE_NS : 0;
		break;
	case POLICY_IDLE:
		entity->level = LEVEL_IDLE;
		break;
	}
	entity->slice_left_ns = entity->slice_full_ns;
}

void entity_set_nice(struct sched_entity *entity, int nice)
{
	uint32_t full_ns = nice_slice_ns(nice);

	if (entity->policy != POLICY_OTHER)
		return;
	/* At most 260 ms squared in ns: fits. */
	entity->slice_left_ns =
		entity->slice_left_ns * (int64_t)full_ns / (int64_t)entity->slice_full_ns;
	entity->slice_full_ns = full_ns;
	entity->nice = (int8_t)MAX(NICE_MIN, MIN(NICE_MAX, nice));
}

static void add_head(struct runq *queue, struct sched_entity *entity)
{
	debug_assert(!list_linked(&entity->run_link));
	list_add_head(&queue->level[entity->level], &entity->run_link);
	queue->ready |= UINT64_C(1) << entity->level;
	queue->nready++;
}

/* A fresh slice less what it ran over, but never so little that it could not even begin. */
static void refill(struct sched_entity *entity)
{
	int64_t full_ns = entity->slice_full_ns;
	int64_t owed_ns = MIN(entity->slice_left_ns, INT64_C(0));

	entity->slice_left_ns = MAX(full_ns + owed_ns, full_ns / 8);
}

static void add_expired(struct runq *queue, struct sched_entity *entity)
{
	debug_assert(!list_linked(&entity->run_link));
	refill(entity);
	entity->level = LEVEL_NORMAL;
	entity->epoch = queue->epoch + 1;
	list_add_tail(&queue->expired, &entity->run_link);
	queue->nready++;
}

static bool slice_spent(const struct sched_entity *entity)
{
	return entity->slice_left_ns <= 0 && entity->slice_full_ns != 0;
}

/* Behind all who have something left of theirs. */
static void add_spent(struct runq *queue, struct sched_entity *entity)
{
	if (entity->policy == POLICY_OTHER) {
		add_expired(queue, entity);
		return;
	}
	refill(entity);
	runq_add_tail(queue, entity);
}

void runq_start(struct runq *queue, struct sched_entity *entity, struct sched_entity *parent)
{
	entity->epoch = queue->epoch;
	if (parent && parent->policy == POLICY_OTHER && entity->policy == POLICY_OTHER) {
		int64_t half_ns = MAX(parent->slice_left_ns / 2, INT64_C(0));

		parent->slice_left_ns -= half_ns;
		entity->slice_left_ns = MIN(half_ns, entity->slice_left_ns);
	}
	if (slice_spent(entity))
		add_spent(queue, entity);
	else
		runq_add_tail(queue, entity);
}

/* A slice for this epoch, if it has not had one, and the boost if something is left of it. */
static bool may_wake_boosted(struct runq *queue, struct sched_entity *entity)
{
	if (entity->epoch != queue->epoch) {
		/* What it kept from a slice of an older epoch is no more than a fresh one. */
		refill(entity);
		entity->epoch = queue->epoch;
	}
	return entity->slice_left_ns > 0;
}

bool runq_refill_for_wake(struct runq *queue, struct sched_entity *entity)
{
	if (may_wake_boosted(queue, entity))
		return true;
	add_expired(queue, entity);
	return false;
}

void runq_preempted(struct runq *queue, struct sched_entity *entity)
{
	if (slice_spent(entity))
		add_spent(queue, entity);
	else
		add_head(queue, entity);
}

void runq_yielded(struct runq *queue, struct sched_entity *entity)
{
	if (slice_spent(entity)) {
		add_spent(queue, entity);
		return;
	}
	if (entity->policy == POLICY_OTHER)
		entity->level = LEVEL_NORMAL;
	runq_add_tail(queue, entity);
}

bool runq_next_epoch(struct runq *queue)
{
	if (list_empty(&queue->expired))
		return false;
	queue->epoch++;
	list_splice_tail(&queue->level[LEVEL_NORMAL], &queue->expired);
	queue->ready = UINT64_C(1) << LEVEL_NORMAL;
	return true;
}

bool runq_try_lend(struct runq *queue, struct sched_entity *from, struct sched_entity *to)
{
	int64_t rest_ns = from->slice_left_ns;

	if (to->policy != POLICY_OTHER || from->policy != POLICY_OTHER) {
		/* No slice to lend between policies: it runs on its own, if it has one. */
		if (to->policy == POLICY_OTHER && !may_wake_boosted(queue, to))
			return false;
		if (runq_outranks(queue, to->policy == POLICY_OTHER ? to->woken_level : to->level))
			return false;
		if (to->policy == POLICY_OTHER)
			to->level = to->woken_level;
		return true;
	}
	if (rest_ns <= 0 || runq_outranks(queue, to->woken_level))
		return false;
	if (to->epoch != queue->epoch) {
		refill(to);
		to->epoch = queue->epoch;
	}
	from->slice_left_ns = to->slice_left_ns;
	to->slice_left_ns = rest_ns;
	to->level = to->woken_level;
	return true;
}

/* ---- between the queues of two CPUs ---- */

bool runq_remove(struct runq *queue, struct sched_entity *entity)
{
	bool expired = entity->policy == POLICY_OTHER && entity->epoch == queue->epoch + 1;

	debug_assert(list_linked(&entity->run_link));
	list_del(&entity->run_link);
	if (list_empty(&queue->level[entity->level]))
		queue->ready &= ~(UINT64_C(1) << entity->level);
	queue->nready--;
	return expired;
}

static struct sched_entity *find(struct list *list,
				 bool (*may)(const struct sched_entity *entity, void *argument),
				 void *argument, unsigned looks)
{
	struct sched_entity *entity;

	list_for_each (entity, list, run_link) {
		if (may(entity, argument))
			return entity;
		if (--looks == 0)
			break;
	}
	return NULL;
}

struct sched_entity *runq_steal(struct runq *queue,
				bool (*may)(const struct sched_entity *entity, void *argument),
				void *argument, unsigned looks, bool *expired)
{
	struct sched_entity *found = NULL;

	for (uint64_t ready = queue->ready; ready && !found; ready &= ready - 1)
		found = find(&queue->level[__builtin_ctzll(ready)], may, argument, looks);
	if (!found)
		found = find(&queue->expired, may, argument, looks);
	if (found)
		*expired = runq_remove(queue, found);
	return found;
}

void runq_add_moved(struct runq *queue, struct sched_entity *entity, bool expired)
{
	if (entity->policy != POLICY_OTHER) {
		runq_add_tail(queue, entity);
		return;
	}
	if (!expired) {
		entity->epoch = queue->epoch;
		runq_add_tail(queue, entity);
		return;
	}
	entity->level = LEVEL_NORMAL;
	entity->epoch = queue->epoch + 1;
	list_add_tail(&queue->expired, &entity->run_link);
	queue->nready++;
}
