/*
 * F_NOTIFY: a descriptor of a directory is told (by a signal, ipc/async.h) that something happens
 * to what is in it. Its watches are those of notify.c, of an open file and a descriptor table in
 * the place of an inotify; one goes with the first event, unless DN_MULTISHOT was said, with a
 * descriptor of that file in that table, or with the file.
 */
#include "inotify_priv.h"

#include "open_file.h"

#include <fusek/file.h>
#include <mm/slab.h>

static uint32_t mask_of(unsigned events)
{
	uint32_t mask = events & DN_MULTISHOT ? 0 : IN_ONESHOT;

	if (events & DN_ACCESS)
		mask |= IN_ACCESS;
	if (events & DN_MODIFY)
		mask |= IN_MODIFY;
	if (events & DN_CREATE)
		mask |= IN_CREATE | IN_MOVED_TO;
	if (events & DN_DELETE)
		mask |= IN_DELETE | IN_MOVED_FROM;
	if (events & DN_RENAME)
		mask |= IN_MOVED_FROM;
	if (events & DN_ATTRIB)
		mask |= IN_ATTRIB;
	return mask;
}

/* `owner` 0: of any. */
static struct inotify_watch *find_watch(const struct file *file, uint64_t owner)
	REQUIRES(notify_lock);
static struct inotify_watch *find_watch(const struct file *file, uint64_t owner)
{
	struct inotify_watch *watch = file->node->watches;

	while (watch && (watch->file != file || (owner && watch->owner != owner)))
		watch = watch->next;
	return watch;
}

void directory_unwatch(struct file *file, uint64_t owner)
{
	struct inotify_watch *gone = NULL;
	struct inotify_watch *watch;

	mutex_lock(&notify_lock);
	while ((watch = find_watch(file, owner)))
		watch_remove(watch, &gone);
	mutex_unlock(&notify_lock);
	watches_put(gone);
}

/* True: `fresh` has become a watch. */
static bool add_locked(struct file *file, uint64_t owner, int fd, uint32_t mask,
		       struct inotify_watch *fresh) REQUIRES(notify_lock);
static bool add_locked(struct file *file, uint64_t owner, int fd, uint32_t mask,
		       struct inotify_watch *fresh)
{
	struct inotify_watch *watch = find_watch(file, owner);

	if (watch) {
		uint32_t once = watch->mask & mask & IN_ONESHOT;

		watch->wd = fd;
		/* As Linux: what is asked for again and again is added up, and DN_MULTISHOT stays.
		 */
		watch->mask = ((watch->mask | mask) & ~IN_ONESHOT) | once;
		return false;
	}
	*fresh = (struct inotify_watch){.file = file,
					.owner = owner,
					.node = node_get(file->node),
					.wd = fd,
					.mask = mask,
					.next = file->node->watches};
	list_init(&fresh->link);
	watch_publish(fresh);
	write_once(&file->notified, true);
	return true;
}

err_t file_notify(struct object *object, uint64_t owner, int fd, unsigned events)
{
	struct inotify_watch *fresh;
	struct file *file;
	bool is_used;

	if (object->ops != &file_ops)
		return events & ~DN_MULTISHOT ? -ENOTDIR : 0;
	file = file_of(object);
	if (!(events & ~DN_MULTISHOT)) {
		directory_unwatch(file, owner);
		return 0;
	}
	if (node_type(file->node) != S_IFDIR)
		return -ENOTDIR;
	fresh = kzalloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	mutex_lock(&notify_lock);
	is_used = add_locked(file, owner, fd, mask_of(events), fresh);
	mutex_unlock(&notify_lock);
	if (!is_used)
		kfree(fresh);
	return 0;
}
