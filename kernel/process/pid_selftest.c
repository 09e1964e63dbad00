/*
 * Self-tests of the PID table. Their processes are structs without threads.
 */
#include "../process.h"

#include <abi/errno.h>
#include <lib/selftest.h>

static struct process *fake_process(void)
{
	struct process *process = process_alloc();

	if (process)
		process->state = PROCESS_RUNNING;
	return process;
}

SELFTEST(pid_is_used_again_late)
{
	struct process *first = fake_process();
	struct process *second = fake_process();
	int32_t freed;

	if (!selftest_check(first && second))
		goto put;
	if (!selftest_check(!pid_insert(&first->link)))
		goto put;
	freed = first->pid;
	pid_remove(&first->link);
	if (!selftest_check(!pid_insert(&second->link)))
		goto put;
	selftest_check(second->pid != freed);
	selftest_check(second->pid > 0 && second->pid < PID_MAX);
	pid_remove(&second->link);
put:
	process_put(first);
	process_put(second);
}

/* Whether `process` comes to have `number` while all are given twice: what nobody has any more is
 * freed in between. */
static bool comes_to_have(struct process *process, int32_t number)
{
	bool met = false;

	for (int32_t i = 0; i < 2 * PID_MAX && !met; i++) {
		if (pid_insert(&process->link))
			return false;
		met = process->pid == number;
		pid_remove(&process->link);
	}
	return met;
}

SELFTEST(pid_of_a_group_with_members_is_not_used_again)
{
	struct process *leader = fake_process();
	struct process *member = fake_process();

	if (!selftest_check(leader && member) || !selftest_check(!pid_insert(&leader->link)))
		goto put;
	if (selftest_check(!pid_insert(&member->link))) {
		leader->has_led = true;
		leader->group = member->group = leader->pid;
		pid_remove(&leader->link);
		selftest_check(!comes_to_have(leader, member->group));
		selftest_check(pid_insert_at(&leader->link, member->group) == -EEXIST);
		member->group = member->pid;
		selftest_check(comes_to_have(leader, leader->group));
		pid_remove(&member->link);
	} else {
		pid_remove(&leader->link);
	}
put:
	process_put(leader);
	process_put(member);
}

SELFTEST(pid_lookup_finds_until_removed)
{
	struct process *process = fake_process();
	struct process *found;

	if (!selftest_check(process))
		return;
	if (!selftest_check(!pid_insert(&process->link))) {
		process_put(process);
		return;
	}
	found = process_find(process->pid);
	selftest_check(found == process);
	process_put(found);
	found = process_find_next(process->pid - 1);
	selftest_check(found == process);
	process_put(found);
	pid_remove(&process->link);
	selftest_check(!process_find(process->pid));
	process_put(process);
}

SELFTEST(pid_lookup_refuses_what_is_on_its_way_out)
{
	struct process *process = fake_process();

	if (!selftest_check(process))
		return;
	if (!selftest_check(!pid_insert(&process->link))) {
		process_put(process);
		return;
	}
	/* Inside of an RCU section the memory stays, but no reference can be had any more. */
	rcu_read_lock();
	process_put(process);
	selftest_check(!process_find(process->pid));
	pid_remove(&process->link);
	rcu_read_unlock();
}
