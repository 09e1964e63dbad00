/*
 * Running commands: which one a name means, where its streams go, and waiting for programs. A
 * command is a builtin if its name is one's, else a program: by path if the name has a slash, else
 * from /bin.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "parse.h"
#include "shell.h"
#include "suggest.h"

#define PROGRAM_FOLDER "/bin"
#define MODE_EXECUTE   0111u
#define MODE_TYPE      0170000u
#define MODE_DIRECTORY 0040000u

int last_status;
uint64_t last_cpu_ns;

/* Where a command's streams go while it runs. */
struct streams {
	int files[3]; /* KSH_STREAM_CONSOLE or open files, which are ours */
	bool background;
	const char *source;
	size_t source_bytes;
};

static struct streams streams;

/* ---- finding ---- */

static int check_executable(const char *path)
{
	struct ksh_stat stat;
	int err = kernel->file_stat(path, true, &stat);

	if (err)
		return err;
	if ((stat.mode & MODE_TYPE) == MODE_DIRECTORY)
		return -EISDIR;
	return stat.mode & MODE_EXECUTE ? 0 : -EACCES;
}

int find_program(const char *name, char *path, size_t path_bytes)
{
	size_t needed = strchr(name, '/')
				? kernel_format(path, path_bytes, "%s", name)
				: kernel_format(path, path_bytes, PROGRAM_FOLDER "/%s", name);

	if (needed >= path_bytes)
		return -ENAMETOOLONG;
	return check_executable(path);
}

/* Says that there is no such command, and what may have been meant. */
static void complain_unknown(const char *name)
{
	struct suggestion suggestion;
	const struct builtin *builtin;
	int folder = kernel->file_open(PROGRAM_FOLDER, KSH_OPEN_READ | KSH_OPEN_DIRECTORY, 0);
	struct ksh_dirent entry;
	const char *near;

	suggest_init(&suggestion, name);
	for (size_t i = 0; (builtin = builtin_at(i)); i++)
		suggest_consider(&suggestion, builtin->name);
	while (folder >= 0 && kernel->file_entries(folder, &entry, 1) > 0) {
		if (entry.name[0] != '.')
			suggest_consider(&suggestion, entry.name);
	}
	if (folder >= 0)
		kernel->file_close(folder);
	near = suggest_result(&suggestion);
	if (near)
		complain(name, "no such command. Did you mean `%s'?", near);
	else
		complain(name, "no such command. `help' lists them, `ls /bin' the programs");
}

/* ---- programs ---- */

static const char path_variable[] = "PATH=" PROGRAM_FOLDER;

static const char *const environment[] = {
	path_variable, "HOME=/root", "USER=root", "TERM=xterm-256color", "LANG=C.UTF-8", NULL,
};

/* In the foreground: the console is the program's until it has ended. */
static int wait_for_program(int pid)
{
	struct ksh_exit end = {0};
	int err = kernel->process_wait(pid, true, &end);

	kernel->process_foreground(0);
	kernel->console_mode(KSH_CONSOLE_RAW);
	if (err) {
		complain("ksh", "waiting for program %d failed: %s", pid, error_text(err));
		return 1;
	}
	last_cpu_ns += end.cpu_ns;
	report_exit(&end);
	return exit_status(&end);
}

static int start_in_background(int pid)
{
	int number = job_add(pid, streams.source, streams.source_bytes);

	if (!number) {
		complain("ksh", "more than %d jobs: %d runs, but `jobs' will not show it", JOBS_MAX,
			 pid);
		kernel->process_disown(pid);
		return 0;
	}
	print("[%d] %d\n", number, pid);
	return 0;
}

static int run_program(const char *const *words, const struct run_options *options)
{
	char path[KSH_PATH_MAX];
	struct ksh_spawn spawn = {
		.path = path,
		.argv = words,
		.envp = environment,
		.streams = {streams.files[0], streams.files[1], streams.files[2]},
		.foreground = !streams.background,
		.trace = options->trace,
		.nice = options->nice,
	};
	int err = find_program(words[0], path, sizeof(path));
	int pid;

	if (err == -ENOENT && !strchr(words[0], '/')) {
		complain_unknown(words[0]);
		return 127;
	}
	if (err) {
		complain(words[0], "%s",
			 err == -EISDIR ? "is a directory: cd goes there" : error_text(err));
		return err == -ENOENT ? 127 : 126;
	}
	output_flush();
	if (spawn.foreground)
		kernel->console_mode(KSH_CONSOLE_LINE);
	pid = kernel->process_spawn(&spawn);
	if (pid < 0) {
		kernel->console_mode(KSH_CONSOLE_RAW);
		complain(words[0], "%s", error_text(pid));
		return pid == -ENOENT ? 127 : 126;
	}
	return spawn.foreground ? wait_for_program(pid) : start_in_background(pid);
}

/* `init`: as run_program(), but it is PID 1, and the console is its own. */
int command_init(size_t nwords, const char *const *words)
{
	char option[KSH_PATH_MAX] = "/sbin/init";
	char path[KSH_PATH_MAX];
	const char *by_itself[] = {option, NULL};
	struct ksh_spawn spawn = {.path = path, .argv = words + 1, .envp = environment};
	struct ksh_exit end = {0};
	int err;

	if (nwords == 1) {
		(void)kernel->boot_option("init", option, sizeof(option));
		spawn.argv = by_itself;
	}
	err = find_program(spawn.argv[0], path, sizeof(path));
	if (!err) {
		output_flush();
		kernel->console_mode(KSH_CONSOLE_LINE);
		err = kernel->userspace_run(&spawn, &end);
		kernel->console_mode(KSH_CONSOLE_RAW);
	}
	if (err) {
		complain("init", "%s: %s", spawn.argv[0], error_text(err));
		return 1;
	}
	report_exit(&end);
	return exit_status(&end);
}

/* ---- one command ---- */

/* Of its words, so it may stand before a `&`. */
static bool starts_program(const struct builtin *builtin)
{
	return builtin->run == command_nice || builtin->run == command_trace;
}

int run_words_with(const char *const *words, size_t nwords, const struct run_options *options)
{
	const struct builtin *builtin = builtin_find(words[0]);

	if (!builtin)
		return run_program(words, options);
	if (streams.background && !starts_program(builtin)) {
		complain(words[0],
			 "is a command of ksh's own, only programs run in the background: "
			 "/bin/%s & if there is one",
			 words[0]);
		return 2;
	}
	return builtin->run(nwords, words);
}

int run_words(const char *const *words, size_t nwords)
{
	static const struct run_options plain;

	return run_words_with(words, nwords, &plain);
}

/* ---- redirection ---- */

int input_file(void)
{
	return streams.files[0];
}

static int open_stream(const struct redirection *redirection, bool input)
{
	unsigned flags = KSH_OPEN_READ;
	int file;

	if (!redirection->path)
		return KSH_STREAM_CONSOLE;
	if (!input)
		flags = KSH_OPEN_WRITE | KSH_OPEN_CREATE |
			(redirection->append ? KSH_OPEN_APPEND : KSH_OPEN_TRUNCATE);
	file = kernel->file_open(redirection->path, flags, 0644);
	if (file < 0)
		complain("ksh", "%s: %s", redirection->path, error_text(file));
	return file;
}

static void close_streams(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(streams.files); i++) {
		bool shared = i == 2 && streams.files[2] == streams.files[1];

		if (streams.files[i] >= 0 && !shared)
			kernel->file_close(streams.files[i]);
		if (!shared)
			streams.files[i] = KSH_STREAM_CONSOLE;
	}
	streams.files[2] = KSH_STREAM_CONSOLE;
}

/* False: one of the files could not be opened, which has been said. */
static bool open_streams(const struct command *command)
{
	int *files = streams.files;

	for (size_t i = 0; i < ARRAY_SIZE(streams.files); i++)
		files[i] = KSH_STREAM_CONSOLE;
	files[0] = open_stream(&command->input, true);
	if (files[0] >= KSH_STREAM_CONSOLE)
		files[1] = open_stream(&command->output, false);
	if (files[0] >= KSH_STREAM_CONSOLE && files[1] >= KSH_STREAM_CONSOLE)
		files[2] =
			command->error_to_output ? files[1] : open_stream(&command->error, false);
	for (size_t i = 0; i < ARRAY_SIZE(streams.files); i++) {
		if (files[i] < KSH_STREAM_CONSOLE) {
			close_streams();
			return false;
		}
	}
	streams.background = command->background;
	streams.source = command->source;
	streams.source_bytes = command->source_bytes;
	return true;
}

static int run_command(const struct command *command)
{
	struct streams outer = streams; /* of a command that runs lines of its own */
	int status;

	if (!open_streams(command)) {
		streams = outer;
		return 1;
	}
	input_forget_interrupt();
	output_redirect(streams.files[1], streams.files[2]);
	status = run_words(command->words, command->nwords);
	output_flush();
	if (output_failed())
		status = 1;
	output_redirect(KSH_STREAM_CONSOLE, KSH_STREAM_CONSOLE);
	if (status == 1 && output_failed())
		complain("ksh", "writing to %s failed", command->output.path);
	close_streams();
	streams = outer;
	return status;
}

/* True: there may be more in the line. */
static bool run_next(const char **line, struct command *command)
{
	char problem[160];

	switch (parse_command(line, command, problem, sizeof(problem))) {
	case PARSE_COMMAND:
		last_status = run_command(command);
		if (!interrupted())
			return true;
		print("^C\n"); /* the rest of the line was meant to end too */
		output_flush();
		return false;
	case PARSE_PROBLEM:
		complain("ksh", "%s", problem);
		last_status = 2;
		return false;
	default:
		return false;
	}
}

void run_line(const char *line)
{
	/* Too large for a kernel stack. */
	struct command *command = kernel->memory_alloc(sizeof(*command));

	if (!command) {
		complain("ksh", "out of memory");
		return;
	}
	while (run_next(&line, command))
		;
	kernel->memory_free(command);
}
