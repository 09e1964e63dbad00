/*
 * What files have in memory and who has locked them, for /proc and its readers.
 */
#ifndef FUSEK_FIGURES_H
#define FUSEK_FIGURES_H

#include <ipc/object.h>
#include <lib/types.h>

/* Pages of drivers' files that are in the page cache, and of all files that lie in memory. */
uint64_t node_pages_cached(void);
uint64_t tmpfs_pages_used(void);

/* A lock on a part of a file that the kernel keeps, or a request for one. */
struct lock_info {
	const struct object_lock *what; /* borrowed */
	int32_t pid;                    /* whose; -1: an open file's, 0: the kernel's */
	bool waits;                     /* for the last one before that does not */
	uint64_t device;                /* of the file, as stat tells them */
	uint64_t inode;
};

/* With records_lock held: it may allocate, not sleep. */
typedef void lock_visitor(void *argument, const struct lock_info *info);
/* Each lock, and behind it those that wait for it. Sleeps. */
void locks_visit(lock_visitor *visit, void *argument);

#endif
