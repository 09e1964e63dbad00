/*
 * Filters of threads: their making, who has them, and what they say. The chain of a thread is
 * written under its process's signal_lock; a filter itself never changes.
 */
#include "seccomp.h"

#include "../process/capability.h"

#include <abi/errno.h>
#include <abi/ptrace.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <lib/bpf.h>
#include <lib/panic.h>
#include <mm/kva.h>
#include <mm/slab.h>

/* As Linux: of all filters that a call goes through, each of which counts as four more. */
#define CHAIN_INSTRUCTIONS_MAX 32768u
#define CHAIN_INSTRUCTIONS_OF  4u

/* All of it is constant once a thread has it. */
struct seccomp_filter {
	struct refcount references;   /* of threads whose newest it is, and of newer filters */
	struct seccomp_filter *older; /* a reference; NULL: it is the first */
	struct notifier *notifier;    /* a reference; NULL: it tells nobody */
	bool is_logged;
	unsigned nfilters;      /* with the older ones */
	unsigned ninstructions; /* the same, as they count */
	uint16_t count;
	struct abi_filter_instruction instructions[];
};

/* ---- life ---- */

static size_t bytes_of(unsigned count)
{
	return sizeof(struct seccomp_filter) + count * sizeof(struct abi_filter_instruction);
}

static void filter_free(struct seccomp_filter *filter)
{
	notifier_orphan(filter->notifier);
	kvfree(filter, bytes_of(filter->count));
}

void seccomp_filter_put(struct seccomp_filter *filter)
{
	while (filter && refcount_put(&filter->references)) {
		struct seccomp_filter *older = filter->older;

		filter_free(filter);
		filter = older;
	}
}

static struct seccomp_filter *filter_get(struct seccomp_filter *filter)
{
	if (filter)
		refcount_get(&filter->references);
	return filter;
}

static err_t check_program(const struct seccomp_filter *filter)
{
	uint16_t *scratch = kvmalloc(filter->count * sizeof(*scratch));
	err_t err;

	if (!scratch)
		return -ENOMEM;
	err = bpf_check(filter->instructions, filter->count, BPF_OF_CALLS,
			sizeof(struct abi_seccomp_data), scratch);
	kvfree(scratch, filter->count * sizeof(*scratch));
	return err;
}

/* One that is nobody's yet. */
static err_t filter_read(uptr_t from, struct seccomp_filter **out)
{
	struct abi_filter_program program;
	struct seccomp_filter *filter;
	err_t err;

	if (user_get(&program, from))
		return -EFAULT;
	if (!program.count || program.count > BPF_INSTRUCTIONS_MAX)
		return -EINVAL;
	/* A program with more rights than this one might misunderstand what its calls say. */
	if (!uthread_current()->no_new_privileges &&
	    !capable_in(uthread_current()->ids.user, CAP_SYS_ADMIN))
		return -EACCES;
	filter = kvmalloc(bytes_of(program.count));
	if (!filter)
		return -ENOMEM;
	*filter = (struct seccomp_filter){.count = program.count};
	refcount_init(&filter->references);
	err = user_copy_in(filter->instructions, uptr(program.instructions),
			   program.count * sizeof(*filter->instructions));
	if (!err)
		err = check_program(filter);
	if (err)
		filter_free(filter);
	else
		*out = filter;
	return err;
}

/* ---- who has which ---- */

/* Acquire: pairs with the release of who wrote it, another thread maybe. */
static struct seccomp_filter *own_filters(void)
{
	return load_acquire(&uthread_current()->seccomp);
}

int seccomp_mode(const struct uthread *uthread)
{
	if (uthread->call_filter.confined)
		return SECCOMP_MODE_STRICT;
	return read_once(&uthread->seccomp) ? SECCOMP_MODE_FILTER : SECCOMP_MODE_DISABLED;
}

unsigned seccomp_nfilters(const struct uthread *uthread)
{
	return uthread->seccomp ? uthread->seccomp->nfilters : 0;
}

void seccomp_inherit(struct uthread *child)
{
	struct uthread *self = uthread_current();
	irqflags_t flags = spin_lock_irqsave(&self->process->signal_lock);

	child->seccomp = filter_get(self->seccomp);
	child->no_new_privileges = self->no_new_privileges;
	spin_unlock_irqrestore(&self->process->signal_lock, flags);
	if (child->seccomp)
		(void)atomic_fetch_or_full(&child->process->call_watch, (uint32_t)CALLS_FILTERED);
}

/* What it had is a part of what it gets: giving that back frees nothing. */
static void replace_locked(const struct process *process, struct uthread *uthread,
			   struct seccomp_filter *filter) REQUIRES(process->signal_lock);
static void replace_locked(UNUSED const struct process *process, struct uthread *uthread,
			   struct seccomp_filter *filter)
{
	struct seccomp_filter *before = uthread->seccomp;

	store_release(&uthread->seccomp, filter_get(filter));
	if (before && refcount_put(&before->references))
		panic("a filter of calls was not a part of the chain that replaces it");
}

void seccomp_follow_locked(const struct process *process, struct uthread *child)
{
	const struct uthread *self = uthread_current();

	if (!self || self->process != process || self->seccomp == child->seccomp)
		return;
	replace_locked(process, child, self->seccomp);
	child->no_new_privileges |= self->no_new_privileges;
}

void seccomp_leave(struct uthread *uthread)
{
	struct seccomp_filter *filter;
	irqflags_t flags = spin_lock_irqsave(&uthread->process->signal_lock);

	filter = uthread->seccomp;
	uthread->seccomp = NULL;
	spin_unlock_irqrestore(&uthread->process->signal_lock, flags);
	seccomp_filter_put(filter);
}

/* ---- all threads alike ---- */

static bool is_part_of(const struct seccomp_filter *filter, const struct seccomp_filter *chain)
{
	while (chain && chain != filter)
		chain = chain->older;
	return !filter || chain;
}

/* The number of a thread that could not go on with the running one's filters; 0: all can. */
static int32_t find_stranger_locked(struct process *process) REQUIRES(process->signal_lock);
static int32_t find_stranger_locked(struct process *process)
{
	const struct uthread *self = uthread_current();
	const struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling) {
		if (uthread != self && !uthread->ending &&
		    (uthread->call_filter.confined || !is_part_of(uthread->seccomp, self->seccomp)))
			return uthread->own_tid;
	}
	return 0;
}

static void give_to_all_locked(struct process *process) REQUIRES(process->signal_lock);
static void give_to_all_locked(struct process *process)
{
	const struct uthread *self = uthread_current();
	struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling) {
		if (uthread == self || uthread->ending)
			continue;
		replace_locked(process, uthread, self->seccomp);
		if (self->no_new_privileges)
			write_once(&uthread->no_new_privileges, true);
	}
}

/* ---- adding one ---- */

static bool has_notifier(const struct seccomp_filter *chain)
{
	while (chain && !chain->notifier)
		chain = chain->older;
	return chain;
}

static err_t join_chain(struct seccomp_filter *filter, struct seccomp_filter *older)
{
	if (filter->notifier && has_notifier(older))
		return -EBUSY;
	filter->nfilters = 1 + (older ? older->nfilters : 0);
	filter->ninstructions = filter->count + (older ? older->ninstructions : 0) +
				(older ? CHAIN_INSTRUCTIONS_OF : 0);
	return filter->ninstructions > CHAIN_INSTRUCTIONS_MAX ? -ENOMEM : 0;
}

/* Takes over the reference, or leaves it in *given. */
static int install(struct seccomp_filter **given, unsigned flags)
{
	struct seccomp_filter *filter = *given;
	struct uthread *self = uthread_current();
	struct process *process = self->process;
	int32_t stranger = 0;
	irqflags_t irqflags;
	err_t err;

	(void)atomic_fetch_or_full(&process->call_watch, (uint32_t)CALLS_FILTERED);
	irqflags = spin_lock_irqsave(&process->signal_lock);
	err = join_chain(filter, self->seccomp);
	if (!err && flags & SECCOMP_FILTER_FLAG_TSYNC)
		stranger = find_stranger_locked(process);
	if (!err && !stranger) {
		*given = NULL;
		filter->older = self->seccomp; /* with its reference */
		store_release(&self->seccomp, filter);
		if (flags & SECCOMP_FILTER_FLAG_TSYNC)
			give_to_all_locked(process);
	}
	spin_unlock_irqrestore(&process->signal_lock, irqflags);
	if (stranger)
		return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : stranger;
	return err;
}

/* With a listener: its descriptor. */
static int install_listened(struct seccomp_filter **given, unsigned flags)
{
	struct seccomp_filter *filter = *given;
	struct object *listener;
	int fd, result;

	filter->notifier = notifier_create(flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (!filter->notifier)
		return -ENOMEM;
	listener = notifier_listen(filter->notifier);
	if (!listener)
		return -ENOMEM;
	result = fd_reserve(current_fds(), 0, O_CLOEXEC, &fd);
	if (!result) {
		result = install(given, flags);
		if (!result) {
			fd_install(current_fds(), fd, listener);
			return fd;
		}
		fd_unreserve(current_fds(), fd);
	}
	object_put(listener);
	return result;
}

int seccomp_add_filter(unsigned flags, uptr_t program)
{
	bool is_listened = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
	struct seccomp_filter *filter = NULL;
	int result;

	if (flags & ~SECCOMP_FILTER_FLAGS_KNOWN)
		return -EINVAL;
	/* One result says which descriptor, or which thread. */
	if (is_listened && (flags & SECCOMP_FILTER_FLAG_TSYNC) &&
	    !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
		return -EINVAL;
	if (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV && !is_listened)
		return -EINVAL;
	result = filter_read(program, &filter);
	if (result)
		return result;
	filter->is_logged = flags & SECCOMP_FILTER_FLAG_LOG;
	result = is_listened ? install_listened(&filter, flags) : install(&filter, flags);
	seccomp_filter_put(filter);
	return result;
}

/* ---- what they say ---- */

/* By which the lowest counts. */
static int32_t action_of(uint32_t said)
{
	return (int32_t)(said & SECCOMP_RET_ACTION);
}

uint32_t seccomp_ask_filters(const struct abi_seccomp_data *data, const struct seccomp_filter **out)
{
	const struct bpf_input input = {
		.bytes = (const uint8_t *)data, .len_bytes = sizeof(*data), .kind = BPF_OF_CALLS};
	const struct seccomp_filter *filter = own_filters();
	uint32_t result = SECCOMP_RET_ALLOW;

	*out = NULL;
	for (; filter; filter = filter->older) {
		uint32_t said = bpf_run(filter->instructions, &input);

		if (action_of(said) < action_of(result)) {
			result = said;
			*out = filter;
		}
	}
	return result;
}

struct notifier *seccomp_notifier(const struct seccomp_filter *filter)
{
	return filter ? filter->notifier : NULL;
}

bool seccomp_is_logged(const struct seccomp_filter *filter)
{
	return filter && filter->is_logged;
}

/* ---- for tracers ---- */

err_t seccomp_nth_locked(const struct uthread *uthread, uint64_t place, struct seccomp_filter **out)
{
	struct seccomp_filter *filter = uthread->seccomp;

	if (!filter)
		return -EINVAL;
	if (place >= filter->nfilters)
		return -ENOENT;
	while (filter->nfilters != place + 1)
		filter = filter->older;
	*out = filter_get(filter);
	return 0;
}

const struct abi_filter_instruction *seccomp_instructions(const struct seccomp_filter *filter,
							  unsigned *count)
{
	*count = filter->count;
	return filter->instructions;
}
