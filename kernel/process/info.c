/*
 * What others may ask of a process by its number, and set. Owns no state.
 */
#include "uthread.h"

#include "../trace.h"

#include <abi/errno.h>
#include <lib/string.h>
#include <mm/space.h>

/* Under signal_lock: the thread that stands for the process, its first while that lives. */
static struct thread *main_thread(const struct process *process)
{
	if (process->leader)
		return process->leader->thread;
	if (list_empty(&process->threads))
		return NULL;
	return list_first_entry(&process->threads, struct uthread, sibling)->thread;
}

static char state_letter(const struct process *process, const struct thread *thread)
{
	const struct uthread *uthread;

	if (read_once(&process->state) >= PROCESS_ZOMBIE || !thread)
		return 'Z';
	if (read_once(&process->stopped))
		return 'T';
	list_for_each (uthread, &process->threads, sibling) {
		if (read_once(&uthread->thread->state) != THREAD_BLOCKED)
			return 'R';
	}
	return 'S';
}

static uint64_t cpu_time_locked(struct process *process) REQUIRES(process->signal_lock);
static uint64_t cpu_time_locked(struct process *process)
{
	uint64_t time_ns = process->gone_cpu_ns;
	struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling)
		time_ns += thread_cpu_time_ns(uthread->thread);
	return time_ns;
}

uint64_t process_cpu_time_ns(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	uint64_t time_ns = cpu_time_locked(process);

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return time_ns;
}

static void fill_info(struct process *process, struct process_info *info)
{
	struct process *parent;
	struct thread *thread;
	struct space *space;
	irqflags_t flags;

	*info = (struct process_info){
		.pid = process->pid,
		.group = read_once(&process->group),
		.session = read_once(&process->session),
		.state = read_once(&process->state),
		.tid = (uint32_t)process->pid,
		.started_ns = process->usage.started_ns,
	};
	memcpy(info->name, process->name, sizeof(info->name));
	info->name[sizeof(info->name) - 1] = '\0';
	memcpy(info->command, process->command, sizeof(info->command));
	info->command[sizeof(info->command) - 1] = '\0';

	/* A parent is freed a grace period after it let go of its children. */
	rcu_read_lock();
	parent = read_once(&process->parent);
	info->parent = parent ? parent->pid : 0;
	rcu_read_unlock();

	flags = spin_lock_irqsave(&process->signal_lock);
	thread = main_thread(process);
	info->state_letter = state_letter(process, thread);
	info->nthreads = process->nthreads;
	info->cpu_ns = cpu_time_locked(process);
	if (thread) {
		info->nice = thread->sched.nice;
		info->level = thread->sched.level;
		info->cpu = (uint8_t)thread_cpu_id(thread);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);

	space = process_space_get(process);
	if (space) {
		struct space_stats stats;

		space_stats(space, &stats);
		info->resident_bytes = stats.resident_pages * PAGE_SIZE;
		space_put(space);
	}
}

bool process_next(int32_t after, struct process_info *info)
{
	struct process *process = process_find_next(after);

	if (!process)
		return false;
	fill_info(process, info);
	process_put(process);
	return true;
}

void process_for_each(void (*visit)(void *argument, const struct process_info *info),
		      void *argument)
{
	struct process_info info;

	for (int32_t pid = 0; process_next(pid, &info); pid = info.pid)
		visit(argument, &info);
}

bool process_nice_locked(struct process *process, bool set, int *nice)
{
	struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling) {
		if (set)
			uthread_set_nice_locked(process, uthread, *nice);
		else
			*nice = MIN(*nice, uthread->sched_nice);
	}
	return process->nthreads != 0;
}

err_t process_set_nice(int32_t pid, int nice)
{
	struct process *process = process_find(pid);
	irqflags_t flags;

	if (!process)
		return -ESRCH;
	flags = spin_lock_irqsave(&process->signal_lock);
	(void)process_nice_locked(process, true, &nice); /* a zombie has nobody left to care */
	spin_unlock_irqrestore(&process->signal_lock, flags);
	process_put(process);
	return 0;
}

struct space *process_space_get(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct space *space = process->space;

	if (space)
		space_get(space);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return space;
}

struct space *process_space(int32_t pid)
{
	struct process *process = process_find(pid);
	struct space *space;

	if (!process)
		return NULL;
	space = process_space_get(process);
	process_put(process);
	return space;
}

void process_set_logged(struct process *process, bool on)
{
	if (on)
		(void)atomic_fetch_or_full(&process->call_watch, (uint32_t)CALLS_LOGGED);
	else
		(void)atomic_fetch_and_full(&process->call_watch, ~(uint32_t)CALLS_LOGGED);
}

err_t process_set_traced(int32_t pid, bool on)
{
	struct process *process = process_find(pid);

	if (!process)
		return -ESRCH;
	process_set_logged(process, on);
	process_put(process);
	return 0;
}
