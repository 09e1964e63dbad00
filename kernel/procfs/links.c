/*
 * The links of /proc. self and its like are texts; the others lead to what the process has,
 * whatever its name is by now, and their text is only how it is called.
 */
#include "procfs.h"

#include "../namespace/pid.h"
#include "../process/inspect.h"
#include "../process/pidfd.h"
#include "../process/uthread.h"

#include <abi/errno.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* ---- texts ---- */

/* Neither is there for a thread of the kernel's, and for who is not seen. */
ssize_t proc_self(const struct proc_subject *subject, char *to, size_t to_bytes)
{
	const struct process *self = process_current();
	int32_t pid = self ? pid_number_in(subject->namespace, self->pid) : 0;

	return pid ? (ssize_t)kernel_format(to, to_bytes, "%d", pid) : -ENOENT;
}

ssize_t proc_thread_self(const struct proc_subject *subject, char *to, size_t to_bytes)
{
	const struct process *self = process_current();
	int32_t pid = self ? pid_number_in(subject->namespace, self->pid) : 0;

	if (!pid)
		return -ENOENT;
	return (ssize_t)kernel_format(to, to_bytes, "%d/task/%d", pid,
				      pid_number_in(subject->namespace, uthread_current()->tid));
}

ssize_t proc_mounts_link(UNUSED const struct proc_subject *subject, char *to, size_t to_bytes)
{
	return (ssize_t)kernel_format(to, to_bytes, "self/mounts");
}

ssize_t proc_net_link(UNUSED const struct proc_subject *subject, char *to, size_t to_bytes)
{
	return (ssize_t)kernel_format(to, to_bytes, "self/net");
}

/* As the one who reads it calls it. */
static ssize_t name_of(const struct path *path, char *to, size_t to_bytes)
{
	struct vfs_context context = vfs_kernel_context();
	ssize_t len;

	if (process_current())
		context.root = uthread_fs()->root;
	len = path_name(&context.root, path, to, to_bytes);
	return len > 0 ? len - 1 : -ENAMETOOLONG;
}

ssize_t proc_path_link(const struct proc_subject *subject, char *to, size_t to_bytes)
{
	struct path path;
	err_t err = subject->entry->follow(subject, &path);
	ssize_t len;

	if (err)
		return err;
	len = name_of(&path, to, to_bytes);
	path_put(&path);
	return len;
}

/* ---- where they lead ---- */

err_t proc_exe(const struct proc_subject *subject, struct path *out)
{
	*out = process_program(subject->process);
	return path_is_none(out) ? -ENOENT : 0;
}

err_t proc_cwd(const struct proc_subject *subject, struct path *out)
{
	struct path root;
	uint32_t umask;

	if (process_place(subject->process, subject->tid, &root, out, &umask))
		return -ENOENT;
	path_put(&root);
	return 0;
}

err_t proc_root(const struct proc_subject *subject, struct path *out)
{
	struct path cwd;
	uint32_t umask;

	if (process_place(subject->process, subject->tid, out, &cwd, &umask))
		return -ENOENT;
	path_put(&cwd);
	return 0;
}

/* ---- descriptors ---- */

struct object *proc_fd_object(const struct proc_subject *subject, bool *close_on_exec)
{
	struct fd_table *fds = process_fds(subject->process, subject->tid);
	struct object *object;

	if (!fds)
		return NULL;
	object = fd_get(fds, subject->fd);
	*close_on_exec = object && fd_flags(fds, subject->fd) == FD_CLOEXEC;
	fd_table_put(fds);
	return object;
}

ssize_t proc_fd_link(const struct proc_subject *subject, char *to, size_t to_bytes)
{
	bool close_on_exec;
	struct object *object = proc_fd_object(subject, &close_on_exec);
	struct path path;
	ssize_t len;

	if (!object)
		return -ENOENT;
	path = file_path(object);
	if (!path_is_none(&path)) {
		len = name_of(&path, to, to_bytes);
	} else {
		object_describe(object, to, to_bytes);
		len = (ssize_t)strlen(to);
	}
	object_put(object);
	return len;
}

err_t proc_fd(const struct proc_subject *subject, struct path *out)
{
	bool close_on_exec;
	struct object *object = proc_fd_object(subject, &close_on_exec);
	err_t err;

	if (!object)
		return -ENOENT;
	err = path_of_object(object, out);
	object_put(object);
	return err;
}

/* -1: it was waited for, and the number may be another's. */
static void add_pidfd(struct text *text, const struct proc_subject *subject,
		      const struct object *object)
{
	const struct process *process = pidfd_process(object);
	int32_t number;
	int pid;

	if (!process)
		return;
	number = pidfd_number(object);
	pid = number ? pid_number_in(subject->namespace, number) : -1;
	text_add(text, "Pid:\t%d\nNSpid:", pid);
	if (pid > 0)
		proc_add_numbers(text, subject, process, number);
	else
		text_add(text, "\t%d", pid);
	text_add(text, "\n");
}

void proc_process_fdinfo(struct text *text, const struct proc_subject *subject)
{
	bool close_on_exec;
	struct object *object = proc_fd_object(subject, &close_on_exec);
	uint64_t position = 0;
	uint32_t mount_id = 0;
	struct abi_stat stat;

	if (!object) {
		text->err = -ENOENT;
		return;
	}
	(void)file_facts(object, &position, &mount_id); /* others have no position: 0 */
	text_add(text, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\n", position,
		 object_flags(object) | (close_on_exec ? (unsigned)O_CLOEXEC : 0), mount_id);
	if (!object_stat(object, &stat))
		text_add(text, "ino:\t%lu\n", stat.st_ino);
	add_pidfd(text, subject, object);
	object_put(object);
}
