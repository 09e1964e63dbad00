/*
 * epoll's own structs. Locks, outermost first:
 *
 *	nesting_lock (sleeping, LOCK_NESTING)   which epoll watches which: one for the machine
 *	epoll->lock  (sleeping, LOCK_EPOLL)     the entries; of two, the inner one by trylock alone
 *	watch lock   (spinning, LOCK_WATCHES)   an object's entries; one of a few, by its address
 *	a target's wait queue (LOCK_WAITQ)      under it, an entry is told of a wake
 *	pollers      (spinning, LOCK_POLLERS)   the same where the target is an epoll: the inner
 *one's first, then that of the one that watches it ready_lock   (spinning, LOCK_READY)     the list
 *of the ready; interrupts off sleepers     (spinning, LOCK_SLEEPERS)  the queue of those in
 *epoll_wait()
 *
 * Who ends what: an entry ends by epoll_remove(), which has references to both; with its object, in
 * epoll_forget(), which takes a reference to the epoll; or with its epoll. Where the last two meet,
 * the epoll takes the entry away and the object waits for that. So an entry that is found under
 * epoll->lock has an object that is not released yet, and one that is told has an epoll.
 */
#ifndef IPC_EPOLL_PRIV_H
#define IPC_EPOLL_PRIV_H

#include <ipc/epoll.h>

#include <lib/list.h>
#include <lib/tree.h>
#include <sched/lock.h>
#include <sched/wait.h>

/*
 *   [c] constant
 *   [l] lock
 *   [r] ready_lock
 *   [n] nesting_lock
 *   [w] the object's watch lock
 *   [a] atomic
 */
struct epoll {
	struct object object;
	struct mutex lock;
	struct tree items; /* [l] struct epoll_item, by object and descriptor */
	uint64_t nwaits;   /* [l] calls that have looked: see epoll_item.told_in */
	struct spinlock ready_lock;
	struct list ready;     /* [r] written under it, its emptiness is [a]: those that may have
				  something to tell */
	struct list taken;     /* [r] on it in the place of those that somebody looks at: what is
				  put back is not missed by who looks meanwhile */
	struct waitq sleepers; /* in epoll_wait(); woken under a target's queue */
	struct waitq pollers;  /* who polls it, or watches it from another epoll; likewise */

	struct list inner;   /* [n] entries here whose object is an epoll */
	struct list outer;   /* [n] entries elsewhere whose object is this one */
	uint64_t walk;       /* [n] the walk that came here last */
	unsigned walk_edges; /* [n] and what it found */
	uint64_t check;      /* [n] the check that came here last */
};

struct epoll_item {
	struct tree_node node; /* [l] */
	struct epoll *epoll;   /* [c] */
	struct object *object; /* [c] no reference */
	int fd;                /* [c] */
	struct waitq *queue;   /* [l] the object's, which `watch` is on; NULL: none yet */
	struct waitq_watch watch;
	uint32_t events;        /* [l] as asked for */
	uint32_t wanted;        /* [a] written under lock: of POLL*, 0 when it was told its once */
	uint64_t data;          /* [l] */
	uint64_t told_in;       /* [l] the last call that told it: none tells it twice */
	struct list ready_link; /* [r] on epoll->ready, or with who looks at it */
	struct epoll_item *next_watch; /* [w] of the same object */
	struct epoll_item **at_watch;  /* [w] the pointer to this one */
	struct list inner_link;        /* [n] if its object is an epoll */
	struct list outer_link;        /* [n] */
};

struct epoll *epoll_of(struct object *object);

/* What an entry is always told of. */
#define EPOLL_ALWAYS_WANTED (POLLERR | POLLHUP)
/* Not events. */
#define EPOLL_HOW_TOLD (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

static inline unsigned epoll_wanted(const struct epoll_item *item)
{
	return (item->events & ~EPOLL_HOW_TOLD) | EPOLL_ALWAYS_WANTED;
}

/* ---- entries (items.c) ---- */

/* Which of the wanted events hold now. */
unsigned epoll_look(struct epoll *epoll, struct epoll_item *item) REQUIRES(epoll->lock);
/* Puts it on the list of the ready, unless it is there; tells nobody. True: it was not there. */
bool epoll_make_ready(struct epoll_item *item);
/* Something is on the list. True: somebody was woken who will look. */
bool epoll_tell(struct epoll *epoll);
struct epoll_item *epoll_find(struct epoll *epoll, int fd, const struct object *object)
	REQUIRES(epoll->lock);
/* All entries of an epoll that has no references left. */
void epoll_remove_all(struct epoll *epoll);

/* ---- which epoll watches which (nesting.c) ---- */

extern struct mutex nesting_lock;

/* -ELOOP, -EINVAL: `inner` must not become an entry of `outer` (nesting.c). */
err_t must_check epoll_check_nesting(struct epoll *outer, struct epoll *inner)
	REQUIRES(nesting_lock);

static inline bool epoll_has_ready(const struct epoll *epoll)
{
	return read_once(&epoll->ready.next) != &epoll->ready;
}

#endif
