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

/* What one place in the code has logged lately; zeroed at first. The log's own. */
struct log_limit {
	uint64_t since_ns;
	uint32_t nlines;
	uint32_t nmissed;
};

/* At most LOG_LIMIT_LINES in LOG_LIMIT_NS: more are counted, and the next line that is logged there
 * says before it how many. */
#define LOG_LIMIT_LINES 20
#define LOG_LIMIT_NS    (5 * NSEC_PER_SEC)
void log_emit_limited(struct log_limit *limit, enum log_level level, const char *subsystem,
		      const char *format, ...) PRINTF(4, 5);

#define log_err(...)   log_emit(LOG_ERR, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_warn(...)  log_emit(LOG_WARN, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_trace(...) log_emit(LOG_TRACE, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_info(...)  log_emit(LOG_INFO, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_debug(...) log_emit(LOG_DEBUG, LOG_SUBSYSTEM, __VA_ARGS__)

/* For lines that a program or a driver can bring about as often as it likes. */
#define log_limited(level, ...)                                                                    \
	do {                                                                                       \
		static struct log_limit limit_;                                                    \
		log_emit_limited(&limit_, level, LOG_SUBSYSTEM, __VA_ARGS__);                      \
	} while (0)

#endif
