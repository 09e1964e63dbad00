/*
 * Files that memory alone names (memfd_create): nameless files of a tmpfs that is mounted where
 * nobody comes. Owns that place.
 */
#include <fusek/file.h>
#include <fusek/mount.h>

#include "open_file.h"
#include "tmpfs/tmpfs.h"

#include <lib/fmt.h>

static struct path home; /* constant after memfd_init(); none: there was no memory for it */

/* "memfd:", the longest name that memfd_create(2) takes, a NUL. */
#define SHOWN_BYTES 256

err_t memfd_init(void)
{
	const struct vfs_context kernel = vfs_kernel_context();
	const struct server_setattr anybody = {.valid = SETATTR_MODE, .mode = 01777};
	struct server *server;
	err_t err = tmpfs_create(NULL, "", &server);

	if (err)
		return err;
	err = mount_create_hidden(server, &home);
	return err ? err : node_setattr(home.dentry->node, &kernel, &anybody);
}

err_t vfs_memfd(const struct vfs_context *context, const char *name, uint32_t mode, unsigned seals,
		struct object **out)
{
	struct vfs_context unmasked = *context; /* without references of its own */
	char shown[SHOWN_BYTES];
	err_t err;

	if (path_is_none(&home))
		return -ENOMEM;
	unmasked.umask = 0;
	kernel_format(shown, sizeof(shown), "memfd:%s", name);
	err = vfs_open_nameless(&unmasked, &home, shown, mode, O_RDWR | O_EXCL, out);
	if (!err)
		tmpfs_make_sealable(file_of(*out)->server, file_of(*out)->id, seals);
	return err;
}
