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

/* What lies in memory is no configuration space. */
static bool is_memory(const struct acpi_pci_buses *buses)
{
	for (unsigned i = 0; i < boot_info->nranges; i++) {
		const struct memory_range *range = &boot_info->ranges[i];

		if (buses->start < range->end && range->start < buses->end)
			return true;
	}
	return false;
}

static void check_mcfg(struct acpi_mcfg *mcfg)
{
	uint32_t ngood = 0;

	for (uint32_t i = 0; i < mcfg->count; i++) {
		const struct acpi_pci_buses *buses = &mcfg->buses[i];
		bool refused = is_memory(buses);

		log_emit(refused ? LOG_WARN : LOG_INFO, LOG_SUBSYSTEM,
			 "MCFG: PCI segment %u, buses %u to %u at %#lx%s", buses->segment,
			 buses->first_bus, buses->last_bus, buses->start,
			 refused ? ": not used: memory lies there" : "");
		if (!refused)
			mcfg->buses[ngood++] = *buses;
	}
	mcfg->count = ngood;
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
	check_mcfg(&info.mcfg);
	if (info.madt.ncpus_left_out)
		log_warn("%u more CPUs than this kernel counts", info.madt.ncpus_left_out);
}
