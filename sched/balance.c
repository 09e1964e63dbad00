/*
 * Which CPU a thread runs on: where one that wakes or begins is queued, what an idle CPU takes from
 * the others, and which CPUs a thread may use at all.
 *
 * The promise is that no thread waits while a CPU that it may use idles. An idle CPU shows itself
 * in `idle_cpus`, then looks through the others' queues, then waits for an interrupt. Who leaves a
 * thread waiting looks at `idle_cpus` afterwards, takes one out (it is his: nobody else sends it
 * anything) and kicks it. Both have a full barrier between their two steps, so one sees the other
 * (tests/model/runqueue.pml).
 *
 * A thread that goes from one queue to another is, for a moment, in neither: READY, off every list,
 * its `cpu` the new one. Two run queue locks are never held at once. Its stack must be out of use
 * (on_cpu): who moves it looks; threads that are just being switched away from stay where they are,
 * and are taken a moment later.
 */
#include "sched_priv.h"

#include <abi/errno.h>
#include <lib/panic.h>

/* How far into a level an idle CPU looks for a thread that it may run. */
#define STEAL_LOOKS 8
/* What telling an idle CPU may take; shorter waits are not worth asking who was idle meanwhile. */
#define WASTE_MIN_NS (20 * NSEC_PER_USEC)

bool sched_several;

static cpuset_t idle_cpus; /* atomic */
static uint32_t next_cpu;  /* atomic: where the next new thread is offered */

static struct cpu_sched *cpu_of(uint32_t id)
{
	return percpu_of(id, cpu_sched);
}

/* ---- idle CPUs ---- */

/* If it has halted, that is over: it is on its way. */
static void end_idling(struct cpu_sched *cpu)
{
	if (read_once(&cpu->idle_end_ns) < read_once(&cpu->idle_start_ns))
		write_once(&cpu->idle_end_ns, clock_ns());
}

/* From here on it does not idle, it is being woken. */
static bool claim_idle(uint32_t id)
{
	if (!(atomic_fetch_and_full(&idle_cpus, ~cpuset_of(id)) & cpuset_of(id)))
		return false;
	end_idling(cpu_of(id));
	return true;
}

/* One of `allowed` that idles and that nobody else sends anything: `first` if it may be, then those
 * behind it. CPU_MAX: none. */
static uint32_t claim_any_idle(cpuset_t allowed, uint32_t first)
{
	cpuset_t idle = read_once(&idle_cpus) & allowed;

	while (idle) {
		cpuset_t behind = idle & ~(cpuset_of(first) - 1);
		uint32_t id = (uint32_t)__builtin_ctzll(behind ? behind : idle);

		if (claim_idle(id))
			return id;
		idle &= ~cpuset_of(id);
	}
	return CPU_MAX;
}

void sched_idle_leave(struct cpu_sched *cpu)
{
	if (read_once(&idle_cpus) & cpuset_of(cpu->id))
		(void)claim_idle(cpu->id);
	else
		end_idling(cpu); /* it was told just before it halted */
}

void sched_idle_halts(struct cpu_sched *cpu)
{
	if ((read_once(&idle_cpus) & cpuset_of(cpu->id)) &&
	    read_once(&cpu->idle_end_ns) >= cpu->idle_start_ns)
		write_once(&cpu->idle_start_ns, clock_ns());
}

bool sched_offer(cpuset_t allowed)
{
	uint32_t id;

	memory_barrier(); /* the thread is in its queue; pairs with the one in sched_find_work() */
	if (likely(!(read_once(&idle_cpus) & allowed)))
		return false;
	id = claim_any_idle(allowed, 0);
	if (id == CPU_MAX)
		return false;
	cpu_kick(id);
	return true;
}

/* ---- placing ---- */

static bool may_run_on(const struct thread *thread, const struct cpu_sched *cpu)
{
	return thread->affinity & cpuset_of(cpu->id);
}

/* Some CPU of the set that has started. */
static struct cpu_sched *any_cpu(cpuset_t allowed)
{
	return cpu_of((uint32_t)__builtin_ctzll(allowed & cpuset_all()));
}

struct cpu_sched *sched_choose_cpu(struct cpu_sched *cpu, struct thread *thread)
{
	bool here = may_run_on(thread, cpu);
	uint32_t id;

	thread->told = false;
	/* Its stack is in use for a few more steps of a CPU that holds no lock. Acquire: pairs with
	 * the release in finish_switch(). */
	if (unlikely(load_acquire(&thread->on_cpu))) {
		if (here)
			return cpu;
		while (load_acquire(&thread->on_cpu))
			cpu_relax();
	}
	if (unlikely(read_once(&idle_cpus) & thread->affinity)) {
		id = claim_any_idle(thread->affinity, cpu->id);
		thread->told = id != CPU_MAX;
		if (thread->told)
			return cpu_of(id);
	}
	return here ? cpu : any_cpu(thread->affinity);
}

struct cpu_sched *sched_choose_for_new(struct cpu_sched *cpu, struct thread *thread)
{
	bool here = may_run_on(thread, cpu);
	struct cpu_sched *other;
	uint32_t id = claim_any_idle(thread->affinity, cpu->id);

	thread->told = id != CPU_MAX;
	if (thread->told)
		return cpu_of(id);
	/* Nobody idles: the shorter of two queues. */
	id = (uint32_t)atomic_fetch_add_full(&next_cpu, 1) % cpu_count();
	other = cpu_of(id);
	if (may_run_on(thread, other) &&
	    (!here || read_once(&other->queue.nready) < read_once(&cpu->queue.nready)))
		return other;
	return here ? cpu : any_cpu(thread->affinity);
}

/* Of a thread that does not run, under its CPU's lock. */
static void set_cpu(struct thread *thread, struct cpu_sched *to)
{
	write_once(&thread->cpu, to);
	if (unlikely(thread->place_watched))
		/* Looked at when it runs again. */
		(void)atomic_fetch_or_full(&thread->context.exit_work, (uint32_t)EXIT_WORK_HOOK);
}

struct cpu_sched *sched_move_locked(struct thread *thread, struct cpu_sched *from,
				    struct cpu_sched *to) NO_THREAD_SAFETY
{
	debug_assert(!list_linked(&thread->sched.run_link));
	if (likely(from == to))
		return from;
	for (;;) {
		set_cpu(thread, to);
		spin_unlock(&from->lock);
		spin_lock(&to->lock);
		if (likely(may_run_on(thread, to)))
			break;
		/* It was confined to others meanwhile. */
		from = to;
		to = any_cpu(thread->affinity);
	}
	to->stats.nmoved++;
	return to;
}

/* Queues a thread that was taken from the queue of `from`, whose lock is held and let go of. */
static void queue_moved(struct thread *thread, struct cpu_sched *from, struct cpu_sched *to,
			bool expired) NO_THREAD_SAFETY
{
	bool outranks;

	to = sched_move_locked(thread, from, to);
	runq_add_moved(&to->queue, &thread->sched, expired);
	outranks = sched_outranks(to, thread);
	spin_unlock(&to->lock);
	if (outranks)
		sched_want_switch(to);
}

void sched_place(struct thread *thread) NO_THREAD_SAFETY
{
	struct cpu_sched *cpu = sched_lock_cpu_of(thread);
	struct cpu_sched *target;
	bool outranks;

	debug_assert(thread->state == THREAD_MOVING);
	thread->state = THREAD_READY;
	thread->ready_since_ns = clock_ns();
	target = sched_move_locked(thread, cpu, sched_choose_cpu(cpu, thread));
	runq_wake(&target->queue, &thread->sched);
	outranks = sched_outranks(target, thread);
	spin_unlock(&target->lock);
	if (outranks)
		sched_want_switch(target);
}

/* ---- stealing ---- */

struct thief {
	struct cpu_sched *cpu;
	bool later; /* there is one that will be free in a moment */
};

static bool may_steal(const struct sched_entity *entity, void *argument)
{
	const struct thread *thread = container_of(entity, struct thread, sched);
	struct thief *thief = argument;

	if (!may_run_on(thread, thief->cpu))
		return false;
	/* Acquire: pairs with the release in finish_switch(). */
	if (!load_acquire(&thread->on_cpu))
		return true;
	thief->later = true;
	return false;
}

/* Takes one waiting thread of `victim`. Interrupts are off. Thieves do not stand in line for the
 * lock: whoever has work to do would have to wait for them. */
static bool steal_from(struct thief *thief, struct cpu_sched *victim) NO_THREAD_SAFETY
{
	struct sched_entity *entity;
	bool expired;

	if (!spin_trylock(&victim->lock)) {
		thief->later = true;
		return false;
	}
	entity = runq_steal(&victim->queue, may_steal, thief, STEAL_LOOKS, &expired);
	if (!entity) {
		spin_unlock(&victim->lock);
		return false;
	}
	victim->stats.nstolen++;
	queue_moved(container_of(entity, struct thread, sched), victim, thief->cpu, expired);
	return true;
}

static enum sched_found look_through_others(struct cpu_sched *cpu)
{
	struct thief thief = {.cpu = cpu};
	uint32_t count = cpu_count();

	for (uint32_t i = 1; i < count; i++) {
		uint32_t id = cpu->id + i < count ? cpu->id + i : cpu->id + i - count;
		struct cpu_sched *victim = cpu_of(id);
		bool found;

		if (!read_once(&victim->queue.nready))
			continue;
		irq_disable();
		found = steal_from(&thief, victim);
		irq_enable();
		if (found)
			return SCHED_FOUND;
	}
	return thief.later ? SCHED_FOUND_LATER : SCHED_FOUND_NOTHING;
}

enum sched_found sched_find_work(struct cpu_sched *cpu)
{
	if (likely(!sched_several))
		return SCHED_FOUND_NOTHING;
	if (!(read_once(&idle_cpus) & cpuset_of(cpu->id)))
		/* Full barrier: pairs with the one in sched_offer(). */
		(void)atomic_fetch_or_full(&idle_cpus, cpuset_of(cpu->id));
	return look_through_others(cpu);
}

void sched_tick(struct cpu_sched *cpu, bool slice_over)
{
	struct thief thief = {.cpu = cpu};
	struct cpu_sched *other;
	uint32_t count = cpu_count();

	if (read_once(&cpu->queue.nready))
		(void)sched_offer(~UINT64_C(0));
	/* Nobody idles, but others may have more to do: one look each slice. */
	if (!slice_over)
		return;
	cpu->last_look = (cpu->last_look + 1) % count;
	other = cpu_of(cpu->last_look);
	if (other != cpu && read_once(&other->queue.nready) > read_once(&cpu->queue.nready) + 1)
		(void)steal_from(&thief, other);
}

bool sched_fetch(struct thread *thread, struct cpu_sched *to) NO_THREAD_SAFETY
{
	struct cpu_sched *from = sched_lock_cpu_of(thread);
	/* Acquire: as in may_steal(). */
	bool may = thread->state == THREAD_BLOCKED && !load_acquire(&thread->on_cpu) &&
		   may_run_on(thread, to);

	if (may)
		set_cpu(thread, to);
	spin_unlock(&from->lock);
	return may;
}

/* ---- how long threads wait ---- */

/* How long of [start, end] the other CPU was idle, of the last time that it was. */
static uint64_t idle_overlap_ns(const struct cpu_sched *other, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t idle_start_ns = read_once(&other->idle_start_ns);
	uint64_t idle_end_ns = read_once(&other->idle_end_ns);

	if (!idle_start_ns)
		return 0;
	if (idle_end_ns < idle_start_ns)
		idle_end_ns = end_ns; /* it still is */
	start_ns = MAX(start_ns, idle_start_ns);
	end_ns = MIN(end_ns, idle_end_ns);
	return end_ns > start_ns ? end_ns - start_ns : 0;
}

void sched_note_wait(struct cpu_sched *cpu, const struct thread *thread, uint64_t now_ns)
{
	uint64_t start_ns = thread->ready_since_ns;
	uint64_t waited_ns = now_ns > start_ns ? now_ns - start_ns : 0;
	uint64_t wasted_ns = 0;

	cpu->stats.waited_ns += waited_ns;
	if (waited_ns < WASTE_MIN_NS || thread->told)
		return;
	for_each_cpu (id) {
		if (thread->affinity & cpuset_of(id))
			wasted_ns = MAX(wasted_ns, idle_overlap_ns(cpu_of(id), start_ns, now_ns));
	}
	if (wasted_ns >= WASTE_MIN_NS)
		cpu->stats.wasted_ns += wasted_ns;
}

/* ---- confining ---- */

err_t thread_set_affinity(struct thread *thread, cpuset_t cpus) NO_THREAD_SAFETY
{
	struct cpu_sched *cpu;
	irqflags_t flags;

	if (!(cpus & cpuset_all()))
		return -EINVAL;
	preempt_disable();
	flags = irq_save();
	cpu = sched_lock_cpu_of(thread);
	thread->affinity = cpus;
	if (may_run_on(thread, cpu) || thread->state == THREAD_BLOCKED ||
	    thread->state == THREAD_NEW) {
		spin_unlock(&cpu->lock); /* it is well there, or will be placed when it wakes */
	} else if (thread->state == THREAD_READY && list_linked(&thread->sched.run_link) &&
		   !load_acquire(&thread->on_cpu)) {
		bool expired = runq_remove(&cpu->queue, &thread->sched);

		queue_moved(thread, cpu, any_cpu(cpus), expired);
	} else {
		/* It runs, or nearly: the next time that this CPU chooses, it leaves. */
		spin_unlock(&cpu->lock);
		cpu_kick(cpu->id);
	}
	irq_restore(flags);
	preempt_enable(); /* the calling thread leaves here */
	return 0;
}

cpuset_t thread_affinity(const struct thread *thread)
{
	return read_once(&thread->affinity) & cpuset_all();
}
