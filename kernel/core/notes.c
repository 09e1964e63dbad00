/*
 * The notes of a core file: the process, its signal, its auxiliary vector, its files; and of each
 * thread, the one that ended it first, the registers. Owns no state.
 *
 * Which threads there are does not change: those that have joined stay on their process's list
 * until the core is written.
 */
#include "core_priv.h"

#include "../namespace/pid.h"
#include "../process/inspect.h"
#include "../ptrace/ptrace.h"
#include "../time/cpu_time.h"

#include <abi/core.h>
#include <arch/registers.h>
#include <ipc/user_namespace.h>
#include <lib/string.h>
#include <mm/space.h>

#define OWNER_BYTES 8  /* "CORE" and "LINUX", each with its NUL, padded */
#define NOTE_ALIGN  4u /* of name and contents */

#define AUXV_BYTES_MAX 1024u /* more than exec ever gives */

/* ---- one note ---- */

static uint64_t note_bytes(uint64_t contents_bytes)
{
	return sizeof(struct abi_note) + OWNER_BYTES + ALIGN_UP(contents_bytes, NOTE_ALIGN);
}

/* The contents come next, and then core_align(). */
static void put_note_head(struct core *core, uint32_t type, uint64_t contents_bytes)
{
	const char *owner = type == NT_X86_XSTATE ? "LINUX" : "CORE";
	const struct abi_note note = {
		.name_bytes = (uint32_t)strlen(owner) + 1,
		.contents_bytes = (uint32_t)contents_bytes,
		.type = type,
	};
	char padded[OWNER_BYTES] = "";

	string_copy(padded, sizeof(padded), owner);
	core_put(&core->out, &note, sizeof(note));
	core_put(&core->out, padded, sizeof(padded));
}

static void put_note(struct core *core, uint32_t type, const void *contents, uint64_t bytes)
{
	put_note_head(core, type, bytes);
	core_put(&core->out, contents, bytes);
	core_align(&core->out, NOTE_ALIGN);
}

/* ---- threads ---- */

static struct abi_timeval timeval_of(uint64_t ns)
{
	return (struct abi_timeval){.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
				    .tv_usec = (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};
}

static void fill_status(const struct core *core, struct uthread *uthread, struct abi_prstatus *out)
{
	struct process *process = core->process;
	struct process_report report = {0};
	irqflags_t flags;

	(void)!process_report(process, uthread->tid, &report); /* it is there */
	*out = (struct abi_prstatus){
		.signal = core->info->signal,
		.current_signal = (int16_t)core->info->signal,
		.pending = report.pending | report.shared_pending,
		.blocked = report.blocked,
		.tid = uthread->own_tid,
		.parent = pid_shown(report.parent),
		.group = pid_shown(report.group),
		.session = pid_shown(report.session),
		.user_time = timeval_of(report.times.user_ns),
		.system_time = timeval_of(report.times.system_ns),
		.children_user_time = timeval_of(report.waited.user_ns),
		.children_system_time = timeval_of(report.waited.system_ns),
		.has_fpu = 1,
	};
	flags = spin_lock_irqsave(&process->signal_lock);
	ptrace_show_registers(uthread, &out->regs);
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

static void put_status(struct core *core, struct uthread *uthread)
{
	struct abi_prstatus status;

	fill_status(core, uthread, &status);
	put_note(core, NT_PRSTATUS, &status, sizeof(status));
}

static void put_fpu(struct core *core, const struct uthread *uthread)
{
	const struct context *context = &uthread->thread->context;

	registers_get_fxsave(context, core->page);
	put_note(core, NT_PRFPREG, core->page, FXSAVE_BYTES);
	if (!registers_xsave_bytes())
		return;
	registers_get_xsave(context, core->page);
	put_note(core, NT_X86_XSTATE, core->page, registers_xsave_bytes());
}

static uint64_t thread_bytes(void)
{
	uint64_t bytes = note_bytes(sizeof(struct abi_prstatus)) + note_bytes(FXSAVE_BYTES);

	if (registers_xsave_bytes())
		bytes += note_bytes(registers_xsave_bytes());
	return bytes;
}

/* The next one that has joined, behind `after` (NULL: the first). NULL: there is none. */
static struct uthread *next_joined(struct process *process, struct uthread *after)
{
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	struct list *at = after ? after->sibling.next : process->threads.next;
	struct uthread *found = NULL;

	for (; at != &process->threads && !found; at = at->next) {
		struct uthread *uthread = container_of(at, struct uthread, sibling);

		if (uthread->in_core)
			found = uthread;
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return found;
}

/* ---- the process ---- */

static void put_process(struct core *core)
{
	const struct process *process = core->process;
	const struct credentials *ids = &uthread_current()->ids;
	struct abi_prpsinfo info = {
		.state_letter = 'R',
		.nice = (int8_t)uthread_current()->sched_nice,
		.uid = id_shown_in(ids->user, ID_USER, ids->uid),
		.gid = id_shown_in(ids->user, ID_GROUP, ids->gid),
		.pid = process->own_pid,
		.group = pid_shown(read_once(&process->group)),
		.session = pid_shown(read_once(&process->session)),
	};
	struct process_report report;

	if (!process_report(core->process, 0, &report))
		info.parent = pid_shown(report.parent);
	string_copy(info.name, sizeof(info.name), process->name);
	string_copy(info.arguments, sizeof(info.arguments), process->command);
	put_note(core, NT_PRPSINFO, &info, sizeof(info));
}

static void put_signal(struct core *core)
{
	struct abi_siginfo info = {0};

	memcpy(&info, core->info, sizeof(*core->info));
	put_note(core, NT_SIGINFO, &info, sizeof(info));
}

static uint64_t auxv_bytes(const struct core *core)
{
	const struct exec_places *given = &core->process->given;

	return MIN(given->auxiliary_end - given->auxiliary, AUXV_BYTES_MAX);
}

static void put_auxv(struct core *core)
{
	uint64_t bytes = auxv_bytes(core);

	if (space_read_forced(core->space, core->process->given.auxiliary, core->page, bytes))
		memset(core->page, 0, bytes); /* it was unmapped: AT_NULL */
	put_note(core, NT_AUXV, core->page, bytes);
}

static uint64_t files_bytes(const struct core *core)
{
	return sizeof(struct abi_file_note) + core->file_ranges.len_bytes +
	       core->file_names.len_bytes;
}

static void put_files(struct core *core)
{
	const struct abi_file_note head = {
		.nranges = core->file_ranges.len_bytes / sizeof(struct abi_file_range),
		.page_bytes = PAGE_SIZE,
	};

	if (!head.nranges)
		return;
	put_note_head(core, NT_FILE, files_bytes(core));
	core_put(&core->out, &head, sizeof(head));
	core_put(&core->out, core->file_ranges.bytes, core->file_ranges.len_bytes);
	core_put(&core->out, core->file_names.bytes, core->file_names.len_bytes);
	core_align(&core->out, NOTE_ALIGN);
}

/* ---- all of them ---- */

uint64_t core_notes_bytes(const struct core *core)
{
	return core->nthreads * thread_bytes() + note_bytes(sizeof(struct abi_prpsinfo)) +
	       note_bytes(sizeof(struct abi_siginfo)) + note_bytes(auxv_bytes(core)) +
	       (core->file_ranges.len_bytes ? note_bytes(files_bytes(core)) : 0);
}

void core_put_notes(struct core *core)
{
	struct uthread *uthread = uthread_current();

	put_status(core, uthread);
	put_process(core);
	put_signal(core);
	put_auxv(core);
	put_files(core);
	put_fpu(core, uthread);
	uthread = NULL;
	while (!core->out.err && (uthread = next_joined(core->process, uthread))) {
		put_status(core, uthread);
		put_fpu(core, uthread);
	}
}
