/*
 * The kernel's side of one filesystem driver: requests on their way to it and back.
 *
 * A connection is made when /dev/fuse is mounted, and ends when the last descriptor of it is closed
 * or it is aborted: then every request fails with -ECONNABORTED, later ones with -ENOTCONN. It is
 * counted: by its mount, by each open device, and by each request that outlives its caller.
 *
 * A request whose caller waits lies on the caller's stack. So nothing of it is touched but under
 * connection->lock: its bytes are copied out for the driver, and the answer's into it, while the
 * lock is held, and from and to programs outside of it. What is too long for that (pages of data)
 * is counted and belongs to no stack. A request without a waiting caller (RELEASE, INIT, READ into
 * pages) is allocated, and `ended` is called once when it is over.
 *
 * A caller that is killed leaves: a request that was not read yet is taken back; one that was is
 * replaced by an orphan, an allocated request of the same number whose `ended` settles what the
 * late answer owes (a look-up to forget, a handle to release). So no driver can hold a dying
 * program, nor for long the kernel's own threads (server_deadline_ns()). Any signal sends
 * INTERRUPT.
 *
 * A driver with many threads may serve two requests in any order, so what takes something away is
 * not sent while a request that needs it is out: a handle is counted by the requests that use it,
 * and the last one sends RELEASE; FORGET waits for the requests without a caller that name its node
 * (a caller holds the node itself).
 */
#ifndef FUSEK_DRIVER_CONNECTION_H
#define FUSEK_DRIVER_CONNECTION_H

#include "../proto/message.h"

#include <arch/spin.h>
#include <lib/annotate.h>
#include <lib/atomic.h>
#include <lib/list.h>
#include <lib/refcount.h>
#include <lib/tree.h>
#include <mm/frame.h>
#include <sched/wait.h>

struct fuse_connection;
struct fuse_request;

/* Where a driver takes whole pages. The space is never looked into, it is compared. */
struct fuse_place {
	const struct space *space; /* NULL: none */
	uint64_t address;          /* a multiple of the page size */
	uint32_t npages;
};

/*
 * Bytes in frames: a request's payload, or where a reply goes. Counted; the frames are counted by
 * it.
 *
 * Live ones are a program's own memory, which waits for its request and may change what is in them.
 * They are copied once, straight to the driver, in short read sections: fuse_pages_withdraw() ends
 * that, so nobody looks into them once the request is over, whatever a driver does.
 *
 * Frozen ones are a program's, too, and stay as they are: it writes to copies. They may be mapped
 * into the driver, where they stand then (`placed`): that is taken away with the answer.
 *   [c] constant
 *   [q] connection->lock
 *   [a] atomic
 */
struct fuse_pages {
	struct refcount references;
	uint32_t npages;          /* [c] */
	uint32_t skip_bytes;      /* [c] of the first frame, before the bytes */
	bool live;                /* [c] */
	bool frozen;              /* [c] */
	bool withdrawn;           /* [a] live ones: hands off */
	uint32_t nreaders;        /* [a] live ones: who copies them */
	struct fuse_place placed; /* [q] frozen ones; its `space` NULL: nowhere */
	struct frame *frames[];   /* constant once they are filled in */
};

/* For `npages` frames that the caller fills in, with a reference each. NULL: no memory. */
struct fuse_pages *fuse_pages_create(uint32_t npages);
/* The same with frames of its own. */
struct fuse_pages *fuse_pages_alloc(size_t len_bytes);
/* Frames for the first `len_bytes` where there are none yet. -ENOMEM. */
err_t must_check fuse_pages_fill(struct fuse_pages *pages, size_t len_bytes);
/* Takes NULL. */
void fuse_pages_put(struct fuse_pages *pages);
/* Live pages, whose request is over: nobody copies them any more. Sleeps. */
void fuse_pages_withdraw(struct fuse_pages *pages);

/* An open file of the driver's, and the RELEASE that it is owed, made before it was asked for one.
 * Counted: by the open file and by each request without a caller that names `fh`. */
struct fuse_handle {
	struct refcount references;
	uint64_t fh;
	struct fuse_request *release;
	uint64_t flock_owner;         /* atomic: who has it locked as a whole; 0: nobody did */
	uint64_t number;              /* [q] set once: NOTIFY_POLL's; 0: it was not polled */
	struct tree_node polled_node; /* [q] connection->polled */
	struct waitq polled;          /* who waits for the driver's word */
	unsigned poll_events;         /* [q] what it said was ready */
	bool poll_known;              /* [q] and has not taken back */
	bool poll_asked;              /* [q] an answer is on its way that nobody waits for */
	uint64_t poll_version;        /* [q] grows with each NOTIFY_POLL */
	uint64_t asked_version;       /* [q] when that answer was asked for */
};

/* NULL: no memory. */
struct fuse_handle *fuse_handle_create(struct fuse_connection *connection,
				       const struct server_caller *caller);
/* Its number for NOTIFY_POLL. */
uint64_t fuse_handle_number(struct fuse_handle *handle);
/* What is known to be ready. True: too little, the caller asks without waiting, and then
 * fuse_poll_answered(). What was ready is asked for again the next time. */
bool fuse_poll_look(struct fuse_handle *handle, unsigned *events);
uint64_t fuse_poll_version(struct fuse_handle *handle);
/* The answer to what was asked at `version`: if the driver has said since that it is old, whoever
 * waits asks again. */
void fuse_poll_told(struct fuse_handle *handle, unsigned events, uint64_t version);
/* The same for what was asked for after fuse_poll_look(). */
void fuse_poll_answered(struct fuse_handle *handle, unsigned events);
/* Whoever polls the handle of this number looks again (0: of every number). Sleeps. */
void fuse_polled(struct fuse_connection *connection, uint64_t number);
/* It is about to be freed: nobody finds it by its number. */
void fuse_polled_forget(struct fuse_handle *handle);
/* The driver gave none: nothing is released. */
void fuse_handle_free(struct fuse_handle *handle);
/* Takes NULL. The last one sends the RELEASE, which has its message by then. */
void fuse_handle_put(struct fuse_handle *handle);

enum fuse_request_state {
	FUSE_REQUEST_NEW,
	FUSE_REQUEST_QUEUED,    /* on connection->queued, or ->background */
	FUSE_REQUEST_SENT,      /* on a device's list: the driver has read it */
	FUSE_REQUEST_RECEIVING, /* on no list: the answer is being copied into its pages */
	FUSE_REQUEST_DONE,
};

/* A node that a request without a caller names. */
struct fuse_use {
	struct list link; /* [q] connection->in_use; of no list: of no node */
	struct nodeid node;
	struct fuse_request *request;
};

/*
 *   [c] constant from fuse_ask() or fuse_send() on
 *   [q] connection->lock until it is done, then who asked
 */
struct fuse_request {
	struct list link;                            /* [q] as `state` says */
	enum fuse_request_state state;               /* [q] */
	bool interrupted;                            /* [q] the caller got a signal */
	bool interrupt_queued;                       /* [q] on connection->interrupts */
	bool in_background;                          /* [q] counted in connection->nbackground */
	struct list interrupt_link;                  /* [q] valid where interrupt_queued */
	uint64_t order;                              /* [q] grows in the order of asking */
	uint64_t unique;                             /* [q] never used again on the connection */
	uint64_t asked_ns;                           /* [q] clock_ns() when it was */
	struct server_caller caller;                 /* [c] */
	struct fuse_pages *payload;                  /* [c] owned; NULL: none */
	struct fuse_handle *handle;                  /* [c] that it names, or NULL; a reference
						      * where `ended` is set */
	struct fuse_handle *to_handle;               /* [c] the same: COPY_FILE_RANGE's second */
	void (*ended)(struct fuse_request *request); /* [c] without locks; frees it. NULL: a
						      * thread waits in fuse_ask() */
	struct thread *waiter;                       /* [c] that one */
	err_t error;                                 /* [q] */
	uint32_t reply_bytes;                        /* [q] */
	struct frame *page_reply;                    /* [q] owned: one of up to a page */
	void *long_reply;                            /* [q] kvmalloc(): a longer one */
	/* Only where `ended` is set. */
	struct fuse_connection *connection; /* [c] a reference */
	struct fuse_pages *receives;        /* [q] owned; where the reply goes instead of reply */
	struct fuse_pages *lent;            /* [q] owned; the reply, instead of `receives` */
	struct page_fill *fill;             /* [c] READ's: what it is for */
	struct page_flush *flush;           /* [c] WRITE's: the same */
	struct fuse_use uses[2];            /* [q] */
	struct list forgets;                /* [q] struct fuse_forget: wait for its end */
	/* In any case. */
	struct fuse_message message;           /* [c] */
	uint64_t reply[FUSE_REPLY_INLINE / 8]; /* [q] */
};
_Static_assert(FUSE_REPLY_INLINE % 8 == 0, "a reply is aligned to 8");

enum fuse_connection_state {
	FUSE_STARTING, /* INIT was not answered yet: requests wait */
	FUSE_READY,
	FUSE_ENDED,
};

/* Nodes whose look-ups are taken back; goes out in the order of asking, after the requests that
 * were asked before it. */
struct fuse_forget {
	struct list link;
	uint64_t order;
	struct fuse_forget_one node;
	bool reserved; /* constant: one of connection->reserve */
};

/* Forgets that need no memory: for when there is none. */
#define FUSE_FORGETS_RESERVED 32

#define FUSE_SENT_BUCKETS 16
#define FUSE_USE_BUCKETS  16

/* One open /dev/fuse: what it has read must be answered through it. */
struct fuse_device {
	struct list link;                    /* [q] connection->devices */
	struct fuse_connection *connection;  /* [a] NULL until it is mounted; a reference */
	struct list sent[FUSE_SENT_BUCKETS]; /* [q] requests and orphans by unique */
	struct fuse_ring *ring;              /* [q], read [a]; NULL: none; a reference: ring.h */
};

/*
 *   [c] constant once it is mounted
 *   [q] lock
 *   [r] written before state becomes FUSE_READY, constant afterwards
 *   [a] atomic
 */
struct fuse_connection {
	struct refcount references;
	struct spinlock lock;             /* LOCK_DRIVER */
	enum fuse_connection_state state; /* [q], read [a] */
	err_t ended_error;                /* [q] what requests get once it has ended */
	struct fuse_session session;      /* [r] */
	uint64_t last_order;              /* [q] */
	uint64_t last_unique;             /* [q] even; bit 0 is set for the INTERRUPT of one */
	struct list queued;               /* [q] struct fuse_request */
	struct list told;                 /* [q] the same: read, and want no answer */
	struct list background;           /* [q] the same: wait until there are fewer of them */
	uint32_t nbackground;             /* [q] requests without a caller that are under way */
	uint32_t max_background;          /* [q] the most of them */
	uint32_t congestion_threshold;    /* [q] for who asks: nothing here depends on it */
	struct list forgets;              /* [q] struct fuse_forget */
	struct list interrupts;           /* [q] requests by interrupt_link */
	struct list devices;              /* [q] struct fuse_device */
	uint32_t nrings;                  /* [q] of devices */
	struct list waiting;              /* [q] struct fuse_reader: who slept last comes first */
	struct tree polled;               /* [q] struct fuse_handle by number */
	uint64_t last_polled;             /* [q] their numbers */
	struct tree backings;             /* [q] struct server_backing by id */
	uint32_t nbackings;               /* [q] of them */
	uint32_t last_backing;            /* [q] the id that was given last */
	uint32_t norphans;                /* [q] requests whose callers have left */
	struct list in_use[FUSE_USE_BUCKETS];              /* [q] struct fuse_use by node */
	uint32_t reserve_used;                             /* [q] a bit for each of `reserve` */
	struct fuse_forget reserve[FUSE_FORGETS_RESERVED]; /* [q] */
	struct waitq pollers;                              /* drivers that poll for a request */
	struct waitq ready;                                /* callers that wait for INIT's answer */
	struct list visits;      /* [q] struct fuse_visit: of drivers that want one at a time */
	struct waitq visited;    /* one of these has ended */
	uint64_t unsupported;    /* [a] bits 1 << opcode: answered -ENOSYS once */
	bool takes_pages;        /* [a] a driver's thread has said where */
	uint32_t max_read_bytes; /* [c] of the mount; 0: no limit */
	struct server *server; /* [c] of its mount, which may be gone; freed with the connection */
	uint32_t number;       /* [c] for messages */
	bool unrestricted;     /* [r] CUSE_UNRESTRICTED_IOCTL */
	bool traced;           /* [a] each request is shown: trace.h */
	bool aborted;          /* [q] by who uses it, and the driver wants to be told that */
	struct fuse_counted *counted; /* owned; [q] what was answered, by opcode: counters.h */
	struct list all; /* connections_lock (connections.c); of no list: not mounted */
};

/* ---- life ---- */

/* Starting, without a device. NULL: no memory. */
struct fuse_connection *fuse_connection_create(void);
struct fuse_connection *fuse_connection_get(struct fuse_connection *connection);
/* Takes NULL. */
void fuse_connection_put(struct fuse_connection *connection);
/* All requests end with -ECONNABORTED, later ones with `later`, devices read -ENODEV. Once; may
 * sleep. */
void fuse_connection_end(struct fuse_connection *connection, err_t later);
/* It is looked for so seldom. */
#define FUSE_LEAST_TIMEOUT_S 15u

/* INIT was answered. */
void fuse_connection_ready(struct fuse_connection *connection, const struct fuse_session *session);

/* ---- asking (request.c) ---- */

/* Waits until the driver has said hello: then connection->session may be read. -EINTR: killed;
 * -ETIMEDOUT; -ENOTCONN, -ECONNREFUSED: it never will. Sleeps. */
err_t must_check fuse_wait_started(struct fuse_connection *connection);
static inline err_t must_check fuse_wait_ready(struct fuse_connection *connection)
{
	/* Acquire: pairs with the release in fuse_connection_ready(). */
	return likely(load_acquire(&connection->state) == FUSE_READY)
		       ? 0
		       : fuse_wait_started(connection);
}

/* For fuse_ask(): all but the message, which fuse_ask_*() of the protocol fills in. */
void fuse_request_init(struct fuse_request *request, const struct server_caller *caller);
/* Sends it and waits for the answer, which fuse_request_reply() then has. The driver's error, or
 * -EINTR, -ETIMEDOUT, -ENOTCONN, -ECONNABORTED, -EIO. Sleeps; no lock is held. fuse_request_done()
 * in any case.
 */
err_t must_check fuse_ask(struct fuse_connection *connection, struct fuse_request *request);
static inline struct fuse_reply fuse_request_reply(const struct fuse_request *request)
{
	const void *longer =
		request->page_reply ? frame_virt(request->page_reply) : request->long_reply;

	return (struct fuse_reply){.bytes = longer ? longer : request->reply,
				   .len_bytes = request->reply_bytes};
}
/* Frees what it owns, not itself. */
void fuse_request_done(struct fuse_request *request);

/* The same without waiting: `ended` is set, called in any case, perhaps before this returns, and
 * frees the request. INIT alone is sent before the connection is ready. */
void fuse_send(struct fuse_connection *connection, struct fuse_request *request);

/* connection->max_background is another one: what waits may go. */
void fuse_background_changed(struct fuse_connection *connection);

/* Takes `nlookup` look-ups of `node` back. */
void fuse_forget(struct fuse_connection *connection, struct nodeid node, uint64_t nlookup);
/* One that was sent, or never will be: off every list. */
void fuse_forget_free(struct fuse_connection *connection, struct fuse_forget *forget);

/* ---- the control filesystem (connections.c) ---- */

/* It can be found by the number of its filesystem from here on, until the mount is gone. */
void fuse_connection_publish(struct fuse_connection *connection);
void fuse_connection_hide(struct fuse_connection *connection);
/* A reference; NULL: there is none. */
struct fuse_connection *fuse_connection_find(uint32_t number);

/* ---- one look into a directory at a time (visit.c) ---- */

/* On the stack of who looks. */
struct fuse_visit {
	struct list link; /* [q] connection->visits; of no list: the driver takes several */
	struct nodeid node;
};

/* Waits until nobody else looks up names of the directory, or lists it, unless INIT agreed on that
 * (FUSE_PARALLEL_DIROPS). -EINTR, -ETIMEDOUT; fuse_visit_end() otherwise. Sleeps. */
err_t must_check fuse_visit_begin(struct fuse_connection *connection, struct nodeid node,
				  struct fuse_visit *visit);
void fuse_visit_end(struct fuse_connection *connection, struct fuse_visit *visit);

/* ---- files that data may be in (backing.c) ---- */

/* Drivers have one for each file that is open, mostly. */
#define FUSE_BACKINGS_MAX 16384u

/* FUSE_DEV_IOC_BACKING_OPEN, _CLOSE, of the running program: an id. -EPERM: not agreed on, or it
 * may not; -EFAULT, -EBADF, -EINVAL, -EISDIR, -ELOOP: its filesystem may lie as high; -ENFILE: too
 * many; -ENODEV: the connection has ended; -ENOENT. Sleep. */
ssize_t must_check fuse_backing_open(struct fuse_connection *connection, uptr_t argument);
ssize_t must_check fuse_backing_close(struct fuse_connection *connection, uptr_t argument);
/* A reference; NULL: there is none with this id. */
struct server_backing *fuse_backing_find(struct fuse_connection *connection, uint32_t id);
/* It has ended: all are forgotten, none is added. Sleeps. */
void fuse_backings_end(struct fuse_connection *connection);

/* ---- those who left (orphan.c) ---- */

/* `ended` of an orphan: what the answer has given out goes back. */
void fuse_orphan_ended(struct fuse_request *orphan);
/* Ends a connection with too many of them. Sleeps. */
void fuse_limit_orphans(struct fuse_connection *connection);

/* ---- drivers that wait for work (reader.c) ---- */

/* There is work: of those who wait for it the first looks, and who polls is told. */
void fuse_tell_reader(struct fuse_connection *connection);
/* The same of all. */
void fuse_tell_readers(struct fuse_connection *connection);
/* To who waits for work, in place of a queue: the thread, which is to be woken before the lock is
 * released. NULL: nobody does, or other work comes first. */
struct thread *fuse_give_locked(struct fuse_connection *connection, struct fuse_request *request)
	REQUIRES(connection->lock);
/* Into the ring of a device, in place of a queue, when nobody waits. False: it is to be queued. */
bool fuse_give_to_ring_locked(struct fuse_connection *connection, struct fuse_request *request)
	REQUIRES(connection->lock);
/* A read would not wait. */
bool fuse_has_work_locked(const struct fuse_connection *connection) REQUIRES(connection->lock);
bool fuse_has_work(struct fuse_connection *connection);

/* ---- once more (resend.c) ---- */

/* What was read and is not answered goes to who reads next, in its order, before all else. What
 * nobody waits for any more ends. Sleeps. */
void fuse_resend(struct fuse_connection *connection);

/* ---- for the device (device.c) ---- */

/* Answered: `error` 0 and the reply in place, or an error. Calls `ended` or wakes who waits; the
 * lock is released. */
void fuse_request_end(struct fuse_connection *connection, struct fuse_request *request, err_t error)
	RELEASE(connection->lock);
/* The same of one that the driver has not answered, and never will. */
void fuse_request_fail(struct fuse_connection *connection, struct fuse_request *request,
		       err_t error) RELEASE(connection->lock);
/* The first part of it, for a request that a thread waits for: who is to be woken before the lock
 * is released. */
struct thread *fuse_request_settle_locked(struct fuse_connection *connection,
					  struct fuse_request *request, err_t error)
	REQUIRES(connection->lock);

/* What this device has read and not answered yet; NULL: nobody waits for that. */
struct fuse_request *fuse_find_sent_locked(struct fuse_connection *connection,
					   struct fuse_device *device, uint64_t unique)
	REQUIRES(connection->lock);

static inline struct list *fuse_sent_bucket(struct fuse_device *device, uint64_t unique)
{
	return &device->sent[(unique >> 1) % FUSE_SENT_BUCKETS];
}

/* A request from the heap, zeroed but for its arrays; `connection` is a reference. NULL: no memory.
 */
struct fuse_request *fuse_request_create(struct fuse_connection *connection,
					 const struct server_caller *caller,
					 void (*ended)(struct fuse_request *request));
/* What `ended` does last. */
void fuse_request_free(struct fuse_request *request);

#endif
