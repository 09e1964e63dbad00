/*
 * What the three kinds of System V objects share: ids, keys, owners and permissions (ids.c), and
 * waiting for an answer (wait.c).
 *
 * Locks, outermost first:
 *
 *	undos->lock   (LOCK_UNDO)  what the end of a process takes back
 *	kind->lock    (LOCK_SYSVS) which objects there are: making, removing, limits
 *	object->lock  (LOCK_SYSV)  one object's state, its owner and its waiters
 *
 * All of them sleep, since work under them grows with what waits. A look-up by id takes none: it
 * goes by RCU and takes a reference. An object that was removed is `gone`, which is looked for
 * under its lock.
 */
#ifndef IPC_SYSV_PRIV_H
#define IPC_SYSV_PRIV_H

#include <ipc/sysv.h>

#include <ipc/mqueue.h>
#include <ipc/namespace.h>

#include <lib/annotate.h>
#include <lib/list.h>
#include <lib/refcount.h>
#include <lib/tree.h>
#include <sched/lock.h>
#include <sched/rcu.h>
#include <sched/wait.h>

/* Bits of a permission, for all three classes of users: as they stand in a mode. */
#define SYSV_READ  0444
#define SYSV_WRITE 0222
#define SYSV_EXEC  0111

#define SYSV_CHUNK_IDS 256
#define SYSV_CHUNKS    (SYSV_IDS_MAX / SYSV_CHUNK_IDS)

struct sysv_chunk;
struct sysv_kind;
struct sysv_object;

struct sysv_kind_ops {
	/* A grace period after its end. Does not sleep. */
	void (*free)(struct sysv_object *object);
	/* Nobody is in its namespace any more: it goes, whoever may remove it. Sleeps. */
	void (*remove)(struct sysv_object *object);
};

/*
 *   [c] constant once it is in the table
 *   [k] kind->lock
 *   [l] lock
 */
struct sysv_object {
	struct refcount references;
	struct rcu_head rcu;     /* after the last reference */
	struct sysv_kind *kind;  /* [c] */
	struct tree_node by_key; /* [k] in kind->keys, unless `key` is IPC_PRIVATE */
	int32_t id;              /* [c] */
	struct mutex lock;
	int32_t key;                         /* written under both, read under either */
	uint32_t uid, gid, cuid, cgid, mode; /* [l] */
	int64_t changed_s;                   /* [l] seconds since 1970 */
	bool gone;                           /* [l] */
};

/*
 * The objects of one kind in one namespace.
 *   [c] constant
 *   [l] lock
 *   [r] written under lock, read under RCU
 */
struct sysv_kind {
	struct mutex lock;
	const struct sysv_kind_ops *ops;        /* [c] */
	struct ipc_namespace *ipc;              /* [c] that it is a part of */
	const uint32_t *limit;                  /* [c] of how many there may be */
	struct tree keys;                       /* [l] struct sysv_object by key */
	struct sysv_chunk *chunks[SYSV_CHUNKS]; /* [r] given back with the namespace */
	uint32_t count;                         /* [l] */
	uint32_t next_index;                    /* [l] behind the one that was made last */
	uint32_t sequence;                      /* [l] of the next */
	uint64_t total;                         /* [l] of what the kind counts: pages, semaphores */
};

struct ipc_namespace {
	struct refcount references; /* ipc/namespace.h */
	struct refcount memory;     /* of all references together, and of each object */
	struct sysv_limits sysv_limits;
	struct mqueue_limits mqueue_limits;
	struct sysv_kind segments, sets, queues;
	uint32_t nmqueues; /* the lock of their names (mqueue/names.c) */
};

extern const struct sysv_kind_ops shm_kind_ops;       /* shm.c */
extern const struct sysv_kind_ops semaphore_kind_ops; /* semaphore.c */
extern const struct sysv_kind_ops message_kind_ops;   /* message.c */

void sysv_kind_init(struct sysv_kind *kind, const struct sysv_kind_ops *ops,
		    struct ipc_namespace *ipc, const uint32_t *limit);
/* It has no objects any more. Does not sleep. */
void sysv_kind_free_table(struct sysv_kind *kind);
/* Nobody makes any more. */
void sysv_remove_all(struct sysv_kind *kind);
/* An object's; does not sleep. */
void ipc_namespace_put_memory(struct ipc_namespace *ipc);
/* Nobody has it open or shows it. */
void mqueue_drop_names(struct ipc_namespace *ipc); /* mqueue/names.c */

/* How a get call finds or makes. */
struct sysv_request {
	int32_t key;
	unsigned flags;
	uint64_t size; /* as the kind understands it */
	/* One that is there is large enough. Under kind->lock, as all of these. May be NULL. */
	err_t (*fits)(const struct sysv_object *object, uint64_t size);
	/* There can be one of that size, and there is room for it. May be NULL. */
	err_t (*check)(const struct sysv_kind *kind, uint64_t size, unsigned flags);
	/* It, filled but for what all kinds have. */
	err_t (*make)(struct sysv_kind *kind, uint64_t size, struct sysv_object **out);
};

/* The id, or an error. */
int must_check sysv_get(struct sysv_kind *kind, const struct sysv_request *request);
/* A reference; NULL: there is none. */
struct sysv_object *sysv_find(struct sysv_kind *kind, int32_t id);
/* The first one from *index on, which moves behind it; NULL: no more. */
struct sysv_object *sysv_next(struct sysv_kind *kind, uint32_t *index);
void sysv_put(struct sysv_object *object);
/* The highest index in use; 0: none. */
int sysv_highest(struct sysv_kind *kind);

/* -EIDRM: gone; -EACCES: the caller may not do all of `wanted` (SYSV_*). */
err_t must_check sysv_check_locked(const struct sysv_object *object, unsigned wanted)
	REQUIRES(object->lock);
/* -EIDRM; -EPERM: not the caller's to change or remove. */
err_t must_check sysv_owns_locked(const struct sysv_object *object) REQUIRES(object->lock);
/* -EINVAL: no such user. */
err_t must_check sysv_set_owner_locked(struct sysv_object *object, const struct sysv_owner *owner)
	REQUIRES(object->lock);
void sysv_describe_locked(const struct sysv_object *object, struct abi_ipc_perm *out)
	REQUIRES(object->lock);
/* No look-up by key finds it from here on. */
void sysv_forget_key_locked(struct sysv_kind *kind, struct sysv_object *object)
	REQUIRES(kind->lock, object->lock);
/* Takes it out of the table, whose reference goes; whoever still has one finds it gone. */
void sysv_remove_locked(struct sysv_kind *kind, struct sysv_object *object)
	REQUIRES(kind->lock, object->lock);

/* For a stat call: a reference, -EINVAL. */
err_t must_check sysv_look_up(struct sysv_kind *kind, int32_t id, enum sysv_lookup lookup,
			      struct sysv_object **out);
/* What the caller must be allowed, for sysv_check_locked(). */
static inline unsigned sysv_lookup_wants(enum sysv_lookup lookup)
{
	return lookup == SYSV_BY_INDEX_UNCHECKED ? 0 : SYSV_READ;
}

int64_t sysv_now_s(void);

/* What the kernel itself holds for all of them: -ENOMEM beyond a part of the memory. */
err_t must_check sysv_charge(uint64_t bytes);
void sysv_uncharge(uint64_t bytes);

/* ---- waiting (wait.c) ---- */

#define SYSV_WAITING 1 /* no errno */

/*
 * Somebody who waits until somebody else has decided what becomes of it. Both have a reference: who
 * decides does so under the object's lock and wakes when that is released, so that the woken one
 * needs no lock at all. The first member of what its owner allocates by kzalloc().
 */
struct sysv_wait {
	struct refcount references;
	struct list link; /* [object->lock] on a list of the object's; then of the woken */
	struct waitq queue;
	err_t result; /* atomic: SYSV_WAITING until it is decided, under object->lock, once */
};

void sysv_wait_init(struct sysv_wait *wait);
/* Takes it off the object's list to that of the `woken`, with a reference. Under object->lock. */
void sysv_wait_decide(struct sysv_wait *wait, err_t result, struct list *woken);
/* Without the lock. */
void sysv_wake(struct list *woken);
/* Sleeps until it is decided, and says what. One that is ended early is taken off its list: -EINTR,
 * -ETIMEDOUT. */
err_t must_check sysv_wait_for(struct mutex *lock, struct sysv_wait *wait, uint64_t deadline_ns)
	EXCLUDES(lock);
void sysv_wait_put(struct sysv_wait *wait);

#endif
