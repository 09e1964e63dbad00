/*
 * PID namespaces: what numbers processes have, to whom.
 *
 * In the kernel a process, a thread, a group and a session is known by its number in the first
 * namespace, which sees all of them; that number is what struct process, struct uthread and
 * everybody who keeps one for later have. A number is translated where it comes from a program
 * (pid_meant()) and where it goes to one (pid_shown()), by the namespace that the process is in,
 * which is one for its whole life (process->pid_namespace; NULL: the first). What inner namespaces
 * call it stands in process/pid_names.c.
 *
 * A namespace lives while a process is in it, or in one below it, or somebody has a file of it or a
 * mount of /proc that shows it. Its first process is its init: it gets its orphans, and with its
 * end all others end, and there is no other process in it ever after.
 */
#ifndef KERNEL_NAMESPACE_PID_H
#define KERNEL_NAMESPACE_PID_H

#include "namespace.h"

#define PID_NAMESPACES_DEEP 32 /* below the first, as on Linux */
#define PID_NOBODY          (-1)

/*
 *   [c] constant
 *   [p] LOCK_PIDTABLE of process/pid.c
 *   [a] atomic
 */
struct pid_namespace {
	struct namespace head;
	struct pid_namespace *parent; /* [c] a reference; NULL: this is the first */
	unsigned level;               /* [c] 0: the first */
	int32_t last;                 /* [p], read [a]: the number that was given last */
	struct process *init;         /* [p], read under RCU; NULL: not yet, or it has gone */
	uint32_t nprocesses;          /* [p], read [a]: that have a number in it */
	bool closed; /* [p], read [a]: its init ends or has, and nobody comes into it any more */
	int reboot_signal;    /* [a] that ended its init, as its parent is told; 0: none */
	struct waitq emptied; /* nprocesses has become 1 */
};

extern const struct namespace_kind_ops pid_namespace_ops;
extern struct namespace *const pid_namespace_first_head;

/* That of a namespace of its kind; NULL: the first. Borrowed, as the next. */
struct pid_namespace *pid_namespace_of(struct namespace *namespace);
/* What the running thread makes is in it; NULL: the first. */
struct pid_namespace *pid_namespace_for_children(void);
/* The same as what there is in struct namespaces: the first one has a struct, too. */
struct namespace *pid_namespace_head(struct pid_namespace *namespace);
/* That of the children of a thread (as namespace_of()), with a reference. NULL: there is no such
 * thread, or the namespace has no init yet. */
struct namespace *pid_namespace_of_children(struct process *process, int32_t tid);
/* The one above it, with a reference. -EPERM: the running process is not in that, nor above it. */
err_t must_check pid_namespace_parent(struct namespace *namespace, struct namespace **out);
/* The running thread has this capability over what belongs to it. NULL: the first. */
bool pid_namespace_capable(struct pid_namespace *namespace, unsigned capability);
/* It is `above`, or somewhere below that. */
bool pid_namespace_is_within(const struct pid_namespace *namespace,
			     const struct pid_namespace *above);
/* The process is seen in it. */
static inline bool pid_namespace_sees(const struct pid_namespace *namespace,
				      const struct process *process)
{
	return !namespace || pid_namespace_is_within(process->pid_namespace, namespace);
}
/* Its init, with a reference; NULL: it is ending or has gone. Of the first: PID 1. */
struct process *pid_namespace_init_get(struct pid_namespace *namespace);
bool pid_namespace_is_init(const struct process *process); /* of an inner one */
/* The end of the init of an inner one, in its last thread: all others end, and are waited for. Does
 * nothing for other processes. Sleeps. */
void pid_namespace_end_with(struct process *process);

/* reboot() in an inner one: ends the running thread, and its init as if by a signal. -EINVAL: the
 * machine's alone. */
err_t pid_namespace_reboot(unsigned command);

/* ---- numbers (process/pid_names.c) ---- */

/* What the namespace calls whatever has the number; 0: it does not see it. */
int32_t pid_number_in(const struct pid_namespace *namespace, int32_t number);
/* The number of what the namespace calls so; PID_NOBODY: there is no such thing. */
int32_t pid_number_from(const struct pid_namespace *namespace, int32_t number);

/* The lowest number above `after` that an inner namespace has for a process; 0: none. */
int32_t pid_next_process_in(const struct pid_namespace *namespace, int32_t after);
/* What the link's own namespace calls it. */
int32_t pid_own_number(const struct pid_link *link);
/* Nobody comes into it from here on. */
void pid_names_close(struct pid_namespace *namespace);
/* It goes, one just below the first; what was below it has gone. */
void pid_names_forget_all(const struct pid_namespace *namespace);

/* The same as the first two for the running process. Anything that is not above 0 stays what it is.
 */
static inline int32_t pid_shown(int32_t number)
{
	const struct process *self = process_current();

	if (likely(!self || !self->pid_namespace) || number <= 0)
		return number;
	return pid_number_in(self->pid_namespace, number);
}

static inline int32_t pid_meant(int32_t number)
{
	const struct process *self = process_current();

	if (likely(!self || !self->pid_namespace) || number <= 0)
		return number;
	return pid_number_from(self->pid_namespace, number);
}

#endif
