/*
 * Namespaces: what threads see of things that there is one of otherwise. A thread is in one of each
 * kind.
 *
 * All of them together are a struct namespaces, which never changes once a thread has it: it is
 * shared by those that a thread makes, and who enters another namespace gets a new one. The
 * thread's pointer to it is the thread's own; it is written under its process's signal_lock, so
 * whoever has that lock may look. A namespace lives while somebody is in it or has a descriptor of
 * it.
 *
 * A kind is a place in the enumeration, a struct namespace_kind_ops, and what the namespace holds
 * behind its struct namespace.
 */
#ifndef KERNEL_NAMESPACE_NAMESPACE_H
#define KERNEL_NAMESPACE_NAMESPACE_H

#include "../process/uthread.h"

#include <abi/clone.h>

enum namespace_kind {
	NAMESPACE_USER,  /* ids and capabilities (user.h); the first, since it owns the others */
	NAMESPACE_MOUNT, /* what is mounted where */
	NAMESPACE_UTS,   /* what the machine is called */
	NAMESPACE_IPC,   /* System V's objects, and POSIX message queues */
	NAMESPACE_NET,   /* which abstract names sockets find, and /proc/net */
	NAMESPACE_PID, /* what numbers processes have: here that of what the thread makes (pid.h) */
	NAMESPACE_TIME, /* since when clocks count: here that of what the thread makes (time.h) */
	NAMESPACE_KINDS,
};

/* The flags of those that there are, for clone, unshare and setns. */
#define NAMESPACE_FLAGS                                                                            \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | \
	 CLONE_NEWTIME)

struct namespace;
struct user_namespace;

struct namespace_kind_ops {
	const char *name; /* in /proc/PID/ns */
	uint64_t flag;    /* CLONE_NEW* */
	/* A new one for who is in `from`, with one reference. -ENOMEM, -ENOSPC. Sleeps. */
	err_t (*copy)(struct namespace *from, struct namespace **out);
	void (*free)(struct namespace *namespace);
	/* It belongs to another user namespace, `made->owner`, than what it was copied of, and
	 * nobody is in it yet. NULL: that is all the same. Sleeps. */
	void (*confine)(struct namespace *made);
};

/* All constant but the count, once somebody is in it. */
struct namespace
{
	struct refcount references;
	enum namespace_kind kind;
	uint64_t number; /* that it is known by: of its file */
	/* A reference: whose capabilities it asks for. NULL: the first one; namespace_owner(). */
	struct user_namespace *owner;
	struct user_counts *counted; /* a reference: with whom it is; NULL: the first ones */
};

struct namespaces {
	struct refcount references;
	struct namespace *of[NAMESPACE_KINDS]; /* references */
};

/* ---- one (namespace.c) ---- */

const struct namespace_kind_ops *namespace_ops(enum namespace_kind kind);
/* Begins one that was copied: a number and a reference. */
void namespace_init(struct namespace *namespace, enum namespace_kind kind);
struct namespace *namespace_get(struct namespace *namespace);
void namespace_put(struct namespace *namespace); /* takes NULL; sleeps */
/* That of the running thread, borrowed until it enters another one; the first one for the kernel's
 * threads. */
struct namespace *namespace_current(enum namespace_kind kind);
/* A thread's, or that of any thread of the process (tid 0), with a reference. NULL: it has gone. */
struct namespace *namespace_of(struct process *process, int32_t tid, enum namespace_kind kind);
/* The same, but of what the thread makes, which may be in another one of its kind. */
struct namespace *namespace_of_children(struct process *process, int32_t tid,
					enum namespace_kind kind);

/* ---- all of a thread (namespace.c) ---- */

/* Those that everybody is in who has not left them, with a reference. */
struct namespaces *namespaces_first(void);
/* For what the running thread makes, with new ones as `flags` say; a place in the file tree has to
 * follow them (place_follow_mounts()). -EPERM, -ENOMEM, -ENOSPC. */
err_t must_check namespaces_make(uint64_t flags, struct namespaces **out);
/* What numbers their processes have, borrowed. */
struct namespace *namespaces_pid(const struct namespaces *namespaces);
/* What their processes' clocks count from, borrowed. */
struct namespace *namespaces_time(const struct namespaces *namespaces);
/* What is mounted where in them, borrowed. */
struct mount_tree *namespaces_mounts(const struct namespaces *namespaces); /* mount.c */
/* Those of the running thread, but for the ones of others that are not NULL. -ENOMEM. */
err_t must_check namespaces_with(struct namespace *const others[NAMESPACE_KINDS],
				 struct namespaces **out);
/* The running thread enters them. Takes over the reference. */
void namespaces_enter(struct namespaces *namespaces);
/* At a thread's end, or if it never began. */
void namespaces_leave(struct uthread *uthread);
void namespaces_put(struct namespaces *namespaces); /* takes NULL; sleeps */

/* ---- as files (file.c) ---- */

/* One that names it, with a reference for the caller. NULL: no memory. */
struct object *namespace_open(struct namespace *namespace);
/* Borrowed; NULL: it is no namespace's. */
struct namespace *namespace_of_object(const struct object *object);

/* ---- kinds ---- */

extern const struct namespace_kind_ops user_namespace_ops; /* user.c */
extern struct namespace *const user_namespace_first_head;
extern const struct namespace_kind_ops mount_namespace_ops; /* mount.c */
extern struct namespace *const mount_namespace_first;
struct uts_namespace;
extern const struct namespace_kind_ops uts_namespace_ops; /* ../sys_uname.c */
extern struct namespace *const uts_namespace_first;
extern const struct namespace_kind_ops ipc_namespace_ops; /* ipc.c */
extern struct namespace *const ipc_namespace_first_head;
extern const struct namespace_kind_ops net_namespace_ops; /* net.c */
extern struct namespace net_namespace_first;

#endif
