/*
 * Places: their references, and the way from one to its name, over mounts and up to a root. No
 * state; names and mounts are read under RCU.
 */
#include "mount_tree.h"
#include "walk.h"

#include <lib/string.h>

struct path path_get(const struct path *path)
{
	if (!path->dentry)
		return (struct path){0};
	return (struct path){.mount = mount_get(path->mount), .dentry = dentry_get(path->dentry)};
}

void path_put(struct path *path)
{
	if (!path->dentry)
		return;
	dentry_put(path->dentry);
	mount_put(path->mount);
	*path = (struct path){0};
}

/* Puts `text` in front of *start. */
static bool prepend(char *to, size_t *start, const char *text, size_t len_bytes)
{
	if (*start < len_bytes)
		return false;
	*start -= len_bytes;
	memcpy(to + *start, text, len_bytes);
	return true;
}

bool path_above_rcu(const struct path *root, struct path *at, struct server_name *name)
{
	const struct dentry_key *key;

	/* From the root of a mount to what it covers: of all that stand there, `root` perhaps one.
	 */
	while (at->dentry == at->mount->root && !path_equal(at, root)) {
		const struct mount_place *place = rcu_dereference(&at->mount->place);

		if (!place)
			return false;
		*at = place->path;
	}
	if (path_equal(at, root))
		return false;
	key = dentry_key(at->dentry);
	if (!key->parent)
		return false;
	*name = (struct server_name){.text = key->text, .len_bytes = key->len_bytes};
	at->dentry = key->parent;
	return true;
}

/* The names from `root` down to `at`, in front of *start. -ENOENT: it is not below root; the names
 * are there nevertheless. */
static err_t prepend_names_rcu(const struct path *root, struct path at, char *to, size_t *start)
{
	struct server_name name;

	while (path_above_rcu(root, &at, &name)) {
		if (!prepend(to, start, name.text, name.len_bytes) || !prepend(to, start, "/", 1))
			return -ERANGE;
	}
	return path_equal(&at, root) ? 0 : -ENOENT;
}

ssize_t dentry_name(const struct dentry *dentry, char *to, size_t to_bytes)
{
	size_t start = to_bytes;
	bool fits = prepend(to, &start, "", 1);
	const struct dentry_key *key;

	rcu_read_lock();
	if (read_once(&dentry->removed))
		fits = fits && prepend(to, &start, "//deleted", 9); /* as Linux */
	while ((key = dentry_key(dentry))->parent && fits) {
		fits = prepend(to, &start, key->text, key->len_bytes) &&
		       prepend(to, &start, "/", 1);
		dentry = key->parent;
	}
	rcu_read_unlock();
	if (fits && to[start] != '/')
		fits = prepend(to, &start, "/", 1);
	if (!fits)
		return -ERANGE;
	memmove(to, to + start, to_bytes - start);
	return (ssize_t)(to_bytes - start);
}

/* `shown`: also what is not below the root; and that it was removed is said. */
static ssize_t write_name(const struct path *root, const struct path *path, bool shown, char *to,
			  size_t to_bytes)
{
	size_t start = to_bytes;
	ssize_t result = -ERANGE;
	err_t err;

	if (!to_bytes)
		return -ERANGE;
	to[--start] = 0;
	rcu_read_lock();
	if (shown && read_once(&path->dentry->removed) && !prepend(to, &start, " (deleted)", 10))
		goto unlock;
	err = prepend_names_rcu(root, *path, to, &start);
	if (err && (!shown || err == -ERANGE)) {
		result = err;
		goto unlock;
	}
	if ((start == to_bytes - 1 || to[start] != '/') && !prepend(to, &start, "/", 1))
		goto unlock;
	result = (ssize_t)(to_bytes - start);
unlock:
	rcu_read_unlock();
	if (result > 0)
		memmove(to, to + start, (size_t)result);
	return result;
}

ssize_t path_name(const struct path *root, const struct path *path, char *to, size_t to_bytes)
{
	return write_name(root, path, true, to, to_bytes);
}

ssize_t path_place(const struct path *root, const struct path *path, char *to, size_t to_bytes)
{
	return write_name(root, path, false, to, to_bytes);
}

ssize_t path_getcwd(const struct path *root, const struct path *path, char *to, size_t to_bytes)
{
	return read_once(&path->dentry->removed) ? -ENOENT : path_place(root, path, to, to_bytes);
}
