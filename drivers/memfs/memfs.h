/*
 * memfs: a filesystem in the driver's memory, all that tmpfs can over FUSE.
 *
 * Any number of threads serve. Locks, outermost first:
 *	memfs->lock	names, which nodes there are, links and look-ups, locks of files
 *	node->lock	attributes, contents and extended attributes of one node; two at once only
 *			in the order of their addresses (copy_file_range)
 *
 *	[m] memfs->lock   [n] node->lock   [c] never changes
 */
#ifndef MEMFS_H
#define MEMFS_H

#include "../common/hash.h"
#include "pages.h"

#include <pthread.h>
#include <sys/stat.h>

#define NAME_BYTES_MAX 255

struct node;

/* A name in a directory. */
struct name {
	struct hash_link by_text;   /* [m] in memfs->names */
	struct hash_link by_cookie; /* [m] in memfs->cookies */
	struct name *next, *before; /* [m] in the directory's list, in the order of cookies */
	struct node *directory;     /* [m] */
	struct node *node;          /* [m] */
	uint64_t cookie;            /* [c] where a reader of the directory goes on behind it */
	char text[];                /* [c] */
};

struct xattr {
	struct xattr *next;
	size_t len_bytes;
	char *value;
	char name[];
};

/* A locked part of a file, and somebody who waits for one; see locks.c. */
struct range;
struct waiter;

struct node {
	uint64_t ino;        /* [c] */
	mode_t type;         /* [c] S_IFMT of mode */
	dev_t rdev;          /* [c] */
	char *target;        /* [c] of a symbolic link */
	uint64_t nlookups;   /* [m] that the kernel has to give back */
	unsigned nlinks;     /* [m] */
	struct node *parent; /* [m] of a directory; the root's and a removed one's is itself */
	struct name *first, *last;              /* [m] of a directory */
	struct range *ranges;                   /* [m] */
	struct node *previous_node, *next_node; /* [m] all nodes */
	pthread_rwlock_t lock;
	mode_t mode;                         /* [n] */
	uid_t uid;                           /* [n] */
	gid_t gid;                           /* [n] */
	struct timespec atime, mtime, ctime; /* [n] */
	uint64_t size_bytes;                 /* [n] */
	struct pages pages;                  /* [n] */
	struct xattr *xattrs;                /* [n] */
};

struct memfs {
	pthread_mutex_t lock;
	struct hash names, cookies;     /* [m] */
	struct node *root;              /* [c] */
	struct node *nodes;             /* [m] */
	uint64_t next_ino, next_cookie; /* [m] */
	struct waiter *waiters;         /* [m] for locks of files, oldest first */
	unsigned long nranges;          /* [m] of all nodes */
	struct quota pages, inodes;
	double valid_s;   /* [c] how long the kernel may remember names and attributes */
	bool direct_io;   /* [c] and contents not at all */
	bool writes_back; /* [c] they are remembered before they come here */
	bool keeps_locks; /* [c] of files; else the kernel does */
};

/* ---- node.c: nodes ---- */

struct timespec time_now(void);
/* With one look-up and no name. NULL: -ENOSPC or -ENOMEM in *err. The lock is held. */
struct node *node_new(struct memfs *memfs, mode_t mode, dev_t rdev, uid_t uid, gid_t gid, int *err);
/* Gives look-ups back; frees a node without names. The lock is held. */
void node_forget(struct memfs *memfs, struct node *node, uint64_t nlookups);
/* After a name of it is gone. The lock is held. */
void node_free_if_unused(struct memfs *memfs, struct node *node);
/* The same as above, whatever is counted. */
void node_free(struct memfs *memfs, struct node *node);
/* What stat(2) says. The lock is held. */
void node_stat(struct node *node, struct stat *out);
/* Takes the node's lock. */
void node_touch(struct node *node, bool modified, bool changed);
/* It was read. Takes the node's lock. */
void node_accessed(struct node *node);

/* ---- names.c: directories; the lock is held ---- */

struct name *name_find(const struct memfs *memfs, const struct node *directory, const char *text);
/* A name that is in no directory yet. NULL: no memory. */
struct name *name_new(const char *text);
void name_insert(struct memfs *memfs, struct node *directory, struct name *name, struct node *node);
/* Takes it out, and frees it. The node's count of links is the caller's. */
void name_remove(struct memfs *memfs, struct name *name);
/* The first one behind a cookie (0: of all). */
struct name *name_behind(const struct memfs *memfs, const struct node *directory, uint64_t cookie);
/* 0, or the error of link(2), unlink(2) and so on. The new name's node gets what it lacks. */
int names_add(struct memfs *memfs, struct node *directory, const char *text, struct node *node);
int names_take(struct memfs *memfs, struct node *directory, const char *text, bool is_rmdir);
int names_rename(struct memfs *memfs, struct node *from, const char *text, struct node *to,
		 const char *new_text, unsigned flags);

/* ---- data.c: contents; the node's lock is held, for writing where something changes ---- */

/* 0, -ENOSPC or -ENOMEM with *done set. */
int data_write(struct memfs *memfs, struct node *node, uint64_t offset, const char *from,
	       size_t len_bytes, size_t *done);
/* Zeros behind the end of a shorter file, whatever comes there later. */
void data_resize(struct memfs *memfs, struct node *node, uint64_t size_bytes);
/* Pages for all of a range. */
int data_reserve(struct memfs *memfs, struct node *node, uint64_t offset, uint64_t len_bytes);
/* Zeros, without pages where whole ones are meant. */
void data_punch(struct memfs *memfs, struct node *node, uint64_t offset, uint64_t len_bytes);
/* Where data or a hole (whence) begins from offset on; -ENXIO. */
off_t data_seek(const struct node *node, off_t offset, int whence);

/* ---- what a node has besides ---- */

void xattrs_free(struct node *node);
void locks_free(struct memfs *memfs, struct node *node);

#endif
