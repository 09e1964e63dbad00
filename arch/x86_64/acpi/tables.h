/*
 * The tables as they lie in memory, for the readers in this folder. All fields are little-endian
 * and packed, so none may be where its type would like to be.
 */
#ifndef ARCH_ACPI_TABLES_H
#define ARCH_ACPI_TABLES_H

#include "acpi.h"

/* What every table but the RSDP begins with (ACPI 6.5, 5.2.6). */
struct PACKED acpi_header {
	char signature[4];
	uint32_t len_bytes; /* the header included */
	uint8_t revision;
	uint8_t checksum;
	char oem[6];
	char oem_table[8];
	uint32_t oem_revision;
	uint32_t creator;
	uint32_t creator_revision;
};
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.5, table 5.4");

/* How a table names a register (ACPI 6.5, 5.2.3.2). */
struct PACKED acpi_address {
	uint8_t space; /* enum acpi_space, or one that we do not know */
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
};

/* All bytes of a table add up to zero. */
bool acpi_sum_is_zero(const void *bytes, size_t len_bytes);

/* The tables' readers. `table` is whole, and its checksum right. NULL, or what is wrong with it. */
const char *acpi_read_fadt(struct acpi_power *out, struct acpi_pm_timer *timer,
			   const struct acpi_header *table);
/* Looks for the package _S5_ in the DSDT. True: both types are known. */
bool acpi_find_s5(const struct acpi_header *dsdt, uint8_t *type_a, uint8_t *type_b);
const char *acpi_read_hpet(struct acpi_hpet *out, const struct acpi_header *table);
const char *acpi_read_madt(struct acpi_madt *out, const struct acpi_header *table);
const char *acpi_read_mcfg(struct acpi_mcfg *out, const struct acpi_header *table);

#endif
