/*
 * System calls on another process's memory, which a descriptor of it names. Owns no state.
 */
#include "memory.h"

#include "../process/capability.h"
#include "../process/inspect.h"
#include "../process/pidfd.h"
#include "../sys_rw.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/mman.h>
#include <arch/paging.h>
#include <mm/space.h>

/* As Linux: only what does not change what the other one sees. */
static bool is_harmless(int advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED;
}

/* A reference to the memory of what `fd` names. */
static err_t space_of(int fd, struct space **out)
{
	struct process *process;
	err_t err = pidfd_get_there(fd, &process);

	if (err)
		return err;
	if (!process_may_inspect(process))
		err = -EACCES;
	*out = err ? NULL : process_space_get(process);
	if (!err && !*out)
		err = -ESRCH;
	process_put(process);
	return err;
}

/* Bytes, up to the first piece that fails. */
static ssize_t advise_pieces(struct space *space, const struct pieces *pieces, int advice)
{
	size_t npieces = pieces->len_bytes / sizeof(pieces->list[0]);
	ssize_t done = 0;

	for (size_t i = 0; i < npieces; i++) {
		err_t err = advise_on(space, pieces->list[i].address, pieces->list[i].len_bytes,
				      advice);

		if (err)
			return done ? done : err;
		done += (ssize_t)pieces->list[i].len_bytes;
	}
	return done;
}

ssize_t sys_process_madvise(int fd, uptr_t from, size_t npieces, int advice, unsigned flags)
{
	struct space *space;
	struct pieces pieces;
	struct buffer buffer;
	ssize_t result;

	if (flags || npieces > IOV_MAX)
		return -EINVAL;
	result = pieces_get(&pieces, from, (int)npieces, &buffer);
	if (result)
		return result;
	result = space_of(fd, &space);
	if (result)
		goto put_pieces;
	if (!is_harmless(advice))
		result = -EINVAL;
	else if (!capable(CAP_SYS_NICE))
		result = -EPERM;
	else
		result = advise_pieces(space, &pieces, advice);
	space_put(space);
put_pieces:
	pieces_put(&pieces);
	return result;
}

static bool is_ending(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	bool exiting = process->exiting;

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return exiting;
}

/* Of all that have the space; who is ending gives it to nobody any more who would run in it. */
static bool all_are_ending(const struct space *space)
{
	struct process *process;
	bool all = true;
	int32_t after = 0;

	while (all && (process = process_find_next(after))) {
		after = process->pid;
		/* Only compared: the caller keeps the space. */
		if (read_once(&process->space) == space)
			all = is_ending(process);
		process_put(process);
	}
	return all;
}

/* As on Linux it needs no rights: nothing is taken that would not be gone soon. */
int sys_process_mrelease(int fd, unsigned flags)
{
	struct process *process;
	struct space *space;
	err_t err;

	if (flags)
		return -EINVAL;
	err = pidfd_get_there(fd, &process);
	if (err)
		return err;
	space = process_space_get(process);
	process_put(process);
	if (!space)
		return -ESRCH;
	err = all_are_ending(space) ? space_reap(space) : -EINVAL;
	space_put(space);
	return err;
}
