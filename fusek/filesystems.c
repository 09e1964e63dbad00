/*
 * Which types of filesystem can be mounted by name, and how each becomes a server. No state.
 */
#include "by_clock.h"
#include "devices.h"
#include "driver/device.h"
#include "driver/server.h"
#include "mount_tree.h"
#include "open_file.h"
#include "tmpfs/tmpfs.h"

#include <fusek/driver.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <lib/string.h>

/* ---- a driver behind /dev/fuse ---- */

static err_t connect_driver(const struct fuse_mount_options *options, const char *source,
			    struct server **out)
{
	struct object *object = vfs_descriptor(options->fd);
	struct fuse_connection *connection;
	struct fuse_device *device;
	err_t err;

	if (!object)
		return -EINVAL; /* as Linux: the option is wrong, not the call's descriptor */
	device = fuse_device_of(object);
	err = device ? 0 : -EINVAL;
	if (err)
		goto put_object;
	connection = fuse_connection_create();
	err = connection ? 0 : -ENOMEM;
	if (err)
		goto put_object;
	err = fuse_server_create(connection, options, source, out);
	if (err) {
		fuse_connection_put(connection);
		goto put_object;
	}
	err = fuse_device_attach(device, connection);
	if (err)
		fuse_server_destroy(*out);
put_object:
	object_put(object);
	return err;
}

/* "fuse" or "fuseblk", perhaps with a subtype, which *subtype is then (NULL: none). */
static bool is_driver(const char *type, bool *is_block, const char **subtype)
{
	static const char name[] = "fuse", block[] = "blk";

	if (strncmp(type, name, sizeof(name) - 1) != 0)
		return false;
	type += sizeof(name) - 1;
	*is_block = strncmp(type, block, sizeof(block) - 1) == 0;
	if (*is_block)
		type += sizeof(block) - 1;
	*subtype = *type == '.' && type[1] ? type + 1 : NULL;
	return !*type || *subtype;
}

/* Block devices are files here, which a driver serves: so those will do as well, unlike on Linux.
 */
static err_t check_block_device(const struct vfs_context *context, const char *source)
{
	struct abi_stat stat;
	err_t err = vfs_stat(context, NULL, source, 0, &stat);

	if (err)
		return err;
	return S_ISBLK(stat.st_mode) || S_ISREG(stat.st_mode) ? 0 : -ENOTBLK;
}

static err_t create_driver(const struct vfs_context *context, const char *source, const char *type,
			   const char *options, struct server **out)
{
	struct fuse_mount_options parsed;
	const char *subtype;
	bool is_block;
	err_t err;

	if (!is_driver(type, &is_block, &subtype))
		return -ENODEV;
	err = is_block ? check_block_device(context, source) : 0;
	if (!err)
		err = fuse_parse_options(options, is_block, &parsed);
	if (err)
		return err;
	if (subtype && strlen(subtype) >= sizeof(parsed.subtype))
		return -EINVAL;
	if (subtype)
		string_copy(parsed.subtype, sizeof(parsed.subtype), subtype);
	err = by_clock_begin();
	if (!err)
		err = connect_driver(&parsed, source, out);
	if (err)
		return err;
	err = fuse_server_start(*out);
	if (err)
		fuse_server_destroy(*out);
	return err;
}

/* ---- memory ---- */

static err_t create_tmpfs(UNUSED const char *source, const char *options, struct server **out)
{
	return tmpfs_create_by_options(options, out);
}

/* ---- types that need nothing but their name ---- */

#define TYPES_MAX 8

static const struct filesystem_type tmpfs_type = {.name = "tmpfs",
						  .create = create_tmpfs,
						  .check = tmpfs_check_options,
						  .owner = user_namespace_caller};
static const struct filesystem_type *types[TYPES_MAX] = {&tmpfs_type};
static unsigned ntypes = 1; /* written before programs run */

err_t filesystem_register(const struct filesystem_type *type)
{
	if (ntypes == TYPES_MAX)
		return -ENOMEM;
	types[ntypes++] = type;
	return 0;
}

const char *filesystem_name(unsigned index)
{
	if (index == ntypes)
		return "devtmpfs";
	if (index == ntypes + 1)
		return "fuse";
	if (index == ntypes + 2)
		return "fuseblk";
	return index < ntypes ? types[index]->name : NULL;
}

bool filesystem_needs_device(const char *type)
{
	return strcmp(type, "fuseblk") == 0;
}

static const struct filesystem_type *find_type(const char *name)
{
	for (unsigned i = 0; i < ntypes; i++) {
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	}
	return NULL;
}

struct user_namespace *filesystem_owner(const char *type)
{
	const struct filesystem_type *registered = find_type(type);

	return registered && registered->owner ? registered->owner() : &user_namespace_first;
}

/* A server for a new mount; -ENODEV: no such type; else the type's own errors. */
static err_t create_by_type(const struct vfs_context *context, const char *type, const char *source,
			    const char *options, struct server **out)
{
	const struct filesystem_type *registered = find_type(type);
	struct user_namespace *owner;
	err_t err;

	if (!registered)
		return create_driver(context, source, type, options, out);
	err = registered->create(source, options, out);
	owner = filesystem_owner(type);
	if (!err && owner != &user_namespace_first) {
		(*out)->user = owner;
		(*out)->flags |= SERVER_NO_DEVICES;
	}
	return err;
}

static bool is_of_driver(const char *type)
{
	const char *subtype;
	bool is_block;

	return is_driver(type, &is_block, &subtype);
}

static bool is_devtmpfs(const char *type)
{
	return strcmp(type, "devtmpfs") == 0;
}

bool filesystem_is_shared(const char *type)
{
	return is_devtmpfs(type);
}

bool filesystem_type_exists(const char *type)
{
	return find_type(type) || is_of_driver(type) || is_devtmpfs(type);
}

err_t filesystem_check_option(const char *type, const char *option)
{
	const struct filesystem_type *registered = find_type(type);

	if (is_of_driver(type))
		return 0; /* what it needs is known when all are there */
	if (is_devtmpfs(type))
		return tmpfs_check_options(option);
	return registered && registered->check ? registered->check(option) : -EINVAL;
}

err_t filesystem_for_mount(const struct vfs_context *context, const char *type, const char *source,
			   const char *options, bool read_only, struct filesystem **out)
{
	struct server *server;
	err_t err;

	if (is_devtmpfs(type)) { /* there is one, made at boot; as Linux */
		*out = mount_filesystem_of(devfs_server());
		return *out ? 0 : -ENODEV;
	}
	err = create_by_type(context, type, source, options, &server);
	if (err)
		return err;
	if (read_only)
		server->flags |= SERVER_READ_ONLY;
	err = filesystem_create(server, source, out);
	if (err && server->ops->destroy)
		server->ops->destroy(server);
	return err;
}

err_t filesystem_reconfigure(struct filesystem *fs, const char *options)
{
	struct server *server = fs->server;

	return server->ops->reconfigure ? server->ops->reconfigure(server, options) : -EINVAL;
}
