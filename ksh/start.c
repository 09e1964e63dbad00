/*
 * ksh's beginning: the note that the kernel checks, the stack canary, the banner, and the loop that
 * reads a line and runs it.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"

const struct ksh_exports *kernel;
struct history shell_history;
struct line shell_line;

/* An ELF note (gABI, chapter 5): the loader reads it before it maps anything. */
static const struct {
	uint32_t name_bytes;
	uint32_t description_bytes;
	uint32_t type;
	char name[12]; /* padded to a multiple of four */
	struct ksh_note note;
} ksh_note __attribute__((section(".note.ksh"), used, aligned(4))) = {
	.name_bytes = sizeof(KSH_NOTE_NAME),
	.description_bytes = sizeof(struct ksh_note),
	.type = KSH_NOTE_TYPE,
	.name = KSH_NOTE_NAME,
	.note = {.abi_version = KSH_ABI_VERSION, .table_bytes = sizeof(struct ksh_exports)},
};

/* Called by a function that finds its canary, which is the thread's, changed: the compiler's name.
 */
noreturn void __stack_chk_fail(void);
noreturn void __stack_chk_fail(void)
{
	__builtin_trap(); /* the kernel reports it with a backtrace and starts us anew */
}

/* ---- the terminal of the line editor ---- */

static void terminal_write(void *argument, const char *text, size_t len)
{
	kernel->console_write(text, len);
}

static void terminal_window(void *argument, unsigned *rows, unsigned *columns)
{
	struct ksh_window window = {0};

	kernel->console_size(&window);
	*rows = window.rows;
	*columns = window.columns;
}

static const struct line_host terminal = {
	.write = terminal_write,
	.window = terminal_window,
	.complete = offer_completion,
};

static void make_prompt(char *to, size_t to_bytes)
{
	char path[KSH_PATH_MAX];

	if (kernel->directory_name(path, sizeof(path)) != 0)
		string_copy(path, sizeof(path), "(gone)");
	if (strcmp(path, "/") == 0)
		path[0] = '\0';
	kernel_format(to, to_bytes, "\033[36m%.*s%s%s\033[1m%sksh>\033[0m ", 60, path, "\033[0m",
		      *path ? " " : "", last_status ? "\033[31m" : "");
}

/* Whether log lines may be shown above the line: only where one row can be drawn again. */
static void set_edit_mode(bool *shared)
{
	if (shell_line.screen.one_row == *shared)
		return;
	*shared = shell_line.screen.one_row;
	kernel->console_mode(*shared ? KSH_CONSOLE_EDIT : KSH_CONSOLE_RAW);
}

/* Reads one line into shell_line. */
static enum line_event read_line(void)
{
	enum line_event event = LINE_EDITING;
	char prompt[PROMPT_BYTES];
	bool shared = false;

	make_prompt(prompt, sizeof(prompt));
	line_start(&shell_line, prompt);
	while (event == LINE_EDITING) {
		unsigned char byte;
		int err;

		set_edit_mode(&shared);
		err = input_byte(&byte);
		if (err == -EINTR)
			line_resized(&shell_line);
		else if (err)
			kernel->sleep_ns(NSEC_PER_SEC / 10); /* the console is not ours now */
		else
			event = line_feed(&shell_line, byte);
	}
	kernel->console_mode(KSH_CONSOLE_RAW);
	return event;
}

static void show_banner(void)
{
	struct ksh_machine machine;
	struct ksh_memory memory;
	unsigned long long seconds;

	kernel->machine_info(&machine);
	kernel->memory_info(&memory);
	seconds = machine.uptime_ns / NSEC_PER_SEC;
	if (machine.restarts) {
		print("%sksh was started anew%s after a fault; its jobs go on (`ps'), dmesg has "
		      "the "
		      "report.\n",
		      paint(PAINT_YELLOW), paint(PAINT_NONE));
		output_flush();
		return;
	}
	print("%sFuselage %s%s (%s), %u CPU%s, %s free of %s, up after %llu.%02llu s\n",
	      paint(PAINT_BOLD), machine.version, paint(PAINT_NONE), machine.build, machine.ncpus,
	      machine.ncpus == 1 ? "" : "s", human_bytes(memory.free_bytes),
	      human_bytes(memory.total_bytes), seconds,
	      machine.uptime_ns % NSEC_PER_SEC / (10 * NSEC_PER_MSEC));
	print("This is ksh, the kernel's shell. Type %shelp%s for commands, %sdemo%s for a tour, "
	      "%spoweroff%s to leave.\n",
	      paint(PAINT_CYAN), paint(PAINT_NONE), paint(PAINT_CYAN), paint(PAINT_NONE),
	      paint(PAINT_CYAN), paint(PAINT_NONE));
	output_flush();
}

/* ksh.run=COMMANDS on the kernel's command line: they run as if they had been typed, once. It is
 * how measurements and tests are free of the time that a key comes at. */
static void run_boot_commands(void)
{
	char line[LINE_BYTES_MAX];
	struct ksh_machine machine;
	long len;

	kernel->machine_info(&machine);
	len = kernel->boot_option("ksh.run", line, sizeof(line));
	if (len == -ENOENT || machine.restarts)
		return;
	if (len < 0) {
		complain("ksh.run", "%s", error_text(len));
		return;
	}
	print("ksh> %s\n", line);
	run_line(line);
	output_flush();
}

int ksh_main(const struct ksh_exports *exports);
int ksh_main(const struct ksh_exports *exports)
{
	kernel = exports;
	history_init(&shell_history, exports->memory_alloc, exports->memory_free);
	line_init(&shell_line, &terminal, &shell_history);
	kernel->console_mode(KSH_CONSOLE_RAW);
	show_banner();
	kernel->ready();
	run_boot_commands();
	for (;;) {
		jobs_report();
		switch (read_line()) {
		case LINE_ENTERED:
			history_add(&shell_history, shell_line.text);
			run_line(shell_line.text);
			break;
		case LINE_END_OF_FILE:
			run_line("exit");
			break;
		default:
			last_status = 130; /* 128 + SIGINT, as shells say it */
			break;
		}
	}
}
