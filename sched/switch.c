/*
 * Which thread runs: blocking, waking, preemption, the direct switch, and the change from one
 * thread to the next.
 *
 * Each CPU has a struct cpu_sched with a lock (LOCK_RUNQ); a thread belongs to one CPU, and its
 * scheduling state is under that CPU's lock. A CPU gives itself up only with interrupts off and
 * preemption disabled exactly once, so that the count is right for whoever runs next. The lock is
 * dropped before the stacks change: until thread->on_cpu is false the old stack is still in use,
 * which matters to nobody but a CPU that would take the thread over, and to the one who frees it
 * (the next thread on the same CPU does that).
 *
 * The wake token makes blocking safe without a state that is set in advance: a wake that finds the
 * thread not blocked is kept, and the next thread_block() eats it (tests/model/waitq.pml).
 */
#include "sched_priv.h"

#include <lib/panic.h>
#include <sched/clock_watch.h>

/* Two timer interrupts are not so close, unless the clock stands still or has gone back. */
#define SUSPICIOUS_NS NSEC_PER_USEC

/* After so much of its time, one that has no slices and looks at its CPU time does so. It stays the
 * first of its level. */
#define WATCHED_NS (2 * NSEC_PER_MSEC)

PERCPU(struct cpu_sched, cpu_sched);

static void charge_current(struct thread *current, uint64_t now_ns)
{
	uint64_t ran_ns = now_ns - current->run_start_ns;

	current->cpu_time_ns += ran_ns;
	current->run_start_ns = now_ns;
	entity_charge(&current->sched, ran_ns);
}

static void start_slice(struct cpu_sched *cpu, struct thread *next, uint64_t now_ns)
{
	cpu->slice_end_ns = UINT64_MAX;
	if (likely(next->sched.slice_full_ns))
		cpu->slice_end_ns = now_ns + (uint64_t)MAX(next->sched.slice_left_ns, INT64_C(0));
	else if (unlikely(next->cpu_watched))
		cpu->slice_end_ns = now_ns + WATCHED_NS;
	else
		return;
	/* Mostly it is armed for an earlier moment already: it fires, finds nothing to do and is
	 * set anew. That is once a slice; setting it here would be once a switch. */
	sched_arm_timer(cpu, cpu->slice_end_ns);
}

/* It has left the CPU for good, or for another one. */
static NOINLINE void leave(struct thread *thread, enum thread_state state)
{
	if (state == THREAD_MOVING)
		sched_place(thread);
	else if (thread->release)
		thread->release(thread);
	else
		thread_release(thread);
}

/* On the stack of the thread that was switched to: the one before it is off the CPU now. */
static ALWAYS_INLINE void finish_switch(void)
{
	struct cpu_sched *cpu = this_percpu(cpu_sched);
	struct thread *left = cpu->left;
	enum thread_state state = read_once(&left->state); /* of others, a waker may change it */

	/* Release: all that it did is visible to the CPU that takes it over. */
	store_release(&left->on_cpu, false);
	if (unlikely(state >= THREAD_MOVING))
		leave(left, state);
}

/* All of the change from `prev` to `next` that the lock must cover. */
static ALWAYS_INLINE void prepare_switch(struct cpu_sched *cpu, struct thread *prev,
					 struct thread *next, uint64_t now_ns) REQUIRES(cpu->lock)
{
	next->state = THREAD_RUNNING;
	next->run_start_ns = now_ns;
	next->nswitches++;
	next->on_cpu = true;
	cpu->stats.nswitches++;
	cpu->current = next;
	cpu->left = prev;
	start_slice(cpu, next, now_ns);
	cpu_switch_done();
	rcu_note_quiescent(cpu);
}

/* After prepare_switch(), the lock dropped; interrupts off, preemption disabled once. Returns when
 * `prev` runs again, perhaps on another CPU, with the same disabled. */
static ALWAYS_INLINE void switch_stacks(struct thread *prev, struct thread *next)
{
	debug_assert(preempt_depth() == 1);
	this_cpu()->current = next;
	context_switch(&prev->context, &next->context);
	finish_switch();
}

static ALWAYS_INLINE struct thread *pick_next(struct cpu_sched *cpu, uint64_t now_ns)
	REQUIRES(cpu->lock)
{
	struct sched_entity *entity = runq_pick(&cpu->queue);
	struct thread *thread;

	if (unlikely(!entity))
		return &cpu->idle;
	thread = container_of(entity, struct thread, sched);
	if (unlikely(sched_several))
		sched_note_wait(cpu, thread, now_ns);
	return thread;
}

/* Tasks that were woken here under who knows which locks: now none are held. */
static void wake_executor_if_wanted(struct cpu_sched *cpu)
{
	if (likely(!cpu->executor_wanted))
		return;
	cpu->executor_wanted = false;
	executor_wake_thread();
}

/* ---- preemption and yielding ---- */

/* One round of letting somebody else run while the current thread stays ready. Interrupts off,
 * preemption disabled once. */
static void reschedule(void (*put_back)(struct runq *queue, struct sched_entity *entity))
{
	struct cpu_sched *cpu = this_percpu(cpu_sched);
	struct thread *prev = current_thread();
	struct thread *next;
	cpuset_t offer_to = 0;
	uint64_t now_ns;

	wake_executor_if_wanted(cpu);
	spin_lock(&cpu->lock);
	now_ns = clock_ns();
	charge_current(prev, now_ns);
	if (unlikely(sched_several && !(prev->affinity & cpuset_of(cpu->id)))) {
		prev->state = THREAD_MOVING; /* finish_switch() places it */
	} else if (prev != &cpu->idle) {
		prev->state = THREAD_READY;
		prev->ready_since_ns = now_ns;
		prev->told = false;
		put_back(&cpu->queue, &prev->sched);
	}
	next = pick_next(cpu, now_ns);
	if (next == prev) {
		prev->state = THREAD_RUNNING;
		start_slice(cpu, prev, now_ns);
		cpu_switch_done();
		rcu_note_quiescent(cpu);
		spin_unlock(&cpu->lock);
		return;
	}
	if (unlikely(prev->place_watched))
		/* Looked at when it runs again. */
		(void)atomic_fetch_or_full(&prev->context.exit_work, (uint32_t)EXIT_WORK_HOOK);
	cpu->stats.npreemptions++;
	prev->npreempted++;
	prepare_switch(cpu, prev, next, now_ns);
	if (unlikely(sched_several)) {
		if (prev == &cpu->idle)
			sched_idle_leave(cpu);
		else if (prev->state == THREAD_READY)
			offer_to = prev->affinity;
	}
	spin_unlock(&cpu->lock);
	if (unlikely(offer_to && sched_offer(offer_to)))
		write_once(&prev->told, true);
	switch_stacks(prev, next);
}

/* Interrupts off, preemption disabled once: enables it, and makes the switches that have become due
 * meanwhile. Interrupts stay off until the caller enables them, so none can slip in between. */
static ALWAYS_INLINE void enable_preemption(void)
{
	while (unlikely(cpu_switch_wanted()))
		reschedule(runq_preempted);
	/* The way out to a program looks at the wanted switch alone, so it stands for this, too. */
	if (unlikely(read_once(&current_thread()->context.exit_work) & EXIT_WORK_HOOK))
		cpu_want_switch();
	preempt_enable_no_switch();
}

void preempt_schedule(void)
{
	irqflags_t flags = irq_save();

	preempt_disable();
	enable_preemption();
	irq_restore(flags);
}

void thread_yield(void)
{
	irqflags_t flags = irq_save();

	preempt_disable();
	reschedule(runq_yielded);
	enable_preemption();
	irq_restore(flags);
}

/* ---- blocking and waking ---- */

static void assert_may_block(void)
{
	debug_assert(!in_interrupt());
	debug_assert(!irqs_off());
	debug_assert(preempt_depth() == 0); /* a spinlock is held, or an RCU read section is open */
	debug_assert(current_thread()->sched.policy != POLICY_IDLE);
	debug_assert(!executor_is_polling()); /* a task does not sleep: it returns */
}

void thread_block(void)
{
	struct thread *prev = current_thread();
	struct thread *next;
	struct cpu_sched *cpu;
	uint64_t now_ns;

	assert_may_block();
	irq_disable();
	cpu = this_percpu(cpu_sched);
	wake_executor_if_wanted(cpu);
	spin_lock(&cpu->lock); /* disables preemption once, until enable_preemption() */
	if (unlikely(prev->wake_token)) {
		prev->wake_token = false;
		spin_unlock_stay_disabled(&cpu->lock);
	} else {
		prev->state = THREAD_BLOCKED;
		now_ns = clock_ns();
		charge_current(prev, now_ns);
		next = pick_next(cpu, now_ns);
		prepare_switch(cpu, prev, next, now_ns);
		spin_unlock_stay_disabled(&cpu->lock);
		switch_stacks(prev, next);
	}
	enable_preemption();
	irq_enable();
}

struct cpu_sched *sched_lock_cpu_of(struct thread *thread) NO_THREAD_SAFETY
{
	for (;;) {
		struct cpu_sched *cpu = read_once(&thread->cpu);

		spin_lock(&cpu->lock);
		if (likely(cpu == thread->cpu))
			return cpu;
		spin_unlock(&cpu->lock); /* it moved to another CPU meanwhile */
	}
}

bool sched_outranks(const struct cpu_sched *cpu, const struct thread *thread) NO_THREAD_SAFETY
{
	return thread->sched.level < cpu->current->sched.level;
}

void sched_want_switch(const struct cpu_sched *cpu)
{
	if (likely(cpu == this_percpu(cpu_sched)))
		cpu_want_switch();
	else
		cpu_kick(cpu->id);
}

void thread_wake(struct thread *thread) NO_THREAD_SAFETY
{
	irqflags_t flags = irq_save();
	struct cpu_sched *cpu = sched_lock_cpu_of(thread);
	cpuset_t offer_to = 0;
	bool outranks = false;

	if (likely(thread->state == THREAD_BLOCKED)) {
		thread->state = THREAD_READY;
		if (unlikely(sched_several)) {
			thread->ready_since_ns = clock_ns();
			cpu = sched_move_locked(thread, cpu, sched_choose_cpu(cpu, thread));
		}
		runq_wake(&cpu->queue, &thread->sched);
		outranks = sched_outranks(cpu, thread);
		offer_to = thread->affinity;
	} else {
		thread->wake_token = true;
	}
	spin_unlock_stay_disabled(&cpu->lock);
	if (outranks)
		sched_want_switch(cpu);
	else if (unlikely(sched_several && offer_to))
		(void)sched_offer(offer_to);
	irq_restore(flags);
	preempt_enable(); /* after the restore: a switch that is due can happen */
}

bool sched_claim(struct thread *partner) NO_THREAD_SAFETY
{
	struct thread *prev = current_thread();
	struct cpu_sched *cpu = this_percpu(cpu_sched);
	uint64_t now_ns;

	wake_executor_if_wanted(cpu);
	if (unlikely(read_once(&partner->cpu) != cpu) && !sched_fetch(partner, cpu))
		return false;
	spin_lock(&cpu->lock);
	now_ns = clock_ns();
	charge_current(prev, now_ns);
	if (likely(partner->cpu == cpu && partner->state == THREAD_BLOCKED && !prev->wake_token &&
		   runq_try_lend(&cpu->queue, &prev->sched, &partner->sched)))
		return true;
	spin_unlock(&cpu->lock);
	return false;
}

void sched_switch_to_claimed(struct thread *partner) NO_THREAD_SAFETY
{
	struct thread *prev = current_thread();
	struct cpu_sched *cpu = this_percpu(cpu_sched);

	prev->state = THREAD_BLOCKED;
	cpu->stats.ndirect++;
	prepare_switch(cpu, prev, partner, prev->run_start_ns);
	spin_unlock_stay_disabled(&cpu->lock);
	switch_stacks(prev, partner);
	enable_preemption();
}

void thread_wake_switch(struct thread *partner)
{
	bool claimed;

	assert_may_block();
	irq_disable();
	claimed = sched_claim(partner);
	if (likely(claimed))
		sched_switch_to_claimed(partner);
	irq_enable();
	if (likely(claimed))
		return;
	thread_wake(partner);
	thread_block();
}

/* ---- beginning and end of a thread ---- */

void sched_switched_in(void)
{
	/* Off as after any other switch: who left may have to be placed on another CPU. */
	irq_disable();
	finish_switch();
	enable_preemption();
	irq_enable();
}

void sched_put_on_cpu(struct thread *thread)
{
	irqflags_t flags = irq_save();
	struct cpu_sched *cpu = this_percpu(cpu_sched);
	struct cpu_sched *target = cpu;
	cpuset_t offer_to;
	bool outranks;

	if (unlikely(sched_several)) {
		thread->ready_since_ns = clock_ns();
		target = sched_choose_for_new(cpu, thread);
	}
	spin_lock(&target->lock);
	thread->cpu = target;
	thread->state = THREAD_READY;
	if (likely(target == cpu)) {
		charge_current(cpu->current, clock_ns()); /* it may have to give half its slice */
		runq_start(&cpu->queue, &thread->sched, &cpu->current->sched);
		start_slice(cpu, cpu->current, cpu->current->run_start_ns);
	} else {
		runq_start(&target->queue, &thread->sched, NULL);
	}
	outranks = sched_outranks(target, thread);
	offer_to = thread->affinity;
	spin_unlock_stay_disabled(&target->lock);
	if (outranks)
		sched_want_switch(target);
	else if (unlikely(sched_several))
		(void)sched_offer(offer_to);
	irq_restore(flags);
	preempt_enable();
}

noreturn void sched_exit_current(void)
{
	struct thread *prev = current_thread();
	struct thread *next;
	struct cpu_sched *cpu;
	uint64_t now_ns;

	assert_may_block();
	irq_disable();
	cpu = this_percpu(cpu_sched);
	wake_executor_if_wanted(cpu);
	spin_lock(&cpu->lock);
	prev->state = THREAD_DEAD;
	now_ns = clock_ns();
	charge_current(prev, now_ns);
	next = pick_next(cpu, now_ns);
	prepare_switch(cpu, prev, next, now_ns);
	spin_unlock_stay_disabled(&cpu->lock);
	switch_stacks(prev, next);
	panic("dead thread %s (%u) runs", prev->name, prev->tid);
}

/* ---- the timer interrupt ---- */

/* Where the CPU's time goes, by sample. What the program wants to be told of it, it looks at on its
 * way out. */
static void sample(struct cpu_sched *cpu)
{
	struct thread *current = cpu->current;

	if (current == &cpu->idle)
		return;
	if (this_cpu()->interrupted_program) {
		write_once(&current->user_ticks, current->user_ticks + 1);
		write_once(&cpu->user_ticks, cpu->user_ticks + 1);
	} else {
		write_once(&current->system_ticks, current->system_ticks + 1);
		write_once(&cpu->system_ticks, cpu->system_ticks + 1);
	}
	if (unlikely(read_once(&current->cpu_watched)))
		context_request_exit_work(&current->context);
}

void clock_timer_interrupt(void)
{
	struct cpu_sched *cpu = this_percpu(cpu_sched);
	uint64_t now_ns = clock_ns();
	uint64_t next_timer_ns;

	cpu->timer_armed_ns = UINT64_MAX;
	if (unlikely(now_ns < cpu->timer_last_ns + SUSPICIOUS_NS))
		clock_watch_wake();
	cpu->timer_last_ns = now_ns;
	sample(cpu);
	/* Disabled once, by this interrupt: what was interrupted is no read section. So a thread
	 * that runs alone for long holds no grace period up. */
	if (preempt_depth() == 1)
		rcu_note_quiescent(cpu);
	rcu_look();
	next_timer_ns = timers_run(now_ns);
	if (unlikely(sched_several))
		sched_tick(cpu, now_ns >= cpu->slice_end_ns);
	if (now_ns >= cpu->slice_end_ns) {
		cpu->slice_end_ns = UINT64_MAX; /* the switch gives out the next one */
		cpu_want_switch();
	}
	sched_arm_timer(cpu, MIN(next_timer_ns, cpu->slice_end_ns));
}

void sched_kick(struct thread *thread)
{
	struct cpu_sched *cpu;

	/* What it is to look at is written: either we see where it runs, or it sees that when it is
	 * switched to (after the full barrier in prepare_switch()). */
	memory_barrier();
	cpu = read_once(&thread->cpu);

	if (read_once(&cpu->current) == thread && cpu->id != cpu_id())
		cpu_kick(cpu->id);
}

bool sched_has_ready(struct cpu_sched *cpu)
{
	return read_once(&cpu->queue.nready) != 0;
}

void sched_stats(uint32_t cpu_number, struct sched_stats *out)
{
	struct cpu_sched *cpu = percpu_of(cpu_number, cpu_sched);
	irqflags_t flags = spin_lock_irqsave(&cpu->lock);

	*out = cpu->stats;
	out->nready = cpu->queue.nready;
	out->user_ticks = read_once(&cpu->user_ticks);
	out->system_ticks = read_once(&cpu->system_ticks);
	out->is_busy = cpu->current != &cpu->idle;
	out->idle_ns = cpu->idle.cpu_time_ns;
	if (cpu->current == &cpu->idle)
		out->idle_ns += clock_ns() - cpu->idle.run_start_ns;
	spin_unlock_irqrestore(&cpu->lock, flags);
}
