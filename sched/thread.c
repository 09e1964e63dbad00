/*
 * The life of a thread: filling the struct, the first steps on its stack, its end; the list of all
 * threads; and what one thread asks of another (kill, interrupt, nice, CPU time).
 *
 * LOCK_THREADS guards the list. A thread is on it from thread_start() until just before it stops
 * running for good, so who walks the list meets only threads whose memory is there.
 */
#include <sched/thread.h>

#include "sched_priv.h"

#include <abi/errno.h>
#include <lib/panic.h>
#include <lib/string.h>

_Static_assert(offsetof(struct thread, context) == 0,
	       "context first"); /* arch/ takes one for the other */

static struct spinlock threads_lock = SPINLOCK_INIT(LOCK_THREADS);
static LIST_HEAD(threads);
static uint32_t last_tid = 1; /* atomic; 1 is init's */

uint32_t thread_tid_alloc(void)
{
	return (uint32_t)atomic_fetch_add_full(&last_tid, 1) + 1;
}

/* The first function on a new stack: ends the switch that led here. */
static void thread_begin(void *argument)
{
	struct thread *thread = argument;

	sched_switched_in();
	thread->entry(thread->argument);
	thread_exit();
}

void thread_init(struct thread *thread, const struct thread_params *params)
{
	assert(params->policy != POLICY_IDLE);
	memset(thread, 0, sizeof(*thread));
	entity_init(&thread->sched, params->policy, params->priority, params->nice);
	thread->state = THREAD_NEW;
	thread->tid = params->tid ? params->tid : thread_tid_alloc();
	string_copy(thread->name, sizeof(thread->name), params->name);
	thread->process = params->process;
	thread->entry = params->entry;
	thread->argument = params->argument;
	thread->release = params->release;
	thread->affinity = params->affinity ? params->affinity : ~UINT64_C(0);
	thread->cpu = &cpu_sched; /* a valid lock for who wakes or looks before it starts */
	list_init(&thread->all_link);
	context_init(&thread->context, params->stack_base, params->stack_top, thread_begin, thread);
}

void thread_list_add(struct thread *thread)
{
	irqflags_t flags = spin_lock_irqsave(&threads_lock);

	list_add_tail(&threads, &thread->all_link);
	spin_unlock_irqrestore(&threads_lock, flags);
}

void thread_start(struct thread *thread)
{
	debug_assert(thread->state == THREAD_NEW);
	thread_list_add(thread);
	sched_put_on_cpu(thread);
}

noreturn void thread_exit(void)
{
	struct thread *thread = current_thread();
	irqflags_t flags;

	if (IS_ON(FUSELAGE_DEBUG) && thread->sleeping_locks.nheld != 0)
		panic("thread %s (%u) ends with a lock of class %s held", thread->name, thread->tid,
		      lockclass_name(thread->sleeping_locks.held[0].class));
	flags = spin_lock_irqsave(&threads_lock);
	list_del(&thread->all_link);
	spin_unlock_irqrestore(&threads_lock, flags);
	sched_exit_current();
}

/* ---- of the running thread ---- */

void thread_set_name(const char *name)
{
	struct thread *thread = current_thread();

	/* The last byte is never anything but NUL, so who reads meanwhile stays inside. */
	string_copy(thread->name, sizeof(thread->name), name);
}

bool thread_killed(void)
{
	return read_once(&current_thread()->pending) & THREAD_KILLED;
}

bool thread_take_kill(void)
{
	return atomic_fetch_and_full(&current_thread()->pending, ~(uint32_t)THREAD_KILLED) &
	       THREAD_KILLED;
}

bool thread_interrupted(void)
{
	return read_once(&current_thread()->pending) != 0;
}

void thread_clear_interrupt(void)
{
	atomic_fetch_and_full(&current_thread()->pending, ~(uint32_t)THREAD_INTERRUPTED);
}

/* ---- of others ---- */

void thread_request_exit_work(struct thread *thread)
{
	context_request_exit_work(&thread->context);
	sched_kick(thread);
}

void thread_watch_place(struct thread *thread, bool on)
{
	thread->place_watched = on;
}

/* The bit first, the wake after: who is about to block finds one or the other. A program's thread
 * looks before it is in user mode again, and that is asked for before the bit is there: a call that
 * was ended by the bit never gets out without that look. And after it: the first look may have been
 * in between, and seen nothing. */
static void set_pending(struct thread *thread, enum thread_pending bit)
{
	bool is_program = thread->process;

	if (is_program)
		context_request_exit_work(&thread->context);
	atomic_fetch_or_full(&thread->pending, (uint32_t)bit);
	if (is_program)
		thread_request_exit_work(thread);
	thread_wake(thread);
}

void thread_kill(struct thread *thread)
{
	set_pending(thread, THREAD_KILLED);
}

void thread_interrupt(struct thread *thread)
{
	set_pending(thread, THREAD_INTERRUPTED);
}

void thread_set_nice(struct thread *thread, int nice) NO_THREAD_SAFETY
{
	irqflags_t flags = irq_save();
	struct cpu_sched *cpu = sched_lock_cpu_of(thread);

	entity_set_nice(&thread->sched, nice);
	spin_unlock_irqrestore(&cpu->lock, flags);
}

/* `cpu` runs it, or has it in its queue. True: somebody else may have to run now. */
static bool change_policy_locked(struct cpu_sched *cpu, struct thread *thread,
				 const struct thread_policy *policy) NO_THREAD_SAFETY
{
	struct sched_entity *entity = &thread->sched;
	bool queued = list_linked(&entity->run_link);

	/* What is left of its slice stays so: who asks again and again would never end it. */
	if (entity->policy == POLICY_OTHER && policy->policy == POLICY_OTHER) {
		entity_set_nice(entity, policy->nice);
		entity->woken_level = policy->unhurried ? LEVEL_NORMAL : LEVEL_BOOSTED;
		return false;
	}
	if (queued)
		(void)!runq_remove(&cpu->queue, entity); /* its slice is a new one */
	entity_init(entity, policy->policy, policy->priority, policy->nice);
	entity->epoch = cpu->queue.epoch;
	if (policy->unhurried)
		entity->woken_level = LEVEL_NORMAL;
	if (queued)
		runq_add_tail(&cpu->queue, entity);
	return cpu->current == thread || (queued && sched_outranks(cpu, thread));
}

void thread_set_policy(struct thread *thread, const struct thread_policy *policy) NO_THREAD_SAFETY
{
	irqflags_t flags = irq_save();
	struct cpu_sched *cpu = sched_lock_cpu_of(thread);
	bool choose_anew = change_policy_locked(cpu, thread, policy);

	spin_unlock_stay_disabled(&cpu->lock);
	if (choose_anew)
		sched_want_switch(cpu);
	irq_restore(flags);
	preempt_enable();
}

uint64_t thread_cpu_time_ns(struct thread *thread) NO_THREAD_SAFETY
{
	irqflags_t flags = irq_save();
	struct cpu_sched *cpu = sched_lock_cpu_of(thread);
	uint64_t time_ns = thread->cpu_time_ns;

	if (thread->state == THREAD_RUNNING)
		time_ns += clock_ns() - thread->run_start_ns;
	spin_unlock_irqrestore(&cpu->lock, flags);
	return time_ns;
}

void thread_for_each(void (*fn)(struct thread *thread, void *argument), void *argument)
{
	irqflags_t flags = spin_lock_irqsave(&threads_lock);
	struct thread *thread;

	list_for_each (thread, &threads, all_link)
		fn(thread, argument);
	spin_unlock_irqrestore(&threads_lock, flags);
}

const char *thread_state_name(const struct thread *thread)
{
	static const char *const names[] = {
		[THREAD_NEW] = "new",         [THREAD_READY] = "ready",
		[THREAD_RUNNING] = "running", [THREAD_BLOCKED] = "sleeping",
		[THREAD_MOVING] = "ready",    [THREAD_DEAD] = "dead",
	};

	return names[read_once(&thread->state)];
}

unsigned thread_cpu_id(const struct thread *thread)
{
	return read_once(&thread->cpu)->id;
}
