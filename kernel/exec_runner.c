/*
 * The thread that runs the program of `./fuselage exec`: reads the command line, starts the program
 * in /tmp with its streams on the channel, tells the host how it ended, packs up what the host
 * asked for, and powers the machine off. It is the only user of the channel's stream objects.
 */
#define LOG_SUBSYSTEM "exec"

#include "exec_channel.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <ipc/object.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/kva.h>

#include "kthread.h"
#include "percent.h"
#include "process.h"

#define DIRECTORY     "/tmp"
#define PACK          "/bin/pack"
#define LIST_MAX      4096 /* arguments, or paths of get= */
#define LIST_PAGES    (LIST_MAX * sizeof(char *) / PAGE_SIZE)
#define OPTION_PAGES  (BOOT_CMDLINE_MAX / PAGE_SIZE)
#define PATH_BYTES    4096
#define VALUE_BYTES   64
#define ENVIRONMENT   8
#define REASON_BYTES  512
#define NO_PROGRAM    127 /* what a shell answers for one that is not there */
#define SIGNAL_STATUS 128 /* and, plus the signal's number, for one that was killed */

/* A list of strings from the command line. */
struct list_option {
	char *text;  /* kva, OPTION_PAGES */
	char **list; /* kva, LIST_PAGES; ends with NULL */
	size_t count;
};

/* Reads NAME=LIST. `first_free`: places to leave free at the start of the list. False: it is not on
 * the command line, or is not well formed, which `reason` then says. */
static bool read_list(const char *name, size_t first_free, struct list_option *out, char *reason)
{
	size_t len_bytes;

	out->text = kva_alloc(OPTION_PAGES);
	out->list = kva_alloc(LIST_PAGES);
	if (!out->text || !out->list)
		panic("no memory to read the command line");
	if (!boot_option(name, out->text, BOOT_CMDLINE_MAX))
		return false;
	if (percent_decode(out->text, &len_bytes)) {
		kernel_format(reason, REASON_BYTES,
			      "%s= on the command line: a %% without two hexadecimal digits, after "
			      "%zu characters",
			      name, len_bytes);
		return false;
	}
	out->count =
		percent_split(out->text, len_bytes, out->list + first_free, LIST_MAX - first_free);
	if (out->count > LIST_MAX - first_free - 1) {
		kernel_format(reason, REASON_BYTES, "%s= on the command line: more than %u words",
			      name, LIST_MAX - (unsigned)first_free - 1);
		return false;
	}
	return true;
}

static void free_list(struct list_option *option)
{
	kva_free(option->text);
	kva_free(option->list);
}

/* ---- environment ---- */

static char values[ENVIRONMENT][VALUE_BYTES];
static const char *environment[ENVIRONMENT + 1];

/* NAME=VALUE with the value of an option, or with `otherwise`; NULL: then without the variable. */
static void set_variable(unsigned *count, const char *name, const char *option,
			 const char *otherwise)
{
	char value[VALUE_BYTES / 2];
	bool given = option && boot_option(option, value, sizeof(value));

	if (!given && !otherwise)
		return;
	kernel_format(values[*count], VALUE_BYTES, "%s=%s", name, given ? value : otherwise);
	environment[*count] = values[*count];
	(*count)++;
}

static void make_environment(void)
{
	unsigned count = 0;

	set_variable(&count, "PATH", NULL, "/bin");
	set_variable(&count, "HOME", NULL, "/root");
	set_variable(&count, "USER", NULL, "root");
	set_variable(&count, "PWD", NULL, DIRECTORY);
	set_variable(&count, "TERM", "exec.term", "dumb");
	set_variable(&count, "LINES", "exec.rows", NULL);
	set_variable(&count, "COLUMNS", "exec.cols", NULL);
}

/* ---- running ---- */

static err_t run(const char *path, char *const *argv, struct object *output, int *status)
{
	struct spawn_request request = {
		.path = path,
		.argv = (const char *const *)argv,
		.envp = environment,
		.cwd = DIRECTORY,
		.streams = {exec_channel_stdin(), output, exec_channel_stderr()},
	};
	int32_t pid;
	err_t err = process_spawn(&request, &pid);

	if (!err)
		err = process_wait(pid, status, NULL);
	object_put(request.streams[0]);
	object_put(request.streams[2]);
	return err;
}

static const char *reason_of(err_t err)
{
	switch (-err) {
	case EACCES:
		return "permission denied (chmod +x?)";
	case ENOEXEC:
		return "no program for this machine (x86-64 ELF, static or with its loader)";
	case EISDIR:
		return "it is a directory";
	case E2BIG:
		return "too many arguments";
	case ENOMEM:
		return "not enough memory";
	case ELOOP:
		return "too many symbolic links";
	case ENAMETOOLONG:
		return "the name is too long";
	default:
		return NULL;
	}
}

static void tell_spawn_error(const char *path, err_t err)
{
	char text[REASON_BYTES];
	const char *reason = reason_of(err);

	if (err == -ENOENT || err == -ENOTDIR) {
		kernel_format(text, sizeof(text), "%s: no such program", path);
		exec_channel_status_text(EXEC_NO_PROGRAM, text);
		return;
	}
	if (reason)
		kernel_format(text, sizeof(text), "%s: %s", path, reason);
	else
		kernel_format(text, sizeof(text), "%s: error %d", path, -err);
	exec_channel_status_text(EXEC_CANNOT_RUN, text);
}

static void tell_end(int status)
{
	if (WIFEXITED(status))
		exec_channel_status_u32(EXEC_EXITED, (uint32_t)WEXITSTATUS(status));
	else
		exec_channel_status_u32(EXEC_SIGNALLED, (uint32_t)WTERMSIG(status));
}

static void run_program(const struct list_option *option)
{
	struct object *output = exec_channel_stdout();
	const char *name = option->list[0];
	char path[PATH_BYTES / 8];
	size_t len;
	int status;
	err_t err;

	/* PATH has one directory. */
	if (strchr(name, '/') || !*name)
		len = kernel_format(path, sizeof(path), "%s", name);
	else
		len = kernel_format(path, sizeof(path), "/bin/%s", name);
	err = len < sizeof(path) ? run(path, option->list, output, &status) : -ENAMETOOLONG;
	if (err)
		tell_spawn_error(path, err);
	else
		tell_end(status);
	object_put(output);
}

/* The answer to get=: an archive of the paths, and how the packing went. */
static void pack(struct list_option *option)
{
	struct object *output = exec_channel_archive();
	int status;
	err_t err;

	option->list[0] = (char *)(uintptr_t)PACK;
	err = run(PACK, option->list, output, &status);
	if (err) {
		log_err("%s: %s (error %d)", PACK, reason_of(err) ? reason_of(err) : "not run",
			-err);
		exec_channel_status_u32(EXEC_ARCHIVE_END, NO_PROGRAM);
	} else {
		if (!WIFEXITED(status))
			status = WAIT_STATUS_EXIT(SIGNAL_STATUS + WTERMSIG(status));
		exec_channel_status_u32(EXEC_ARCHIVE_END, (uint32_t)WEXITSTATUS(status));
	}
	object_put(output);
}

static void runner(void *argument)
{
	char reason[REASON_BYTES] = "exec= on the command line is empty";
	struct list_option option;

	(void)argument;
	make_environment();
	if (read_list("exec", 0, &option, reason))
		run_program(&option);
	else
		exec_channel_status_text(EXEC_CANNOT_RUN, reason);
	free_list(&option);

	reason[0] = '\0';
	if (read_list("get", 1, &option, reason)) {
		pack(&option);
	} else if (reason[0]) {
		log_err("%s", reason);
		exec_channel_status_u32(EXEC_ARCHIVE_END, NO_PROGRAM);
	}
	free_list(&option);

	exec_channel_status(EXEC_END, NULL, 0);
	machine_poweroff();
}

void exec_runner_start(void)
{
	if (!exec_channel_present())
		log_err("exec= without the ports of ./fuselage exec: nobody will see the output");
	if (kthread_start("exec-runner", runner, NULL, NULL))
		panic("no memory for the thread that runs exec='s program");
}
