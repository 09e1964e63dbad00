/*
 * The file tree as the machine starts with it.
 */
#define LOG_SUBSYSTEM "fusek"
#include <fusek/file.h>
#include <fusek/mount.h>

#include "devices.h"
#include "pages.h"
#include "ramdisk.h"
#include "tmpfs/tmpfs.h"

#include <abi/mount.h>
#include <fusek/devfs.h>
#include <lib/log.h>
#include <mm/pressure.h>

static err_t mount_at(struct server *server, const char *name, unsigned flags)
{
	const struct vfs_context context = vfs_kernel_context();
	struct path at;
	err_t err = path_walk(&context, NULL, name, WALK_FOLLOW | WALK_DIRECTORY, &at);

	if (err) {
		if (server->ops->destroy)
			server->ops->destroy(server);
		return err;
	}
	err = mount_create(server, &at, flags);
	path_put(&at);
	return err;
}

/* A writable directory that begins with what the image has there. */
static err_t mount_tmpfs(struct server *ramdisk, const char *name)
{
	struct server *server;
	err_t err = tmpfs_create(ramdisk, name, &server);

	if (err == -ENOENT)
		return 0; /* the image does not want it */
	if (err)
		return err;
	return mount_at(server, name, MS_RELATIME);
}

/* What shm_open() makes its files in. */
static err_t mount_shm(void)
{
	struct server *server;
	err_t err = devfs_register_directory("shm");

	if (!err)
		err = tmpfs_create_by_options("", &server);
	return err ? err : mount_at(server, "/dev/shm", MS_NOSUID | MS_NODEV | MS_RELATIME);
}

static struct memory_reclaimer pages_reclaimer = {.name = "page cache", .reclaim = pages_reclaim};
static struct memory_reclaimer names_reclaimer = {
	.name = "names", .reclaim = names_reclaim, .may_wait = true};
static struct memory_reclaimer mapped_reclaimer = {
	.name = "mapped pages", .reclaim = pages_reclaim_mapped, .may_wait = true};

err_t fusek_init(paddr_t ramdisk_start, paddr_t ramdisk_end)
{
	static const char *const writable[] = {"/tmp", "/var", "/run", "/root", "/home", "/etc"};
	struct server *ramdisk;
	err_t err;

	memory_register_reclaimer(&pages_reclaimer);
	memory_register_reclaimer(&names_reclaimer);
	memory_register_reclaimer(&mapped_reclaimer);
	err = ramdisk_create(ramdisk_start, ramdisk_end, "ramdisk", &ramdisk);

	if (err)
		return err;
	err = mount_create(ramdisk, NULL, 0);
	if (err) {
		log_err("the ramdisk cannot be mounted: error %d", -err);
		return err;
	}
	err = mount_at(devfs_server(), "/dev", 0);
	if (err)
		log_warn("no /dev: the ramdisk has no such directory (error %d)", -err);
	for (unsigned i = 0; i < ARRAY_SIZE(writable); i++) {
		err = mount_tmpfs(ramdisk, writable[i]);
		if (err)
			log_warn("%s is not writable: error %d", writable[i], -err);
	}
	err = mount_shm();
	if (err)
		log_warn("no /dev/shm: error %d", -err);
	err = memfd_init();
	if (err)
		log_warn("no files of memory alone: error %d", -err);
	return 0;
}
