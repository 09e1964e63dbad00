/*
 * What a process holds of memory, and its points. It is called when memory is short, by the thread
 * that must not wait: so references are taken where they can be had, and a last one that is to be
 * given back goes to a thread of its own, since an object's end may ask a driver.
 */
#include "oom.h"

#include "../kthread.h"
#include "../process/inspect.h"

#include <arch/context.h>
#include <fusek/driver.h>
#include <ipc/fdtable.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <mm/space.h>

/* A struct thread with its registers, and what hangs on a process. */
#define THREAD_PAGES (KERNEL_STACK_BYTES / PAGE_SIZE + 1)

/* ---- giving back ---- */

static void put_object(void *object)
{
	object_put(object);
}

static void put_table(void *table)
{
	fd_table_put(table);
}

void oom_put_without_waiting(struct refcount *refs, void (*put)(void *what), void *what)
{
	if (refcount_put_unless_last(refs))
		return;
	/* Without memory even for that: what has no users is soon put. */
	if (kthread_start("put", put, what, NULL))
		put(what);
}

/* ---- descriptors ---- */

static void add_object(struct oom_size *size, struct object *object)
{
	int32_t nreferences = read_once(&object->references.count) - 1; /* but for ours */

	if (object->ops->held_bytes)
		size->kernel +=
			object->ops->held_bytes(object) / PAGE_SIZE / (uint64_t)MAX(nreferences, 1);
	size->serves |= fuse_serves(object);
}

static void add_descriptors(struct oom_size *size, struct fd_table *fds)
{
	for (int fd = fd_next(fds, 0); fd >= 0; fd = fd_next(fds, fd + 1)) {
		struct object *object = fd_get(fds, fd);

		if (!object)
			continue;
		add_object(size, object);
		oom_put_without_waiting(&object->references, put_object, object);
	}
}

/* ---- all of it ---- */

void oom_size(struct process *process, struct oom_size *out)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	const struct space *space = process->space;
	struct fd_table *fds;

	*out = (struct oom_size){.kernel = process->nthreads * THREAD_PAGES};
	/* The process's own reference keeps it while the lock is held. */
	if (space) {
		out->resident = read_once(&space->resident_pages);
		out->tables = read_once(&space->pagetable.ntables);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	fds = process_fds(process, 0);
	if (!fds)
		return;
	add_descriptors(out, fds);
	oom_put_without_waiting(&fds->references, put_table, fds);
}

static void put_space(void *space)
{
	space_put(space);
}

uint64_t oom_proportional_pages(struct process *process, uint64_t resident)
{
	struct space *space = process_space_get(process);

	if (!space)
		return 0;
	(void)!space_try_proportional(space, &resident);
	oom_put_without_waiting(&space->refs, put_space, space);
	return resident;
}

int64_t oom_points(const struct process *process, const struct oom_size *size)
{
	int64_t adj = read_once(&process->oom_score_adj);

	if (adj == OOM_ADJ_MIN)
		return INT64_MIN;
	return (int64_t)oom_pages(size) + adj * (int64_t)frames_total() / OOM_ADJ_MAX;
}

/* Linux: mm/oom_kill.c shows two thirds of 1000 + points in thousandths. */
unsigned oom_score(struct process *process)
{
	struct oom_size size;
	int64_t points;

	oom_size(process, &size);
	points = oom_points(process, &size);
	if (points == INT64_MIN)
		return 0;
	points = (1000 + points * 1000 / (int64_t)frames_total()) * 2 / 3;
	return (unsigned)MAX(points, INT64_C(0));
}
