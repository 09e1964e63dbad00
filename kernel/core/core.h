/*
 * Core files: what is left of a program that a signal ended, for a debugger.
 *
 * Who takes a signal of that kind marks the process as ending, as for any other end, but lets the
 * other threads come only to the beginning of theirs (core_join): there they wait with parked
 * registers until the file is written. So nothing of the process moves, and no lock is held
 * meanwhile. A further SIGKILL ends the writing.
 *
 * The file is the process's own doing: its rights, its working directory, its limits (RLIMIT_CORE,
 * RLIMIT_FSIZE). What the kernel holds meanwhile is a fixed number of bytes a region.
 */
#ifndef KERNEL_CORE_CORE_H
#define KERNEL_CORE_CORE_H

#include "../process.h"

struct signal_info;

/* Lies on the stack of the thread that writes; process->core, under signal_lock. */
struct core_wait {
	uint32_t nothers;  /* threads that join */
	uint32_t nawaited; /* [s] written under it, read [a]: threads that have not joined yet */
};

/* The signal's default is to end with a core, and there will be one: the process allows it, and its
 * limit. From anywhere; under signal_lock or not. */
bool core_is_wanted(const struct process *process, int signal);

/* The running thread ends its process for this signal: writes the core if it is wanted and nobody
 * has begun the end before. process_exit() comes next. Sleeps. */
void core_write(const struct signal_info *info);
/* The running thread's end has begun, which a core waits for: until that is written. Sleeps,
 * however often it is killed. */
void core_join(void);
/* Memory is short: what is written of a core must do. */
void core_cut_short(struct process *process);

/* ---- the file's name (settings.c): /proc/sys/kernel/core_pattern, core_uses_pid ---- */

#define CORE_PATTERN_BYTES 128 /* with its NUL, as on Linux */

void core_pattern_get(char *to); /* CORE_PATTERN_BYTES */
/* -EINVAL: too long, or to a pipe, which is not served. */
err_t must_check core_pattern_set(const char *pattern);
bool core_uses_pid(void);
void core_set_uses_pid(bool on);

#endif
