/*
 * The order checker's hooks of spinlocks, for debug builds. Owns the list of spinlocks that each
 * CPU holds; interrupts are off while it is changed.
 */
#include <arch/spin.h>

#include <arch/cpu.h>
#include <lib/lockorder.h>

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
