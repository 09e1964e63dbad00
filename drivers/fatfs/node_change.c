/*
 * Names that come, go and move. Where two writes are needed, the first one takes away: what a kill
 * leaves between them are clusters that nobody owns, never ones that two own. A file that replaces
 * another takes over that one's entry, so the name never is without one of both.
 */
#include "node.h"

#include "times.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* The entry of `name`, where the parent is still a directory. */
static int find(struct volume *volume, struct node *parent, const char *text, struct name *name,
		struct found *found)
{
	int err;

	if (!node_is_directory(parent))
		return -ENOTDIR;
	if (parent->is_removed)
		return -ENOENT;
	err = name_from_utf8(text, name);
	return err ? err : directory_find(volume, &parent->directory, name, found);
}

/* What ".." of a directory in `parent` says: 0 for the root. */
static uint32_t parent_cluster(const struct node *parent)
{
	return parent->parent ? parent->directory.chain.first : 0;
}

static void fresh_entry(const struct volume *volume, uint8_t attributes, struct fat_entry *entry)
{
	struct timespec now;
	uint16_t date, of_day;

	clock_gettime(CLOCK_REALTIME, &now);
	*entry = (struct fat_entry){.attributes = attributes};
	time_to_disk(now, volume->time_offset_min, &date, &of_day, &entry->created_10ms);
	put16(entry->created_date, date);
	put16(entry->created_time, of_day);
	put16(entry->accessed_date, date);
	put16(entry->modified_date, date);
	put16(entry->modified_time, of_day);
}

static void touch(struct volume *volume, struct node *directory)
{
	struct timespec now;

	if (!directory->offset)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	node_set_times(volume, directory, NULL, &now);
}

int node_create(struct volume *volume, struct node *parent, const char *text, uint8_t attributes,
		struct node **out)
{
	struct fat_entry entry;
	struct found found;
	struct place place;
	struct name name;
	uint32_t cluster = 0;
	int err = find(volume, parent, text, &name, &found);

	if (err != -ENOENT || parent->is_removed)
		return err ? err : -EEXIST;
	if (name_from_utf8(text, &name))
		return -ENOENT; /* of dots alone */
	fresh_entry(volume, attributes, &entry);
	err = directory_find_place(volume, &parent->directory, &name, &place);
	if (err)
		return err;
	if (attributes & ATTRIBUTE_DIRECTORY) {
		err = table_take(volume, 1, &cluster);
		if (err)
			return err;
		err = directory_begin(volume, cluster, parent_cluster(parent), &entry);
	}
	entry_set_cluster(volume, &entry, cluster);
	if (!err)
		err = directory_write(volume, &place, &name, &entry);
	if (err) {
		if (cluster)
			(void)!table_give(volume, cluster);
		return err;
	}
	touch(volume, parent);
	found.first_slot = place.first_slot;
	found.slot = place.first_slot + place.nslots - 1;
	found.offset = place.offsets[place.nslots - 1];
	found.entry = entry;
	memcpy(found.entry.name, place.raw, sizeof(place.raw));
	found.entry.lower = place.lower;
	return node_get(volume, parent, &found, out);
}

/* Of a node whose entry is gone. Its clusters go with the node. */
static void removed(struct volume *volume, struct node *node)
{
	node_move(volume, node, node->parent, 0, 0, 0);
	node->is_removed = true;
	node->is_touched = false;
}

static int remove_entry(struct volume *volume, struct node *parent, const struct found *found)
{
	struct node *node;
	int err = node_get(volume, parent, found, &node);

	if (err)
		return err;
	err = directory_remove(volume, &parent->directory, found->first_slot, found->slot);
	if (!err) {
		removed(volume, node);
		touch(volume, parent);
	}
	node_forget(volume, node, 1);
	return err;
}

int node_unlink(struct volume *volume, struct node *parent, const char *text)
{
	struct found found;
	struct name name;
	int err = find(volume, parent, text, &name, &found);

	if (!err && found.entry.attributes & ATTRIBUTE_DIRECTORY)
		err = -EISDIR;
	return err ? err : remove_entry(volume, parent, &found);
}

/* A directory that may go. */
static int check_empty(struct volume *volume, struct node *parent, const struct found *found)
{
	struct node *node;
	int err = node_get(volume, parent, found, &node);

	if (err)
		return err;
	err = directory_is_empty(volume, &node->directory);
	node_forget(volume, node, 1);
	return err;
}

int node_rmdir(struct volume *volume, struct node *parent, const char *text)
{
	struct found found;
	struct name name;
	int err = find(volume, parent, text, &name, &found);

	if (!err && !(found.entry.attributes & ATTRIBUTE_DIRECTORY))
		err = -ENOTDIR;
	if (!err)
		err = check_empty(volume, parent, &found);
	return err ? err : remove_entry(volume, parent, &found);
}

/* ---- rename ---- */

static bool is_above(const struct node *node, const struct node *below)
{
	while (below && below != node)
		below = below->parent;
	return below == node;
}

/* May `node` take the place of what was found? */
static int check_replace(struct volume *volume, const struct node *node, struct node *to,
			 const struct found *target)
{
	bool is_directory = target->entry.attributes & ATTRIBUTE_DIRECTORY;

	if (node_is_directory(node) && !is_directory)
		return -ENOTDIR;
	if (!node_is_directory(node) && is_directory)
		return -EISDIR;
	return is_directory ? check_empty(volume, to, target) : 0;
}

/* The old entry goes, and with a directory's new parent its ".." follows. */
static int take_away(struct volume *volume, struct node *from, struct node *node, struct node *to)
{
	int err = directory_remove(volume, &from->directory, node->first_slot, node->slot);

	if (!err && node_is_directory(node) && from != to)
		err = directory_set_parent(volume, &node->directory, parent_cluster(to));
	return err;
}

/* What has no entry any more gets its old one back, under its short name. */
static int undo(struct volume *volume, struct node *node, int err)
{
	node->first_slot = node->slot;
	(void)!node_write_entry(volume, node);
	return err;
}

/* The node's entry, under another's short name. */
static struct fat_entry entry_named(const struct node *node, const uint8_t raw[11], uint8_t lower)
{
	struct fat_entry entry = node->entry;

	memcpy(entry.name, raw, sizeof(entry.name));
	entry.lower = lower;
	return entry;
}

static int replace(struct volume *volume, struct node *from, struct node *node, struct node *to,
		   const struct found *target)
{
	struct fat_entry entry = entry_named(node, target->entry.name, target->entry.lower);
	struct node *old;
	int err = node_get(volume, to, target, &old);

	if (err)
		return err;
	err = take_away(volume, from, node, to);
	if (!err)
		err = volume_write(volume, target->offset, &entry, sizeof(entry));
	if (!err) {
		removed(volume, old);
		node->entry = entry;
		node_move(volume, node, to, target->offset, target->first_slot, target->slot);
	} else {
		(void)undo(volume, node, err);
	}
	node_forget(volume, old, 1);
	return err;
}

static int move(struct volume *volume, struct node *from, struct node *node, struct node *to,
		const struct name *name)
{
	struct fat_entry entry;
	struct place place;
	uint32_t slot;
	int err = directory_find_place(volume, &to->directory, name, &place);

	if (err)
		return err;
	entry = entry_named(node, place.raw, place.lower);
	err = take_away(volume, from, node, to);
	if (!err)
		err = directory_write(volume, &place, name, &entry);
	if (err)
		return undo(volume, node, err);
	node->entry = entry;
	slot = place.first_slot + place.nslots - 1;
	node_move(volume, node, to, place.offsets[place.nslots - 1], place.first_slot, slot);
	return 0;
}

static int rename_node(struct volume *volume, struct node *from, struct node *node, struct node *to,
		       const char *new_text, bool no_replace)
{
	struct found target;
	struct name name;
	int err = find(volume, to, new_text, &name, &target);

	if (err && err != -ENOENT)
		return err;
	if (is_above(node, to))
		return -EINVAL;
	if (err) { /* a new name: is it one? */
		err = to->is_removed ? -ENOENT : name_from_utf8(new_text, &name);
		return err ? err : move(volume, from, node, to, &name);
	}
	if (no_replace)
		return -EEXIST;
	if (target.offset == node->offset)
		return 0;
	err = check_replace(volume, node, to, &target);
	return err ? err : replace(volume, from, node, to, &target);
}

int node_rename(struct volume *volume, struct node *from, const char *text, struct node *to,
		const char *new_text, bool no_replace)
{
	struct node *node;
	int err = node_lookup(volume, from, text, &node);

	if (err)
		return err;
	err = rename_node(volume, from, node, to, new_text, no_replace);
	if (!err) {
		touch(volume, from);
		touch(volume, to);
	}
	node_forget(volume, node, 1);
	return err;
}
