/*
 * The table of the HPET (IA-PC HPET specification 1.0a, 3.2.4). Pure logic.
 */
#include "tables.h"

#include <lib/string.h>

struct PACKED hpet {
	struct acpi_header header;
	uint32_t id;
	struct acpi_address base;
	uint8_t number;
	uint16_t tick_min;
	uint8_t protection;
};
_Static_assert(sizeof(struct hpet) == 56, "HPET 1.0a, table 3");

const char *acpi_read_hpet(struct acpi_hpet *out, const struct acpi_header *table)
{
	struct hpet hpet;

	if (table->len_bytes < sizeof(hpet))
		return "is shorter than its fixed part";
	memcpy(&hpet, table, sizeof(hpet));
	if (hpet.base.space != ACPI_MEMORY || !hpet.base.address ||
	    !IS_ALIGNED(hpet.base.address, sizeof(uint64_t)))
		return "names no memory where registers could be";
	*out = (struct acpi_hpet){.found = true, .address = hpet.base.address};
	return NULL;
}
