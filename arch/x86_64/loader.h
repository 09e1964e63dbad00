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

/* For the readers: adds memory that the firmware calls usable (or ACPI's). Ignores what does not
 * fit in the list. */
void loader_add_range(struct boot_info *info, paddr_t start, paddr_t end, enum memory_type type);
/* Takes [start, end) out of the usable ranges; it becomes a range of `type`. */
void loader_carve(struct boot_info *info, paddr_t start, paddr_t end, enum memory_type type);
void loader_add_module(struct boot_info *info, paddr_t start, paddr_t end, const char *name);

#endif
