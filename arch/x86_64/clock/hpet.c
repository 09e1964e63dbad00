/*
 * The HPET's main counter (IA-PC HPET specification 1.0a), which ACPI's table of that name leads
 * to. Its comparators stay off: interrupts of the time come from the local APIC.
 */
#define LOG_SUBSYSTEM "clock"

#include "counter.h"

#include "acpi/acpi.h"
#include "paging_priv.h"

#include <lib/log.h>

/* Registers, in words of 32 bits (2.3.1); the upper half of the first is the period. */
#define CAPABILITIES  (0x00 / 4)
#define PERIOD_FS     (0x04 / 4)
#define CONFIGURATION (0x10 / 4)
#define COUNTER       (0xf0 / 4)
#define HPET_BYTES    0x400

#define CONFIGURATION_ENABLE 1u
#define PERIOD_FS_MAX        100000000 /* 2.3.4: 100 ns */
#define PERIOD_FS_MIN        100000    /* ours: 0.1 ns, faster than any */
#define FS_PER_NS            1000000

static volatile uint32_t *registers; /* constant after hpet_find() */

/* The lower half alone: not every machine reads both in one piece (2.4.7). */
static uint32_t hpet_read(void)
{
	return registers[COUNTER];
}

static struct clock_counter hpet = {
	.name = "hpet",
	.watching = "tsc, watched by hpet",
	.mask = UINT32_MAX,
	.read = hpet_read,
};

const struct clock_counter *hpet_find(void)
{
	const struct acpi_hpet *table = &acpi_info()->hpet;
	uint32_t period_fs;

	if (!table->found)
		return NULL;
	registers = fixed_map(table->address, HPET_BYTES, PAGE_WRITE | PAGE_UNCACHED);
	if (!registers || registers[CAPABILITIES] == UINT32_MAX) {
		log_warn("the HPET at %#lx is not there", table->address);
		return NULL;
	}
	period_fs = registers[PERIOD_FS];
	if (period_fs < PERIOD_FS_MIN || period_fs > PERIOD_FS_MAX) {
		log_warn("the HPET at %#lx has an impossible period: %u fs", table->address,
			 period_fs);
		return NULL;
	}
	registers[CONFIGURATION] |= CONFIGURATION_ENABLE;
	hpet.ns_mult = ((uint64_t)period_fs << 32) / FS_PER_NS;
	return &hpet;
}
