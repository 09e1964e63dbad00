/*
 * The numbers of nodes, and how names become such. No state, no locks.
 *
 * A number has the entry's place in the table (8 bits); then the number of the CPU or connection,
 * where there is one entry for each; or
 * whether the next is a thread's (1), the number of the process or thread (16), the descriptor
 * (13), and a mark of the process that tells it from a later one with the same number (26). The
 * root's is 1, as SERVER_ROOT wants it.
 */
#include "procfs.h"

#include "../namespace/pid.h"
#include "../process/inspect.h"
#include "../process/uthread.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <fusek/driver.h>
#include <ipc/fdtable.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define ENTRY_BITS  PROC_ENTRY_BITS
#define NUMBER_BITS 16
#define FD_BITS     13
#define MARK_BITS   26

_Static_assert(PID_MAX <= 1 << NUMBER_BITS && FD_MAX <= 1 << FD_BITS, "they fit");
_Static_assert(ENTRY_BITS + 1 + NUMBER_BITS + FD_BITS + MARK_BITS == 64, "all of it is used");

#define PROC_OF_EACH (PROC_OF_CPU | PROC_OF_CONNECTION)

static uint64_t mark_of(const struct process *process)
{
	return process->usage.started_ns * UINT64_C(0x9e3779b97f4a7c15) >> (64 - MARK_BITS);
}

static struct nodeid node_of(const struct proc_subject *subject)
{
	uint64_t value = (uint64_t)(subject->entry - proc_entries);
	unsigned shift = ENTRY_BITS;

	if (subject->entry->flags & PROC_OF_EACH)
		value |= (uint64_t)subject->index << shift;
	if (!subject->process)
		return (struct nodeid){value};
	value |= (uint64_t)(subject->tid != 0) << shift;
	shift += 1;
	value |= (uint64_t)(subject->tid ? subject->tid : subject->process->pid) << shift;
	shift += NUMBER_BITS;
	value |= (uint64_t)subject->fd << shift;
	shift += FD_BITS;
	value |= mark_of(subject->process) << shift;
	return (struct nodeid){value};
}

static uint64_t take(uint64_t *value, unsigned bits)
{
	uint64_t part = *value & ((UINT64_C(1) << bits) - 1);

	*value >>= bits;
	return part;
}

/* ---- subjects ---- */

static err_t get_process(struct uthread *uthread, void *argument)
{
	struct process **out = argument;

	if (!refcount_try_get(&uthread->process->references))
		return -ESRCH;
	*out = uthread->process;
	return 0;
}

const struct proc_entry *proc_entry_of(struct nodeid node)
{
	return &proc_entries[node.value & ((1u << ENTRY_BITS) - 1)];
}

err_t proc_subject_get(const struct pid_namespace *namespace, struct nodeid node,
		       struct proc_subject *out)
{
	uint64_t value = node.value;
	unsigned entry = (unsigned)take(&value, ENTRY_BITS);
	bool is_thread;
	int32_t number;

	if (!entry || entry >= proc_nentries)
		return -ENOENT;
	*out = (struct proc_subject){.entry = &proc_entries[entry], .namespace = namespace};
	if (out->entry->flags & PROC_OF_CPU) {
		out->index = (uint32_t)value;
		return value < cpu_count() ? 0 : -ENOENT;
	}
	if (out->entry->flags & PROC_OF_CONNECTION) {
		struct fuse_control control;

		out->index = (uint32_t)value;
		return fuse_control_look(out->index, &control);
	}
	if (!value)
		return 0;
	is_thread = take(&value, 1);
	number = (int32_t)take(&value, NUMBER_BITS);
	out->fd = (int)take(&value, FD_BITS);
	if (!is_thread)
		out->process = process_find(number);
	else if (uthread_visit(number, get_process, &out->process))
		out->process = NULL;
	if (!out->process)
		return -ENOENT;
	if (is_thread)
		out->tid = number;
	if (mark_of(out->process) == value)
		return 0;
	proc_subject_put(out);
	return -ENOENT;
}

bool proc_subject_stays(const struct proc_subject *subject)
{
	return !subject->process && !(subject->entry->flags & PROC_OF_CONNECTION);
}

void proc_subject_put(struct proc_subject *subject)
{
	process_put(subject->process);
	subject->process = NULL;
}

/* ---- attributes ---- */

/* The wall clock's time of a moment of clock_ns(). */
static struct abi_timespec wall_time(uint64_t moment_ns)
{
	uint64_t wall_ns = clock_wall_ns() - clock_ns() + moment_ns;

	return (struct abi_timespec){.tv_sec = (int64_t)(wall_ns / NSEC_PER_SEC),
				     .tv_nsec = (int64_t)(wall_ns % NSEC_PER_SEC)};
}

/* Linux: who may read and write by it may do so with the link. */
static uint32_t fd_mode(const struct proc_subject *subject)
{
	bool close_on_exec;
	struct object *object = proc_fd_object(subject, &close_on_exec);
	uint32_t mode = S_IFLNK;
	unsigned flags;

	if (!object)
		return mode;
	flags = object_flags(object);
	if (!(flags & O_PATH)) {
		mode |= (flags & O_ACCMODE) != O_WRONLY ? 0500 : 0;
		mode |= (flags & O_ACCMODE) != O_RDONLY ? 0300 : 0;
	}
	object_put(object);
	return mode;
}

void proc_attr(const struct proc_subject *subject, struct nodeid node, struct server_attr *out)
{
	const struct process *process = subject->process;
	struct fuse_control control;

	*out = (struct server_attr){.ino = node.value,
				    .mode = subject->entry->mode,
				    .nlink = S_ISDIR(subject->entry->mode) ? 2 : 1,
				    .block_bytes = 1024};
	if (subject->entry == &proc_entries[PROC_ENTRY_FD]) {
		out->mode = fd_mode(subject);
		out->size_bytes = 64; /* as Linux */
	}
	/* What nobody may look into is user 0's; a folder that all may enter tells whose it is. */
	if (process && (out->mode == (S_IFDIR | 0555) || !read_once(&process->not_dumpable))) {
		out->uid = read_once(&process->ids.euid);
		out->gid = read_once(&process->ids.egid);
	}
	if (subject->entry->flags & PROC_OF_CONNECTION &&
	    !fuse_control_look(subject->index, &control)) {
		out->uid = control.owner_uid;
		out->gid = control.owner_gid;
	}
	out->mtime = wall_time(process ? process->usage.started_ns : 0);
	out->atime = out->mtime;
	out->ctime = out->mtime;
}

/* ---- names ---- */

static bool is_in(const struct proc_entry *entry, const struct proc_subject *directory)
{
	return entry->parent == directory->entry->directory &&
	       !(directory->tid && (entry->flags & PROC_WHOLE_ONLY));
}

/* A number as it is written, without leading zeros; -1: it is none. */
static int32_t parse_number(struct server_name name)
{
	int32_t number = 0;

	if (!name.len_bytes || name.len_bytes > 6 || (name.text[0] == '0' && name.len_bytes > 1))
		return -1;
	for (size_t i = 0; i < name.len_bytes; i++) {
		if (name.text[i] < '0' || name.text[i] > '9')
			return -1;
		number = number * 10 + (name.text[i] - '0');
	}
	return number;
}

static err_t find_named(struct proc_subject *subject, struct server_name name)
{
	for (unsigned i = PROC_ENTRY_FIRST_NAMED; i < proc_nentries; i++) {
		const struct proc_entry *entry = &proc_entries[i];

		if (!is_in(entry, subject) || strlen(entry->name) != name.len_bytes ||
		    memcmp(entry->name, name.text, name.len_bytes) != 0)
			continue;
		subject->entry = entry;
		return 0;
	}
	return -ENOENT;
}

static bool has_fd(const struct proc_subject *subject)
{
	bool close_on_exec;
	struct object *object = proc_fd_object(subject, &close_on_exec);

	object_put(object);
	return object;
}

static bool has_thread(struct process *process, int32_t tid)
{
	struct process_report report;

	return !process_report(process, tid, &report);
}

#define CPU_PREFIX "cpu"

static err_t find_cpu(struct proc_subject *subject, struct server_name name)
{
	const size_t prefix = sizeof(CPU_PREFIX) - 1;
	int32_t number = -1;

	if (name.len_bytes > prefix && memcmp(name.text, CPU_PREFIX, prefix) == 0) {
		name.text += prefix;
		name.len_bytes -= prefix;
		number = parse_number(name);
	}
	if (number < 0 || (uint32_t)number >= cpu_count())
		return -ENOENT;
	subject->index = (uint32_t)number;
	subject->entry = &proc_entries[PROC_ENTRY_CPU];
	return 0;
}

static err_t find_connection(struct proc_subject *subject, struct server_name name)
{
	int32_t number = parse_number(name);
	struct fuse_control control;

	if (number <= 0 || fuse_control_look((uint32_t)number, &control))
		return -ENOENT;
	subject->index = (uint32_t)number;
	subject->entry = &proc_entries[PROC_ENTRY_CONNECTION];
	return 0;
}

/* The subject becomes that of the name below it. */
static err_t find(struct proc_subject *subject, struct server_name name)
{
	int32_t number = parse_number(name);

	switch (subject->entry->directory) {
	case PROC_ROOT:
		if (number <= 0)
			break;
		subject->process = process_find(pid_number_from(subject->namespace, number));
		subject->entry = &proc_entries[PROC_ENTRY_PROCESS];
		return subject->process ? 0 : -ENOENT;
	case PROC_TASK:
		if (number <= 0 || number >= PID_MAX)
			return -ENOENT;
		number = pid_number_from(subject->namespace, number);
		if (number <= 0 || !has_thread(subject->process, number))
			return -ENOENT;
		subject->tid = number;
		subject->entry = &proc_entries[PROC_ENTRY_THREAD];
		return 0;
	case PROC_FD:
	case PROC_FDINFO:
		if (!process_may_inspect(subject->process))
			return -EACCES;
		if (number < 0 || number >= FD_MAX)
			return -ENOENT;
		subject->fd = number;
		subject->entry = subject->entry->directory == PROC_FD
					 ? &proc_entries[PROC_ENTRY_FD]
					 : &proc_entries[PROC_ENTRY_FDINFO];
		return has_fd(subject) ? 0 : -ENOENT;
	case SYSFS_CPUS:
		if (!find_cpu(subject, name))
			return 0;
		break;
	case FUSECTL_ROOT:
		return find_connection(subject, name);
	default:
		break;
	}
	return find_named(subject, name);
}

err_t proc_lookup(const struct proc_subject *parent, struct server_name name,
		  struct server_entry *out)
{
	struct proc_subject subject = *parent;
	err_t err;

	if (subject.process)
		refcount_get(&subject.process->references);
	err = find(&subject, name);
	if (!err) {
		/* What is about a process may be gone at the next look. */
		*out = (struct server_entry){.node = node_of(&subject)};
		if (proc_subject_stays(&subject))
			out->entry_valid_ns = out->attr_valid_ns = SERVER_VALID_FOREVER;
		proc_attr(&subject, out->node, &out->attr);
	}
	proc_subject_put(&subject);
	return err;
}

/* ---- listing; cookies: 1 + the place in the table, then FIRST_NUMBER + the number, a thread's as
 * the first PID namespace has it ---- */

#define FIRST_NUMBER 1024

static bool emit_named(struct dirent_sink *sink, const struct proc_subject *subject,
		       const char *prefix, int32_t number, int32_t place)
{
	char text[16];
	struct server_name name = {.text = text};

	name.len_bytes = kernel_format(text, sizeof(text), "%s%d", prefix, number);
	return sink->emit(sink, name, node_of(subject).value, subject->entry->mode,
			  FIRST_NUMBER + (uint64_t)place + 1);
}

static bool emit_number(struct dirent_sink *sink, const struct proc_subject *subject,
			const char *prefix, int32_t number)
{
	return emit_named(sink, subject, prefix, number, number);
}

/* False: the sink is full. */
static bool list_named(const struct proc_subject *directory, uint64_t cookie,
		       struct dirent_sink *sink)
{
	struct proc_subject subject = *directory;

	for (uint64_t i = MAX(cookie, (uint64_t)PROC_ENTRY_FIRST_NAMED); i < proc_nentries; i++) {
		struct server_name name = {.text = proc_entries[i].name};

		if (!is_in(&proc_entries[i], directory))
			continue;
		subject.entry = &proc_entries[i];
		name.len_bytes = strlen(name.text);
		if (!sink->emit(sink, name, node_of(&subject).value, subject.entry->mode, i + 1))
			return false;
	}
	return true;
}

/* Those of an inner namespace, in the order of its own numbers. */
static void list_inner_processes(const struct pid_namespace *namespace, int32_t from,
				 struct dirent_sink *sink)
{
	struct proc_subject subject = {.entry = &proc_entries[PROC_ENTRY_PROCESS],
				       .namespace = namespace};
	bool fits = true;

	while (fits && (from = pid_next_process_in(namespace, from - 1))) {
		subject.process = process_find(pid_number_from(namespace, from));
		/* It may have gone by now. */
		if (subject.process)
			fits = emit_number(sink, &subject, "", from);
		proc_subject_put(&subject);
		from++;
	}
}

static void list_processes(int32_t from, struct dirent_sink *sink)
{
	struct proc_subject subject = {.entry = &proc_entries[PROC_ENTRY_PROCESS]};
	bool fits = true;

	while (fits && (subject.process = process_find_next(from - 1))) {
		from = subject.process->pid + 1;
		fits = emit_number(sink, &subject, "", subject.process->pid);
		proc_subject_put(&subject);
	}
}

static void list_threads(const struct proc_subject *directory, int32_t from,
			 struct dirent_sink *sink)
{
	struct proc_subject subject = {.entry = &proc_entries[PROC_ENTRY_THREAD],
				       .process = directory->process,
				       .namespace = directory->namespace};

	while ((subject.tid = pid_next_thread(subject.process, from - 1))) {
		int32_t number = pid_number_in(subject.namespace, subject.tid);

		from = subject.tid + 1;
		if (number && !emit_named(sink, &subject, "", number, subject.tid))
			break;
	}
}

static void list_fds(const struct proc_subject *directory, int32_t from, struct dirent_sink *sink)
{
	struct fd_table *fds = process_fds(directory->process, directory->tid);
	struct proc_subject subject = *directory;

	if (!fds)
		return;
	subject.entry = directory->entry->directory == PROC_FD ? &proc_entries[PROC_ENTRY_FD]
							       : &proc_entries[PROC_ENTRY_FDINFO];
	while ((subject.fd = fd_next(fds, from)) >= 0) {
		from = subject.fd + 1;
		if (!emit_number(sink, &subject, "", subject.fd))
			break;
	}
	fd_table_put(fds);
}

static void list_cpus(uint32_t from, struct dirent_sink *sink)
{
	struct proc_subject subject = {.entry = &proc_entries[PROC_ENTRY_CPU], .index = from};

	for (; subject.index < cpu_count(); subject.index++) {
		if (!emit_number(sink, &subject, CPU_PREFIX, (int32_t)subject.index))
			break;
	}
}

static void list_connections(uint32_t from, struct dirent_sink *sink)
{
	struct proc_subject subject = {.entry = &proc_entries[PROC_ENTRY_CONNECTION]};

	while ((subject.index = fuse_control_next(from))) {
		from = subject.index + 1;
		if (!emit_number(sink, &subject, "", (int32_t)subject.index))
			break;
	}
}

static err_t list(const struct proc_subject *directory, uint64_t cookie, struct dirent_sink *sink)
{
	int32_t from = cookie > FIRST_NUMBER
			       ? (int32_t)MIN(cookie - FIRST_NUMBER, (uint64_t)INT32_MAX / 2)
			       : 0;

	switch (directory->entry->directory) {
	case PROC_ROOT:
		if (cookie < FIRST_NUMBER && !list_named(directory, cookie, sink))
			return 0;
		if (directory->namespace)
			list_inner_processes(directory->namespace, MAX(from, 1), sink);
		else
			list_processes(MAX(from, 1), sink);
		return 0;
	case PROC_TASK:
		list_threads(directory, MAX(from, 1), sink);
		return 0;
	case PROC_FD:
	case PROC_FDINFO:
		if (!process_may_inspect(directory->process))
			return -EACCES;
		list_fds(directory, from, sink);
		return 0;
	case SYSFS_CPUS:
		if (cookie < FIRST_NUMBER && !list_named(directory, cookie, sink))
			return 0;
		list_cpus((uint32_t)from, sink);
		return 0;
	case FUSECTL_ROOT:
		list_connections((uint32_t)from, sink);
		return 0;
	default:
		list_named(directory, cookie, sink);
		return 0;
	}
}

err_t proc_readdir(const struct proc_subject *directory, uint64_t cookie, struct dirent_sink *sink)
{
	return list(directory, cookie, sink);
}
