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
/* The same by the running thread's descriptor, with a reference and the object's flags (`flags` may
 * be NULL). -EBADF: it names no process. */
err_t must_check pidfd_get(int fd, struct process **out, unsigned *flags);
/* The number of the thread beside a process's first one that the descriptor names, PID_NOBODY if it
 * has gone; 0: it names a process. */
int32_t pidfd_thread(int fd);
/* -ESRCH: it was waited for, or is of a thread that has gone; nothing finds it by its number any
 * more. */
err_t must_check pidfd_get_there(int fd, struct process **out);

#endif
