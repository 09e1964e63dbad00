/*
 * Processes begin here: process_spawn() puts one together, its own thread loads the program and
 * goes to user mode. Also what others may ask of a process by its number. Owns no state of its own.
 *
 * The program is loaded by the new thread and not by the one that asks, because user memory is
 * reached only through the running thread's own space. The request lies on the asking thread's
 * stack, which therefore waits, unkillably, until the loading has come to an end.
 */
#define LOG_SUBSYSTEM "process"

#include "process.h"

#include "kthread.h"
#include "trace.h"
#include "tty.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/context.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <fusek/mount.h>
#include <fusek/path.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/space.h>

#define STACK_LIMIT_BYTES (8 * MIB)

/* What the new thread and the asking one share. */
struct spawn {
	const struct spawn_request *request;
	struct process *process;
	bool finished; /* release by the new thread, its last touch but the wake */
	err_t err;
};

/* ---- references ---- */

static void free_after_grace(struct rcu_head *head)
{
	kfree(container_of(head, struct process, rcu));
}

void process_put(struct process *process)
{
	if (process && refcount_put(&process->references))
		rcu_call(&process->rcu, free_after_grace);
}

/* ---- putting one together ---- */

static void set_limits(struct process *process)
{
	for (unsigned i = 0; i < RLIMIT_COUNT; i++)
		process->limits[i] = (struct abi_rlimit){RLIM_INFINITY, RLIM_INFINITY};
	process->limits[RLIMIT_STACK].rlim_cur = STACK_LIMIT_BYTES;
	process->limits[RLIMIT_NOFILE] = (struct abi_rlimit){FD_LIMIT, FD_MAX};
	process->limits[RLIMIT_CORE].rlim_cur = 0;
	process->limits[RLIMIT_NICE] = (struct abi_rlimit){0, 0};
	process->limits[RLIMIT_RTPRIO] = (struct abi_rlimit){0, 0};
}

/* The last component, as Linux names a process. */
static void set_name(struct process *process, const char *path)
{
	const char *slash = strrchr(path, '/');

	string_copy(process->name, sizeof(process->name), slash ? slash + 1 : path);
}

static void set_command(struct process *process, const char *const *argv)
{
	size_t used = 0;

	for (; *argv && used + 1 < sizeof(process->command); argv++) {
		if (used)
			process->command[used++] = ' ';
		if (!string_copy(process->command + used, sizeof(process->command) - used, *argv))
			return;
		used += strlen(*argv);
	}
}

static struct process *process_alloc(const struct spawn_request *request)
{
	struct process *process = kzalloc(sizeof(*process));

	if (!process)
		return NULL;
	refcount_init(&process->references);
	list_init(&process->sibling);
	list_init(&process->children);
	waitq_init(&process->ended);
	waitq_init(&process->continued);
	mutex_init(&process->lock, LOCK_PROCESS);
	spin_init(&process->signal_lock, LOCK_SIGNAL);
	process->alternate_stack.ss_flags = SS_DISABLE;
	process->tty = request->tty;
	process->traced = request->traced || trace_everything();
	process->usage.started_ns = clock_ns();
	set_limits(process);
	set_name(process, request->path);
	set_command(process, request->argv);
	return process;
}

static err_t open_streams(struct process *process, struct object *const *streams)
{
	for (int i = 0; i < 3; i++) {
		int fd;
		err_t err;

		if (!streams[i])
			continue;
		err = fd_reserve(process->fds, i, 0, &fd);
		if (err)
			return err;
		fd_install(process->fds, fd, object_get(streams[i]));
	}
	return 0;
}

static err_t set_place(struct process *process, const char *cwd)
{
	struct vfs_context kernel = vfs_kernel_context();
	struct path root = mount_root();
	err_t err;

	process->fs = kernel;
	process->fs.cwd = (struct path){NULL};
	process->fs.root = (struct path){NULL};
	err = vfs_find_directory(&kernel, NULL, cwd ? cwd : "/", &process->fs.cwd);
	if (err)
		return err;
	process->fs.root = path_get(&root);
	return 0;
}

/* Before it has a thread. */
static void process_discard(struct process *process)
{
	path_put(&process->fs.cwd);
	path_put(&process->fs.root);
	fd_table_put(process->fds);
	process_put(process);
}

static err_t process_create(const struct spawn_request *request, struct process **out)
{
	struct process *process = process_alloc(request);
	err_t err = -ENOMEM;

	if (!process)
		return -ENOMEM;
	process->fds = fd_table_create();
	if (!process->fds)
		goto discard;
	err = open_streams(process, request->streams);
	if (err)
		goto discard;
	err = set_place(process, request->cwd);
	if (err)
		goto discard;
	err = pid_insert(process);
	if (err)
		goto discard;
	process->fs.pid = process->pid;
	write_once(&process->group, request->group ? request->group : process->pid);
	write_once(&process->session, request->session ? request->session : process->pid);
	*out = process;
	return 0;

discard:
	process_discard(process);
	return err;
}

/* ---- its thread ---- */

static void process_main(void *argument)
{
	struct spawn *spawn = argument;
	struct process *process = spawn->process;
	err_t err = elf_load(process, spawn->request);

	spawn->err = err;
	if (!err)
		store_release(&process->state, PROCESS_RUNNING);
	/* The asking thread's stack goes when it sees `finished`, so it is woken through a queue of
	 * the process, which stays. Release: pairs with the acquire in process_spawn(). */
	store_release(&spawn->finished, true);
	waitq_wake_all(&process->ended);
	if (err)
		process_exit(0);
	context_enter_user();
}

/* Whoever found the process by its number may have signalled it before it had a thread: what the
 * signal did then is made up for here, before the thread runs. */
static void set_thread(struct process *process, struct thread *thread)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	process->thread = thread;
	if (process->exiting)
		thread_kill(thread);
	else if (process->stopped)
		context_request_exit_work(&thread->context);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

static err_t process_start(struct process *process, struct spawn *spawn)
{
	struct thread_memory *memory = thread_memory_alloc(true);
	struct thread *thread;

	if (!memory)
		return -ENOMEM;
	thread = thread_memory_thread(memory);
	thread_init(thread, &(struct thread_params){
				    .name = process->name,
				    .entry = process_main,
				    .argument = spawn,
				    .stack_base = thread_memory_stack(memory),
				    .stack_top = thread_memory_stack(memory) + KERNEL_STACK_BYTES,
				    .nice = spawn->request->nice,
				    .affinity = current_thread()->affinity,
				    .tid = (uint32_t)process->pid,
				    .process = process,
				    .release = process_thread_release,
			    });
	thread->context.fpu = thread_memory_fpu(memory);
	set_thread(process, thread);
	if (spawn->request->foreground)
		tty_set_foreground(process->tty, process->group);
	thread_start(thread);
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
		pid_remove(process);
		process_discard(process);
		process_put(process);
		return err;
	}
	wait_event(&process->ended, load_acquire(&spawn.finished));
	*pid = process->pid;
	/* It ends by itself; who is killed meanwhile leaves the rest to the kernel. */
	if (spawn.err && process_wait(process->pid, &status, NULL))
		process_disown(process->pid);
	process_put(process);
	return spawn.err;
}

/* ---- asking ---- */

static char state_letter(const struct process *process, const struct thread *thread)
{
	if (read_once(&process->state) >= PROCESS_ZOMBIE || !thread)
		return 'Z';
	if (read_once(&process->stopped))
		return 'T';
	return read_once(&thread->state) == THREAD_BLOCKED ? 'S' : 'R';
}

static void fill_info(struct process *process, struct process_info *info)
{
	struct process *parent;
	struct thread *thread;
	struct space *space;
	irqflags_t flags;

	*info = (struct process_info){
		.pid = process->pid,
		.group = read_once(&process->group),
		.session = read_once(&process->session),
		.state = read_once(&process->state),
		.tid = (uint32_t)process->pid,
		.cpu_ns = read_once(&process->usage.cpu_ns),
		.started_ns = process->usage.started_ns,
	};
	memcpy(info->name, process->name, sizeof(info->name));
	info->name[sizeof(info->name) - 1] = '\0';
	memcpy(info->command, process->command, sizeof(info->command));

	/* A parent is freed a grace period after it let go of its children. */
	rcu_read_lock();
	parent = read_once(&process->parent);
	info->parent = parent ? parent->pid : 0;
	rcu_read_unlock();

	flags = spin_lock_irqsave(&process->signal_lock);
	thread = process->thread;
	info->state_letter = state_letter(process, thread);
	if (thread) {
		info->nthreads = 1;
		info->nice = thread->sched.nice;
		info->level = thread->sched.level;
		info->cpu = (uint8_t)thread_cpu_id(thread);
		info->cpu_ns = thread_cpu_time_ns(thread);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);

	space = process_space_get(process);
	if (space) {
		struct space_stats stats;

		space_stats(space, &stats);
		info->resident_bytes = stats.resident_pages * PAGE_SIZE;
		space_put(space);
	}
}

bool process_next(int32_t after, struct process_info *info)
{
	struct process *process = process_find_next(after);

	if (!process)
		return false;
	fill_info(process, info);
	process_put(process);
	return true;
}

void process_for_each(void (*visit)(void *argument, const struct process_info *info),
		      void *argument)
{
	struct process_info info;

	for (int32_t pid = 0; process_next(pid, &info); pid = info.pid)
		visit(argument, &info);
}

err_t process_set_nice(int32_t pid, int nice)
{
	struct process *process = process_find(pid);
	irqflags_t flags;

	if (!process)
		return -ESRCH;
	flags = spin_lock_irqsave(&process->signal_lock);
	if (process->thread)
		thread_set_nice(process->thread, nice);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	process_put(process);
	return 0;
}

/* The one that sched_setaffinity(2) means, with a reference; NULL: none. */
static struct process *by_pid_or_self(int32_t pid)
{
	struct process *self = process_current();

	if (pid)
		return process_find(pid);
	if (self)
		refcount_get(&self->references);
	return self;
}

err_t process_set_affinity(int32_t pid, cpuset_t cpus)
{
	struct process *process = by_pid_or_self(pid);
	irqflags_t flags;
	err_t err = -ESRCH;

	if (!process)
		return err;
	flags = spin_lock_irqsave(&process->signal_lock);
	if (process->thread)
		err = thread_set_affinity(process->thread, cpus);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	process_put(process);
	return err;
}

err_t process_affinity(int32_t pid, cpuset_t *out)
{
	struct process *process = by_pid_or_self(pid);
	irqflags_t flags;
	err_t err = -ESRCH;

	if (!process)
		return err;
	flags = spin_lock_irqsave(&process->signal_lock);
	if (process->thread) {
		*out = thread_affinity(process->thread);
		err = 0;
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	process_put(process);
	return err;
}

struct space *process_space_get(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct space *space = process->space;

	if (space)
		space_get(space);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return space;
}

struct space *process_space(int32_t pid)
{
	struct process *process = process_find(pid);
	struct space *space;

	if (!process)
		return NULL;
	space = process_space_get(process);
	process_put(process);
	return space;
}

err_t process_set_traced(int32_t pid, bool on)
{
	struct process *process = process_find(pid);

	if (!process)
		return -ESRCH;
	write_once(&process->traced, on);
	process_put(process);
	return 0;
}
