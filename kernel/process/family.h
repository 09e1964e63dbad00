/*
 * Who is whose parent, what a parent hears of its children, and which process groups have lost
 * theirs. One spinlock (class LOCK_PIDTABLE, never held together with the PID table's) has it all;
 * a process's signal_lock is taken inside of it.
 */
#ifndef KERNEL_PROCESS_FAMILY_H
#define KERNEL_PROCESS_FAMILY_H

#include "../process.h"

extern struct spinlock family_lock;

/*
 * A process that the running one is making: a signal that goes to many at once, and to the running
 * process among them, is for the new one as well, which is in no group yet. On the stack of the
 * thread that makes it. Who sends to many holds family_lock from the first to the last of them.
 */
struct family_birth {
	struct list link; /* [f] on the running process's births */
	uint64_t signals; /* [f] that came since it began */
};

void family_birth_begin(struct family_birth *birth);
/* There will be none. */
void family_birth_fail(struct family_birth *birth);
/* Makes `child`, which was found by its number alone so far, a child of the running process, in
 * that one's group and session. */
void family_add(struct process *child, struct family_birth *birth);
/* A child of the running process's parent. */
void family_add_sibling(struct process *child, struct family_birth *birth);
/* Under family_lock: a signal that goes to many has been sent to `process`. */
void family_signal_births_locked(struct process *process, int signal);
/* Under family_lock: it has ended, and its parent is told. True: nobody will ask for its status, so
 * the caller lets go of it with process_forget(). */
bool family_end_locked(struct process *process) REQUIRES(family_lock);
/* Sets the bit of each number, below PID_MAX, that a process group or a session with members has.
 */
void family_mark_numbers(uint64_t *in_use);
/* Its children go to a subreaper among its ancestors, to init, or to the kernel, which reaps those
 * that have ended. Groups, its own among them, that its end leaves without anybody who could
 * continue them are told. */
void family_orphan_children(struct process *process);
/* The running process is nobody's child any more: the kernel reaps it, and no parent hears of it.
 */
void family_disown_self(void);
/* All threads of the running process have come to rest, or go on: the parent is told. */
void family_tell_stopped(struct process *process);
void family_tell_continued(struct process *process);
/* True if nobody in the process's group has a parent in the session but outside of the group: a
 * stop from the terminal would be for ever (POSIX: orphaned process group). */
bool family_group_is_orphaned(const struct process *process);

#endif
