/*
 * execve: a new program in the running process.
 *
 * Everything that may fail comes first: the file and the scripts before it, the arguments, and the
 * whole image in a new address space, in which the thread already is while it fills the stack. Then
 * comes the point of no return: the other threads end. What follows cannot fail, but for a table of
 * descriptors that another process shares; if there is no memory to copy that, the process is
 * killed, as on Linux.
 */
#define LOG_SUBSYSTEM "exec"

#include "exec.h"

#include "../futex/futex.h"
#include "../namespace/time.h"
#include "../ptrace/ptrace.h"
#include "../signal/signal.h"
#include "../time/posix_timer.h"
#include "call_filter.h"
#include "capability.h"
#include "exit.h"
#include "rseq.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/personality.h>
#include <abi/stat.h>
#include <abi/wait.h>
#include <arch/context.h>
#include <arch/registers.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <ipc/user_namespace.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/slab.h>
#include <mm/space.h>

#define GROUP_EXECUTES    0010
#define SCRIPT_LINE_BYTES 256 /* BINPRM_BUF_SIZE */
#define SCRIPTS_MAX       5   /* one that runs one that runs one ... */

/* ---- the request ---- */

/* As Linux: a quarter of the stack, at least 128 KiB, at most three quarters of 8 MiB. */
static uint64_t strings_limit(const struct process *process)
{
	uint64_t stack_bytes = read_once(&process->limits[RLIMIT_STACK].rlim_cur);

	return MAX(MIN(stack_bytes / 4, 6 * MIB), 128 * KIB);
}

err_t exec_request_init(struct exec_request *request)
{
	const struct uthread *uthread = uthread_current();

	*request = (struct exec_request){.path = kmalloc(PATH_MAX), .ids = uthread->ids};
	request->strings_bytes_max = strings_limit(uthread->process);
	return request->path ? 0 : -ENOMEM;
}

void exec_request_free(struct exec_request *request)
{
	object_put(request->file);
	exec_strings_free(&request->argv);
	exec_strings_free(&request->envp);
	kfree(request->path);
}

/* ---- scripts ---- */

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

/* Cuts "#! interpreter argument" into its two parts; *argument NULL: none. */
static err_t parse_script_line(char *line, char **interpreter, char **argument)
{
	char *end;

	line += 2;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	while (is_blank(*line))
		line++;
	/* An interpreter's name that was cut is not its name (Linux: ENOEXEC). */
	if (!*line || (!end && !strchr(line, ' ') && !strchr(line, '\t')))
		return -ENOEXEC;
	end = line + strlen(line);
	while (end > line && is_blank(end[-1]))
		*--end = '\0';
	*interpreter = line;
	while (*line && !is_blank(*line))
		line++;
	*argument = NULL;
	if (!*line)
		return 0;
	*line++ = '\0';
	while (is_blank(*line))
		line++;
	*argument = line;
	return 0;
}

/* argv[0] gives way to the interpreter, its argument and the script's name. */
static err_t put_script_arguments(struct exec_request *request, const char *interpreter,
				  const char *argument)
{
	err_t err;

	exec_strings_drop_first(&request->argv);
	err = exec_strings_put_first(request, &request->argv, request->path);
	if (!err && argument)
		err = exec_strings_put_first(request, &request->argv, argument);
	if (!err)
		err = exec_strings_put_first(request, &request->argv, interpreter);
	return err;
}

/* 1: the file is a script, and request->path names its interpreter now. */
static err_t follow_script(struct exec_request *request)
{
	char line[SCRIPT_LINE_BYTES + 1];
	ssize_t len = object_read_kernel(request->file, line, SCRIPT_LINE_BYTES, 0);
	char *interpreter;
	char *argument;
	err_t err;

	if (len < 0)
		return (err_t)len;
	line[len] = '\0';
	if (len < 2 || line[0] != '#' || line[1] != '!')
		return 0;
	err = parse_script_line(line, &interpreter, &argument);
	if (!err)
		err = put_script_arguments(request, interpreter, argument);
	if (err)
		return err;
	string_copy(request->path, PATH_MAX, interpreter);
	return 1;
}

/* ---- the file ---- */

/* The ids that a program has which was executed, with what its file's set-id bits give in
 * `set_ids`. True: they are not the caller's. */
static bool make_ids(struct credentials *ids, const struct credentials *set_ids)
{
	const struct uthread *uthread = uthread_current();
	bool secure;

	*ids = *set_ids;
	ids->suid = ids->fsuid = ids->euid;
	ids->sgid = ids->fsgid = ids->egid;
	secure = credentials_execute(
		ids, &uthread->ids, ids->euid != uthread->ids.uid || ids->egid != uthread->ids.gid);
	if (uthread->no_new_privileges) {
		ids->capabilities.permitted &= uthread->ids.capabilities.permitted;
		ids->capabilities.effective &= ids->capabilities.permitted;
	}
	return secure;
}

/* Ids that the file's set-id bits give, unless the thread has renounced them, or somebody looks at
 * it who could not give them himself. */
static err_t take_ids(struct exec_request *request)
{
	const struct uthread *uthread = uthread_current();
	struct credentials ids = uthread->ids;
	struct abi_stat stat;
	err_t err = object_stat(request->file, &stat);

	if (err)
		return err;
	request->unreadable = !vfs_may_read(uthread_fs(), request->file);
	(void)make_ids(&request->plain_ids, &ids);
	if (!uthread->no_new_privileges && ptrace_allows_privileges(uthread) &&
	    vfs_gives_ids(request->file) && id_is_mapped(ids.user, ID_USER, stat.st_uid) &&
	    id_is_mapped(ids.user, ID_GROUP, stat.st_gid)) {
		if (stat.st_mode & S_ISUID)
			ids.euid = stat.st_uid;
		if ((stat.st_mode & (S_ISGID | GROUP_EXECUTES)) == (S_ISGID | GROUP_EXECUTES))
			ids.egid = stat.st_gid;
	}
	request->secure = make_ids(&request->ids, &ids);
	return 0;
}

err_t exec_open(struct exec_request *request, struct object *at, const char *name,
		unsigned at_flags)
{
	for (unsigned nscripts = 0; nscripts <= SCRIPTS_MAX; nscripts++) {
		err_t err = vfs_open_exec(uthread_fs(), at, name, at_flags, &request->file);

		if (!err)
			err = follow_script(request);
		if (err < 0)
			return err;
		if (!err)
			return take_ids(request);
		object_put(request->file);
		request->file = NULL;
		at = NULL;
		at_flags = 0;
		name = request->path;
	}
	return -ELOOP;
}

/* ---- the point of no return ---- */

static bool is_alone(struct process *process)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	bool alone = process->nthreads == 1;

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return alone;
}

/* -EINTR: another one was faster, or the process is ending; the caller ends as well. */
static err_t end_other_threads(struct process *process)
{
	struct uthread *self = uthread_current();
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct uthread *other;

	if (process->exiting || self->replaced) {
		spin_unlock_irqrestore(&process->signal_lock, flags);
		return -EINTR;
	}
	list_for_each (other, &process->threads, sibling) {
		if (other == self)
			continue;
		other->replaced = true;
		thread_kill(other->thread);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	/* They end, whatever they wait for. */
	wait_event(&process->changed, is_alone(process));
	return 0;
}

/* The one thread that is left is the process's first from now on. */
static void become_leader(struct process *process)
{
	struct uthread *self = uthread_current();
	struct uthread *before;
	irqflags_t flags;

	uthread_drop_number(self);
	spin_lock(&family_lock);
	flags = spin_lock_irqsave(&process->signal_lock);
	self->link.number = 0;
	write_once(&self->tid, process->pid);
	write_once(&self->own_tid, process->own_pid);
	self->thread->tid = (uint32_t)process->pid;
	write_once(&process->leader, self);
	before = ptrace_become_leader_locked(process, self);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	spin_unlock(&family_lock);
	if (before)
		uthread_forget(before);
}

/* What other processes may share becomes this one's own. */
static err_t unshare(struct uthread *self)
{
	struct process *process = self->process;
	struct signal_actions *actions = NULL;
	irqflags_t flags;
	err_t err = uthread_unshare_files();

	if (!err && read_once(&process->actions->references.count) > 1) {
		actions = signal_actions_create(process->actions);
		err = actions ? 0 : -ENOMEM;
	}
	if (err)
		return err;
	if (actions) {
		struct signal_actions *before = process->actions;

		flags = spin_lock_irqsave(&process->signal_lock);
		process->actions = actions;
		spin_unlock_irqrestore(&process->signal_lock, flags);
		signal_actions_put(before);
	}
	return 0;
}

/* Nobody else moves its place in the file tree, unless it could give itself what it gains
 * (LSM_UNSAFE_SHARE of Linux). */
static bool place_is_safe(const struct uthread *self)
{
	return capable_in(self->ids.user, CAP_SETUID) || !place_is_shared(self->place);
}

/* What a stranger may see of the process changes with the space, for those who look under the same
 * lock. As Linux: rights that are not all the user's own, or others than before, hide it. */
static void take_image(struct uthread *self, const struct exec_request *request,
		       const struct exec_image *image)
{
	struct process *process = self->process;
	struct path file = file_path(request->file);
	struct path program = path_get(&file);
	struct path program_before;
	bool safe = place_is_safe(self);
	struct user_namespace *owner_before;
	struct space *before;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	before = process->space;
	program_before = process->program;
	owner_before = process->memory_owner;
	process->space = image->space;
	write_once(&process->nexecuted, process->nexecuted + 1); /* before its rights change */
	process->program = program;
	process->given = image->given;
	/* What cannot be read shows to those alone who may read everything. */
	write_once(&process->memory_owner, request->unreadable
						   ? &user_namespace_first
						   : user_namespace_get(self->ids.user));
	write_once(&process->not_dumpable, request->secure || request->unreadable);
	if (request->secure) {
		write_once(&process->death_signal, 0);
		write_once(&process->personality, 0);
	}
	write_once(&process->personality, read_once(&process->personality) & ~READ_IMPLIES_EXEC);
	/* Somebody may have begun to look meanwhile; who comes from now on sees the new ids. */
	uthread_set_ids(self, safe && ptrace_allows_privileges(self) ? &request->ids
								     : &request->plain_ids);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	path_put(&program_before);
	user_namespace_put(owner_before);
	if (before)
		space_put(before);
}

static void take_names(struct process *process, const struct exec_request *request)
{
	size_t len = MIN(request->argv.len_bytes, sizeof(process->command));

	process_set_name(process, request->path);
	thread_set_name(process->name);
	memset(process->command, 0, sizeof(process->command));
	memcpy(process->command, request->argv.block, len);
	for (size_t i = 0; i + 1 < len; i++) {
		if (!process->command[i])
			process->command[i] = ' ';
	}
	process->command[len ? len - 1 : 0] = '\0';
}

void exec_begin(struct exec_request *request, const struct exec_image *image)
{
	struct uthread *self = uthread_current();
	struct process *process = self->process;

	take_image(self, request, image);
	time_namespace_enter(process, time_namespace_for_children()); /* whose vDSO is mapped */
	take_names(process, request);
	self->robust_list = 0;
	rseq_forget();
	call_filter_forget();
	self->clear_tid = 0;
	self->restart.kind = RESTART_NONE;
	context_reset_user();
	debug_registers_clear();
	context_set_user_start(&self->thread->context, image->entry, image->stack_pointer);
}

/* The words that the old program wanted to be told with lie in the old space. */
static void tell_old_waiters(struct uthread *self, const struct exec_image *image)
{
	self->space = self->process->space;
	context_enter_pagetable(&self->space->pagetable);
	exit_tell_waiters(self);
	pi_futex_exit(self, false);
	self->space = image->space;
	context_enter_pagetable(&self->space->pagetable);
}

static err_t commit(struct exec_request *request, const struct exec_image *image)
{
	struct uthread *self = uthread_current();
	struct process *process = self->process;
	int32_t old_tid = self->tid;
	err_t err = end_other_threads(process);

	if (err)
		return err;
	/* ---- committed ---- */
	if (self->tid != process->pid)
		become_leader(process);
	if (unshare(self))
		process_exit(WAIT_STATUS_SIGNAL(SIGKILL));
	if (self->robust_list || self->clear_tid || !list_empty(&self->pi_owned))
		tell_old_waiters(self, image);
	posix_timers_delete_all(process);
	signal_reset_handlers();
	fd_table_close_on_exec(self->fds);
	write_once(&process->has_executed, true);
	process->exit_signal = SIGCHLD;
	exec_begin(request, image);
	exit_end_vfork(self);
	ptrace_executed(old_tid);
	return 0;
}

static void abandon(const struct exec_image *image)
{
	struct uthread *self = uthread_current();

	self->space = self->process->space;
	context_enter_pagetable(&self->space->pagetable);
	space_put(image->space);
}

static err_t execute(struct exec_request *request, struct object *at, const char *name, uptr_t argv,
		     uptr_t envp, unsigned at_flags)
{
	struct exec_image image;
	err_t err = exec_strings_from_user(request, &request->argv, argv);

	if (!err)
		err = exec_strings_from_user(request, &request->envp, envp);
	/* As Linux: a program without argv[0] gets an empty one. */
	if (!err && !request->argv.count)
		err = exec_strings_put_first(request, &request->argv, "");
	if (!err)
		err = exec_open(request, at, name, at_flags);
	if (!err)
		err = elf_load(request, &image);
	if (err)
		return err;
	err = commit(request, &image);
	if (err)
		abandon(&image);
	return err;
}

/* ---- the calls ---- */

/* The name that the program learns: of a descriptor, as Linux makes it up. */
static void name_path(char *path, int dirfd, const char *name)
{
	if (name[0] == '/' || dirfd == AT_FDCWD)
		string_copy(path, PATH_MAX, name);
	else if (name[0])
		kernel_format(path, PATH_MAX, "/dev/fd/%d/%s", dirfd, name);
	else
		kernel_format(path, PATH_MAX, "/dev/fd/%d", dirfd);
}

int sys_execveat(int dirfd, uptr_t path, uptr_t argv, uptr_t envp, unsigned at_flags)
{
	struct exec_request request;
	struct object *at = NULL;
	char *name = kmalloc(PATH_MAX);
	ssize_t len;
	err_t err;

	if (!name)
		return -ENOMEM;
	len = user_copy_string(name, path, PATH_MAX);
	if (len < 0) {
		kfree(name);
		return (int)len;
	}
	err = exec_request_init(&request);
	if (!err && name[0] != '/' && dirfd != AT_FDCWD) {
		at = fd_get(current_fds(), dirfd);
		err = at ? 0 : -EBADF;
	}
	if (!err) {
		name_path(request.path, dirfd, name);
		err = execute(&request, at, name, argv, envp, at_flags);
	}
	object_put(at);
	exec_request_free(&request);
	kfree(name);
	return err;
}

int sys_execve(uptr_t path, uptr_t argv, uptr_t envp)
{
	return sys_execveat(AT_FDCWD, path, argv, envp, 0);
}
