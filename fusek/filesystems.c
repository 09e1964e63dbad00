/*
 * Which types of filesystem can be mounted by name, and how each becomes a server. No state.
 */
#include "driver/device.h"
#include "driver/server.h"
#include "open_file.h"
#include "tmpfs/tmpfs.h"

#include <abi/mount.h>
#include <fusek/driver.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <lib/string.h>

#define FLAGS_TAKEN                                                                                \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_NOATIME |              \
	 MS_NODIRATIME | MS_RELATIME | MS_SILENT)

static unsigned server_flags(unsigned flags)
{
	return (flags & MS_RDONLY ? SERVER_READ_ONLY : 0) |
	       (flags & MS_NODEV ? SERVER_NO_DEVICES : 0) |
	       (flags & MS_NOSUID ? SERVER_NO_SET_ID : 0) |
	       (flags & MS_NOEXEC ? SERVER_NO_EXEC : 0);
}

/* ---- a driver behind /dev/fuse ---- */

static err_t connect_driver(const struct fuse_mount_options *options, const char *source,
			    unsigned flags, struct server **out)
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
	err = fuse_server_create(connection, options, source, server_flags(flags), out);
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

static err_t mount_driver(const struct path *at, const char *source, const char *subtype,
			  unsigned flags, const char *options)
{
	struct fuse_mount_options parsed;
	struct server *server;
	err_t err = fuse_parse_options(options, &parsed);

	if (err)
		return err;
	if (subtype)
		string_copy(parsed.subtype, sizeof(parsed.subtype), subtype);
	err = connect_driver(&parsed, source, flags, &server);
	if (err)
		return err;
	err = fuse_server_start(server);
	if (!err)
		err = mount_create(server, at);
	if (err)
		fuse_server_destroy(server);
	return err;
}

/* ---- memory ---- */

static err_t create_tmpfs(UNUSED const char *source, const char *options, struct server **out)
{
	if (*options)
		return -EINVAL; /* sizes and modes are not served yet */
	return tmpfs_create(NULL, "", out);
}

/* ---- types that need nothing but their name ---- */

#define TYPES_MAX 8

static const struct filesystem_type tmpfs_type = {.name = "tmpfs", .create = create_tmpfs};
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
		return "fuse";
	return index < ntypes ? types[index]->name : NULL;
}

static const struct filesystem_type *find_type(const char *name)
{
	for (unsigned i = 0; i < ntypes; i++) {
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	}
	return NULL;
}

static err_t mount_registered(const struct filesystem_type *type, const struct path *at,
			      const char *source, unsigned flags, const char *options)
{
	struct server *server;
	err_t err = type->create(source, options, &server);

	if (err)
		return err;
	server->flags |= server_flags(flags);
	err = mount_create(server, at);
	if (err)
		server->ops->destroy(server);
	return err;
}

/* ---- the calls ---- */

err_t mount_by_type(const struct vfs_context *context, const char *source, const char *at,
		    const char *type, unsigned flags, const char *options)
{
	const struct filesystem_type *registered = find_type(type);
	struct path place;
	err_t err;

	if (!vfs_capable(context, CAP_SYS_ADMIN))
		return -EPERM;
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	if (flags & ~FLAGS_TAKEN)
		return -EINVAL;
	err = path_walk(context, NULL, at, WALK_FOLLOW | WALK_DIRECTORY, &place);
	if (err)
		return err;
	if (registered)
		err = mount_registered(registered, &place, source, flags, options);
	else if (strcmp(type, "fuse") == 0)
		err = mount_driver(&place, source, NULL, flags, options);
	else if (strncmp(type, "fuse.", 5) == 0 && type[5])
		err = mount_driver(&place, source, type + 5, flags, options);
	else
		err = -ENODEV;
	path_put(&place);
	return err;
}

err_t mount_remove_by_name(const struct vfs_context *context, const char *at, unsigned flags)
{
	struct server *server;
	struct path place;
	err_t err;

	if (!vfs_capable(context, CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW))
		return -EINVAL;
	err = path_walk(context, NULL, at, (flags & UMOUNT_NOFOLLOW) ? 0 : WALK_FOLLOW, &place);
	if (err)
		return err;
	server = place.dentry->mount->server;
	if ((flags & MNT_FORCE) && place.dentry == place.dentry->mount->root && server->ops->abort)
		server->ops->abort(server);
	if (!(flags & MNT_DETACH))
		return mount_remove(&place);
	err = mount_detach(&place);
	path_put(&place);
	return err;
}
