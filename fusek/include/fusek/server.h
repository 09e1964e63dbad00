/*
 * What a filesystem is to the rest of the kernel: a server that answers the operations of the FUSE
 * protocol. A built-in server (ext2 ramdisk, tmpfs, devfs) is called directly; a driver behind
 * /dev/fuse is reached by a table of the same shape whose functions send a message and wait.
 * Nothing above this table knows which it is, so the rules of the protocol hold for all:
 *
 *  - Nodes are named by numbers that the server gives out. The root is SERVER_ROOT, which is never
 *    looked up or forgotten. Every entry that a reply holds (lookup, mknod, mkdir, symlink, link,
 *    create) counts one look-up of its node; forget() takes the sum back, and until then the number
 *    names the same thing, also when its last name is gone.
 *  - Entries and attributes may be kept for as long as the reply says.
 *  - open() and opendir() give a handle, release() is called exactly once for it.
 *  - No lock is held by the caller: a server may take as long as it likes, and may call back.
 *    Built-in servers take locks of their own and never sleep for another server with one held
 *    that the other could need.
 *
 * An operation that a table lacks is -ENOSYS to the layer above, which turns it into the error that
 * Linux gives. Names come with their length, hold no '/' and no
 * NUL, are neither "." nor "..", and have 1 to 255 bytes.
 */
#ifndef FUSEK_SERVER_H
#define FUSEK_SERVER_H

#include <abi/stat.h>
#include <ipc/buffer.h>
#include <ipc/object.h>
#include <lib/types.h>
#include <mm/object.h>

struct frame;
struct path;
struct server;
struct server_backing;
struct user_namespace;
struct waitq;

/* Numbers of a server. Structs, so that they cannot be mixed up. */
struct nodeid {
	uint64_t value;
};

struct handle {
	uint64_t value;
};

#define SERVER_ROOT ((struct nodeid){1})

static inline bool nodeid_equal(struct nodeid a, struct nodeid b)
{
	return a.value == b.value;
}

/* fuse_attr. */
struct server_attr {
	uint64_t ino;
	uint64_t size_bytes;
	uint64_t blocks; /* of 512 bytes */
	struct abi_timespec atime;
	struct abi_timespec mtime;
	struct abi_timespec ctime;
	uint32_t mode; /* with the type */
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint64_t rdev;
	uint32_t block_bytes;
};

#define SERVER_VALID_FOREVER UINT64_MAX

/* fuse_entry_out. A node of 0 with a time: the name does not exist for as long. */
struct server_entry {
	struct nodeid node;
	uint64_t generation;
	uint64_t entry_valid_ns; /* from now */
	uint64_t attr_valid_ns;
	struct server_attr attr;
};

/* fuse_open_out. */
enum server_open_flags {
	SERVER_DIRECT_IO = 1 << 0,  /* no page of it may be kept or mapped shared */
	SERVER_KEEP_CACHE = 1 << 1, /* pages kept from before are still right */
	SERVER_NONSEEKABLE = 1 << 2,
	SERVER_STREAM = 1 << 4,   /* no position at all: terminals */
	SERVER_NO_FLUSH = 1 << 5, /* a close need not be told */
	/* The data is in another file: `backing`; NULL: none that could be, the open has failed. */
	SERVER_PASSTHROUGH = 1 << 7,
	SERVER_TRUNCATED = 1 << 16, /* O_TRUNC was done by the open itself */
};

struct server_open {
	struct handle handle;
	unsigned flags; /* enum server_open_flags */
	/* A reference (passthrough.h); NULL unless SERVER_PASSTHROUGH. Who gets it puts it, also
	 * where the file is released at once. */
	struct server_backing *backing;
};

/* Who asks: fuse_in_header. */
struct server_caller {
	uint32_t uid;
	uint32_t gid;
	int32_t pid;
	uint32_t umask; /* for information: the modes of the operations have it applied */
};

/* Hooks of kernel/: how long the running program may make a file (RLIMIT_FSIZE; UINT64_MAX: as it
 * likes), and that it wanted more. */
uint64_t file_limit_bytes(void);
void file_limit_met(void);

/* Hook of kernel/: the program that runs; all zeros for the kernel's own threads. */
struct server_caller server_caller_current(void);
/* The same: its effective capabilities over all that there is, as bits; all of them for the
 * kernel's own threads. *own: over what is its user namespace's; may be NULL. */
uint64_t server_caller_capabilities(uint64_t *own);

/* Until when the running thread waits for a server that is a program: a program until it is killed,
 * the kernel's own threads (ksh), which nobody can kill, for ten seconds. */
uint64_t server_deadline_ns(void);

/* fuse_setattr_in. */
enum server_setattr_valid {
	SETATTR_MODE = 1 << 0,
	SETATTR_UID = 1 << 1,
	SETATTR_GID = 1 << 2,
	SETATTR_SIZE = 1 << 3,
	SETATTR_ATIME = 1 << 4,
	SETATTR_MTIME = 1 << 5,
	SETATTR_HANDLE = 1 << 6, /* by an open file */
	SETATTR_ATIME_NOW = 1 << 7,
	SETATTR_MTIME_NOW = 1 << 8,
	SETATTR_CTIME = 1 << 10,    /* only of servers with SERVER_WRITES_BACK */
	SETATTR_KILL_IDS = 1 << 11, /* and with SERVER_IS_TOLD_IDS: the set-id bits go as well */
};

struct server_setattr {
	unsigned valid; /* enum server_setattr_valid */
	struct handle handle;
	uint64_t size_bytes;
	struct abi_timespec atime;
	struct abi_timespec mtime;
	struct abi_timespec ctime;
	uint32_t mode; /* permission bits */
	uint32_t uid;
	uint32_t gid;
};

/* fuse_kstatfs. */
struct server_statfs {
	uint64_t blocks, blocks_free, blocks_available, files, files_free;
	uint32_t block_bytes;
	uint32_t name_bytes;
	uint64_t magic; /* f_type */
};

struct server_name {
	const char *text; /* not terminated */
	size_t len_bytes;
};

/* Where readdir puts what it finds. `emit` keeps nothing, copies into kernel memory, does not
 * sleep; false: the record did not fit, stop and begin with this one next time. `cookie_after`:
 * where to go on after this entry; opaque, never 0. "." and ".." are not the server's business. */
struct dirent_sink {
	bool (*emit)(struct dirent_sink *sink, struct server_name name, uint64_t ino, uint32_t mode,
		     uint64_t cookie_after);
	/* What a server knows of a name beside it: takes over the look-up that the entry counts.
	 * Called for names that did not fit, too. NULL: nobody wants it. */
	void (*enter)(struct dirent_sink *sink, struct server_name name,
		      const struct server_entry *entry);
};

/*
 * Pages on their way from a server that does not keep its pages in our memory. The server fills the
 * frames from their beginning and calls done() once, with the bytes (fewer than asked: the end of
 * the file) or an error; from any thread, without locks. Until then the frames are its own. Where
 * `brings_frames`, there are none yet: the server puts in those that the bytes need, with a
 * reference each. `lent`: others have these as well, so they are for reading alone.
 */
struct page_fill {
	void (*done)(struct page_fill *fill, ssize_t result);
	uint64_t offset_bytes;
	size_t len_bytes;
	uint32_t npages;
	bool brings_frames;
	bool lent;
	struct frame **frames;
};

/* What a program writes past the page cache: the next bytes of its buffer, which is not advanced.
 */
struct server_write {
	struct buffer *buffer;
	uint64_t offset_bytes;
	uint32_t len_bytes;
};

/* Bytes for such a server, from the beginning of the first frame. */
struct page_write {
	uint64_t offset_bytes;
	uint32_t len_bytes;
	bool past_cache; /* as the program wrote it, not as the page cache has it */
	struct frame *const *frames;
};

/*
 * Pages that were changed in memory, on their way back to such a server. It calls done() once, with
 * 0 or an error; from any thread, without locks. Until then the frames are there; what they hold
 * may change meanwhile, and is sent once more then.
 */
struct page_flush {
	void (*done)(struct page_flush *flush, err_t result);
	uint64_t offset_bytes;
	uint32_t len_bytes;
	uint32_t npages;
	struct frame **frames;
};

/* Bytes of one open file of a server that go into another of the same. */
struct server_copy {
	struct nodeid from_node, to_node;
	struct handle from, to;
	uint64_t from_bytes, to_bytes; /* where */
	uint32_t len_bytes;
};

/* Of an access control list: who sets it may not keep the file's S_ISGID. */
#define SERVER_ACL_KILLS_GROUP_ID (1u << 16)

struct server_ops {
	/* Memory that a file without a name takes, which goes when it is closed; at once, without
	 * sleeping. NULL: none. */
	uint64_t (*held_bytes)(struct server *server, struct nodeid node);
	/* What is mounted, without asking for long: the driver of a new mount is not there yet.
	 * NULL: getattr of SERVER_ROOT says it. */
	err_t (*root)(struct server *server, struct server_entry *out);
	/* What a node is called that is known for good, with its generation, and the way back to an
	 * entry, which counts a look-up (not of the root): -ESTALE. NULL: there is none such;
	 * by_number alone NULL, or -ENOSYS: only to those that are in use, by their nodeid. */
	uint64_t (*number)(struct server *server, struct nodeid node);
	err_t (*by_number)(struct server *server, uint64_t number, uint64_t generation,
			   struct server_entry *out);
	/* The directory above one that by_number has found: its entry, which counts a look-up but
	 * for SERVER_ROOT. -ESTALE. NULL: nobody knows. */
	err_t (*above)(struct server *server, struct nodeid node, struct server_entry *out);
	err_t (*lookup)(struct server *server, const struct server_caller *caller,
			struct nodeid parent, struct server_name name, struct server_entry *out);
	void (*forget)(struct server *server, struct nodeid node, uint64_t nlookup);
	err_t (*getattr)(struct server *server, struct nodeid node, struct server_attr *out,
			 uint64_t *attr_valid_ns);
	/* The same by an open file of it, for servers that know files by their names alone, which
	 * may be gone. NULL: getattr does. */
	err_t (*getattr_open)(struct server *server, struct nodeid node, struct handle handle,
			      struct server_attr *out, uint64_t *attr_valid_ns);
	err_t (*setattr)(struct server *server, const struct server_caller *caller,
			 struct nodeid node, const struct server_setattr *set,
			 struct server_attr *out, uint64_t *attr_valid_ns);
	/* When it was made. NULL, -ENOSYS: nobody knows. */
	err_t (*birth)(struct server *server, struct nodeid node, struct abi_timespec *out);
	/* The bytes of the target, at most `to_bytes`, no NUL. */
	ssize_t (*readlink)(struct server *server, struct nodeid node, char *to, size_t to_bytes);

	err_t (*mknod)(struct server *server, const struct server_caller *caller,
		       struct nodeid parent, struct server_name name, uint32_t mode, uint64_t rdev,
		       struct server_entry *out);
	err_t (*mkdir)(struct server *server, const struct server_caller *caller,
		       struct nodeid parent, struct server_name name, uint32_t mode,
		       struct server_entry *out);
	err_t (*symlink)(struct server *server, const struct server_caller *caller,
			 struct nodeid parent, struct server_name name, struct server_name target,
			 struct server_entry *out);
	err_t (*link)(struct server *server, const struct server_caller *caller, struct nodeid node,
		      struct nodeid parent, struct server_name name, struct server_entry *out);
	err_t (*unlink)(struct server *server, const struct server_caller *caller,
			struct nodeid parent, struct server_name name);
	err_t (*rmdir)(struct server *server, const struct server_caller *caller,
		       struct nodeid parent, struct server_name name);
	/* `flags`: RENAME_NOREPLACE, RENAME_EXCHANGE. */
	err_t (*rename)(struct server *server, const struct server_caller *caller,
			struct nodeid old_parent, struct server_name old_name,
			struct nodeid new_parent, struct server_name new_name, unsigned flags);

	/* Extended attributes; names have 1 to XATTR_NAME_MAX bytes. The first two give the bytes
	 * of the value, or of all names, each with its NUL; where to_bytes is 0 how many there are.
	 * -ERANGE: more than fit; -ENODATA; -EOPNOTSUPP: none of this kind. `flags` XATTR_*, or
	 * SERVER_ACL_KILLS_GROUP_ID. */
	ssize_t (*getxattr)(struct server *server, const struct server_caller *caller,
			    struct nodeid node, const char *name, void *to, size_t to_bytes);
	ssize_t (*listxattr)(struct server *server, const struct server_caller *caller,
			     struct nodeid node, char *to, size_t to_bytes);
	err_t (*setxattr)(struct server *server, const struct server_caller *caller,
			  struct nodeid node, const char *name, const void *value,
			  size_t value_bytes, unsigned flags);
	err_t (*removexattr)(struct server *server, const struct server_caller *caller,
			     struct nodeid node, const char *name);

	/* Of servers with SERVER_CHECKS_ACCESS, for access(2) and chdir: R_OK | W_OK | X_OK. */
	err_t (*access)(struct server *server, const struct server_caller *caller,
			struct nodeid node, unsigned mask);

	err_t (*open)(struct server *server, const struct server_caller *caller, struct nodeid node,
		      unsigned flags, struct server_open *out);
	err_t (*create)(struct server *server, const struct server_caller *caller,
			struct nodeid parent, struct server_name name, uint32_t mode,
			unsigned flags, struct server_entry *entry, struct server_open *out);
	/* A file without a name, open: link() may give it one, unless O_EXCL is in `flags`. NULL,
	 * -ENOSYS: not served. */
	err_t (*tmpfile)(struct server *server, const struct server_caller *caller,
			 struct nodeid parent, uint32_t mode, unsigned flags,
			 struct server_entry *entry, struct server_open *out);
	/* Short: the end of the file. `flags`: of the open file, now. */
	ssize_t (*read)(struct server *server, struct nodeid node, struct handle handle,
			struct buffer *buffer, uint64_t offset_bytes, unsigned flags);
	/* O_APPEND in `flags`: at the end, whatever the offset; *end_bytes is where it ended. */
	ssize_t (*write)(struct server *server, const struct server_caller *caller,
			 struct nodeid node, struct handle handle, struct buffer *buffer,
			 uint64_t offset_bytes, unsigned flags, uint64_t *end_bytes);
	/* Instead of read and write, for servers behind the page cache. An error of read_pages:
	 * done() is not called. */
	err_t (*read_pages)(struct server *server, struct nodeid node, struct handle handle,
			    unsigned flags, struct page_fill *fill);
	ssize_t (*write_pages)(struct server *server, struct nodeid node, struct handle handle,
			       unsigned flags, const struct page_write *write);
	/* The same later, and without waiting. An error: done() is not called. NULL: no page may be
	 * changed but by write_pages. */
	err_t (*write_back)(struct server *server, struct nodeid node, struct handle handle,
			    unsigned flags, struct page_flush *flush);
	/* Up to a page past the cache, into `buffer`: how many there were. NULL: by read_pages. */
	ssize_t (*read_direct)(struct server *server, struct nodeid node, struct handle handle,
			       unsigned flags, uint64_t offset_bytes, size_t len_bytes,
			       struct buffer *buffer);
	/* The same for writing, straight from the program's memory, as long as this takes. False:
	 * nothing was done, that memory is not fit for it. NULL: by write_pages. */
	bool (*write_direct)(struct server *server, struct nodeid node, struct handle handle,
			     unsigned flags, const struct server_write *write, ssize_t *result);
	/* The most bytes of one of these, whole pages, at least one; and (NULL: no limit) of those
	 * that nobody has asked for yet. */
	uint32_t (*transfer_bytes)(struct server *server, bool write);
	uint32_t (*ahead_bytes)(struct server *server);
	/* Room for a part of the file: FALLOC_FL_KEEP_SIZE, _PUNCH_HOLE with it, _ZERO_RANGE; the
	 * sum of offset and length is no more than INT64_MAX. -EOPNOTSUPP: not this mode. */
	err_t (*fallocate)(struct server *server, struct nodeid node, struct handle handle,
			   unsigned mode, uint64_t offset_bytes, uint64_t len_bytes);
	/* SEEK_DATA, SEEK_HOLE: where the next begins. -ENXIO: none, or beyond the end. NULL or
	 * -ENOSYS: a file has no holes. */
	err_t (*lseek)(struct server *server, struct nodeid node, struct handle handle,
		       uint64_t offset_bytes, int whence, uint64_t *found_bytes);
	/* How many were copied. NULL, -ENOSYS, -EOPNOTSUPP, -EXDEV: who asks reads and writes. */
	ssize_t (*copy_file_range)(struct server *server, const struct server_copy *copy);
	/* A descriptor was closed; others may still name the open file. The error is close's. */
	err_t (*flush)(struct server *server, struct nodeid node, struct handle handle,
		       uint64_t lock_owner);
	err_t (*fsync)(struct server *server, struct nodeid node, struct handle handle,
		       bool directory);
	/* Locks of a server that keeps them itself, as object_ops' (ipc/object.h), with `owner`
	 * set. NULL, -ENOSYS: the kernel's own do. What a process has locked goes with flush(),
	 * what flock has with release(). */
	err_t (*lock)(struct server *server, struct nodeid node, struct handle handle,
		      const struct object_lock *lock, bool wait);
	err_t (*lock_test)(struct server *server, struct nodeid node, struct handle handle,
			   struct object_lock *lock);
	void (*release)(struct server *server, struct nodeid node, struct handle handle,
			unsigned flags);

	/* Something of the file or directory was read. Whether that changed its attributes: with
	 * `is_strict` it does, else as relatime has it. Takes little. NULL: it never does. */
	bool (*accessed)(struct server *server, struct nodeid node, bool is_strict);

	err_t (*opendir)(struct server *server, const struct server_caller *caller,
			 struct nodeid node, struct server_open *out);
	/* 0: until the sink was full or the directory ended. */
	err_t (*readdir)(struct server *server, struct nodeid node, struct handle handle,
			 uint64_t cookie, struct dirent_sink *sink);
	void (*releasedir)(struct server *server, struct nodeid node, struct handle handle);

	err_t (*statfs)(struct server *server, struct server_statfs *out);
	/* O_DIRECTORY in `flags`: it is one. Restricted as FUSE's: the size from _IOC bits where it
	 * has one. Result >= 0: the call's.
	 */
	ssize_t (*ioctl)(struct server *server, struct nodeid node, struct handle handle,
			 unsigned command, uptr_t argument, unsigned flags);
	unsigned (*poll)(struct server *server, struct nodeid node, struct handle handle,
			 struct waitq **queue);
	/* As object_ops.poll_ask. */
	void (*poll_ask)(struct server *server, struct nodeid node, struct handle handle);

	/* ---- beyond the protocol: for servers whose pages are the kernel's own ---- */

	/* As memory_object_ops.get_page, with its bits in `fault_access` and its rules: locks of
	 * class LOCK_OBJECT and later only, no waiting. A page given out for FAULT_WRITE or
	 * FAULT_SHARED is the file's own: changes of it are changes of the file. */
	err_t (*get_page)(struct server *server, struct nodeid node, uint64_t page_index,
			  unsigned fault_access, struct page_ref *out);
	/* F_SEAL_* of a file; `add` is put to them first. NULL: it has none. -EPERM, -EBUSY. */
	err_t (*seal)(struct server *server, struct nodeid node, unsigned add, unsigned *seals);
	/* Before a shared mapping that may write, and when it is gone: for servers with seals.
	 * -EPERM. */
	err_t (*map_writable)(struct server *server, struct nodeid node);
	void (*unmap_writable)(struct server *server, struct nodeid node);
	/* Devices that can be mapped bring an object of their own. */
	err_t (*map)(struct server *server, struct nodeid node, struct handle handle,
		     const struct object_map_request *request, struct memory_object **out);
	/* Where a link leads that is more than its text (/proc/PID/fd): *out is a reference.
	 * -ENOSYS: this one is its text. */
	err_t (*follow)(struct server *server, const struct server_caller *caller,
			struct nodeid node, struct path *out);
	/* The thing is not a file of the tree but an object: opens that. */
	err_t (*reopen)(struct server *server, struct nodeid node, unsigned flags,
			struct object **out);
	/* The options of a remount; NULL: it takes none. -EINVAL: one is not known, or cannot be
	 * changed now. */
	err_t (*reconfigure)(struct server *server, const char *options);
	/* What was set of it, as ",size=4096k,mode=755"; NULL: nothing. */
	void (*describe)(struct server *server, char *to, size_t to_bytes);
	/* MNT_FORCE: whatever waits for the server fails. */
	void (*abort)(struct server *server);
	/* The mount is gone: nothing of it is in use. */
	void (*destroy)(struct server *server);
};

enum server_flags {
	SERVER_READ_ONLY = 1 << 0,
	/* No device node of it means a device: what mounts by untrusted servers get. */
	SERVER_NO_DEVICES = 1 << 1,
	/* The server decides who may do what; mode bits are not looked at, but that a file which
	 * nobody may run is run by nobody. */
	SERVER_CHECKS_ACCESS = 1 << 2,
	/* Nobody may enter but owner_uid with owner_gid, not even user 0: the files are a program's
	 * inventions, and who is not its owner should not depend on them. */
	SERVER_OWNER_ONLY = 1 << 3,
	/* Programs of it run with the ids of who starts them. */
	SERVER_NO_SET_ID = 1 << 4,
	/* No file of it can be run, nor mapped to be. */
	SERVER_NO_EXEC = 1 << 5,
	/* Nothing of it can be changed: it stays SERVER_READ_ONLY. */
	SERVER_UNCHANGING = 1 << 6,
	/* Modes and owners change without us: they are not believed for longer than it said. */
	SERVER_MODES_EXPIRE = 1 << 7,
	/* Forgetting is a message to it: a name that has to be asked for again keeps its node. */
	SERVER_FORGET_COSTS = 1 << 8,
	/* It takes access control lists as attributes, also where it has not agreed on more. */
	SERVER_TAKES_ACLS = 1 << 9,
};

/* Of a driver, once it has said so. */
enum server_agreed {
	SERVER_MASKS_MODES = 1 << 0,  /* modes of what is made come without the umask applied */
	SERVER_SAYS_CHANGES = 1 << 1, /* of data, itself: nothing is concluded from attributes */
	/* What is written to files stays in memory at first: their sizes and times of change are
	 * ours. */
	SERVER_WRITES_BACK = 1 << 4,
	SERVER_KEEPS_LINKS = 1 << 5, /* the text of a link may be kept */
	SERVER_DROPS_IDS = 1 << 6,   /* it takes set-id bits from what is changed by itself, */
	SERVER_IS_TOLD_IDS = 1 << 7, /* where a request says that they go: SETATTR_KILL_IDS */
	/* Files have access control lists, as attributes; with SERVER_CHECKS_ACCESS: nevertheless
	 * it is not the server who checks. */
	SERVER_HAS_ACLS = 1 << 8,
	SERVER_DIRECT_MAPS = 1 << 3, /* files with SERVER_DIRECT_IO can be mapped shared as well */
	SERVER_KEEPS_TIMES = 1 << 2, /* another time of change alone means no other data */
};

#define SERVER_DEPTH_UNKNOWN UINT32_MAX /* the driver has not said it yet */

/* The head of each server; constant once it is mounted, but that `flags` changes by a remount
 * (SERVER_READ_ONLY; [a]). */
struct server {
	const struct server_ops *ops;
	const char *type;              /* "ext2", "tmpfs" ...: constant strings */
	const char *source;            /* what `mounts` shows in front */
	unsigned flags;                /* enum server_flags */
	unsigned agreed;               /* enum server_agreed; [a] */
	uint32_t owner_uid, owner_gid; /* of SERVER_OWNER_ONLY */
	/* How many filesystems an open file may go through, itself one of them, until its data is
	 * reached: those that its data may be in have less. 0: the data is its own. [a] */
	uint32_t stack_depth;
	/* Whose it is: who has their capabilities over all of it; its filesystem has the reference.
	 * NULL: the first one. */
	struct user_namespace *user;
	uint32_t fs_number; /* struct filesystem's own to set: how nodes are found */
};

#endif
