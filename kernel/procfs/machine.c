/*
 * Texts about the machine: memory, time, load, what the CPUs did. proc(5) has their form. Figures
 * are read one after the other, so what adds up on a machine at rest may differ a little on a busy
 * one. The kernel counts one time for a thread, not one in user mode and one in the kernel: all of
 * it is shown as "user".
 */
#include "load.h"
#include "procfs.h"

#include "../memory/oom.h"
#include "../namespace/time.h"
#include "../time/cpu_time.h"

#include <abi/resource.h>
#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <fusek/figures.h>
#include <fusek/mount.h>
#include <mm/commit.h>
#include <mm/frame.h>
#include <mm/mm.h>
#include <mm/object.h>
#include <mm/pressure.h>
#include <mm/slab.h>
#include <mm/space.h>
#include <sched/thread.h>

#define TICK_NS      (NSEC_PER_SEC / USER_HZ)
#define VECTOR_FIRST 32 /* below are the CPU's own exceptions */
#define VECTORS      256

/* ---- CPUs ---- */

static void add_cpu(struct text *text, const char *name, const struct cpu_times *busy,
		    uint64_t idle_ns)
{
	text_add(text, "%s%llu 0 %llu %llu 0 0 0 0 0 0\n", name, busy->user_ns / TICK_NS,
		 busy->system_ns / TICK_NS, idle_ns / TICK_NS);
}

static uint64_t interrupts(void)
{
	uint64_t count = 0;

	for_each_cpu (cpu) {
		for (unsigned vector = VECTOR_FIRST; vector < VECTORS; vector++)
			count += trap_count(cpu, vector);
	}
	return count;
}

/* In the clock of the reader's namespace; before 1970, less than 0. */
static int64_t begun_at_s(uint64_t now_ns)
{
	int64_t begun_ns = (int64_t)clock_wall_ns() - time_shown(TIME_BOOT, now_ns);
	int64_t seconds = begun_ns / (int64_t)NSEC_PER_SEC;

	return seconds - (begun_ns % (int64_t)NSEC_PER_SEC < 0);
}

void proc_stat(struct text *text, UNUSED const struct proc_subject *subject)
{
	struct text each = {0};
	uint64_t now_ns = clock_ns();
	uint64_t idle_ns = 0, nswitches = 0;
	struct cpu_times all = {0};

	for_each_cpu (cpu) {
		struct sched_stats stats;
		struct cpu_times busy;
		uint64_t cpu_idle_ns;

		sched_stats(cpu, &stats);
		cpu_idle_ns = MIN(stats.idle_ns, now_ns);
		idle_ns += cpu_idle_ns;
		busy = cpu_times_split(now_ns - cpu_idle_ns, stats.user_ticks, stats.system_ticks);
		all.user_ns += busy.user_ns;
		all.system_ns += busy.system_ns;
		nswitches += stats.nswitches;
		text_add(&each, "cpu%u ", cpu);
		add_cpu(&each, "", &busy, cpu_idle_ns);
	}
	add_cpu(text, "cpu  ", &all, idle_ns);
	text_add_bytes(text, each.bytes, each.len_bytes);
	if (each.err)
		text->err = each.err;
	text_free(&each);
	text_add(text, "intr %lu\nctxt %lu\nbtime %lu\n", interrupts(), nswitches,
		 (uint64_t)begun_at_s(now_ns));
	text_add(text, "processes %lu\nprocs_running %u\nprocs_blocked 0\n", pid_count_given(),
		 load_running());
}

void proc_uptime(struct text *text, UNUSED const struct proc_subject *subject)
{
	uint64_t hundredths = (uint64_t)time_shown(TIME_BOOT, clock_ns()) / (NSEC_PER_SEC / 100);
	uint64_t idle_ns = 0;

	for_each_cpu (cpu) {
		struct sched_stats stats;

		sched_stats(cpu, &stats);
		idle_ns += stats.idle_ns;
	}
	text_add(text, "%lu.%02lu %llu.%02llu\n", hundredths / 100, hundredths % 100,
		 idle_ns / NSEC_PER_SEC, idle_ns % NSEC_PER_SEC / (NSEC_PER_SEC / 100));
}

/* ---- load ---- */

static void add_threads(UNUSED void *argument, struct process *process)
{
	*(uint32_t *)argument += read_once(&process->nthreads);
}

void proc_loadavg(struct text *text, UNUSED const struct proc_subject *subject)
{
	const uint64_t one = UINT64_C(1) << LOAD_SHIFT;
	uint64_t averages[3];
	uint32_t nthreads = 0;

	load_averages(averages);
	for (unsigned i = 0; i < ARRAY_SIZE(averages); i++) {
		uint64_t rounded = averages[i] + one / 200;

		text_add(text, "%lu.%02lu ", rounded >> LOAD_SHIFT,
			 (rounded & (one - 1)) * 100 >> LOAD_SHIFT);
	}
	pid_for_each_rcu(add_threads, &nthreads);
	text_add(text, "%u/%u %d\n", load_running(), nthreads, pid_last_given());
}

/* ---- memory ---- */

static void add_kib(struct text *text, const char *name, uint64_t nframes)
{
	text_add(text, "%-16s%8lu kB\n", name, nframes * (PAGE_SIZE / KIB));
}

static void add_slab(void *argument, const struct slab_stats *stats)
{
	*(uint64_t *)argument += stats->nframes;
}

/* What memory is used for, in frames. */
struct memory_uses {
	struct frame_stats frames;
	uint64_t cached; /* pages of files, as Linux counts them: those of tmpfs and shared ones
			  * that belong to no file, too */
	uint64_t shared; /* the latter two */
	uint64_t slab;
};

static struct memory_uses memory_uses(void)
{
	struct memory_uses uses = {0};

	frame_stats(&uses.frames);
	slab_for_each(add_slab, &uses.slab);
	uses.shared = tmpfs_pages_used() + memory_shared_pages();
	uses.cached = node_pages_cached() + uses.shared;
	return uses;
}

/* As Linux guesses it: what is free above the mark at which nothing is taken back, and of the
 * pages that can be read again half, or all but the mark where that begins. */
static uint64_t available(const struct memory_uses *uses)
{
	uint64_t clean = uses->cached - uses->shared;
	struct memory_marks marks;

	memory_marks(&marks);
	return uses->frames.free - MIN(uses->frames.free, marks.high) + clean -
	       MIN(clean / 2, marks.low);
}

void proc_meminfo(struct text *text, UNUSED const struct proc_subject *subject)
{
	const struct memory_uses uses = memory_uses();

	add_kib(text, "MemTotal:", uses.frames.total);
	add_kib(text, "MemFree:", uses.frames.free);
	add_kib(text, "MemAvailable:", available(&uses));
	add_kib(text, "Buffers:", 0); /* there are none: files have pages */
	add_kib(text, "Cached:", uses.cached);
	add_kib(text, "SwapCached:", 0);
	add_kib(text, "SwapTotal:", 0);
	add_kib(text, "SwapFree:", 0);
	add_kib(text, "Shmem:", uses.shared);
	add_kib(text, "Slab:", uses.slab);
	add_kib(text, "CommitLimit:", commit_limit());
	add_kib(text, "Committed_AS:", commit_pages());
	add_kib(text, "PageTables:", mm_table_pages());
	add_kib(text, "AnonHugePages:", space_huge_pages() * (HUGE_PAGE_BYTES / PAGE_SIZE));
	add_kib(text, "Hugepagesize:", HUGE_PAGE_BYTES / PAGE_SIZE);
}

/* Nothing goes to a disk and comes back, so of the events those stay 0 that vmstat(8) asks for. */
void proc_vmstat(struct text *text, UNUSED const struct proc_subject *subject)
{
	const struct memory_uses uses = memory_uses();

	text_add(text, "nr_free_pages %lu\n", uses.frames.free);
	text_add(text, "nr_page_table_pages %lu\n", mm_table_pages());
	text_add(text, "nr_slab_unreclaimable %lu\n", uses.slab);
	text_add(text, "nr_file_pages %lu\nnr_shmem %lu\n", uses.cached, uses.shared);
	text_add(text, "nr_anon_transparent_hugepages %lu\n", space_huge_pages());
	text_add(text, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n");
	text_add(text, "oom_kill %lu\n", oom_kills());
}

void proc_swaps(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
}

/* ---- what there is ---- */

void proc_filesystems(struct text *text, UNUSED const struct proc_subject *subject)
{
	const char *name;

	for (unsigned i = 0; (name = filesystem_name(i)); i++)
		text_add(text, "%s\t%s\n", filesystem_needs_device(name) ? "" : "nodev", name);
}

void proc_cmdline(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "%s\n", boot_info->cmdline);
}
