/*
 * membarrier(2): every CPU passes a full barrier, by an interrupt, whose end also makes it fetch
 * instructions anew (SDM 3A 8.3: IRET serialises). All CPUs are asked, whoever runs there: it is
 * simple, and a program that does it often has chosen to. What a program has registered for is a
 * set of bits of its space, which copies have as well and a new program has not.
 */
#include "memory.h"

#include "../process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/membarrier.h>
#include <arch/cpu.h>
#include <lib/atomic.h>
#include <mm/space.h>

#define REGISTRATIONS                                                                              \
	(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |    \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                                     \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)
#define COMMANDS                                                                                   \
	(REGISTRATIONS | MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                 \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |           \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_CMD_GET_REGISTRATIONS)

static void pass_barrier(UNUSED void *argument)
{
	memory_barrier();
}

static int pass_everywhere(void)
{
	memory_barrier(); /* the caller's accesses come before what the others do next */
	cpu_call(cpuset_all() & ~cpuset_of(cpu_id()), pass_barrier, NULL);
	memory_barrier();
	return 0;
}

static int pass_if(unsigned registration)
{
	return read_once(&current_space()->barriers) & registration ? pass_everywhere() : -EPERM;
}

/* In an interrupt: a sequence of the same program that it met is looked at on the way out. */
static void end_sequence(void *space)
{
	struct thread *thread = current_thread();
	const struct uthread *uthread = thread->process ? thread->user_data : NULL;

	memory_barrier();
	if (uthread && read_once(&uthread->space) == space)
		thread_request_exit_work(thread);
}

/* Restartable sequences of the program's other threads begin anew: of all, or of the one on this
 * CPU. */
static int end_sequences(unsigned flags, int cpu)
{
	cpuset_t cpus = cpuset_all() & ~cpuset_of(cpu_id());

	if (!(read_once(&current_space()->barriers) &
	      MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ))
		return -EPERM;
	if (flags)
		cpus &= cpu >= 0 && (unsigned)cpu < cpu_count() ? cpuset_of((unsigned)cpu) : 0;
	memory_barrier();
	if (cpus)
		cpu_call(cpus, end_sequence, current_space());
	memory_barrier();
	return 0;
}

int sys_membarrier(int command, unsigned flags, int cpu)
{
	if (command == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
		return flags & ~(unsigned)MEMBARRIER_CMD_FLAG_CPU ? -EINVAL
								  : end_sequences(flags, cpu);
	if (flags)
		return -EINVAL;
	switch (command) {
	case MEMBARRIER_CMD_QUERY:
		return COMMANDS;
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		return pass_everywhere();
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		return pass_if(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		return pass_if(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		atomic_fetch_or_full(&current_space()->barriers, (uint32_t)command);
		return 0;
	case MEMBARRIER_CMD_GET_REGISTRATIONS:
		return (int)read_once(&current_space()->barriers);
	default:
		return -EINVAL;
	}
}
