/*
 * Programs as ksh sees them: starting them on the console, waiting, signals, and snapshots of what
 * they are (processes, threads, regions, page walks).
 */
#include "ksh_session.h"

#include "process.h"
#include "trace.h"
#include "tty.h"
#include "userspace.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/paging.h>
#include <fusek/driver.h>
#include <ipc/object.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/space.h>
#include <sched/thread.h>

/* The three streams of a program: files of ksh's, or the console, which is opened once for all. */
static err_t take_streams(const struct ksh_spawn *spawn, struct object *console,
			  struct spawn_request *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(request->streams); i++) {
		request->streams[i] = spawn->streams[i] == KSH_STREAM_CONSOLE
					      ? console
					      : ksh_file_object(spawn->streams[i]);
		if (!request->streams[i])
			return -EBADF;
	}
	return 0;
}

int ksh_process_spawn(const struct ksh_spawn *spawn)
{
	char directory[KSH_PATH_MAX];
	struct spawn_request request = {
		.path = spawn->path,
		.argv = spawn->argv,
		.envp = spawn->envp,
		.cwd = directory,
		.tty = console_tty,
		.session = ksh_session_number(),
		.nice = (int8_t)spawn->nice,
		.traced = spawn->trace,
		.foreground = spawn->foreground,
	};
	struct object *console;
	int32_t pid;
	err_t err = ksh_directory_name(directory, sizeof(directory));

	if (err)
		return err;
	console = tty_open(console_tty);
	if (!console)
		return -ENOMEM;
	err = take_streams(spawn, console, &request);
	if (!err)
		err = process_spawn(&request, &pid);
	object_put(console);
	if (err && spawn->foreground)
		tty_set_foreground(console_tty, 0);
	return err ? err : pid;
}

int ksh_process_wait(int pid, bool block, struct ksh_exit *out)
{
	struct process_usage usage;
	int status;
	err_t err =
		block ? process_wait(pid, &status, &usage) : process_try_wait(pid, &status, &usage);

	if (err)
		return err;
	*out = (struct ksh_exit){
		.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		.core = WIFSIGNALED(status) && WCOREDUMP(status),
		.cpu_ns = usage.cpu_ns,
		.real_ns = usage.ended_ns - usage.started_ns,
	};
	return 0;
}

int ksh_userspace_run(const struct ksh_spawn *spawn, struct ksh_exit *out)
{
	int status = 0;
	err_t err = userspace_run(spawn->path, spawn->argv, spawn->envp, &status);

	*out = (struct ksh_exit){
		.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		.core = WIFSIGNALED(status) && WCOREDUMP(status),
	};
	return err;
}

int ksh_process_disown(int pid)
{
	process_disown(pid);
	return 0;
}

int ksh_process_signal(int pid, int signal)
{
	return process_kill(pid, signal);
}

int ksh_process_nice(int pid, int nice)
{
	return process_set_nice(pid, nice);
}

int ksh_process_foreground(int pid)
{
	tty_set_foreground(console_tty, pid);
	return 0;
}

/* ---- ps ---- */

struct process_table {
	struct ksh_process *out;
	size_t max;
	size_t count;
};

static void add_process(void *argument, const struct process_info *info)
{
	struct process_table *table = argument;
	struct ksh_process *out = table->out + table->count;

	if (table->count++ >= table->max)
		return;
	*out = (struct ksh_process){
		.pid = info->pid,
		.parent = info->parent,
		.tid = info->tid,
		.state = info->state_letter,
		.level = info->level,
		.nice = info->nice,
		.cpu = info->cpu,
		.cpu_ns = info->cpu_ns,
		.memory_bytes = info->resident_bytes,
	};
	string_copy(out->name, sizeof(out->name), info->command[0] ? info->command : info->name);
}

/* Called under a spinlock. */
static void add_thread(struct thread *thread, void *argument)
{
	static const char letters[] = {[THREAD_NEW] = 'N',
				       [THREAD_READY] = 'R',
				       [THREAD_RUNNING] = 'R',
				       [THREAD_BLOCKED] = 'S',
				       [THREAD_DEAD] = 'Z'};
	struct process_table *table = argument;
	struct ksh_process *out = table->out + table->count;

	if (thread->process)
		return;
	if (table->count++ >= table->max)
		return;
	*out = (struct ksh_process){
		.tid = thread->tid,
		.state = letters[read_once(&thread->state)],
		.level = read_once(&thread->sched.level),
		.nice = read_once(&thread->sched.nice),
		.cpu = (uint8_t)thread_cpu_id(thread),
		.cpu_ns = read_once(&thread->cpu_time_ns),
	};
	string_copy(out->name, sizeof(out->name), thread->name);
}

long ksh_process_list(struct ksh_process *out, size_t max)
{
	struct process_table table = {.out = out, .max = max};

	process_for_each(add_process, &table);
	thread_for_each(add_thread, &table);
	return (long)table.count;
}

/* ---- vm ---- */

static long kernel_regions(uint64_t from, struct ksh_region *out, size_t max)
{
	struct kernel_area area;
	size_t count = 0;

	for (unsigned i = 0; count < max && kernel_area(i, &area); i++) {
		if (area.end <= from)
			continue;
		out[count] = (struct ksh_region){
			.start = area.start,
			.end = area.end,
			.flags = KSH_REGION_READ |
				 (area.page_flags & PAGE_WRITE ? KSH_REGION_WRITE : 0) |
				 (area.page_flags & PAGE_EXEC ? KSH_REGION_EXEC : 0),
			.resident_pages = kernel_pages_present(area.start, area.end),
		};
		string_copy(out[count].name, sizeof(out[count].name), area.name);
		count++;
	}
	return (long)count;
}

long ksh_space_regions(int pid, uint64_t from, struct ksh_region *out, size_t max)
{
	struct space *space;
	struct region_info info;
	size_t count = 0;

	if (pid == 0)
		return kernel_regions(from, out, max);
	space = process_space(pid);
	if (!space)
		return -ESRCH;
	for (; count < max && space_next(space, from, &info); from = info.end) {
		out[count] = (struct ksh_region){
			.start = info.start,
			.end = info.end,
			.flags = (info.prot & SPACE_READ ? KSH_REGION_READ : 0) |
				 (info.prot & SPACE_WRITE ? KSH_REGION_WRITE : 0) |
				 (info.prot & SPACE_EXEC ? KSH_REGION_EXEC : 0) |
				 (info.flags & SPACE_SHARED ? KSH_REGION_SHARED : 0),
			.resident_pages = info.resident_pages,
		};
		string_copy(out[count].name, sizeof(out[count].name), info.name);
		count++;
	}
	space_put(space);
	return (long)count;
}

#define TABLE_INDEX_BITS 9
#define TABLE_INDEX_MASK 511u

/* Reads one entry a level, through the kernel's map of all memory. The caller keeps the tables from
 * being freed. */
static void walk(const struct pagetable *pagetable, uint64_t address, struct ksh_walk *out)
{
	paddr_t table = pagetable->root;

	*out = (struct ksh_walk){0};
	for (unsigned level = KSH_WALK_LEVELS; level-- > 0;) {
		unsigned shift = PAGE_SHIFT + level * TABLE_INDEX_BITS;
		unsigned index = (unsigned)(address >> shift) & TABLE_INDEX_MASK;
		pte_t entry = pte_read((const pte_t *)phys_to_virt(table) + index);
		bool leaf = pte_present(entry) && pte_is_leaf(entry, level);

		out->entries[out->levels++] = (struct ksh_walk_entry){
			.entry = entry,
			.table = table,
			.index = index,
			.leaf = leaf,
		};
		if (!pte_present(entry))
			return;
		if (leaf) {
			uint64_t offset = address & ((UINT64_C(1) << shift) - 1);

			out->mapped = true;
			out->physical = ALIGN_DOWN(pte_frame(entry), UINT64_C(1) << shift) + offset;
			return;
		}
		table = pte_frame(entry);
	}
}

int ksh_space_walk(int pid, uint64_t address, struct ksh_walk *out)
{
	struct space *space;

	if (pid == 0) {
		walk(pagetable_kernel(), address, out);
		return 0;
	}
	space = process_space(pid);
	if (!space)
		return -ESRCH;
	mutex_lock(&space->lock); /* serialises the page tables */
	walk(&space->pagetable, address, out);
	mutex_unlock(&space->lock);
	space_put(space);
	return 0;
}

int ksh_trace_set(enum ksh_trace_target target, int pid, bool on)
{
	if (target == KSH_TRACE_DRIVER)
		return fuse_trace_set((uint32_t)pid, on);
	if (target == KSH_TRACE_PID && pid == 0)
		return -ESRCH;
	return trace_set(target == KSH_TRACE_ALL ? 0 : pid, on);
}
