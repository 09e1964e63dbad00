/*
 * Who has locked which parts of files. A node that was ever locked has a struct node_locks with the
 * locks on it; one owner's locks of a kind do not overlap, and those that touch and are alike are
 * one. Those who wait stand in one list, by which a circle of them is found before it is closed.
 * All of it is under records_lock (LOCK_RECORDS): held for a walk over one file's locks, never
 * while anybody waits or a server is asked. A program can make as many as a file has bytes, so all
 * together have a limit, and one user gets no more than half of it.
 */
#include "locks.h"

#include <fusek/figures.h>
#include <ipc/user.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <sched/lock.h>
#include <sched/wait.h>

/* Circles of waiting owners are looked for so far, as on Linux. */
#define CIRCLE_MAX 10

struct held_lock {
	struct list link;
	struct object_lock what;
	int32_t pid;              /* who took it; 0: the kernel */
	struct user_counts *user; /* who took it, a reference; NULL while it is spare */
};

struct node_locks {
	struct list all;      /* records_lock: on all_locks from the first lock on */
	struct node *node;    /* constant */
	struct list held;     /* records_lock: struct held_lock */
	uint64_t version;     /* records_lock, read [a]: grows when one is given back */
	struct waitq changed; /* for the next version */
};

/* One who sleeps, on its stack. */
struct lock_waiter {
	struct list link;
	struct node_locks *locks;
	const struct object_lock *wants;
	int32_t pid;
};

static MUTEX(records_lock, LOCK_RECORDS);
static LIST_HEAD(waiters);   /* records_lock: struct lock_waiter */
static LIST_HEAD(all_locks); /* records_lock: struct node_locks */
static uint64_t nheld;       /* records_lock: struct held_lock on lists */

/* NULL: nothing was ever locked. */
static struct node_locks *locks_of(const struct node *node)
{
	/* Acquire: pairs with the exchange in locks_make(). */
	return load_acquire(&node->locks);
}

/* NULL: no memory. */
static struct node_locks *locks_make(struct node *node)
{
	struct node_locks *locks = locks_of(node), *nobody = NULL;

	if (locks)
		return locks;
	locks = kzalloc(sizeof(*locks));
	if (!locks)
		return NULL;
	list_init(&locks->all);
	list_init(&locks->held);
	locks->node = node;
	waitq_init(&locks->changed);
	if (atomic_cas(&node->locks, &nobody, locks))
		return locks;
	kfree(locks);
	return nobody;
}

void locks_free(struct node *node)
{
	struct node_locks *locks = locks_of(node);

	if (likely(!locks))
		return;
	debug_assert(list_empty(&locks->held));
	mutex_lock(&records_lock);
	if (list_linked(&locks->all))
		list_del(&locks->all);
	mutex_unlock(&records_lock);
	kfree(locks);
}

/* ---- conflicts ---- */

static bool same_owner(const struct object_lock *a, const struct object_lock *b)
{
	return a->kind == b->kind && a->owner == b->owner;
}

/* flock's and fcntl's know nothing of each other. */
static bool conflict(const struct object_lock *a, const struct object_lock *b)
{
	return (a->kind == OBJECT_LOCK_WHOLE) == (b->kind == OBJECT_LOCK_WHOLE) &&
	       !same_owner(a, b) && a->start <= b->end && b->start <= a->end &&
	       (a->type == F_WRLCK || b->type == F_WRLCK);
}

/* The lock in the way that begins first; NULL: none. */
static const struct object_lock *blocker_locked(const struct node_locks *locks,
						const struct object_lock *wants)
	REQUIRES(records_lock);
static const struct object_lock *blocker_locked(const struct node_locks *locks,
						const struct object_lock *wants)
{
	const struct object_lock *first = NULL;
	const struct held_lock *held;

	list_for_each (held, &locks->held, link) {
		if (conflict(&held->what, wants) && (!first || held->what.start < first->start))
			first = &held->what;
	}
	return first;
}

/* What the owner of `lock` waits for, if it does. */
static const struct object_lock *waits_for_locked(const struct object_lock *lock)
	REQUIRES(records_lock);
static const struct object_lock *waits_for_locked(const struct object_lock *lock)
{
	const struct lock_waiter *waiter;

	list_for_each (waiter, &waiters, link) {
		if (same_owner(waiter->wants, lock))
			return blocker_locked(waiter->locks, waiter->wants);
	}
	return NULL;
}

/* If `wants` waited for `blocker`, would it wait for itself? Of an open file nobody can say who
 * holds it: only processes are looked at. */
static bool closes_circle_locked(const struct object_lock *wants, const struct object_lock *blocker)
	REQUIRES(records_lock);
static bool closes_circle_locked(const struct object_lock *wants, const struct object_lock *blocker)
{
	if (wants->kind != OBJECT_LOCK_PROCESS)
		return false;
	for (unsigned i = 0; blocker && i < CIRCLE_MAX; i++) {
		blocker = waits_for_locked(blocker);
		if (blocker && same_owner(blocker, wants))
			return true;
	}
	return false;
}

/* ---- changing ---- */

/* Counts as held from here on. */
static void hold(struct held_lock *held, struct user_counts *user) REQUIRES(records_lock);
static void hold(struct held_lock *held, struct user_counts *user)
{
	held->user = user_counts_get(user);
	(void)!user_charge(user, USER_LOCKS, 1, UINT64_MAX); /* it was looked at before */
	nheld++;
}

static void drop_held(struct held_lock *held) REQUIRES(records_lock);
static void drop_held(struct held_lock *held)
{
	list_del(&held->link);
	nheld--;
	user_uncharge(held->user, USER_LOCKS, 1);
	user_counts_put(held->user);
	kfree(held);
}

/* At most a thousandth of memory: of 256 MiB, 4096; of one user's, half as many. */
static uint64_t held_max(void)
{
	return frames_total() * PAGE_SIZE / 1024 / 64;
}

static bool is_full_locked(struct user_counts *user) REQUIRES(records_lock);
static bool is_full_locked(struct user_counts *user)
{
	return nheld >= held_max() || (user && user_count(user, USER_LOCKS) >= held_max() / 2);
}

/* What the request leaves is more locks than there were: all but giving back, unless that is out of
 * the middle of one. */
static bool makes_more_locked(const struct node_locks *locks, const struct object_lock *request)
	REQUIRES(records_lock);
static bool makes_more_locked(const struct node_locks *locks, const struct object_lock *request)
{
	const struct held_lock *held;

	if (request->type != F_UNLCK)
		return true;
	list_for_each (held, &locks->held, link) {
		if (same_owner(&held->what, request) && held->what.start < request->start &&
		    held->what.end > request->end)
			return true;
	}
	return false;
}

/* Takes [start, end] out of a lock that overlaps it; `upper` is for what is left above, if there is
 * something below, too. True: it was used. */
static bool cut_out(struct held_lock *held, const struct object_lock *range,
		    struct held_lock *upper) REQUIRES(records_lock);
static bool cut_out(struct held_lock *held, const struct object_lock *range,
		    struct held_lock *upper)
{
	struct object_lock *what = &held->what;
	bool below = what->start<range->start, above = what->end> range->end;

	if (below && above) {
		upper->what = *what;
		upper->pid = held->pid;
		upper->what.start = range->end + 1;
		list_add_tail(&held->link, &upper->link);
		hold(upper, held->user);
	}
	if (below)
		what->end = range->start - 1;
	else if (above)
		what->start = range->end + 1;
	else
		drop_held(held);
	return below && above;
}

static bool touch(const struct object_lock *a, const struct object_lock *b)
{
	return a->start <= b->end + 1 && b->start <= a->end + 1;
}

/* The owner's range becomes what `request` says. Of the two spare ones those that are used are
 * set to NULL. */
static void apply_locked(struct node_locks *locks, const struct object_lock *request,
			 struct user_counts *user, struct held_lock *spare[2])
	REQUIRES(records_lock);
static void apply_locked(struct node_locks *locks, const struct object_lock *request,
			 struct user_counts *user, struct held_lock *spare[2])
{
	struct object_lock result = *request;
	struct held_lock *held, *next;

	list_for_each_safe (held, next, &locks->held, link) {
		if (!same_owner(&held->what, &result) || !touch(&held->what, &result))
			continue;
		if (held->what.type == result.type) { /* they become one */
			result.start = MIN(result.start, held->what.start);
			result.end = MAX(result.end, held->what.end);
			drop_held(held);
		} else if (held->what.start <= result.end && result.start <= held->what.end &&
			   cut_out(held, &result, spare[1])) {
			spare[1] = NULL;
			break; /* its owner had nothing else there */
		}
	}
	if (result.type == F_UNLCK)
		return;
	spare[0]->what = result;
	spare[0]->pid = server_caller_current().pid;
	list_add_tail(&locks->held, &spare[0]->link);
	hold(spare[0], user);
	spare[0] = NULL;
}

/* Until nothing is in the way. */
static err_t wait_locked(struct node_locks *locks, const struct object_lock *request, bool wait)
	REQUIRES(records_lock);
static err_t wait_locked(struct node_locks *locks, const struct object_lock *request, bool wait)
{
	const struct object_lock *blocker;

	while ((blocker = blocker_locked(locks, request))) {
		struct lock_waiter waiter = {
			.locks = locks, .wants = request, .pid = server_caller_current().pid};
		uint64_t version = locks->version;
		err_t err;

		if (!wait)
			return -EAGAIN;
		if (closes_circle_locked(request, blocker))
			return -EDEADLK;
		list_add_tail(&waiters, &waiter.link);
		mutex_unlock(&records_lock);
		err = wait_event_interruptible(&locks->changed,
					       read_once(&locks->version) != version);
		mutex_lock(&records_lock);
		list_del(&waiter.link);
		if (err)
			return err;
	}
	return 0;
}

err_t locks_set(struct node *node, const struct object_lock *request, bool wait)
{
	bool unlock = request->type == F_UNLCK;
	struct node_locks *locks = unlock ? locks_of(node) : locks_make(node);
	struct held_lock *spare[2] = {kzalloc(sizeof(*spare[0])), kzalloc(sizeof(*spare[0]))};
	struct user_counts *user = user_counts_of(server_caller_current().uid);
	err_t err = 0;

	if (unlock && !locks)
		goto out;
	if (!locks || !spare[0] || !spare[1] || (!unlock && !user)) {
		err = -ENOLCK;
		goto out;
	}
	mutex_lock(&records_lock);
	if (!list_linked(&locks->all))
		list_add_tail(&all_locks, &locks->all);
	if (request->kind == OBJECT_LOCK_WHOLE && !unlock) {
		struct object_lock before = *request;

		/* As on Linux a change of flock's kind gives up first what was there. */
		before.type = F_UNLCK;
		apply_locked(locks, &before, user, spare);
	}
	if (!unlock)
		err = wait_locked(locks, request, wait);
	if (!err && is_full_locked(user) && makes_more_locked(locks, request))
		err = -ENOLCK;
	if (!err)
		apply_locked(locks, request, user, spare);
	write_once(&locks->version, locks->version + 1);
	mutex_unlock(&records_lock);
	waitq_wake_all(&locks->changed);
out:
	kfree(spare[0]);
	kfree(spare[1]);
	user_counts_put(user);
	return err;
}

void locks_test(struct node *node, struct object_lock *request)
{
	const struct node_locks *locks = locks_of(node);
	const struct object_lock *blocker = NULL;

	if (locks) {
		mutex_lock(&records_lock);
		blocker = blocker_locked(locks, request);
		if (blocker)
			*request = *blocker;
		mutex_unlock(&records_lock);
	}
	if (!blocker)
		request->type = F_UNLCK;
}

void locks_drop(struct node *node, enum object_lock_kind kind, uint64_t owner)
{
	const struct object_lock whose = {.kind = kind, .owner = owner};
	struct node_locks *locks = locks_of(node);
	struct held_lock *held, *next;

	if (likely(!locks))
		return;
	mutex_lock(&records_lock);
	list_for_each_safe (held, next, &locks->held, link) {
		if (same_owner(&held->what, &whose))
			drop_held(held);
	}
	write_once(&locks->version, locks->version + 1);
	mutex_unlock(&records_lock);
	waitq_wake_all(&locks->changed);
}

/* ---- telling ---- */

static struct lock_info info_of(const struct node_locks *locks, const struct object_lock *what,
				int32_t pid)
{
	return (struct lock_info){
		.what = what,
		.pid = what->kind == OBJECT_LOCK_OPEN ? -1 : pid,
		.device = abi_makedev(0, locks->node->fs->number),
		.inode = read_once(&locks->node->attr.ino),
	};
}

/* Those who wait for it, as far as it is the first that is in their way. */
static void visit_waiters_locked(const struct node_locks *locks, const struct held_lock *held,
				 lock_visitor *visit, void *argument) REQUIRES(records_lock);
static void visit_waiters_locked(const struct node_locks *locks, const struct held_lock *held,
				 lock_visitor *visit, void *argument)
{
	const struct lock_waiter *waiter;

	list_for_each (waiter, &waiters, link) {
		struct lock_info info = info_of(locks, waiter->wants, waiter->pid);

		if (waiter->locks != locks || blocker_locked(locks, waiter->wants) != &held->what)
			continue;
		info.waits = true;
		visit(argument, &info);
	}
}

void locks_visit(lock_visitor *visit, void *argument)
{
	const struct node_locks *locks;
	const struct held_lock *held;

	mutex_lock(&records_lock);
	list_for_each (locks, &all_locks, all) {
		list_for_each (held, &locks->held, link) {
			struct lock_info info = info_of(locks, &held->what, held->pid);

			visit(argument, &info);
			visit_waiters_locked(locks, held, visit, argument);
		}
	}
	mutex_unlock(&records_lock);
}
