/*
 * Names. They are found in one hash table by directory and text, and stand in a list of their
 * directory for readers. A name's cookie is never used again, so a reader's place stays right
 * whatever comes and goes.
 */
#include "memfs.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, from the directory on. */
static uint64_t key_of(const struct node *directory, const char *text)
{
	uint64_t key = UINT64_C(0xcbf29ce484222325) ^ directory->ino;

	for (; *text; text++)
		key = (key ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return key;
}

struct name *name_find(const struct memfs *memfs, const struct node *directory, const char *text)
{
	struct hash_link *link = hash_find(&memfs->names, key_of(directory, text));

	for (; link; link = hash_find_next(link)) {
		struct name *name = hash_entry(link, struct name, by_text);

		if (name->directory == directory && !strcmp(name->text, text))
			return name;
	}
	return NULL;
}

struct name *name_new(const char *text)
{
	size_t len_bytes = strlen(text) + 1;
	struct name *name = calloc(1, sizeof(*name) + len_bytes);

	if (name)
		memcpy(name->text, text, len_bytes);
	return name;
}

void name_insert(struct memfs *memfs, struct node *directory, struct name *name, struct node *node)
{
	name->directory = directory;
	name->node = node;
	name->cookie = memfs->next_cookie++;
	hash_insert(&memfs->names, &name->by_text, key_of(directory, name->text));
	hash_insert(&memfs->cookies, &name->by_cookie, name->cookie);
	name->before = directory->last;
	if (directory->last)
		directory->last->next = name;
	else
		directory->first = name;
	directory->last = name;
	node_touch(directory, true, true);
}

void name_remove(struct memfs *memfs, struct name *name)
{
	struct node *directory = name->directory;

	hash_remove(&memfs->names, &name->by_text);
	hash_remove(&memfs->cookies, &name->by_cookie);
	if (name->before)
		name->before->next = name->next;
	else
		directory->first = name->next;
	if (name->next)
		name->next->before = name->before;
	else
		directory->last = name->before;
	node_touch(directory, true, true);
	free(name);
}

struct name *name_behind(const struct memfs *memfs, const struct node *directory, uint64_t cookie)
{
	struct hash_link *link = cookie ? hash_find(&memfs->cookies, cookie) : NULL;
	struct name *name = directory->first;

	if (link && hash_entry(link, struct name, by_cookie)->directory == directory)
		return hash_entry(link, struct name, by_cookie)->next;
	while (name && name->cookie <= cookie) /* that one is gone */
		name = name->next;
	return name;
}

/* ---- what programs do with them ---- */

static bool is_directory(const struct node *node)
{
	return S_ISDIR(node->type);
}

static bool is_removed(const struct node *directory)
{
	return !directory->nlinks;
}

/* A directory's links: its name, its ".", and ".." in each directory inside. */
static void attach(struct node *node, struct node *directory)
{
	if (is_directory(node)) {
		node->parent = directory;
		directory->nlinks++;
	}
}

static void detach(struct node *node, struct node *directory)
{
	if (is_directory(node))
		directory->nlinks--;
}

int names_add(struct memfs *memfs, struct node *directory, const char *text, struct node *node)
{
	struct name *name;

	if (is_removed(directory))
		return -ENOENT;
	if (strlen(text) > NAME_BYTES_MAX)
		return -ENAMETOOLONG;
	if (name_find(memfs, directory, text))
		return -EEXIST;
	name = name_new(text);
	if (!name)
		return -ENOMEM;
	name_insert(memfs, directory, name, node);
	node->nlinks += is_directory(node) ? 2 : 1;
	attach(node, directory);
	return 0;
}

/* A node that has lost a name. */
static void lose_link(struct memfs *memfs, struct node *node)
{
	node->nlinks -= is_directory(node) ? 2 : 1;
	node_touch(node, false, true);
	if (is_directory(node))
		node->parent = node;
	node_free_if_unused(memfs, node);
}

int names_take(struct memfs *memfs, struct node *directory, const char *text, bool is_rmdir)
{
	struct name *name = name_find(memfs, directory, text);
	struct node *node;

	if (!name)
		return -ENOENT;
	node = name->node;
	if (is_rmdir != is_directory(node))
		return is_rmdir ? -ENOTDIR : -EISDIR;
	if (node->first)
		return -ENOTEMPTY;
	detach(node, directory);
	name_remove(memfs, name);
	lose_link(memfs, node);
	return 0;
}

/* Is it `directory`, or does it hold that? */
static bool is_above(const struct node *node, const struct node *directory)
{
	while (directory != node && directory->parent != directory)
		directory = directory->parent;
	return directory == node;
}

/* May `node` stand where `target` stands? */
static int check_replace(const struct node *node, const struct node *target)
{
	if (is_directory(node) && !is_directory(target))
		return -ENOTDIR;
	if (!is_directory(node) && is_directory(target))
		return -EISDIR;
	return target->first ? -ENOTEMPTY : 0;
}

static void set_node(struct name *name, struct node *node)
{
	detach(name->node, name->directory);
	name->node = node;
	attach(node, name->directory);
	node_touch(node, false, true);
	node_touch(name->directory, true, true);
}

static int exchange(struct name *name, struct name *other)
{
	struct node *node = name->node, *target = other->node;

	if (is_above(target, name->directory))
		return -EINVAL;
	set_node(name, target);
	set_node(other, node);
	return 0;
}

static int rename_over(struct memfs *memfs, struct name *name, struct name *other)
{
	struct node *node = name->node, *target = other->node;
	int err;

	if (node == target)
		return 0; /* two names of one file: nothing happens */
	err = check_replace(node, target);
	if (err)
		return err;
	detach(node, name->directory);
	set_node(other, node);
	name_remove(memfs, name);
	lose_link(memfs, target);
	return 0;
}

static int rename_to_new(struct memfs *memfs, struct name *name, struct node *to, const char *text)
{
	struct name *other = name_new(text);
	struct node *node = name->node;

	if (!other)
		return -ENOMEM;
	detach(node, name->directory);
	name_remove(memfs, name);
	name_insert(memfs, to, other, node);
	attach(node, to);
	node_touch(node, false, true);
	return 0;
}

int names_rename(struct memfs *memfs, struct node *from, const char *text, struct node *to,
		 const char *new_text, unsigned flags)
{
	struct name *name = name_find(memfs, from, text);
	struct name *other = name_find(memfs, to, new_text);

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (strlen(new_text) > NAME_BYTES_MAX)
		return -ENAMETOOLONG;
	if (!name || is_removed(to) || (flags & RENAME_EXCHANGE && !other))
		return -ENOENT;
	if (flags & RENAME_NOREPLACE && other)
		return -EEXIST;
	if (is_directory(name->node) && is_above(name->node, to))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE)
		return exchange(name, other);
	return other ? rename_over(memfs, name, other) : rename_to_new(memfs, name, to, new_text);
}
