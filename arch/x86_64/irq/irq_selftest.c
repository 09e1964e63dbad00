/*
 * Self-tests of interrupts: lines arrive, every one is ended, and what nobody expects harms nobody.
 */
#include "clock/clock_priv.h"
#include "interrupts.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <lib/atomic.h>
#include <lib/selftest.h>

#define STRAY_VECTOR 0xd3
#define SHOT_TICKS   1000
/* Plenty for a host that has better things to do. */
#define GIVE_UP_NS (20 * NSEC_PER_SEC)

static uint32_t nshots;     /* atomic */
static cpuset_t unfinished; /* atomic: CPUs on which an interrupt has not been ended */

static void shot(void *argument)
{
	(void)argument;
	atomic_fetch_add_full(&nshots, 1);
}

static void look_in_service(void *argument)
{
	(void)argument;
	/* The interrupt that brought us here was ended before we were called. */
	if (irq_in_service())
		atomic_fetch_or_full(&unfinished, cpuset_of(cpu_id()));
}

static cpuset_t cpus_in_service(void)
{
	write_once(&unfinished, 0);
	cpu_call(cpuset_all(), look_in_service, NULL);
	return read_once(&unfinished);
}

static bool wait_for_count(const uint32_t *count, uint32_t wanted)
{
	uint64_t end_ns = clock_ns() + GIVE_UP_NS;

	while (read_once(count) < wanted && clock_ns() < end_ns)
		cpu_relax();
	return read_once(count) >= wanted;
}

/* The 8254 is free where the local APIC is the timer; its line is the one that firmware moves. */
SELFTEST(a_line_comes_once_for_each_edge_and_is_ended)
{
	static const struct irq_handler handler = {.name = "selftest", .handle = shot};
	static bool registered;

	if (!apic_present()) {
		selftest_check(irq_register(PIT_LINE, &handler) == -EBUSY); /* it is the timer */
		return;
	}
	if (!registered) {
		/* The firmware may have left it ticking: one last shot, at nobody. */
		pit_set(1);
		for (uint64_t end_ns = clock_ns() + NSEC_PER_MSEC; clock_ns() < end_ns;)
			cpu_relax();
		if (!selftest_check(irq_register(PIT_LINE, &handler) == 0))
			return;
	}
	registered = true;
	selftest_check(irq_register(PIT_LINE, &handler) == -EBUSY);
	write_once(&nshots, 0);
	for (uint32_t i = 1; i <= 3; i++) {
		pit_set(SHOT_TICKS);
		if (!selftest_check(wait_for_count(&nshots, i)))
			return;
		selftest_check(cpus_in_service() == 0);
	}
	selftest_check(read_once(&nshots) == 3);
}

SELFTEST(lines_that_end_nowhere_are_refused)
{
	static const struct irq_handler handler = {.name = "selftest", .handle = shot};

	selftest_check(irq_register(IRQ_LINES, &handler) == -EINVAL);
	selftest_check(irq_register(IRQ_LINES - 1, &handler) == -ENODEV);
}

SELFTEST(every_interrupt_is_ended)
{
	irqflags_t flags;

	for_each_cpu (id)
		cpu_kick(id);
	flags = irq_save();
	clock_set_timer(clock_ns());
	irq_restore(flags);
	for (uint64_t end_ns = clock_ns() + 2 * NSEC_PER_MSEC; clock_ns() < end_ns;)
		cpu_relax();
	selftest_check(cpus_in_service() == 0);
}

SELFTEST(a_stray_interrupt_is_counted_and_ended)
{
	for_each_cpu (id) {
		uint64_t before = trap_count(id, STRAY_VECTOR);
		uint64_t end_ns = clock_ns() + GIVE_UP_NS;

		if (!apic_present())
			return;
		apic_send(cpu_by_id(id)->apic_id, IPI_FIXED | STRAY_VECTOR);
		while (trap_count(id, STRAY_VECTOR) == before && clock_ns() < end_ns)
			cpu_relax();
		selftest_check(trap_count(id, STRAY_VECTOR) == before + 1);
	}
	selftest_check(cpus_in_service() == 0);
}
