/*
 * System calls that tell about the machine: its memory, its CPUs, and random bytes. Owns no
 * state.
 */
#include "namespace/pid.h"
#include "namespace/time.h"
#include "process/capability.h"
#include "process/uthread.h"
#include "procfs/load.h"
#include "random.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/prctl.h>
#include <abi/resource.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/user.h>
#include <lib/string.h>
#include <mm/frame.h>

#define SYSINFO_LOAD_SHIFT 16 /* SI_LOAD_SHIFT */

static void count(void *argument, UNUSED struct process *process)
{
	++*(unsigned *)argument;
}

int sys_sysinfo(uptr_t out)
{
	struct abi_sysinfo info = {
		.uptime = time_shown(TIME_BOOT, clock_ns()) / (int64_t)NSEC_PER_SEC, .mem_unit = 1};
	struct frame_stats frames;
	unsigned nprocesses = 0;
	uint64_t averages[3];

	frame_stats(&frames);
	pid_for_each_rcu(count, &nprocesses);
	info.totalram = frames.total * PAGE_SIZE;
	info.freeram = frames.free * PAGE_SIZE;
	info.procs = (uint16_t)nprocesses;
	load_averages(averages);
	for (unsigned i = 0; i < ARRAY_SIZE(averages); i++)
		info.loads[i] = averages[i] << (SYSINFO_LOAD_SHIFT - LOAD_SHIFT);
	return user_put(out, &info);
}

int sys_getcpu(uptr_t cpu, uptr_t node)
{
	uint32_t number = cpu_id();
	uint32_t zero = 0;

	if (!uptr_is_null(cpu) && user_put(cpu, &number))
		return -EFAULT;
	return uptr_is_null(node) ? 0 : user_put(node, &zero);
}

/* One's own, or the administrator's. */
static bool may_set_affinity(const struct process *process)
{
	uint32_t own = uthread_current()->ids.euid;

	return own == read_once(&process->ids.euid) || own == read_once(&process->ids.uid) ||
	       capable_over(process, CAP_SYS_NICE);
}

static err_t set_affinity(struct uthread *uthread, void *cpus)
{
	struct process *process = uthread->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	err_t err = -ESRCH;

	if (uthread->listed)
		err = may_set_affinity(process)
			      ? thread_set_affinity(uthread->thread, *(const cpuset_t *)cpus)
			      : -EPERM;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return err;
}

static err_t get_affinity(struct uthread *uthread, void *cpus)
{
	irqflags_t flags = spin_lock_irqsave(&uthread->process->signal_lock);
	bool is_there = uthread->listed;

	if (is_there)
		*(cpuset_t *)cpus = thread_affinity(uthread->thread);
	spin_unlock_irqrestore(&uthread->process->signal_lock, flags);
	return is_there ? 0 : -ESRCH;
}

/* Linux's mask may be longer or shorter than ours: what is missing is 0, CPUs that we could not
 * have are ignored. */
int sys_sched_setaffinity(int pid, size_t len, uptr_t mask)
{
	cpuset_t cpus = 0;

	_Static_assert(CPU_MAX <= 64, "one word of CPUs");
	if (pid < 0)
		return -ESRCH;
	if (user_copy_in(&cpus, mask, MIN(len, sizeof(cpus))))
		return -EFAULT;
	if (!pid)
		return thread_set_affinity(current_thread(), cpus);
	return uthread_visit(pid_meant(pid), set_affinity, &cpus);
}

int sys_sched_getaffinity(int pid, size_t len, uptr_t out)
{
	cpuset_t cpus = thread_affinity(current_thread());
	err_t err = 0;

	if (len < sizeof(cpus) || len % sizeof(cpus))
		return -EINVAL;
	if (pid < 0)
		return -ESRCH;
	if (pid)
		err = uthread_visit(pid_meant(pid), get_affinity, &cpus);
	if (err)
		return err;
	if (user_put(out, &cpus))
		return -EFAULT;
	return sizeof(cpus); /* the bytes that were written */
}

int sys_sched_yield(void)
{
	thread_yield();
	return 0;
}

ssize_t sys_getrandom(uptr_t buf, size_t len, unsigned flags)
{
	uint8_t bytes[128];
	size_t done = 0;

	/* RANDOM and INSECURE exclude each other; the generator is always ready, so nothing waits.
	 */
	if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	len = MIN(len, (size_t)INT32_MAX);
	while (done < len && !thread_interrupted()) {
		size_t piece = MIN(len - done, sizeof(bytes));

		random_bytes(bytes, piece);
		if (user_copy_out(uptr_add(buf, done), bytes, piece))
			return done ? (ssize_t)done : -EFAULT;
		done += piece;
	}
	memset(bytes, 0, sizeof(bytes));
	return done || !len ? (ssize_t)done : -EINTR;
}
