/*
 * process_vm_readv and process_vm_writev: the memory of another process, as far as its own rights
 * go. What moves lies in a page of the kernel's in between, since each side may have to wait for
 * pages of its own. Owns no state.
 */
#include "memory.h"

#include "../namespace/pid.h"
#include "../process/inspect.h"
#include "../process/uthread.h"
#include "../sys_rw.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <mm/slab.h>
#include <mm/space.h>

struct transfer {
	struct space *space;  /* the other's */
	struct buffer *local; /* of the running program */
	char *page;           /* PAGE_SIZE bytes */
	unsigned flags;       /* enum memory_move_flags */
};

/* `len_bytes` inside of one page of the other's: how many were moved, or an error. */
static ssize_t move_piece(struct transfer *transfer, vaddr_t address, size_t len_bytes)
{
	bool force = transfer->flags & MEMORY_MOVE_FORCE;
	size_t moved;
	err_t err;

	if (transfer->flags & MEMORY_MOVE_WRITE) {
		moved = buffer_copy_from(transfer->local, transfer->page, len_bytes);
		if (!moved)
			return -EFAULT;
		err = space_write(transfer->space, address, transfer->page, moved, force);
		return err ? err : (ssize_t)moved;
	}
	err = force ? space_read_forced(transfer->space, address, transfer->page, len_bytes)
		    : space_read(transfer->space, address, transfer->page, len_bytes);
	if (err)
		return err;
	moved = buffer_copy_to(transfer->local, transfer->page, len_bytes);
	return moved ? (ssize_t)moved : -EFAULT;
}

/* As far as it goes; an error if that is not at all. */
static ssize_t move_range(struct transfer *transfer, vaddr_t address, size_t len_bytes)
{
	size_t done = 0;

	while (done < len_bytes && buffer_remaining(transfer->local)) {
		vaddr_t at = address + done;
		size_t wanted = MIN(len_bytes - done, PAGE_SIZE - (at & PAGE_MASK));
		ssize_t moved;

		wanted = MIN(wanted, buffer_remaining(transfer->local));
		moved = thread_interrupted() && done ? -EINTR : move_piece(transfer, at, wanted);
		if (moved < 0)
			return done ? (ssize_t)done : moved;
		done += (size_t)moved;
		if ((size_t)moved < wanted)
			break;
	}
	return (ssize_t)done;
}

ssize_t memory_move(struct space *space, vaddr_t address, struct buffer *buffer, unsigned flags)
{
	struct transfer transfer = {
		.space = space, .local = buffer, .page = kmalloc(PAGE_SIZE), .flags = flags};
	ssize_t done = -ENOMEM;

	if (transfer.page)
		done = move_range(&transfer, address, buffer_remaining(buffer));
	kfree(transfer.page);
	return done;
}

/* As Linux: what was moved before something went wrong counts. */
static ssize_t move_all(struct transfer *transfer, const struct buffer_segment *remote,
			unsigned nremote)
{
	ssize_t total = 0;

	for (unsigned i = 0; i < nremote; i++) {
		size_t wanted = MIN(remote[i].len_bytes, buffer_remaining(transfer->local));
		ssize_t moved = move_range(transfer, remote[i].address, wanted);

		if (moved < 0)
			return total ? total : moved;
		total += moved;
		if ((size_t)moved < wanted)
			break;
	}
	return total;
}

static err_t get_space(int pid, struct space **out)
{
	struct process *process = process_find_by_thread(pid_meant(pid));
	err_t err = -ESRCH;

	if (!process)
		return err;
	*out = process_space_get(process);
	/* Afterwards: it may have begun a program with other rights meanwhile. */
	if (*out && !process_may_trace(process, &process->ids)) {
		space_put(*out);
		err = -EPERM;
	} else if (*out) {
		err = 0;
	}
	process_put(process);
	return err;
}

static ssize_t move_between(int pid, struct buffer *local, const struct buffer_segment *remote,
			    unsigned nremote, bool is_write)
{
	struct transfer transfer = {.local = local, .flags = is_write ? MEMORY_MOVE_WRITE : 0};
	ssize_t result = get_space(pid, &transfer.space);

	if (result)
		return result;
	transfer.page = kmalloc(PAGE_SIZE);
	result = transfer.page ? move_all(&transfer, remote, nremote) : -ENOMEM;
	kfree(transfer.page);
	space_put(transfer.space);
	return result;
}

static ssize_t process_vm(int pid, uptr_t local_pieces, size_t nlocal, uptr_t remote_pieces,
			  size_t nremote, uint64_t flags, bool is_write)
{
	struct pieces local, remote;
	struct buffer buffer, unused;
	ssize_t result;

	if (flags || nlocal > IOV_MAX || nremote > IOV_MAX)
		return -EINVAL;
	result = pieces_get(&local, local_pieces, (int)nlocal, &buffer);
	if (result)
		return result;
	if (buffer_remaining(&buffer)) {
		result = pieces_get(&remote, remote_pieces, (int)nremote, &unused);
		if (!result) {
			result = move_between(pid, &buffer, remote.list, (unsigned)nremote,
					      is_write);
			pieces_put(&remote);
		}
	}
	pieces_put(&local);
	return result;
}

ssize_t sys_process_vm_readv(int pid, uptr_t local, size_t nlocal, uptr_t remote, size_t nremote,
			     uint64_t flags)
{
	return process_vm(pid, local, nlocal, remote, nremote, flags, false);
}

ssize_t sys_process_vm_writev(int pid, uptr_t local, size_t nlocal, uptr_t remote, size_t nremote,
			      uint64_t flags)
{
	return process_vm(pid, local, nlocal, remote, nremote, flags, true);
}
