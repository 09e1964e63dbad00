/*
 * keymap: the keyboard's layout.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"

#define KEYMAP_FOLDER "/lib/keymaps"

static int list_layouts(void)
{
	int folder = kernel->file_open(KEYMAP_FOLDER, KSH_OPEN_READ | KSH_OPEN_DIRECTORY, 0);
	struct ksh_dirent entry;
	char name[KSH_NAME_MAX];

	kernel->keymap_name(name, sizeof(name));
	print("the layout is %s%s%s; there are: us", paint(PAINT_BOLD), name, paint(PAINT_NONE));
	if (folder >= 0) {
		while (kernel->file_entries(folder, &entry, 1) > 0) {
			if (entry.name[0] != '.')
				print(" %s", entry.name);
		}
		kernel->file_close(folder);
	}
	print("\n");
	return 0;
}

/* The kernel does not know ksh's working directory. */
static int load_relative(const char *name)
{
	char folder[KSH_PATH_MAX];
	char path[KSH_PATH_MAX];
	int err = kernel->directory_name(folder, sizeof(folder));

	if (err < 0)
		return err;
	if (kernel_format(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
		return -ENAMETOOLONG;
	return kernel->keymap_load(path);
}

int command_keymap(size_t nwords, const char *const *words)
{
	const char *name = nwords > 1 ? words[1] : NULL;
	int err;

	if (nwords > 2)
		return usage(words[0]);
	if (!name)
		return list_layouts();
	if (strchr(name, '/') && name[0] != '/')
		err = load_relative(name);
	else
		err = kernel->keymap_load(name);
	if (err == -ENOENT)
		complain("keymap", "%s: no such layout; `keymap' alone lists them", name);
	else if (err == -EINVAL)
		complain("keymap", "%s: that is no layout; `dmesg' says why", name);
	else if (err)
		complain("keymap", "%s: %s", name, error_text(err));
	return err ? 1 : 0;
}
