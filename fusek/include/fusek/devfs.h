/*
 * Devices as files. A device is registered once, by its own code, with a name below /dev; it is
 * found by that name and by its number (a node with the same number on another mount opens the same
 * device). Devices are never unregistered; those of CUSE, which come and go, are hidden.
 */
#ifndef FUSEK_DEVFS_H
#define FUSEK_DEVFS_H

#include <ipc/buffer.h>
#include <ipc/object.h>
#include <lib/types.h>

struct waitq;

/* One open of a device. Belongs to the open file; `private` is the device's own to set in open. */
struct device_file {
	void *argument; /* of the registration */
	uint64_t rdev;  /* by which it was found */
	void *private;
};

/* `flags` are those of the open file at this moment (O_NONBLOCK, O_ACCMODE). NULL: not possible,
 * with Linux's error; open and release NULL: nothing to do. No lock is held; sleeps are killable.
 */
struct device_ops {
	err_t (*open)(struct device_file *file, unsigned flags);
	/* `offset_bytes` is only meaningful for a device with DEVICE_SEEKABLE. */
	ssize_t (*read)(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			unsigned flags);
	ssize_t (*write)(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			 unsigned flags);
	ssize_t (*ioctl)(struct device_file *file, unsigned command, uptr_t argument,
			 unsigned flags);
	/* As object_ops.poll. */
	unsigned (*poll)(struct device_file *file, struct waitq **queue);
	err_t (*map)(struct device_file *file, const struct object_map_request *request,
		     struct memory_object **out);
	void (*release)(struct device_file *file);
};

enum device_flags {
	DEVICE_SEEKABLE = 1 << 0, /* has a position: /dev/mem, not a terminal */
	DEVICE_HIDDEN = 1 << 1,   /* at first: devfs_show() */
};

/* Makes /dev/`name` (a character device, owned by user 0, permission bits `mode`). Name and ops
 * must live for good. -EEXIST: the name or the number is taken; -ENOMEM. May be called before
 * fusek_init(). Sleeps. */
err_t must_check devfs_register(const char *name, uint32_t major, uint32_t minor, uint32_t mode,
				unsigned device_flags, const struct device_ops *ops,
				void *argument);
/* Of what was registered with DEVICE_HIDDEN: it is there now, or not. -EEXIST: another one has its
 * name or number. Sleeps. */
err_t must_check devfs_show(const char *name, const void *argument, bool shown);
/* Numbers that nodes of other filesystems have: `count` minors from `minor` on are one device,
 * which finds in rdev which one was opened. No name below /dev. Else as above. */
err_t must_check devfs_register_numbers(uint32_t major, uint32_t minor, uint32_t count,
					const struct device_ops *ops, void *argument);
/* Makes the empty directory /dev/`name`, for a mount. Else as above. */
err_t must_check devfs_register_directory(const char *name);
/* Makes the symbolic link /dev/`name`. Both texts must live for good. Else as above. */
err_t must_check devfs_register_link(const char *name, const char *target);

#endif
