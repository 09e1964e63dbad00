/*
 * What the parts of ksh share: the kernel's table, output, and the state that outlives a command.
 * ksh is one thread, so there are no locks. Its state is static: the kernel throws it away as a
 * whole when ksh is loaded anew.
 */
#ifndef KSH_SHELL_H
#define KSH_SHELL_H

#include <abi/errno.h>
#include <abi/ksh.h>
#include <lib/types.h>

#include "history.h"
#include "line.h"

/* Set once, before anything else runs. */
extern const struct ksh_exports *kernel;

#define PID_NUMBER_MAX 0x7fffffffu

/* ---- output (out.c) ---- */

enum paint {
	PAINT_NONE,
	PAINT_BOLD,
	PAINT_DIM,
	PAINT_RED,
	PAINT_GREEN,
	PAINT_YELLOW,
	PAINT_BLUE,
	PAINT_CYAN
};

/* To standard output, wherever it goes now. */
void print(const char *format, ...) PRINTF(1, 2);
void print_bytes(const void *bytes, size_t nbytes);
/* A line on the error stream, "NAME: text"; `name` is the command that failed. */
void complain(const char *name, const char *format, ...) PRINTF(2, 3);
/* The colour sequence, or "" where output is no terminal. PAINT_NONE ends a colour. */
const char *paint(enum paint colour);
void output_flush(void);

/* Sends output and errors to open files; KSH_STREAM_CONSOLE: back to the console. */
void output_redirect(int output_file, int error_file);
bool output_failed(void); /* a write to a file has failed since output_redirect() */

/* "1.5 MiB", "312 KiB"; valid until four more calls. */
const char *human_bytes(uint64_t bytes);
/* "1.250 s", "12.3 ms", "840 ns"; likewise. */
const char *human_time(uint64_t ns);

/* What an error number means, in words. */
const char *error_text(long negative_errno);
/* "SIGSEGV", and what it says. */
const char *signal_name(int signal);
const char *signal_text(int signal);
/* From "9", "KILL" or "SIGKILL"; 0: no such signal. */
int signal_number(const char *text);

/* ---- input (input.c) ---- */

/* The next byte from the console, waiting for it. -EINTR: the window's size has changed. */
int input_byte(unsigned char *out);
/* Ctrl-C was typed since the last command began; other keys are kept for the next line. */
bool interrupted(void);
void input_forget_interrupt(void);

/* ---- running (run.c, jobs.c) ---- */

/* Runs all commands of a line. */
void run_line(const char *line);
/* Runs one command by its words, as a builtin or a program. Returns its exit status. */
int run_words(const char *const *words, size_t nwords);
/* Where a program is: 0 and its path, or an error. */
int find_program(const char *name, char *path, size_t path_bytes);

/* What `<` named for the command that runs: an open file, or KSH_STREAM_CONSOLE. */
int input_file(void);

struct run_options {
	int nice;
	bool trace;
};
/* As run_words(), for a program or builtin, with options of the commands `nice` and `trace`. */
int run_words_with(const char *const *words, size_t nwords, const struct run_options *options);

extern int last_status;
extern uint64_t last_cpu_ns; /* summed up over programs in the foreground */

/* The numbers of programs that run in the background. */
#define JOBS_MAX 32
struct job {
	int pid; /* 0: the place is free */
	char text[128];
};
/* The number of the new job, 0: the table is full. */
int job_add(int pid, const char *text, size_t text_bytes);
struct job *job_by_number(int number); /* NULL: no such job */
/* Tells of jobs that have ended. */
void jobs_report(void);
/* Shows why a program ended, unless all was well. */
void report_exit(const struct ksh_exit *end);
/* 128 + signal, or the status. */
int exit_status(const struct ksh_exit *end);

/* ---- commands (commands.c) ---- */

/* nwords counts the command's own name, words[nwords] is NULL. Returns the exit status. */
typedef int command_function(size_t nwords, const char *const *words);

struct builtin {
	const char *name;
	const char *usage;
	const char *what;
	const char *example;
	command_function *run;
	const char *const *arguments; /* words that completion offers; NULL: paths */
};

const struct builtin *builtin_find(const char *name);
/* By number from 0 up; NULL past the last. */
const struct builtin *builtin_at(size_t number);
/* Says how the command is used, on the error stream; returns the status for it, 2. */
int usage(const char *name);

/* Memory for `count` records of a snapshot, to be freed; NULL after a complaint (cmd_system.c). */
void *table_alloc(const char *name, long count, size_t record_bytes);

command_function command_help, command_ls, command_cd, command_pwd, command_cat, command_echo,
	command_clear, command_ps, command_mem, command_vm, command_irq, command_cpu, command_tasks,
	command_sched, command_locks, command_mounts, command_dmesg, command_trace, command_time,
	command_nice, command_kill, command_jobs, command_wait, command_selftest, command_bench,
	command_demo, command_panic, command_reboot, command_poweroff, command_exit,
	command_history, command_keymap, command_init;

/* ---- completion (offer.c) ---- */

void offer_completion(void *argument, struct line *line, bool again);

/* ---- the line loop (start.c) ---- */

extern struct history shell_history;
extern struct line shell_line;

#endif
