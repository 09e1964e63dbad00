/*
 * POSIX message queues (mq_overview(7)): named, with priorities. A queue lives while it has a name
 * or is open. What opens one is an object, which can be polled; reading it tells the queue's state.
 *
 * All of it may sleep. Errors are those of Linux's calls.
 */
#ifndef IPC_MQUEUE_H
#define IPC_MQUEUE_H

#include <abi/mqueue.h>
#include <abi/time.h>
#include <ipc/namespace.h>
#include <ipc/object.h>
#include <ipc/sysv.h>

#define MQUEUE_NAME_MAX   255
#define MQUEUE_STATE_SIZE 80 /* what stat tells of each: as Linux */

/* Of an IPC namespace (ipc/namespace.h), as /proc/sys/fs/mqueue shows them. Read and written by
 * read_once and write_once. */
struct mqueue_limits {
	uint32_t queues_max;
	uint32_t msg_max, msgsize_max;         /* without CAP_SYS_RESOURCE */
	uint32_t msg_default, msgsize_default; /* at most the two before */
};
/* Those of who calls. */
struct mqueue_limits *mqueue_limits(void);
/* Whoever asks, whatever the limits say. */
#define MQUEUE_QUEUES_MAX  1024
#define MQUEUE_MSG_MAX     65536
#define MQUEUE_MSGSIZE_MAX (16 * MIB)

/* Who is to be told that a message has come to an empty queue, once. */
struct mqueue_notify {
	int32_t pid;    /* who asked */
	int32_t notify; /* SIGEV_NONE, SIGEV_SIGNAL */
	int32_t signal; /* 0: none */
	/* Called once, with no lock held: tells, if `sender` is one, and frees. */
	void (*end)(struct mqueue_notify *notify, const struct sysv_caller *sender);
};

/* Hook of kernel/: RLIMIT_MSGQUEUE of who calls. */
uint64_t mqueue_caller_limit_bytes(void);

/* ---- by name, in the namespace of who calls ---- */

/* `flags`: O_ACCMODE, O_CREAT, O_EXCL, O_NONBLOCK; `mode` has the umask applied; `shape`: how many
 * messages of which size a new one holds, NULL: the usual. */
err_t must_check mqueue_open(const char *name, unsigned flags, uint32_t mode,
			     const struct abi_mq_attr *shape, struct object **out);
err_t must_check mqueue_unlink(const char *name);

/* ---- by what was opened; -EBADF: another kind of object, or not open for it ---- */

struct mqueue_transfer {
	uint64_t deadline_ns; /* of clock_ns(); UINT64_MAX: none */
	unsigned priority;
};
err_t must_check mqueue_send(struct object *object, struct buffer *from, size_t len_bytes,
			     const struct mqueue_transfer *transfer);
/* The bytes. */
ssize_t must_check mqueue_receive(struct object *object, struct buffer *to,
				  struct mqueue_transfer *transfer);
/* Takes `notify` over, unless it fails; NULL: who calls gives up being told. -EBUSY; -EBADF: no
 * queue. */
err_t must_check mqueue_set_notify(struct object *object, struct mqueue_notify *notify);
err_t must_check mqueue_attributes(struct object *object, struct abi_mq_attr *out);

/* ---- for the file system that shows those of one namespace ---- */

struct mqueue_info {
	uint64_t serial; /* never used again */
	char name[MQUEUE_NAME_MAX + 1];
	uint32_t mode, uid, gid;
	struct abi_timespec made;
};
/* False: there is none. The last one: the next after this serial number. */
bool mqueue_find(const struct ipc_namespace *ipc, const char *name, struct mqueue_info *out);
bool mqueue_find_by_serial(const struct ipc_namespace *ipc, uint64_t serial,
			   struct mqueue_info *out);
bool mqueue_next(const struct ipc_namespace *ipc, uint64_t serial, struct mqueue_info *out);
/* Who may was looked at. -ENOENT. */
err_t must_check mqueue_set_owner(const struct ipc_namespace *ipc, uint64_t serial, uint32_t uid,
				  uint32_t gid, uint32_t mode);
err_t must_check mqueue_reopen(const struct ipc_namespace *ipc, uint64_t serial, unsigned flags,
			       struct object **out);
err_t must_check mqueue_remove(const struct ipc_namespace *ipc, const char *name);

#endif
