/*
 * Walking a path name. First try: path_walk_cached(), under RCU, without references, locks or
 * servers; whatever it does not find at once ends it. Then the long way, which holds a reference to
 * the place where it is and may sleep. No state of its own.
 */
#include "walk.h"

#include <lib/string.h>
#include <mm/slab.h>
#include <sched/thread.h>

bool vfs_in_group(const struct vfs_context *context, uint32_t gid)
{
	const struct vfs_groups *groups = context->groups;
	uint32_t low = 0;
	uint32_t high = groups ? groups->count : 0;

	if (context->gid == gid)
		return true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (groups->gids[middle] == gid)
			return true;
		if (groups->gids[middle] < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

struct path path_get(const struct path *path)
{
	return (struct path){.dentry = path->dentry ? dentry_get(path->dentry) : NULL};
}

void path_put(struct path *path)
{
	dentry_put(path->dentry);
	path->dentry = NULL;
}

/* Cuts the next name off *rest: slashes before it are skipped. Empty: there is none. */
static struct server_name next_name(const char **rest)
{
	struct server_name name;

	while (**rest == '/')
		(*rest)++;
	name.text = *rest;
	while (**rest && **rest != '/')
		(*rest)++;
	name.len_bytes = (size_t)(*rest - name.text);
	return name;
}

static bool only_slashes(const char *rest)
{
	while (*rest == '/')
		rest++;
	return !*rest;
}

static bool is_dot(struct server_name name)
{
	return name.len_bytes == 1 && name.text[0] == '.';
}

static bool is_dot_dot(struct server_name name)
{
	return name.len_bytes == 2 && name.text[0] == '.' && name.text[1] == '.';
}

/* The directory above, not beyond the root of the context or of everything. In an RCU section, or
 * while `at` is held. */
static struct dentry *parent_of(const struct vfs_context *context, struct dentry *at)
{
	while (at != context->root.dentry) {
		struct dentry *parent = dentry_key(at)->parent;

		if (parent)
			return parent;
		if (!at->mount->at)
			break;
		at = at->mount->at; /* the root of a mount: what it covers has the parent */
	}
	return at;
}

/* What a walker sees at `dentry`: the root of the topmost mount over it. In an RCU section. */
static struct dentry *cross_mounts_rcu(struct dentry *dentry)
{
	const struct mount *over;

	while ((over = mount_over_rcu(dentry)))
		dentry = over->root;
	return dentry;
}

/* ---- the cached walk ---- */

/* One step inside the RCU section; NULL: the long way has to find out. */
static struct dentry *cached_step(const struct vfs_context *context, struct dentry *at,
				  struct server_name name)
{
	const struct node *node = at->node;
	struct dentry *child;

	if (!node || !S_ISDIR(read_once(&node->attr.mode)) || node_may(node, context, X_OK))
		return NULL;
	if (is_dot(name))
		return at;
	if (is_dot_dot(name))
		return cross_mounts_rcu(parent_of(context, at));
	if (name.len_bytes > NAME_MAX)
		return NULL;
	child = dentry_find_rcu(at, name, name_hash(at, name.text, name.len_bytes));
	if (!child || !child->node)
		return NULL;
	child = cross_mounts_rcu(child);
	return likely(mount_admits(child->mount, context)) ? child : NULL;
}

/* True: *out is the end, with a reference. */
static bool path_walk_cached(const struct vfs_context *context, struct dentry *from,
			     const char *rest, unsigned walk_flags, struct path *out)
{
	struct dentry *at = *rest == '/' ? context->root.dentry : from;
	const char *begin = rest;
	bool found = false, slash = false;
	struct server_name name;

	rcu_read_lock();
	at = cross_mounts_rcu(at);
	for (name = next_name(&rest); name.len_bytes; name = next_name(&rest)) {
		slash = *rest == '/';
		at = cached_step(context, at, name);
		if (!at)
			goto unlock;
		if (S_ISLNK(read_once(&at->node->attr.mode)) &&
		    ((walk_flags & WALK_FOLLOW) || !only_slashes(rest) || slash))
			goto unlock;
	}
	if (rest - begin >= PATH_MAX)
		goto unlock;
	if (((walk_flags & WALK_DIRECTORY) || slash) && !S_ISDIR(read_once(&at->node->attr.mode)))
		goto unlock;
	found = refcount_try_get(&at->references);
unlock:
	rcu_read_unlock();
	out->dentry = at;
	return found;
}

/* ---- what openat2 forbids ---- */

#define RESOLVE_SCOPED (RESOLVE_BENEATH | RESOLVE_IN_ROOT)

static const struct dentry *above(const struct dentry *at, struct server_name *name);

/* Below the context's root, or the root itself. */
static bool is_in_root(const struct vfs_context *context, const struct dentry *at)
{
	const struct dentry *root = context->root.dentry;
	struct server_name name;

	rcu_read_lock();
	while (at && at != root && at != cross_mounts_rcu(context->root.dentry))
		at = above(at, &name);
	rcu_read_unlock();
	return at;
}

/* Whether a step from walk->at may end at `to`. */
static err_t check_step(const struct walk *walk, struct server_name name, const struct dentry *to)
{
	unsigned resolve = walk->context->resolve;

	if (likely(!resolve))
		return 0;
	if ((resolve & RESOLVE_NO_XDEV) && to->mount != walk->at->mount)
		return -EXDEV;
	if (!(resolve & RESOLVE_SCOPED) || !is_dot_dot(name))
		return 0;
	if ((resolve & RESOLVE_BENEATH) && to == walk->at)
		return -EXDEV; /* above where it started */
	/* A directory on the way was moved out of the root meanwhile. */
	return is_in_root(walk->context, to) ? 0 : -EAGAIN;
}

/* Whether a name, of the caller's or of a link, may begin at the root. */
static err_t check_absolute(const struct walk *walk)
{
	const struct vfs_context *context = walk->context;

	if (context->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	if ((context->resolve & RESOLVE_NO_XDEV) && walk->at &&
	    walk->at->mount != context->root.dentry->mount)
		return -EXDEV;
	return 0;
}

/* ---- the long way ---- */

err_t walk_begin(struct walk *walk, const struct vfs_context *context, const struct path *from,
		 const char *name)
{
	const struct path *start = from ? from : &context->cwd;
	size_t len_bytes = strnlen(name, PATH_MAX);

	*walk = (struct walk){.context = context, .rest = name};
	if (len_bytes == 0)
		return -ENOENT;
	if (len_bytes == PATH_MAX)
		return -ENAMETOOLONG;
	if (*name == '/') {
		err_t err = check_absolute(walk);

		if (err)
			return err;
		start = &context->root;
	}
	rcu_read_lock();
	walk->at = cross_mounts_rcu(start->dentry);
	if (walk->at == start->dentry || !refcount_try_get(&walk->at->references))
		walk->at = dentry_get(start->dentry);
	rcu_read_unlock();
	return 0;
}

void walk_end(struct walk *walk)
{
	dentry_put(walk->at);
	kfree(walk->text);
	walk->at = NULL;
	walk->text = NULL;
}

/* May a name be looked for in walk->at? */
static err_t check_directory(const struct walk *walk)
{
	struct node *node = walk->at->node;
	struct server_attr attr;
	err_t err;

	if (node_type(node) != S_IFDIR)
		return -ENOTDIR;
	/* The mode that decides may have to be asked for again. */
	if (!still_valid(read_once(&node->attr_valid_until_ns))) {
		err = node_attr(node, &attr);
		if (err)
			return err;
	}
	return node_may(node, walk->context, X_OK);
}

/* Replaces a reference to `dentry` by one to what is mounted over it. */
static struct dentry *cross_mounts(struct dentry *dentry)
{
	struct dentry *top;

	if (likely(!read_once(&dentry->covered_by)))
		return dentry;
	rcu_read_lock();
	top = cross_mounts_rcu(dentry);
	if (top == dentry || !refcount_try_get(&top->references))
		top = NULL; /* unmounted just now: what was below shows again */
	rcu_read_unlock();
	if (!top)
		return dentry;
	dentry_put(dentry);
	return top;
}

static struct dentry *get_parent(const struct walk *walk)
{
	struct dentry *parent;

	rcu_read_lock();
	do {
		parent = parent_of(walk->context, walk->at);
	} while (!refcount_try_get(&parent->references)); /* moved away: look again */
	rcu_read_unlock();
	return cross_mounts(parent);
}

/* What `name` means in walk->at; *out may be negative. */
static err_t step(struct walk *walk, struct server_name name, struct dentry **out)
{
	err_t err = check_directory(walk);

	if (err)
		return err;
	if (thread_killed())
		return -EINTR;
	if (is_dot(name)) {
		*out = dentry_get(walk->at);
		return 0;
	}
	if (is_dot_dot(name)) {
		*out = get_parent(walk);
	} else if (name.len_bytes > NAME_MAX) {
		return -ENAMETOOLONG;
	} else {
		err = dentry_lookup(walk->at, name, walk->context, out);
		if (err)
			return err;
		*out = cross_mounts(*out);
	}
	err = mount_admits((*out)->mount, walk->context) ? check_step(walk, name, *out) : -EACCES;
	if (err)
		dentry_put(*out);
	return err;
}

static void go_to(struct walk *walk, struct dentry *dentry)
{
	dentry_put(walk->at);
	walk->at = dentry;
	walk->jumped = false;
}

/* The new text is the link's target and what was left of the old one. */
static err_t link_text(struct walk *walk, struct node *link, char **out)
{
	struct server *server = node_server(link);
	size_t rest_bytes = strlen(walk->rest);
	ssize_t len_bytes;
	char *text;

	if (!server->ops->readlink)
		return -EINVAL;
	text = kmalloc(PATH_MAX);
	if (!text)
		return -ENOMEM;
	len_bytes = server->ops->readlink(server, link->id, text, PATH_MAX);
	if (len_bytes < 0 || len_bytes >= PATH_MAX || memchr(text, 0, (size_t)len_bytes)) {
		kfree(text);
		return len_bytes < 0 ? (err_t)len_bytes : -EIO;
	}
	if (len_bytes == 0 || (size_t)len_bytes + rest_bytes >= PATH_MAX) {
		kfree(text);
		return len_bytes == 0 ? -ENOENT : -ENAMETOOLONG;
	}
	memcpy(text + len_bytes, walk->rest, rest_bytes + 1);
	*out = text;
	return 0;
}

/* A link that leads to a place, whatever its name is. -ENOSYS: it is one of those that are text. */
static err_t jump(struct walk *walk, const struct node *link)
{
	struct server *server = node_server(link);
	struct server_caller caller = server_caller_of(walk->context);
	unsigned resolve = walk->context->resolve;
	struct path to;
	err_t err;

	if (!server->ops->follow)
		return -ENOSYS;
	err = server->ops->follow(server, &caller, link->id, &to);
	if (err)
		return err;
	if (!mount_admits(to.dentry->mount, walk->context))
		err = -EACCES;
	else if (resolve & RESOLVE_NO_MAGICLINKS)
		err = -ELOOP;
	else if ((resolve & RESOLVE_SCOPED) ||
		 ((resolve & RESOLVE_NO_XDEV) && to.dentry->mount != walk->at->mount))
		err = -EXDEV;
	if (err) {
		path_put(&to);
		return err;
	}
	go_to(walk, to.dentry);
	walk->jumped = true;
	return 0;
}

err_t walk_into_link(struct walk *walk, struct dentry *link)
{
	char *text = NULL;
	err_t err = -ELOOP;

	if (walk->nlinks++ < 40 && /* Linux: MAXSYMLINKS */
	    !(walk->context->resolve & RESOLVE_NO_SYMLINKS))
		err = jump(walk, link->node);
	if (err == -ENOSYS)
		err = link_text(walk, link->node, &text);
	dentry_put(link);
	if (!err && text && *text == '/')
		err = check_absolute(walk);
	if (err || !text) {
		kfree(text);
		return err;
	}
	kfree(walk->text);
	walk->text = text;
	walk->rest = text;
	if (*text == '/')
		go_to(walk, cross_mounts(dentry_get(walk->context->root.dentry)));
	return 0;
}

err_t walk_to_last(struct walk *walk)
{
	for (;;) {
		bool slash = walk->jumped && *walk->rest == '/';
		struct server_name name = next_name(&walk->rest);
		struct dentry *child;
		err_t err;

		walk->last = name;
		walk->trailing_slash = *walk->rest == '/' || (slash && !name.len_bytes);
		if (only_slashes(walk->rest))
			return 0;
		err = step(walk, name, &child);
		if (err)
			return err;
		if (dentry_is_negative(child)) {
			dentry_put(child);
			return -ENOENT;
		}
		if (node_type(child->node) == S_IFLNK) {
			err = walk_into_link(walk, child);
			if (err)
				return err;
			continue;
		}
		go_to(walk, child);
	}
}

err_t walk_last(struct walk *walk, struct dentry **out)
{
	if (!walk->last.len_bytes) {
		*out = dentry_get(walk->at);
		return 0;
	}
	return step(walk, walk->last, out);
}

bool walk_last_is_special(const struct walk *walk)
{
	return walk->last.len_bytes == 0 || is_dot(walk->last) || is_dot_dot(walk->last);
}

static err_t walk_whole(struct walk *walk, unsigned walk_flags, struct path *out)
{
	struct dentry *end;
	bool directory;
	err_t err;

	for (;;) {
		err = walk_to_last(walk);
		if (err)
			return err;
		err = walk_last(walk, &end);
		if (err)
			return err;
		directory = (walk_flags & WALK_DIRECTORY) || walk->trailing_slash;
		if (dentry_is_negative(end)) {
			dentry_put(end);
			return -ENOENT;
		}
		/* A slash behind a link means what it points to; a link that one of /proc led to is
		 * meant itself. */
		if (node_type(end->node) != S_IFLNK || (walk->jumped && !walk->last.len_bytes) ||
		    !((walk_flags & WALK_FOLLOW) || walk->trailing_slash))
			break;
		err = walk_into_link(walk, end);
		if (err)
			return err;
	}
	if (directory && node_type(end->node) != S_IFDIR) {
		dentry_put(end);
		return -ENOTDIR;
	}
	out->dentry = end;
	return 0;
}

err_t path_walk(const struct vfs_context *context, const struct path *from, const char *name,
		unsigned walk_flags, struct path *out)
{
	const struct path *start = from ? from : &context->cwd;
	struct walk walk;
	err_t err;

	if (!*name && (walk_flags & WALK_EMPTY)) {
		*out = path_get(start);
		return 0;
	}
	atomic_add_relaxed(&names_counters.nwalks, 1);
	if (*name && !(context->resolve & ~RESOLVE_CACHED) &&
	    path_walk_cached(context, start->dentry, name, walk_flags, out)) {
		atomic_add_relaxed(&names_counters.nwalks_fast, 1);
		return 0;
	}
	if (context->resolve & RESOLVE_CACHED)
		return -EAGAIN;
	out->dentry = NULL;
	err = walk_begin(&walk, context, from, name);
	if (!err)
		err = walk_whole(&walk, walk_flags, out);
	walk_end(&walk);
	return err;
}

/* ---- from a place to its name ---- */

/* Puts `text` in front of *start. */
static bool prepend(char *to, size_t *start, const char *text, size_t len_bytes)
{
	if (*start < len_bytes)
		return false;
	*start -= len_bytes;
	memcpy(to + *start, text, len_bytes);
	return true;
}

/* The next place above: over mount borders, NULL at the root of everything. */
static const struct dentry *above(const struct dentry *at, struct server_name *name)
{
	const struct dentry_key *key;

	while (!(key = dentry_key(at))->parent) {
		if (!at->mount->at)
			return NULL;
		at = at->mount->at;
	}
	*name = (struct server_name){.text = key->text, .len_bytes = key->len_bytes};
	return key->parent;
}

static ssize_t write_name(const struct path *root, const struct path *path, bool for_getcwd,
			  char *to, size_t to_bytes)
{
	const struct dentry *at = path->dentry, *up, *top;
	size_t start = to_bytes;
	struct server_name name;
	ssize_t result = -ERANGE;

	if (!to_bytes)
		return -ERANGE;
	to[--start] = 0;
	rcu_read_lock();
	if (read_once(&at->removed)) {
		if (for_getcwd)
			result = -ENOENT;
		if (for_getcwd || !prepend(to, &start, " (deleted)", 10))
			goto unlock;
	}
	top = cross_mounts_rcu(root->dentry);
	while (at != root->dentry && at != top) {
		up = above(at, &name);
		if (!up && for_getcwd) {
			result = -ENOENT;
			goto unlock;
		}
		if (!up)
			break;
		if (!prepend(to, &start, name.text, name.len_bytes) || !prepend(to, &start, "/", 1))
			goto unlock;
		at = up;
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
	return write_name(root, path, false, to, to_bytes);
}

ssize_t path_getcwd(const struct path *root, const struct path *path, char *to, size_t to_bytes)
{
	return write_name(root, path, true, to, to_bytes);
}
