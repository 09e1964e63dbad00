/*
 * Descriptors of processes and of threads. One names its process or thread for good: when that is
 * gone and its number is another's, calls by the descriptor say ESRCH.
 */
#ifndef KERNEL_PROCESS_PIDFD_H
#define KERNEL_PROCESS_PIDFD_H

#include "../process.h"

struct object;
struct uthread;

/* A descriptor that has a number of the running thread's, and is not installed yet. */
struct pidfd_new {
	int fd;
	struct object *object;
};

/* What a descriptor names. */
struct pidfd_named {
	struct process *process; /* a reference */
	int32_t tid;     /* of a thread beside its first one; PID_NOBODY: that has gone; 0: none */
	uint64_t serial; /* of the number of the thread or the process */
	unsigned flags;  /* the object's */
};

/* `flags`: of PIDFD_NONBLOCK, PIDFD_THREAD. -EMFILE, -ENOMEM. */
err_t must_check pidfd_prepare(struct process *process, unsigned flags, struct pidfd_new *out);
/* Of a thread that the caller keeps. */
err_t must_check pidfd_prepare_thread(const struct uthread *uthread, struct pidfd_new *out);
/* One or the other comes next. */
void pidfd_install(struct pidfd_new *prepared);
void pidfd_cancel(struct pidfd_new *prepared);

/* The process that the object names, borrowed; NULL: it is no descriptor of a process. */
struct process *pidfd_process(const struct object *object);
/* The number of what it names; 0: that has gone, and the number may be another's. */
int32_t pidfd_number(const struct object *object);
/* All of what the running thread's descriptor names. -EBADF: that is no process. */
err_t must_check pidfd_get(int fd, struct pidfd_named *out);
/* Its process, with a reference. -ESRCH: it was waited for, or is of a thread that has gone;
 * nothing finds it by its number any more. */
err_t must_check pidfd_get_there(int fd, struct process **out);

#endif
