/*
 * A process's struct from nothing to its last reference. Who makes one (process/spawn.c,
 * process/clone.c) fills in what it runs with.
 */
#include "uthread.h"

#include "../namespace/pid.h"
#include "../namespace/time.h"
#include "../signal/signal.h"

#include <abi/core.h>
#include <arch/clock.h>
#include <ipc/fdtable.h>
#include <ipc/user_namespace.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/space.h>

#define STACK_LIMIT_BYTES  (8 * MIB)
#define LOCKED_LIMIT_BYTES (8 * MIB) /* as Linux: MLOCK_LIMIT */
#define MSGQUEUE_LIMIT     819200    /* bytes, as on Linux */
#define QUEUED_LIMIT       4096      /* RLIMIT_SIGPENDING */

SLAB_CACHE(process_cache, struct process);

static void ring(void *process)
{
	signal_alarm(process);
}

static void set_limits(struct process *process)
{
	for (unsigned i = 0; i < RLIMIT_COUNT; i++)
		process->limits[i] = (struct abi_rlimit){RLIM_INFINITY, RLIM_INFINITY};
	process->limits[RLIMIT_STACK].rlim_cur = STACK_LIMIT_BYTES;
	process->limits[RLIMIT_NOFILE] = (struct abi_rlimit){FD_LIMIT, FD_MAX};
	process->limits[RLIMIT_CORE].rlim_cur = 0;
	process->limits[RLIMIT_MEMLOCK] =
		(struct abi_rlimit){LOCKED_LIMIT_BYTES, LOCKED_LIMIT_BYTES};
	process->limits[RLIMIT_NICE] = (struct abi_rlimit){0, 0};
	process->limits[RLIMIT_RTPRIO] = (struct abi_rlimit){0, 0};
	process->limits[RLIMIT_MSGQUEUE] = (struct abi_rlimit){MSGQUEUE_LIMIT, MSGQUEUE_LIMIT};
	process->limits[RLIMIT_SIGPENDING] = (struct abi_rlimit){QUEUED_LIMIT, QUEUED_LIMIT};
}

struct process *process_alloc(void)
{
	struct process *process = slab_alloc_zeroed(&process_cache);

	if (!process)
		return NULL;
	refcount_init(&process->references);
	process->core_filter = CORE_FILTER_DEFAULT;
	process->link.is_process = true;
	list_init(&process->sibling);
	list_init(&process->children);
	list_init(&process->births);
	list_init(&process->tracees);
	list_init(&process->threads);
	list_init(&process->timers);
	list_init(&process->cpu_watches);
	waitq_init(&process->changed);
	waitq_init(&process->continued);
	mutex_init(&process->lock, LOCK_PROCESS);
	spin_init(&process->signal_lock, LOCK_SIGNAL);
	signal_pending_init(&process->pending);
	timer_init(&process->alarm, ring, process);
	process->exit_signal = SIGCHLD;
	process->usage.started_ns = clock_ns();
	set_limits(process);
	return process;
}

/* The last component, as Linux names a process, which is another program from here on. */
void process_set_name(struct process *process, const char *path)
{
	const char *slash = strrchr(path, '/');

	string_copy(process->name, sizeof(process->name), slash ? slash + 1 : path);
	memset(process->missing_known, 0, sizeof(process->missing_known));
}

static void free_after_grace(struct rcu_head *head)
{
	struct process *process = container_of(head, struct process, rcu);

	signal_actions_put(process->actions);
	if (process->pid_namespace)
		namespace_put(pid_namespace_head(process->pid_namespace));
	if (process->time_namespace)
		namespace_put(time_namespace_head(process->time_namespace));
	user_namespace_put(process->ids.user);
	user_namespace_put(process->memory_owner);
	kfree(process->spawn);
	slab_free(&process_cache, process);
}

void process_put(struct process *process)
{
	if (process && refcount_put(&process->references))
		rcu_call(&process->rcu, free_after_grace);
}

/* Who found it by its number may look at it and send it signals until here, and await its end. */
void process_discard(struct process *process)
{
	struct path program;
	struct space *space;
	irqflags_t flags;

	if (process->link.number)
		pid_remove(&process->link);
	flags = spin_lock_irqsave(&process->signal_lock);
	space = process->space;
	program = process->program;
	process->space = NULL;
	process->program = (struct path){0};
	process->exiting = true;
	signal_drop_locked(process, UINT64_MAX);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (space)
		space_put(space);
	path_put(&program);
	store_release(&process->state, PROCESS_REAPED);
	waitq_wake_all_events(&process->changed, POLLHUP);
	process_put(process);
}
