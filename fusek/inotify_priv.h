/*
 * inotify from inside: watches (notify.c) and the objects that they tell (inotify.c). One mutex,
 * notify_lock (LOCK_NOTIFY), has all watches and queues; nothing else is taken under it, and no
 * program's memory touched. References to nodes are put without it.
 */
#ifndef FUSEK_INOTIFY_PRIV_H
#define FUSEK_INOTIFY_PRIV_H

#include "notify.h"

#include <fusek/inotify.h>
#include <sched/lock.h>
#include <sched/wait.h>

struct inotify_event {
	struct list link;
	struct abi_inotify_event told; /* name_bytes as it is told */
	char name[];
};

/*
 *   [c] constant
 *   [n] notify_lock
 */
struct inotify {
	struct object object;
	struct list watches;      /* [n] */
	struct user_counts *user; /* [c] whose it is, and its watches; a reference */
	struct list events;       /* [n] */
	uint32_t nevents;         /* [n] written, read without it */
	uint32_t nbytes;          /* [n] of them */
	int32_t last_wd;          /* [n] */
	struct waitq changed;
};

struct inotify_watch {
	struct inotify_watch *next; /* [n] of the node, or of those that are gone */
	struct list link;           /* [n] on inotify->watches */
	struct list all;            /* [n] on all_watches */
	struct inotify *inotify;    /* [c] it ends with that; NULL: */
	struct file *file;          /* [c] of a directory (dnotify.c), in whose place it is told, */
	uint64_t owner;             /* [c] and the descriptor table */
	struct node *node;          /* [c] a reference */
	int32_t wd;                 /* [n] of an inotify: constant; else the descriptor */
	uint32_t mask;              /* [n] */
};

extern struct mutex notify_lock;
extern struct list all_watches; /* notify_lock */

/* Puts an event into the queue, unless the last one there is the same. */
void inotify_tell(struct inotify *inotify, int32_t wd, uint32_t mask, uint32_t cookie,
		  struct server_name name) REQUIRES(notify_lock);
/* It is told from here on: its fields are filled, `next` with the node's first. */
void watch_publish(struct inotify_watch *watch) REQUIRES(notify_lock);
/* Tells an inotify IN_IGNORED; the watch goes to *gone, for watches_put(). */
void watch_remove(struct inotify_watch *watch, struct inotify_watch **gone) REQUIRES(notify_lock);
/* Without the lock. */
void watches_put(struct inotify_watch *gone);

#endif
