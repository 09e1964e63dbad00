/*
 * Walking a path name. First try: path_walk_cached() (path_cached.c). Then the long way, which
 * holds a reference to the place where it is and may sleep. No state of its own.
 */
#include "mount_tree.h"
#include "walk.h"

#include <lib/string.h>
#include <mm/slab.h>
#include <sched/thread.h>

/* ---- what openat2 forbids ---- */

#define RESOLVE_SCOPED (RESOLVE_BENEATH | RESOLVE_IN_ROOT)

/* Below the context's root, or the root itself. */
static bool is_in_root(const struct vfs_context *context, const struct path *to)
{
	struct path at = *to;
	struct server_name name;

	rcu_read_lock();
	while (path_above_rcu(&context->root, &at, &name))
		;
	rcu_read_unlock();
	return path_equal(&at, &context->root);
}

/* Whether a step from walk->at may end at `to`. */
static err_t check_step(const struct walk *walk, struct server_name name, const struct path *to)
{
	unsigned resolve = walk->context->resolve;

	if (!mount_admits(to->mount, walk->context) &&
	    !(walk->any_mount && only_slashes(walk->rest)))
		return -EACCES;
	if (likely(!resolve))
		return 0;
	if ((resolve & RESOLVE_NO_XDEV) && to->mount != walk->at.mount)
		return -EXDEV;
	if (!(resolve & RESOLVE_SCOPED) || !is_dot_dot(name))
		return 0;
	if ((resolve & RESOLVE_BENEATH) && path_equal(to, &walk->at))
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
	if ((context->resolve & RESOLVE_NO_XDEV) && walk->at.mount &&
	    walk->at.mount != context->root.mount)
		return -EXDEV;
	return 0;
}

/* ---- the long way ---- */

static struct path begin_at(const struct path *start)
{
	struct path at = *start;

	rcu_read_lock();
	path_enter_rcu(&at);
	if (!refcount_try_get(&at.dentry->references)) { /* unmounted just now */
		at = *start;
		(void)dentry_get(at.dentry);
	}
	(void)mount_get(at.mount);
	rcu_read_unlock();
	return at;
}

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
	if (!context->resolve && walk_cached_to_last(walk, *start))
		walk->at_last = true;
	else
		walk->at = begin_at(start);
	return 0;
}

void walk_end(struct walk *walk)
{
	path_put(&walk->at);
	kfree(walk->text);
	walk->text = NULL;
}

/* May a name be looked for in walk->at? */
static err_t check_directory(const struct walk *walk)
{
	struct node *node = walk->at.dentry->node;
	err_t err;

	if (node_type(node) != S_IFDIR)
		return -ENOTDIR;
	err = node_know_mode(node);
	return err ? err : node_may(node, walk->context, X_OK);
}

bool path_cross(struct path *at)
{
	struct path top = *at;

	if (likely(!read_once(&at->dentry->mounted)))
		return false;
	rcu_read_lock();
	path_cross_rcu(&top);
	if (path_equal(&top, at) || !refcount_try_get(&top.dentry->references))
		top = *at; /* not over this one; or unmounted just now: what was below shows again
			    */
	else
		(void)mount_get(top.mount);
	rcu_read_unlock();
	if (path_equal(&top, at))
		return false;
	path_put(at);
	*at = top;
	return true;
}

static err_t get_parent(const struct walk *walk, struct path *out)
{
	bool found;

	rcu_read_lock();
	do {
		*out = walk->at;
		found = path_to_parent_rcu(walk->context, out);
	} while (found && !refcount_try_get(&out->dentry->references)); /* moved: look again */
	if (found)
		(void)mount_get(out->mount);
	rcu_read_unlock();
	return found ? 0 : -ENOENT; /* as Linux */
}

/* What `name` means in walk->at, but for what is mounted there. */
static err_t look_up(const struct walk *walk, struct server_name name, struct path *out)
{
	struct dentry *child;
	err_t err;

	if (is_dot_dot(name))
		return get_parent(walk, out);
	if (name.len_bytes > NAME_MAX)
		return -ENAMETOOLONG;
	err = dentry_lookup(walk->at.dentry, name, walk->context, walk->attr, &child);
	if (!err)
		*out = (struct path){.mount = mount_get(walk->at.mount), .dentry = child};
	return err;
}

/* What `name` means in walk->at; *out may be negative. */
static err_t step(struct walk *walk, struct server_name name, struct path *out)
{
	err_t err = check_directory(walk);

	if (err)
		return err;
	if (thread_killed())
		return -EINTR;
	if (walk->attr)
		walk->attr->mode = 0; /* what comes with this name, or nothing */
	if (is_dot(name)) {
		*out = path_get(&walk->at);
		return 0;
	}
	err = look_up(walk, name, out);
	if (err)
		return err;
	if (path_cross(out) && walk->attr)
		walk->attr->mode = 0; /* they are of what is covered */
	err = check_step(walk, name, out);
	if (err)
		path_put(out);
	return err;
}

/* Consumes the reference. */
static void go_to(struct walk *walk, const struct path *to)
{
	path_put(&walk->at);
	walk->at = *to;
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
	len_bytes = node_readlink(link, text, PATH_MAX);
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
	if (!mount_admits(to.mount, walk->context))
		err = -EACCES;
	else if (resolve & RESOLVE_NO_MAGICLINKS)
		err = -ELOOP;
	else if ((resolve & RESOLVE_SCOPED) ||
		 ((resolve & RESOLVE_NO_XDEV) && to.mount != walk->at.mount))
		err = -EXDEV;
	if (err) {
		path_put(&to);
		return err;
	}
	go_to(walk, &to);
	walk->jumped = true;
	return 0;
}

err_t walk_into_link(struct walk *walk, struct path *link)
{
	char *text = NULL;
	err_t err = -ELOOP;

	/* They are the link's. */
	if (walk->attr)
		walk->attr->mode = 0;
	if (walk->nlinks++ < 40 && /* Linux: MAXSYMLINKS */
	    !(walk->context->resolve & RESOLVE_NO_SYMLINKS) &&
	    !(read_once(&link->mount->flags) & MS_NOSYMFOLLOW))
		err = jump(walk, link->dentry->node);
	if (err == -ENOSYS)
		err = link_text(walk, link->dentry->node, &text);
	path_put(link);
	if (!err && text && *text == '/')
		err = check_absolute(walk);
	if (err || !text) {
		kfree(text);
		return err;
	}
	kfree(walk->text);
	walk->text = text;
	walk->rest = text;
	if (*text == '/') {
		struct path root = begin_at(&walk->context->root);

		go_to(walk, &root);
	}
	return 0;
}

err_t walk_to_last(struct walk *walk)
{
	struct path from = walk->at;

	if (walk->at_last) {
		walk->at_last = false;
		return 0;
	}
	if (!walk->context->resolve && !walk->jumped && walk_cached_to_last(walk, from)) {
		path_put(&from);
		return 0;
	}
	for (;;) {
		bool slash = walk->jumped && *walk->rest == '/';
		struct server_name name = next_name(&walk->rest);
		struct path child;
		err_t err;

		walk->last = name;
		walk->trailing_slash = *walk->rest == '/' || (slash && !name.len_bytes);
		if (only_slashes(walk->rest))
			return 0;
		err = step(walk, name, &child);
		if (err)
			return err;
		if (dentry_is_negative(child.dentry)) {
			path_put(&child);
			return -ENOENT;
		}
		if (node_type(child.dentry->node) == S_IFLNK) {
			err = walk_into_link(walk, &child);
			if (err)
				return err;
			continue;
		}
		go_to(walk, &child);
	}
}

err_t walk_last(struct walk *walk, struct path *out)
{
	if (!walk->last.len_bytes) {
		*out = path_get(&walk->at);
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
	struct path end;
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
		if (dentry_is_negative(end.dentry)) {
			path_put(&end);
			return -ENOENT;
		}
		/* A slash behind a link means what it points to; a link that one of /proc led to is
		 * meant itself. */
		if (node_type(end.dentry->node) != S_IFLNK ||
		    (walk->jumped && !walk->last.len_bytes) ||
		    !((walk_flags & WALK_FOLLOW) || walk->trailing_slash))
			break;
		err = walk_into_link(walk, &end);
		if (err)
			return err;
	}
	if (directory && node_type(end.dentry->node) != S_IFDIR) {
		path_put(&end);
		return -ENOTDIR;
	}
	*out = end;
	return 0;
}

err_t path_walk(const struct vfs_context *context, const struct path *from, const char *name,
		unsigned walk_flags, struct path *out)
{
	return path_walk_told(context, from, name, walk_flags, NULL, out);
}

/* `last` not NULL: all before it was walked, *out is its directory, a reference that is consumed.
 */
static NOINLINE err_t walk_long(const struct vfs_context *context, const struct path *from,
				const char *name, unsigned walk_flags,
				const struct server_name *last, struct server_attr *attr,
				struct path *out)
{
	struct walk walk;
	err_t err = 0;

	if (context->resolve & RESOLVE_CACHED)
		return -EAGAIN;
	if (last)
		walk = (struct walk){.context = context,
				     .at = *out,
				     .rest = last->text + last->len_bytes,
				     .last = *last,
				     .at_last = true};
	else
		err = walk_begin(&walk, context, from, name);
	*out = (struct path){0};
	walk.attr = attr;
	walk.any_mount = walk_flags & WALK_ANY_MOUNT;
	if (!err)
		err = walk_whole(&walk, walk_flags, out);
	walk_end(&walk);
	return err;
}

err_t path_walk_told(const struct vfs_context *context, const struct path *from, const char *name,
		     unsigned walk_flags, struct path_told *told, struct path *out)
{
	const struct path *start = from ? from : &context->cwd;
	enum cached found = CACHED_UNKNOWN;
	struct server_name last;

	if (told)
		told->attr.mode = 0;
	if (!*name && (walk_flags & WALK_EMPTY)) {
		*out = path_get(start);
		return 0;
	}
	atomic_add_relaxed(&names_counters.nwalks, 1);
	if (*name && !(context->resolve & ~RESOLVE_CACHED))
		found = told ? path_stat_cached(context, start, name, walk_flags, told->stat, out,
						&last)
			     : path_walk_cached(context, start, name, walk_flags, out, &last);
	if (likely(found == CACHED_FOUND || found == CACHED_MISSING)) {
		atomic_add_relaxed(&names_counters.nwalks_fast, 1);
		return found == CACHED_MISSING ? -ENOENT : 0;
	}
	return walk_long(context, from, name, walk_flags, found == CACHED_TO_LAST ? &last : NULL,
			 told ? &told->attr : NULL, out);
}
