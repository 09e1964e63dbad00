/*
 * Who watches which file, and what they are told. A watch holds its node, so what is watched keeps
 * its number; it goes with the last name and user of the file, with the mount, or with its owner.
 */
#include "inotify_priv.h"

#include "open_file.h"

#include <ipc/async.h>
#include <ipc/user.h>
#include <lib/string.h>
#include <mm/slab.h>

#define ON_CHILD (IN_ACCESS | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_OPEN)

uint32_t notify_nwatches;
static uint32_t last_cookie; /* atomic */
LIST_HEAD(all_watches);      /* notify_lock */
MUTEX(notify_lock, LOCK_NOTIFY);

uint32_t notify_cookie(void)
{
	return atomic_fetch_add_full(&last_cookie, 1) + 1;
}

void watch_publish(struct inotify_watch *watch)
{
	list_add_tail(&all_watches, &watch->all);
	write_once(&watch->node->watches, watch);
	atomic_add_relaxed(&notify_nwatches, 1);
}

void watch_remove(struct inotify_watch *watch, struct inotify_watch **gone)
{
	struct inotify_watch **link = &watch->node->watches;
	const struct server_name no_name = {0};

	if (watch->inotify) {
		inotify_tell(watch->inotify, watch->wd, IN_IGNORED, 0, no_name);
		user_uncharge(watch->inotify->user, USER_WATCHES, 1);
	}
	while (*link != watch)
		link = &(*link)->next;
	write_once(link, watch->next);
	list_del(&watch->link);
	list_del(&watch->all);
	atomic_add_relaxed(&notify_nwatches, -1);
	watch->next = *gone;
	*gone = watch;
}

void watches_put(struct inotify_watch *gone)
{
	while (gone) {
		struct inotify_watch *watch = gone;

		gone = watch->next;
		node_put(watch->node);
		kfree(watch);
	}
}

static void tell_watch(struct inotify_watch *watch, uint32_t events, uint32_t cookie,
		       struct server_name name) REQUIRES(notify_lock);
static void tell_watch(struct inotify_watch *watch, uint32_t events, uint32_t cookie,
		       struct server_name name)
{
	if (watch->inotify)
		inotify_tell(watch->inotify, watch->wd, events, cookie, name);
	else
		async_tell(&watch->file->object, watch->wd, ASYNC_MESSAGE);
}

/* `without_name`: the child has lost it, and only a user of it is left. */
static void tell(struct node *node, uint32_t events, uint32_t cookie, struct server_name name,
		 bool without_name)
{
	struct inotify_watch *gone = NULL;
	struct inotify_watch *watch;
	struct inotify_watch *next;

	if (!read_once(&node->watches))
		return;
	mutex_lock(&notify_lock);
	for (watch = node->watches; watch; watch = next) {
		uint32_t told = watch->mask & events & (IN_ALL_EVENTS | IN_UNMOUNT);

		next = watch->next;
		if (!told || (without_name && watch->mask & IN_EXCL_UNLINK))
			continue;
		tell_watch(watch, told | (events & IN_ISDIR), cookie, name);
		if (watch->mask & IN_ONESHOT)
			watch_remove(watch, &gone);
	}
	mutex_unlock(&notify_lock);
	watches_put(gone);
}

void notify_node(struct node *node, uint32_t events)
{
	const struct server_name no_name = {0};

	/* As Linux: that it is a directory is not said of its end and its moves. */
	if (node_type(node) == S_IFDIR && !(events & (IN_DELETE_SELF | IN_MOVE_SELF)))
		events |= IN_ISDIR;
	tell(node, events, 0, no_name, false);
}

void notify_name_slowly(struct node *directory, struct server_name name, uint32_t events,
			uint32_t cookie)
{
	tell(directory, events, cookie, name, false);
}

/* The directory where it has, or had, its name, with a reference; NULL: nobody watches that. */
static struct dentry *watched_parent(struct dentry *dentry, char *name, size_t *name_bytes)
{
	const struct dentry_key *key;
	struct dentry *parent;

	rcu_read_lock();
	key = dentry_key(dentry);
	parent = key->parent;
	if (parent &&
	    (!read_once(&parent->node->watches) || !refcount_try_get(&parent->references)))
		parent = NULL;
	if (parent) {
		*name_bytes = key->len_bytes;
		memcpy(name, key->text, key->len_bytes);
	}
	rcu_read_unlock();
	return parent;
}

void notify_slowly(struct dentry *dentry, uint32_t events)
{
	uint32_t directory = node_type(dentry->node) == S_IFDIR ? IN_ISDIR : 0;
	char text[NAME_MAX];
	struct server_name name = {.text = text};
	struct dentry *parent = watched_parent(dentry, text, &name.len_bytes);

	if (parent)
		tell(parent->node, (events & ON_CHILD) | directory, 0, name,
		     read_once(&dentry->removed));
	dentry_put(parent);
	notify_node(dentry->node, events);
}

/* ---- what ends watches ---- */

static void remove_all(struct node *node, struct inotify_watch **gone) REQUIRES(notify_lock);
static void remove_all(struct node *node, struct inotify_watch **gone)
{
	while (node->watches)
		watch_remove(node->watches, gone);
}

/* A server of our own knows. A driver is not asked: it may be the one who tells us that the name is
 * gone, and waits for that. */
static bool has_names(struct node *node)
{
	struct server_attr attr;

	if (node_type(node) == S_IFDIR)
		return false;
	if (node_server(node)->flags & SERVER_FORGET_COSTS)
		return read_once(&node->attr.nlink) != 0;
	/* A server that has forgotten it says so. */
	return !node_attr(node, &attr) && attr.nlink;
}

void notify_unused(struct node *node)
{
	struct inotify_watch *gone = NULL;

	if (has_names(node))
		return;
	notify_node(node, IN_DELETE_SELF);
	mutex_lock(&notify_lock);
	remove_all(node, &gone);
	mutex_unlock(&notify_lock);
	watches_put(gone);
}

void notify_unmount(const struct filesystem *fs)
{
	const struct server_name no_name = {0};
	struct inotify_watch *gone = NULL;
	struct inotify_watch *watch;
	struct inotify_watch *next;

	if (!read_once(&notify_nwatches))
		return;
	mutex_lock(&notify_lock);
	list_for_each_safe (watch, next, &all_watches, all) {
		if (watch->node->fs != fs)
			continue;
		if (watch->inotify)
			inotify_tell(watch->inotify, watch->wd, IN_UNMOUNT, 0, no_name);
		watch_remove(watch, &gone);
	}
	mutex_unlock(&notify_lock);
	watches_put(gone);
}
