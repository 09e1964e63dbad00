/*
 * Mount namespaces: each is a tree of mounts (fusek/mount.h), which goes with the last of those who
 * are in it. What a thread has as root and working directory is in its tree from when it enters;
 * what it has opened may be in any.
 */
#include "namespace.h"

#include <abi/errno.h>
#include <fusek/mount.h>
#include <mm/slab.h>

#define FIRST_NUMBER UINT64_C(0xeffffff8) /* of its file, as on Linux */

struct mount_namespace {
	struct namespace head;
	struct mount_tree *tree; /* constant */
};

static struct mount_namespace first = {
	.head = {.references = {.count = 1}, .kind = NAMESPACE_MOUNT, .number = FIRST_NUMBER},
	.tree = &mount_tree_first,
};

struct namespace *const mount_namespace_first = &first.head;

static struct mount_namespace *mount_of(struct namespace *namespace)
{
	return container_of(namespace, struct mount_namespace, head);
}

static err_t mount_copy(struct namespace *from, struct namespace **out)
{
	struct mount_namespace *copy = kmalloc(sizeof(*copy));
	err_t err = copy ? mount_tree_copy(mount_of(from)->tree, &copy->tree) : -ENOMEM;

	if (err) {
		kfree(copy);
		return err;
	}
	namespace_init(&copy->head, NAMESPACE_MOUNT);
	*out = &copy->head;
	return 0;
}

static void mount_confine(struct namespace *made)
{
	mount_tree_confine(mount_of(made)->tree, made->owner);
}

static void mount_free(struct namespace *namespace)
{
	mount_tree_free(mount_of(namespace)->tree);
	kfree(mount_of(namespace));
}

const struct namespace_kind_ops mount_namespace_ops = {
	.name = "mnt",
	.flag = CLONE_NEWNS,
	.copy = mount_copy,
	.free = mount_free,
	.confine = mount_confine,
};

struct mount_tree *namespaces_mounts(const struct namespaces *namespaces)
{
	return mount_of(namespaces->of[NAMESPACE_MOUNT])->tree;
}

struct mount_tree *vfs_caller_mounts(void)
{
	return mount_of(namespace_current(NAMESPACE_MOUNT))->tree;
}
