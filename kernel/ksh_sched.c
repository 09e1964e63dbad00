/*
 * Snapshots of the scheduler for ksh: run queues, tasks, locks that were waited for.
 */
#include "ksh_session.h"

#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/spin.h>
#include <lib/lockorder.h>
#include <lib/string.h>
#include <sched/task.h>
#include <sched/thread.h>

long ksh_sched_list(struct ksh_sched *out, size_t max)
{
	for_each_cpu (cpu) {
		struct sched_stats stats;

		if (cpu >= max)
			break;
		sched_stats(cpu, &stats);
		out[cpu] = (struct ksh_sched){
			.id = cpu,
			.ready = stats.nready,
			.moved = stats.nmoved,
			.stolen = stats.nstolen,
			.idle_ns = stats.idle_ns,
			.waited_ns = stats.waited_ns,
			.wasted_ns = stats.wasted_ns,
		};
	}
	return cpu_count();
}

static uint64_t cycles_to_ns(uint64_t cycles)
{
	uint64_t khz = MAX(clock_cycles_hz() / 1000, UINT64_C(1));

	return cycles / khz * NSEC_PER_MSEC + cycles % khz * NSEC_PER_MSEC / khz;
}

long ksh_lock_list(struct ksh_lock *out, size_t max)
{
	for (size_t class = 0; class < MIN(max, (size_t)LOCK_CLASSES); class ++) {
		struct lock_waits waits;

		lock_waits((enum lock_class) class, &waits);
		out[class] = (struct ksh_lock){
			.sleeps = class < LOCK_FIRST_SPIN,
			.waits = waits.nwaits,
			.waited_ns = cycles_to_ns(waits.cycles),
			.longest_ns = cycles_to_ns(waits.longest_cycles),
		};
		string_copy(out[class].name, sizeof(out[class].name),
			    lockclass_name((enum lock_class) class));
	}
	return LOCK_CLASSES;
}

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
