/*
 * fsopen(2), fspick(2), fsconfig(2), fsmount(2): what comes from the program is checked here, as
 * Linux does; fusek/mount_context.h does the rest. No state.
 */
#include "mount.h"

#include "../process/capability.h"
#include "../process/uthread.h"
#include "../sys_path.h"
#include "syscall_table.h"

#include <abi/capability.h>
#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/mount.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <fusek/mount_context.h>
#include <ipc/fdtable.h>
#include <lib/fmt.h>
#include <mm/slab.h>

#define KEY_BYTES    256 /* as Linux, with the NUL; of a value as well */
#define BINARY_MAX   (1024 * 1024)
#define FLAG_CLOEXEC 1u /* FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC, FSPICK_CLOEXEC */

static unsigned close_on_exec(unsigned flags)
{
	return flags & FLAG_CLOEXEC ? O_CLOEXEC : 0;
}

int sys_fsopen(uptr_t type, unsigned fsopen_flags)
{
	char name[KEY_BYTES];
	struct object *context;
	ssize_t len;
	err_t err;

	if (!vfs_may_mount(uthread_fs()))
		return -EPERM;
	if (fsopen_flags & ~FSOPEN_CLOEXEC)
		return -EINVAL;
	len = user_copy_string(name, type, sizeof(name));
	if (len < 0)
		return len == -ENAMETOOLONG ? -ENODEV : (int)len;
	err = fs_context_open(name, &context);
	return err ? err : fd_add(current_fds(), context, close_on_exec(fsopen_flags));
}

int sys_fspick(int dirfd, uptr_t path, unsigned fspick_flags)
{
	unsigned at_flags = fspick_flags & FSPICK_EMPTY_PATH ? AT_EMPTY_PATH : 0;
	struct object *context;
	struct path at;
	err_t err;

	if (!vfs_may_mount(uthread_fs()))
		return -EPERM;
	if (fspick_flags &
	    ~(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH))
		return -EINVAL;
	if (fspick_flags & FSPICK_SYMLINK_NOFOLLOW)
		at_flags |= AT_SYMLINK_NOFOLLOW;
	err = mount_path_get(dirfd, path, at_flags, &at);
	if (err)
		return err;
	err = fs_context_pick(&at, &context);
	path_put(&at);
	return err ? err : fd_add(current_fds(), context, close_on_exec(fspick_flags));
}

/* A reference. -EBADF; -EINVAL: it is something else. */
static err_t context_get(int fd, struct object **out)
{
	*out = fd_get(current_fds(), fd);
	if (!*out)
		return -EBADF;
	if (object_is_fs_context(*out))
		return 0;
	object_put(*out);
	return -EINVAL;
}

int sys_fsmount(int fd, unsigned fsmount_flags, unsigned attributes)
{
	struct object *context, *mount;
	unsigned flags;
	err_t err;

	if (!vfs_may_mount(uthread_fs()))
		return -EPERM;
	if ((fsmount_flags & ~FSMOUNT_CLOEXEC) || mount_flags_of_attributes(attributes, &flags))
		return -EINVAL;
	err = context_get(fd, &context);
	if (err)
		return err;
	err = fs_context_mount(context, flags, &mount);
	object_put(context);
	return err ? err : fd_add(current_fds(), mount, close_on_exec(fsmount_flags));
}

/* ---- fsconfig ---- */

struct config {
	unsigned command;
	uptr_t key, value;
	int aux;
};

/* Which arguments a command has. */
static err_t check_config(const struct config *config)
{
	bool key = !uptr_is_null(config->key), value = !uptr_is_null(config->value);

	switch (config->command) {
	case FSCONFIG_SET_FLAG:
		return key && !value && !config->aux ? 0 : -EINVAL;
	case FSCONFIG_SET_STRING:
		return key && value && !config->aux ? 0 : -EINVAL;
	case FSCONFIG_SET_BINARY:
		return key && value && config->aux > 0 && config->aux <= BINARY_MAX ? 0 : -EINVAL;
	case FSCONFIG_SET_PATH:
	case FSCONFIG_SET_PATH_EMPTY:
		return key && value && (config->aux == AT_FDCWD || config->aux >= 0) ? 0 : -EINVAL;
	case FSCONFIG_SET_FD:
		return key && !value && config->aux >= 0 ? 0 : -EINVAL;
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_CREATE_EXCL:
	case FSCONFIG_CMD_RECONFIGURE:
		return !key && !value && !config->aux ? 0 : -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}

static err_t get_text(char to[KEY_BYTES], uptr_t from)
{
	ssize_t len = user_copy_string(to, from, KEY_BYTES);

	if (len >= 0)
		return 0;
	return len == -ENAMETOOLONG ? -EINVAL : (err_t)len;
}

/* The server looks at the descriptor when the filesystem is created. */
static err_t set_fd(struct object *context, const char *key, int fd)
{
	struct object *object = fd_get(current_fds(), fd);
	char text[16];

	if (!object)
		return -EBADF;
	object_put(object);
	(void)kernel_format(text, sizeof(text), "%d", fd);
	return fs_context_set(context, key, text);
}

static err_t set_parameter(struct object *context, const struct config *config)
{
	char *texts = kmalloc(2 * KEY_BYTES);
	char *key = texts, *value = texts + KEY_BYTES;
	err_t err = texts ? get_text(key, config->key) : -ENOMEM;

	if (!err && config->command == FSCONFIG_SET_STRING)
		err = get_text(value, config->value);
	if (!err) {
		switch (config->command) {
		case FSCONFIG_SET_FLAG:
			err = fs_context_set(context, key, NULL);
			break;
		case FSCONFIG_SET_STRING:
			err = fs_context_set(context, key, value);
			break;
		case FSCONFIG_SET_FD:
			err = set_fd(context, key, config->aux);
			break;
		default: /* nothing here takes bytes or places */
			err = fs_context_refuse(context, key);
			break;
		}
	}
	kfree(texts);
	return err;
}

static err_t carry_out(struct object *context, const struct config *config)
{
	switch (config->command) {
	case FSCONFIG_CMD_CREATE:
	case FSCONFIG_CMD_CREATE_EXCL:
		return vfs_may_mount(uthread_fs())
			       ? fs_context_create(uthread_fs(), context,
						   config->command == FSCONFIG_CMD_CREATE_EXCL)
			       : -EPERM;
	case FSCONFIG_CMD_RECONFIGURE:
		return vfs_may_mount(uthread_fs()) ? fs_context_reconfigure(context) : -EPERM;
	default:
		return set_parameter(context, config);
	}
}

int sys_fsconfig(int fd, unsigned command, uptr_t key, uptr_t value, int aux)
{
	const struct config config = {command, key, value, aux};
	struct object *context;
	err_t err;

	if (fd < 0)
		return -EINVAL;
	err = check_config(&config);
	if (!err)
		err = context_get(fd, &context);
	if (err)
		return err;
	err = carry_out(context, &config);
	object_put(context);
	return err;
}
