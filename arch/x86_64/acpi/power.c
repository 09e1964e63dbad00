/*
 * Power off and reset by the registers that the FADT names (ACPI 6.5, 4.8.3 and 7.4.2). Owns their
 * mappings, made at the start: at the end there is no memory to be had.
 */
#define LOG_SUBSYSTEM "acpi"

#include "acpi.h"

#include "paging_priv.h"

#include <arch/cpu.h>
#include <arch/port.h>
#include <lib/log.h>

/* PM1 control (ACPI 6.5, table 4.14). */
#define PM1_ACPI_ENABLED  (1u << 0)
#define PM1_SLEEP_TYPE(t) ((uint16_t)((t) << 10))
#define PM1_SLEEP_NOW     (1u << 13)
#define PM1_SLEEP_MASK    (PM1_SLEEP_TYPE(7) | PM1_SLEEP_NOW)

/* Reads of a port take about a microsecond each: firmware has three seconds to enable ACPI. */
#define ENABLE_POLLS_MAX 3000000
#define ACT_POLLS        100000
#define DELAY_PORT       0x80

struct mapped {
	struct acpi_register where;
	volatile uint16_t *memory; /* of ACPI_MEMORY; NULL: it cannot be reached */
};

/* Constant after acpi_power_init(). */
static struct mapped pm1a, pm1b;
static volatile uint8_t *reset_memory;
static const struct acpi_power *power;

static struct mapped map_register(const struct acpi_register *where)
{
	struct mapped mapped = {.where = *where};

	if (!where->found || where->space == ACPI_PORT)
		return mapped;
	mapped.memory = fixed_map(where->address, sizeof(uint16_t), PAGE_WRITE | PAGE_UNCACHED);
	mapped.where.found = mapped.memory;
	return mapped;
}

void acpi_power_init(const struct acpi_power *from_tables)
{
	const struct acpi_register *reset = &from_tables->reset;

	power = from_tables;
	pm1a = map_register(&power->pm1a_control);
	pm1b = map_register(&power->pm1b_control);
	if (reset->found && reset->space == ACPI_MEMORY)
		reset_memory = fixed_map(reset->address, 1, PAGE_WRITE | PAGE_UNCACHED);
	if (pm1a.where.found && power->has_s5)
		log_info("power off by %s %#lx, sleep type %u",
			 pm1a.where.space == ACPI_PORT ? "port" : "memory", pm1a.where.address,
			 power->s5_type_a);
	else
		log_warn("the tables name no way to switch the machine off");
}

static uint16_t register_read(const struct mapped *from)
{
	if (!from->where.found)
		return 0;
	return from->memory ? *from->memory : port_in16((uint16_t)from->where.address);
}

static void register_write(const struct mapped *to, uint16_t value)
{
	if (!to->where.found)
		return;
	if (to->memory)
		*to->memory = value;
	else
		port_out16((uint16_t)to->where.address, value);
}

static void wait_until_it_acts(void)
{
	for (int i = 0; i < ACT_POLLS; i++)
		port_in8(DELAY_PORT);
}

/* Firmware may still be the one who looks at these registers. */
static void enable(void)
{
	if (!power->smi_command_port || register_read(&pm1a) & PM1_ACPI_ENABLED)
		return;
	port_out8(power->smi_command_port, power->acpi_enable);
	for (int i = 0; i < ENABLE_POLLS_MAX; i++) {
		if (register_read(&pm1a) & PM1_ACPI_ENABLED)
			return;
	}
}

static void sleep_by(const struct mapped *control, uint8_t type)
{
	uint16_t others = register_read(control) & (uint16_t)~PM1_SLEEP_MASK;

	register_write(control, others | PM1_SLEEP_TYPE(type) | PM1_SLEEP_NOW);
}

void acpi_poweroff(void)
{
	if (!power || !pm1a.where.found || !power->has_s5)
		return;
	enable();
	sleep_by(&pm1a, power->s5_type_a);
	sleep_by(&pm1b, power->s5_type_b);
	wait_until_it_acts();
}

void acpi_reset(void)
{
	if (!power || !power->reset.found)
		return;
	if (reset_memory)
		*reset_memory = power->reset_value;
	else if (power->reset.space == ACPI_PORT)
		port_out8((uint16_t)power->reset.address, power->reset_value);
	wait_until_it_acts();
}
