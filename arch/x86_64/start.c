/*
 * The first C code: makes the machine what the rest of arch/ promises, then calls kernel_main().
 * Runs once, on the first CPU, with interrupts off, on the boot stack.
 */
#include "descriptors.h"
#include "entropy.h"
#include "features.h"
#include "kasan.h"
#include "loader.h"
#include "paging_priv.h"
#include "smp/smp.h"
#include "x86.h"

#include <arch/boot.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/machine.h>
#include <lib/panic.h>

#define LOW_MEMORY_END (640 * KIB) /* above: video memory and firmware */

noreturn void arch_start(enum loader loader, paddr_t loader_info);

extern struct boot_info boot_info_storage;
extern const struct {
	char tables[0xe000];
	uint64_t start_cycles;
} early_tables;

/* Called by a function that finds its canary changed: the compiler's name. */
noreturn void __stack_chk_fail(void);

noreturn void __stack_chk_fail(void)
{
	panic("stack smashed: a function's canary was overwritten");
}

struct cpu first_cpu = {
	.self = &first_cpu,
	.preempt_count = CPU_NO_SWITCH_WANTED | 1, /* until the scheduler runs */
};
static struct cpu_arch first_cpu_arch;

void machine_boot_stack(vaddr_t *base, vaddr_t *top)
{
	*base = (vaddr_t)boot_stack_base;
	*top = (vaddr_t)boot_stack_top;
}

static void refuse(const char *problem)
{
	console_write_raw("Fuselage cannot start: ", 23);
	for (const char *c = problem; *c; c++)
		console_write_raw(c, 1);
	console_write_raw(". Halted.\n", 10);
	machine_halt();
}

/* The highest page below the first MiB that is free; 0: none. Its number must fit into a byte (SDM
 * 3A 10.4.4.1). What the loader told lies in memory that is not free any more. */
static paddr_t low_page(const struct boot_info *info)
{
	for (unsigned i = info->nranges; i-- > 0;) {
		const struct memory_range *range = &info->ranges[i];
		paddr_t end = MIN(range->end, (paddr_t)LOW_MEMORY_END);

		if (range->type == MEMORY_USABLE && end > range->start && end >= 2 * PAGE_SIZE)
			return end - PAGE_SIZE;
	}
	return 0;
}

static void read_boot_info(enum loader loader, paddr_t loader_info)
{
	struct boot_info *info = &boot_info_storage;
	const char *problem = "it was started by neither a PVH nor a multiboot2 loader";

	info->start_cycles = early_tables.start_cycles;
	info->kernel_start = KERNEL_PHYSICAL_START;
	info->kernel_end = info->kernel_start + (uint64_t)(kernel_image_end - kernel_image_start);
	if (loader == LOADER_PVH)
		problem = loader_read_pvh(info, loader_info);
	else if (loader == LOADER_MULTIBOOT2)
		problem = loader_read_multiboot2(info, loader_info);
	if (problem)
		refuse(problem);
	loader_carve(info, info->kernel_start, info->kernel_end, MEMORY_TAKEN);
	for (unsigned i = 0; i < info->nmodules; i++)
		loader_carve(info, info->modules[i].start, info->modules[i].end, MEMORY_TAKEN);
	info->start_page = low_page(info);
	loader_carve(info, 0, MIB, MEMORY_TAKEN);
}

static void check_memory(void)
{
	uint64_t usable_bytes = 0;

	for (unsigned i = 0; i < boot_info->nranges; i++) {
		if (boot_info->ranges[i].type == MEMORY_USABLE)
			usable_bytes += boot_info->ranges[i].end - boot_info->ranges[i].start;
	}
	if (usable_bytes < MEMORY_MIN_BYTES)
		refuse("it needs at least 24 MiB of memory (with the ramdisk), and this machine "
		       "has less");
}

/* Has no canary of its own: it begins without one. */
__attribute__((no_stack_protector)) noreturn void arch_start(enum loader loader,
							     paddr_t loader_info)
{
	first_cpu.stack_canary = stack_canary_new();
	msr_write(MSR_GS_BASE, (uint64_t)&first_cpu);
	first_cpu.arch = &first_cpu_arch;
	first_cpu.kernel_stack_top = (uint64_t)boot_stack_top;
	descriptors_init_cpu(&first_cpu);
	features_detect();
	features_enable();
	read_boot_info(loader, loader_info);
	check_memory();
	paging_init(&boot_info_storage);
	if (IS_ON(FUSELAGE_KASAN))
		kasan_start();
	kernel_main();
}
