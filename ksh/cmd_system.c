/*
 * Commands that show what the machine does: ps, irq, cpu, dmesg. Each asks the kernel for a
 * snapshot in memory of its own and prints a table of it.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"

void *table_alloc(const char *name, long count, size_t record_bytes)
{
	void *table = count > 0 ? kernel->memory_alloc((size_t)count * record_bytes) : NULL;

	if (!table)
		complain(name, "%s", count < 0 ? error_text(count) : "out of memory");
	return table;
}

/* ---- ps ---- */

#define SPARE_RECORDS 16 /* programs that start between counting and asking */

int command_ps(size_t nwords, const char *const *words)
{
	bool threads = nwords == 2 && strcmp(words[1], "-t") == 0;
	struct ksh_process *table;
	long count, capacity;

	if (nwords > 1 && !threads)
		return usage(words[0]);
	capacity = kernel->process_list(NULL, 0) + SPARE_RECORDS;
	table = table_alloc("ps", capacity, sizeof(*table));
	if (!table)
		return 1;
	count = MIN(kernel->process_list(table, (size_t)capacity), capacity);
	print("%s%5s %5s S NI LV CPU %10s %9s  %s%s\n", paint(PAINT_BOLD), "PID", "PPID", "TIME",
	      "MEMORY", "COMMAND", paint(PAINT_NONE));
	for (long i = 0; i < count; i++) {
		const struct ksh_process *process = &table[i];

		if (!process->pid && !threads)
			continue;
		print("%5d %5d %c %2d %2u %3u %10s %9s  %s%s%s\n",
		      process->pid ? process->pid : (int)process->tid, process->parent,
		      process->state, process->nice, process->level, process->cpu,
		      human_time(process->cpu_ns),
		      process->pid ? human_bytes(process->memory_bytes) : "kernel",
		      process->pid ? "" : paint(PAINT_DIM), process->name,
		      process->pid ? "" : paint(PAINT_NONE));
	}
	kernel->memory_free(table);
	return 0;
}

/* ---- irq ---- */

int command_irq(size_t nwords, const char *const *words)
{
	struct ksh_machine machine;
	struct ksh_irq *table;
	long count;

	if (nwords > 1)
		return usage(words[0]);
	kernel->machine_info(&machine);
	count = kernel->irq_list(NULL, 0);
	table = table_alloc("irq", count + SPARE_RECORDS, sizeof(*table));
	if (!table)
		return 1;
	count = MIN(kernel->irq_list(table, (size_t)(count + SPARE_RECORDS)),
		    count + SPARE_RECORDS);
	print("%s%6s %4s %4s  %-10s  %-20s", paint(PAINT_BOLD), "VECTOR", "LINE", "TO", "FROM",
	      "WHAT");
	for (uint32_t cpu = 0; cpu < machine.ncpus; cpu++)
		print(cpu < 10 ? " %9s%u" : " %8s%u", "CPU", cpu);
	print("%s\n", paint(PAINT_NONE));
	for (long i = 0; i < count; i++) {
		char line[8] = "";
		char to[8] = "";

		if (table[i].line >= 0) {
			kernel_format(line, sizeof(line), "%d", table[i].line);
			kernel_format(to, sizeof(to), "%u", table[i].cpu);
		}
		print("%6u %4s %4s  %-10s  %-20s", table[i].vector, line, to, table[i].controller,
		      table[i].name);
		for (uint32_t cpu = 0; cpu < machine.ncpus && cpu < ARRAY_SIZE(table[i].count);
		     cpu++)
			print(" %10lu", table[i].count[cpu]);
		print("\n");
	}
	kernel->memory_free(table);
	return 0;
}

/* ---- cpu ---- */

int command_cpu(size_t nwords, const char *const *words)
{
	struct ksh_machine machine;
	struct ksh_cpu *table;
	long count;

	if (nwords > 1)
		return usage(words[0]);
	kernel->machine_info(&machine);
	table = table_alloc("cpu", machine.ncpus, sizeof(*table));
	if (!table)
		return 1;
	count = MIN(kernel->cpu_list(table, machine.ncpus), (long)machine.ncpus);
	print("%s%s%s (%s)\n", paint(PAINT_BOLD), machine.cpu_model, paint(PAINT_NONE),
	      machine.cpu_vendor);
	print("  features  %s\n", machine.features);
	print("  clock     %s, %lu MHz    timer  %s\n", machine.clock_source,
	      machine.cycles_hz / 1000000, machine.timer);
	print("  up        %s    loader  %s    kernel  %s %s\n", human_time(machine.uptime_ns),
	      machine.loader, machine.version, machine.build);
	print("%s%4s %5s %7s %6s %12s %12s%s\n", paint(PAINT_BOLD), "CPU", "APIC", "IDLE", "READY",
	      "SWITCHES", "DIRECT", paint(PAINT_NONE));
	for (long i = 0; i < count; i++) {
		uint64_t tenths = table[i].idle_ns / MAX(machine.uptime_ns / 1000, UINT64_C(1));

		print("%4u %5u %4lu.%lu%% %6u %12lu %12lu\n", table[i].id, table[i].apic_id,
		      tenths / 10, tenths % 10, table[i].ready, table[i].switches,
		      table[i].direct_switches);
	}
	kernel->memory_free(table);
	return 0;
}

/* ---- dmesg ---- */

int command_dmesg(size_t nwords, const char *const *words)
{
	static const enum paint colours[] = {PAINT_RED, PAINT_YELLOW, PAINT_NONE, PAINT_DIM};
	struct ksh_log_line line;
	uint64_t cursor = 0;
	uint64_t last = UINT64_MAX;
	uint64_t count = 0;

	if (nwords > 2 || (nwords == 2 && string_to_u64(words[1], &last) != 0))
		return usage(words[0]);
	while (kernel->log_line(&cursor, &line) == 0)
		count++;
	cursor = 0;
	for (uint64_t i = 0; kernel->log_line(&cursor, &line) == 0 && !interrupted(); i++) {
		if (last < count && i < count - last)
			continue;
		print("%s[%5llu.%06llu]%s %s%s%s\n", paint(PAINT_GREEN),
		      line.time_ns / NSEC_PER_SEC, line.time_ns % NSEC_PER_SEC / NSEC_PER_USEC,
		      paint(PAINT_NONE), paint(colours[line.level & 3]), line.text,
		      paint(PAINT_NONE));
	}
	return 0;
}
