/*
 * The log's ring and where its lines go; lib/log.h is how one speaks to it.
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <lib/log.h>
#include <lib/types.h>

#define LOG_LINE_MAX   256
#define LOG_RING_LINES 256 /* so many are kept */

/* Logging may happen under any lock, so it wakes nobody: who waits for a line looks again after
 * this long. */
#define LOG_LOOK_NS (100 * NSEC_PER_MSEC)

/* One line as it was logged. */
struct log_line {
	uint64_t time_ns;  /* of clock_ns() */
	uint64_t sequence; /* counts all lines since boot */
	uint8_t level;     /* enum log_level */
	uint8_t cpu;
	uint16_t len_bytes;
	int32_t thread;          /* its number; 0 early at boot */
	char text[LOG_LINE_MAX]; /* "subsystem: message", NUL-terminated */
};

/* Copies the line numbered `sequence` or, if that is gone already, the oldest one after it. False:
 * there is none yet. */
bool log_read(uint64_t sequence, struct log_line *out);

/* The number that the next line will have. */
uint64_t log_next_sequence(void);

/* syslog(2)'s number: 3 error, 4 warning, 6 information, 7 debug. */
unsigned log_syslog_level(uint8_t level);

/* Takes the lines from now on, besides the ring. May be called from anywhere that logs; it must not
 * log or sleep. NULL: the first serial port, by polling, as at the start. */
void log_set_sink(void (*sink)(const struct log_line *line));

/* Lines above this level go to the ring alone. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

/* The plain form, "[    1.234567] text\n", cut to `to_bytes`; returns its length. */
size_t log_format(const struct log_line *line, char *to, size_t to_bytes);

/* For a panic: the ring may be read without its lock from now on, and nothing goes to a sink any
 * more. */
void log_enter_panic(void);

#endif
