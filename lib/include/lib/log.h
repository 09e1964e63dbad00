/*
 * The kernel's log. A line carries its level, time, CPU and thread, and the subsystem that speaks:
 * a file that logs says `#define LOG_SUBSYSTEM "mm"` before its includes. Lines may be logged from
 * anywhere except while a spinlock of class LOCK_LOG is held; they never sleep and never allocate.
 * Defined in kernel/log.c; host tests define log_emit().
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <lib/types.h>

enum log_level {
	LOG_ERR,   /* something does not work */
	LOG_WARN,  /* somebody lied or something is odd; we go on */
	LOG_TRACE, /* system calls of programs, when somebody asked for them */
	LOG_INFO,  /* once at boot, or when something rare happens */
	LOG_DEBUG, /* for those who look for a fault */
};

#ifndef LOG_SUBSYSTEM
#define LOG_SUBSYSTEM "kernel"
#endif

void log_emit(enum log_level level, const char *subsystem, const char *format, ...) PRINTF(3, 4);

#define log_err(...)   log_emit(LOG_ERR, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_warn(...)  log_emit(LOG_WARN, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_trace(...) log_emit(LOG_TRACE, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_info(...)  log_emit(LOG_INFO, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_debug(...) log_emit(LOG_DEBUG, LOG_SUBSYSTEM, __VA_ARGS__)

#endif
