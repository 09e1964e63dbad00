/*
 * How a tmpfs comes to be: by options, and from a seed.
 */
#include "inode.h"

#include <mm/slab.h>

static err_t create(const struct tmpfs_options *options, struct server *seed, struct tmpfs **out)
{
	struct tmpfs *fs = kzalloc(sizeof(*fs));
	err_t err;

	if (!fs)
		return -ENOMEM;
	fs->server = (struct server){.ops = &tmpfs_ops,
				     .type = "tmpfs",
				     .source = "tmpfs",
				     .flags = SERVER_TAKES_ACLS,
				     .agreed = SERVER_MASKS_MODES | SERVER_HAS_ACLS};
	fs->options = *options;
	fs->room = (struct tmpfs_room){.frames_max = options->frames_max,
				       .inodes_max = options->inodes_max};
	fs->seed = seed;
	list_init(&fs->inodes);
	mutex_init(&fs->tree_lock, LOCK_DIRECTORY);
	mutex_lock(&fs->tree_lock);
	err = tmpfs_inode_create_locked(fs, S_IFDIR | options->mode, options->uid, options->gid,
					&fs->root);
	mutex_unlock(&fs->tree_lock);
	if (err) {
		kfree(fs);
		return err;
	}
	fs->root->parent = fs->root;
	fs->root->nlink = 2;
	*out = fs;
	return 0;
}

err_t tmpfs_create(struct server *seed, const char *name, struct server **out)
{
	struct tmpfs_options options = tmpfs_default_options();
	struct tmpfs *fs;
	err_t err;

	options.mode = 0755;
	err = create(&options, seed, &fs);
	if (err)
		return err;
	err = seed ? tmpfs_seed(fs, name) : 0;
	if (err) {
		tmpfs_ops.destroy(&fs->server);
		return err;
	}
	/* What the seed's directory is like nobody asked for: it is no option. */
	fs->options.mode = tmpfs_default_options().mode;
	*out = &fs->server;
	return 0;
}

err_t tmpfs_create_by_options(const char *text, struct server **out)
{
	struct tmpfs_options options = tmpfs_default_options();
	struct tmpfs *fs;
	err_t err = tmpfs_parse_options(text, &options);

	if (!err)
		err = create(&options, NULL, &fs);
	if (!err)
		*out = &fs->server;
	return err;
}
