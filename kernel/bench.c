/*
 * The table of measurements, the figures of the boot, and how cycles become rows.
 *
 * The state of the boot is written once, by ksh's thread, before anything reads it.
 */
#include "bench_priv.h"

#include <abi/errno.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/frame.h>

#define LOOP_SLACK   100
#define BOOT_LIMIT   UINT64_C(15000000)
#define MEMORY_LIMIT (8 * MIB)

static struct {
	bool reached;
	uint64_t cycles;
	uint64_t used_bytes; /* with the kernel's image, without the ramdisk */
	uint64_t ramdisk_bytes;
} boot;

/* ---- rows ---- */

void bench_add_value(struct bench_rows *rows, const char *name, const char *unit,
		     uint64_t hundredths, uint64_t limit_hundredths, const char *note)
{
	struct ksh_bench_row *row = rows->out + rows->count;

	if (rows->count++ >= rows->max)
		return;
	*row = (struct ksh_bench_row){.value = hundredths, .limit = limit_hundredths};
	string_copy(row->name, sizeof(row->name), name);
	string_copy(row->unit, sizeof(row->unit), unit);
	string_copy(row->note, sizeof(row->note), note);
}

void bench_add(struct bench_rows *rows, const char *name, uint64_t total, uint64_t times,
	       uint64_t limit, const char *note)
{
	uint64_t start = clock_cycles();
	uint64_t reading = clock_cycles() - start;

	total = total > reading ? total - reading : 0;
	bench_add_value(rows, name, bench_counts_instructions() ? "instructions" : "cycles",
			total * 100 / times, limit * 100, note);
}

/* A loop whose instructions are known: two each round, plus a few around it. */
static NOINLINE uint64_t time_loop(uint64_t rounds)
{
	uint64_t start = clock_cycles();

	for (uint64_t left = rounds; left; left--)
		compiler_barrier();
	return clock_cycles() - start;
}

bool bench_counts_instructions(void)
{
	const uint64_t rounds = 2000;
	irqflags_t flags = irq_save(); /* a handler's instructions would count too */
	uint64_t once = time_loop(rounds);
	uint64_t twice = time_loop(rounds * 2);

	irq_restore(flags);
	/* The compiler makes a loop of two or three instructions of it, so twice the rounds are
	 * twice the cycles but for the few around the loop, and no clock is that even. */
	return once >= rounds * 2 && once <= rounds * 3 + LOOP_SLACK &&
	       twice + LOOP_SLACK >= once * 2 && twice <= once * 2 + LOOP_SLACK;
}

/* ---- boot ---- */

static uint64_t ramdisk_bytes(void)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < boot_info->nmodules; i++)
		bytes += boot_info->modules[i].end - boot_info->modules[i].start;
	return bytes;
}

void bench_prompt_reached(void)
{
	if (boot.reached)
		return;
	boot.reached = true;
	boot.cycles = clock_cycles() - boot_info->start_cycles;
	boot.ramdisk_bytes = ramdisk_bytes();
	boot.used_bytes = (frames_total() - frames_free()) * PAGE_SIZE +
			  (boot_info->kernel_end - boot_info->kernel_start);
}

static err_t bench_boot(struct bench_rows *rows)
{
	bench_add(rows, "boot, kernel entry to prompt", boot.cycles, 1, BOOT_LIMIT, "");
	bench_add_value(rows, "memory gone at the prompt", "KiB", boot.used_bytes / KIB * 100,
			MEMORY_LIMIT / KIB * 100, "without the ramdisk, with the image");
	bench_add_value(rows, "ramdisk", "KiB", boot.ramdisk_bytes / KIB * 100, 0, "used in place");
	return 0;
}

/* ---- the table ---- */

static const struct {
	const char *name;
	err_t (*run)(struct bench_rows *rows);
} benches[] = {
	{"calls", bench_calls},   {"switch", bench_switch}, {"tasks", bench_tasks},
	{"frames", bench_frames}, {"slab", bench_slab},     {"spawn", bench_spawn},
	{"boot", bench_boot},
};

const char *bench_name(size_t number)
{
	return number < ARRAY_SIZE(benches) ? benches[number].name : NULL;
}

long bench_run(size_t number, struct ksh_bench_row *out, size_t max)
{
	struct bench_rows rows = {.out = out, .max = max};
	err_t err;

	if (IS_ON(FUSELAGE_DEBUG))
		return -EPERM;
	if (number >= ARRAY_SIZE(benches))
		return -ENOENT;
	err = benches[number].run(&rows);
	return err ? err : (long)rows.count;
}
