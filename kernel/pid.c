/*
 * The PID table: numbers to processes, and which number comes next. Owns the hash of chains; a
 * process is on its chain from pid_insert() to pid_remove(), and the table holds no reference of
 * its own: the one from birth to reaping keeps the process there.
 *
 * Changes are made under `lock` (LOCK_PIDTABLE). Look-ups follow the chains under RCU and take a
 * reference with try-get, so they work from interrupts too.
 *
 * Numbers go up to PID_MAX and begin again at PID_FIRST: one that was just given back is used again
 * only after all the others.
 */
#include "process.h"

#include <abi/errno.h>

#define BUCKETS   256u
#define PID_FIRST 100 /* 1 is init's, the kernel's own threads have small numbers */

static struct spinlock lock = SPINLOCK_INIT(LOCK_PIDTABLE);
static struct process *buckets[BUCKETS]; /* [lock], read under RCU */
static int32_t last_pid = PID_FIRST - 1; /* [lock] */

static struct process **bucket_of(int32_t pid)
{
	return &buckets[(uint32_t)pid % BUCKETS];
}

/* Under the lock or in an RCU section. */
static struct process *lookup(int32_t pid)
{
	struct process *process = rcu_dereference(bucket_of(pid));

	while (process && process->pid != pid)
		process = rcu_dereference(&process->pid_next);
	return process;
}

static int32_t next_free_locked(void) REQUIRES(lock);
static int32_t next_free_locked(void)
{
	int32_t pid = last_pid;

	for (int32_t tries = PID_FIRST; tries < PID_MAX; tries++) {
		if (++pid == PID_MAX)
			pid = PID_FIRST;
		if (!lookup(pid))
			return pid;
	}
	return 0;
}

err_t pid_insert(struct process *process)
{
	struct process **bucket;
	int32_t pid;

	spin_lock(&lock);
	pid = next_free_locked();
	if (pid) {
		last_pid = pid;
		process->pid = pid;
		bucket = bucket_of(pid);
		process->pid_next = *bucket;
		rcu_assign(bucket, process);
	}
	spin_unlock(&lock);
	return pid ? 0 : -EAGAIN;
}

void pid_remove(struct process *process)
{
	struct process **at = bucket_of(process->pid);

	spin_lock(&lock);
	while (*at != process)
		at = &(*at)->pid_next;
	/* pid_next stays as it is: a reader that stands here goes on along the chain. */
	rcu_assign(at, process->pid_next);
	spin_unlock(&lock);
}

struct process *process_find(int32_t pid)
{
	struct process *process;

	rcu_read_lock();
	process = lookup(pid);
	if (process && !refcount_try_get(&process->references))
		process = NULL;
	rcu_read_unlock();
	return process;
}

void pid_for_each_rcu(void (*visit)(void *argument, struct process *process), void *argument)
{
	rcu_read_lock();
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct process *process = rcu_dereference(&buckets[i]);

		for (; process; process = rcu_dereference(&process->pid_next))
			visit(argument, process);
	}
	rcu_read_unlock();
}

/* The one with the lowest number above `after`, in an RCU section. */
static struct process *lowest_above(int32_t after)
{
	struct process *best = NULL;

	for (unsigned i = 0; i < BUCKETS; i++) {
		struct process *process = rcu_dereference(&buckets[i]);

		for (; process; process = rcu_dereference(&process->pid_next)) {
			if (process->pid > after && (!best || process->pid < best->pid))
				best = process;
		}
	}
	return best;
}

struct process *process_find_next(int32_t after)
{
	struct process *process;

	rcu_read_lock();
	do {
		process = lowest_above(after);
		if (process)
			after = process->pid;
	} while (process && !refcount_try_get(&process->references));
	rcu_read_unlock();
	return process;
}
