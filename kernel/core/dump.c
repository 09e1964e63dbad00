/*
 * Writing a core: who waits for whom, the file, and its parts in their order. Owns no state beyond
 * the thread that writes.
 */
#define LOG_SUBSYSTEM "core"

#include "core.h"

#include "core_priv.h"
#include "name.h"

#include "../process/inspect.h"
#include "../uname.h"

#include <abi/core.h>
#include <abi/elf.h>
#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/clock.h>
#include <arch/context.h>
#include <arch/registers.h>
#include <fusek/file.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/slab.h>
#include <mm/space.h>

#define CORE_MODE 0600u

bool core_is_wanted(const struct process *process, int signal)
{
	/* As Linux: what would not even have its headers is not begun. */
	return SIGNAL_BIT(signal) & CORE_SIGNALS && !read_once(&process->not_dumpable) &&
	       read_once(&process->limits[RLIMIT_CORE].rlim_cur) >= PAGE_SIZE;
}

/* ---- the file ---- */

/* For %E: where its program is, as it would name it. */
static void name_program(struct process *process, char *to, size_t to_bytes)
{
	const struct vfs_context *context = uthread_fs();
	struct path program = process_program(process);

	*to = '\0';
	if (!path_is_none(&program) && path_name(&context->root, &program, to, to_bytes) < 0)
		*to = '\0';
	path_put(&program);
}

static err_t make_name(const struct core *core, char *to)
{
	const struct process *process = core->process;
	const struct uthread *self = uthread_current();
	char pattern[CORE_PATTERN_BYTES];
	struct abi_utsname names;
	const struct core_facts facts = {
		.pid = process->pid,
		.tid = self->tid,
		.own_pid = process->own_pid,
		.own_tid = self->own_tid,
		.uid = self->ids.uid,
		.gid = self->ids.gid,
		.signal = core->info->signal,
		.dumpable = true,
		.time_s = clock_wall_ns() / NSEC_PER_SEC,
		.limit_bytes = core->out.limit_bytes,
		.cpu = thread_cpu_id(self->thread),
		.host = names.nodename,
		.name = process->name,
		.program = core->page,
	};

	machine_names_get(&names);
	name_program(core->process, core->page, PAGE_SIZE);
	core_pattern_get(pattern);
	return core_name(to, PATH_MAX, pattern, core_uses_pid(), &facts);
}

/* Whose it is, and that nobody else has a hand in it, as Linux. */
static err_t check_file(struct object *file)
{
	struct abi_stat stat;
	err_t err = object_stat(file, &stat);

	if (err)
		return err;
	if (!S_ISREG(stat.st_mode))
		return -ENXIO;
	if (stat.st_nlink != 1 || stat.st_uid != uthread_fs()->uid ||
	    (stat.st_mode & 0677) != CORE_MODE)
		return -EPERM;
	return 0;
}

/* As Linux: what had the name before is gone, so nobody reads along who has opened it. */
static err_t open_file(const char *name, struct object **out)
{
	err_t err;

	(void)!vfs_unlink(uthread_fs(), NULL, name, 0); /* there may be none */
	err = vfs_open(uthread_fs(), NULL, name,
		       O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_NONBLOCK, CORE_MODE, out);

	if (err)
		return err;
	err = check_file(*out);
	if (err)
		object_put(*out);
	return err;
}

/* ---- the core ---- */

static void put_all(struct core *core)
{
	uint64_t headers_bytes =
		sizeof(struct elf64_header) + (core->nsegments + 1) * sizeof(struct elf64_phdr);

	core_put_headers(core, ALIGN_UP(headers_bytes + core_notes_bytes(core), PAGE_SIZE));
	core_put_notes(core);
	core_align(&core->out, PAGE_SIZE);
	core_put_memory(core);
	core_end(&core->out);
}

/* False: there is no file. */
static bool write_file(struct core *core, char *name)
{
	const struct process *process = core->process;
	err_t err = make_name(core, name);

	if (!err)
		err = core_collect(core);
	if (!err)
		err = open_file(name, &core->out.file);
	if (err) {
		if (err != -EINTR)
			log_limited(LOG_WARN, "%s[%d]: its core cannot be made: error %d",
				    process->name, process->pid, -err);
		return false;
	}
	put_all(core);
	/* The limit is its user's wish. */
	if (core->out.err && core->out.err != -EFBIG)
		log_limited(LOG_WARN, "%s[%d]: its core ends after %lu KiB: error %d",
			    process->name, process->pid,
			    (unsigned long)(core->out.written_bytes / KIB), -core->out.err);
	object_put(core->out.file);
	return true;
}

static bool write_core(const struct signal_info *info, uint32_t nthreads)
{
	struct process *process = process_current();
	struct core core = {
		.info = info,
		.process = process,
		.space = process_space_get(process),
		.out = {.limit_bytes = read_once(&process->limits[RLIMIT_CORE].rlim_cur)},
		.page = kmalloc(MAX(PAGE_SIZE, registers_xsave_bytes())),
		.nthreads = nthreads,
	};
	char *name = kmalloc(PATH_MAX);
	bool written = name && core.page && core.space && write_file(&core, name);

	kvfree(core.segments, core.nsegments_max * sizeof(*core.segments));
	text_free(&core.file_ranges);
	text_free(&core.file_names);
	kfree(name);
	kfree(core.page);
	if (core.space)
		space_put(core.space);
	return written;
}

/* ---- who waits for whom ---- */

static void end(struct process *process, bool written)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	write_once(&process->core, NULL);
	if (written)
		process->status_to_be |= WAIT_CORE_FLAG;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	waitq_wake_all(&process->changed);
}

void core_write(const struct signal_info *info)
{
	struct process *process = process_current();
	struct core_wait wait;
	bool written = false;

	if (!core_is_wanted(process, info->signal) ||
	    !signal_begin_core(WAIT_STATUS_SIGNAL(info->signal), &wait))
		return;
	context_park();
	thread_clear_interrupt();
	if (!wait_event_killable(&process->changed, !read_once(&wait.nawaited)))
		written = write_core(info, wait.nothers + 1);
	end(process, written);
	context_unpark();
}

void core_join(void)
{
	struct uthread *self = uthread_current();
	struct process *process = self->process;
	struct core_wait *wait;
	irqflags_t flags;

	context_park();
	flags = spin_lock_irqsave(&process->signal_lock);
	wait = process->core;
	if (wait) {
		self->in_core = true;
		write_once(&wait->nawaited, wait->nawaited - 1);
		waitq_wake_all(&process->changed);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	wait_event(&process->changed, !read_once(&process->core));
	context_unpark();
}

void core_cut_short(struct process *process)
{
	struct uthread *uthread;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	if (process->core) {
		list_for_each (uthread, &process->threads, sibling)
			thread_kill(uthread->thread);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
}
