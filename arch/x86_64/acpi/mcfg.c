/*
 * The MCFG: where the configuration spaces of PCI functions lie in memory (PCI firmware
 * specification 3.3, 4.1.2). Pure logic. An entry that cannot be true is left out and named.
 */
#define LOG_SUBSYSTEM "acpi"

#include "tables.h"

#include <lib/log.h>
#include <lib/string.h>

struct PACKED mcfg {
	struct acpi_header header;
	uint64_t reserved;
};

struct PACKED entry {
	uint64_t base; /* where bus 0 would be */
	uint16_t segment;
	uint8_t first_bus;
	uint8_t last_bus;
	uint32_t reserved;
};
_Static_assert(sizeof(struct entry) == 16, "PCI firmware 3.3, table 4-3");

#define BUS_BYTES    MIB /* 256 functions of 4 KiB */
#define PHYSICAL_MAX (UINT64_C(1) << 52)

static bool overlap(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
	return a <= b_last && b <= a_last;
}

static const char *problem_of(const struct acpi_mcfg *known, const struct entry *entry,
			      const struct acpi_pci_buses *buses)
{
	if (entry->first_bus > entry->last_bus)
		return "its first bus comes after its last";
	if (!entry->base || !IS_ALIGNED(entry->base, BUS_BYTES) || buses->end > PHYSICAL_MAX ||
	    buses->end <= buses->start)
		return "that is no place for it";
	for (uint32_t i = 0; i < known->count; i++) {
		const struct acpi_pci_buses *other = &known->buses[i];

		if (other->segment == entry->segment &&
		    overlap(other->first_bus, other->last_bus, entry->first_bus, entry->last_bus))
			return "another entry has the same buses";
		if (overlap(other->start, other->end - 1, buses->start, buses->end - 1))
			return "another entry lies there";
	}
	return known->count == ACPI_MCFG_MAX ? "there are more entries than we keep" : NULL;
}

static void add(struct acpi_mcfg *out, const struct entry *entry)
{
	struct acpi_pci_buses buses = {
		.start = entry->base + entry->first_bus * BUS_BYTES,
		.end = entry->base + (entry->last_bus + 1) * BUS_BYTES,
		.segment = entry->segment,
		.first_bus = entry->first_bus,
		.last_bus = entry->last_bus,
	};
	const char *problem = problem_of(out, entry, &buses);

	if (problem)
		log_warn("MCFG: PCI segment %u, buses %u to %u at %#lx: not used: %s",
			 entry->segment, entry->first_bus, entry->last_bus, entry->base, problem);
	else
		out->buses[out->count++] = buses;
}

const char *acpi_read_mcfg(struct acpi_mcfg *out, const struct acpi_header *table)
{
	if (table->len_bytes < sizeof(struct mcfg))
		return "is shorter than its fixed part";
	out->found = true;
	for (size_t at = sizeof(struct mcfg); at + sizeof(struct entry) <= table->len_bytes;
	     at += sizeof(struct entry)) {
		struct entry entry;

		memcpy(&entry, (const char *)table + at, sizeof(entry));
		add(out, &entry);
	}
	return NULL;
}
