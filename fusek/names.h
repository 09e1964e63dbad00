/*
 * The name cache from inside: nodes (what a server's number means) and dentries (names in
 * directories), and who may change what.
 *
 * Look-ups run under RCU and see either nothing or something whole: a dentry's name and parent are
 * one constant struct that is exchanged as a whole when it is renamed, so no look-up can pair the
 * old name with the new parent. A chain that changes under a reader can at worst hide an entry from
 * it, and whoever finds nothing looks again under the lock or asks the server.
 *
 * References: a dentry holds its parent and its node, a node holds nothing. A hashed dentry has one
 * reference of the cache; one that has no other may be evicted. The last reference of a node ends
 * in forget(). Putting may ask a server, so it is done with no lock and outside of RCU.
 *
 * No server is asked with a lock held. What comes back may be old by then: names_version of the
 * directory, taken before asking, says whether an answer may still be kept.
 */
#ifndef FUSEK_NAMES_H
#define FUSEK_NAMES_H

#include <abi/fcntl.h>
#include <arch/spin.h>
#include <fusek/path.h>
#include <fusek/server.h>
#include <ipc/user_namespace.h>
#include <lib/list.h>
#include <lib/refcount.h>
#include <lib/string.h>
#include <sched/rcu.h>
#include <sched/seqcount.h>

struct acl;
struct filesystem;
struct inotify_watch;
struct lease;
struct mount;
struct node_locks;
struct node_pages;
struct pipe;

/*
 *   [c] constant once it can be found
 *   [n] names_lock, read under RCU
 *   [l] names_lock
 *   [t] attr_lock
 *   [s] attr_lock, read under attr_changes
 *   [a] atomic
 */
struct node {
	struct refcount references;
	struct node *hash_next; /* [n] */
	struct filesystem *fs;  /* [c] */
	struct nodeid id;       /* [c] */
	uint64_t generation;    /* [c] */
	uint64_t rdev;          /* [c] */
	uint64_t nlookup;       /* [l] what forget() will take back */
	uint64_t names_version; /* [a] of a directory: counts the beginnings and ends of changes */
	bool hashed;            /* [l] */
	struct dentry *dentry;  /* [l] read [a]: what named it last, not counted; NULL: nothing; of
				   a directory there is no other */
	struct spinlock attr_lock;    /* LOCK_DENTRY, never together with names_lock */
	struct seqcount attr_changes; /* [t] for the fields that are [s] */
	struct server_attr attr;      /* [s]; mode, uid and gid also read [a] */
	uint64_t attr_valid_until_ns; /* [s], read [a]; 0: ask again */
	uint64_t attr_version;        /* [t] the filesystem's of the last change here, or of the
					 answer that is kept: an older one is not */
	bool times_changed;           /* [t], read [a]: SERVER_WRITES_BACK, and it was not told */
	struct node_pages *pages;     /* [a] set once: the page cache (pages.h), NULL: none */
	struct mapped_places places;  /* where its pages are mapped */
	struct inotify_watch
		*watches;         /* notify_lock (notify.h); NULL: nobody watches it, read [a] */
	struct node_locks *locks; /* [a] set once: locks.h, NULL: it was never locked */
	char *link;               /* attr_lock: SERVER_KEEPS_LINKS; NULL: not read yet */
	struct acl *acl;      /* attr_lock, read under RCU: of SERVER_HAS_ACLS; NULL: it has none */
	struct lease *leases; /* lease.c's; NULL: there are none, read [a] */
	uint32_t nreaders;    /* [a] of a regular file: open files that only read, */
	uint32_t nwriters;    /* [a] and the others */
	/* Of a server with a stack_depth: how many open files use the page cache, or (not NULL,
	 * and not counted: they hold it) this file of another filesystem. */
	struct server_backing *backing; /* [t], read [a] */
	uint32_t ndata_users;           /* [t] */
	uint8_t write_hint;             /* [a] F_SET_RW_HINT's */
	struct pipe *fifo;              /* [a] set once: of a FIFO that was opened */
	struct rcu_head rcu;
};

/* A name in a directory; constant, exchanged as a whole. Holds a reference to the parent. */
struct dentry_key {
	struct dentry *parent; /* NULL: the root of a filesystem */
	uint32_t hash;
	uint16_t len_bytes;
	struct rcu_head rcu;
	char text[]; /* ends with a NUL, for messages */
};

struct dentry {
	struct refcount references;
	struct dentry *hash_next;    /* [n] */
	struct dentry_key *key;      /* [n] */
	struct node *node;           /* [c] NULL: the name is known not to exist */
	struct filesystem *fs;       /* [c] */
	struct mount_place *mounted; /* mounts_lock, read under RCU: where the first of the mounts
					stands that are here (mount_tree.h); NULL: none */
	uint64_t valid_until_ns;     /* [a] */
	struct list all;             /* [l] */
	bool hashed;                 /* [l] */
	bool removed;                /* [a] the thing had this name and lost it */
	bool used;                   /* [a] since the evictor looked last */
	struct rcu_head rcu;
};

extern struct spinlock names_lock; /* LOCK_DENTRY */

/* ---- nodes (node.c) ---- */

/* The node of a server's reply, which counted one look-up. A reference for the caller, with which
 * the look-up goes back. On an error it is the caller's: node_refuse_entry(). -EIO: the reply
 * cannot be true (said in the log). `version`: filesystem_attr_version() before the server was
 * asked, for what the reply says of a node that is known already; ATTR_VERSION_NONE: nothing. Takes
 * page locks, as node_pages_drop(). */
err_t must_check node_from_entry(struct filesystem *fs, const struct server_entry *entry,
				 uint64_t version, struct node **out);
/* What a reply gave out is not taken: the look-up goes back. */
void node_refuse_entry(struct filesystem *fs, const struct server_entry *entry);
struct node *node_get(struct node *node);
void node_put(struct node *node);
/* By the server's number, with a reference; NULL: nobody uses it. */
struct node *node_find(const struct server *server, struct nodeid id);

static inline uint32_t node_type(const struct node *node)
{
	return read_once(&node->attr.mode) & S_IFMT; /* the type bits never change */
}

/* A directory stands in one place, also where it has been looked up anew since. */
static inline bool dentry_same_place(const struct dentry *dentry, const struct dentry *other)
{
	return dentry == other ||
	       (other->node && dentry->node == other->node && node_type(other->node) == S_IFDIR);
}

/* Makes the cached attributes ask-again: something changed them. */
void node_attr_changed(struct node *node);
/* The same by a change that every file's ctime tells: of a file that is ahead it is ours to tell.
 */
void node_attr_status_changed(struct node *node);
/* It has one name more (1) or less (-1). */
void node_attr_linked(struct node *node, int links);
/* What a change of attributes ended in, for which the server was asked after `version` was taken.
 * False: it is not kept, as something else changed them meanwhile. */
bool must_check node_attr_changed_to(struct node *node, const struct server_attr *attr,
				     uint64_t valid_ns, uint64_t version);
/* A regular file of a server with SERVER_WRITES_BACK. */
bool node_is_ahead(const struct node *node);
/* Of such a one (else nothing): it was changed in memory, and ends at `end_bytes` at least; */
void node_attr_grown(struct node *node, uint64_t end_bytes);
/* it was cut when it was opened; */
void node_attr_truncated(struct node *node);
/* `attr`, the server's, as it is in truth; */
void node_attr_ours(struct node *node, struct server_attr *attr);
/* the server has done `set` and says `attr`; */
void node_attr_set(struct node *node, const struct server_setattr *set,
		   const struct server_attr *attr);
/* what the server is to be told, once. False: nothing. */
bool node_times_take(struct node *node, struct server_setattr *set);
/* From the cache, or from the server when they are too old. */
err_t must_check node_attr(struct node *node, struct server_attr *out);
/* The same; the server is asked by an open file of it, unless `handle` is NULL. */
err_t must_check node_attr_by(struct node *node, const struct handle *handle,
			      struct server_attr *out);

/* Where the file ends, likewise. */
err_t must_check node_size(struct node *node, uint64_t *size_bytes);

/* The file ended at `size_bytes` when it was read: the cached size does not say more until it is
 * asked for again. */
void node_attr_shrunk(struct node *node, uint64_t size_bytes);
/* It was written to, up to `end_bytes`: the size says no less, and all is asked for again. */
void node_attr_written(struct node *node, uint64_t end_bytes);

/* The text of a link, as server_ops.readlink says it; the cache's if it may be kept. Sleeps. */
ssize_t must_check node_readlink(struct node *node, char *to, size_t to_bytes);
/* It is to be read again. */
void node_forget_link(struct node *node);

/* In node->acl: the server has not been asked for it yet. */
#define ACL_UNKNOWN ((struct acl *)&acl_unknown)
extern const struct acl acl_unknown;

/* -EACCES unless `context` may do all of R_OK | W_OK | X_OK, by mode bits or by the access control
 * list. A server's own errors; -EIO: its list is none. Sleeps. */
err_t must_check node_may(struct node *node, const struct vfs_context *context, unsigned mask);
/* The same in an RCU section; -EAGAIN: it would have to ask. */
err_t must_check node_may_rcu(const struct node *node, const struct vfs_context *context,
			      unsigned mask);
/* One of its lists, the caller's; not checked. NULL: it has none. The server's errors. Sleeps. */
err_t must_check node_read_acl(const struct node *node, const char *attribute, struct acl **out);
/* It is to be asked for again. */
void node_forget_acl(struct node *node);

/* Over this file, with its owner as it is known: as vfs_capable_of_ids(). */
bool node_capable(const struct node *node, const struct vfs_context *context, unsigned capability);
/* -EPERM unless `context` owns it or has `capability` (CAP_*). Sleeps. */
err_t must_check node_may_own(struct node *node, const struct vfs_context *context,
			      unsigned capability);

/* When something valid for `valid_ns` from now ends. */
uint64_t valid_until(uint64_t valid_ns);
bool still_valid(uint64_t valid_until_ns);

/* Attributes that have to be asked for again may still be right about the mode: a server of our own
 * has no other than what it was told here. */
bool node_old_mode_holds(const struct node *node);

/* Whether node_may() may be believed without asking. */
static inline bool node_mode_holds(const struct node *node)
{
	return likely(read_once(&node->attr_valid_until_ns) == SERVER_VALID_FOREVER) ||
	       node_old_mode_holds(node);
}

/* The same after asking, if need be. Sleeps. */
err_t must_check node_know_mode(struct node *node);
/* Also of a server that checks access itself, which decides neither what is a program, nor what a
 * sticky directory forbids, nor what an owner may: mode and owner are as it last said, and it is
 * asked if that is too old. Sleeps. */
err_t must_check node_know_owner(struct node *node);

/* ---- dentries (dentry.c, dentry_evict.c, dentry_key.c) ---- */

extern uint64_t name_hash_seed; /* so that nobody can choose names of one bucket; set before any */

/* Up to seven bytes as one number, without a loop: two texts of one length never have the same. */
static inline uint64_t name_tail(const char *text, size_t len_bytes)
{
	uint32_t low, high;

	if (len_bytes >= 4) {
		memcpy(&low, text, 4);
		memcpy(&high, text + len_bytes - 4, 4);
		return low | (uint64_t)high << 32;
	}
	if (!len_bytes)
		return 0;
	return (uint8_t)text[0] | (uint64_t)(uint8_t)text[len_bytes / 2] << 8 |
	       (uint64_t)(uint8_t)text[len_bytes - 1] << 16;
}

/* A multiplication carries to higher bits only, so upper ones are brought down before it: not by
 * half the word, since the halves of a tail of four bytes are the same. */
static inline uint64_t name_hash_step(uint64_t hash, uint64_t word)
{
	hash ^= word;
	hash ^= hash >> 29;
	return hash * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint32_t name_hash(const struct dentry *parent, const char *text, size_t len_bytes)
{
	uint64_t hash = (uint64_t)parent ^ read_once(&name_hash_seed);

	for (; len_bytes >= 8; text += 8, len_bytes -= 8) {
		uint64_t word;

		memcpy(&word, text, 8);
		hash = name_hash_step(hash, word);
	}
	hash = name_hash_step(hash, name_tail(text, len_bytes) + len_bytes);
	return (uint32_t)(hash >> 32);
}

/* The root of a filesystem; holds `node`'s reference. NULL: no memory. */
struct dentry *dentry_create_root(struct filesystem *fs, struct node *node);
/* The same for something that is found without a name: the node does not have it for one. */
struct dentry *dentry_create_nameless(struct filesystem *fs, struct node *node);
/* A name of the node that is in use or cached, perhaps one that was removed, with a reference;
 * NULL: there is none. */
struct dentry *dentry_of_node(struct node *node);
/* The same; NULL as well of what is no directory. */
static inline struct dentry *dentry_of_directory(struct node *directory)
{
	return node_type(directory) == S_IFDIR ? dentry_of_node(directory) : NULL;
}
static inline struct dentry *dentry_get(struct dentry *dentry)
{
	refcount_get(&dentry->references);
	return dentry;
}

/* Its last reference is gone. */
void dentry_unused(struct dentry *dentry);

/* May sleep. Takes NULL. */
static inline void dentry_put(struct dentry *dentry)
{
	if (dentry && refcount_put(&dentry->references))
		dentry_unused(dentry);
}

/* In an RCU section, without a reference; NULL: not cached, or no longer valid. */
struct dentry *dentry_find_rcu(const struct dentry *parent, struct server_name name, uint32_t hash);
/* With a reference. */
struct dentry *dentry_find(const struct dentry *parent, struct server_name name, uint32_t hash);

/* A name that the server told about. Consumes the reference to `node` (NULL: does not exist), also
 * on an error. If the directory has changed since `version`, the dentry is not kept in the cache. A
 * reference for the caller. */
err_t must_check dentry_insert(struct dentry *parent, struct server_name name, struct node *node,
			       uint64_t valid_ns, uint64_t version, struct dentry **out);

/* From the cache or from the server: *out may be negative (no node). Of what the server was asked
 * for, *attr (NULL: not wanted) is what came with the answer; else it is not changed. */
err_t must_check dentry_lookup(struct dentry *parent, struct server_name name,
			       const struct vfs_context *context, struct server_attr *attr,
			       struct dentry **out);

/* Something shall be mounted on it, which walks find only if they find this dentry, and those above
 * it, again: they stay in the cache while they are held, also if the server wants to be asked each
 * time. -ENOENT: its name means something else now. Sleeps. */
err_t must_check dentry_keep(struct dentry *dentry);
/* It lost its name, and what stands on it goes with that. Sleeps. */
void dentry_set_removed(struct dentry *dentry);

/* All names of the filesystem are asked for again, and what was asked before is not kept. */
void dentry_expire_all(const struct filesystem *fs);
/* Names of these nodes leave the cache, if nobody uses them. */
void dentry_prune(const struct filesystem *fs, const uint64_t *nodes, size_t count);
/* Its name, and those above it, are asked for again. */
void dentry_expire(struct dentry *dentry);

/* The name is gone or means something else now. */
void dentry_drop(struct dentry *dentry);
/* The same for whatever the cache has under the name, if it means `node`. */
void dentry_drop_name(struct dentry *parent, struct server_name name, const struct node *node);

/*
 * A change of a directory's names: what was asked before its end is not kept. Between begin and end
 * the server is asked; afterwards dentries are inserted or moved (with the result of end as
 * version) or dropped.
 */
struct names_change {
	struct node *directory;
	uint64_t version;
};
void names_change_begin(struct names_change *change, struct node *directory);
/* The version for what goes into the cache; one that never matches if others changed the directory
 * too. */
uint64_t names_change_end(struct names_change *change);

/* A rename that the server has done: both names and what names_change_end() said of their
 * directories. */
struct names_rename {
	struct dentry_key *from, *to;
	uint64_t from_version, to_version;
};
/* `old` and, unless NULL, `exchanged` the other way get their new names; what else the cache has
 * under both goes. What somebody else has changed meanwhile is not kept. Consumes the keys. */
void dentry_renamed(struct dentry *old, struct dentry *exchanged,
		    const struct names_rename *rename);
/* NULL: no memory. */
struct dentry_key *dentry_key_create(struct dentry *parent, struct server_name name);
void dentry_key_free(struct dentry_key *key);

/* Takes everything of a filesystem that has no mount any more out of the cache, also what is in
 * use: it stays with who uses it. */
void dentry_drop_all(const struct filesystem *fs);

/* Its name from the root of its filesystem, with the NUL; the length; -ERANGE. */
ssize_t must_check dentry_name(const struct dentry *dentry, char *to, size_t to_bytes);

/* True if `dentry` is `ancestor` or below it, in one filesystem; false if so much is renamed that
 * nobody can tell. */
bool dentry_is_below(const struct dentry *dentry, const struct dentry *ancestor);

static inline bool dentry_is_negative(const struct dentry *dentry)
{
	return !dentry->node;
}

static inline struct dentry_key *dentry_key(const struct dentry *dentry)
{
	return rcu_dereference(&dentry->key);
}

/* ---- filesystems (filesystem.c) ---- */

/* A server with its nodes and names. It is in the tree by its mounts, and lives as long as there is
 * one; after the last one, which may be long after the tree has lost it, it goes with its last
 * node. */
struct filesystem {
	struct server *server;       /* [c] */
	char *source;                /* [c] what mount(2) was told; NULL: the server's */
	struct dentry *root;         /* [c] */
	struct refcount references;  /* of mounts, and of who makes one */
	struct user_namespace *user; /* [c] a reference: the server's */
	uint32_t number;             /* [c] st_dev */
	uint64_t nnodes;             /* [a] */
	uint32_t ncached;            /* [l] names in the cache, read [a] */
	uint64_t no_create;          /* [a] the server does not know CREATE */
	uint64_t attr_version;       /* [a] counts changes of attributes of its nodes, from 1 */
	uint32_t nwriters;           /* [a] files that are open for writing */
	uint64_t ndirty;             /* [a] pages that the server has not seen yet */
	bool ending;                 /* [a] there is no mount any more: goes with its last node */
	struct rcu_head rcu;
};

/* Asks the server for its root; `source` (NULL: the server's) is copied. *out is a reference; with
 * it the server is the filesystem's, and destroy() is called when it ends. On an error the server
 * stays the caller's. */
err_t must_check filesystem_create(struct server *server, const char *source,
				   struct filesystem **out);
/* Before a server is asked for attributes: what was changed here since is newer than its answer. */
static inline uint64_t filesystem_attr_version(const struct filesystem *fs)
{
	return load_acquire(&fs->attr_version);
}
#define ATTR_VERSION_NONE UINT64_C(0) /* before all changes */

/* What /proc/mounts shows in front. */
const char *filesystem_source(const struct filesystem *fs);
struct filesystem *filesystem_get(struct filesystem *fs);
/* Sleeps. */
void filesystem_put(struct filesystem *fs);
/* Its last node is gone, and there was no mount any more. */
void filesystem_gone(struct filesystem *fs);

static inline struct server *node_server(const struct node *node)
{
	return node->fs->server;
}

static inline bool node_has_acls(const struct node *node)
{
	return read_once(&node_server(node)->agreed) & SERVER_HAS_ACLS;
}

/* The server decides who may do what, and mode bits are not looked at. */
static inline bool node_is_checked_by_server(const struct node *node)
{
	return node_server(node)->flags & SERVER_CHECKS_ACCESS && !node_has_acls(node);
}

struct server_caller server_caller_of(const struct vfs_context *context);

/* ---- counters (dentry.c) ---- */

struct names_counters {
	uint64_t ndentries, nnegative, nnodes;  /* [a] */
	uint64_t nwalks, nwalks_fast, nlookups; /* [a] */
};
extern struct names_counters names_counters;

#endif
