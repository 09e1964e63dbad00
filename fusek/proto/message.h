/*
 * Requests and replies of the FUSE protocol as bytes. Each operation has a file here that says how
 * its request is laid out (fuse_ask_*) and which reply is acceptable (fuse_answer_*). Nothing here
 * knows how bytes travel, sleeps, allocates or locks; it runs on the host under the fuzzer.
 *
 * A reply is whatever a driver wrote, copied out of its reach before it is looked at. Its length is
 * within what the request allows (reply_min_bytes .. reply_max_bytes) when fuse_answer_* sees it,
 * and nothing else about it is believed. An answer that cannot be true is -EIO.
 */
#ifndef FUSEK_PROTO_MESSAGE_H
#define FUSEK_PROTO_MESSAGE_H

#include <abi/cuse.h>
#include <abi/errno.h>
#include <abi/fuse.h>
#include <fusek/server.h>
#include <lib/types.h>

/* What INIT agreed on; constant from then on. */
struct fuse_session {
	uint32_t minor;           /* of both sides, the smaller */
	uint64_t flags;           /* FUSE_*: offered by us and taken by the driver */
	uint32_t max_write_bytes; /* of one WRITE: whole pages */
	uint32_t max_read_bytes;  /* of one READ: whole pages */
	uint32_t max_ahead_bytes; /* of reading ahead */
	uint32_t timeout_s;       /* for an answer; 0: as long as it wants */
	uint32_t max_stack_depth; /* of FUSE_PASSTHROUGH: 1 or 2; 0: not agreed */
	uint16_t max_background;  /* requests without a caller that the driver has at a time */
	uint16_t congestion_threshold;
};

/* Of session->max_background, where a driver does not say; as Linux. */
#define FUSE_MAX_BACKGROUND 12u
/* The most of one WRITE or READ that we ever agree to. */
#define FUSE_TRANSFER_MAX (1u * MIB)
/* Two names with their NULs and the largest structure before them, and room for a batch. */
#define FUSE_ARGUMENTS_MAX 640
/* The largest reply of a fixed size: of CREATE. */
#define FUSE_REPLY_INLINE (sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out))

/* One request, without the header (that names who asks) and the payload (that lies in pages). */
struct fuse_message {
	uint32_t opcode;
	struct nodeid node;
	uint32_t payload_bytes;   /* behind the arguments */
	uint32_t reply_min_bytes; /* of a reply that is no error, without its header */
	uint32_t reply_max_bytes;
	uint32_t arguments_bytes;
	uint8_t arguments[FUSE_ARGUMENTS_MAX];
};

struct fuse_reply {
	const void *bytes; /* aligned to 8 */
	uint32_t len_bytes;
};

/* ---- what the files of this folder are made of (message.c) ---- */

void fuse_message_begin(struct fuse_message *message, uint32_t opcode, struct nodeid node);
/* There is room: a caller whose pieces could be too long has checked them. */
void fuse_message_put(struct fuse_message *message, const void *bytes, size_t len_bytes);
void fuse_message_put_name(struct fuse_message *message, struct server_name name);
void fuse_message_expect(struct fuse_message *message, size_t reply_min_bytes,
			 size_t reply_max_bytes);
/* A reply of one size, or of `compat_bytes` by drivers below minor 9. */
void fuse_message_expect_entry(const struct fuse_session *session, struct fuse_message *message,
			       size_t more_bytes);
void fuse_message_expect_attr(const struct fuse_session *session, struct fuse_message *message);

/* The entry at the beginning of a reply. out->node counts a look-up also where the rest of it
 * cannot be true; it is 0, and the name is known not to exist, or the number of a node. */
err_t must_check fuse_answer_entry(const struct fuse_session *session,
				   const struct fuse_reply *reply, struct server_entry *out);
/* The same of what may be the root, of which nothing else is told. */
err_t must_check fuse_answer_directory(const struct fuse_session *session,
				       const struct fuse_reply *reply, struct server_entry *out);
/* How long it is. */
size_t fuse_entry_bytes(const struct fuse_session *session);
err_t must_check fuse_answer_attr(const struct fuse_session *session,
				  const struct fuse_reply *reply, struct server_attr *out,
				  uint64_t *attr_valid_ns);

/* ---- one file an operation ---- */

/* INIT. `max_read_bytes` of the mount option, 0: none. -EPROTO: no common version. */
void fuse_ask_init(struct fuse_message *message);
err_t must_check fuse_answer_init(const struct fuse_reply *reply, uint32_t max_read_bytes,
				  struct fuse_session *out);

/* CUSE_INIT: what a character device that a program serves is. */
#define CUSE_NAME_BYTES 64 /* with its NUL */
struct fuse_cuse {
	struct fuse_session session;
	bool unrestricted;     /* its ioctls say where their memory is */
	uint32_t major, minor; /* 0: any */
	char name[CUSE_NAME_BYTES];
};
void fuse_ask_cuse_init(struct fuse_message *message);
/* -EPROTO: no common version; -EINVAL: no name, or one that cannot be. */
err_t must_check fuse_answer_cuse_init(const struct fuse_reply *reply, struct fuse_cuse *out);

void fuse_ask_lookup(const struct fuse_session *session, struct fuse_message *message,
		     struct nodeid parent, struct server_name name);

void fuse_ask_forget(struct fuse_message *message, struct nodeid node, uint64_t nlookup);
#define FUSE_BATCH_MAX                                                                             \
	((FUSE_ARGUMENTS_MAX - sizeof(struct fuse_batch_forget_in)) /                              \
	 sizeof(struct fuse_forget_one))
void fuse_ask_batch_forget(struct fuse_message *message, const struct fuse_forget_one *nodes,
			   uint32_t count);

/* `handle` NULL: not by an open file. */
void fuse_ask_getattr(const struct fuse_session *session, struct fuse_message *message,
		      struct nodeid node, const uint64_t *handle);
void fuse_ask_setattr(const struct fuse_session *session, struct fuse_message *message,
		      struct nodeid node, const struct server_setattr *set, uint64_t handle);

void fuse_ask_readlink(struct fuse_message *message, struct nodeid node);
ssize_t must_check fuse_answer_readlink(const struct fuse_reply *reply, char *to, size_t to_bytes);

/* Making names: the reply is an entry. SYMLINK's target is the payload, with its NUL. */
void fuse_ask_symlink(const struct fuse_session *session, struct fuse_message *message,
		      struct nodeid parent, struct server_name name, size_t target_bytes);
void fuse_ask_mknod(const struct fuse_session *session, struct fuse_message *message,
		    struct nodeid parent, struct server_name name, uint32_t mode, uint64_t rdev,
		    uint32_t umask);
void fuse_ask_mkdir(const struct fuse_session *session, struct fuse_message *message,
		    struct nodeid parent, struct server_name name, uint32_t mode, uint32_t umask);
void fuse_ask_link(const struct fuse_session *session, struct fuse_message *message,
		   struct nodeid node, struct nodeid parent, struct server_name name);

void fuse_ask_unlink(struct fuse_message *message, struct nodeid parent, struct server_name name);
void fuse_ask_rmdir(struct fuse_message *message, struct nodeid parent, struct server_name name);
void fuse_ask_rename(struct fuse_message *message, struct nodeid old_parent,
		     struct server_name old_name, struct nodeid new_parent,
		     struct server_name new_name, unsigned flags);

/* `kill_ids`: the set-id bits go with what O_TRUNC cuts off. */
void fuse_ask_open(struct fuse_message *message, struct nodeid node, bool directory, unsigned flags,
		   bool kill_ids);
err_t must_check fuse_answer_open(const struct fuse_reply *reply, struct fuse_open_out *opened);
void fuse_ask_create(const struct fuse_session *session, struct fuse_message *message,
		     struct nodeid parent, struct server_name name, uint32_t mode, uint32_t umask,
		     unsigned flags, bool kill_ids);
err_t must_check fuse_answer_create(const struct fuse_session *session,
				    const struct fuse_reply *reply, struct server_entry *out,
				    struct fuse_open_out *opened);
/* A file without a name in `parent`; the answer is CREATE's. */
void fuse_ask_tmpfile(const struct fuse_session *session, struct fuse_message *message,
		      struct nodeid parent, uint32_t mode, uint32_t umask, unsigned flags,
		      bool kill_ids);
/* `flock_owner`: who has it locked as a whole; 0: nobody. */
void fuse_ask_release(struct fuse_message *message, struct nodeid node, bool directory,
		      uint64_t handle, unsigned flags, uint64_t flock_owner);
void fuse_ask_flush(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    uint64_t lock_owner);
void fuse_ask_fsync(struct fuse_message *message, struct nodeid node, bool directory,
		    uint64_t handle, bool data_only);

/* READ's reply is the payload: up to `size_bytes` into the request's pages. */
void fuse_ask_read(const struct fuse_session *session, struct fuse_message *message,
		   struct nodeid node, uint64_t handle, uint64_t offset_bytes, uint32_t size_bytes,
		   unsigned flags);
/* `write_flags`: FUSE_WRITE_*. */
void fuse_ask_write(const struct fuse_session *session, struct fuse_message *message,
		    struct nodeid node, uint64_t handle, uint64_t offset_bytes, uint32_t size_bytes,
		    unsigned flags, uint32_t write_flags);
/* How much of `size_bytes` was written. */
ssize_t must_check fuse_answer_write(const struct fuse_reply *reply, uint32_t size_bytes);

/* One look into a directory, from `next_cookie` on. */
struct fuse_listing {
	struct dirent_sink *sink;
	bool plus; /* READDIRPLUS: each name comes with its entry */
	uint64_t next_cookie;
	bool any;  /* after the answer: a name went into the sink */
	bool more; /* all did, and the directory may go on at next_cookie */
};
void fuse_ask_readdir(struct fuse_message *message, struct nodeid node, uint64_t handle,
		      const struct fuse_listing *listing, uint32_t size_bytes);
/* Hands each name but "." and ".." to the sink, and all their entries, of which each counts a
 * look-up. */
err_t must_check fuse_answer_readdir(const struct fuse_session *session,
				     const struct fuse_reply *reply, struct fuse_listing *listing);

void fuse_ask_statfs(const struct fuse_session *session, struct fuse_message *message,
		     struct nodeid node);
err_t must_check fuse_answer_statfs(const struct fuse_reply *reply, struct server_statfs *out);

void fuse_ask_setxattr(const struct fuse_session *session, struct fuse_message *message,
		       struct nodeid node, const char *name, uint32_t value_bytes, uint32_t flags);
/* `room_bytes` 0: how many there are, at most XATTR_SIZE_MAX. */
void fuse_ask_getxattr(struct fuse_message *message, struct nodeid node, const char *name,
		       uint32_t room_bytes);
void fuse_ask_listxattr(struct fuse_message *message, struct nodeid node, uint32_t room_bytes);
void fuse_ask_removexattr(struct fuse_message *message, struct nodeid node, const char *name);
ssize_t must_check fuse_answer_getxattr(const struct fuse_reply *reply, void *to,
					size_t room_bytes);
ssize_t must_check fuse_answer_listxattr(const struct fuse_reply *reply, char *to,
					 size_t room_bytes);

void fuse_ask_fallocate(struct fuse_message *message, struct nodeid node, uint64_t handle,
			uint32_t mode, uint64_t offset_bytes, uint64_t len_bytes);
void fuse_ask_lseek(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    uint64_t offset_bytes, int whence);
err_t must_check fuse_answer_lseek(const struct fuse_reply *reply, uint64_t *offset_bytes);
/* `wide`: in the form whose reply has 64 bits; else it is WRITE's. */
void fuse_ask_copy_file_range(struct fuse_message *message, const struct server_copy *copy,
			      uint64_t from_handle, uint64_t to_handle, bool wide);
/* How many were copied of copy->len_bytes. */
ssize_t must_check fuse_answer_copy_file_range(const struct fuse_reply *reply,
					       const struct server_copy *copy, bool wide);

/* Of a lock the owner is a number of ours. The answer of GETLK: what is in the way, F_UNLCK if
 * nothing is. */
void fuse_ask_setlk(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    const struct object_lock *lock, bool wait);
void fuse_ask_getlk(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    const struct object_lock *lock);
err_t must_check fuse_answer_getlk(const struct fuse_reply *reply, struct object_lock *lock);

struct fuse_ioctl_call {
	uint32_t command;
	uint64_t argument; /* as the program gave it */
	bool directory;
	bool unrestricted;  /* the answer may be that it wants other memory */
	uint32_t in_bytes;  /* the payload: of the program's memory */
	uint32_t out_bytes; /* the most that comes back */
};
void fuse_ask_ioctl(struct fuse_message *message, struct nodeid node, uint64_t handle,
		    const struct fuse_ioctl_call *call);
/* What a driver wants of a program's memory: pieces that go in, and then those that come back. */
#define FUSE_IOCTL_PIECES FUSE_IOCTL_MAX_IOV
#define FUSE_IOCTL_BYTES  (128u * KIB) /* of each way */
struct fuse_ioctl_pieces {
	uint32_t nin, nout;
	uint32_t in_bytes, out_bytes;
	struct fuse_ioctl_iovec pieces[FUSE_IOCTL_PIECES];
};
/* -EINVAL: the answer is a result; -EIO. */
err_t must_check fuse_answer_ioctl_retry(const struct fuse_reply *reply,
					 struct fuse_ioctl_pieces *out);
/* The call's result. `*out_bytes`: the room at `to`, and what was put there. */
ssize_t must_check fuse_answer_ioctl(const struct fuse_reply *reply, void *to, size_t *out_bytes);

/* `kh`: by what NOTIFY_POLL names the open file. */
void fuse_ask_poll(struct fuse_message *message, struct nodeid node, uint64_t handle, uint64_t kh);
err_t must_check fuse_answer_poll(const struct fuse_reply *reply, unsigned *events);

void fuse_ask_statx(struct fuse_message *message, struct nodeid node);
/* -ENOSYS: it does not know. */
err_t must_check fuse_answer_statx(const struct fuse_reply *reply, struct abi_timespec *birth);

/* Of a file on a block device: where block `block` of the file, of `block_bytes`, lies on it. */
void fuse_ask_bmap(struct fuse_message *message, struct nodeid node, uint64_t block,
		   uint32_t block_bytes);
err_t must_check fuse_answer_bmap(const struct fuse_reply *reply, uint64_t *block);

void fuse_ask_access(struct fuse_message *message, struct nodeid node, uint32_t mask);
void fuse_ask_destroy(struct fuse_message *message);
/* What NOTIFY_RETRIEVE asked for: `size_bytes` from `offset_bytes` on, in the payload. It has no
 * reply. */
void fuse_ask_notify_reply(struct fuse_message *message, struct nodeid node, uint64_t offset_bytes,
			   uint32_t size_bytes);
void fuse_ask_interrupt(struct fuse_message *message, uint64_t unique);

/* ---- as text (show.c) ---- */

/* "(1, \"name\")": what it asks for, behind the opcode's name; "node 5", "-1 ENOENT": what came of
 * it. Cut off where there is no room, which is at least one byte. Return its length. */
size_t fuse_show_request(const struct fuse_session *session, const struct fuse_message *message,
			 char *to, size_t to_bytes);
size_t fuse_show_answer(const struct fuse_message *message, const struct fuse_reply *reply,
			err_t error, char *to, size_t to_bytes);

#endif
