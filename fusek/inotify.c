/*
 * inotify objects: their watches by number, and the queue of events. A queue that is full says so
 * once, and events are lost until somebody reads.
 */
#include "inotify_priv.h"

#include "open_file.h"

#include <abi/termios.h>
#include <arch/user.h>
#include <ipc/anonymous.h>
#include <ipc/user.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>

struct inotify_limits inotify_limits = {.queued_events = 16384, /* as Linux */
					.instances = 128,       /* the same */
					.watches = INOTIFY_WATCHES_MAX};

#define MASK_FLAGS                                                                                 \
	(IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT)
#define KEPT_FLAGS (IN_EXCL_UNLINK | IN_ONESHOT)

SLAB_CACHE(inotify_cache, struct inotify);
static uint64_t queued_bytes; /* notify_lock: all that events hold */
static const struct object_ops inotify_ops;

static struct inotify *inotify_of(struct object *object)
{
	return container_of(object, struct inotify, object);
}

bool object_is_inotify(const struct object *object)
{
	return object->ops == &inotify_ops;
}

/* ---- the queue ---- */

static size_t told_bytes(const struct inotify_event *event)
{
	return sizeof(event->told) + event->told.name_bytes;
}

static size_t held_bytes(const struct inotify_event *event)
{
	return sizeof(*event) + event->told.name_bytes;
}

/* At most a 64th of memory in all queues together: of 256 MiB, 4 MiB. */
static uint64_t queued_max(void)
{
	return frames_total() * PAGE_SIZE / 64;
}

static bool same(const struct inotify_event *a, const struct inotify_event *b)
{
	return memcmp(&a->told, &b->told, sizeof(a->told)) == 0 &&
	       memcmp(a->name, b->name, a->told.name_bytes) == 0;
}

static struct inotify_event *make_event(int32_t wd, uint32_t mask, uint32_t cookie,
					struct server_name name)
{
	/* At least one NUL behind a name, and the next event is aligned. */
	size_t name_bytes =
		name.len_bytes ? ALIGN_UP(name.len_bytes + 1, sizeof(struct abi_inotify_event)) : 0;
	struct inotify_event *event = kzalloc(sizeof(*event) + name_bytes);

	if (!event)
		return NULL;
	event->told = (struct abi_inotify_event){
		.wd = wd, .mask = mask, .cookie = cookie, .name_bytes = (uint32_t)name_bytes};
	if (name_bytes)
		memcpy(event->name, name.text, name.len_bytes);
	return event;
}

static void append(struct inotify *inotify, struct inotify_event *event) REQUIRES(notify_lock);
static void append(struct inotify *inotify, struct inotify_event *event)
{
	list_add_tail(&inotify->events, &event->link);
	inotify->nbytes += (uint32_t)told_bytes(event);
	queued_bytes += held_bytes(event);
	write_once(&inotify->nevents, inotify->nevents + 1);
}

void inotify_tell(struct inotify *inotify, int32_t wd, uint32_t mask, uint32_t cookie,
		  struct server_name name)
{
	const struct inotify_event *last =
		list_last_entry(&inotify->events, struct inotify_event, link);
	const struct server_name no_name = {0};
	struct inotify_event *event = NULL;

	if (inotify->nevents < read_once(&inotify_limits.queued_events) &&
	    queued_bytes < queued_max())
		event = make_event(wd, mask, cookie, name);
	if (!event) /* it is lost: the place behind the last is for saying so */
		event = make_event(-1, IN_Q_OVERFLOW, 0, no_name);
	if (!event)
		return;
	if (inotify->nevents && same(event, last)) {
		kfree(event);
		return;
	}
	append(inotify, event);
	waitq_wake_all_events(&inotify->changed, POLLIN);
}

/* The first, if it fits: *result is its bytes, 0: none, -EINVAL: it does not fit. */
static struct inotify_event *take_event(struct inotify *inotify, size_t room_bytes, ssize_t *result)
{
	struct inotify_event *event = NULL;

	*result = 0;
	mutex_lock(&notify_lock);
	if (!list_empty(&inotify->events)) {
		event = list_first_entry(&inotify->events, struct inotify_event, link);
		*result = (ssize_t)told_bytes(event);
		if (told_bytes(event) > room_bytes) {
			*result = -EINVAL;
			event = NULL;
		} else {
			list_del(&event->link);
			inotify->nbytes -= (uint32_t)told_bytes(event);
			queued_bytes -= held_bytes(event);
			write_once(&inotify->nevents, inotify->nevents - 1);
		}
	}
	mutex_unlock(&notify_lock);
	return event;
}

/* As many as there are and fit. */
static ssize_t read_now(struct inotify *inotify, struct buffer *buffer)
{
	struct inotify_event *event;
	ssize_t done = 0;
	ssize_t result;

	while ((event = take_event(inotify, buffer_remaining(buffer), &result))) {
		size_t bytes = told_bytes(event);
		size_t copied = buffer_copy_to(buffer, &event->told, sizeof(event->told));

		if (copied == sizeof(event->told))
			copied += buffer_copy_to(buffer, event->name, event->told.name_bytes);
		kfree(event);
		if (copied < bytes)
			return done ? done : -EFAULT;
		done += result;
	}
	return done ? done : result;
}

static ssize_t inotify_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct inotify *inotify = inotify_of(object);
	ssize_t result;
	err_t err;

	if (offset)
		return -ESPIPE;
	do {
		err = object_wait(object, &inotify->changed, read_once(&inotify->nevents));
		if (err)
			return err;
		result = read_now(inotify, buffer);
	} while (!result); /* somebody else was faster */
	return result;
}

static unsigned inotify_poll(struct object *object, struct waitq **queue)
{
	*queue = &inotify_of(object)->changed;
	return read_once(&inotify_of(object)->nevents) ? POLLIN : 0;
}

static ssize_t inotify_ioctl(struct object *object, unsigned command, uptr_t argument)
{
	int bytes;

	if (command != FIONREAD)
		return -ENOTTY;
	mutex_lock(&notify_lock);
	bytes = (int)inotify_of(object)->nbytes;
	mutex_unlock(&notify_lock);
	return user_put(argument, &bytes);
}

/* ---- its life ---- */

static void inotify_describe(UNUSED struct object *object, char *to, size_t to_bytes)
{
	string_copy(to, to_bytes, "anon_inode:inotify");
}

static void inotify_release(struct object *object)
{
	struct inotify *inotify = inotify_of(object);
	struct inotify_watch *gone = NULL;
	struct inotify_event *event;
	struct inotify_event *next;

	mutex_lock(&notify_lock);
	while (!list_empty(&inotify->watches))
		watch_remove(list_first_entry(&inotify->watches, struct inotify_watch, link),
			     &gone);
	list_for_each_safe (event, next, &inotify->events, link) {
		queued_bytes -= held_bytes(event);
		kfree(event);
	}
	mutex_unlock(&notify_lock);
	watches_put(gone);
	user_uncharge(inotify->user, USER_INOTIFIES, 1);
	user_counts_put(inotify->user);
}

static void inotify_free(struct object *object)
{
	slab_free(&inotify_cache, inotify_of(object));
}

static const struct object_ops inotify_ops = {
	.read = inotify_read,
	.poll = inotify_poll,
	.signals = object_signals_always,
	.ioctl = inotify_ioctl,
	.stat = anonymous_stat,
	.describe = inotify_describe,
	.release = inotify_release,
	.free = inotify_free,
};

err_t inotify_create(unsigned flags, struct object **out)
{
	struct user_counts *user = user_counts_of(server_caller_current().uid);
	struct inotify *inotify = slab_alloc_zeroed(&inotify_cache);
	err_t err = inotify && user ? 0 : -ENOMEM;

	if (!err && !user_charge(user, USER_INOTIFIES, 1, read_once(&inotify_limits.instances)))
		err = -EMFILE;
	if (err) {
		user_counts_put(user);
		slab_free(&inotify_cache, inotify);
		return err;
	}
	inotify->user = user;
	object_init(&inotify->object, &inotify_ops, OBJECT_OTHER, flags | O_RDONLY);
	list_init(&inotify->watches);
	list_init(&inotify->events);
	waitq_init(&inotify->changed);
	*out = &inotify->object;
	return 0;
}

/* ---- watches ---- */

static struct inotify_watch *find_watch(const struct inotify *inotify, const struct node *node)
	REQUIRES(notify_lock);
static struct inotify_watch *find_watch(const struct inotify *inotify, const struct node *node)
{
	struct inotify_watch *watch = node->watches;

	while (watch && watch->inotify != inotify)
		watch = watch->next;
	return watch;
}

static int change_watch(struct inotify_watch *watch, uint32_t mask) REQUIRES(notify_lock);
static int change_watch(struct inotify_watch *watch, uint32_t mask)
{
	uint32_t kept = mask & (IN_ALL_EVENTS | KEPT_FLAGS);

	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	watch->mask = mask & IN_MASK_ADD ? watch->mask | kept : kept;
	return watch->wd;
}

/* Makes `fresh` a watch, or changes the one that is there. */
static int add_locked(struct inotify *inotify, struct node *node, struct inotify_watch *fresh,
		      uint32_t mask) REQUIRES(notify_lock);
static int add_locked(struct inotify *inotify, struct node *node, struct inotify_watch *fresh,
		      uint32_t mask)
{
	struct inotify_watch *watch = find_watch(inotify, node);

	if (watch)
		return change_watch(watch, mask);
	if (inotify->last_wd == INT32_MAX ||
	    !user_charge(inotify->user, USER_WATCHES, 1, read_once(&inotify_limits.watches)))
		return -ENOSPC;
	fresh->inotify = inotify;
	fresh->node = node_get(node);
	fresh->wd = ++inotify->last_wd;
	fresh->mask = mask & (IN_ALL_EVENTS | KEPT_FLAGS);
	fresh->next = node->watches;
	list_add_tail(&inotify->watches, &fresh->link);
	watch_publish(fresh);
	return fresh->wd;
}

static int add_to_node(struct inotify *inotify, struct node *node, uint32_t mask)
{
	struct inotify_watch *fresh = kzalloc(sizeof(*fresh));
	bool is_used;
	int wd;

	if (!fresh)
		return -ENOMEM;
	mutex_lock(&notify_lock);
	wd = add_locked(inotify, node, fresh, mask);
	is_used = fresh->node;
	mutex_unlock(&notify_lock);
	if (!is_used)
		kfree(fresh);
	return wd;
}

int inotify_add(struct object *object, const struct vfs_context *context, const char *name,
		uint32_t mask)
{
	unsigned walk_flags = (mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) |
			      (mask & IN_ONLYDIR ? WALK_DIRECTORY : 0);
	struct server_attr attr;
	struct path path;
	int result;
	err_t err;

	/* As Linux: bits that mean nothing are not looked at, if one means something. */
	if (!(mask &
	      (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ISDIR | MASK_FLAGS)) ||
	    (mask & IN_MASK_ADD && mask & IN_MASK_CREATE))
		return -EINVAL;
	err = vfs_resolve(context, NULL, name, 0, walk_flags, &path);
	if (err)
		return err;
	result = node_attr(path.dentry->node, &attr);
	if (!result)
		result = node_may(path.dentry->node, context, R_OK);
	if (!result)
		result = add_to_node(inotify_of(object), path.dentry->node, mask);
	path_put(&path);
	return result;
}

err_t inotify_remove(struct object *object, int wd)
{
	struct inotify *inotify = inotify_of(object);
	struct inotify_watch *gone = NULL;
	struct inotify_watch *watch;

	mutex_lock(&notify_lock);
	list_for_each (watch, &inotify->watches, link) {
		if (watch->wd == wd) {
			watch_remove(watch, &gone);
			break;
		}
	}
	mutex_unlock(&notify_lock);
	if (!gone)
		return -EINVAL;
	watches_put(gone);
	return 0;
}
