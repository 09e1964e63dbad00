/*
 * Programs that the kernel starts: process_spawn() puts a process together, its own thread loads
 * the program and goes to user mode. Owns no state of its own.
 *
 * The program is loaded by the new thread and not by the one that asks, because user memory is
 * reached only through the running thread's own space. The request lies on the asking thread's
 * stack, which therefore waits, unkillably, until the loading has come to an end.
 */
#define LOG_SUBSYSTEM "process"

#include "../namespace/namespace.h"
#include "../signal/signal.h"
#include "../trace.h"
#include "../tty.h"
#include "capability.h"
#include "exec.h"

#include <abi/errno.h>
#include <arch/context.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <fusek/path.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <lib/string.h>
#include <mm/slab.h>

/* What the new thread and the asking one share. */
struct spawn {
	const struct spawn_request *request;
	struct process *process;
	bool finished; /* release by the new thread, its last touch but the wake */
	err_t err;
};

/* ---- putting one together ---- */

static err_t open_streams(struct fd_table *fds, struct object *const *streams)
{
	for (int i = 0; i < 3; i++) {
		int fd;
		err_t err;

		if (!streams[i])
			continue;
		err = fd_reserve(fds, i, 0, &fd);
		if (err)
			return err;
		fd_install(fds, fd, object_get(streams[i]));
	}
	return 0;
}

static err_t set_files(struct uthread *uthread, const struct spawn_request *request)
{
	struct vfs_context kernel = vfs_kernel_context();
	struct path root, cwd;
	struct place *place;
	err_t err;

	uthread->fds = fd_table_create();
	if (!uthread->fds)
		return -ENOMEM;
	err = open_streams(uthread->fds, request->streams);
	if (err)
		return err;
	err = vfs_find_directory(&kernel, NULL, "/", &root);
	if (err)
		return err;
	err = vfs_find_directory(&kernel, NULL, request->cwd ? request->cwd : "/", &cwd);
	if (err) {
		path_put(&root);
		return err;
	}
	place = place_create(root, cwd, kernel.umask);
	if (!place) {
		path_put(&root);
		path_put(&cwd);
		return -ENOMEM;
	}
	uthread->fs = kernel;
	uthread->ids = credentials_of_user_0();
	uthread->fs.pid = uthread->process->pid;
	uthread_set_place(uthread, place);
	return 0;
}

static err_t process_create(const struct spawn_request *request, struct process **out)
{
	struct process *process = process_alloc();
	err_t err;

	if (!process)
		return -ENOMEM;
	process->tty = request->tty;
	process->ids = credentials_of_user_0(); /* of the first namespace, which nobody counts */
	process->memory_owner = process->ids.user;
	process->call_watch = request->traced || trace_everything() ? CALLS_LOGGED : 0;
	process_set_name(process, request->path);
	process->actions = signal_actions_create(NULL);
	err = -ENOMEM;
	if (process->actions)
		err = request->init ? pid_insert_at(&process->link, INIT_PID)
				    : pid_insert(&process->link);
	if (err) {
		process_discard(process);
		return err;
	}
	process->unkillable = request->init;
	process->has_led = !request->group || !request->session;
	write_once(&process->group, request->group ? request->group : process->pid);
	process->group_serial = request->group ? 0 : process->link.serial;
	write_once(&process->session, request->session ? request->session : process->pid);
	*out = process;
	return 0;
}

/* ---- its thread ---- */

static err_t load(const struct spawn_request *spawn)
{
	struct exec_request request;
	struct exec_image image;
	err_t err = exec_request_init(&request);

	if (!err && strlen(spawn->path) >= PATH_MAX)
		err = -ENAMETOOLONG;
	if (!err) {
		string_copy(request.path, PATH_MAX, spawn->path);
		err = exec_strings_from_kernel(&request, &request.argv, spawn->argv);
	}
	if (!err)
		err = exec_strings_from_kernel(&request, &request.envp, spawn->envp);
	if (!err)
		err = exec_open(&request, NULL, request.path, 0);
	if (!err)
		err = elf_load(&request, &image);
	if (!err)
		exec_begin(&request, &image);
	exec_request_free(&request);
	return err;
}

static void process_main(void *argument)
{
	struct spawn *spawn = argument;
	struct process *process = spawn->process;
	err_t err = load(spawn->request);

	spawn->err = err;
	if (!err)
		store_release(&process->state, PROCESS_RUNNING);
	/* The asking thread's stack goes when it sees `finished`, so it is woken through a queue of
	 * the process, which stays. Release: pairs with the acquire in process_spawn(). */
	store_release(&spawn->finished, true);
	waitq_wake_all(&process->changed);
	if (err)
		process_exit(0);
	context_enter_user();
}

static err_t process_start(struct process *process, struct spawn *spawn)
{
	struct uthread *uthread;
	err_t err;

	uthread = uthread_alloc(process, true, NULL, 0, process_main, spawn, &err);
	if (!uthread)
		return err;
	uthread->namespaces = namespaces_first();
	err = set_files(uthread, spawn->request);
	if (!err)
		err = uthread_list(uthread);
	if (err) {
		uthread_discard(uthread);
		return err;
	}
	uthread->sched_nice = spawn->request->nice;
	thread_set_nice(uthread->thread, spawn->request->nice);
	if (spawn->request->foreground)
		tty_set_foreground(process->tty, process->group); /* which may kill it already */
	thread_start(uthread->thread);
	return 0;
}

err_t process_spawn(const struct spawn_request *request, int32_t *pid)
{
	struct spawn spawn = {.request = request};
	struct process *process;
	err_t err;
	int status;

	err = process_create(request, &process);
	if (err)
		return err;
	/* A second reference: with the first one goes whoever reaps it, which may be another. */
	refcount_get(&process->references);
	spawn.process = process;
	err = process_start(process, &spawn);
	if (err) {
		process_discard(process);
		process_put(process);
		return err;
	}
	wait_event(&process->changed, load_acquire(&spawn.finished));
	*pid = process->pid;
	/* It ends by itself; who is killed meanwhile leaves the rest to the kernel. */
	if (spawn.err && process_wait(process->pid, &status, NULL))
		process_disown(process->pid);
	process_put(process);
	return spawn.err;
}
