/*
 * The killer for want of memory: the hook of mm/pressure.h. The thread `memory` calls it, alone, so
 * what is static here has no lock.
 *
 * The largest process goes. Where many small ones of one process group are much more than it, a
 * fork bomb, the group goes at once: one after the other would never come to an end, since each
 * that goes makes room for the next. Drivers of file systems are chosen only if nobody else is
 * left, and init last of all; who has oom_score_adj -1000 never.
 *
 * Who was killed may be held up by a lock, or by a driver. So its memory is taken out of its space
 * at once, without it; and if it has not ended after a while, the next one is chosen.
 */
#define LOG_SUBSYSTEM "memory"
#include "oom.h"

#include "../process/uthread.h"
#include "../signal/signal.h"

#include <abi/wait.h>
#include <arch/clock.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <mm/frame.h>
#include <mm/pressure.h>
#include <mm/space.h>

#define PATIENCE_NS   (2 * NSEC_PER_SEC)
#define GROUPS        128 /* that are looked at: a power of two */
#define GROUP_MEMBERS 8   /* fewer are no bomb */
#define GROUP_ROUNDS  4
#define GROUP_TIMES   4 /* how much larger than the largest process */

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
static uint64_t victim_until_ns;
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

/* It has memory, and nothing has begun its end. */
static bool is_candidate(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	bool candidate = process->space && process->nthreads && !process->exiting;

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return candidate;
}

/* *best takes over the reference if it is better. */
static bool consider(struct choice *best, struct process *process)
{
	struct choice this = {.process = process};

	if (!is_candidate(process))
		return false;
	oom_size(process, &this.size);
	this.rank = rank_of(process, &this.size);
	this.points = oom_points(process, &this.size);
	if (this.points == INT64_MIN)
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

static const struct group *choose_group(const struct choice *best)
{
	const struct group *largest = &groups[0];

	for (unsigned i = 1; i < GROUPS; i++) {
		if (groups[i].points > largest->points)
			largest = &groups[i];
	}
	if (best->rank != RANK_PROGRAM || largest->nmembers < GROUP_MEMBERS ||
	    largest->points < best->points * GROUP_TIMES)
		return NULL;
	return largest;
}

/* ---- the end ---- */

/* Kills all that run in the space, so that none of them will touch what is taken out of it. False:
 * init is one of them, and goes on. */
static bool kill_in_space(const struct space *space)
{
	struct process *process;
	int32_t after = 0;
	bool all = true;

	while ((process = process_find_next(after))) {
		after = process->pid;
		/* Only compared: who has the same space keeps it alive. */
		if (read_once(&process->space) == space && process->pid == 1)
			all = false;
		else if (read_once(&process->space) == space)
			signal_end_process(process, WAIT_STATUS_SIGNAL(SIGKILL));
		process_put(process);
	}
	return all;
}

static void put_space(void *space)
{
	space_put(space);
}

/* Takes its memory away from it. */
static void reap(struct process *process)
{
	struct space *space = process->oom_reapable ? process_space_get(process) : NULL;

	if (!space)
		return;
	if (!space_reap(space))
		log_debug("%s[%d] holds its space locked", process->name, process->pid);
	oom_put_without_waiting(&space->refs, put_space, space);
}

static void kill_process(struct process *process)
{
	struct space *space = process_space_get(process);

	signal_end_process(process, WAIT_STATUS_SIGNAL(SIGKILL));
	if (!space)
		return;
	/* One reference is the process's and one ours. */
	process->oom_reapable =
		read_once(&space->refs.count) <= 2 || process->pid == 1 || kill_in_space(space);
	oom_put_without_waiting(&space->refs, put_space, space);
	reap(process);
}

static unsigned long kib(uint64_t pages)
{
	return pages * (PAGE_SIZE / KIB);
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
}

/* How many there were. */
static unsigned kill_members(const struct group *group)
{
	struct process *process;
	unsigned nkilled = 0;
	int32_t after = 0;

	while ((process = process_find_next(after))) {
		after = process->pid;
		if (read_once(&process->group) == group->number && process->pid != 1 &&
		    read_once(&process->oom_score_adj) != OOM_ADJ_MIN && is_candidate(process)) {
			kill_process(process);
			nkilled++;
		}
		process_put(process);
	}
	return nkilled;
}

static void kill_group(const struct group *group, const struct choice *best)
{
	log_warn("out of memory (%lu of %lu KiB free): the %u processes of group %d (one is "
		 "%s[%d]) are killed, since they hold %lu KiB together, and no single one more "
		 "than %lu KiB",
		 kib(frames_free()), kib(frames_total()), group->nmembers, group->number,
		 best->process->name, best->process->pid, kib((uint64_t)group->points),
		 kib((uint64_t)best->points));
	/* Those that were being made are members by now; who is killed makes no more. */
	for (unsigned round = 0; round < GROUP_ROUNDS && kill_members(group);)
		round++;
}

/* Its last thread's stack is free, or it takes too long. */
static bool victim_is_gone(void)
{
	if (load_acquire(&victim->state) >= PROCESS_ZOMBIE)
		return true;
	if (clock_ns() < victim_until_ns)
		return false;
	log_warn("%s[%d] was killed for want of memory and does not end", victim->name,
		 victim->pid);
	return true;
}

enum memory_kill memory_kill(void)
{
	const struct group *group;
	struct choice best;

	if (victim) {
		if (!victim_is_gone()) {
			reap(victim);
			return MEMORY_DYING;
		}
		process_put(victim);
		victim = NULL;
	}
	choose(&best);
	if (!best.process)
		return MEMORY_NOBODY;
	group = choose_group(&best);
	if (group)
		kill_group(group, &best);
	else
		kill_one(&best);
	victim = best.process;
	victim_until_ns = clock_ns() + PATIENCE_NS;
	return MEMORY_DYING;
}
