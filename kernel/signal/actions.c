/*
 * What a process does about each signal. The struct may be shared by several processes, so it has a
 * lock of its own; a handler's word alone may be read without it.
 */
#include "signal.h"

#include <lib/string.h>
#include <mm/slab.h>

SLAB_CACHE(actions_cache, struct signal_actions);

struct signal_actions *signal_actions_create(struct signal_actions *from)
{
	struct signal_actions *actions = slab_alloc(&actions_cache);
	irqflags_t flags;

	if (!actions)
		return NULL;
	refcount_init(&actions->references);
	spin_init(&actions->lock, LOCK_ACTIONS);
	if (!from) {
		memset(actions->of, 0, sizeof(actions->of));
		return actions;
	}
	/* Another thread may change it meanwhile: each action is a whole one. */
	flags = spin_lock_irqsave(&from->lock);
	memcpy(actions->of, from->of, sizeof(actions->of));
	spin_unlock_irqrestore(&from->lock, flags);
	return actions;
}

void signal_actions_put(struct signal_actions *actions)
{
	if (actions && refcount_put(&actions->references))
		slab_free(&actions_cache, actions);
}

void signal_get_action(int signal, struct abi_sigaction *out)
{
	struct signal_actions *actions = process_current()->actions;
	irqflags_t flags = spin_lock_irqsave(&actions->lock);

	*out = actions->of[signal - 1];
	spin_unlock_irqrestore(&actions->lock, flags);
}

bool signal_is_ignored(const struct process *process, int signal)
{
	uint64_t handler = read_once(&process->actions->of[signal - 1].handler);

	if (handler != SIG_DFL)
		return handler == SIG_IGN;
	return !signal_is_fatal_by_default(signal) && !(SIGNAL_BIT(signal) & STOP_SIGNALS);
}

void signal_set_action(int signal, const struct abi_sigaction *action)
{
	struct process *process = process_current();
	struct signal_actions *actions = process->actions;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	spin_lock(&actions->lock);
	actions->of[signal - 1] = *action;
	actions->of[signal - 1].mask &= ~UNBLOCKABLE_SIGNALS;
	spin_unlock(&actions->lock);
	if (signal_is_ignored(process, signal))
		signal_drop_locked(process, SIGNAL_BIT(signal));
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

void signal_default_locked(struct process *process, int signal)
{
	struct signal_actions *actions = process->actions;

	spin_lock(&actions->lock);
	/* The handler is read without the lock. */
	write_once(&actions->of[signal - 1].handler, SIG_DFL);
	actions->of[signal - 1].flags = 0;
	actions->of[signal - 1].mask = 0;
	spin_unlock(&actions->lock);
}

void signal_actions_default(struct signal_actions *actions)
{
	for (int i = 0; i < SIGNAL_MAX; i++) {
		if (actions->of[i].handler != SIG_IGN)
			actions->of[i] = (struct abi_sigaction){.handler = SIG_DFL};
	}
}

void signal_reset_handlers(void)
{
	struct uthread *uthread = uthread_current();
	struct signal_actions *actions = uthread->process->actions;

	/* A sender looks at them meanwhile: what is ignored is so at every moment. */
	for (int i = 0; i < SIGNAL_MAX; i++) {
		struct abi_sigaction *action = &actions->of[i];

		if (action->handler != SIG_IGN)
			write_once(&action->handler, SIG_DFL);
		write_once(&action->flags, 0);
		action->restorer = 0;
		action->mask = 0;
	}
	uthread->alternate_stack = (struct abi_stack){.ss_flags = SS_DISABLE};
}
