/*
 * What a process or thread is and does: stat, status, statm, comm, limits; proc(5) has their form.
 * Fields whose figure the kernel does not have are 0 in stat, as Linux shows what is hidden, and
 * are not there in status. Addresses are shown to nobody.
 */
#include "procfs.h"

#include "../namespace/pid.h"
#include "../namespace/time.h"
#include "../process/inspect.h"
#include "../process/prctl.h"
#include "../tty.h"

#include <abi/errno.h>
#include <abi/resource.h>
#include <ipc/fdtable.h>
#include <ipc/user_namespace.h>
#include <lib/string.h>
#include <mm/space.h>

#define TICK_NS (NSEC_PER_SEC / USER_HZ)

static bool get_report(struct text *text, const struct proc_subject *subject,
		       struct process_report *out)
{
	text->err = process_report(subject->process, subject->tid, out);
	return !text->err;
}

/* As the mount's namespace has it. */
static int32_t shown(const struct proc_subject *subject, int32_t number)
{
	return pid_number_in(subject->namespace, number);
}

void proc_add_numbers(struct text *text, const struct proc_subject *subject,
		      const struct process *process, int32_t number)
{
	unsigned level = subject->namespace ? subject->namespace->level : 0;
	unsigned own_level = process->pid_namespace ? process->pid_namespace->level : 0;

	for (; level <= own_level; level++) {
		const struct pid_namespace *at = process->pid_namespace;

		while (at && at->level > level)
			at = at->parent;
		text_add(text, "\t%d", level ? pid_number_in(at, number) : number);
	}
}

/* All zeros for one that has ended. */
static void get_stats(const struct proc_subject *subject, struct space_stats *out)
{
	struct space *space = process_space_get(subject->process);

	*out = (struct space_stats){0};
	if (!space)
		return;
	space_stats(space, out);
	space_put(space);
}

/* Pages of ramdisks are in memory like any others. */
static uint64_t resident_pages(const struct space_stats *stats)
{
	return stats->resident_pages + stats->in_place_pages;
}

/* ---- stat ---- */

static bool is_realtime(const struct process_report *report)
{
	return report->priority != 0;
}

static void add_who(struct text *text, const struct proc_subject *subject,
		    const struct process_report *report)
{
	text_add(text, "%d (%s) %c %d %d %d %lu %d 0 ", shown(subject, report->tid), report->name,
		 report->state, shown(subject, report->parent), shown(subject, report->group),
		 shown(subject, report->session), report->tty_rdev,
		 shown(subject, report->tty_foreground));
}

/* As Linux: they are told to who may look at the process, others read 0, and that there is code. */
static void get_places(struct process *process, struct exec_places *given, vaddr_t *heap)
{
	struct space *space;
	vaddr_t heap_end;

	space = process_given(process, given);
	if (!space)
		return;
	if (process_may_inspect(process))
		space_heap(space, heap, &heap_end);
	else
		*given = (struct exec_places){.code = 1, .code_end = 1};
	space_put(space);
}

void proc_process_stat(struct text *text, const struct proc_subject *subject)
{
	struct process_report report;
	struct exec_places given = {0};
	struct space_stats stats;
	vaddr_t heap = 0;
	uint64_t rss_limit;

	if (!get_report(text, subject, &report))
		return;
	get_stats(subject, &stats);
	rss_limit = read_once(&subject->process->limits[RLIMIT_RSS].rlim_cur);
	add_who(text, subject, &report);
	/* minflt cminflt majflt cmajflt utime stime cutime cstime */
	text_add(text, "%lu %lu %lu %lu %llu %llu %llu %llu ", stats.faults - stats.major_faults,
		 report.waited_faults - report.waited_major, stats.major_faults,
		 report.waited_major, report.times.user_ns / TICK_NS,
		 report.times.system_ns / TICK_NS, report.waited.user_ns / TICK_NS,
		 report.waited.system_ns / TICK_NS);
	/* priority nice num_threads itrealvalue starttime vsize rss rsslim */
	text_add(text, "%d %d %u 0 %ld %lu %lu %lu ",
		 is_realtime(&report) ? -1 - report.priority : 20 + report.nice, report.nice,
		 report.nthreads, time_shown(TIME_BOOT, report.started_ns) / (int64_t)TICK_NS,
		 stats.mapped_pages * PAGE_SIZE, resident_pages(&stats), rss_limit);
	get_places(subject->process, &given, &heap);
	/* startcode endcode startstack kstkesp kstkeip; signal blocked sigignore sigcatch; wchan
	 * nswap cnswap */
	text_add(text, "%lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 ", given.code, given.code_end,
		 given.stack_start, (report.pending | report.shared_pending) & INT32_MAX,
		 report.blocked & INT32_MAX, report.ignored & INT32_MAX, report.caught & INT32_MAX);
	/* exit_signal processor rt_priority policy; delays and two of guests; start_data end_data
	 * start_brk arg_start arg_end env_start env_end; exit_code */
	text_add(text, "%u %u %d %u 0 0 0 %lu %lu %lu %lu %lu %lu %lu 0\n", report.exit_signal,
		 report.cpu, report.priority, report.policy, given.data, given.data_end, heap,
		 given.arguments, given.arguments_end, given.environment, given.environment_end);
}

/* ---- status ---- */

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'T':
		return "stopped";
	case 't':
		return "tracing stop";
	default:
		return "zombie";
	}
}

static void add_umask(struct text *text, const struct proc_subject *subject)
{
	struct path root, cwd;
	uint32_t umask;

	if (process_place(subject->process, subject->tid, &root, &cwd, &umask))
		return;
	path_put(&root);
	path_put(&cwd);
	text_add(text, "Umask:\t%#04o\n", umask);
}

static void add_fd_size(struct text *text, const struct proc_subject *subject)
{
	struct fd_table *fds = process_fds(subject->process, subject->tid);

	if (!fds)
		return;
	text_add(text, "FDSize:\t%u\n", fd_table_size(fds));
	fd_table_put(fds);
}

static void add_cpus(struct text *text, cpuset_t cpus)
{
	const char *separator = "";

	text_add(text, "Cpus_allowed:\t%lx\nCpus_allowed_list:\t", cpus);
	for (unsigned first = 0; first < CPU_MAX; first++) {
		unsigned last = first;

		if (!(cpus & cpuset_of(first)))
			continue;
		while (last + 1 < CPU_MAX && cpus & cpuset_of(last + 1))
			last++;
		text_add(text, "%s%u", separator, first);
		if (last > first)
			text_add(text, "-%u", last);
		separator = ",";
		first = last;
	}
	text_add(text, "\n");
}

static void add_memory(struct text *text, const struct proc_subject *subject)
{
	const uint64_t kib = PAGE_SIZE / KIB;
	struct space *space = process_space_get(subject->process);
	struct space_usage usage = {0};
	struct space_kinds kinds;
	struct space_stats stats;
	struct region_info region;

	if (!space)
		return;
	space_stats(space, &stats);
	space_kinds(space, &kinds);
	for (vaddr_t from = 0;
	     space_next_usage(space, from, &region, region.name, sizeof(region.name), &usage);)
		from = region.end;
	space_put(space);
	if (!stats.nregions)
		return; /* as Linux: one that has ended has no such lines */
	text_add(text, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t       0 kB\n",
		 stats.mapped_peak_pages * kib, stats.mapped_pages * kib, stats.locked_pages * kib);
	text_add(text, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\n",
		 (stats.peak_pages + stats.in_place_pages) * kib, resident_pages(&stats) * kib);
	text_add(text, "RssAnon:\t%8lu kB\nRssFile:\t%8lu kB\nRssShmem:\t%8lu kB\n",
		 usage.anonymous * kib, usage.file * kib, usage.shmem * kib);
	text_add(text, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8lu kB\n",
		 stats.data_pages * kib, kinds.stack_pages * kib,
		 (kinds.code_pages - kinds.library_pages) * kib, kinds.library_pages * kib);
	text_add(text, "VmPTE:\t%8lu kB\nVmSwap:\t       0 kB\n", stats.table_pages * kib);
}

static void add_signals(struct text *text, const struct proc_subject *subject,
			const struct process_report *report)
{
	text_add(text, "SigQ:\t%u/%lu\n", report->nqueued,
		 read_once(&subject->process->limits[RLIMIT_SIGPENDING].rlim_cur));
	text_add(text, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", report->pending,
		 report->shared_pending);
	text_add(text, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", report->blocked,
		 report->ignored, report->caught);
}

static void add_capabilities(struct text *text, const struct capability_sets *sets)
{
	text_add(text, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n", sets->inheritable,
		 sets->permitted, sets->effective);
	text_add(text, "CapBnd:\t%016lx\nCapAmb:\t%016lx\n", sets->bounding, sets->ambient);
}

/* As who reads calls them. */
static void add_ids(struct text *text, const char *name, enum id_kind kind, const uint32_t ids[4])
{
	text_add(text, "%s:", name);
	for (unsigned i = 0; i < 4; i++)
		text_add(text, "\t%u", id_for_program(kind, ids[i]));
	text_add(text, "\n");
}

/* Its numbers in each namespace. */
static void add_namespaces(struct text *text, const struct proc_subject *subject,
			   const struct process_report *report)
{
	text_add(text, "NStgid:");
	proc_add_numbers(text, subject, subject->process, report->pid);
	text_add(text, "\nNSpid:");
	proc_add_numbers(text, subject, subject->process, report->tid);
	text_add(text, "\nNSpgid:");
	proc_add_numbers(text, subject, subject->process, report->group);
	text_add(text, "\nNSsid:");
	proc_add_numbers(text, subject, subject->process, report->session);
	text_add(text, "\n");
}

void proc_process_status(struct text *text, const struct proc_subject *subject)
{
	struct process_report report;
	const struct credentials *ids = &report.ids;

	if (!get_report(text, subject, &report))
		return;
	text_add(text, "Name:\t");
	text_add_name(text, report.name);
	text_add(text, "\n");
	add_umask(text, subject);
	text_add(text, "State:\t%c (%s)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		 report.state, state_name(report.state), shown(subject, report.pid),
		 shown(subject, report.tid), shown(subject, report.parent),
		 shown(subject, report.tracer));
	add_ids(text, "Uid", ID_USER,
		(const uint32_t[]){ids->uid, ids->euid, ids->suid, ids->fsuid});
	add_ids(text, "Gid", ID_GROUP,
		(const uint32_t[]){ids->gid, ids->egid, ids->sgid, ids->fsgid});
	add_fd_size(text, subject);
	add_namespaces(text, subject, &report);
	add_memory(text, subject);
	text_add(text, "Threads:\t%u\n", report.nthreads);
	add_signals(text, subject, &report);
	add_capabilities(text, &ids->capabilities);
	text_add(text, "NoNewPrivs:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%u\n",
		 report.no_new_privileges, report.seccomp, report.nfilters);
	add_cpus(text, report.affinity);
}

/* ---- the short ones ---- */

/* size resident shared text lib data dt: the fifth and the last are 0 on Linux, too. */
void proc_process_statm(struct text *text, const struct proc_subject *subject)
{
	struct space *space = process_space_get(subject->process);
	struct space_stats stats;
	struct space_kinds kinds;

	if (!space) {
		text_add(text, "0 0 0 0 0 0 0\n");
		return;
	}
	space_stats(space, &stats);
	space_kinds(space, &kinds);
	space_put(space);
	text_add(text, "%lu %lu %lu %lu 0 %lu 0\n", stats.mapped_pages, resident_pages(&stats),
		 stats.in_place_pages, kinds.code_pages, kinds.data_pages);
}

void proc_process_comm(struct text *text, const struct proc_subject *subject)
{
	struct process_report report;

	if (get_report(text, subject, &report))
		text_add(text, "%s\n", report.name);
}

/* As Linux: a name of its own process's threads alone. */
err_t proc_process_comm_write(const struct proc_subject *subject, const char *text)
{
	char name[PROCESS_NAME_BYTES];

	if (subject->process != process_current())
		return -EINVAL;
	string_copy(name, sizeof(name), text);
	return process_rename(subject->process, subject->tid, name);
}

static void add_limit(struct text *text, uint64_t value)
{
	if (value == RLIM_INFINITY)
		text_add(text, "%-20s ", "unlimited");
	else
		text_add(text, "%-20lu ", value);
}

void proc_process_limits(struct text *text, const struct proc_subject *subject)
{
	static const struct {
		const char *name;
		const char *unit;
	} names[RLIMIT_COUNT] = {
		[RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[RLIMIT_DATA] = {"Max data size", "bytes"},
		[RLIMIT_STACK] = {"Max stack size", "bytes"},
		[RLIMIT_CORE] = {"Max core file size", "bytes"},
		[RLIMIT_RSS] = {"Max resident set", "bytes"},
		[RLIMIT_NPROC] = {"Max processes", "processes"},
		[RLIMIT_NOFILE] = {"Max open files", "files"},
		[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[RLIMIT_AS] = {"Max address space", "bytes"},
		[RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[RLIMIT_NICE] = {"Max nice priority", ""},
		[RLIMIT_RTPRIO] = {"Max realtime priority", ""},
		[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};

	text_add(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIMIT_COUNT; i++) {
		const struct abi_rlimit *limit = &subject->process->limits[i];

		text_add(text, "%-25s ", names[i].name);
		add_limit(text, read_once(&limit->rlim_cur));
		add_limit(text, read_once(&limit->rlim_max));
		text_add(text, *names[i].unit ? "%-10s\n" : "%s\n", names[i].unit);
	}
}
