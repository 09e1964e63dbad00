/*
 * Descriptor tables: small numbers to objects. Looking one up takes no lock: chunks of 64 slots
 * never move while the table lives, and an object's memory outlives every RCU section that found
 * it. Changes take the table's spinlock. A table is shared by the threads of a process and copied
 * by fork.
 */
#ifndef IPC_FDTABLE_H
#define IPC_FDTABLE_H

#include <arch/spin.h>
#include <ipc/object.h>
#include <lib/refcount.h>
#include <lib/types.h>

#define FD_CHUNK_SLOTS 64
#define FD_CHUNKS      64
#define FD_MAX         (FD_CHUNK_SLOTS * FD_CHUNKS) /* numbers are below this */
#define FD_LIMIT       1024                         /* RLIMIT_NOFILE to begin with */

struct fd_chunk {
	struct object *slots[FD_CHUNK_SLOTS]; /* written under the lock, read under RCU */
	uint64_t used;                        /* lock: installed or reserved */
	uint64_t close_on_exec;               /* lock */
};

struct fd_table {
	struct refcount references;
	struct spinlock lock;               /* LOCK_FDTABLE */
	uint64_t number;                    /* constant: tells owners of locks apart */
	uint32_t limit;                     /* atomic: RLIMIT_NOFILE, at most FD_MAX */
	uint32_t nopen;                     /* lock: descriptors installed */
	struct fd_chunk *chunks[FD_CHUNKS]; /* written once, under the lock; read with acquire */
	struct fd_chunk first;              /* chunks[0]: most processes need no other */
};

/* An empty table with one reference. NULL: no memory. */
struct fd_table *fd_table_create(void);
struct fd_table *fd_table_get(struct fd_table *table);
/* With the last reference all descriptors are closed: may sleep. Takes NULL. */
void fd_table_put(struct fd_table *table);

/* What fork needs: a table with references to the same objects and the same close-on-exec marks. */
err_t must_check fd_table_copy(struct fd_table *from, struct fd_table **out);
/* What exec needs. May sleep. */
void fd_table_close_on_exec(struct fd_table *table);

/* A reference to what `fd` names, or NULL (-EBADF). Lock-free. */
struct object *fd_get(struct fd_table *table, int fd);

/* What `fd` names for the length of one call of the table's own thread, and whether that took a
 * reference: where nobody else has the table the descriptor's own will do, since only this thread
 * could close it. */
struct fd_use {
	struct object *object; /* NULL: -EBADF */
	bool counted;
};

static inline struct fd_use fd_use(struct fd_table *table, int fd)
{
	/* The acquires pair with the releases of who made the chunk, and of who was the last to
	 * share the table (fd_table_put()). */
	if (likely((unsigned)fd < FD_CHUNK_SLOTS && load_acquire(&table->references.count) == 1))
		return (struct fd_use){.object = read_once(&table->first.slots[fd])};
	return (struct fd_use){.object = fd_get(table, fd), .counted = true};
}

static inline void fd_used(struct fd_use use)
{
	if (unlikely(use.counted))
		object_put(use.object);
}

/* Takes the lowest free number >= `minimum`, so that installing cannot fail. -EMFILE, -ENOMEM;
 * -EINVAL: minimum beyond the limit. `flags`: O_CLOEXEC or 0. */
err_t must_check fd_reserve(struct fd_table *table, int minimum, unsigned flags, int *fd);
/* The table takes over the caller's reference. */
void fd_install(struct fd_table *table, int fd, struct object *object);
/* Gives a reserved number back. */
void fd_unreserve(struct fd_table *table, int fd);

/* Reserve and install in one; consumes the reference also on error. Returns the number. */
int must_check fd_add(struct fd_table *table, struct object *object, unsigned flags);

/* -EBADF. May sleep in the object's release. */
err_t must_check fd_close(struct fd_table *table, int fd);
/* dup, F_DUPFD: the new number, or an error. */
int must_check fd_dup(struct fd_table *table, int fd, int minimum, unsigned flags);
/* dup2 of two different numbers, dup3: what stood there is closed. -EBADF, -EBUSY (the number is
 * just being opened), -ENOMEM. Returns `to`. */
int must_check fd_dup_to(struct fd_table *table, int fd, int to, unsigned flags);

/* The same with an object; consumes the reference also on an error. */
int must_check fd_replace(struct fd_table *table, int to, struct object *object, unsigned flags);

/* F_GETFD: FD_CLOEXEC or 0, or -EBADF. */
int must_check fd_flags(struct fd_table *table, int fd);
err_t must_check fd_set_flags(struct fd_table *table, int fd, unsigned flags);

/* The lowest open descriptor from `from` on; -1: none. */
int fd_next(struct fd_table *table, int from);
/* How many numbers it has room for now. */
unsigned fd_table_size(const struct fd_table *table);

/* Calls `visit` for each open descriptor, with no lock held and a reference to the object. */
void fd_for_each(struct fd_table *table,
		 void (*visit)(void *argument, int fd, struct object *object), void *argument);

#endif
