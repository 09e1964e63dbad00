/*
 * The file system `mqueue`: POSIX message queues as files, whose text is their state. A mount shows
 * those of the namespace of who made it (ipc/namespace.h). A node has the queue's serial number,
 * which is never used again; opening one gives what mq_open would.
 */
#define LOG_SUBSYSTEM "mqueue"

#include "mqueue.h"

#include <abi/errno.h>
#include <abi/stat.h>
#include <fusek/devfs.h>
#include <fusek/mount.h>
#include <ipc/mqueue.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

#define FIRST_NODE   1 /* added to the serial number, which begins at 1: the root is 1 */
#define MQUEUE_MAGIC 0x19800202

struct mqueue_server {
	struct server server;
	struct ipc_namespace *ipc; /* constant: a reference */
};

static struct mqueue_server *own(struct server *server)
{
	return container_of(server, struct mqueue_server, server);
}

static void fill(const struct mqueue_info *info, struct server_attr *out)
{
	*out = (struct server_attr){
		.ino = FIRST_NODE + info->serial,
		.mode = S_IFREG | info->mode,
		.nlink = 1,
		.uid = info->uid,
		.gid = info->gid,
		.size_bytes = MQUEUE_STATE_SIZE,
		.atime = info->made,
		.mtime = info->made,
		.ctime = info->made,
		.block_bytes = PAGE_SIZE,
	};
}

/* With its NUL; -ENAMETOOLONG. */
static err_t copy_name(struct server_name name, char *to)
{
	if (name.len_bytes > MQUEUE_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(to, name.text, name.len_bytes);
	to[name.len_bytes] = '\0';
	return 0;
}

static err_t mqueue_lookup(struct server *server, UNUSED const struct server_caller *caller,
			   UNUSED struct nodeid parent, struct server_name name,
			   struct server_entry *out)
{
	char text[MQUEUE_NAME_MAX + 1];
	struct mqueue_info info;
	err_t err = copy_name(name, text);

	if (err)
		return err;
	if (!mqueue_find(own(server)->ipc, text, &info))
		return -ENOENT;
	*out = (struct server_entry){.node.value = FIRST_NODE + info.serial};
	fill(&info, &out->attr); /* nothing of it may be kept: it comes and goes */
	return 0;
}

static err_t mqueue_getattr(struct server *server, struct nodeid node, struct server_attr *out,
			    uint64_t *attr_valid_ns)
{
	struct mqueue_info info;

	*attr_valid_ns = 0;
	if (nodeid_equal(node, SERVER_ROOT)) {
		*out = (struct server_attr){
			.ino = 1, .mode = S_IFDIR | 01777, .nlink = 2, .block_bytes = PAGE_SIZE};
		return 0;
	}
	if (!mqueue_find_by_serial(own(server)->ipc, node.value - FIRST_NODE, &info))
		return -ESTALE;
	fill(&info, out);
	return 0;
}

/* Times are those of its making, and a state cannot be cut: both are passed over. */
static err_t mqueue_setattr(struct server *server, UNUSED const struct server_caller *caller,
			    struct nodeid node, const struct server_setattr *set,
			    struct server_attr *out, uint64_t *attr_valid_ns)
{
	struct mqueue_info info;
	err_t err;

	if (nodeid_equal(node, SERVER_ROOT))
		return -EPERM;
	if (!mqueue_find_by_serial(own(server)->ipc, node.value - FIRST_NODE, &info))
		return -ESTALE;
	err = mqueue_set_owner(own(server)->ipc, info.serial,
			       set->valid & SETATTR_UID ? set->uid : info.uid,
			       set->valid & SETATTR_GID ? set->gid : info.gid,
			       set->valid & SETATTR_MODE ? set->mode : info.mode);
	return err ? err : mqueue_getattr(server, node, out, attr_valid_ns);
}

static err_t mqueue_unlink_node(struct server *server, UNUSED const struct server_caller *caller,
				UNUSED struct nodeid parent, struct server_name name)
{
	char text[MQUEUE_NAME_MAX + 1];
	err_t err = copy_name(name, text);

	return err ? err : mqueue_remove(own(server)->ipc, text);
}

static err_t mqueue_readdir(struct server *server, UNUSED struct nodeid node,
			    UNUSED struct handle handle, uint64_t cookie, struct dirent_sink *sink)
{
	struct mqueue_info info;

	while (mqueue_next(own(server)->ipc, cookie, &info)) {
		cookie = info.serial;
		if (!sink->emit(sink, (struct server_name){info.name, strlen(info.name)},
				FIRST_NODE + info.serial, S_IFREG, cookie))
			break;
	}
	return 0;
}

static err_t reopen(struct server *server, struct nodeid node, unsigned flags, struct object **out)
{
	return mqueue_reopen(own(server)->ipc, node.value - FIRST_NODE, flags, out);
}

static err_t mqueue_statfs(UNUSED struct server *server, struct server_statfs *out)
{
	*out = (struct server_statfs){
		.block_bytes = PAGE_SIZE, .name_bytes = MQUEUE_NAME_MAX, .magic = MQUEUE_MAGIC};
	return 0;
}

static void mqueue_destroy(struct server *server)
{
	ipc_namespace_put(own(server)->ipc);
	kfree(own(server));
}

static const struct server_ops mqueue_ops = {
	.lookup = mqueue_lookup,
	.getattr = mqueue_getattr,
	.setattr = mqueue_setattr,
	.unlink = mqueue_unlink_node,
	.readdir = mqueue_readdir,
	.reopen = reopen,
	.statfs = mqueue_statfs,
	.destroy = mqueue_destroy,
};

static err_t create(UNUSED const char *source, const char *options, struct server **out)
{
	struct mqueue_server *made;

	if (*options)
		return -EINVAL;
	made = kzalloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->server = (struct server){.ops = &mqueue_ops,
				       .type = "mqueue",
				       .source = "mqueue",
				       .flags = SERVER_MODES_EXPIRE};
	made->ipc = ipc_namespace_get(ipc_namespace_caller());
	*out = &made->server;
	return 0;
}

void mqueue_init(void)
{
	static const struct filesystem_type type = {.name = "mqueue", .create = create};
	const struct vfs_context context = vfs_kernel_context();
	err_t err = devfs_register_directory("mqueue");

	if (!err)
		err = filesystem_register(&type);
	if (!err)
		err = vfs_mount(&context, "mqueue", "/dev/mqueue", "mqueue", 0, "");
	if (err)
		log_warn("no /dev/mqueue: error %d", -err);
}
