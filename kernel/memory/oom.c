/*
 * The killer for want of memory: the hook of mm/pressure.h. The thread `memory` calls it, alone, so
 * what is static here has no lock.
 *
 * The largest process goes. Where many small ones of one process group are much more than it, a
 * fork bomb, the group goes at once: one after the other would never come to an end, since each
 * that goes makes room for the next. Drivers of file systems are chosen only if nobody else is
 * left, and init last of all; who has oom_score_adj -1000 never.
 *
 * Who was killed may be held up by a lock, or by a driver. So after a moment, in which it tells
 * those who wait for its futexes, its memory is taken out of its space without it; and if it has
 * not ended after a while, the next one is chosen. One that is ending anyway comes first.
 */
#define LOG_SUBSYSTEM "memory"
#include "oom.h"

#include "../core/core.h"
#include "../process/uthread.h"
#include "../ptrace/ptrace.h"
#include "../signal/signal.h"

#include <abi/wait.h>
#include <arch/clock.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/pressure.h>
#include <mm/space.h>

#define REAP_AFTER_NS (50 * NSEC_PER_MSEC)
#define PATIENCE_NS   (2 * NSEC_PER_SEC)
#define GROUPS        128 /* that are looked at: a power of two */
#define GROUP_MEMBERS 8   /* fewer are no bomb */
#define GROUP_TIMES   4   /* how much larger than the largest process */

/* Who goes first. */
enum rank { RANK_PROGRAM, RANK_DRIVER, RANK_INIT };

struct group {
	int32_t number; /* 0: this place is free */
	uint32_t nmembers;
	int64_t points;
};

struct choice {
	struct process *process; /* a reference; NULL: nobody */
	enum rank rank;
	int64_t points;
	struct oom_size size;
};

static struct process *victim; /* a reference; NULL: nobody is dying */
static uint64_t victim_since_ns;
static bool victims_are_reaped;
static struct group groups[GROUPS];

/* ---- the choice ---- */

static enum rank rank_of(const struct process *process, const struct oom_size *size)
{
	if (process->pid == 1)
		return RANK_INIT;
	return size->serves ? RANK_DRIVER : RANK_PROGRAM;
}

/* NULL: there are more groups than places. */
static struct group *group_of(int32_t number)
{
	for (unsigned i = 0; i < GROUPS; i++) {
		struct group *group = &groups[((unsigned)number + i) % GROUPS];

		if (!group->number)
			group->number = number;
		if (group->number == number)
			return group;
	}
	return NULL;
}

static void count_member(const struct process *process, int64_t points)
{
	struct group *group = group_of(read_once(&process->group));

	if (!group)
		return;
	group->nmembers++;
	group->points += points;
}

/* It has memory, and its end has begun, or has not. */
static bool has_memory(struct process *process, bool exiting)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	bool has = process->space && process->nthreads && process->exiting == exiting;

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return has;
}

/* False: it is not to be killed, or going already. */
static bool measure(struct process *process, struct choice *out)
{
	*out = (struct choice){.process = process};
	if (!has_memory(process, false))
		return false;
	oom_size(process, &out->size);
	out->rank = rank_of(process, &out->size);
	out->points = oom_points(process, &out->size);
	return out->points != INT64_MIN;
}

/* *best takes over the reference if it is better. */
static bool consider(struct choice *best, struct process *process)
{
	struct choice this;

	if (!measure(process, &this))
		return false;
	if (this.rank == RANK_PROGRAM)
		count_member(process, this.points);
	if (best->process &&
	    (this.rank > best->rank || (this.rank == best->rank && this.points <= best->points)))
		return false;
	process_put(best->process);
	*best = this;
	return true;
}

static void choose(struct choice *best)
{
	struct process *process;
	int32_t after = 0;

	*best = (struct choice){0};
	for (unsigned i = 0; i < GROUPS; i++)
		groups[i] = (struct group){0};
	while ((process = process_find_next(after))) {
		after = process->pid;
		if (!consider(best, process))
			process_put(process);
	}
}

/* Of a member that would go with its group. */
static bool is_member(struct process *process, const struct group *group, struct choice *out)
{
	return read_once(&process->group) == group->number && measure(process, out) &&
	       out->rank == RANK_PROGRAM;
}

/* What the members hold together: what several of them map counts once. */
static int64_t group_pages(const struct group *group)
{
	struct process *process;
	struct choice member;
	uint64_t npages = 0;
	int32_t after = 0;

	while ((process = process_find_next(after))) {
		after = process->pid;
		if (is_member(process, group, &member))
			npages += member.size.tables + member.size.kernel +
				  oom_proportional_pages(process, member.size.resident);
		process_put(process);
	}
	return (int64_t)npages;
}

static const struct group *choose_group(const struct choice *best)
{
	struct group *largest = &groups[0];

	for (unsigned i = 1; i < GROUPS; i++) {
		if (groups[i].points > largest->points)
			largest = &groups[i];
	}
	if (best->rank != RANK_PROGRAM || largest->nmembers < GROUP_MEMBERS ||
	    largest->points < best->points * GROUP_TIMES)
		return NULL;
	largest->points = group_pages(largest);
	return largest->points < best->points * GROUP_TIMES ? NULL : largest;
}

/* ---- the end ---- */

/* Kills all that run in the space, so that none of them will touch what is taken out of it. False:
 * init is one of them, and goes on. */
static bool kill_in_space(const struct space *space)
{
	struct process *process;
	bool all = true, found = true;

	/* Those that were being made are there by now; who is killed makes no more. */
	while (found) {
		int32_t after = 0;

		found = false;
		while ((process = process_find_next(after))) {
			after = process->pid;
			/* Only compared: who has the same space keeps it alive. */
			if (read_once(&process->space) == space && process->pid == 1) {
				all = false;
			} else if (read_once(&process->space) == space &&
				   has_memory(process, false)) {
				signal_end_process(process, WAIT_STATUS_SIGNAL(SIGKILL));
				found = true;
			}
			process_put(process);
		}
	}
	return all;
}

static void put_space(void *space)
{
	space_put(space);
}

/* Its memory may be taken away from it, if nobody who goes on has the same. `kill_others`: those
 * who have go as well. */
static void mark_for_reaping(struct process *process, bool kill_others)
{
	struct space *space = process_space_get(process);

	if (!space)
		return;
	/* One reference is the process's and one ours. */
	process->oom_reapable =
		read_once(&space->refs.count) <= 2 || (kill_others && kill_in_space(space));
	oom_put_without_waiting(&space->refs, put_space, space);
}

static uint64_t nkills; /* atomic: processes that were killed for their memory */

uint64_t oom_kills(void)
{
	return read_once(&nkills);
}

static void kill_process(struct process *process)
{
	(void)atomic_fetch_add_full(&nkills, 1);
	signal_end_process(process, WAIT_STATUS_SIGNAL(SIGKILL));
	mark_for_reaping(process, true);
}

/* True: nothing of it is left to take. */
static bool reap(struct process *process)
{
	struct space *space = process_space_get(process);
	bool done;

	if (!space)
		return true;
	done = space_try_reap(space);
	oom_put_without_waiting(&space->refs, put_space, space);
	return done;
}

/* Of all that were killed. */
static void reap_victims(void)
{
	struct process *process;
	int32_t after = 0;

	victims_are_reaped = true;
	while ((process = process_find_next(after))) {
		after = process->pid;
		if (process->oom_reapable && has_memory(process, true))
			victims_are_reaped &= reap(process);
		process_put(process);
	}
}

static unsigned long kib(uint64_t pages)
{
	return pages * (PAGE_SIZE / KIB);
}

/* *process becomes the victim, with its reference. */
static void set_victim(struct process *process)
{
	process_put(victim);
	victim = process;
	victim_since_ns = clock_ns();
	victims_are_reaped = false;
}

static void kill_one(const struct choice *best)
{
	const struct process *process = best->process;
	struct memory_marks marks;

	memory_marks(&marks);
	log_warn("out of memory (%lu of %lu KiB free, %lu are kept back): %s[%d] of user %u is "
		 "killed, since it holds the most%s: %lu KiB resident, %lu of page tables, %lu in "
		 "the kernel, oom_score_adj %d",
		 kib(frames_free()), kib(frames_total()), kib(marks.min), process->name,
		 process->pid, read_once(&process->ids.uid),
		 best->rank == RANK_PROGRAM  ? ""
		 : best->rank == RANK_DRIVER ? " of the drivers, which alone are left"
					     : ", init alone being left",
		 kib(best->size.resident), kib(best->size.tables), kib(best->size.kernel),
		 read_once(&process->oom_score_adj));
	kill_process(best->process);
	set_victim(best->process);
}

static unsigned count_members(const struct group *group)
{
	struct process *process;
	struct choice member;
	unsigned nmembers = 0;
	int32_t after = 0;

	while ((process = process_find_next(after))) {
		after = process->pid;
		nmembers += is_member(process, group, &member);
		process_put(process);
	}
	return nmembers;
}

/* False: there were none. The last one is the victim. */
static bool kill_members(const struct group *group)
{
	struct process *process;
	struct choice member;
	bool any = false;
	int32_t after = 0;

	while ((process = process_find_next(after))) {
		after = process->pid;
		if (!is_member(process, group, &member)) {
			process_put(process);
			continue;
		}
		kill_process(process);
		set_victim(process);
		any = true;
	}
	return any;
}

/* The line comes first: who waits for them goes on as soon as they have ended. */
static void kill_group(const struct group *group, const struct choice *best)
{
	unsigned nmembers = count_members(group);

	if (!nmembers)
		return; /* they have all ended by themselves */
	log_warn("out of memory (%lu of %lu KiB free): the %u processes of group %d (one is "
		 "%s[%d]) are killed, since they hold %lu KiB together, and no single one more "
		 "than %lu KiB",
		 kib(frames_free()), kib(frames_total()), nmembers, group->number,
		 best->process->name, best->process->pid, kib((uint64_t)group->points),
		 kib((uint64_t)best->points));
	/* Those that were being made are members by now; who is killed makes no more. */
	while (kill_members(group))
		;
}

/* The largest one that is ending anyway, and has not been waited for yet. NULL: none. */
static struct process *find_ending(void)
{
	struct process *process, *best = NULL;
	uint64_t most = 0;
	int32_t after = 0;

	while ((process = process_find_next(after))) {
		struct oom_size size;

		after = process->pid;
		if (!process->oom_awaited && has_memory(process, true)) {
			oom_size(process, &size);
			if (oom_pages(&size) > most) {
				most = oom_pages(&size);
				process_put(best);
				best = process;
				continue;
			}
		}
		process_put(process);
	}
	return best;
}

/* It has nothing left to take, and a tracer keeps it from ending (PTRACE_EVENT_EXIT). */
static bool is_held(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	const struct uthread *uthread;
	bool held = false;

	list_for_each (uthread, &process->threads, sibling)
		held |= is_traced(uthread) && uthread->tracee->stopped;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return held && victims_are_reaped;
}

/* Its last thread's stack is free, or it takes too long. */
static bool victim_is_gone(void)
{
	if (load_acquire(&victim->state) >= PROCESS_ZOMBIE)
		return true;
	if (is_held(victim))
		return true;
	if (clock_ns() < victim_since_ns + PATIENCE_NS)
		return false;
	log_warn("%s[%d] was killed, or ended by itself, and has not given back its memory",
		 victim->name, victim->pid);
	return true;
}

static bool await_ending(void)
{
	struct process *process = find_ending();

	if (!process)
		return false;
	process->oom_awaited = true;
	core_cut_short(process);
	if (!process->oom_reapable)
		mark_for_reaping(process, false);
	set_victim(process);
	return true;
}

enum memory_kill memory_kill(void)
{
	const struct group *group;
	struct choice best;

	if (victim) {
		if (!victim_is_gone()) {
			if (!victims_are_reaped && clock_ns() >= victim_since_ns + REAP_AFTER_NS)
				reap_victims();
			return MEMORY_DYING;
		}
		process_put(victim);
		victim = NULL;
	}
	if (await_ending())
		return MEMORY_DYING;
	choose(&best);
	if (!best.process)
		return MEMORY_NOBODY;
	group = choose_group(&best);
	if (group) {
		kill_group(group, &best);
		process_put(best.process);
	} else {
		kill_one(&best);
	}
	return MEMORY_DYING;
}
