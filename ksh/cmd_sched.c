/*
 * Commands that show how the kernel schedules: tasks.
 */
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
