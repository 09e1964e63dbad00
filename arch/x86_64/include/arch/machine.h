/*
 * The order of the start: arch/ makes the machine usable and calls kernel_main(), which brings up
 * memory and then asks for the parts that need it.
 */
#ifndef ARCH_MACHINE_H
#define ARCH_MACHINE_H

#include <lib/types.h>

/* What must be usable beside image and ramdisk for the machine to be of any use. */
#define MEMORY_MIN_BYTES (8 * MIB)

/* Hook of kernel/: paging, descriptors and boot_info are there; interrupts are off, no memory can
 * be allocated yet. */
noreturn void kernel_main(void);

/* The stack that the first CPU started on, [base, top): its idle thread's for good. A guard page
 * lies below. */
void machine_boot_stack(vaddr_t *base, vaddr_t *top);

/* Interrupt controllers, clock and timer, once kernel_map() has memory. Interrupts are still off
 * afterwards. */
void machine_init_interrupts(void);

#endif
