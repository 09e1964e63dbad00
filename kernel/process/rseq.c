/*
 * Restartable sequences (Linux's rseq(2)): a thread tells where a structure of its own lies; on its
 * way to user mode, after it was preempted, moved or interrupted by a signal, the number of its CPU
 * is written there, and if it was in the middle of a sequence it goes on where that says instead.
 *
 * Everything is the thread's own and is looked at by it alone. The scheduler asks for the look
 * (thread_watch_place()): a thread that has no such structure pays nothing, and one that has pays
 * when it was preempted or moved, not with each call. In user mode it loses the CPU otherwise only
 * in a page fault, which asks as well.
 */
#include "rseq.h"

#include "../signal/signal.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/rseq.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/trap.h>
#include <arch/user.h>

/* ---- where it runs ---- */

/* One number for each CPU serves as mm_cid, too: two threads do not run on one at once. */
static err_t write_place(uint64_t address, uint32_t start, uint32_t cpu, uint32_t cid)
{
	const uint32_t none = 0;

	return user_put(uptr(address + offsetof(struct abi_rseq, cpu_id_start)), &start) ||
			       user_put(uptr(address + offsetof(struct abi_rseq, cpu_id)), &cpu) ||
			       user_put(uptr(address + offsetof(struct abi_rseq, node_id)),
					&none) ||
			       user_put(uptr(address + offsetof(struct abi_rseq, mm_cid)), &cid)
		       ? -EFAULT
		       : 0;
}

/* It may be moved meanwhile: then it comes here again before it is in user mode. */
static err_t tell_place(uint64_t address)
{
	uint32_t cpu = cpu_id();

	return write_place(address, cpu, cpu, cpu);
}

/* ---- sequences ---- */

static bool is_inside(const struct abi_rseq_cs *sequence, uint64_t ip)
{
	return ip - sequence->start_ip < sequence->post_commit_offset;
}

static err_t check_sequence(const struct abi_rseq_cs *sequence, uint32_t signature)
{
	uint64_t end = sequence->start_ip + sequence->post_commit_offset;
	uint32_t found;

	if (sequence->start_ip >= USER_MAX || end >= USER_MAX || end < sequence->start_ip ||
	    sequence->abort_ip >= USER_MAX || is_inside(sequence, sequence->abort_ip) ||
	    sequence->version || sequence->flags)
		return -EINVAL;
	if (user_get(&found, uptr(sequence->abort_ip - sizeof(found))))
		return -EFAULT;
	return found == signature ? 0 : -EINVAL;
}

/* A sequence in which the frame stands ends here; one that it has left is no more the current one.
 */
static err_t end_sequence(struct uthread *self, struct trap_frame *frame)
{
	uptr_t current = uptr(self->rseq + offsetof(struct abi_rseq, rseq_cs));
	const uint64_t none = 0;
	struct abi_rseq_cs sequence;
	uint64_t address;
	err_t err;

	if (user_get(&address, current))
		return -EFAULT;
	if (!address)
		return 0;
	if (user_get(&sequence, uptr(address)))
		return -EFAULT;
	err = check_sequence(&sequence, self->rseq_signature);
	if (!err)
		err = user_put(current, &none);
	if (!err && is_inside(&sequence, frame->rip))
		frame->rip = sequence.abort_ip;
	return err;
}

void rseq_resume(struct trap_frame *frame)
{
	struct uthread *self = uthread_current();
	err_t err;

	/* One that must end may have no memory left to read it from, and needs none. */
	if (likely(!self->rseq) || thread_killed())
		return;
	err = end_sequence(self, frame);
	if (!err)
		err = tell_place(self->rseq);
	if (err)
		(void)signal_force(&(struct signal_info){.signal = SIGSEGV, .code = SI_KERNEL});
}

/* ---- its life ---- */

static void set(struct uthread *uthread, uint64_t address, uint32_t len_bytes, uint32_t signature)
{
	uthread->rseq = address;
	uthread->rseq_bytes = len_bytes;
	uthread->rseq_signature = signature;
	thread_watch_place(uthread->thread, address != 0);
}

void rseq_inherit(struct uthread *child)
{
	const struct uthread *parent = uthread_current();

	if (!parent->rseq)
		return;
	set(child, parent->rseq, parent->rseq_bytes, parent->rseq_signature);
	context_request_exit_work(&child->thread->context); /* it may begin on another CPU */
}

void rseq_forget(void)
{
	set(uthread_current(), 0, 0, 0);
}

static int unregister(struct uthread *self, uint64_t address, uint32_t len_bytes,
		      uint32_t signature)
{
	if (!self->rseq || self->rseq != address || self->rseq_bytes != len_bytes)
		return -EINVAL;
	if (self->rseq_signature != signature)
		return -EPERM;
	if (write_place(address, 0, RSEQ_CPU_ID_UNINITIALIZED, 0))
		return -EFAULT;
	rseq_forget();
	return 0;
}

int sys_rseq(uint64_t address, unsigned len_bytes, unsigned flags, unsigned signature)
{
	struct uthread *self = uthread_current();

	if (flags & ~(unsigned)RSEQ_FLAG_UNREGISTER)
		return -EINVAL;
	if (flags)
		return unregister(self, address, len_bytes, signature);
	if (self->rseq) {
		if (self->rseq != address || self->rseq_bytes != len_bytes)
			return -EINVAL;
		return self->rseq_signature == signature ? -EBUSY : -EPERM;
	}
	if (len_bytes < RSEQ_BYTES_MIN || address % RSEQ_BYTES_MIN)
		return -EINVAL;
	if (!address || address >= USER_MAX || len_bytes > USER_MAX - address)
		return address ? -EFAULT : -EINVAL;
	set(self, address, len_bytes, signature);
	thread_request_exit_work(self->thread);
	return 0;
}
