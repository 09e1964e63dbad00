/*
 * A machine's memory, and ACPI's tables made in it, for the tests of their readers.
 */
#ifndef SUPPORT_ACPI_MEMORY_H
#define SUPPORT_ACPI_MEMORY_H

#include "acpi.h"

#define MEMORY_BYTES (2 * MIB)
#define RSDP_AT      0xe1230
#define ROOT_AT      0x110000
#define OLD_ROOT_AT  0x118000
#define MADT_AT      0x120004 /* not where a structure would like to be */

extern uint8_t memory[MEMORY_BYTES];

/* acpi_read(); what it has mapped is given back. */
const char *read_acpi(struct acpi_info *out, paddr_t rsdp);

/* Makes the sum of [at, at + len) zero by the byte `place`; of a table. */
void sign(size_t at, size_t len, size_t place);
void sign_table(size_t at);
void put(size_t at, uint64_t value, size_t bytes);
/* Zeros with a signature and a length, to be filled and signed. */
void begin_table(size_t at, const char *signature, uint32_t len);
void make_rsdp(size_t at, uint8_t revision);
/* A root that names one table. */
void make_root(size_t at, const char *signature, size_t entry_bytes, uint64_t table);

#endif
