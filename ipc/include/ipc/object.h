/*
 * What a descriptor can name: an open file, a device, a pipe, later a socket or a message queue.
 * struct object is the head of each of them ("open file description" in POSIX's words): counted,
 * shared by dup and fork, and found without a lock by the descriptor table.
 *
 * Life: object_init() gives one reference. With the last object_put() `release` runs at once, in
 * the caller's context, and may sleep; `free` runs when no look-up can still see the memory. The
 * operations are called without any lock; each takes what it needs.
 */
#ifndef IPC_OBJECT_H
#define IPC_OBJECT_H

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <ipc/buffer.h>
#include <lib/refcount.h>
#include <lib/types.h>
#include <sched/rcu.h>

struct async;
struct epoll_item;
struct memory_object;
struct object;
struct waitq;

enum object_kind {
	OBJECT_FILE,    /* fusek/file.h: files, directories, devices */
	OBJECT_PIPE,    /* ipc/pipe.h */
	OBJECT_PACKETS, /* sockets of whole messages: writing to an ended one is no SIGPIPE */
	OBJECT_OTHER,
};

/* What mmap() wants of an object. */
struct object_map_request {
	uint64_t offset_bytes; /* page aligned */
	size_t len_bytes;
	bool shared;
	bool write; /* the mapping may write now or, by mprotect, later */
	bool exec;
};

/* The records of getdents64, and those of getdents, which are as long. */
enum dirent_form { DIRENT_64, DIRENT_OLD };

/* Whose a lock on a part of a file is. */
enum object_lock_kind {
	OBJECT_LOCK_PROCESS, /* fcntl's F_SETLK: a descriptor table's, `owner` its number */
	OBJECT_LOCK_OPEN,    /* fcntl's F_OFD_SETLK: the open file's own */
	OBJECT_LOCK_WHOLE,   /* flock's: the open file's own, of all the file */
};

struct object_lock {
	enum object_lock_kind kind;
	uint64_t owner;
	uint64_t start, end; /* both in it; at most INT64_MAX, which is for ever */
	int32_t pid;         /* for who asks; -1: of an open file */
	uint16_t type;       /* F_RDLCK, F_WRLCK, F_UNLCK */
};

/*
 * An operation that is NULL fails as Linux does for such an object (see the wrappers below).
 * `offset` NULL: at the object's own position, which moves; else there, and it stays (-ESPIPE where
 * there is no position). Sleeps are killable: -EINTR.
 */
struct object_ops {
	ssize_t (*read)(struct object *object, struct buffer *buffer, const uint64_t *offset);
	ssize_t (*write)(struct object *object, struct buffer *buffer, const uint64_t *offset);
	err_t (*seek)(struct object *object, int64_t offset, int whence, uint64_t *position);
	/* A result >= 0 is the call's. */
	ssize_t (*ioctl)(struct object *object, unsigned command, uptr_t argument);
	err_t (*stat)(struct object *object, struct abi_stat *out);
	/* Whole records; bytes, 0 at the end. */
	ssize_t (*getdents)(struct object *object, struct buffer *buffer, enum dirent_form form);
	err_t (*truncate)(struct object *object, uint64_t size_bytes);
	err_t (*sync)(struct object *object);
	/* fallocate: `mode` is one that Linux knows, the range ends at INT64_MAX or before. */
	err_t (*allocate)(struct object *object, unsigned mode, uint64_t offset_bytes,
			  uint64_t len_bytes);
	/* Bytes of one that go into another of the same kind: how many. -EOPNOTSUPP: whoever wants
	 * that reads and writes. */
	ssize_t (*copy_range)(struct object *from, uint64_t from_bytes, struct object *to,
			      uint64_t to_bytes, uint32_t len_bytes);
	/* Takes, changes or gives back; `wait`: until nobody else's is in the way. lock_test: what
	 * is in the way comes back in *lock, or F_UNLCK. `owner` is set for OBJECT_LOCK_PROCESS. */
	err_t (*lock)(struct object *object, const struct object_lock *lock, bool wait);
	err_t (*lock_test)(struct object *object, struct object_lock *lock);
	/* A descriptor of it was closed, by close, dup2 or the end of its owner, who is named by
	 * `owner`; the object lives on if others name it. The result is close's. */
	err_t (*closed)(struct object *object, uint64_t owner);
	/* Which of POLL* hold now; *queue is the wait queue that is woken when that changes, NULL
	 * if it never does. A queue lives until `release`. Must not sleep. */
	unsigned (*poll)(struct object *object, struct waitq **queue);
	/* Whether O_ASYNC means anything: its wakes are signalled to who asks. NULL: it does not.
	 */
	bool (*signals)(const struct object *object);
	/* Whether F_SETFL may change O_DIRECT. NULL: it may not. */
	bool (*can_direct)(const struct object *object);
	/* For who looks once and has no lock: asks whoever knows, so that `poll` says what is so
	 * now and not what it was told last. NULL: it always does. Sleeps. */
	void (*poll_ask)(struct object *object);
	/* *out is a reference for the caller. */
	err_t (*map)(struct object *object, const struct object_map_request *request,
		     struct memory_object **out);
	/* F_SEAL_*: `add` is put to them, *seals is what there is then. */
	err_t (*seal)(struct object *object, unsigned add, unsigned *seals);
	/* A name for `vm`, `fdinfo` and messages; cut to fit, always NUL-terminated. */
	void (*describe)(struct object *object, char *to, size_t to_bytes);
	/* What open() of /proc/self/fd/N gives: as if it had a name, with `flags` (O_ACCMODE,
	 * O_NONBLOCK ...). *out is a reference for the caller. */
	err_t (*reopen)(struct object *object, unsigned flags, struct object **out);
	/* The end of a pipe that it is, or has (a FIFO); borrowed. */
	struct object *(*pipe_end)(struct object *object);
	/* The kernel's memory that is there for those who have it, and would go with the last of
	 * them. A guess, without locks. NULL: next to nothing. */
	uint64_t (*held_bytes)(struct object *object);
	void (*release)(struct object *object);
	void (*free)(struct object *object);
};

/*
 *   [c] constant after object_init()
 *   [a] atomic
 */
struct object {
	const struct object_ops *ops; /* [c] */
	struct refcount references;   /* [a] */
	enum object_kind kind;        /* [c] */
	unsigned flags;               /* [a] O_ACCMODE, O_APPEND, O_NONBLOCK, O_PATH ...; F_GETFL */
	struct epoll_item *watches;   /* epoll's: its entries (ipc/epoll/) */
	struct async *async;          /* [a] who is signalled (ipc/async.h); set once */
	struct rcu_head rcu;          /* after the last reference */
};

/* The flags that F_SETFL may change of each object. */
#define OBJECT_FLAGS_SETTABLE (O_APPEND | O_NONBLOCK | O_NOATIME)

void object_init(struct object *object, const struct object_ops *ops, enum object_kind kind,
		 unsigned flags);

static inline struct object *object_get(struct object *object)
{
	refcount_get(&object->references);
	return object;
}

/* Takes NULL. May sleep: not under a spinlock, not inside an RCU section. */
void object_put(struct object *object);

static inline unsigned object_flags(const struct object *object)
{
	return read_once(&object->flags);
}

/* Those that a read or a write goes by. */
static inline unsigned object_call_flags(const struct object *object, const struct buffer *buffer)
{
	return object_flags(object) | buffer->call_flags;
}

/* The same where O_APPEND matters, which a call may do without. */
static inline unsigned object_write_flags(const struct object *object, const struct buffer *buffer)
{
	unsigned flags = object_call_flags(object, buffer);

	return unlikely(flags & CALL_NO_APPEND) ? flags & ~O_APPEND : flags;
}

/* A bit of its flags, by who knows what it means. */
void object_mark(struct object *object, unsigned flag, bool on);
/* For `signals`: always. */
bool object_signals_always(const struct object *object);

/* O_ASYNC is left as it is (ipc/async.h). -EINVAL: a flag that cannot be changed, or is not served,
 * is named in `flags`. */
err_t must_check object_set_flags(struct object *object, unsigned flags);

/* ---- the calls, with all checks that hold for every kind ---- */

/* -EBADF: not open for it; -EINVAL: the kind cannot; -EISDIR. */
ssize_t must_check object_read(struct object *object, struct buffer *buffer,
			       const uint64_t *offset);
ssize_t must_check object_write(struct object *object, struct buffer *buffer,
				const uint64_t *offset);
err_t must_check object_seek(struct object *object, int64_t offset, int whence, uint64_t *position);
ssize_t must_check object_ioctl(struct object *object, unsigned command, uptr_t argument);
err_t must_check object_stat(struct object *object, struct abi_stat *out);
ssize_t must_check object_getdents(struct object *object, struct buffer *buffer,
				   enum dirent_form form);
err_t must_check object_truncate(struct object *object, uint64_t size_bytes);
err_t must_check object_sync(struct object *object);
/* -EOPNOTSUPP: no such mode, or not served; -EBADF: not open for writing; -ENODEV, -EFBIG. */
err_t must_check object_allocate(struct object *object, unsigned mode, int64_t offset_bytes,
				 int64_t len_bytes);
/* -EOPNOTSUPP: who asks has to read and write. Both are open for it. */
ssize_t must_check object_copy_range(struct object *from, uint64_t from_bytes, struct object *to,
				     uint64_t to_bytes, uint32_t len_bytes);
/* -EAGAIN, -EDEADLK, -EINTR, -ENOLCK; -EINVAL: the kind has no locks. */
err_t must_check object_lock(struct object *object, const struct object_lock *lock, bool wait);
err_t must_check object_lock_test(struct object *object, struct object_lock *lock);
void object_poll_ask(struct object *object);
unsigned must_check object_poll(struct object *object, struct waitq **queue);
/* The two names of each that System V told apart. */
static inline unsigned poll_synonyms(unsigned events)
{
	return events | (events & POLLIN ? POLLRDNORM : 0) | (events & POLLOUT ? POLLWRNORM : 0);
}
/* -EACCES: not open for what the mapping may do; -ENODEV: the kind cannot be mapped. */
err_t must_check object_map(struct object *object, const struct object_map_request *request,
			    struct memory_object **out);
/* -EPERM: not open for writing, or sealed against it; -EBUSY: somebody writes to a mapping;
 * -EINVAL: the kind has no seals. */
err_t must_check object_seal(struct object *object, unsigned add, unsigned *seals);
void object_describe(struct object *object, char *to, size_t to_bytes);
/* -ENXIO: the kind cannot be opened again. */
err_t must_check object_reopen(struct object *object, unsigned flags, struct object **out);
/* For `reopen` of what there is only one of: the same again. -EACCES: not open for it. */
err_t must_check object_reopen_same(struct object *object, unsigned flags, struct object **out);

/* For ipc/pipe.h, borrowed; NULL: it is no pipe. */
static inline struct object *object_pipe_end(struct object *object)
{
	return object->ops->pipe_end ? object->ops->pipe_end(object) : NULL;
}

/* For the kernel itself: the same with kernel memory. Fewer bytes than asked: the end was met. */
ssize_t must_check object_read_kernel(struct object *object, void *to, size_t len_bytes,
				      uint64_t offset_bytes);
ssize_t must_check object_write_kernel(struct object *object, const void *from, size_t len_bytes);

#endif
