/*
 * The open file from inside: one for each open(), named by descriptors and mappings.
 */
#ifndef FUSEK_OPEN_FILE_H
#define FUSEK_OPEN_FILE_H

#include "devices.h"
#include "names.h"

#include <ipc/object.h>
#include <sched/lock.h>

/*
 *   [c] constant after file_create()
 *   [p] position_lock
 */
struct file {
	struct object object;
	struct dentry *dentry;   /* [c] a reference */
	struct mount *mount;     /* [c] the same; both are its place */
	struct node *node;       /* [c] of dentry, which keeps it */
	struct server *server;   /* [c] who serves the data: the node's, or devfs for a device,
				    or a FIFO's */
	struct nodeid id;        /* [c] its number there */
	struct server_open open; /* [c] */
	struct file *data;       /* [c] where its data is, a reference; NULL: its server has it */
	bool uses_data;          /* node->attr_lock: counted in node->ndata_users */
	bool opened;             /* [c] release is owed */
	bool handleless;         /* [c] open, though the server knows of no opening: it may of
				    closing */
	bool is_writer;          /* [c] the mount counts it */
	bool owns_mount;         /* [c] mount_abandon() is owed */
	bool counted;            /* [c] in the node's nreaders or nwriters */
	bool created;            /* [c] it did not exist when it was opened */
	bool told_open;          /* [c] who watches was told that it is open */
	bool notified;           /* [a] F_NOTIFY was asked for: it may have watches */
	struct mutex position_lock; /* LOCK_FILE */
	uint64_t position;          /* [p] of a directory: the cookie */
	uint64_t lock_owner;        /* [a] set once: as owner of locks; 0: it never took one */
	uint64_t ahead_index;       /* hint: the page that a reader who goes on wants next */
	uint32_t ahead_pages;       /* hint: how many were asked for at once */
};

static inline struct file *file_of(struct object *object)
{
	return container_of(object, struct file, object);
}

extern const struct object_ops file_ops;

/* An object for `at`, whose reference it takes over (also on an error); the server has not been
 * asked. */
err_t must_check file_create(const struct path *at, unsigned flags, struct file **out);

/* Asks the server to open it: a handle. `flags` are open's, O_TRUNC with them. */
err_t must_check file_open_at_server(struct file *file, const struct vfs_context *context,
				     unsigned flags);

/* Opens what is there, as open() by name. Consumes the references of `at`. */
err_t must_check vfs_open_place(const struct vfs_context *context, struct path *at, unsigned flags,
				struct object **out);

/* ---- for the calls by name (lookup.c) ---- */

/* What `name` means for an *at call; *out is a reference. at_flags: AT_EMPTY_PATH. */
err_t must_check vfs_resolve(const struct vfs_context *context, struct object *at, const char *name,
			     unsigned at_flags, unsigned walk_flags, struct path *out);
/* Where an *at call starts; borrowed. -ENOTDIR. */
err_t must_check vfs_start(const struct vfs_context *context, struct object *at, const char *name,
			   struct path *out);

/* As node_may(), and asks a server that decides itself: for access(2) and chdir. Sleeps. */
err_t must_check path_access(const struct path *path, const struct vfs_context *context,
			     unsigned mask);

void vfs_fill_stat(const struct node *node, const struct server_attr *attr, struct abi_stat *out);
/* As node_attr(), without asking; the node is held, or this is an RCU section. False: they are too
 * old, and *out holds nothing. */
bool must_check node_stat_cached(const struct node *node, struct abi_stat *out);
/* The same; else as node_attr_by(). */
err_t must_check node_stat(struct node *node, const struct handle *handle, struct abi_stat *out);

/* A new file in the directory `at` that never gets a name, but is shown as `shown` (NULL: by its
 * number) and deleted. */
err_t must_check vfs_open_nameless(const struct vfs_context *context, const struct path *at,
				   const char *shown, uint32_t mode, unsigned flags,
				   struct object **out);

/* For who has checked already, or need not: a file just made is open for whatever its mode says,
 * and a program may be executable without being readable. Consumes the references of `at`. */
err_t must_check file_open_unchecked(const struct path *at, const struct vfs_context *context,
				     unsigned kept_flags, struct object **out);

/* ---- object_ops of open files, by subject ---- */

/* file.c: without the position's lock, and nobody is told. *end_bytes: where it ended. */
ssize_t must_check file_read_at(struct file *file, struct buffer *buffer, uint64_t offset_bytes);
ssize_t must_check file_write_at(struct file *file, struct buffer *buffer, uint64_t offset_bytes,
				 uint64_t *end_bytes);

/* ranges.c */
err_t file_allocate(struct object *object, unsigned mode, uint64_t offset_bytes,
		    uint64_t len_bytes);
ssize_t file_copy_range(struct object *from, uint64_t from_bytes, struct object *to,
			uint64_t to_bytes, uint32_t len_bytes);
/* SEEK_DATA, SEEK_HOLE. */
err_t must_check file_find_data(struct file *file, int64_t offset_bytes, int whence,
				int64_t *found_bytes);

/* file_locks.c */
err_t file_lock(struct object *object, const struct object_lock *lock, bool wait);
err_t file_lock_test(struct object *object, struct object_lock *lock);
/* A descriptor is closed (after the server was told), the last one was. */
void file_locks_closed(struct file *file, uint64_t process);
void file_locks_released(struct file *file);

/* file_map.c: the object_ops' map; the mapping holds a reference to the file. */
err_t must_check file_map(struct object *object, const struct object_map_request *request,
			  struct memory_object **out);

/* fifo.c serves the data of FIFOs, whatever filesystem has their names. */
err_t must_check fifo_open_file(struct file *file, unsigned flags);
struct object *fifo_end(struct object *object);

/* Something of it was read: its time of access changes, unless the file or the mount says that it
 * shall not. Sleeps not. */
void file_accessed(struct file *file);

/* getdents.c */
ssize_t must_check file_getdents(struct object *object, struct buffer *buffer,
				 enum dirent_form form);

/* SETATTR_SIZE: the set-id bits go as well, as file_drop_ids() says. */
err_t must_check node_setattr(struct node *node, const struct vfs_context *context,
			      const struct server_setattr *set);

/* ---- set-id bits (attributes.c) ---- */

#define MODE_ID_BITS (S_ISUID | S_ISGID)

/* With this mode, whether they go when the running program changes the contents. */
bool node_ids_go(const struct node *node, uint32_t mode);

err_t must_check file_drop_ids_slowly(struct file *file);

/* The running program is about to change the contents: unless it may keep the bits (CAP_FSETID),
 * the file does not run as another user any more, nor, if it is a program for its group, as that.
 * Asks the server. */
static inline err_t must_check file_drop_ids(struct file *file)
{
	return likely(!(read_once(&file->node->attr.mode) & MODE_ID_BITS))
		       ? 0
		       : file_drop_ids_slowly(file);
}

/* A device without a position: nothing of what is asked about files concerns its data. */
static ALWAYS_INLINE bool file_is_device_stream(const struct file *file)
{
	return file->open.flags & SERVER_STREAM && file->server == devfs_server();
}

#endif
