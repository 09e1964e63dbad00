/*
 * What spinlocks do when it is not quick: waiting, with counts of it by class on each CPU, and the
 * order checker's hooks of debug builds. Owns the list of spinlocks that each CPU holds; interrupts
 * are off while it is changed.
 */
#include <arch/spin.h>

#include <arch/clock.h>
#include <arch/cpu.h>
#include <lib/lockorder.h>

/* ---- waiting ---- */

/* This CPU's, preemption off. An interrupt between the reading and the writing of a count may be
 * forgotten: they are for people. */
static PERCPU(struct lock_waits, waits[LOCK_CLASSES]);

static struct lock_waits *waits_on(uint32_t cpu, enum lock_class class)
{
	return *percpu_of(cpu, waits) + class;
}

void lock_note_wait(enum lock_class class, uint64_t cycles)
{
	struct lock_waits *own;

	preempt_disable();
	own = waits_on(cpu_id(), class);
	write_once(&own->nwaits, own->nwaits + 1);
	write_once(&own->cycles, own->cycles + cycles);
	if (cycles > own->longest_cycles)
		write_once(&own->longest_cycles, cycles);
	preempt_enable();
}

void lock_waits(enum lock_class class, struct lock_waits *out)
{
	*out = (struct lock_waits){0};
	for_each_cpu (id) {
		const struct lock_waits *one = waits_on(id, class);

		out->nwaits += read_once(&one->nwaits);
		out->cycles += read_once(&one->cycles);
		out->longest_cycles = MAX(out->longest_cycles, read_once(&one->longest_cycles));
	}
}

NOINLINE void spin_wait(struct spinlock *lock, uint16_t ticket)
{
	uint64_t start = clock_cycles();

	/* Acquire: pairs with the release in spin_unlock(). */
	while (load_acquire(&lock->serving) != ticket)
		cpu_relax();
	lock_note_wait(lock->class, clock_cycles() - start);
}

/* ---- order ---- */

static PERCPU(struct lockorder_stack, held);
static struct lockorder_usage usage;

void spin_debug_acquire(const struct spinlock *lock, bool try)
{
	bool interrupts_on = !irqs_off();
	irqflags_t flags = irq_save();
	struct lockorder_stack *stack = this_percpu(held);
	uint32_t depth = this_cpu()->interrupt_depth;
	enum lockorder_fault fault;

	fault = lockorder_acquire(stack, lock, lock->class, depth, try);
	if (fault == LOCKORDER_FINE)
		fault = lockorder_use(&usage, lock->class, depth != 0, interrupts_on);
	if (fault != LOCKORDER_FINE)
		lockorder_report(fault, stack, lock, lock->class);
	irq_restore(flags);
}

void spin_debug_release(const struct spinlock *lock)
{
	irqflags_t flags = irq_save();
	struct lockorder_stack *stack = this_percpu(held);
	enum lockorder_fault fault = lockorder_release(stack, lock);

	if (fault != LOCKORDER_FINE)
		lockorder_report(fault, stack, lock, lock->class);
	irq_restore(flags);
}

bool spin_debug_none_held(void)
{
	return this_percpu(held)->nheld == 0;
}
