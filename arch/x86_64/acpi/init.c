/*
 * Owns what the start has learned from ACPI: constant afterwards. The tables are mapped where they
 * lie and stay mapped: there are few, and they hold still.
 */
#define LOG_SUBSYSTEM "acpi"

#include "acpi.h"

#include "paging_priv.h"

#include <arch/boot.h>
#include <lib/log.h>
#include <lib/string.h>

static struct acpi_info info;

const struct acpi_info *acpi_info(void)
{
	return &info;
}

const void *acpi_map(paddr_t address, size_t len_bytes)
{
	return fixed_map(address, len_bytes, 0);
}

static bool is_switched_off(void)
{
	char value[8];

	if (!boot_option("acpi", value, sizeof(value)))
		return false;
	if (strcmp(value, "off") == 0)
		return true;
	log_warn("acpi=%s: say off, or leave it out", value);
	return false;
}

void acpi_init(void)
{
	const char *problem;

	if (is_switched_off()) {
		log_info("not used: the command line says so");
		return;
	}
	problem = acpi_read(&info, boot_info->rsdp);
	if (problem) {
		log_warn("not used: %s", problem);
		return;
	}
	log_info("revision %u, RSDP at %#lx, %u CPUs, %u I/O APICs", info.revision, info.rsdp,
		 info.madt.ncpus, info.madt.nioapics);
	acpi_power_init(&info.power);
	if (info.madt.ncpus_left_out)
		log_warn("%u more CPUs than this kernel counts", info.madt.ncpus_left_out);
}
