/*
 * The timer of ACPI's power management (ACPI 6.5, 4.8.3.3): a port, 3.58 MHz, 24 or 32 bits.
 */
#include "counter.h"

#include "acpi/acpi.h"

#include <arch/cpu.h>
#include <arch/port.h>

#define PM_TIMER_HZ 3579545

static uint16_t port; /* constant after pm_timer_find() */

static uint32_t pm_timer_read(void)
{
	return port_in32(port);
}

static struct clock_counter pm_timer = {
	.name = "acpi_pm",
	.watching = "tsc, watched by acpi_pm",
	.ns_mult = (NSEC_PER_SEC << 32) / PM_TIMER_HZ,
	.read = pm_timer_read,
};

const struct clock_counter *pm_timer_find(void)
{
	const struct acpi_pm_timer *table = &acpi_info()->pm_timer;

	if (!table->port)
		return NULL;
	port = table->port;
	pm_timer.mask = table->has_32_bits ? UINT32_MAX : 0xffffff;
	return &pm_timer;
}
