/*
 * Namespaces, and who is in which. A thread's are written under its process's signal_lock; what
 * they are together never changes.
 */
#include "namespace.h"
#include "pid.h"
#include "time.h"
#include "user.h"

#include "../process/capability.h"

#include <abi/errno.h>
#include <ipc/user.h>
#include <mm/slab.h>

#define NAMESPACES_OF_USER_MAX 8192
/* As Linux: the numbers of the first ones are fixed, those of others come after. */
#define NUMBER_NEXT UINT64_C(0xf0000000)

static uint64_t last_number = NUMBER_NEXT; /* atomic */

static const struct namespace_kind_ops *const kinds[NAMESPACE_KINDS] = {
	[NAMESPACE_USER] = &user_namespace_ops, [NAMESPACE_MOUNT] = &mount_namespace_ops,
	[NAMESPACE_UTS] = &uts_namespace_ops,   [NAMESPACE_IPC] = &ipc_namespace_ops,
	[NAMESPACE_NET] = &net_namespace_ops,   [NAMESPACE_PID] = &pid_namespace_ops,
	[NAMESPACE_TIME] = &time_namespace_ops,
};

const struct namespace_kind_ops *namespace_ops(enum namespace_kind kind)
{
	return kinds[kind];
}

/* ---- how many ---- */

/* Who answers for what the running thread makes, whoever he is inside of his own namespaces. */
static uint32_t answerable(void)
{
	const struct credentials *ids = &uthread_current()->ids;
	uint32_t uid = ids->euid;

	for (const struct user_namespace *user = ids->user; user->parent; user = user->parent)
		uid = user->owner;
	return uid;
}

/* -ENOMEM; -ENOSPC: he has enough of them. */
static err_t count_another(struct user_counts **out)
{
	*out = user_counts_of(answerable());
	if (!*out)
		return -ENOMEM;
	if (user_charge(*out, USER_NAMESPACES, 1, NAMESPACES_OF_USER_MAX))
		return 0;
	user_counts_put(*out);
	return -ENOSPC;
}

static void uncount(struct user_counts *counted)
{
	if (counted)
		user_uncharge(counted, USER_NAMESPACES, 1);
	user_counts_put(counted);
}

/* ---- one ---- */

void namespace_init(struct namespace *namespace, enum namespace_kind kind)
{
	refcount_init(&namespace->references);
	namespace->kind = kind;
	namespace->owner = NULL;
	namespace->counted = NULL;
	namespace->number = atomic_fetch_add_full(&last_number, UINT64_C(1));
}

struct namespace *namespace_get(struct namespace *namespace)
{
	refcount_get(&namespace->references);
	return namespace;
}

void namespace_put(struct namespace *namespace)
{
	struct user_namespace *owner;
	struct user_counts *counted;

	if (!namespace || !refcount_put(&namespace->references))
		return;
	owner = namespace->owner;
	counted = namespace->counted;
	kinds[namespace->kind]->free(namespace);
	uncount(counted);
	user_namespace_put(owner);
}

static struct namespace *first(enum namespace_kind kind)
{
	struct namespace *const firsts[NAMESPACE_KINDS] = {
		[NAMESPACE_USER] = user_namespace_first_head,
		[NAMESPACE_MOUNT] = mount_namespace_first,
		[NAMESPACE_UTS] = uts_namespace_first,
		[NAMESPACE_IPC] = ipc_namespace_first_head,
		[NAMESPACE_NET] = &net_namespace_first,
		[NAMESPACE_PID] = pid_namespace_first_head,
		[NAMESPACE_TIME] = time_namespace_first_head,
	};

	return firsts[kind];
}

struct namespace *namespace_current(enum namespace_kind kind)
{
	const struct uthread *self = uthread_current();

	return self && self->namespaces ? self->namespaces->of[kind] : first(kind);
}

/* NULL: the process has gone. */
static struct namespace *time_of(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	const struct uthread *uthread;
	bool lives = false;
	struct namespace *found = NULL;

	list_for_each (uthread, &process->threads, sibling)
		lives |= uthread->namespaces != NULL;
	if (lives)
		found = namespace_get(time_namespace_head(process->time_namespace));
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return found;
}

struct namespace *namespace_of(struct process *process, int32_t tid, enum namespace_kind kind)
{
	if (kind == NAMESPACE_PID)
		return namespace_get(pid_namespace_head(process->pid_namespace));
	if (kind == NAMESPACE_TIME)
		return time_of(process);
	return namespace_of_children(process, tid, kind);
}

struct namespace *namespace_of_children(struct process *process, int32_t tid,
					enum namespace_kind kind)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct namespace *found = NULL;
	const struct uthread *uthread;

	list_for_each (uthread, &process->threads, sibling) {
		if (found || !uthread->namespaces || (tid && uthread->tid != tid))
			continue;
		found = namespace_get(uthread->namespaces->of[kind]);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return found;
}

/* ---- all of a thread ---- */

void namespaces_put(struct namespaces *namespaces)
{
	if (!namespaces || !refcount_put(&namespaces->references))
		return;
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		namespace_put(namespaces->of[i]);
	kfree(namespaces);
}

/* As those of the running thread, with one reference. NULL: no memory. */
static struct namespaces *copy_current(void)
{
	struct namespaces *copy = kzalloc(sizeof(*copy));

	if (!copy)
		return NULL;
	refcount_init(&copy->references);
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		copy->of[i] = namespace_get(namespace_current((enum namespace_kind)i));
	return copy;
}

struct namespaces *namespaces_first(void)
{
	static struct namespaces all = {.references = {.count = 1}};

	for (unsigned i = 0; i < NAMESPACE_KINDS; i++)
		write_once(&all.of[i], first((enum namespace_kind)i));
	refcount_get(&all.references); /* the one that it has of itself is never given back */
	return &all;
}

/* It is theirs whose the new ones are, which nobody has seen yet. */
static void own(const struct namespaces *namespaces, const struct namespace *from,
		struct namespace *made)
{
	made->owner = user_namespace_get(namespaces_user(namespaces));
	if (made->owner != namespace_owner(from) && kinds[made->kind]->confine)
		kinds[made->kind]->confine(made);
}

/* It gets a new one of its own of this kind. */
static err_t renew(struct namespaces *namespaces, unsigned kind)
{
	struct user_counts *counted;
	struct namespace *made;
	err_t err = count_another(&counted);

	if (err)
		return err;
	err = kinds[kind]->copy(namespaces->of[kind], &made);
	if (err) {
		uncount(counted);
		return err;
	}
	made->counted = counted;
	if (kind != NAMESPACE_USER)
		own(namespaces, namespaces->of[kind], made);
	namespace_put(namespaces->of[kind]);
	namespaces->of[kind] = made;
	return 0;
}

err_t namespaces_make(uint64_t flags, struct namespaces **out)
{
	struct namespaces *made;
	err_t err = 0;

	if (!(flags & NAMESPACE_FLAGS)) {
		*out = uthread_current()->namespaces;
		refcount_get(&(*out)->references);
		return 0;
	}
	/* In a new user namespace he may do all. */
	if (!(flags & CLONE_NEWUSER) && !capable_in(user_namespace_caller(), CAP_SYS_ADMIN))
		return -EPERM;
	made = copy_current();
	if (!made)
		return -ENOMEM;
	for (unsigned i = 0; i < NAMESPACE_KINDS && !err; i++) {
		if (flags & kinds[i]->flag)
			err = renew(made, i);
	}
	if (err)
		namespaces_put(made);
	else
		*out = made;
	return err;
}

struct namespace *namespaces_pid(const struct namespaces *namespaces)
{
	return namespaces->of[NAMESPACE_PID];
}

struct namespace *namespaces_time(const struct namespaces *namespaces)
{
	return namespaces->of[NAMESPACE_TIME];
}

err_t namespaces_with(struct namespace *const others[NAMESPACE_KINDS], struct namespaces **out)
{
	struct namespaces *made = copy_current();

	if (!made)
		return -ENOMEM;
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++) {
		if (!others[i])
			continue;
		namespace_put(made->of[i]);
		made->of[i] = namespace_get(others[i]);
	}
	*out = made;
	return 0;
}

/* What it was in before; NULL: nothing. */
static struct namespaces *exchange(struct uthread *uthread, struct namespaces *namespaces)
{
	irqflags_t flags = spin_lock_irqsave(&uthread->process->signal_lock);
	struct namespaces *before = uthread->namespaces;

	uthread->namespaces = namespaces;
	spin_unlock_irqrestore(&uthread->process->signal_lock, flags);
	return before;
}

void namespaces_enter(struct namespaces *namespaces)
{
	namespaces_put(exchange(uthread_current(), namespaces));
}

void namespaces_leave(struct uthread *uthread)
{
	namespaces_put(exchange(uthread, NULL));
}
