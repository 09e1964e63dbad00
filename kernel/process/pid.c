/*
 * The PID table: numbers to processes and threads, and which number comes next. Owns the hash of
 * chains; a process, or a thread beside its first, is on its chain from pid_insert() to
 * pid_remove(), and the table holds no reference of its own: the one from birth to reaping keeps
 * the process there.
 *
 * Changes are made under `pid_lock` (LOCK_PIDTABLE). Look-ups follow the chains under RCU and take
 * a reference with try-get, so they work from interrupts too.
 *
 * Numbers go up to pid_limit and begin again at PID_FIRST: one that was just given back is used
 * again only after all the others, and not while a process group or a session still has it.
 */
#include "pid_priv.h"

#include "../namespace/pid.h"

#include "family.h"
#include "uthread.h"

#include <abi/errno.h>
#include <lib/bitmap.h>
#include <lib/string.h>

#define BUCKETS 1024u

uint32_t pid_limit = PID_MAX;

struct spinlock pid_lock = SPINLOCK_INIT(LOCK_PIDTABLE);
static struct pid_link *buckets[BUCKETS];           /* [pid_lock], read under RCU */
static int32_t last_pid = PID_FIRST - 1;            /* [pid_lock] */
static uint64_t led_numbers[BITMAP_WORDS(PID_MAX)]; /* [pid_lock] of processes that have gone */
static uint64_t ngiven; /* [pid_lock] written under it, read by anybody */

static struct pid_link **bucket_of(int32_t number)
{
	return &buckets[(uint32_t)number % BUCKETS];
}

struct pid_link *pid_lookup(int32_t number)
{
	struct pid_link *link = rcu_dereference(bucket_of(number));

	while (link && link->number != number)
		link = rcu_dereference(&link->next);
	return link;
}

static struct process *process_of(struct pid_link *link)
{
	return link->is_process ? container_of(link, struct process, link) : NULL;
}

bool pid_was_led_locked(int32_t number)
{
	return bitmap_test(led_numbers, (size_t)number);
}

bool pid_is_taken_locked(int32_t number)
{
	return pid_lookup(number) || pid_was_led_locked(number);
}

int32_t pid_next_free_locked(void)
{
	int32_t limit = (int32_t)read_once(&pid_limit);
	int32_t number = last_pid;

	for (int32_t tries = PID_FIRST; tries < limit; tries++) {
		if (++number >= limit)
			number = PID_FIRST;
		if (!pid_is_taken_locked(number))
			return number;
	}
	return 0;
}

static void set_numbers(struct process *process)
{
	process->pid = process->link.number;
	process->own_pid = pid_own_number(&process->link);
}

void pid_insert_locked(struct pid_link *link, int32_t number, bool in_turn)
{
	struct pid_link **bucket = bucket_of(number);

	if (in_turn)
		write_once(&last_pid, number);
	if (unlikely(pid_nnames) && !link->names)
		pid_names_forget_locked(number);
	write_once(&ngiven, ngiven + 1);
	link->serial = ngiven;
	link->number = number;
	if (link->is_process)
		set_numbers(process_of(link));
	link->next = *bucket;
	rcu_assign(bucket, link);
}

/* One walk for all of them, so it is made when all numbers have been given once. Those that are
 * noted while it goes on are left for the next. */
void pid_free_led(void)
{
	static uint64_t before[BITMAP_WORDS(PID_MAX)]; /* who has `freeing` */
	static uint64_t in_use[BITMAP_WORDS(PID_MAX)]; /* the same */
	static bool freeing;                           /* [pid_lock] */

	spin_lock(&pid_lock);
	if (freeing) {
		spin_unlock(&pid_lock);
		return;
	}
	freeing = true;
	memcpy(before, led_numbers, sizeof(before));
	spin_unlock(&pid_lock);

	memset(in_use, 0, sizeof(in_use));
	family_mark_numbers(in_use);

	spin_lock(&pid_lock);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		led_numbers[i] &= ~(before[i] & ~in_use[i]);
	freeing = false;
	spin_unlock(&pid_lock);
}

static int32_t insert_next(struct pid_link *link)
{
	int32_t before;
	int32_t number;

	spin_lock(&pid_lock);
	before = last_pid;
	number = pid_next_free_locked();
	if (number)
		pid_insert_locked(link, number, true);
	spin_unlock(&pid_lock);
	if (number <= before)
		pid_free_led();
	return number;
}

err_t pid_insert(struct pid_link *link)
{
	int32_t number = insert_next(link);

	if (!number) /* groups that are gone may have had those that were free */
		number = insert_next(link);
	return number ? 0 : -EAGAIN;
}

static err_t try_insert_at(struct pid_link *link, int32_t number)
{
	bool taken;

	spin_lock(&pid_lock);
	taken = pid_is_taken_locked(number);
	if (!taken)
		pid_insert_locked(link, number, false);
	spin_unlock(&pid_lock);
	return taken ? -EEXIST : 0;
}

err_t pid_insert_at(struct pid_link *link, int32_t number)
{
	err_t err = try_insert_at(link, number);

	if (err) { /* it may be free by now */
		pid_free_led();
		err = try_insert_at(link, number);
	}
	return err;
}

int32_t pid_last_given(void)
{
	const struct pid_namespace *namespace =
		process_current() ? process_current()->pid_namespace : NULL;

	return read_once(namespace ? &namespace->last : &last_pid);
}

uint64_t pid_count_given(void)
{
	return read_once(&ngiven);
}

void pid_remove(struct pid_link *link)
{
	struct pid_link **at = bucket_of(link->number);
	bool is_led;

	spin_lock(&pid_lock);
	is_led = link->is_process && read_once(&process_of(link)->has_led);
	if (is_led)
		bitmap_set(led_numbers, (size_t)link->number);
	if (unlikely(link->names))
		pid_names_remove_locked(link, is_led);
	while (*at != link)
		at = &(*at)->next;
	/* The link's own `next` stays as it is: a reader that stands here goes on along the chain.
	 */
	rcu_assign(at, link->next);
	spin_unlock(&pid_lock);
}

static struct process *find(int32_t number, bool any_thread)
{
	struct pid_link *link;
	struct process *process;

	rcu_read_lock();
	link = pid_lookup(number);
	process = link ? process_of(link) : NULL;
	/* A thread has a reference to its process until it is freed. */
	if (link && !process && any_thread)
		process = container_of(link, struct uthread, link)->process;
	if (process && !refcount_try_get(&process->references))
		process = NULL;
	rcu_read_unlock();
	return process;
}

struct process *process_find(int32_t pid)
{
	return find(pid, false);
}

struct process *process_find_by_thread(int32_t tid)
{
	return find(tid, true);
}

err_t uthread_visit(int32_t tid, err_t (*visit)(struct uthread *uthread, void *argument),
		    void *argument)
{
	struct uthread *uthread = NULL;
	struct pid_link *link;
	err_t err;

	rcu_read_lock();
	link = pid_lookup(tid);
	if (link && link->is_process)
		uthread = read_once(&process_of(link)->leader);
	else if (link)
		uthread = container_of(link, struct uthread, link);
	err = uthread ? visit(uthread, argument) : -ESRCH;
	rcu_read_unlock();
	return err;
}

void pid_for_each_rcu(void (*visit)(void *argument, struct process *process), void *argument)
{
	rcu_read_lock();
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct pid_link *link = rcu_dereference(&buckets[i]);

		for (; link; link = rcu_dereference(&link->next)) {
			if (link->is_process)
				visit(argument, process_of(link));
		}
	}
	rcu_read_unlock();
}

#define NEAR 64 /* numbers that are looked up one by one */

/* The one with the lowest number above `after`, in an RCU section. Where there are many it is near;
 * where there are few, all of them are soon looked at. */
static struct process *lowest_above(int32_t after)
{
	struct process *best = NULL;

	for (int32_t number = after + 1; number <= after + NEAR; number++) {
		struct pid_link *link = pid_lookup(number);

		if (link && link->is_process)
			return process_of(link);
	}
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct pid_link *link = rcu_dereference(&buckets[i]);

		for (; link; link = rcu_dereference(&link->next)) {
			if (link->is_process && link->number > after &&
			    (!best || link->number < best->pid))
				best = process_of(link);
		}
	}
	return best;
}

int32_t pid_next_thread(const struct process *process, int32_t after)
{
	int32_t found = 0;

	if (read_once(&process->nthreads) <= 1 && read_once(&process->leader))
		return after < process->pid ? process->pid : 0;
	for (int32_t number = after + 1; number < PID_MAX && !found;) {
		rcu_read_lock();
		for (int32_t end = MIN(number + 1024, PID_MAX); number < end && !found; number++) {
			struct pid_link *link = pid_lookup(number);

			if (!link)
				continue;
			if (link->is_process
				    ? process_of(link) == process
				    : container_of(link, struct uthread, link)->process == process)
				found = number;
		}
		rcu_read_unlock();
	}
	return found;
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
