/*
 * Commands that show how the kernel schedules: sched, tasks, locks.
 */
#include <lib/string.h>

#include "shell.h"

#define SPARE_RECORDS 16 /* tasks that start between counting and asking */

int command_tasks(size_t nwords, const char *const *words)
{
	struct ksh_task *table;
	long count, capacity;

	if (nwords > 1)
		return usage(words[0]);
	capacity = kernel->task_list(NULL, 0) + SPARE_RECORDS;
	table = table_alloc("tasks", capacity, sizeof(*table));
	if (!table)
		return 1;
	count = MIN(kernel->task_list(table, (size_t)capacity), capacity);
	print("%s%-16s %-10s %3s %10s  %s%s\n", paint(PAINT_BOLD), "TASK", "STATE", "CPU", "POLLS",
	      "AWAITS", paint(PAINT_NONE));
	for (long i = 0; i < count && !interrupted(); i++)
		print("%-16s %-10s %3u %10lu  %s\n", table[i].name, table[i].state, table[i].cpu,
		      table[i].polls, table[i].awaits);
	kernel->memory_free(table);
	return 0;
}

/* ---- sched ---- */

/* Tenths of a percent. */
static void print_share(const char *what, uint64_t part_ns, uint64_t whole_ns)
{
	uint64_t thousandths = part_ns / MAX(whole_ns / 100000, UINT64_C(1));

	print("%s %lu.%03lu%%", what, thousandths / 1000, thousandths % 1000);
}

/* How long all CPUs together had something to do. */
static uint64_t busy_ns(const struct ksh_sched *table, long count, uint64_t uptime_ns)
{
	uint64_t busy = 0;

	for (long i = 0; i < count; i++)
		busy += uptime_ns > table[i].idle_ns ? uptime_ns - table[i].idle_ns : 0;
	return busy;
}

static struct ksh_sched *sched_table(const char *name, struct ksh_machine *machine)
{
	struct ksh_sched *table;

	kernel->machine_info(machine);
	table = table_alloc(name, machine->ncpus, sizeof(*table));
	if (table)
		(void)kernel->sched_list(table, machine->ncpus);
	return table;
}

int command_sched(size_t nwords, const char *const *words)
{
	struct ksh_machine machine;
	struct ksh_sched *table;
	uint64_t waited_ns = 0;
	uint64_t wasted_ns = 0;

	if (nwords > 1)
		return usage(words[0]);
	table = sched_table("sched", &machine);
	if (!table)
		return 1;
	print("%s%4s %6s %10s %10s %11s %11s%s\n", paint(PAINT_BOLD), "CPU", "READY", "CAME",
	      "STOLEN", "WAITED", "WASTED", paint(PAINT_NONE));
	for (uint32_t i = 0; i < machine.ncpus; i++) {
		print("%4u %6u %10lu %10lu", table[i].id, table[i].ready, table[i].moved,
		      table[i].stolen);
		print(" %11s", human_time(table[i].waited_ns));
		print(" %11s\n", human_time(table[i].wasted_ns));
		waited_ns += table[i].waited_ns;
		wasted_ns += table[i].wasted_ns;
	}
	if (machine.ncpus > 1) {
		uint64_t busy = busy_ns(table, machine.ncpus, machine.uptime_ns);

		print_share("waiting for a CPU:", waited_ns, busy);
		print_share(" of the time that CPUs worked; while one idled:", wasted_ns, busy);
		print("\n");
	}
	kernel->memory_free(table);
	return 0;
}

/* ---- locks ---- */

int command_locks(size_t nwords, const char *const *words)
{
	struct ksh_machine machine;
	struct ksh_sched *cpus;
	struct ksh_lock *table;
	uint64_t spun_ns = 0;
	long count;

	if (nwords > 1)
		return usage(words[0]);
	count = kernel->lock_list(NULL, 0);
	table = table_alloc("locks", count, sizeof(*table));
	if (!table)
		return 1;
	cpus = sched_table("locks", &machine);
	if (!cpus) {
		kernel->memory_free(table);
		return 1;
	}
	(void)kernel->lock_list(table, (size_t)count);
	print("%s%-14s %-6s %10s %11s %11s%s\n", paint(PAINT_BOLD), "CLASS", "WAITS", "TIMES",
	      "TOTAL", "LONGEST", paint(PAINT_NONE));
	for (long i = 0; i < count; i++) {
		if (!table[i].waits)
			continue;
		print("%-14s %-6s %10lu", table[i].name, table[i].sleeps ? "asleep" : "spins",
		      table[i].waits);
		print(" %11s", human_time(table[i].waited_ns));
		print(" %11s\n", human_time(table[i].longest_ns));
		if (!table[i].sleeps)
			spun_ns += table[i].waited_ns;
	}
	print_share("spinning:", spun_ns, busy_ns(cpus, machine.ncpus, machine.uptime_ns));
	print(" of the time that CPUs worked\n");
	kernel->memory_free(cpus);
	kernel->memory_free(table);
	return 0;
}
