/*
 * Taking names away and moving them: unlink, rmdir, rename. The server is asked between the begin
 * and the end of a change of the directories; then the cache follows. Nothing is locked: a name
 * that changes hands meanwhile is the server's to refuse.
 */
#include <fusek/file.h>

#include "mount_tree.h"
#include "notify.h"
#include "open_file.h"
#include "walk.h"

/* A sticky directory: only who owns that or the child. */
static err_t check_sticky(const struct vfs_context *context, struct node *directory,
			  struct node *child)
{
	err_t err;

	if (vfs_capable(context, CAP_FOWNER))
		return 0; /* whoever owns it */
	err = node_know_owner(directory);
	if (err || !(read_once(&directory->attr.mode) & S_ISVTX) ||
	    context->uid == read_once(&directory->attr.uid))
		return err;
	return node_may_own(child, context, CAP_FOWNER);
}

/* May `child` lose its name in `directory`? */
static err_t check_remove(const struct vfs_context *context, const struct path *at,
			  struct node *child)
{
	struct node *directory = at->dentry->node;
	err_t err = node_know_mode(directory);

	if (err)
		return err;
	err = node_may(directory, context, W_OK | X_OK);
	if (err)
		return err;
	err = path_may_change(at);
	return err ? err : check_sticky(context, directory, child);
}

/* `end` is where a mount is, or a directory on which one stands that another mount shows. What
 * stands there in other trees goes with it. */
static bool is_mounted(const struct walk *walk, const struct path *end)
{
	return end->mount != walk->at.mount || mount_is_on(end->dentry);
}

/* The existing last name of a walk, not a mount's root. *out is a reference. */
static err_t find_last(struct walk *walk, struct path *out)
{
	err_t err = walk_last(walk, out);

	if (err)
		return err;
	if (dentry_is_negative(out->dentry))
		err = -ENOENT;
	else if (is_mounted(walk, out))
		err = -EBUSY;
	if (err)
		path_put(out);
	return err;
}

static err_t begin_at(struct walk *walk, const struct vfs_context *context, struct object *at,
		      const char *name)
{
	struct path start;
	err_t err = vfs_start(context, at, name, &start);

	walk->at = (struct path){0};
	walk->text = NULL;
	if (!err)
		err = walk_begin(walk, context, &start, name);
	return err ? err : walk_to_last(walk);
}

/* ---- unlink, rmdir ---- */

/* rmdir's answers to names that are none. */
static err_t special_name_error(const struct walk *walk, bool directory)
{
	if (!directory)
		return -EISDIR;
	if (walk->last.len_bytes == 0)
		return -EBUSY; /* the root */
	return walk->last.len_bytes == 1 ? -EINVAL : -ENOTEMPTY;
}

static err_t remove_last(struct walk *walk, struct dentry *victim, bool directory)
{
	struct server *server = walk->at.dentry->fs->server;
	struct server_caller caller = server_caller_of(walk->context);
	struct nodeid parent = walk->at.dentry->node->id;
	struct names_change change;
	err_t err;

	if (directory && node_type(victim->node) != S_IFDIR)
		return -ENOTDIR;
	err = check_remove(walk->context, &walk->at, victim->node);
	if (err)
		return err;
	if (!directory && node_type(victim->node) == S_IFDIR)
		return -EISDIR;
	if (!directory && walk->trailing_slash)
		return -ENOTDIR;
	if (directory ? !server->ops->rmdir : !server->ops->unlink)
		return -EPERM;
	err = mount_write_begin(&walk->at);
	if (err)
		return err;

	names_change_begin(&change, walk->at.dentry->node);
	err = directory ? server->ops->rmdir(server, &caller, parent, walk->last)
			: server->ops->unlink(server, &caller, parent, walk->last);
	(void)names_change_end(&change);
	mount_write_end(walk->at.mount);
	if (err) {
		node_attr_changed(victim->node);
		return err == -ENOSYS ? -EPERM : err;
	}
	node_attr_linked(victim->node, -1);
	dentry_set_removed(victim);
	dentry_drop_name(walk->at.dentry, walk->last, victim->node);
	if (!directory && read_once(&victim->node->watches))
		notify_node(victim->node, IN_ATTRIB); /* of its links there is one less */
	return 0;
}

err_t vfs_unlink(const struct vfs_context *context, struct object *at, const char *name,
		 unsigned at_flags)
{
	bool directory = (at_flags & AT_REMOVEDIR) != 0;
	struct path victim;
	struct walk walk;
	err_t err;

	if (at_flags & ~AT_REMOVEDIR)
		return -EINVAL;
	err = begin_at(&walk, context, at, name);
	if (err)
		goto end_walk;
	if (walk_last_is_special(&walk)) {
		err = special_name_error(&walk, directory);
		goto end_walk;
	}
	err = find_last(&walk, &victim);
	if (err)
		goto end_walk;
	err = remove_last(&walk, victim.dentry, directory);
	path_put(&victim);
	if (!err) /* after what becomes of the thing itself, as on Linux */
		notify_name(walk.at.dentry->node, walk.last, IN_DELETE, directory, 0);
end_walk:
	walk_end(&walk);
	return err;
}

/* ---- rename ---- */

/* One rename: where from, where to, and what stands there. */
struct rename {
	struct walk from;
	struct walk to;
	struct path old;
	struct path target; /* may be negative */
	unsigned flags;
};

/* What the names themselves forbid, whoever asks; in Linux's order. */
static err_t check_shape(const struct rename *rename)
{
	bool exchange = (rename->flags & RENAME_EXCHANGE) != 0;
	bool onto_nothing = dentry_is_negative(rename->target.dentry);

	if (exchange && onto_nothing)
		return -ENOENT;
	if ((rename->flags & RENAME_NOREPLACE) && !onto_nothing)
		return -EEXIST;
	if (!onto_nothing && is_mounted(&rename->to, &rename->target))
		return -EBUSY;
	if (node_type(rename->old.dentry->node) != S_IFDIR &&
	    (rename->from.trailing_slash || (rename->to.trailing_slash && !exchange)))
		return -ENOTDIR;
	/* Into itself, or over what it is in. */
	if (dentry_is_below(rename->to.at.dentry, rename->old.dentry))
		return -EINVAL;
	if (!onto_nothing && dentry_is_below(rename->from.at.dentry, rename->target.dentry))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* May what stands at the new name go, or a new name be made there? */
static err_t check_target(const struct rename *rename)
{
	const struct vfs_context *context = rename->to.context;
	bool old_is_directory = node_type(rename->old.dentry->node) == S_IFDIR;
	const struct path *at = &rename->to.at;
	bool target_is_directory;
	err_t err;

	if (dentry_is_negative(rename->target.dentry)) {
		err = node_know_mode(at->dentry->node);
		return err ? err : node_may(at->dentry->node, context, W_OK | X_OK);
	}
	err = check_remove(context, at, rename->target.dentry->node);
	if (err || (rename->flags & RENAME_EXCHANGE))
		return err;
	target_is_directory = node_type(rename->target.dentry->node) == S_IFDIR;
	if (old_is_directory && !target_is_directory)
		return -ENOTDIR;
	return !old_is_directory && target_is_directory ? -EISDIR : 0;
}

/* A directory that comes into another one gets another "..", which is written in it. */
static err_t check_new_parent(const struct rename *rename, struct dentry *moved)
{
	err_t err;

	if (rename->from.at.dentry->node == rename->to.at.dentry->node ||
	    dentry_is_negative(moved) || node_type(moved->node) != S_IFDIR)
		return 0;
	err = node_know_mode(moved->node);
	return err ? err : node_may(moved->node, rename->from.context, W_OK);
}

static err_t check_rename(const struct rename *rename)
{
	err_t err = check_shape(rename);

	if (!err)
		err = check_remove(rename->from.context, &rename->from.at,
				   rename->old.dentry->node);
	if (!err)
		err = check_target(rename);
	if (!err)
		err = check_new_parent(rename, rename->old.dentry);
	if (!err && (rename->flags & RENAME_EXCHANGE))
		err = check_new_parent(rename, rename->target.dentry);
	return err;
}

static err_t ask_rename(struct rename *rename, struct names_rename *done)
{
	struct server *server = rename->from.at.dentry->fs->server;
	struct server_caller caller = server_caller_of(rename->from.context);
	struct names_change from_change, to_change;
	bool two = rename->from.at.dentry->node != rename->to.at.dentry->node;
	void (*moved)(struct node * node);
	err_t err = mount_write_begin(&rename->from.at);

	if (err)
		return err;
	names_change_begin(&from_change, rename->from.at.dentry->node);
	if (two)
		names_change_begin(&to_change, rename->to.at.dentry->node);
	err = server->ops->rename(server, &caller, rename->from.at.dentry->node->id,
				  rename->from.last, rename->to.at.dentry->node->id,
				  rename->to.last, rename->flags);
	done->from_version = names_change_end(&from_change);
	done->to_version = two ? names_change_end(&to_change) : done->from_version;
	mount_write_end(rename->from.at.mount);
	moved = err ? node_attr_changed : node_attr_status_changed;
	moved(rename->old.dentry->node);
	if (!dentry_is_negative(rename->target.dentry)) {
		if (!err && !(rename->flags & RENAME_EXCHANGE))
			node_attr_linked(rename->target.dentry->node, -1);
		else
			moved(rename->target.dentry->node);
	}
	return err == -ENOSYS ? -EINVAL : err;
}

static void tell_names(const struct walk *from, const struct walk *to, struct node *node)
{
	bool directory = node_type(node) == S_IFDIR;
	uint32_t cookie = notify_cookie();

	notify_name(from->at.dentry->node, from->last, IN_MOVED_FROM, directory, cookie);
	notify_name(to->at.dentry->node, to->last, IN_MOVED_TO, directory, cookie);
}

/* What stood at the new name ends with its last user, which we are perhaps. */
static void tell_move(const struct rename *rename)
{
	struct node *node = rename->old.dentry->node;

	if (likely(!read_once(&notify_nwatches)))
		return;
	tell_names(&rename->from, &rename->to, node);
	if (!dentry_is_negative(rename->target.dentry) && !(rename->flags & RENAME_EXCHANGE))
		notify_node(rename->target.dentry->node, IN_ATTRIB);
	notify_node(node, IN_MOVE_SELF);
}

static void tell_exchanged(const struct rename *rename)
{
	if (likely(!read_once(&notify_nwatches)))
		return;
	tell_names(&rename->to, &rename->from, rename->target.dentry->node);
	notify_node(rename->target.dentry->node, IN_MOVE_SELF);
}

static err_t do_rename(struct rename *rename)
{
	bool exchange = (rename->flags & RENAME_EXCHANGE) != 0;
	struct names_rename done;
	err_t err;

	/* Two names of one thing: nothing is to be done, POSIX says. */
	if (!dentry_is_negative(rename->target.dentry) &&
	    rename->old.dentry->node == rename->target.dentry->node)
		return (rename->flags & RENAME_NOREPLACE) ? -EEXIST : 0;
	err = check_rename(rename);
	if (err)
		return err;
	if (!rename->from.at.dentry->fs->server->ops->rename)
		return -EPERM;
	/* What the cache needs afterwards, now: later it may not fail. */
	done.from = dentry_key_create(rename->from.at.dentry, rename->from.last);
	done.to = dentry_key_create(rename->to.at.dentry, rename->to.last);
	err = done.from && done.to ? ask_rename(rename, &done) : -ENOMEM;
	if (err) {
		dentry_key_free(done.from);
		dentry_key_free(done.to);
		return err;
	}
	if (!exchange && !dentry_is_negative(rename->target.dentry))
		dentry_set_removed(rename->target.dentry);
	dentry_renamed(rename->old.dentry, exchange ? rename->target.dentry : NULL, &done);
	tell_move(rename);
	if (exchange)
		tell_exchanged(rename);
	return 0;
}

static err_t find_both(struct rename *rename)
{
	err_t err;

	if (rename->from.at.mount != rename->to.at.mount)
		return -EXDEV;
	if (walk_last_is_special(&rename->from) || walk_last_is_special(&rename->to))
		return -EBUSY;
	err = find_last(&rename->from, &rename->old);
	if (err)
		return err;
	err = walk_last(&rename->to, &rename->target);
	if (err)
		path_put(&rename->old);
	return err;
}

err_t vfs_rename(const struct vfs_context *context, struct object *old_at, const char *old_name,
		 struct object *new_at, const char *new_name, unsigned flags)
{
	struct rename rename = {.flags = flags};
	err_t err;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = begin_at(&rename.from, context, old_at, old_name);
	if (err)
		goto end_from;
	err = begin_at(&rename.to, context, new_at, new_name);
	if (err)
		goto end_to;
	err = find_both(&rename);
	if (err)
		goto end_to;
	err = do_rename(&rename);
	path_put(&rename.target);
	path_put(&rename.old);
end_to:
	walk_end(&rename.to);
end_from:
	walk_end(&rename.from);
	return err;
}
