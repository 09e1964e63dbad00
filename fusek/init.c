/*
 * The file tree as the machine starts with it.
 */
#define LOG_SUBSYSTEM "fusek"
#include <fusek/file.h>
#include <fusek/mount.h>

#include "devices.h"
#include "ramdisk.h"

#include <lib/log.h>

static err_t mount_at(struct server *server, const char *name)
{
	const struct vfs_context context = vfs_kernel_context();
	struct path at;
	err_t err = path_walk(&context, NULL, name, WALK_FOLLOW | WALK_DIRECTORY, &at);

	if (err)
		return err;
	err = mount_create(server, &at);
	path_put(&at);
	return err;
}

err_t fusek_init(paddr_t ramdisk_start, paddr_t ramdisk_end)
{
	struct server *ramdisk;
	err_t err = ramdisk_create(ramdisk_start, ramdisk_end, "ramdisk", &ramdisk);

	if (err)
		return err;
	err = mount_create(ramdisk, NULL);
	if (err) {
		log_err("the ramdisk cannot be mounted: error %d", -err);
		return err;
	}
	err = mount_at(devfs_server(), "/dev");
	if (err)
		log_warn("no /dev: the ramdisk has no such directory (error %d)", -err);
	return 0;
}
