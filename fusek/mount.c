/*
 * The tree of mounts. Owns the list of mounts and the pointers from covered directories to what
 * covers them. Changes are made under mounts_lock; walkers read the pointers under RCU, so a
 * mount's memory and root outlive every walk that saw them.
 */
#define LOG_SUBSYSTEM "fusek"
#include <fusek/mount.h>

#include "names.h"
#include "notify.h"

#include <arch/clock.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <sched/lock.h>

static MUTEX(mounts_lock, LOCK_MOUNT);
static LIST_HEAD(mounts);    /* mounts_lock: in the order of their making */
static uint32_t last_number; /* mounts_lock */
static struct path the_root; /* set once, by the first mount */

struct path mount_root(void)
{
	return the_root;
}

struct vfs_context vfs_kernel_context(void)
{
	return (struct vfs_context){
		.root = the_root, .cwd = the_root, .capabilities = CAPABILITIES_ALL, .umask = 022};
}

struct server_caller server_caller_of(const struct vfs_context *context)
{
	return (struct server_caller){.uid = context->uid,
				      .gid = context->gid,
				      .pid = context->pid,
				      .umask = context->umask};
}

#define PATIENCE_NS (10 * NSEC_PER_SEC)

uint64_t server_deadline_ns(void)
{
	return server_caller_current().pid ? UINT64_MAX : clock_ns() + PATIENCE_NS;
}

static err_t get_root_node(struct mount *mount, struct node **out)
{
	struct server *server = mount->server;
	struct server_entry entry = {.node = SERVER_ROOT};
	err_t err = server->ops->root ? server->ops->root(server, &entry)
				      : server->ops->getattr(server, SERVER_ROOT, &entry.attr,
							     &entry.attr_valid_ns);

	if (err)
		return err;
	if (!S_ISDIR(entry.attr.mode))
		return -ENOTDIR;
	return node_from_entry(mount, &entry, out);
}

/* mounts_lock is held. */
static err_t publish_locked(struct mount *mount, const struct path *at)
{
	if (!at->dentry) {
		if (the_root.dentry)
			return -EBUSY;
		the_root.dentry = dentry_get(mount->root);
	} else {
		if (node_type(at->dentry->node) != S_IFDIR)
			return -ENOTDIR;
		if (at->dentry->covered_by)
			return -EBUSY;
		mount->at = dentry_get(at->dentry);
		rcu_assign(&at->dentry->covered_by, mount);
	}
	list_add_tail(&mounts, &mount->link);
	return 0;
}

/* A mount that is nowhere yet. */
static err_t make_mount(struct server *server, struct mount **out)
{
	struct mount *mount = kzalloc(sizeof(*mount));
	struct node *node;
	err_t err;

	if (!mount)
		return -ENOMEM;
	list_init(&mount->link);
	mount->server = server;
	mutex_lock(&mounts_lock);
	mount->number = ++last_number;
	mutex_unlock(&mounts_lock);
	server->mount_number = mount->number;

	err = get_root_node(mount, &node);
	if (!err) {
		mount->root = dentry_create_root(mount, node);
		err = mount->root ? 0 : -ENOMEM;
	}
	if (err)
		kfree(mount);
	else
		*out = mount;
	return err;
}

err_t mount_create(struct server *server, const struct path *at)
{
	static const struct path nowhere;
	struct mount *mount;
	err_t err = make_mount(server, &mount);

	if (err)
		return err;
	mutex_lock(&mounts_lock);
	err = publish_locked(mount, at ? at : &nowhere);
	mutex_unlock(&mounts_lock);
	if (!err)
		return 0;
	dentry_put(mount->root);
	rcu_barrier(); /* what it freed still names the mount */
	kfree(mount);
	return err;
}

err_t mount_create_hidden(struct server *server, struct path *root)
{
	struct mount *mount;
	err_t err = make_mount(server, &mount);

	if (!err)
		root->dentry = dentry_get(mount->root);
	return err;
}

/* Nothing but the mount itself holds anything of it. mounts_lock is held. */
static bool unused_locked(const struct mount *mount)
{
	struct mount *other;

	list_for_each (other, &mounts, link) {
		if (other->at && other->at->mount == mount)
			return false;
	}
	return read_once(&mount->nnodes) == 1 && read_once(&mount->root->references.count) == 1;
}

static void free_mount(struct rcu_head *head)
{
	kfree(container_of(head, struct mount, rcu));
}

/* Nothing names anything of it any more, and no walk can come to it. */
void mount_gone(struct mount *mount)
{
	struct server *server = mount->server;

	dentry_put(mount->at);
	rcu_call(&mount->rcu, free_mount);
	if (server->ops->destroy)
		server->ops->destroy(server);
}

/* The walker's own reference to the root is `held`: it is given up here. */
static err_t detach(struct mount *mount, struct dentry *held)
{
	err_t err = -EBUSY;

	mutex_lock(&mounts_lock);
	if (mount->detached) { /* somebody else did, and ours may be the last reference */
		mutex_unlock(&mounts_lock);
		dentry_put(held);
		return -EINVAL;
	}
	dentry_put(held);
	if (unused_locked(mount)) {
		rcu_assign(&mount->at->covered_by, NULL);
		rcu_synchronize(); /* no walk can enter it any more; one may have just before */
		if (unused_locked(mount)) {
			list_del(&mount->link);
			err = 0;
		} else {
			rcu_assign(&mount->at->covered_by, mount);
		}
	}
	mutex_unlock(&mounts_lock);
	return err;
}

err_t mount_remove(struct path *at)
{
	struct mount *mount = at->dentry->mount;
	err_t err;

	if (at->dentry != mount->root || !mount->at) {
		path_put(at);
		return -EINVAL;
	}
	dentry_evict_all(mount);
	notify_unmount(mount, true);
	err = detach(mount, at->dentry);
	if (err)
		return err;
	notify_unmount(mount, false); /* the root's own */
	write_once(&mount->detached, true);
	dentry_put(mount->root); /* its node is the last: mount_gone() */
	return 0;
}

/* The youngest mount that stands in or over `mount`, itself at last. */
static struct mount *topmost_locked(struct mount *mount)
{
	struct mount *other;

	list_for_each (other, &mounts, link) {
		if (other->at && other->at->mount == mount)
			return topmost_locked(other);
	}
	return mount;
}

err_t mount_detach(const struct path *at)
{
	struct mount *mount = at->dentry->mount, *top;

	if (at->dentry != mount->root || !mount->at)
		return -EINVAL;
	do {
		mutex_lock(&mounts_lock);
		if (mount->detached) {
			mutex_unlock(&mounts_lock);
			return -EINVAL; /* somebody else did */
		}
		top = topmost_locked(mount);
		rcu_assign(&top->at->covered_by, NULL);
		list_del(&top->link);
		write_once(&top->detached, true);
		mutex_unlock(&mounts_lock);
		rcu_synchronize(); /* no walk enters it any more */
		notify_unmount(top, false);
		dentry_drop_all(top);
		dentry_put(top->root);
	} while (top != mount);
	return 0;
}

/* As /proc/mounts has them. */
static void describe_options(const struct server *server, char to[MOUNT_OPTIONS_BYTES])
{
	kernel_format(to, MOUNT_OPTIONS_BYTES, "%s%s%s%s",
		      server->flags & SERVER_READ_ONLY ? "ro" : "rw",
		      server->flags & SERVER_NO_SET_ID ? ",nosuid" : "",
		      server->flags & SERVER_NO_DEVICES ? ",nodev" : "",
		      server->flags & SERVER_NO_EXEC ? ",noexec" : "");
}

static void fill_info(const struct mount *mount, struct mount_info *out)
{
	struct server *server = mount->server;
	const struct path root = {.dentry = mount->root};
	char *name = kmalloc(PATH_MAX);

	*out = (struct mount_info){.nnodes = read_once(&mount->nnodes)};
	describe_options(server, out->options);
	string_copy(out->source, sizeof(out->source), server->source);
	string_copy(out->type, sizeof(out->type), server->type);
	if (!name || path_name(&the_root, &root, name, PATH_MAX) < 0)
		string_copy(out->at, sizeof(out->at), "?");
	else
		string_copy(out->at, sizeof(out->at), name);
	kfree(name);
	if (!server->ops->statfs || server->ops->statfs(server, &out->statfs))
		out->statfs = (struct server_statfs){0};
}

/* The one with the lowest number above `after`, its root held; NULL: there is none. */
static struct mount *hold_next(uint32_t after)
{
	struct mount *mount, *found = NULL;

	mutex_lock(&mounts_lock);
	list_for_each (mount, &mounts, link) {
		if (mount->number > after && (!found || mount->number < found->number))
			found = mount;
	}
	if (found)
		dentry_get(found->root);
	mutex_unlock(&mounts_lock);
	return found;
}

err_t mount_statfs(uint32_t number, struct server_statfs *out)
{
	struct mount *mount = number ? hold_next(number - 1) : NULL;
	struct server *server;
	err_t err = -EINVAL;

	if (!mount)
		return err;
	server = mount->server;
	if (mount->number == number)
		err = server->ops->statfs ? server->ops->statfs(server, out) : -ENOSYS;
	dentry_put(mount->root);
	return err;
}

bool mount_next(uint32_t after, const struct path *root, struct mount_line *out, char *at,
		size_t at_bytes)
{
	struct mount *mount;

	while ((mount = hold_next(after))) {
		const struct path top = {.dentry = mount->root};
		ssize_t len = path_getcwd(root, &top, at, at_bytes);

		if (len > 0) {
			*out = (struct mount_line){
				.number = mount->number,
				.parent = mount->at ? mount->at->mount->number : 0,
			};
			describe_options(mount->server, out->options);
			string_copy(out->source, sizeof(out->source), mount->server->source);
			string_copy(out->type, sizeof(out->type), mount->server->type);
		}
		after = mount->number;
		dentry_put(mount->root);
		if (len > 0)
			return true;
	}
	return false;
}

bool mount_info(unsigned index, struct mount_info *out)
{
	struct mount *mount, *found = NULL;

	/* The root is held over the question to the server, which is asked without the lock. */
	mutex_lock(&mounts_lock);
	list_for_each (mount, &mounts, link) {
		if (index-- == 0) {
			found = mount;
			dentry_get(found->root);
			break;
		}
	}
	mutex_unlock(&mounts_lock);
	if (!found)
		return false;
	fill_info(found, out);
	dentry_put(found->root);
	return true;
}

void names_stats(struct names_stats *out)
{
	*out = (struct names_stats){.ndentries = read_once(&names_counters.ndentries),
				    .nnegative = read_once(&names_counters.nnegative),
				    .nnodes = read_once(&names_counters.nnodes),
				    .nwalks = read_once(&names_counters.nwalks),
				    .nwalks_fast = read_once(&names_counters.nwalks_fast),
				    .nlookups = read_once(&names_counters.nlookups)};
}
