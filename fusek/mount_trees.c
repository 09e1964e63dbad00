/*
 * Trees of mounts: what mount namespaces consist of. Each stands on an absolute mount of its own;
 * all those show one directory. A tree is changed by those whose it is, and by what comes to mounts
 * that are shared (propagation.c). No state but the first one.
 */
#include "mount_tree.h"
#include "peers.h"

#include <mm/slab.h>

struct mount_tree mount_tree_first; /* constant after the first mount */

static err_t copy_locked(struct mount_tree *from, struct mount_tree *to) REQUIRES(mounts_lock);
static err_t copy_locked(struct mount_tree *from, struct mount_tree *to)
{
	err_t err = mount_check_room_locked(to, from->nmounts);

	to->absolute->tree = to; /* so what comes to it is in it */
	return err ? err : mount_copy_tree_locked(from->absolute, to->absolute);
}

err_t mount_tree_copy(struct mount_tree *from, struct mount_tree **out)
{
	struct mount_tree *tree = kzalloc(sizeof(*tree));
	err_t err;

	if (!tree)
		return -ENOMEM;
	tree->absolute = mount_alloc(mount_absolute->fs, mount_absolute->root, MS_RDONLY);
	if (!tree->absolute) {
		kfree(tree);
		return -ENOMEM;
	}
	mutex_lock(&mounts_lock);
	err = copy_locked(from, tree);
	mutex_unlock(&mounts_lock);
	if (err)
		mount_tree_free(tree);
	else
		*out = tree;
	return err;
}

void mount_tree_confine(struct mount_tree *tree, struct user_namespace *owner)
{
	struct mount *absolute = tree->absolute, *mount, *root;

	mutex_lock(&mounts_lock);
	tree->owner = owner;
	for (mount = mount_next_in(absolute, absolute); mount;
	     mount = mount_next_in(mount, absolute))
		peers_become_receiver_locked(mount);
	list_for_each (root, &absolute->children, sibling)
		mount_lock_tree_locked(root);
	mutex_unlock(&mounts_lock);
}

void mount_tree_free(struct mount_tree *tree)
{
	mount_dissolve(tree->absolute);
	mutex_lock(&mounts_lock);
	tree->absolute->tree = NULL;
	mutex_unlock(&mounts_lock);
	mount_put(tree->absolute);
	kfree(tree);
}

struct path mount_tree_root(struct mount_tree *tree)
{
	struct path root = {.mount = tree->absolute, .dentry = tree->absolute->root};

	mutex_lock(&mounts_lock);
	path_cross_rcu(&root);
	root = path_get(&root);
	mutex_unlock(&mounts_lock);
	return root;
}

void mount_tree_follow(const struct mount_tree *copy, struct path *path)
{
	struct mount *mount, *before = path->mount, *after = NULL;

	mutex_lock(&mounts_lock);
	list_for_each (mount, &mounts_in_tree, link) {
		if (mount->tree == copy && mount->copied_from == before->id)
			after = mount;
	}
	if (after)
		path->mount = mount_get(after);
	mutex_unlock(&mounts_lock);
	if (after)
		mount_put(before);
}
