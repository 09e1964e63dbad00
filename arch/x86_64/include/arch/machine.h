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

/* ACPI's tables, interrupt controllers, clock and timer, once kernel_map() has memory. Interrupts
 * are still off afterwards. */
void machine_init_interrupts(void);

/* Starts the other CPUs that ACPI names, one after the other, as many as `smp=` allows. One that
 * does not come up is named in the log and left out. Once, in a thread; takes milliseconds. */
void machine_start_cpus(void);
/* Hook of kernel/: where another CPU goes on, with interrupts off, on the stack [base, top) that is
 * its idle thread's for good. It sets up what the upper folders keep for each CPU, calls
 * machine_cpu_ready() and becomes the idle thread. */
noreturn void cpu_main(vaddr_t stack_base, vaddr_t stack_top);
/* The calling CPU is counted from now on: others may call and kick it, and wait for it. It has
 * memory to allocate from. */
void machine_cpu_ready(void);

/* Hooks of mm/: `npages` zeroed pages in the kernel's virtual area, with unmapped ones around them;
 * NULL: no memory. Their return; NULL is allowed. */
void *machine_pages_alloc(size_t npages);
void machine_pages_free(void *pages);

#endif
