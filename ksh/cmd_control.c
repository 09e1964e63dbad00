/*
 * Commands that change what runs: kill, nice, time, trace, panic, reboot, poweroff, exit.
 */
#include <abi/signal.h>
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"
#include "suggest.h"

/* "-5", "10": a niceness. */
static bool parse_nice(const char *text, int *nice)
{
	bool negative = *text == '-';
	uint64_t value;

	if (string_to_u64(text + negative, &value) != 0 || value > 20)
		return false;
	*nice = negative ? -(int)value : (int)value;
	return true;
}

/* "123" or "%1". */
static bool parse_pid(const char *command, const char *text, int *pid)
{
	const struct job *job;
	uint64_t value;

	if (string_to_u64(text + (*text == '%'), &value) != 0 || value > PID_NUMBER_MAX) {
		complain(command, "%s is no number of a program; `ps' lists them", text);
		return false;
	}
	if (*text != '%') {
		*pid = (int)value;
		return true;
	}
	job = job_by_number((int)value);
	if (!job) {
		complain(command, "%s: no such job; `jobs' lists them", text);
		return false;
	}
	*pid = job->pid;
	return true;
}

int command_kill(size_t nwords, const char *const *words)
{
	int signal = SIGTERM;
	size_t first = 1;
	int status = 0;

	if (nwords > 1 && words[1][0] == '-') {
		signal = signal_number(words[1] + 1);
		if (!signal) {
			complain("kill", "%s: no such signal. For example: kill -KILL %%1",
				 words[1]);
			return 2;
		}
		first = 2;
	}
	if (first >= nwords)
		return usage(words[0]);
	for (size_t i = first; i < nwords; i++) {
		int pid;
		int err;

		if (!parse_pid("kill", words[i], &pid)) {
			status = 1;
			continue;
		}
		err = pid > 0 ? kernel->process_signal(pid, signal) : -ESRCH;
		if (err) {
			complain("kill", "%s: %s", words[i], error_text(err));
			status = 1;
		}
	}
	return status;
}

int command_nice(size_t nwords, const char *const *words)
{
	struct run_options options = {0};
	size_t first = nwords > 1 && strcmp(words[1], "-n") == 0 ? 2 : 1;
	uint64_t pid;
	int target;
	int err;

	if (nwords < first + 2)
		return usage(words[0]);
	if (!parse_nice(words[first], &options.nice)) {
		complain("nice", "%s is no niceness: -20 (first) to 19 (last)", words[first]);
		return 2;
	}
	if (nwords > first + 2 ||
	    (string_to_u64(words[first + 1], &pid) != 0 && words[first + 1][0] != '%'))
		return run_words_with(words + first + 1, nwords - first - 1, &options);
	if (!parse_pid("nice", words[first + 1], &target))
		return 1;
	err = kernel->process_nice(target, options.nice);
	if (err)
		complain("nice", "%s: %s", words[first + 1], error_text(err));
	return err ? 1 : 0;
}

int command_time(size_t nwords, const char *const *words)
{
	uint64_t start_ns;
	int status;

	if (nwords < 2)
		return usage(words[0]);
	last_cpu_ns = 0;
	start_ns = kernel->clock_ns();
	status = run_words(words + 1, nwords - 1);
	print("%sreal %s", paint(PAINT_DIM), human_time(kernel->clock_ns() - start_ns));
	if (last_cpu_ns)
		print(", CPU %s", human_time(last_cpu_ns));
	print("%s\n", paint(PAINT_NONE));
	return status;
}

static int trace_switch(enum ksh_trace_target target, int pid, bool on)
{
	int err = kernel->trace_set(target, pid, on);

	if (err)
		complain("trace", "%s", error_text(err));
	return err ? 1 : 0;
}

/* `trace fuse on|off|N` */
static int trace_driver(size_t nwords, const char *const *words)
{
	uint64_t number;

	if (nwords != 3)
		return usage(words[0]);
	if (strcmp(words[2], "on") == 0)
		return trace_switch(KSH_TRACE_DRIVER, 0, true);
	if (strcmp(words[2], "off") == 0)
		return trace_switch(KSH_TRACE_DRIVER, 0, false);
	if (string_to_u64(words[2], &number) != 0 || !number || number > INT32_MAX) {
		complain("trace", "%s is no number of a filesystem; `mounts' lists them", words[2]);
		return 1;
	}
	return trace_switch(KSH_TRACE_DRIVER, (int)number, true);
}

int command_trace(size_t nwords, const char *const *words)
{
	static const struct run_options traced = {.trace = true};
	uint64_t pid;

	if (nwords < 2)
		return usage(words[0]);
	if (nwords == 2 && strcmp(words[1], "on") == 0)
		return trace_switch(KSH_TRACE_ALL, 0, true);
	if (nwords == 2 && strcmp(words[1], "off") == 0)
		return trace_switch(KSH_TRACE_ALL, 0, false);
	if (nwords == 2 && string_to_u64(words[1], &pid) == 0 && pid <= PID_NUMBER_MAX)
		return trace_switch(KSH_TRACE_PID, (int)pid, true);
	if (strcmp(words[1], "fuse") == 0)
		return trace_driver(nwords, words);
	return run_words_with(words + 1, nwords - 1, &traced);
}

/* ---- the end ---- */

static int list_triggers(void)
{
	struct ksh_trigger trigger;

	for (size_t i = 0; kernel->trigger_info(i, &trigger) == 0; i++)
		print("  %spanic %-14s%s %s\n", paint(PAINT_BOLD), trigger.name, paint(PAINT_NONE),
		      trigger.effect);
	print("  %spanic %-14s%s %s\n", paint(PAINT_BOLD), "ksh", paint(PAINT_NONE),
	      "a fault in ksh itself: the kernel survives and starts it anew");
	return 0;
}

/* The fault of `panic ksh`: two functions deep, so that the backtrace has something to show. */
static NOINLINE void break_ksh(void)
{
	volatile uint64_t *volatile nowhere = (volatile uint64_t *)0x10;

	*nowhere = 1;
}

static int complain_trigger(const char *name)
{
	struct ksh_trigger trigger;
	struct suggestion suggestion;
	const char *near;

	suggest_init(&suggestion, name);
	suggest_consider(&suggestion, "ksh");
	for (size_t i = 0; kernel->trigger_info(i, &trigger) == 0; i++)
		suggest_consider(&suggestion, trigger.name);
	near = suggest_result(&suggestion);
	if (near)
		complain("panic", "%s: no such way. Did you mean `panic %s'?", name, near);
	else
		complain("panic", "%s: no such way; `panic' alone lists them", name);
	return 2;
}

int command_panic(size_t nwords, const char *const *words)
{
	int err;

	if (nwords == 1)
		return list_triggers();
	if (nwords > 2)
		return usage(words[0]);
	output_flush();
	if (strcmp(words[1], "ksh") == 0) {
		break_ksh();
		return 1;
	}
	err = kernel->trigger_fire(words[1]);
	if (err == -ENOENT)
		return complain_trigger(words[1]);
	if (!err)
		return 0; /* it was not meant to stay broken */
	complain("panic", "%s did not break the kernel: %s", words[1], error_text(err));
	return 1;
}

int command_reboot(size_t nwords, const char *const *words)
{
	if (nwords > 1)
		return usage(words[0]);
	output_flush();
	complain("reboot", "%s", error_text(kernel->machine_reboot()));
	return 1;
}

int command_poweroff(size_t nwords, const char *const *words)
{
	if (nwords > 1)
		return usage(words[0]);
	output_flush();
	complain("poweroff", "%s", error_text(kernel->machine_poweroff()));
	return 1;
}

int command_exit(size_t nwords, const char *const *words)
{
	print("ksh is the kernel's own shell, there is nothing behind it to go back to.\n"
	      "%spoweroff%s switches the machine off, %sreboot%s starts it again. "
	      "Under `./fuselage run', Ctrl-] x ends QEMU.\n",
	      paint(PAINT_CYAN), paint(PAINT_NONE), paint(PAINT_CYAN), paint(PAINT_NONE));
	return 0;
}
