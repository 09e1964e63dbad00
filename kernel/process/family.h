/*
 * Who is whose parent, what a parent hears of its children, and which process groups have lost
 * theirs. One spinlock (class LOCK_PIDTABLE, never held together with the PID table's) has it all;
 * a process's signal_lock is taken inside of it.
 */
#ifndef KERNEL_PROCESS_FAMILY_H
#define KERNEL_PROCESS_FAMILY_H

#include "../process.h"

extern struct spinlock family_lock;

/* Makes `child`, which was found by its number alone so far, a child of `parent`, in that one's
 * group and session. */
void family_add(struct process *child, struct process *parent);
/* A child of the parent of `sibling`. */
void family_add_sibling(struct process *child, const struct process *sibling);
/* Its children go to a subreaper among its ancestors, to init, or to the kernel, which reaps those
 * that have ended. Groups that this leaves without anybody who could continue them are told. */
void family_orphan_children(struct process *process);
/* All threads of the running process have come to rest, or go on: the parent is told. */
void family_tell_stopped(struct process *process);
void family_tell_continued(struct process *process);
/* True if nobody in the process's group has a parent in the session but outside of the group: a
 * stop from the terminal would be for ever (POSIX: orphaned process group). */
bool family_group_is_orphaned(const struct process *process);

#endif
