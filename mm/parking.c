/*
 * The page tables of programs that sleep. Four of a small program's seven tables only lead to its
 * two of level 0, which say where its pages are. Once a space has not been used for a while, those
 * two are taken out of the tree, as they are, and the four go back; the first fault in each part
 * makes them anew. Whoever looks for a page finds a parked table as well as one in the tree, so
 * nothing has to be put back for it, and parking needs no memory.
 *
 * Invariant: a table of level 0 is in the tree or on space->parked, linked by its frame's record,
 * whose `owner` is the address that it begins at. All under space->lock.
 *
 * The task `parking` looks at each watched space once a round: unused for a whole round, it is
 * parked. So it need not be told what runs, and no switch costs anything. Watched are the spaces
 * that have got tables since they were last parked; without any of them nothing happens. The lists
 * are under watch_lock, with which a space is only tried to be locked: who destroys one locks it,
 * and so waits until the task has let go.
 */
#include "space_priv.h"

#include "table_frames.h"

#include <arch/clock.h>
#include <arch/spin.h>
#include <lib/panic.h>
#include <mm/frame.h>
#include <mm/mm.h>
#include <sched/task.h>

#define ROUND_NS  NSEC_PER_SEC
#define BATCH_MAX 8 /* spaces at a time: a poll is short */
/* Of a large space the tables that could go back are a small part, and those that stay many to
 * search. */
#define PARKED_TABLES_MAX 16

static struct spinlock watch_lock = SPINLOCK_INIT(LOCK_PARKING);
static LIST_HEAD(watched);  /* under watch_lock: those of the next round */
static LIST_HEAD(visiting); /* under watch_lock: those of this one that are left */
static bool awake;          /* under watch_lock: the task will come to the watched ones */
static struct task task;
static struct task_timeout next_round; /* the task's */

/* ---- finding one ---- */

static vaddr_t start_of(const struct frame *table)
{
	return (vaddr_t)table->owner;
}

/* The parked table with the lowest address in [start, end); NULL: none. */
static struct frame *parked_in(const struct space *space, vaddr_t start, vaddr_t end)
{
	struct frame *table, *found = NULL;

	list_for_each (table, &space->parked, link) {
		if (start_of(table) >= start && start_of(table) < end &&
		    (!found || start_of(table) < start_of(found)))
			found = table;
	}
	return found;
}

pte_t *parked_walk(struct space *space, vaddr_t address, unsigned *level)
{
	for (;; --*level) {
		vaddr_t start = ALIGN_DOWN(address, level_bytes(*level));
		struct frame *table = parked_in(space, start, start + level_bytes(*level));

		if (!table)
			return NULL;
		if (*level == 1) {
			*level = 0;
			return (pte_t *)frame_virt(table) + ((address - start) >> PAGE_SHIFT);
		}
	}
}

/* ---- putting it back ---- */

static void leave_parking(struct frame *table)
{
	list_del(&table->link);
	table->owner = NULL;
}

bool parked_attach_locked(struct space *space, vaddr_t address)
{
	vaddr_t start = ALIGN_DOWN(address, level_bytes(1));
	struct frame *table = parked_in(space, start, start + level_bytes(1));

	if (!table)
		return true;
	if (pagetable_attach(&space->pagetable, start, frame_phys(table)))
		return false;
	leave_parking(table);
	space_watch_locked(space);
	return true;
}

pte_t *space_walk_alloc(struct space *space, vaddr_t address)
{
	if (!parked_attach_locked(space, address))
		return NULL;
	space_watch_locked(space);
	return pagetable_walk_alloc(&space->pagetable, address, 0);
}

void parked_free_locked(struct space *space, vaddr_t start, vaddr_t end)
{
	struct frame *table;

	while ((table = parked_in(space, start, end))) {
		leave_parking(table);
		write_once(&space->pagetable.ntables, space->pagetable.ntables - 1);
		pagetable_frame_free(frame_phys(table));
	}
}

/* ---- who is watched ---- */

void space_watch_locked(struct space *space)
{
	bool was_awake;

	if (space->watched)
		return;
	space->watched = true;
	spin_lock(&watch_lock);
	list_add_tail(&watched, &space->watched_link);
	was_awake = awake;
	awake = true;
	spin_unlock(&watch_lock);
	if (!was_awake)
		task_wake(&task);
}

void space_unwatch_locked(struct space *space)
{
	if (!space->watched)
		return;
	space->watched = false;
	spin_lock(&watch_lock);
	list_del(&space->watched_link);
	spin_unlock(&watch_lock);
}

/* ---- parking ---- */

static void park_table(void *argument, vaddr_t address, paddr_t phys)
{
	struct space *space = argument;
	struct frame *table = frame_from_phys(phys);

	table->owner = (void *)address;
	list_add_tail(&space->parked, &table->link);
}

void space_park_locked(struct space *space)
{
	LIST_HEAD(limbo);

	if (read_once(&space->pagetable.ntables) > PARKED_TABLES_MAX)
		return;
	table_limbo_begin(&limbo);
	pagetable_detach(&space->pagetable, park_table, space);
	table_limbo_end();
	tlb_flush_all(&space->pagetable);
	table_limbo_free(&limbo);
}

static void visit_locked(struct space *space) REQUIRES(space->lock)
{
	if (pagetable_take_used(&space->pagetable))
		return;
	space_park_locked(space);
	space_unwatch_locked(space);
}

/* The next space of this round, locked; those that are in use are passed over. NULL: this round is
 * over. */
static struct space *next_space(void) NO_THREAD_SAFETY
{
	struct space *space = NULL;

	spin_lock(&watch_lock);
	while (!space && !list_empty(&visiting)) {
		space = list_first_entry(&visiting, struct space, watched_link);
		list_del(&space->watched_link);
		list_add_tail(&watched, &space->watched_link);
		if (!mutex_trylock(&space->lock))
			space = NULL;
	}
	spin_unlock(&watch_lock);
	return space;
}

/* True: there are more. */
static bool visit_some(void) NO_THREAD_SAFETY
{
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		struct space *space = next_space();

		if (!space)
			return false;
		visit_locked(space);
		mutex_unlock(&space->lock);
	}
	return true;
}

static void begin_round(void)
{
	spin_lock(&watch_lock);
	list_splice_tail(&visiting, &watched);
	spin_unlock(&watch_lock);
}

/* False: there is nobody to come for. */
static bool stays_awake(void)
{
	bool stays;

	spin_lock(&watch_lock);
	awake = stays = !list_empty(&watched);
	spin_unlock(&watch_lock);
	return stays;
}

static enum task_poll parking_poll(struct task *self)
{
	if (task_timeout_passed(&next_round)) {
		task_timeout_cancel(&next_round);
		begin_round();
	}
	if (visit_some())
		task_wake(self);
	else if (next_round.deadline_ns == UINT64_MAX && stays_awake())
		task_timeout_start(&next_round, clock_ns() + ROUND_NS);
	return task_pending(self, "programs that sleep");
}

void parking_start(void)
{
	task_init(&task, "parking", parking_poll, NULL);
	task_timeout_init(&next_round, &task);
	task_start(&task);
}
