/*
 * Programs in the background: the table of jobs, `jobs`, `wait`, and how a program's end is told.
 * A job stays in the table until its end has been told.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"

#define WAIT_POLL_NS (20 * NSEC_PER_MSEC) /* how often `wait` looks for Ctrl-C and ends */

static struct job jobs[JOBS_MAX];

int job_add(int pid, const char *text, size_t text_bytes)
{
	for (int i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].pid)
			continue;
		jobs[i].pid = pid;
		kernel_format(jobs[i].text, sizeof(jobs[i].text), "%.*s", (int)text_bytes, text);
		return i + 1;
	}
	return 0;
}

struct job *job_by_number(int number)
{
	if (number < 1 || number > JOBS_MAX || !jobs[number - 1].pid)
		return NULL;
	return &jobs[number - 1];
}

int exit_status(const struct ksh_exit *end)
{
	return end->signal ? 128 + end->signal : end->status;
}

static void describe_end(const struct ksh_exit *end, char *to, size_t to_bytes)
{
	if (end->signal)
		kernel_format(to, to_bytes, "%s: %s%s, status %d", signal_name(end->signal),
			      signal_text(end->signal), end->core ? " (core dumped)" : "",
			      exit_status(end));
	else
		kernel_format(to, to_bytes, "exit status %d", end->status);
}

void report_exit(const struct ksh_exit *end)
{
	char text[96];

	if (!exit_status(end))
		return;
	describe_end(end, text, sizeof(text));
	print("%s[%s]%s\n", paint(PAINT_YELLOW), text, paint(PAINT_NONE));
}

/* True: the job has ended, its end is told, its place is free. */
static bool job_report(int number, int *status)
{
	struct job *job = &jobs[number - 1];
	struct ksh_exit end = {0};
	char text[96] = "done";
	int err = kernel->process_wait(job->pid, false, &end);

	if (err == -EAGAIN || err == -EINTR)
		return false;
	if (err)
		string_copy(text, sizeof(text), "gone");
	else if (exit_status(&end))
		describe_end(&end, text, sizeof(text));
	print("[%d] %s%s%s  %s\n", number, paint(exit_status(&end) ? PAINT_YELLOW : PAINT_DIM),
	      text, paint(PAINT_NONE), job->text);
	job->pid = 0;
	*status = exit_status(&end);
	return true;
}

void jobs_report(void)
{
	int status;

	for (int number = 1; number <= JOBS_MAX; number++) {
		if (jobs[number - 1].pid)
			job_report(number, &status);
	}
	output_flush();
}

int command_jobs(size_t nwords, const char *const *words)
{
	bool any = false;

	if (nwords != 1)
		return usage(words[0]);
	jobs_report();
	for (int number = 1; number <= JOBS_MAX; number++) {
		const struct job *job = job_by_number(number);

		if (job)
			print("[%d] %5d  %s\n", number, job->pid, job->text);
		any |= job != NULL;
	}
	if (!any)
		print("no jobs: `CMD &' starts one\n");
	return 0;
}

/* Which jobs `wait` is to wait for: one bit each. */
static bool jobs_wanted(size_t nwords, const char *const *words, uint32_t *wanted)
{
	*wanted = 0;
	for (int number = 1; number <= JOBS_MAX && nwords == 1; number++) {
		if (job_by_number(number))
			*wanted |= UINT32_C(1) << (number - 1);
	}
	for (size_t i = 1; i < nwords; i++) {
		const char *text = words[i][0] == '%' ? words[i] + 1 : words[i];
		int found = 0;
		uint64_t value;

		if (string_to_u64(text, &value) != 0)
			return false;
		for (int number = 1; number <= JOBS_MAX; number++) {
			const struct job *job = job_by_number(number);

			if (job && (words[i][0] == '%' ? (uint64_t)number == value
						       : (uint64_t)job->pid == value))
				found = number;
		}
		if (!found) {
			complain(words[0], "%s: no such job; `jobs' lists them", words[i]);
			return false;
		}
		*wanted |= UINT32_C(1) << (found - 1);
	}
	return true;
}

int command_wait(size_t nwords, const char *const *words)
{
	uint32_t wanted;
	int status = 0;

	if (!jobs_wanted(nwords, words, &wanted))
		return usage(words[0]);
	while (wanted) {
		for (int number = 1; number <= JOBS_MAX; number++) {
			if ((wanted & UINT32_C(1) << (number - 1)) && job_report(number, &status))
				wanted &= ~(UINT32_C(1) << (number - 1));
		}
		output_flush();
		if (wanted && interrupted())
			return 130;
		if (wanted)
			kernel->sleep_ns(WAIT_POLL_NS);
	}
	return status;
}
