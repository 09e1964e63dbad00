/*
 * Snapshots of the scheduler for ksh: the tasks.
 */
#include "ksh_session.h"

#include <lib/string.h>
#include <sched/task.h>

struct task_table {
	struct ksh_task *out;
	size_t max;
	size_t count;
};

static void add_task(void *argument, const struct task_info *info)
{
	struct task_table *table = argument;
	struct ksh_task *out = table->out + table->count;

	if (table->count++ >= table->max)
		return;
	*out = (struct ksh_task){.cpu = info->cpu, .polls = info->npolls};
	string_copy(out->name, sizeof(out->name), info->name);
	string_copy(out->state, sizeof(out->state), info->state);
	string_copy(out->awaits, sizeof(out->awaits), info->awaits ? info->awaits : "");
}

long ksh_task_list(struct ksh_task *out, size_t max)
{
	struct task_table table = {.out = out, .max = max};

	task_for_each(add_task, &table);
	return (long)table.count;
}
