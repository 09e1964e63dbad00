/*
 * From a file of the ramdisk to the layout in use.
 */
#define LOG_SUBSYSTEM "keyboard"

#include "input.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <fusek/file.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

#define KEYMAP_FOLDER "/lib/keymaps/"
#define PATH_BYTES    256

/* What a file is read into, and what becomes of it. */
struct loading {
	uint8_t file[KEYMAP_FILE_MAX + 1]; /* one more tells a file that is too long */
	struct keymap map;
};

static ssize_t read_file(const char *path, uint8_t *to, size_t max_bytes)
{
	struct vfs_context context = vfs_kernel_context();
	struct object *object;
	ssize_t got;
	err_t err;

	err = vfs_open(&context, NULL, path, O_RDONLY, 0, &object);
	if (err)
		return err;
	got = object_read_kernel(object, to, max_bytes, 0);
	object_put(object);
	return got;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static err_t load(const char *path, struct loading *loading)
{
	ssize_t got = read_file(path, loading->file, sizeof(loading->file));
	const char *problem;

	if (got < 0) {
		log_warn("the layout %s cannot be read (error %ld)", path, -got);
		return (err_t)got;
	}
	problem = keymap_parse(loading->file, (size_t)got, &loading->map);
	if (problem) {
		log_warn("the layout %s is not used: %s", path, problem);
		return -EINVAL;
	}
	string_copy(loading->map.name, sizeof(loading->map.name), last_part(path));
	return 0;
}

err_t input_load_keymap(const char *name)
{
	struct loading *loading = kmalloc(sizeof(*loading));
	char path[PATH_BYTES];
	err_t err = 0;

	if (!loading)
		return -ENOMEM;
	if (strcmp(name, "us") == 0)
		keymap_us(&loading->map);
	else if (kernel_format(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : KEYMAP_FOLDER,
			       name) >= sizeof(path))
		err = -ENAMETOOLONG;
	else
		err = load(path, loading);
	if (!err)
		input_set_map(&loading->map);
	kfree(loading);
	return err;
}
