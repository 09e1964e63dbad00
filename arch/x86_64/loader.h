/*
 * From what the loader left to struct boot_info.
 */
#ifndef ARCH_LOADER_H
#define ARCH_LOADER_H

#include <arch/boot.h>

/* As boot.asm counts them. */
enum loader { LOADER_PVH, LOADER_MULTIBOOT2 };

/* Fills `info` from the loader's structure at physical address `from`. NULL, or what is wrong with
 * it. */
const char *loader_read_pvh(struct boot_info *info, paddr_t from);
const char *loader_read_multiboot2(struct boot_info *info, paddr_t from);

/* Types of an E820 map (ACPI specification, 15.1); all others are memory that is not ours. */
#define E820_USABLE 1
#define E820_ACPI   3
#define E820_PASSES 2

/* For the readers: one entry of the firmware's map. All entries are given in each of E820_PASSES
 * passes: first what is usable is collected, then everything else is taken out of it. An entry that
 * ends beyond the end of addresses is ignored. */
void loader_add_e820(struct boot_info *info, paddr_t start, uint64_t size_bytes, uint32_t type,
		     unsigned pass);

/* For the readers: adds memory that the firmware calls usable (or ACPI's). Ignores what does not
 * fit in the list. */
void loader_add_range(struct boot_info *info, paddr_t start, paddr_t end, enum memory_type type);
/* Takes [start, end) out of the usable ranges; it becomes a range of `type`. */
void loader_carve(struct boot_info *info, paddr_t start, paddr_t end, enum memory_type type);
void loader_add_module(struct boot_info *info, paddr_t start, paddr_t end, const char *name);

/* Overwrites every value of `name=value` on the line: it has been used and is nobody else's
 * business.
 */
void boot_option_blank(char *cmdline, const char *name);

#endif
