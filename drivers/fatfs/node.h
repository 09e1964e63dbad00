/*
 * Files and directories that somebody knows. There is one node for an entry of the disk, found by
 * the entry's place there; it lives while it is looked up, open, or the parent of another one. A
 * removed file's clusters are freed with its node.
 */
#ifndef FATFS_NODE_H
#define FATFS_NODE_H

#include "directory.h"

#include <sys/types.h>

struct node {
	struct hash_link by_ino, by_offset;
	struct node *parent; /* the root's: NULL. Counts in its `nusers` */
	uint64_t offset;     /* of its entry; 0: the root, or removed */
	uint32_t first_slot, slot;
	uint64_t ino;      /* the entry's number on the disk, mostly; never another node's */
	uint64_t nlookups; /* that the kernel has to give back */
	unsigned nusers;   /* open files and children */
	bool is_removed;
	bool is_touched; /* `entry` has times that the disk has not */
	struct fat_entry entry;
	struct directory directory; /* of a file: where its chain is */
};

/* Makes the root. -ENOMEM. */
int node_mount(struct volume *volume);
/* Writes times that were kept back and frees all nodes. */
void node_unmount(struct volume *volume);

/* A child by its name, with one look-up more. -ENOENT, -ENOTDIR; -EIO: the directory is also
 * somewhere else. */
int node_lookup(struct volume *volume, struct node *parent, const char *name, struct node **out);
/* A known node of the entry at this place, or NULL. No look-up is counted. */
struct node *node_known(const struct volume *volume, uint64_t offset);
void node_forget(struct volume *volume, struct node *node, uint64_t nlookups);
/* Holds it, and lets go: for open files. */
void node_hold(struct node *node);
void node_release(struct volume *volume, struct node *node);

/* Names. All but the kernel's locks is checked: what has a name may be gone meanwhile. */
int node_create(struct volume *volume, struct node *parent, const char *name, uint8_t attributes,
		struct node **out);
int node_unlink(struct volume *volume, struct node *parent, const char *name);
int node_rmdir(struct volume *volume, struct node *parent, const char *name);
/* no_replace: -EEXIST where there is something. */
int node_rename(struct volume *volume, struct node *from, const char *name, struct node *to,
		const char *new_name, bool no_replace);

/* ---- what an entry says ---- */

static inline bool node_is_directory(const struct node *node)
{
	return node->entry.attributes & ATTRIBUTE_DIRECTORY;
}

/* A directory's is not written down anywhere: it is counted. */
int node_size(struct volume *volume, struct node *node, uint32_t *size_bytes);
/* Writes the entry; a removed node has none, and a root neither. */
int node_write_entry(struct volume *volume, struct node *node);
/* The same if there is something that was kept back. */
int node_flush(struct volume *volume, struct node *node);

struct node_times {
	struct timespec accessed, modified, created;
};

struct node_times node_times(const struct volume *volume, const struct node *node);
/* NULL: as it is. Kept back until node_flush(). */
void node_set_times(struct volume *volume, struct node *node, const struct timespec *accessed,
		    const struct timespec *modified);

/* ---- files (file.c) ---- */

/* How much was read, less at the end; or a negative errno. */
ssize_t file_read(struct volume *volume, struct node *node, uint64_t offset, void *to,
		  size_t len_bytes);
/* All of it, or an error. -EFBIG: a file has at most 4 GiB less one byte. */
int file_write(struct volume *volume, struct node *node, uint64_t offset, const void *from,
	       size_t len_bytes);
/* Longer ones are filled with zeros. */
int file_resize(struct volume *volume, struct node *node, uint64_t size_bytes);

/* ---- inside ---- */

/* The node of an entry that was found in `parent`, with one look-up more. */
int node_get(struct volume *volume, struct node *parent, const struct found *found,
	     struct node **out);
/* The node's entry is somewhere else now, or (0) nowhere. */
void node_move(struct volume *volume, struct node *node, struct node *parent, uint64_t offset,
	       uint32_t first_slot, uint32_t slot);

#endif
