/*
 * The cached walk: under RCU, without references, locks or servers; whatever it does not find at
 * once ends it. No state.
 */
#include "mount_tree.h"
#include "open_file.h"
#include "walk.h"

/* It is what was found that counts: where it came from may be moved at any time. */
bool path_to_parent_rcu(const struct vfs_context *context, struct path *at)
{
	while (!path_equal(at, &context->root)) {
		const struct mount_place *place;

		if (at->dentry != at->mount->root) {
			struct dentry *parent = dentry_key(at->dentry)->parent;

			if (parent)
				at->dentry = parent;
			return path_is_connected(at);
		}
		place = rcu_dereference(&at->mount->place);
		if (!place)
			break;
		*at = place->path;
	}
	return true;
}

/* Everybody may look for names in most directories, or the server decides: no more is asked then.
 */
static ALWAYS_INLINE bool may_search(const struct node *node, const struct vfs_context *context)
{
	uint32_t mode = read_once(&node->attr.mode);

	if (!S_ISDIR(mode))
		return false;
	if (node_is_checked_by_server(node))
		return true;
	return node_mode_holds(node) && (((mode & 0111) == 0111 && !read_once(&node->acl)) ||
					 !node_may_rcu(node, context, X_OK));
}

/* One step inside the RCU section; at last: `at` is where it was. */
static ALWAYS_INLINE enum cached cached_step(const struct vfs_context *context, struct path *at,
					     struct server_name name)
{
	const struct node *node = at->dentry->node;
	struct dentry *child;

	if (!node)
		return CACHED_UNKNOWN;
	if (!may_search(node, context))
		return CACHED_TO_LAST;
	if (is_dot(name))
		return CACHED_FOUND;
	if (is_dot_dot(name)) {
		if (!path_to_parent_rcu(context, at))
			return CACHED_UNKNOWN;
	} else {
		if (name.len_bytes > NAME_MAX)
			return CACHED_TO_LAST;
		child = dentry_find_rcu(at->dentry, name,
					name_hash(at->dentry, name.text, name.len_bytes));
		if (!child)
			return CACHED_TO_LAST;
		if (!child->node)
			return CACHED_MISSING;
		at->dentry = child;
	}
	path_cross_rcu(at);
	return mount_admits(at->mount, context) ? CACHED_FOUND : CACHED_UNKNOWN;
}

static bool is_link(const struct path *at)
{
	return S_ISLNK(read_once(&at->dentry->node->attr.mode));
}

/* Found: *at is the end; at last: the directory of *last. In an RCU section. */
static ALWAYS_INLINE enum cached walk_rcu(const struct vfs_context *context, const char *rest,
					  unsigned walk_flags, struct path *at,
					  struct server_name *last)
{
	const char *begin = rest;
	struct server_name name;
	bool slash = false;

	path_enter_rcu(at);
	for (name = next_name(&rest); name.len_bytes; name = next_name(&rest)) {
		enum cached step = cached_step(context, at, name);

		slash = *rest == '/';
		if (unlikely(step != CACHED_FOUND)) {
			if (step == CACHED_TO_LAST &&
			    (*rest || context->resolve || rest - begin >= PATH_MAX))
				return CACHED_UNKNOWN;
			*last = name;
			return step;
		}
		if (is_link(at) && ((walk_flags & WALK_FOLLOW) || slash))
			return CACHED_UNKNOWN;
	}
	if (rest - begin >= PATH_MAX)
		return CACHED_UNKNOWN;
	return ((walk_flags & WALK_DIRECTORY) || slash) &&
			       !S_ISDIR(read_once(&at->dentry->node->attr.mode))
		       ? CACHED_UNKNOWN
		       : CACHED_FOUND;
}

/* What an RCU section has found becomes a reference. False: it goes just now. */
static ALWAYS_INLINE bool hold_rcu(const struct path *at)
{
	if (!refcount_try_get(&at->dentry->references))
		return false;
	(void)mount_get(at->mount);
	return true;
}

static bool is_place(enum cached found)
{
	return found == CACHED_FOUND || found == CACHED_TO_LAST;
}

enum cached path_walk_cached(const struct vfs_context *context, const struct path *from,
			     const char *rest, unsigned walk_flags, struct path *out,
			     struct server_name *last)
{
	struct path at = *rest == '/' ? context->root : *from;
	enum cached found;

	rcu_read_lock();
	found = walk_rcu(context, rest, walk_flags, &at, last);
	if (is_place(found) && !hold_rcu(&at))
		found = CACHED_UNKNOWN;
	rcu_read_unlock();
	*out = at;
	return found;
}

enum cached path_stat_cached(const struct vfs_context *context, const struct path *from,
			     const char *rest, unsigned walk_flags, struct abi_stat *stat,
			     struct path *out, struct server_name *last)
{
	struct path at = *rest == '/' ? context->root : *from;
	enum cached found;

	rcu_read_lock();
	found = walk_rcu(context, rest, walk_flags, &at, last);
	if (found == CACHED_FOUND && node_stat_cached(at.dentry->node, stat))
		at = (struct path){0};
	else if (is_place(found) && !hold_rcu(&at))
		found = CACHED_UNKNOWN;
	rcu_read_unlock();
	*out = at;
	return found;
}

bool walk_cached_to_last(struct walk *walk, struct path at)
{
	const char *rest = walk->rest;
	struct server_name name;
	bool found = false;

	rcu_read_lock();
	path_enter_rcu(&at);
	for (;;) {
		name = next_name(&rest);
		if (only_slashes(rest))
			break;
		if (cached_step(walk->context, &at, name) != CACHED_FOUND || is_link(&at))
			goto unlock;
	}
	found = hold_rcu(&at);
unlock:
	rcu_read_unlock();
	if (!found)
		return false;
	walk->at = at;
	walk->last = name;
	walk->trailing_slash = *rest == '/';
	walk->rest = rest;
	return true;
}
