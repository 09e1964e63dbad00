/*
 * Namespaces as files: what the links of /proc/PID/ns lead to, descriptors that setns() takes. One
 * has a reference to its namespace, which so outlives those that were in it.
 */
#include "pid.h"
#include "user.h"

#include "../procfs/procfs.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/anonymous.h>
#include <ipc/fdtable.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/slab.h>

/* ioctl's commands, as Linux has them (linux/nsfs.h). */
#define NS_GET_USERNS    0xb701u
#define NS_GET_PARENT    0xb702u
#define NS_GET_NSTYPE    0xb703u
#define NS_GET_OWNER_UID 0xb704u

#define NAME_BYTES 32

struct namespace_file {
	struct object object;
	struct namespace *namespace; /* constant: a reference */
};

static struct namespace_file *file_of(const struct object *object)
{
	return container_of((struct object *)(uintptr_t)object, struct namespace_file, object);
}

static void put_name(const struct namespace *namespace, char *to, size_t to_bytes)
{
	(void)kernel_format(to, to_bytes, "%s:[%lu]", namespace_ops(namespace->kind)->name,
			    namespace->number);
}

/* ---- the object ---- */

/* A descriptor of it. */
static ssize_t open_descriptor(struct namespace *namespace)
{
	struct object *object;
	int fd;
	err_t err = fd_reserve(current_fds(), 0, O_CLOEXEC, &fd);

	if (err)
		return err;
	object = namespace_open(namespace);
	if (object)
		fd_install(current_fds(), fd, object);
	else
		fd_unreserve(current_fds(), fd);
	return object ? fd : -ENOMEM;
}

/* Whose a namespace is, a user namespace's parent: for those in that one, or above it. */
static ssize_t open_owner(const struct namespace *namespace)
{
	struct user_namespace *owner = namespace_owner(namespace);

	if (namespace == user_namespace_first_head ||
	    !user_namespace_is_in(owner, user_namespace_caller()))
		return -EPERM;
	return open_descriptor(user_namespace_head(owner));
}

/* The one above, of the two kinds that have one. */
static ssize_t open_parent(struct namespace *namespace)
{
	struct namespace *parent;
	ssize_t result;
	err_t err;

	if (namespace->kind == NAMESPACE_USER)
		return open_owner(namespace);
	if (namespace->kind != NAMESPACE_PID)
		return -EINVAL;
	err = pid_namespace_parent(namespace, &parent);
	if (err)
		return err;
	result = open_descriptor(parent);
	namespace_put(parent);
	return result;
}

static ssize_t put_owner_id(struct namespace *namespace, uptr_t to)
{
	uint32_t uid = id_for_program(ID_USER, user_namespace_of(namespace)->owner);

	return user_put(to, &uid);
}

static ssize_t namespace_ioctl(struct object *object, unsigned command, uptr_t argument)
{
	struct namespace *namespace = file_of(object)->namespace;
	bool is_user = namespace->kind == NAMESPACE_USER;

	switch (command) {
	case NS_GET_NSTYPE:
		return (ssize_t)namespace_ops(namespace->kind)->flag;
	case NS_GET_USERNS:
		return open_owner(namespace);
	case NS_GET_PARENT:
		return open_parent(namespace);
	case NS_GET_OWNER_UID:
		return is_user ? put_owner_id(namespace, argument) : -EINVAL;
	default:
		return -ENOTTY;
	}
}

static err_t namespace_stat(struct object *object, struct abi_stat *out)
{
	err_t err = anonymous_stat(object, out);

	out->st_ino = file_of(object)->namespace->number;
	out->st_mode = S_IFREG | 0444;
	return err;
}

static void namespace_describe(struct object *object, char *to, size_t to_bytes)
{
	put_name(file_of(object)->namespace, to, to_bytes);
}

static void namespace_release(struct object *object)
{
	namespace_put(file_of(object)->namespace);
}

static void namespace_free(struct object *object)
{
	kfree(file_of(object));
}

static const struct object_ops namespace_file_ops = {
	.ioctl = namespace_ioctl,
	.stat = namespace_stat,
	.describe = namespace_describe,
	.reopen = object_reopen_same,
	.release = namespace_release,
	.free = namespace_free,
};

struct object *namespace_open(struct namespace *namespace)
{
	struct namespace_file *file = kzalloc(sizeof(*file));

	if (!file)
		return NULL;
	file->namespace = namespace_get(namespace);
	object_init(&file->object, &namespace_file_ops, OBJECT_OTHER, O_RDONLY);
	return &file->object;
}

struct namespace *namespace_of_object(const struct object *object)
{
	return object->ops == &namespace_file_ops ? file_of(object)->namespace : NULL;
}

/* ---- /proc/PID/ns ---- */

/* The one that the entry's name says, with a reference. */
static struct namespace *namespace_of_subject(const struct proc_subject *subject)
{
	if (strcmp(subject->entry->name, "pid_for_children") == 0)
		return pid_namespace_of_children(subject->process, subject->tid);
	if (strcmp(subject->entry->name, "time_for_children") == 0)
		return namespace_of_children(subject->process, subject->tid, NAMESPACE_TIME);
	for (unsigned i = 0; i < NAMESPACE_KINDS; i++) {
		if (strcmp(namespace_ops((enum namespace_kind)i)->name, subject->entry->name) == 0)
			return namespace_of(subject->process, subject->tid, (enum namespace_kind)i);
	}
	return NULL;
}

ssize_t proc_namespace_link(const struct proc_subject *subject, char *to, size_t to_bytes)
{
	struct namespace *namespace = namespace_of_subject(subject);
	char name[NAME_BYTES];

	if (!namespace)
		return -ENOENT;
	put_name(namespace, name, sizeof(name));
	namespace_put(namespace);
	string_copy(to, to_bytes, name);
	return (ssize_t)strlen(to);
}

err_t proc_namespace(const struct proc_subject *subject, struct path *out)
{
	struct namespace *namespace = namespace_of_subject(subject);
	struct object *object;
	err_t err;

	if (!namespace)
		return -ENOENT;
	object = namespace_open(namespace);
	namespace_put(namespace);
	if (!object)
		return -ENOMEM;
	err = path_of_object(object, out);
	object_put(object);
	return err;
}
