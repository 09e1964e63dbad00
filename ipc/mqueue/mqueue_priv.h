/*
 * What the files behind ipc/mqueue.h share.
 */
#ifndef IPC_MQUEUE_PRIV_H
#define IPC_MQUEUE_PRIV_H

#include "../sysv/sysv.h"

#include <ipc/mqueue.h>

/*
 *   [c] constant
 *   [l] lock
 *   [n] the lock of all names (names.c)
 */
struct mqueue {
	struct refcount references;
	struct ipc_namespace *ipc;    /* [c] where it has its name; whoever has it open, too, has a
				       * reference to that */
	struct list link;             /* [n] on the list of all, by serial number */
	bool has_name;                /* [n] */
	uint64_t serial;              /* [c] */
	uint32_t mode, uid, gid;      /* [n] */
	uint32_t creator;             /* [c] against whose limit it counts */
	uint64_t limit_bytes;         /* [c] what it counts */
	struct abi_timespec made;     /* [c] */
	uint64_t maxmsg, msgsize;     /* [c] */
	struct mutex lock;            /* LOCK_SYSV */
	struct tree messages;         /* [l] struct mq_message */
	uint64_t nmessages;           /* [l] read by who polls without it */
	uint64_t nbytes;              /* [l] */
	struct list receivers;        /* [l] struct mq_wait, the longest waiting first */
	struct list senders;          /* [l] the same */
	struct mqueue_notify *notify; /* [l] NULL: nobody is to be told */
	struct waitq changed;
	char name[MQUEUE_NAME_MAX + 1]; /* [c] */
};

/* NULL: it is no queue, or not open for reading (O_RDONLY) or writing (O_WRONLY); O_PATH: however
 * it is open. */
struct mqueue *mqueue_of_object(struct object *object, unsigned access);
/* The state as a line; its length. */
size_t mqueue_state(struct mqueue *queue, char *to, size_t to_bytes);
void mqueue_free_messages(struct mqueue *queue);

#endif
