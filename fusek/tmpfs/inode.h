/*
 * tmpfs from inside. Locks, outermost first:
 *
 *  - tree_lock (LOCK_DIRECTORY), one for each tmpfs: all names, parents, link counts and look-up
 *    counts. One lock keeps renames simple; the name cache above keeps look-ups away from it.
 *  - data_lock (LOCK_NODE), one for each file: writing, truncating, so that each is one step for
 * the others. The program's memory is copied under it, and may fault meanwhile.
 *  - pages->lock (LOCK_OBJECT): which pages there are. Short; page faults take it, and only it.
 *  - attr_lock (spinning): size, mode, owner, times.
 */
#ifndef FUSEK_TMPFS_INODE_H
#define FUSEK_TMPFS_INODE_H

#include "tmpfs.h"

#include <arch/spin.h>
#include <lib/list.h>
#include <lib/tree.h>
#include <mm/frame.h>
#include <sched/lock.h>

struct tmpfs;
struct tmpfs_xattr;

/* ---- pages of a file (pages.c) ---- */

/* What one tmpfs holds and may; 0: no limit but the share of all. All [a]. */
struct tmpfs_room {
	uint64_t frames_used, frames_max; /* pages of files, long links */
	uint64_t inodes_used, inodes_max;
};

/* A radix tree of 512-way tables. Height 0: `root` is page 0 itself. */
struct tmpfs_pages {
	struct mutex lock; /* LOCK_OBJECT */
	void *root;        /* lock: struct frame * at height 0, else a table */
	unsigned height;   /* lock */
	uint64_t nframes;  /* lock, read [a]: pages and tables */

	struct tmpfs_room *room; /* [c] whose pages they are */
};

#define TMPFS_SHORT_TARGET 128 /* SHORT_SYMLINK_LEN */

#define TMPFS_HEIGHT_MAX 4
/* Whole pages that the tree reaches. */
#define TMPFS_PAGES_MAX      (UINT64_C(1) << (9 * TMPFS_HEIGHT_MAX))
#define TMPFS_FILE_BYTES_MAX (TMPFS_PAGES_MAX * PAGE_SIZE)

void tmpfs_pages_init(struct tmpfs_pages *pages, struct tmpfs_room *room);
/* The page, without a reference, or NULL: none is there. pages->lock is held. */
struct frame *tmpfs_pages_find_locked(const struct tmpfs_pages *pages, uint64_t index)
	REQUIRES(pages->lock);
/* Puts a page where none is; takes over the reference. -ENOSPC, -ENOMEM (then it stays the
 * caller's). pages->lock is held. */
err_t must_check tmpfs_pages_add_locked(struct tmpfs_pages *pages, uint64_t index,
					struct frame *frame) REQUIRES(pages->lock);
/* Takes out and frees all pages from `first` on, before `end`. */
void tmpfs_pages_cut(struct tmpfs_pages *pages, uint64_t first, uint64_t end);
/* The first index from `index` on where a page is (`used`), or none; UINT64_MAX: there is none
 * such. pages->lock is held. */
uint64_t tmpfs_pages_next_locked(const struct tmpfs_pages *pages, uint64_t index, bool used)
	REQUIRES(pages->lock);

/* -ENOSPC: of tmpfs's share of memory, or of the room, nothing is left. */
err_t must_check tmpfs_page_charge(struct tmpfs_room *room);
void tmpfs_page_uncharge(struct tmpfs_room *room);
/* How many pages there is room for still. */
uint64_t tmpfs_pages_left(const struct tmpfs_room *room);
/* A zeroed frame within that. */
err_t must_check tmpfs_frame_alloc(struct tmpfs_room *room, struct frame **out);
void tmpfs_frame_free(struct tmpfs_room *room, struct frame *frame);

/* The share of all tmpfs together: half of memory. */
uint64_t tmpfs_frames_max(void);
/* A file, or, as on Linux, a further name of one. -ENOSPC: as many as tmpfs may have exist. */
err_t must_check tmpfs_inode_charge(struct tmpfs_room *room);
void tmpfs_inode_uncharge(struct tmpfs_room *room);
/* How many files there is room for still. */
uint64_t tmpfs_inodes_left(const struct tmpfs_room *room);

/* ---- inodes ---- */

/*
 *   [c] constant
 *   [t] tree_lock
 *   [d] data_lock; [p] pages.lock
 *   [a] attr_lock
 */
struct tmpfs_inode {
	uint64_t ino;                            /* [c] */
	uint32_t type;                           /* [c] S_IFMT bits */
	uint64_t rdev;                           /* [c] */
	uint64_t nlookup;                        /* [t] what forget() will take back */
	uint32_t nlink;                          /* [t], read [a] */
	struct spinlock attr_lock;               /* LOCK_DENTRY: nothing is taken under it */
	uint32_t mode, uid, gid;                 /* [a] mode without the type */
	uint64_t size_bytes;                     /* [a]; written under data_lock too */
	struct mutex data_lock;                  /* LOCK_NODE */
	struct abi_timespec atime, mtime, ctime; /* [a] */

	struct abi_timespec btime; /* [c] */
	bool linkable;             /* [t] made without a name, it may still get one */
	struct list xattrs;        /* [d] struct tmpfs_xattr */
	size_t xattr_names_bytes;  /* [d], read [a]: with their NULs */

	/* directories */
	struct tree by_name;        /* [t] */
	struct tree by_cookie;      /* [t] */
	uint64_t last_cookie;       /* [t] */
	struct tmpfs_inode *parent; /* [t] itself for the root; NULL: removed */

	/* links */
	char *target;        /* [c] */
	size_t target_bytes; /* [c] above TMPFS_SHORT_TARGET it takes a page of the share */

	/* files */
	uint32_t seals;     /* [d], read [a]: F_SEAL_* that nobody takes off */
	uint32_t nwritable; /* atomic, grows under [d]: shared mappings that may write */
	struct tmpfs_pages pages;
	struct nodeid seed;  /* [c] of tmpfs->seed; 0: none */
	uint64_t seed_bytes; /* [p] so much of it still shows through where no page is */

	struct list all;       /* [t] on tmpfs->inodes */
	struct list seed_link; /* while the tree is seeded: directories to be filled */
};

struct tmpfs_entry {
	struct tree_node by_name;
	struct tree_node by_cookie;
	uint64_t cookie;
	struct tmpfs_inode *inode; /* [t] */
	uint32_t hash;
	uint16_t len_bytes;
	char text[];
};

/* What mount(2) was told. */
struct tmpfs_options {
	uint64_t frames_max, inodes_max; /* 0: no limit */
	uint32_t mode, uid, gid;         /* of the root */
};

struct tmpfs {
	struct server server;
	struct tmpfs_room room;
	struct tmpfs_options options; /* [c] as it was made; limits are in `room` */
	struct mutex tree_lock;
	uint64_t last_ino;  /* [t] */
	struct list inodes; /* [t] all of them, the youngest first */
	struct tmpfs_inode *root;
	struct server *seed; /* [c] or NULL */
};

static inline struct tmpfs *tmpfs_of(struct server *server)
{
	return container_of(server, struct tmpfs, server);
}

/* A number of ours is the address of the inode: the layer above names only what it was told and has
 * not forgotten. */
static inline struct tmpfs_inode *tmpfs_inode(struct server *server, struct nodeid node)
{
	if (nodeid_equal(node, SERVER_ROOT))
		return tmpfs_of(server)->root;
	return (struct tmpfs_inode *)node.value;
}

static inline struct nodeid tmpfs_nodeid(const struct tmpfs_inode *inode)
{
	return (struct nodeid){(uint64_t)inode};
}

/* ---- inode.c ---- */

/* Without a name; tree_lock is held (for the number). */
err_t must_check tmpfs_inode_create_locked(struct tmpfs *fs, uint32_t mode, uint32_t uid,
					   uint32_t gid, struct tmpfs_inode **out)
	REQUIRES(fs->tree_lock);
/* Frees what has neither names nor look-ups left. */
void tmpfs_inode_settle_locked(struct tmpfs *fs, struct tmpfs_inode *inode) REQUIRES(fs->tree_lock);
void tmpfs_inode_free(struct tmpfs_inode *inode);
/* What a link leads to. -ENOSPC, -ENOMEM. */
err_t must_check tmpfs_inode_set_target(struct tmpfs_inode *inode, const char *text,
					size_t len_bytes);
struct abi_timespec tmpfs_now(void);
/* The contents have changed (modified), or only the inode. */
void tmpfs_touch(struct tmpfs_inode *inode, bool modified);
void tmpfs_fill_attr(struct tmpfs_inode *inode, struct server_attr *out);

bool tmpfs_accessed(struct server *server, struct nodeid node, bool is_strict);
err_t tmpfs_getattr(struct server *server, struct nodeid node, struct server_attr *out,
		    uint64_t *attr_valid_ns);
err_t tmpfs_setattr(struct server *server, const struct server_caller *caller, struct nodeid node,
		    const struct server_setattr *set, struct server_attr *out,
		    uint64_t *attr_valid_ns);

/* ---- entries.c: the names of one directory; tree_lock is held ---- */

struct tmpfs_entry *tmpfs_entry_create(struct server_name name, struct tmpfs_inode *inode);
struct tmpfs_entry *tmpfs_entry_find(const struct tmpfs_inode *directory, struct server_name name);
/* The first one behind `cookie`. */
struct tmpfs_entry *tmpfs_entry_after(const struct tmpfs_inode *directory, uint64_t cookie);
void tmpfs_entry_add(struct tmpfs_inode *directory, struct tmpfs_entry *entry);
void tmpfs_entry_remove(struct tmpfs_inode *directory, struct tmpfs_entry *entry);

/* ---- data.c ---- */

ssize_t tmpfs_read(struct server *server, struct nodeid node, struct handle handle,
		   struct buffer *buffer, uint64_t offset_bytes, unsigned flags);
ssize_t tmpfs_write(struct server *server, const struct server_caller *caller, struct nodeid node,
		    struct handle handle, struct buffer *buffer, uint64_t offset_bytes,
		    unsigned flags, uint64_t *end_bytes);
err_t tmpfs_get_page(struct server *server, struct nodeid node, uint64_t page_index,
		     unsigned fault_access, struct page_ref *out);
/* Takes data_lock. */
err_t must_check tmpfs_set_size(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t size_bytes);

/* What data.c and range.c share; data_lock is held. Of *out the caller gets a reference. */
err_t must_check tmpfs_own_page(struct tmpfs *fs, struct tmpfs_inode *inode, uint64_t index,
				struct frame **out);
/* Before the file grows beyond the seed's end: the page where it ends becomes the file's own. */
err_t must_check tmpfs_settle_seed_end(struct tmpfs *fs, struct tmpfs_inode *inode);
void tmpfs_set_size_field(struct tmpfs_inode *inode, uint64_t size_bytes);

/* ---- range.c ---- */

err_t tmpfs_fallocate(struct server *server, struct nodeid node, struct handle handle,
		      unsigned mode, uint64_t offset_bytes, uint64_t len_bytes);
err_t tmpfs_lseek(struct server *server, struct nodeid node, struct handle handle,
		  uint64_t offset_bytes, int whence, uint64_t *found_bytes);

/* ---- seals.c: what a file's contents are protected from, for good ---- */

/* data_lock is held. -EPERM. */
err_t must_check tmpfs_seals_allow_write_locked(const struct tmpfs_inode *inode)
	REQUIRES(inode->data_lock);
err_t must_check tmpfs_seals_allow_size_locked(const struct tmpfs_inode *inode, uint64_t size_bytes)
	REQUIRES(inode->data_lock);
/* -EPERM: the new mode makes a program of it, or none. */
err_t must_check tmpfs_seals_allow_mode(const struct tmpfs_inode *inode, uint32_t mode);
err_t tmpfs_seal(struct server *server, struct nodeid node, unsigned add, unsigned *seals);
err_t tmpfs_map_writable(struct server *server, struct nodeid node);
void tmpfs_unmap_writable(struct server *server, struct nodeid node);

/* ---- xattr.c ---- */

ssize_t tmpfs_getxattr(struct server *server, const struct server_caller *caller,
		       struct nodeid node, const char *name, void *to, size_t to_bytes);
ssize_t tmpfs_listxattr(struct server *server, const struct server_caller *caller,
			struct nodeid node, char *to, size_t to_bytes);
err_t tmpfs_setxattr(struct server *server, const struct server_caller *caller, struct nodeid node,
		     const char *name, const void *value, size_t value_bytes, unsigned flags);
err_t tmpfs_removexattr(struct server *server, const struct server_caller *caller,
			struct nodeid node, const char *name);
/* ---- acl.c: access control lists, which are attributes ---- */

/* What is new in `directory` and has the mode that it was asked for: its lists, or the umask. Takes
 * data_lock of both. -ENOMEM, -ENOSPC. */
err_t must_check tmpfs_acls_inherit(struct tmpfs_inode *directory, struct tmpfs_inode *inode,
				    uint32_t umask);
/* Its mode becomes `mode`, and its list what that says. */
void tmpfs_acl_chmod_locked(struct tmpfs_inode *inode, uint32_t mode) REQUIRES(inode->data_lock);
/* As tmpfs_setxattr(), of one of the two. */
err_t must_check tmpfs_set_acl(struct tmpfs_inode *inode, const char *name, const void *value,
			       size_t value_bytes, unsigned flags);

/* ---- xattr.c, for these ---- */

/* -ENOSPC: of the share of all tmpfs nothing is left; -ENOMEM. `value` NULL: to be filled in. */
err_t must_check tmpfs_xattr_create(const char *name, const void *value, size_t value_bytes,
				    struct tmpfs_xattr **out);
void tmpfs_xattr_free(struct tmpfs_xattr *xattr); /* takes NULL */
void *tmpfs_xattr_value(struct tmpfs_xattr *xattr, size_t *value_bytes);
struct tmpfs_xattr *tmpfs_xattr_find_locked(struct tmpfs_inode *inode, const char *name)
	REQUIRES(inode->data_lock);
/* In the place of what had its name: *replaced, to be freed. */
err_t must_check tmpfs_xattr_put_locked(struct tmpfs_inode *inode, struct tmpfs_xattr *fresh,
					unsigned flags, struct tmpfs_xattr **replaced)
	REQUIRES(inode->data_lock);
/* Off its list. NULL: there is none. */
struct tmpfs_xattr *tmpfs_xattr_take_locked(struct tmpfs_inode *inode, const char *name)
	REQUIRES(inode->data_lock);
void tmpfs_xattrs_free(struct tmpfs_inode *inode);

/* ---- options.c ---- */

struct tmpfs_options tmpfs_default_options(void);
/* "size=1m,nr_inodes=100,mode=755 ..." into *out, what is not named stays. -EINVAL, and a line in
 * the log. */
err_t must_check tmpfs_parse_options(const char *text, struct tmpfs_options *out);
err_t tmpfs_reconfigure(struct server *server, const char *options);
void tmpfs_describe(struct server *server, char *to, size_t to_bytes);

/* ---- seed.c ---- */

err_t must_check tmpfs_seed(struct tmpfs *fs, const char *name);

/* ---- names.c ---- */

extern const struct server_ops tmpfs_ops;

#endif
