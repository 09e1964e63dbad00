/*
 * What happens to files, told to those who watch: called where it happens, after it has. Where
 * nobody watches anything each costs one test. They sleep, and take no lock but their own.
 */
#ifndef FUSEK_NOTIFY_H
#define FUSEK_NOTIFY_H

#include "names.h"

#include <abi/inotify.h>

extern uint32_t notify_nwatches; /* atomic: of all */

void notify_slowly(struct dentry *dentry, uint32_t events);
void notify_name_slowly(struct node *directory, struct server_name name, uint32_t events,
			uint32_t cookie);

/* To who watches the thing, and its directory, where it has its name. */
static inline void notify(struct dentry *dentry, uint32_t events)
{
	if (unlikely(read_once(&notify_nwatches)))
		notify_slowly(dentry, events);
}

/* To who watches the directory. `is_directory`: what has the name. */
static inline void notify_name(struct node *directory, struct server_name name, uint32_t events,
			       bool is_directory, uint32_t cookie)
{
	if (unlikely(read_once(&notify_nwatches)))
		notify_name_slowly(directory, name, events | (is_directory ? IN_ISDIR : 0), cookie);
}

/* To who watches the thing itself. */
void notify_node(struct node *node, uint32_t events);
/* Nobody uses it under this name, which it has lost: if it was the last one, the watches go. */
void notify_unused(struct node *node);
/* F_NOTIFY ends for the file and a descriptor table (0: any). */
struct file;
void directory_unwatch(struct file *file, uint64_t owner);
/* It has no mount any more: the watches on what it has go. */
void notify_unmount(const struct filesystem *fs);
/* Binds the two halves of a move. */
uint32_t notify_cookie(void);

#endif
