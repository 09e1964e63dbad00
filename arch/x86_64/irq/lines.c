/*
 * Lines of devices and their handlers. Owns the table of handlers, and which controller is in
 * charge. A handler is registered once and stays; its slot is published with release and read with
 * acquire, so no lock is needed.
 *
 * A line leads to the CPU that has the fewest of them when it is registered, the first among
 * equals, and stays there: so each line's handler runs on one CPU alone.
 */
#define LOG_SUBSYSTEM "irq"

#include "irq.h"

#include "interrupts.h"

#include <arch/cpu.h>
#include <arch/spin.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/log.h>

#include <abi/errno.h>

_Static_assert(VECTOR_IRQ_BASE + IRQ_LINES <= VECTOR_PIC_BASE, "each line has a vector");

static const struct irq_handler *handlers[IRQ_LINES]; /* atomic */
static const struct irq_controller *controller;       /* constant after irq_init() */
static struct spinlock route_lock = SPINLOCK_INIT(LOCK_IRQ);
static uint32_t nlines[CPU_MAX] GUARDED_BY(route_lock); /* by the CPU that they lead to */
static uint32_t cpu_of_line[IRQ_LINES];                 /* atomic: of those with a handler */
static bool told[256];                                  /* atomic: the log names it once */

void irq_init(void)
{
	bool with_ioapic = apic_present() && ioapic_init();

	controller = with_ioapic ? &ioapic_controller : &pic_controller;
	pic_init(with_ioapic ? VECTOR_PIC_BASE : VECTOR_IRQ_BASE);
}

bool irq_by_8259(void)
{
	return controller == &pic_controller;
}

bool irq_in_service(void)
{
	return controller->in_service();
}

/* Another line ends at the same input and has a handler. */
static bool is_shared(unsigned line)
{
	for (unsigned other = 0; other < IRQ_LINES; other++) {
		if (other != line && load_acquire(&handlers[other]) &&
		    controller->place_of(other) == controller->place_of(line))
			return true;
	}
	return false;
}

static uint32_t choose_cpu(void)
{
	irqflags_t flags = spin_lock_irqsave(&route_lock);
	uint32_t chosen = 0;

	for (uint32_t id = 1; controller->reaches_all_cpus && id < cpu_count(); id++) {
		if (nlines[id] < nlines[chosen])
			chosen = id;
	}
	nlines[chosen]++;
	spin_unlock_irqrestore(&route_lock, flags);
	return chosen;
}

err_t irq_register(unsigned line, const struct irq_handler *handler)
{
	const struct irq_handler *none = NULL;

	if (line >= IRQ_LINES)
		return -EINVAL;
	if (!controller->leads_here(line))
		return -ENODEV;
	if (!atomic_cas(&handlers[line], &none, handler))
		return -EBUSY;
	if (is_shared(line)) {
		store_release(&handlers[line], NULL);
		return -EBUSY;
	}
	write_once(&cpu_of_line[line], choose_cpu());
	controller->unmask(line, cpu_of_line[line]);
	return 0;
}

void irq_line(unsigned line)
{
	const struct irq_handler *handler;

	if (!controller->is_real(line))
		return;
	handler = load_acquire(&handlers[line]); /* acquire: pairs with irq_register()'s exchange */
	if (handler)
		handler->handle(handler->argument);
	controller->end(line);
}

void irq_stray(unsigned vector)
{
	if (apic_present() && apic_in_service(vector))
		apic_end();
	if (!__atomic_exchange_n(&told[vector & 0xff], true, __ATOMIC_RELAXED))
		log_warn("vector %u came to CPU %u, and nobody expects it (told once)", vector,
			 cpu_id());
}

const char *irq_owner(unsigned line)
{
	const struct irq_handler *handler = load_acquire(&handlers[line]);

	return handler ? handler->name : NULL;
}

uint32_t irq_cpu(unsigned line)
{
	return read_once(&cpu_of_line[line]);
}

const char *irq_controller_name(void)
{
	return controller->name;
}
