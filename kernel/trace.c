/*
 * Shows system calls as strace does: `write(1, "hello\n", 6) = 6`. What an argument is comes from
 * the kinds that tools/gensyscalls.py made of its type and name:
 *
 *	d int   l int64_t   u unsigned   x hexadecimal   f descriptor   F descriptor or AT_FDCWD
 *	s string   b bytes, the length follows   m mode   o open flags   P protection
 *	M flags of mmap   A flags of the *at calls   w whence   c clock   S signal
 *	i command of ioctl   B base of arch_prctl   v pieces of writev, their number follows
 *
 * Owns the switch for all programs; a process has its own. No lock: a line is made on the stack of
 * the thread that is traced, and reading the program's memory may sleep.
 */
#define LOG_SUBSYSTEM "trace"

#include "trace.h"

#include "process.h"
#include "syscall.h"
#include "syscall_table.h"

#include <abi/clone.h>
#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/futex.h>
#include <abi/mman.h>
#include <abi/prctl.h>
#include <abi/termios.h>
#include <abi/time.h>
#include <abi/wait.h>
#include <arch/trap.h>
#include <arch/user.h>
#include <lib/errno_name.h>
#include <lib/fmt.h>
#include <lib/log.h>
#include <lib/string.h>

#define STRING_SHOWN 64 /* bytes of a path */
#define DATA_SHOWN   32 /* bytes of what is written */

static bool everything; /* atomic */

bool trace_everything(void)
{
	return read_once(&everything);
}

static void set_one(void *argument, struct process *process)
{
	process_set_logged(process, *(const bool *)argument);
}

err_t trace_set(int32_t pid, bool on)
{
	if (pid)
		return process_set_traced(pid, on);
	write_once(&everything, on);
	pid_for_each_rcu(set_one, &on);
	return 0;
}

/* ---- writing a line ---- */

static void add(struct trace_line *line, const char *format, ...) PRINTF(2, 3);
static void add(struct trace_line *line, const char *format, ...)
{
	va_list arguments;
	size_t room = sizeof(line->text) - line->len_bytes;
	size_t len;

	va_start(arguments, format);
	len = kernel_format_list(line->text + line->len_bytes, room, format, arguments);
	va_end(arguments);
	line->len_bytes += MIN(len, room - 1);
}

struct word {
	uint64_t value;
	const char *name;
};

/* Names of the bits that are set, and the rest as a number; `none` if there is no bit. */
static void add_flags(struct trace_line *line, uint64_t value, const struct word *words,
		      unsigned nwords, const char *none)
{
	const char *bar = "";

	for (unsigned i = 0; i < nwords; i++) {
		if (words[i].value && (value & words[i].value) == words[i].value) {
			add(line, "%s%s", bar, words[i].name);
			value &= ~words[i].value;
			bar = "|";
		}
	}
	if (value)
		add(line, "%s%#lx", bar, value);
	else if (!*bar)
		add(line, "%s", none);
}

/* The name of one of several values. */
static void add_choice(struct trace_line *line, uint64_t value, const struct word *words,
		       unsigned nwords)
{
	for (unsigned i = 0; i < nwords; i++) {
		if (words[i].value == value) {
			add(line, "%s", words[i].name);
			return;
		}
	}
	add(line, "%ld", (int64_t)value);
}

#define WORD(name)                                                                                 \
	{                                                                                          \
		(uint64_t)(name), #name                                                            \
	}

static void add_open_flags(struct trace_line *line, uint64_t value)
{
	static const struct word access[] = {WORD(O_RDONLY), WORD(O_WRONLY), WORD(O_RDWR)};
	static const struct word flags[] = {
		WORD(O_CREAT),    WORD(O_EXCL),      WORD(O_NOCTTY),  WORD(O_TRUNC),
		WORD(O_APPEND),   WORD(O_NONBLOCK),  WORD(O_SYNC),    WORD(O_DSYNC),
		WORD(O_DIRECT),   WORD(O_LARGEFILE), WORD(O_TMPFILE), WORD(O_DIRECTORY),
		WORD(O_NOFOLLOW), WORD(O_NOATIME),   WORD(O_CLOEXEC), WORD(O_PATH)};

	add_choice(line, value & O_ACCMODE, access, ARRAY_SIZE(access));
	if (value & ~(uint64_t)O_ACCMODE) {
		add(line, "|");
		add_flags(line, value & ~(uint64_t)O_ACCMODE, flags, ARRAY_SIZE(flags), "");
	}
}

static void add_prot(struct trace_line *line, uint64_t value)
{
	static const struct word flags[] = {WORD(PROT_READ), WORD(PROT_WRITE), WORD(PROT_EXEC)};

	add_flags(line, value, flags, ARRAY_SIZE(flags), "PROT_NONE");
}

static void add_map_flags(struct trace_line *line, uint64_t value)
{
	static const struct word flags[] = {
		WORD(MAP_SHARED),    WORD(MAP_PRIVATE),   WORD(MAP_FIXED),
		WORD(MAP_ANONYMOUS), WORD(MAP_GROWSDOWN), WORD(MAP_POPULATE),
		WORD(MAP_STACK),     WORD(MAP_NORESERVE), WORD(MAP_FIXED_NOREPLACE)};

	add_flags(line, value, flags, ARRAY_SIZE(flags), "0");
}

static void add_at_flags(struct trace_line *line, uint64_t value)
{
	static const struct word flags[] = {WORD(AT_SYMLINK_NOFOLLOW), WORD(AT_REMOVEDIR),
					    WORD(AT_SYMLINK_FOLLOW), WORD(AT_NO_AUTOMOUNT),
					    WORD(AT_EMPTY_PATH)};

	add_flags(line, value, flags, ARRAY_SIZE(flags), "0");
}

static void add_clock(struct trace_line *line, uint64_t value)
{
	static const struct word clocks[] = {
		WORD(CLOCK_REALTIME),           WORD(CLOCK_MONOTONIC),
		WORD(CLOCK_PROCESS_CPUTIME_ID), WORD(CLOCK_THREAD_CPUTIME_ID),
		WORD(CLOCK_MONOTONIC_RAW),      WORD(CLOCK_REALTIME_COARSE),
		WORD(CLOCK_MONOTONIC_COARSE),   WORD(CLOCK_BOOTTIME)};

	add_choice(line, value, clocks, ARRAY_SIZE(clocks));
}

static void add_ioctl(struct trace_line *line, uint64_t value)
{
	static const struct word commands[] = {
		WORD(TCGETS),    WORD(TCSETS),    WORD(TCSETSW),    WORD(TCSETSF),
		WORD(TCSBRK),    WORD(TCXONC),    WORD(TCFLSH),     WORD(TIOCSCTTY),
		WORD(TIOCGPGRP), WORD(TIOCSPGRP), WORD(TIOCGWINSZ), WORD(TIOCSWINSZ),
		WORD(TIOCNOTTY), WORD(TIOCGSID),  WORD(TIOCOUTQ),
	};

	add_choice(line, value, commands, ARRAY_SIZE(commands));
}

static void add_base(struct trace_line *line, uint64_t value)
{
	static const struct word bases[] = {WORD(ARCH_SET_GS), WORD(ARCH_SET_FS), WORD(ARCH_GET_FS),
					    WORD(ARCH_GET_GS)};

	add_choice(line, value, bases, ARRAY_SIZE(bases));
}

static void add_signal(struct trace_line *line, uint64_t value)
{
	static const struct word signals[] = {
		WORD(SIGHUP),  WORD(SIGINT),   WORD(SIGQUIT), WORD(SIGILL),  WORD(SIGTRAP),
		WORD(SIGABRT), WORD(SIGBUS),   WORD(SIGFPE),  WORD(SIGKILL), WORD(SIGUSR1),
		WORD(SIGSEGV), WORD(SIGUSR2),  WORD(SIGPIPE), WORD(SIGALRM), WORD(SIGTERM),
		WORD(SIGCHLD), WORD(SIGCONT),  WORD(SIGSTOP), WORD(SIGTSTP), WORD(SIGTTIN),
		WORD(SIGTTOU), WORD(SIGURG),   WORD(SIGXCPU), WORD(SIGXFSZ), WORD(SIGVTALRM),
		WORD(SIGPROF), WORD(SIGWINCH), WORD(SIGIO),   WORD(SIGPWR),  WORD(SIGSYS)};

	add_choice(line, (uint64_t)(int64_t)(int32_t)value, signals, ARRAY_SIZE(signals));
}

static void add_clone_flags(struct trace_line *line, uint64_t value)
{
	static const struct word flags[] = {
		WORD(CLONE_VM),
		WORD(CLONE_FS),
		WORD(CLONE_FILES),
		WORD(CLONE_SIGHAND),
		WORD(CLONE_VFORK),
		WORD(CLONE_PARENT),
		WORD(CLONE_THREAD),
		WORD(CLONE_SYSVSEM),
		WORD(CLONE_SETTLS),
		WORD(CLONE_PARENT_SETTID),
		WORD(CLONE_CHILD_CLEARTID),
		WORD(CLONE_DETACHED),
		WORD(CLONE_CHILD_SETTID),
	};

	add_flags(line, value & ~CSIGNAL, flags, ARRAY_SIZE(flags), "0");
	if (value & CSIGNAL) {
		add(line, "|");
		add_signal(line, value & CSIGNAL);
	}
}

static void add_futex_op(struct trace_line *line, uint64_t value)
{
	static const struct word commands[] = {
		WORD(FUTEX_WAIT),           WORD(FUTEX_WAKE),       WORD(FUTEX_REQUEUE),
		WORD(FUTEX_CMP_REQUEUE),    WORD(FUTEX_WAKE_OP),    WORD(FUTEX_WAIT_BITSET),
		WORD(FUTEX_WAKE_BITSET),    WORD(FUTEX_LOCK_PI),    WORD(FUTEX_LOCK_PI2),
		WORD(FUTEX_UNLOCK_PI),      WORD(FUTEX_TRYLOCK_PI), WORD(FUTEX_WAIT_REQUEUE_PI),
		WORD(FUTEX_CMP_REQUEUE_PI),
	};

	add_choice(line, value & FUTEX_CMD_MASK, commands, ARRAY_SIZE(commands));
	if (value & FUTEX_PRIVATE_FLAG)
		add(line, "|FUTEX_PRIVATE_FLAG");
	if (value & FUTEX_CLOCK_REALTIME)
		add(line, "|FUTEX_CLOCK_REALTIME");
}

static void add_how(struct trace_line *line, uint64_t value)
{
	static const struct word words[] = {WORD(SIG_BLOCK), WORD(SIG_UNBLOCK), WORD(SIG_SETMASK)};

	add_choice(line, value, words, ARRAY_SIZE(words));
}

static void add_wait_options(struct trace_line *line, uint64_t value)
{
	static const struct word flags[] = {WORD(WNOHANG),    WORD(WUNTRACED), WORD(WEXITED),
					    WORD(WCONTINUED), WORD(WNOWAIT),   WORD(__WALL)};

	add_flags(line, value, flags, ARRAY_SIZE(flags), "0");
}

static void add_whence(struct trace_line *line, uint64_t value)
{
	static const struct word words[] = {WORD(SEEK_SET), WORD(SEEK_CUR), WORD(SEEK_END),
					    WORD(SEEK_DATA), WORD(SEEK_HOLE)};

	add_choice(line, value, words, ARRAY_SIZE(words));
}

static void add_escaped(struct trace_line *line, const char *bytes, size_t len_bytes)
{
	static const char short_names[] = "n\nt\tr\r\"\"\\\\";

	for (size_t i = 0; i < len_bytes; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		const char *found = NULL;

		for (unsigned j = 0; j + 1 < sizeof(short_names) && !found; j += 2) {
			if (short_names[j + 1] == (char)byte)
				found = &short_names[j];
		}
		if (found)
			add(line, "\\%c", *found);
		else if (byte < ' ' || byte > '~')
			add(line, "\\x%02x", byte);
		else
			add(line, "%c", byte);
	}
}

static void add_string(struct trace_line *line, uint64_t address)
{
	char text[STRING_SHOWN + 1];
	ssize_t len = user_copy_string(text, uptr(address), sizeof(text));

	if (len == -EFAULT) {
		add(line, "%#lx", address);
		return;
	}
	add(line, "\"");
	add_escaped(line, text, len < 0 ? STRING_SHOWN : (size_t)len);
	add(line, "\"%s", len < 0 ? "..." : "");
}

static void add_data(struct trace_line *line, uint64_t address, uint64_t len_bytes)
{
	char bytes[DATA_SHOWN];
	size_t shown = MIN(len_bytes, sizeof(bytes));

	if (user_copy_in(bytes, uptr(address), shown)) {
		add(line, "%#lx", address);
		return;
	}
	add(line, "\"");
	add_escaped(line, bytes, shown);
	add(line, "\"%s", shown < len_bytes ? "..." : "");
}

#define PIECES_SHOWN 4

/* struct iovec[]: address and length of each piece. */
static void add_pieces(struct trace_line *line, uint64_t address, uint64_t npieces)
{
	uint64_t pieces[2 * PIECES_SHOWN];
	size_t shown = MIN(npieces, (uint64_t)PIECES_SHOWN);

	if (user_copy_in(pieces, uptr(address), shown * 2 * sizeof(pieces[0]))) {
		add(line, "%#lx", address);
		return;
	}
	add(line, "[");
	for (size_t i = 0; i < shown; i++) {
		add(line, "%s{", i ? ", " : "");
		add_data(line, pieces[2 * i], pieces[2 * i + 1]);
		add(line, ", %lu}", pieces[2 * i + 1]);
	}
	add(line, "%s]", shown < npieces ? ", ..." : "");
}

#define STRINGS_SHOWN 8

/* The arguments of a program. */
static void add_strings(struct trace_line *line, uint64_t address)
{
	uint64_t string;

	add(line, "[");
	for (unsigned i = 0;; i++, address += sizeof(string)) {
		if (user_get(&string, uptr(address)) || !string)
			break;
		add(line, "%s", i ? ", " : "");
		if (i == STRINGS_SHOWN) {
			add(line, "...");
			break;
		}
		add_string(line, string);
	}
	add(line, "]");
}

static void add_argument(struct trace_line *line, char kind, const uint64_t *values)
{
	uint64_t value = *values;

	switch (kind) {
	case 'F':
		if ((int32_t)value == AT_FDCWD) {
			add(line, "AT_FDCWD");
			return;
		}
		add(line, "%d", (int32_t)value);
		return;
	case 'd':
	case 'f':
		add(line, "%d", (int32_t)value);
		return;
	case 'l':
		add(line, "%ld", (int64_t)value);
		return;
	case 'u':
		add(line, "%lu", value);
		return;
	case 's':
		add_string(line, value);
		return;
	case 'b':
		add_data(line, value, values[1]);
		return;
	case 'm':
		add(line, "%#o", (uint32_t)value);
		return;
	case 'o':
		add_open_flags(line, (uint32_t)value);
		return;
	case 'P':
		add_prot(line, (uint32_t)value);
		return;
	case 'M':
		add_map_flags(line, (uint32_t)value);
		return;
	case 'A':
		add_at_flags(line, (uint32_t)value);
		return;
	case 'w':
		add_whence(line, (uint32_t)value);
		return;
	case 'c':
		add_clock(line, (uint32_t)value);
		return;
	case 'S':
		add_signal(line, value);
		return;
	case 'i':
		add_ioctl(line, (uint32_t)value);
		return;
	case 'B':
		add_base(line, (uint32_t)value);
		return;
	case 'C':
		add_clone_flags(line, value);
		return;
	case 'U':
		add_futex_op(line, (uint32_t)value);
		return;
	case 'H':
		add_how(line, (uint32_t)value);
		return;
	case 'W':
		add_wait_options(line, (uint32_t)value);
		return;
	case 'V':
		add_strings(line, value);
		return;
	case 'v':
		add_pieces(line, value, values[1]);
		return;
	default:
		if (value)
			add(line, "%#lx", value);
		else
			add(line, "0");
		return;
	}
}

/* ---- a call ---- */

static const struct syscall_info *info_of(const struct trap_frame *frame)
{
	static const struct syscall_info unknown = {"syscall", "xxxxxx", 'd', 0};
	const struct syscall_info *info = syscall_info(frame->error_code);

	return info ? info : &unknown;
}

static bool comes_back(uint64_t number)
{
	return number != 60 && number != 231; /* exit, exit_group */
}

static void emit(const struct trace_line *line, const char *result)
{
	const struct process *process = process_current();

	log_trace("%s[%d]: %s = %s", process->name, process->pid, line->text, result);
}

void trace_begin(struct trace_line *line, const struct trap_frame *frame)
{
	const uint64_t values[7] = {frame->rdi, frame->rsi, frame->rdx, frame->r10,
				    frame->r8,  frame->r9,  0};
	const struct syscall_info *info = info_of(frame);

	line->len_bytes = 0;
	add(line, "%s(", info->name);
	for (unsigned i = 0; info->kinds[i]; i++) {
		if (i)
			add(line, ", ");
		add_argument(line, info->kinds[i], &values[i]);
	}
	add(line, ")");
	if (!comes_back(frame->error_code))
		emit(line, "?");
}

void trace_end(const struct trace_line *line, const struct trap_frame *frame)
{
	int64_t value = (int64_t)frame->rax;
	char result[48];

	if (value < 0 && value >= -4095)
		kernel_format(result, sizeof(result), "-1 %s", errno_name((err_t)-value));
	else if (info_of(frame)->result == 'x')
		kernel_format(result, sizeof(result), "%#lx", (uint64_t)value);
	else
		kernel_format(result, sizeof(result), "%ld", value);
	emit(line, result);
}
