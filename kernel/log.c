/*
 * Owns the ring of the last log lines and the choice of where lines go. The ring and the sink are
 * under `lock`, the innermost of all, taken with interrupts off: a line may come from anywhere.
 * After log_enter_panic() the lock is ignored: the one CPU that is left must be able to read.
 *
 * The sink is called under the lock, so that lines keep their order; it only ever touches a port or
 * a ring of bytes.
 */
#include "log.h"

#include <arch/clock.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/spin.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <sched/thread.h>

#include "log_hide.h"

static struct spinlock lock = SPINLOCK_INIT(LOCK_LOG);
static struct log_line ring[LOG_RING_LINES];      /* [lock] */
static uint64_t next_sequence;                    /* [lock] */
static void (*sink)(const struct log_line *line); /* [lock] */
static enum log_level sink_level = LOG_INFO;      /* atomic */
static bool in_panic;                             /* atomic; never false again */

static void write_polled(const struct log_line *line)
{
	char text[LOG_LINE_MAX + 32];
	size_t len = log_format(line, text, sizeof(text));

	console_write_raw(text, len);
}

static void emit_locked(enum log_level level, const char *subsystem, const char *format,
			va_list arguments) REQUIRES(lock)
{
	struct log_line *line = &ring[next_sequence % LOG_RING_LINES];
	struct thread *thread = current_thread();
	size_t len;

	line->time_ns = clock_ns();
	line->sequence = next_sequence++;
	line->level = (uint8_t)level;
	line->cpu = (uint8_t)cpu_id();
	line->thread = thread ? thread->tid : 0;
	len = kernel_format(line->text, sizeof(line->text), "%s: ", subsystem);
	len += kernel_format_list(line->text + len, sizeof(line->text) - len, format, arguments);
	line->len_bytes = (uint16_t)MIN(len, sizeof(line->text) - 1);
	log_hide_controls(line->text, line->len_bytes);
	if (level <= read_once(&sink_level)) {
		if (sink)
			sink(line);
		else
			write_polled(line);
	}
}

void log_emit(enum log_level level, const char *subsystem, const char *format, ...)
{
	irqflags_t flags;
	va_list arguments;

	if (read_once(&in_panic))
		return;
	flags = spin_lock_irqsave(&lock);
	va_start(arguments, format);
	emit_locked(level, subsystem, format, arguments);
	va_end(arguments);
	spin_unlock_irqrestore(&lock, flags);
}

static void tell_missed_locked(enum log_level level, const char *subsystem, const char *format, ...)
	REQUIRES(lock) PRINTF(3, 4);
static void tell_missed_locked(enum log_level level, const char *subsystem, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	emit_locked(level, subsystem, format, arguments);
	va_end(arguments);
}

/* May the place speak? Says first what it could not. */
static bool limit_allows_locked(struct log_limit *limit, enum log_level level,
				const char *subsystem) REQUIRES(lock)
{
	uint64_t now_ns = clock_ns();

	if (!limit->nlines || now_ns - limit->since_ns >= LOG_LIMIT_NS) {
		if (limit->nmissed)
			tell_missed_locked(level, subsystem,
					   "%u lines like the next one were not logged",
					   limit->nmissed);
		*limit = (struct log_limit){.since_ns = now_ns};
	}
	if (limit->nlines == LOG_LIMIT_LINES) {
		limit->nmissed++;
		return false;
	}
	limit->nlines++;
	return true;
}

void log_emit_limited(struct log_limit *limit, enum log_level level, const char *subsystem,
		      const char *format, ...)
{
	irqflags_t flags;
	va_list arguments;

	if (read_once(&in_panic))
		return;
	flags = spin_lock_irqsave(&lock);
	if (limit_allows_locked(limit, level, subsystem)) {
		va_start(arguments, format);
		emit_locked(level, subsystem, format, arguments);
		va_end(arguments);
	}
	spin_unlock_irqrestore(&lock, flags);
}

size_t log_format(const struct log_line *line, char *to, size_t to_bytes)
{
	size_t len =
		kernel_format(to, to_bytes, "[%5llu.%06llu] %s\n", line->time_ns / NSEC_PER_SEC,
			      line->time_ns % NSEC_PER_SEC / NSEC_PER_USEC, line->text);

	return MIN(len, to_bytes - 1);
}

static bool read_locked(uint64_t sequence, struct log_line *out) REQUIRES(lock)
{
	if (sequence + LOG_RING_LINES < next_sequence)
		sequence = next_sequence - LOG_RING_LINES;
	if (sequence >= next_sequence)
		return false;
	*out = ring[sequence % LOG_RING_LINES];
	return true;
}

/* In a panic nobody else runs, and who held the lock will never give it back. */
static bool read_in_panic(uint64_t sequence, struct log_line *out) NO_THREAD_SAFETY
{
	return read_locked(sequence, out);
}

bool log_read(uint64_t sequence, struct log_line *out)
{
	irqflags_t flags;
	bool found;

	if (read_once(&in_panic))
		return read_in_panic(sequence, out);
	flags = spin_lock_irqsave(&lock);
	found = read_locked(sequence, out);
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

uint64_t log_next_sequence(void)
{
	irqflags_t flags = spin_lock_irqsave(&lock);
	uint64_t next = next_sequence;

	spin_unlock_irqrestore(&lock, flags);
	return next;
}

unsigned log_syslog_level(uint8_t level)
{
	static const uint8_t levels[] = {
		[LOG_ERR] = 3, [LOG_WARN] = 4, [LOG_TRACE] = 6, [LOG_INFO] = 6, [LOG_DEBUG] = 7,
	};

	return level < ARRAY_SIZE(levels) ? levels[level] : 7;
}

void log_set_sink(void (*new_sink)(const struct log_line *line))
{
	irqflags_t flags = spin_lock_irqsave(&lock);

	sink = new_sink;
	spin_unlock_irqrestore(&lock, flags);
}

void log_set_level(enum log_level level)
{
	write_once(&sink_level, level);
}

enum log_level log_level(void)
{
	return read_once(&sink_level);
}

void log_enter_panic(void)
{
	write_once(&in_panic, true);
}
