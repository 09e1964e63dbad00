/*
 * Reading directories: the records of getdents64 (or the older getdents) are built in a page of the
 * kernel's, by the sink that the server fills, and copied to the program afterwards, so the server
 * never waits for a program's memory. "." and ".." are ours, with the cookies 0 and 1; the server's
 * cookies are shifted by 2 (they are 0 at the beginning, and opaque).
 */
#include <fusek/mount.h>

#include "notify.h"
#include "open_file.h"
#include "walk.h"

#include <lib/string.h>
#include <mm/slab.h>

#define OWN_ENTRIES 2

struct getdents_sink {
	struct dirent_sink sink;
	struct dentry *directory;
	uint64_t version; /* of its names, before the server was asked */
	uint64_t attr_version;
	enum dirent_form form;
	char *page;
	size_t cap_bytes;
	size_t len_bytes;
	uint64_t next; /* position behind the last record that fitted */
	bool full;
};

static bool put_record(struct getdents_sink *sink, struct server_name name, uint64_t ino,
		       uint32_t mode, uint64_t next)
{
	size_t record_bytes = ALIGN_UP(ABI_DIRENT64_NAME_OFFSET + name.len_bytes + 1, 8ul);
	struct abi_dirent64 *record = (void *)(sink->page + sink->len_bytes);
	uint8_t type = (uint8_t)((mode & S_IFMT) >> 12); /* as IFTODT does */

	if (record_bytes > sink->cap_bytes - sink->len_bytes) {
		sink->full = true;
		return false;
	}
	/* What pads it lies in the last eight bytes. */
	memset((char *)record + record_bytes - 8, 0, 8);
	record->d_ino = ino;
	record->d_off = (int64_t)next;
	record->d_reclen = (uint16_t)record_bytes;
	if (sink->form == DIRENT_64) {
		record->d_type = type;
		memcpy(record->d_name, name.text, name.len_bytes);
	} else { /* the name stands where the type does, the type in the last byte */
		memcpy((char *)record + ABI_DIRENT_NAME_OFFSET, name.text, name.len_bytes);
		((uint8_t *)record)[record_bytes - 1] = type;
	}
	sink->len_bytes += record_bytes;
	sink->next = next;
	return true;
}

/* Positions are cookies behind our own entries'. There is none behind the highest two, and programs
 * seek to no negative ones: those that would be are the highest there is. */
static uint64_t position_after(uint64_t cookie)
{
	if (cookie > UINT64_MAX - OWN_ENTRIES)
		return UINT64_MAX;
	return cookie <= INT64_MAX ? MIN(cookie + OWN_ENTRIES, (uint64_t)INT64_MAX)
				   : cookie + OWN_ENTRIES;
}

static bool emit(struct dirent_sink *base, struct server_name name, uint64_t ino, uint32_t mode,
		 uint64_t cookie_after)
{
	struct getdents_sink *sink = container_of(base, struct getdents_sink, sink);

	return put_record(sink, name, ino, mode, position_after(cookie_after));
}

/* What the server says of a name goes into the cache, for the stat that comes next. */
static void enter(struct dirent_sink *base, struct server_name name,
		  const struct server_entry *entry)
{
	struct getdents_sink *sink = container_of(base, struct getdents_sink, sink);
	struct filesystem *fs = sink->directory->fs;
	struct dentry *dentry;
	struct node *node;

	if (node_from_entry(fs, entry, sink->attr_version, &node)) {
		node_refuse_entry(fs, entry);
		return;
	}
	if (!dentry_insert(sink->directory, name, node, entry->entry_valid_ns, sink->version,
			   &dentry))
		dentry_put(dentry);
}

static uint64_t ino_above(const struct file *file)
{
	struct path at = {.mount = file->mount, .dentry = file->dentry};
	const struct path everything = mount_root();
	struct server_name name;
	uint64_t ino;

	rcu_read_lock();
	if (!path_above_rcu(&everything, &at, &name))
		at.dentry = file->dentry; /* the topmost */
	ino = at.dentry->node->attr.ino;  /* never changes */
	rcu_read_unlock();
	return ino;
}

static bool put_own(struct getdents_sink *sink, const struct file *file, uint64_t position)
{
	static const struct server_name dot = {".", 1}, dots = {"..", 2};

	if (position == 0)
		return put_record(sink, dot, file->node->attr.ino, S_IFDIR, 1);
	return put_record(sink, dots, ino_above(file), S_IFDIR, OWN_ENTRIES);
}

/* One page of records from `position` on. */
static err_t fill_page(struct file *file, struct getdents_sink *sink, uint64_t position)
{
	const struct server_ops *ops = file->server->ops;

	while (position < OWN_ENTRIES) {
		if (!put_own(sink, file, position))
			return 0;
		position++;
	}
	if (!ops->readdir)
		return 0;
	sink->attr_version = filesystem_attr_version(file->dentry->fs);
	/* Acquire: pairs with the full order of names_change_begin() and names_change_end(). */
	sink->version = load_acquire(&file->node->names_version);
	return ops->readdir(file->server, file->id, file->open.handle, position - OWN_ENTRIES,
			    &sink->sink);
}

/* Copies what fits at a time until the buffer is full or the directory ends. A server that has not
 * filled a page is not asked for more at once: it may have to be waited for, and is done most
 * often. As Linux. */
static ssize_t copy_records(struct file *file, struct buffer *buffer, enum dirent_form form,
			    char *page)
{
	size_t copied = 0;
	ssize_t result = 0;

	for (;;) {
		struct getdents_sink sink = {.sink = {.emit = emit, .enter = enter},
					     .directory = file->dentry,
					     .form = form,
					     .page = page,
					     .cap_bytes = MIN(buffer_remaining(buffer), PAGE_SIZE),
					     .next = file->position};
		err_t err = fill_page(file, &sink, file->position);

		if (err)
			result = err;
		else if (!sink.len_bytes)
			result = sink.full ? -EINVAL : 0; /* not one record fits: Linux's answer */
		else if (buffer_copy_to(buffer, page, sink.len_bytes) < sink.len_bytes)
			result = -EFAULT;
		if (err || result || !sink.len_bytes)
			break;
		copied += sink.len_bytes;
		file->position = sink.next;
		if (!sink.full)
			break;
	}
	return copied ? (ssize_t)copied : result;
}

ssize_t file_getdents(struct object *object, struct buffer *buffer, enum dirent_form form)
{
	struct file *file = file_of(object);
	ssize_t result;
	char *page;
	err_t err;

	if (node_type(file->node) != S_IFDIR)
		return -ENOTDIR;
	page = kmalloc(PAGE_SIZE);
	if (!page)
		return -ENOMEM;
	err = mutex_lock_killable(&file->position_lock);
	if (err) {
		kfree(page);
		return err;
	}
	if (read_once(&file->dentry->removed))
		result = -ENOENT; /* as Linux */
	else
		result = copy_records(file, buffer, form, page);
	mutex_unlock(&file->position_lock);
	kfree(page);
	if (result > 0)
		file_accessed(file);
	if (result >= 0)
		notify(file->dentry, IN_ACCESS);
	return result;
}
