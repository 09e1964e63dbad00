/*
 * The table of ksh's own commands, and `help`, which reads it. In the order in which help shows
 * them.
 */
#include <lib/string.h>

#include "shell.h"
#include "suggest.h"

static const char *const no_arguments[] = {NULL};
static const char *const trace_arguments[] = {"on", "off", "fuse", NULL};

static const struct builtin builtins[] = {
	{"help", "help [CMD]", "this list, or how CMD is used", "help vm", command_help, NULL},
	{"demo", "demo", "a minute's tour of the machine", "demo", command_demo, no_arguments},

	{"ls", "ls [-la] [PATH...]", "what is in a directory", "ls -l /bin", command_ls, NULL},
	{"cd", "cd [DIR]", "changes the working directory", "cd /tmp", command_cd, NULL},
	{"pwd", "pwd", "says the working directory", "pwd", command_pwd, no_arguments},
	{"cat", "cat [FILE...]", "shows files, or what < names", "cat /etc/motd", command_cat,
	 NULL},
	{"echo", "echo [-n] WORD...", "says its words", "echo hi > /tmp/hi", command_echo, NULL},
	{"clear", "clear", "clears the screen (Ctrl-L too)", "clear", command_clear, no_arguments},
	{"history", "history", "lines that were entered (Ctrl-R searches)", "history",
	 command_history, no_arguments},

	{"ps", "ps [-t]", "programs; -t: threads of the kernel too", "ps -t", command_ps,
	 no_arguments},
	{"jobs", "jobs", "programs that run in the background", "spin & jobs", command_jobs,
	 no_arguments},
	{"wait", "wait [PID|%JOB...]", "waits until background programs end", "primes & wait",
	 command_wait, no_arguments},
	{"kill", "kill [-SIGNAL] PID|%JOB...", "sends a signal (TERM) to programs", "kill -KILL %1",
	 command_kill, no_arguments},
	{"nice", "nice N CMD... | nice N PID", "runs CMD with niceness N, or changes PID's",
	 "nice 10 spin &", command_nice, NULL},
	{"time", "time CMD...", "how long CMD takes", "time primes", command_time, NULL},
	{"trace", "trace on|off|PID | trace CMD... | trace fuse on|off|N",
	 "shows system calls as strace does, or requests to drivers", "trace hello", command_trace,
	 trace_arguments},

	{"mem", "mem [-s]", "where the memory is; -s: slab caches", "mem -s", command_mem,
	 no_arguments},
	{"vm", "vm PID [ADDR]", "regions, or the page walk to ADDR (PID 0: kernel)", "vm 0 text",
	 command_vm, no_arguments},
	{"irq", "irq", "interrupts and exceptions so far", "irq", command_irq, no_arguments},
	{"cpu", "cpu", "processors and clocks", "cpu", command_cpu, no_arguments},
	{"sched", "sched", "run queues: who came, who waited, for how long", "sched", command_sched,
	 no_arguments},
	{"locks", "locks", "locks that had to be waited for", "locks", command_locks, no_arguments},
	{"tasks", "tasks", "what the kernel does itself, and what it awaits", "tasks",
	 command_tasks, no_arguments},
	{"mounts", "mounts", "filesystems, and what drivers were asked", "mounts", command_mounts,
	 no_arguments},
	{"keymap", "keymap [NAME|FILE]", "the keyboard's layout: lists them, or uses NAME",
	 "keymap de", command_keymap, NULL},
	{"dmesg", "dmesg [N]", "the kernel's log, or its last N lines", "dmesg 20", command_dmesg,
	 no_arguments},

	{"selftest", "selftest [[-v] NAME...] | selftest -l",
	 "tests in the kernel; -v: all but those, -l: names", "selftest frame", command_selftest,
	 no_arguments},
	{"bench", "bench [NAME...]", "measurements (release build)", "bench", command_bench,
	 no_arguments},
	{"panic", "panic [NAME]", "breaks the kernel on purpose; alone: lists ways", "panic null",
	 command_panic, no_arguments},

	{"init", "init [PROGRAM [WORD...]]", "brings up a userspace: PROGRAM, else /sbin/init",
	 "init", command_init, NULL},
	{"reboot", "reboot", "starts the machine again", "reboot", command_reboot, no_arguments},
	{"poweroff", "poweroff", "switches the machine off", "poweroff", command_poweroff,
	 no_arguments},
	{"exit", "exit", "says how to leave", "exit", command_exit, no_arguments},
};

const struct builtin *builtin_at(size_t number)
{
	return number < ARRAY_SIZE(builtins) ? &builtins[number] : NULL;
}

const struct builtin *builtin_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++) {
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	}
	return NULL;
}

int usage(const char *name)
{
	const struct builtin *builtin = builtin_find(name);

	if (builtin)
		complain(name, "usage: %s   for example: %s", builtin->usage, builtin->example);
	return 2;
}

static int help_one(const char *name)
{
	const struct builtin *builtin = builtin_find(name);
	struct suggestion suggestion;
	const char *near;

	if (builtin) {
		print("%s%s%s  %s\n  for example: %s%s%s\n", paint(PAINT_BOLD), builtin->usage,
		      paint(PAINT_NONE), builtin->what, paint(PAINT_CYAN), builtin->example,
		      paint(PAINT_NONE));
		return 0;
	}
	suggest_init(&suggestion, name);
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		suggest_consider(&suggestion, builtins[i].name);
	near = suggest_result(&suggestion);
	if (near)
		complain("help", "%s is no command of ksh's. Did you mean `%s'?", name, near);
	else
		complain("help", "%s is no command of ksh's; `help' alone lists them", name);
	return 1;
}

int command_help(size_t nwords, const char *const *words)
{
	if (nwords > 2)
		return usage(words[0]);
	if (nwords == 2)
		return help_one(words[1]);
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		print("%s%-10s%s %-49s %s%s%s\n", paint(PAINT_BOLD), builtins[i].name,
		      paint(PAINT_NONE), builtins[i].what, paint(PAINT_CYAN), builtins[i].example,
		      paint(PAINT_NONE));
	print("\nAnything else is a program: by name from /bin, or by path. `ls /bin' lists them.\n"
	      "CMD > FILE  >> FILE  < FILE  2> FILE  2>&1   CMD &   CMD; CMD   'as it is' \"as it "
	      "is\" \\x\n"
	      "Tab completes, Ctrl-R searches what was typed before, Ctrl-C ends a program.\n");
	return 0;
}
