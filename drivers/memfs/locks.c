/*
 * Locks of files: fcntl's on ranges, flock's on whole files, which do not see each other. Who has
 * to wait is remembered with his request, and answered by whoever makes room. A circle of owners
 * that wait for each other is refused, as far as fcntl's go.
 *
 * libfuse calls interrupted() with the request locked, and this takes memfs->lock. So a request's
 * interrupt function is set and taken away while memfs->lock is not held.
 */
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#define RANGES_MAX 100000 /* of all files */
#define DEPTH_MAX  1000   /* of owners that wait for each other */

struct range {
	struct range *next;
	uint64_t first, last; /* bytes, inclusive */
	uint64_t owner;
	pid_t pid;
	short type; /* F_RDLCK or F_WRLCK; in what is asked for also F_UNLCK */
	bool is_flock;
};

struct waiter {
	struct waiter *next;
	struct memfs *memfs;
	struct node *node;
	fuse_req_t request;
	struct range wanted;
	bool is_queued, is_interrupted;
};

static bool overlap(const struct range *a, const struct range *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static bool is_same_owner(const struct range *a, const struct range *b)
{
	return a->owner == b->owner && a->is_flock == b->is_flock;
}

/* What stands in the way, or NULL. */
static const struct range *find_conflict(const struct node *node, const struct range *wanted)
{
	const struct range *range = node->ranges;

	if (wanted->type == F_UNLCK)
		return NULL;
	for (; range; range = range->next) {
		if (range->is_flock == wanted->is_flock && range->owner != wanted->owner &&
		    overlap(range, wanted) && (range->type == F_WRLCK || wanted->type == F_WRLCK))
			return range;
	}
	return NULL;
}

/* Takes the wanted part out of an own range. `spare` becomes the second piece of one that is split.
 */
static void cut(struct memfs *memfs, struct range **at, const struct range *wanted,
		struct range **spare)
{
	struct range *range = *at;

	if (range->first < wanted->first && range->last > wanted->last) {
		**spare = *range;
		(*spare)->first = wanted->last + 1;
		range->last = wanted->first - 1;
		range->next = *spare;
		*spare = NULL;
		memfs->nranges++;
	} else if (range->first < wanted->first) {
		range->last = wanted->first - 1;
	} else if (range->last > wanted->last) {
		range->first = wanted->last + 1;
	} else {
		*at = range->next;
		free(range);
		memfs->nranges--;
	}
}

/* An own range of the same type that touches is taken in. */
static void join(struct memfs *memfs, struct node *node, struct range *fresh)
{
	struct range **at = &node->ranges;

	while (*at) {
		struct range *range = *at;

		if (!is_same_owner(range, fresh) || range->type != fresh->type ||
		    (range->last + 1 != fresh->first && fresh->last + 1 != range->first)) {
			at = &range->next;
			continue;
		}
		fresh->first = range->first < fresh->first ? range->first : fresh->first;
		fresh->last = range->last > fresh->last ? range->last : fresh->last;
		*at = range->next;
		free(range);
		memfs->nranges--;
	}
}

/* What is in nobody's way takes effect. -ENOLCK: too many. */
static int apply(struct memfs *memfs, struct node *node, const struct range *wanted)
{
	struct range *fresh = malloc(sizeof(*fresh)), *spare = malloc(sizeof(*spare));
	struct range **at = &node->ranges;

	if (!fresh || !spare || (wanted->type != F_UNLCK && memfs->nranges >= RANGES_MAX)) {
		free(fresh);
		free(spare);
		return -ENOLCK;
	}
	while (*at) {
		struct range *range = *at;

		if (is_same_owner(range, wanted) && overlap(range, wanted))
			cut(memfs, at, wanted, &spare);
		if (*at == range)
			at = &range->next;
	}
	free(spare);
	if (wanted->type == F_UNLCK) {
		free(fresh);
		return 0;
	}
	*fresh = *wanted;
	join(memfs, node, fresh);
	fresh->next = node->ranges;
	node->ranges = fresh;
	memfs->nranges++;
	return 0;
}

/* ---- waiting ---- */

static const struct waiter *waiter_of(const struct memfs *memfs, uint64_t owner)
{
	const struct waiter *waiter = memfs->waiters;

	while (waiter && (waiter->wanted.owner != owner || waiter->wanted.is_flock))
		waiter = waiter->next;
	return waiter;
}

/* Would it wait, in the end, for itself? */
static bool is_deadlock(const struct memfs *memfs, const struct node *node,
			const struct range *wanted)
{
	const struct range *blocker = find_conflict(node, wanted);
	const struct waiter *waiter;

	for (unsigned depth = 0; blocker && depth < DEPTH_MAX && !wanted->is_flock; depth++) {
		if (blocker->owner == wanted->owner)
			return true;
		waiter = waiter_of(memfs, blocker->owner);
		blocker = waiter ? find_conflict(waiter->node, &waiter->wanted) : NULL;
	}
	return false;
}

static void enqueue(struct memfs *memfs, struct waiter *waiter)
{
	struct waiter **at = &memfs->waiters;

	while (*at)
		at = &(*at)->next;
	waiter->next = NULL;
	waiter->is_queued = true;
	*at = waiter;
}

static void dequeue(struct memfs *memfs, struct waiter *waiter)
{
	struct waiter **at = &memfs->waiters;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	waiter->next = NULL;
	waiter->is_queued = false;
}

/* By libfuse, when who waits was hit by a signal. A waiter that has just been let go is answered by
 * whoever did that. */
static void interrupted(fuse_req_t request, void *argument)
{
	struct waiter *waiter = argument;
	struct memfs *memfs = waiter->memfs;
	bool was_queued;

	pthread_mutex_lock(&memfs->lock);
	waiter->is_interrupted = true;
	was_queued = waiter->is_queued;
	if (was_queued)
		dequeue(memfs, waiter);
	pthread_mutex_unlock(&memfs->lock);
	if (was_queued) {
		fuse_reply_err(request, EINTR);
		free(waiter);
	}
}

/* Takes from the queue who can go on; a list for answer_all(). The lock is held. */
static struct waiter *take_ready(struct memfs *memfs, const struct node *node)
{
	struct waiter *ready = NULL, **end = &ready, *waiter, *next;

	for (waiter = memfs->waiters; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->node != node || find_conflict(node, &waiter->wanted) ||
		    apply(memfs, waiter->node, &waiter->wanted))
			continue;
		dequeue(memfs, waiter);
		*end = waiter;
		end = &waiter->next;
	}
	return ready;
}

/* The lock is not held. */
static void answer_all(struct waiter *ready)
{
	while (ready) {
		struct waiter *waiter = ready;

		ready = waiter->next;
		fuse_req_interrupt_func(waiter->request, NULL, NULL);
		fuse_reply_err(waiter->request, 0);
		free(waiter);
	}
}

static void wait_for(struct memfs *memfs, struct node *node, fuse_req_t request,
		     const struct range *wanted)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter)), *ready = NULL;
	int err = 0;

	if (!waiter) {
		fuse_reply_err(request, ENOLCK);
		return;
	}
	*waiter = (struct waiter){
		.memfs = memfs, .node = node, .request = request, .wanted = *wanted};
	fuse_req_interrupt_func(request, interrupted, waiter);
	pthread_mutex_lock(&memfs->lock);
	if (waiter->is_interrupted) {
		err = -EINTR;
	} else if (!find_conflict(node, wanted)) {
		err = apply(memfs, node, wanted);
		ready = take_ready(memfs, node); /* what was exclusive may be shared now */
	} else if (is_deadlock(memfs, node, wanted)) {
		err = -EDEADLK;
	} else {
		enqueue(memfs, waiter);
		pthread_mutex_unlock(&memfs->lock);
		return;
	}
	pthread_mutex_unlock(&memfs->lock);
	fuse_req_interrupt_func(request, NULL, NULL);
	fuse_reply_err(request, -err);
	free(waiter);
	answer_all(ready);
}

static void set_lock(fuse_req_t request, struct node *node, const struct range *wanted, bool sleep)
{
	struct memfs *memfs = memfs_of(request);
	struct waiter *ready = NULL;
	int err = -EAGAIN;

	if (sleep && wanted->type != F_UNLCK) {
		wait_for(memfs, node, request, wanted);
		return;
	}
	pthread_mutex_lock(&memfs->lock);
	if (!find_conflict(node, wanted)) {
		err = apply(memfs, node, wanted);
		ready = take_ready(memfs, node);
	}
	pthread_mutex_unlock(&memfs->lock);
	fuse_reply_err(request, -err);
	answer_all(ready);
}

/* ---- operations ---- */

static struct range range_of(const struct flock *lock, uint64_t owner)
{
	return (struct range){.first = (uint64_t)lock->l_start,
			      .last = lock->l_len
					      ? (uint64_t)lock->l_start + (uint64_t)lock->l_len - 1
					      : INT64_MAX,
			      .owner = owner,
			      .pid = lock->l_pid,
			      .type = lock->l_type};
}

void do_getlk(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info, struct flock *lock)
{
	struct memfs *memfs = memfs_of(request);
	struct range wanted = range_of(lock, info->lock_owner);
	const struct range *range;

	pthread_mutex_lock(&memfs->lock);
	range = find_conflict(node_of(request, ino), &wanted);
	lock->l_type = F_UNLCK;
	if (range) {
		lock->l_type = range->type;
		lock->l_start = (off_t)range->first;
		lock->l_len =
			range->last == INT64_MAX ? 0 : (off_t)(range->last - range->first + 1);
		lock->l_pid = range->pid;
	}
	pthread_mutex_unlock(&memfs->lock);
	fuse_reply_lock(request, lock);
}

void do_setlk(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info, struct flock *lock,
	      int sleep)
{
	struct range wanted = range_of(lock, info->lock_owner);

	set_lock(request, node_of(request, ino), &wanted, sleep);
}

static struct range whole_file(uint64_t owner, short type)
{
	return (struct range){.last = INT64_MAX, .owner = owner, .type = type, .is_flock = true};
}

void do_flock(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info, int op)
{
	short type = op & LOCK_UN ? F_UNLCK : op & LOCK_EX ? F_WRLCK : F_RDLCK;
	struct range wanted = whole_file(info->lock_owner, type);

	set_lock(request, node_of(request, ino), &wanted, !(op & LOCK_NB));
}

void locks_drop(struct memfs *memfs, struct node *node, uint64_t owner, bool is_flock)
{
	struct range wanted = whole_file(owner, F_UNLCK);
	struct range **at = &node->ranges;
	struct waiter *ready;

	wanted.is_flock = is_flock;
	pthread_mutex_lock(&memfs->lock);
	while (*at) {
		struct range *range = *at;

		if (is_same_owner(range, &wanted))
			cut(memfs, at, &wanted, NULL); /* of all of it: there is no second piece */
		else
			at = &range->next;
	}
	ready = take_ready(memfs, node);
	pthread_mutex_unlock(&memfs->lock);
	answer_all(ready);
}

void locks_free(struct memfs *memfs, struct node *node)
{
	while (node->ranges) {
		struct range *range = node->ranges;

		node->ranges = range->next;
		free(range);
		memfs->nranges--;
	}
}

void waiters_free(struct memfs *memfs)
{
	while (memfs->waiters) {
		struct waiter *waiter = memfs->waiters;

		memfs->waiters = waiter->next;
		free(waiter);
	}
}
