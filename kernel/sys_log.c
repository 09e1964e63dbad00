/*
 * syslog(2): the kernel's log as old programs read it. Owns how far it was read and cleared, which
 * is the same for all of them. /dev/kmsg is the other way to it.
 */
#include "log.h"
#include "log_hide.h"

#include "process/capability.h"
#include "process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <sched/lock.h>

enum syslog_action {
	SYSLOG_CLOSE,
	SYSLOG_OPEN,
	SYSLOG_READ,
	SYSLOG_READ_ALL,
	SYSLOG_READ_CLEAR,
	SYSLOG_CLEAR,
	SYSLOG_CONSOLE_OFF,
	SYSLOG_CONSOLE_ON,
	SYSLOG_CONSOLE_LEVEL,
	SYSLOG_SIZE_UNREAD,
	SYSLOG_SIZE_BUFFER,
};

#define LINE_BYTES (LOG_LINE_MAX + 64)

/* One reader at a time: what one takes the next does not get. */
static MUTEX(reading, LOCK_SYSLOG);
static uint64_t next_unread;      /* reading: the line that comes next */
static size_t unread_skip;        /* reading: bytes of it that were taken */
static uint64_t first_uncleared;  /* atomic */
static enum log_level kept_level; /* reading: before the console was turned off */
static bool console_off;          /* reading */

/* "<6>[    1.234567] text\n"; the number of the line in *sequence. 0: there is none from there on.
 */
static size_t get_line(uint64_t *sequence, char *to)
{
	struct log_line line;
	size_t len;

	if (!log_read(*sequence, &line))
		return 0;
	*sequence = line.sequence;
	log_hide_addresses(line.text);
	len = kernel_format(to, LINE_BYTES, "<%u>", log_syslog_level(line.level));
	return len + log_format(&line, to + len, LINE_BYTES - len);
}

static size_t count_bytes(uint64_t from)
{
	char line[LINE_BYTES];
	size_t sum = 0, len;

	for (uint64_t at = from; (len = get_line(&at, line)); at++)
		sum += len;
	return sum;
}

/* ---- reading what is new ---- */

/* What there is and fits, from where the last reader ended. */
static int take_unread_locked(uptr_t buf, size_t room) REQUIRES(reading)
{
	char line[LINE_BYTES];
	size_t done = 0;

	while (done < room) {
		uint64_t at = next_unread;
		size_t len = get_line(&at, line), step;

		if (!len)
			break;
		if (at != next_unread || unread_skip >= len)
			unread_skip = 0; /* the line is gone that was begun */
		step = MIN(room - done, len - unread_skip);
		if (user_copy_out(uptr_add(buf, done), line + unread_skip, step))
			return done ? (int)done : -EFAULT;
		done += step;
		unread_skip += step;
		next_unread = at;
		if (unread_skip == len) {
			next_unread++;
			unread_skip = 0;
		}
	}
	return (int)done;
}

static int read_unread(uptr_t buf, size_t room)
{
	int done = 0;

	while (!done) {
		err_t err = mutex_lock_killable(&reading);

		if (err)
			return err;
		done = take_unread_locked(buf, room);
		mutex_unlock(&reading);
		if (!done && (thread_interrupted() || thread_sleep_ns(LOG_LOOK_NS)))
			return -EINTR;
	}
	return done;
}

static int bytes_unread(void)
{
	err_t err = mutex_lock_killable(&reading);
	size_t sum;

	if (err)
		return err;
	sum = count_bytes(next_unread);
	sum -= MIN(sum, unread_skip);
	mutex_unlock(&reading);
	return (int)sum;
}

/* ---- reading all ---- */

/* The youngest whole lines that fit. */
static int read_all(uptr_t buf, size_t room, bool clear)
{
	uint64_t at = read_once(&first_uncleared);
	size_t sum = count_bytes(at), done = 0, len;
	char line[LINE_BYTES];

	for (; (len = get_line(&at, line)); at++) {
		if (sum > room) {
			sum -= MIN(sum, len);
			continue;
		}
		if (len > room - done)
			break;
		if (user_copy_out(uptr_add(buf, done), line, len))
			return -EFAULT;
		done += len;
	}
	if (clear)
		write_once(&first_uncleared, at);
	return (int)done;
}

/* ---- the console ---- */

/* Lines of a lower number than `level` are shown; errors always. */
static int set_console_level(int level)
{
	static const enum log_level by_number[] = {LOG_ERR,  LOG_ERR,  LOG_ERR,  LOG_ERR,  LOG_ERR,
						   LOG_WARN, LOG_WARN, LOG_INFO, LOG_DEBUG};
	err_t err;

	if (level < 1 || level >= (int)ARRAY_SIZE(by_number))
		return -EINVAL;
	err = mutex_lock_killable(&reading);
	if (err)
		return err;
	log_set_level(by_number[level]);
	console_off = false;
	mutex_unlock(&reading);
	return 0;
}

static int switch_console(bool on)
{
	err_t err = mutex_lock_killable(&reading);

	if (err)
		return err;
	if (on && console_off) {
		log_set_level(kept_level);
	} else if (!on && !console_off) {
		kept_level = log_level();
		log_set_level(LOG_ERR);
	}
	console_off = !on;
	mutex_unlock(&reading);
	return 0;
}

int sys_syslog(int action, uptr_t buf, int len)
{
	bool reads =
		action == SYSLOG_READ || action == SYSLOG_READ_ALL || action == SYSLOG_READ_CLEAR;

	/* What is there, and how much can be, is for everybody. */
	if (action != SYSLOG_READ_ALL && action != SYSLOG_SIZE_BUFFER && !capable(CAP_SYSLOG) &&
	    !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (reads && (uptr_is_null(buf) || len < 0))
		return -EINVAL;
	if (reads && len == 0)
		return 0;
	switch (action) {
	case SYSLOG_CLOSE:
	case SYSLOG_OPEN:
		return 0;
	case SYSLOG_READ:
		return read_unread(buf, (size_t)len);
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return read_all(buf, (size_t)len, action == SYSLOG_READ_CLEAR);
	case SYSLOG_CLEAR:
		write_once(&first_uncleared, log_next_sequence());
		return 0;
	case SYSLOG_CONSOLE_OFF:
	case SYSLOG_CONSOLE_ON:
		return switch_console(action == SYSLOG_CONSOLE_ON);
	case SYSLOG_CONSOLE_LEVEL:
		return set_console_level(len);
	case SYSLOG_SIZE_UNREAD:
		return bytes_unread();
	case SYSLOG_SIZE_BUFFER:
		return LOG_RING_LINES * LINE_BYTES;
	default:
		return -EINVAL;
	}
}
