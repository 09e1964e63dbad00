/*
 * Self-tests of processes: starting, waiting, signals, the end, and that nothing is left behind.
 * They run programs of the ramdisk without descriptors.
 */
#include "kthread.h"
#include "log.h"
#include "process.h"
#include "signal/signal.h"
#include "trace.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/wait.h>
#include <arch/clock.h>
#include <fusek/file.h>
#include <ipc/object.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kva.h>
#include <mm/slab.h>
#include <sched/rcu.h>
#include <sched/task.h>
#include <sched/thread.h>

#define PATIENCE_NS (10 * NSEC_PER_SEC)

/* Names and stacks are kept at hand once they were used. */
#define WARM_UP_RUNS 10

static err_t start(const char *path, const char *argument, int32_t *pid)
{
	const char *argv[] = {path, argument, NULL};

	return process_spawn(&(struct spawn_request){.path = path, .argv = argv}, pid);
}

/* The wait status, or an error. */
static int run(const char *path)
{
	int32_t pid;
	int status;
	err_t err = start(path, NULL, &pid);

	if (!err)
		err = process_wait(pid, &status, NULL);
	return err ? err : status;
}

static bool state_becomes(int32_t pid, char letter)
{
	uint64_t deadline_ns = clock_ns() + PATIENCE_NS;
	struct process_info info;

	while (clock_ns() < deadline_ns) {
		if (process_next(pid - 1, &info) && info.pid == pid && info.state_letter == letter)
			return true;
		if (thread_sleep_ns(NSEC_PER_MSEC))
			return false;
	}
	return false;
}

/* ---- starting and waiting ---- */

SELFTEST(spawn_true_and_false)
{
	selftest_check(run("/bin/true") == WAIT_STATUS_EXIT(0));
	selftest_check(run("/bin/false") == WAIT_STATUS_EXIT(1));
}

SELFTEST(spawn_of_what_is_no_program_says_why)
{
	int32_t pid;

	selftest_check(start("/bin/there-is-no-such-thing", NULL, &pid) == -ENOENT);
	selftest_check(start("/bin", NULL, &pid) == -EACCES);
	selftest_check(start("/etc/motd", NULL, &pid) == -EACCES);
	selftest_check(start("/bin/true/x", NULL, &pid) == -ENOTDIR);
}

/* A program of its own in /tmp: the first `len_bytes` of `from`. */
static err_t make_program(const char *path, const char *from, size_t len_bytes)
{
	struct vfs_context context = vfs_kernel_context();
	struct object *in;
	struct object *out;
	void *bytes;
	ssize_t got;
	err_t err;

	err = vfs_open(&context, NULL, from, O_RDONLY, 0, &in);
	if (err)
		return err;
	err = vfs_open(&context, NULL, path, O_WRONLY | O_CREAT | O_TRUNC, 0755, &out);
	if (err)
		goto put_in;
	bytes = kmalloc(PAGE_SIZE);
	got = bytes ? object_read_kernel(in, bytes, MIN(len_bytes, PAGE_SIZE), 0) : -ENOMEM;
	if (got >= 0)
		got = object_write_kernel(out, bytes, (size_t)got);
	err = got < 0 ? (err_t)got : 0;
	kfree(bytes);
	object_put(out);
put_in:
	object_put(in);
	return err;
}

SELFTEST(spawn_of_a_cut_program_is_refused)
{
	static const char path[] = "/tmp/selftest-cut";
	const size_t lengths[] = {0, 1, 4, 63, 64, 65, 120, 200, 500, 4096};
	struct vfs_context context = vfs_kernel_context();
	int32_t pid;

	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		selftest_check(!make_program(path, "/bin/true", lengths[i]));
		selftest_check(start(path, NULL, &pid) == -ENOEXEC);
	}
	selftest_check(!vfs_unlink(&context, NULL, path, 0));
}

SELFTEST(spawn_with_too_many_arguments_is_refused)
{
	const size_t npages = 40; /* more than one argument may have, less than all may */
	char *text = kva_alloc_zeroed(npages); /* its last byte ends it */
	int32_t pid;

	if (!selftest_check(text))
		return;
	memset(text, 'a', npages * PAGE_SIZE - 1);
	text[npages * PAGE_SIZE - 1] = '\0';
	selftest_check(start("/bin/true", text, &pid) == -E2BIG);
	text[100] = '\0';
	selftest_check(start("/bin/true", text, &pid) == 0 && !process_wait(pid, &(int){0}, NULL));
	kva_free(text);
}

SELFTEST(wait_happens_once)
{
	int32_t pid;
	int status;

	if (!selftest_check(!start("/bin/sleep", "1000", &pid)))
		return;
	selftest_check(process_try_wait(pid, &status, NULL) == -EAGAIN);
	selftest_check(!process_kill(pid, SIGKILL));
	selftest_check(!process_wait(pid, &status, NULL));
	selftest_check(process_wait(pid, &status, NULL) == -ECHILD);
	selftest_check(process_try_wait(pid, &status, NULL) == -ECHILD);
	selftest_check(process_kill(pid, 0) == -ESRCH);
}

SELFTEST(disowned_process_is_reaped_by_the_kernel)
{
	uint64_t deadline_ns = clock_ns() + PATIENCE_NS;
	int32_t pid;
	int status;

	if (!selftest_check(!start("/bin/sleep", "1000", &pid)))
		return;
	process_disown(pid);
	selftest_check(process_try_wait(pid, &status, NULL) == -EAGAIN);
	selftest_check(!process_kill(pid, SIGTERM));
	while (process_kill(pid, 0) == 0 && clock_ns() < deadline_ns)
		(void)thread_sleep_ns(NSEC_PER_MSEC);
	selftest_check(process_kill(pid, 0) == -ESRCH);
}

/* ---- signals ---- */

static void ends_by(const char *path, const char *argument, int signal)
{
	int32_t pid;
	int status = -1;

	if (!selftest_check(!start(path, argument, &pid)))
		return;
	(void)thread_sleep_ns(5 * NSEC_PER_MSEC);
	selftest_check(!process_kill(pid, signal));
	selftest_check(!process_wait(pid, &status, NULL));
	selftest_check(WIFSIGNALED(status) && WTERMSIG(status) == signal);
}

SELFTEST(signal_ends_a_sleeping_program)
{
	ends_by("/bin/sleep", "1000", SIGINT);
	ends_by("/bin/sleep", "1000", SIGKILL);
}

SELFTEST(signal_ends_a_program_that_makes_no_calls)
{
	ends_by("/bin/spin", NULL, SIGTERM);
	ends_by("/bin/spin", NULL, SIGKILL);
}

SELFTEST(signal_without_default_action_does_nothing)
{
	int32_t pid;
	int status = -1;

	if (!selftest_check(!start("/bin/sleep", "1000", &pid)))
		return;
	selftest_check(!process_kill(pid, SIGWINCH));
	selftest_check(!process_kill(pid, SIGCHLD));
	selftest_check(!process_kill(pid, SIGTSTP)); /* nobody could continue it */
	selftest_check(process_kill(pid, SIGNAL_MAX + 1) == -EINVAL);
	(void)thread_sleep_ns(5 * NSEC_PER_MSEC);
	selftest_check(process_try_wait(pid, &status, NULL) == -EAGAIN);
	selftest_check(!process_kill(pid, SIGKILL));
	selftest_check(!process_wait(pid, &status, NULL));
}

/* Its CPU time so far; 0: it is not there. */
static uint64_t cpu_time_of(int32_t pid)
{
	struct process_info info;

	return process_next(pid - 1, &info) && info.pid == pid ? info.cpu_ns : 0;
}

/* True if it uses no time from some moment on. */
static bool stands_still(int32_t pid)
{
	for (unsigned attempt = 0; attempt < 5; attempt++) {
		uint64_t before = cpu_time_of(pid);

		if (thread_sleep_ns(30 * NSEC_PER_MSEC))
			return false;
		if (cpu_time_of(pid) == before)
			return true;
	}
	return false;
}

static bool goes_on(int32_t pid)
{
	uint64_t deadline_ns = clock_ns() + PATIENCE_NS;
	uint64_t before = cpu_time_of(pid);

	while (cpu_time_of(pid) == before && clock_ns() < deadline_ns) {
		if (thread_sleep_ns(NSEC_PER_MSEC))
			return false;
	}
	return cpu_time_of(pid) != before;
}

SELFTEST(signal_stops_and_continues)
{
	int32_t pid;
	int status = -1;

	if (!selftest_check(!start("/bin/spin", NULL, &pid)))
		return;
	selftest_check(!process_kill(pid, SIGSTOP));
	selftest_check(state_becomes(pid, 'T'));
	selftest_check(stands_still(pid));
	selftest_check(!process_kill(pid, SIGCONT));
	selftest_check(state_becomes(pid, 'R'));
	selftest_check(goes_on(pid));
	selftest_check(!process_kill(pid, SIGSTOP));
	selftest_check(state_becomes(pid, 'T'));
	/* The end does not wait for a SIGCONT. */
	selftest_check(!process_kill(pid, SIGKILL));
	selftest_check(!process_wait(pid, &status, NULL));
	selftest_check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

struct killer {
	int32_t pid; /* that the next process will have */
	bool done;   /* the thread's last touch */
	err_t err;
};

/* As soon as it can be found, and so perhaps before it has a thread. */
static void kill_newborn(void *argument)
{
	struct killer *killer = argument;
	uint64_t deadline_ns = clock_ns() + PATIENCE_NS;
	err_t err;

	do {
		err = process_kill(killer->pid, SIGTERM);
	} while (err && clock_ns() < deadline_ns);
	killer->err = err;
	store_release(&killer->done, true);
}

static void end_of_newborn(void)
{
	struct killer killer = {0};
	uint64_t deadline_ns = clock_ns() + PATIENCE_NS;
	int32_t pid;
	int status = -1;
	err_t err;

	if (!selftest_check(!start("/bin/true", NULL, &pid)))
		return;
	selftest_check(!process_wait(pid, &status, NULL));
	killer.pid = pid + 1;
	if (!selftest_check(!kthread_start("killer", kill_newborn, &killer, NULL)))
		return;
	err = start("/bin/sleep", "1000", &pid);
	while (!load_acquire(&killer.done))
		(void)thread_sleep_ns(NSEC_PER_MSEC);
	selftest_check(!killer.err);
	if (err) { /* killed while it was loaded: nothing is left behind */
		selftest_check(err == -EINTR && process_kill(killer.pid, 0) == -ESRCH);
		return;
	}
	while ((err = process_try_wait(pid, &status, NULL)) == -EAGAIN && clock_ns() < deadline_ns)
		(void)thread_sleep_ns(NSEC_PER_MSEC);
	if (!selftest_check(!err)) {
		(void)process_kill(pid, SIGKILL);
		selftest_check(!process_wait(pid, &status, NULL));
	}
	selftest_check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

/* The same moment for sure: it is in the table, and has no thread yet. */
SELFTEST(signal_before_the_thread_is_kept)
{
	struct process *process = process_alloc();

	if (!selftest_check(process))
		return;
	process_signal(process, SIGTERM);
	/* Its first thread is interrupted by it when it is listed, and takes it. */
	selftest_check(process->pending.set == SIGNAL_BIT(SIGTERM));
	process_signal(process, SIGKILL);
	selftest_check(process->exiting && process->status_to_be == WAIT_STATUS_SIGNAL(SIGKILL));
	process_put(process);
}

SELFTEST(signal_to_a_newborn_is_not_lost)
{
	for (unsigned i = 0; i < 10; i++)
		end_of_newborn();
}

SELFTEST(signal_reaches_all_of_a_group)
{
	const char *argv[] = {"/bin/sleep", "1000", NULL};
	struct spawn_request request = {.path = argv[0], .argv = argv};
	int32_t leader;
	int32_t member;
	int status = -1;

	if (!selftest_check(!process_spawn(&request, &leader)))
		return;
	request.group = leader;
	if (selftest_check(!process_spawn(&request, &member))) {
		selftest_check(!process_group_signal(leader, SIGINT));
		selftest_check(!process_wait(member, &status, NULL));
		selftest_check(WTERMSIG(status) == SIGINT);
	} else {
		(void)process_kill(leader, SIGKILL);
	}
	selftest_check(!process_wait(leader, &status, NULL));
	selftest_check(process_group_signal(leader, SIGINT) == -ESRCH);
}

/* ---- what is left behind ---- */

static void add_frames(void *argument, const struct slab_stats *stats)
{
	*(uint64_t *)argument += stats->nframes;
}

/* Frames that programs could hold. Those of slabs may stay behind in stock (the runner counts the
 * objects in them), and the frame table grows with the sections that were touched. */
static uint64_t frames_in_use(void)
{
	struct frame_stats stats;
	uint64_t in_slabs = 0;

	rcu_barrier();
	executors_flush();
	slab_for_each(add_frames, &in_slabs);
	frame_stats(&stats);
	return stats.total - stats.free - stats.records - in_slabs;
}

/* Each CPU keeps stacks in stock: one CPU's are filled by the first programs. Those that run there
 * inherit it. */
static void stay_on_one_cpu(bool stay)
{
	preempt_disable();
	selftest_check(
		!thread_set_affinity(current_thread(), stay ? cpuset_of(cpu_id()) : ~UINT64_C(0)));
	preempt_enable();
}

SELFTEST(frames_are_back_after_twenty_programs)
{
	uint64_t before;
	uint64_t after;

	stay_on_one_cpu(true);
	/* Caches fill up the first time. */
	for (unsigned i = 0; i < WARM_UP_RUNS; i++)
		(void)run("/bin/true");
	before = frames_in_use();
	for (unsigned i = 0; i < 20; i++)
		selftest_check(run("/bin/true") == WAIT_STATUS_EXIT(0));
	after = frames_in_use();
	selftest_check(after == before);
	stay_on_one_cpu(false);
}

SELFTEST(frames_are_back_after_a_hundred_crashes)
{
	static const struct {
		const char *kind;
		int signal;
	} crashes[] = {{"null", SIGSEGV},        {"divide", SIGFPE}, {"privileged", SIGSEGV},
		       {"kernel-read", SIGSEGV}, {"stack", SIGSEGV}, {"illegal", SIGILL},
		       {"breakpoint", SIGTRAP},  {"abort", SIGABRT}, {"jump", SIGSEGV},
		       {"noexec-stack", SIGSEGV}};
	uint64_t before = 0;

	stay_on_one_cpu(true);
	for (unsigned i = 0; i < 100 + WARM_UP_RUNS; i++) {
		unsigned which = i % ARRAY_SIZE(crashes);
		int32_t pid;
		int status = -1;

		if (i == WARM_UP_RUNS) { /* every kind has run */
			before = frames_in_use();
		}
		if (!selftest_check(!start("/bin/crash", crashes[which].kind, &pid)))
			return;
		selftest_check(!process_wait(pid, &status, NULL));
		selftest_check(WIFSIGNALED(status) && WTERMSIG(status) == crashes[which].signal);
	}
	selftest_check(frames_in_use() == before);
	stay_on_one_cpu(false);
}

SELFTEST(usage_is_told_at_the_end)
{
	struct process_usage usage = {0};
	int32_t pid;
	int status;

	if (!selftest_check(!start("/bin/true", NULL, &pid)))
		return;
	selftest_check(!process_wait(pid, &status, &usage));
	selftest_check(usage.cpu_ns > 0);
	selftest_check(usage.ended_ns > usage.started_ns);
	selftest_check(usage.ended_ns <= clock_ns());
}

/* ---- tracing ---- */

static bool log_has(uint64_t sequence, const char *text)
{
	struct log_line *line = kmalloc(sizeof(*line));
	bool found = false;

	while (line && !found && log_read(sequence, line)) {
		found = strstr(line->text, text);
		sequence = line->sequence + 1;
	}
	kfree(line);
	return found;
}

static uint64_t log_end(void)
{
	struct log_line *line = kmalloc(sizeof(*line));
	uint64_t sequence = 0;

	while (line && log_read(sequence, line))
		sequence = line->sequence + 1;
	kfree(line);
	return sequence;
}

SELFTEST(trace_shows_calls_as_strace_does)
{
	const char *argv[] = {"/bin/cat", "/no/file", NULL};
	struct spawn_request request = {.path = argv[0], .argv = argv, .traced = true};
	uint64_t sequence = log_end();
	int32_t pid;
	int status;

	if (!selftest_check(!process_spawn(&request, &pid)))
		return;
	selftest_check(!process_wait(pid, &status, NULL));
	selftest_check(log_has(sequence, "open(\"/no/file\", O_RDONLY"));
	selftest_check(log_has(sequence, " = -1 ENOENT"));
	selftest_check(log_has(sequence, "exit_group(1) = ?"));
	selftest_check(trace_set(pid, true) == -ESRCH);
}
