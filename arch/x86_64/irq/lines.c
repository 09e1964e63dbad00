/*
 * Lines of devices and their handlers. Owns the table of handlers, and which controller is in
 * charge. A handler is registered once and stays; its slot is published with release and read with
 * acquire, so no lock is needed.
 */
#define LOG_SUBSYSTEM "irq"

#include "irq.h"

#include "interrupts.h"

#include <arch/cpu.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/log.h>

#include <abi/errno.h>

_Static_assert(VECTOR_IRQ_BASE + IRQ_LINES <= VECTOR_PIC_BASE, "each line has a vector");

static const struct irq_handler *handlers[IRQ_LINES]; /* atomic */
static const struct irq_controller *controller;       /* constant after irq_init() */
static bool told[256];                                /* atomic: the log names it once */

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
	controller->unmask(line);
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

const char *irq_controller_name(void)
{
	return controller->name;
}
