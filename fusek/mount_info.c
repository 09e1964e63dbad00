/*
 * What there is to say of mounts: lines of /proc/mounts, ksh's list, how full their filesystems
 * are. No state; the lock is held to find a mount, never while a server is asked.
 */
#include "mount_tree.h"
#include "peers.h"
#include "walk.h"

#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/slab.h>

uint32_t mount_id(const struct path *path)
{
	return path->mount->id;
}

bool path_is_mount_root(const struct path *path)
{
	return path->dentry == path->mount->root;
}

static bool is_read_only(const struct mount *mount)
{
	const struct path root = {.mount = (struct mount *)mount};

	return path_may_change(&root) != 0;
}

/* As /proc/mountinfo has them; "ro" is said by `read_only`. */
static void describe_flags(unsigned flags, bool read_only, char to[MOUNT_OPTIONS_BYTES])
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{MS_NOSUID, ",nosuid"},           {MS_NODEV, ",nodev"},
		{MS_NOEXEC, ",noexec"},           {MS_NOATIME, ",noatime"},
		{MS_NODIRATIME, ",nodiratime"},   {MS_RELATIME, ",relatime"},
		{MS_NOSYMFOLLOW, ",nosymfollow"},
	};
	size_t len;

	string_copy(to, MOUNT_OPTIONS_BYTES, read_only ? "ro" : "rw");
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		len = strlen(to);
		if (flags & names[i].flag)
			string_copy(to + len, MOUNT_OPTIONS_BYTES - len, names[i].name);
	}
}

static void describe_filesystem(struct server *server, char to[MOUNT_OPTIONS_BYTES])
{
	size_t len;

	string_copy(to, MOUNT_OPTIONS_BYTES,
		    read_once(&server->flags) & SERVER_READ_ONLY ? "ro" : "rw");
	len = strlen(to);
	if (server->ops->describe)
		server->ops->describe(server, to + len, MOUNT_OPTIONS_BYTES - len);
}

static void fill_info(const struct mount *mount, struct mount_info *out)
{
	struct server *server = mount->fs->server;
	const struct path everything = mount_root();
	const struct path root = {.mount = (struct mount *)mount, .dentry = mount->root};
	char *name = kmalloc(PATH_MAX);

	*out = (struct mount_info){.nnodes = read_once(&mount->fs->nnodes),
				   .fs_number = mount->fs->number};
	describe_flags(read_once(&mount->flags), is_read_only(mount), out->options);
	string_copy(out->source, sizeof(out->source), filesystem_source(mount->fs));
	string_copy(out->type, sizeof(out->type), server->type);
	if (!name || path_name(&everything, &root, name, PATH_MAX) < 0)
		string_copy(out->at, sizeof(out->at), "?");
	else
		string_copy(out->at, sizeof(out->at), name);
	kfree(name);
	if (!server->ops->statfs || server->ops->statfs(server, &out->statfs))
		out->statfs = (struct server_statfs){0};
}

bool mount_info(unsigned index, struct mount_info *out)
{
	struct mount *mount, *found = NULL;

	mutex_lock(&mounts_lock);
	list_for_each (mount, &mounts_in_tree, link) {
		if (index-- == 0) {
			found = mount_get(mount);
			break;
		}
	}
	mutex_unlock(&mounts_lock);
	if (!found)
		return false;
	fill_info(found, out);
	mount_put(found);
	return true;
}

/* The one with the lowest id above `after`, held, and in *out what the lock is needed for; NULL:
 * there is none. */
static struct mount *hold_next(uint32_t after, struct mount_line *out)
{
	struct mount *mount, *found = NULL;

	mutex_lock(&mounts_lock);
	list_for_each (mount, &mounts_in_tree, link) {
		if (mount->id > after && (!found || mount->id < found->id))
			found = mount;
	}
	if (found) {
		(void)mount_get(found);
		*out = (struct mount_line){
			.id = found->id,
			.parent_id = found->place->path.mount->id,
			.peers_id = found->peers ? found->peers->id : 0,
			.master_id = found->master ? found->master->id : 0,
		};
	}
	mutex_unlock(&mounts_lock);
	return found;
}

err_t mount_statfs(uint32_t fs_number, struct server_statfs *out)
{
	struct mount *mount, *found = NULL;
	struct server *server;
	err_t err;

	mutex_lock(&mounts_lock);
	list_for_each (mount, &mounts_in_tree, link) {
		if (mount->fs->number == fs_number) {
			found = mount_get(mount);
			break;
		}
	}
	mutex_unlock(&mounts_lock);
	if (!found)
		return -EINVAL;
	server = found->fs->server;
	err = server->ops->statfs ? server->ops->statfs(server, out) : -ENOSYS;
	mount_put(found);
	return err;
}

static void describe(struct mount *mount, struct mount_line *out)
{
	struct server *server = mount->fs->server;
	unsigned flags = read_once(&mount->flags);

	out->fs_number = mount->fs->number;
	out->read_only = is_read_only(mount);
	out->unbindable = flags & MS_UNBINDABLE;
	describe_flags(flags, flags & MS_RDONLY, out->options);
	describe_filesystem(server, out->fs_options);
	string_copy(out->source, sizeof(out->source), filesystem_source(mount->fs));
	string_copy(out->type, sizeof(out->type), server->type);
}

bool mount_next(uint32_t after, const struct path *root, struct mount_line *out,
		struct mount_names *names)
{
	struct mount *mount;

	while ((mount = hold_next(after, out))) {
		const struct path top = {.mount = mount, .dentry = mount->root};
		bool seen = path_place(root, &top, names->at, sizeof(names->at)) > 0 &&
			    dentry_name(mount->root, names->root, sizeof(names->root)) > 0;

		if (seen)
			describe(mount, out);
		after = mount->id;
		mount_put(mount);
		if (seen)
			return true;
	}
	return false;
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
