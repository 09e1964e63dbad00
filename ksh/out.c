/*
 * Output: two streams, each to the console or to a file, gathered so that a table is a few writes
 * instead of one for each cell. The error stream is written at once, after what output holds.
 */
#include <abi/signal.h>
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"

static struct {
	int output_file;
	int error_file;
	bool failed;
	char buffer[1024];
	size_t len;
} out = {.output_file = KSH_STREAM_CONSOLE, .error_file = KSH_STREAM_CONSOLE};

static void write_all(int file, const char *bytes, size_t nbytes)
{
	while (nbytes) {
		long done = file == KSH_STREAM_CONSOLE ? kernel->console_write(bytes, nbytes)
						       : kernel->file_write(file, bytes, nbytes);

		if (done <= 0) {
			out.failed = true;
			return;
		}
		bytes += done;
		nbytes -= (size_t)done;
	}
}

void output_flush(void)
{
	write_all(out.output_file, out.buffer, out.len);
	out.len = 0;
}

void output_redirect(int output_file, int error_file)
{
	output_flush();
	out.output_file = output_file;
	out.error_file = error_file;
	out.failed = false;
}

bool output_failed(void)
{
	return out.failed;
}

void print_bytes(const void *bytes, size_t nbytes)
{
	if (out.len + nbytes > sizeof(out.buffer))
		output_flush();
	if (nbytes > sizeof(out.buffer)) {
		write_all(out.output_file, bytes, nbytes);
		return;
	}
	memcpy(out.buffer + out.len, bytes, nbytes);
	out.len += nbytes;
}

void print(const char *format, ...)
{
	char text[512];
	va_list arguments;
	size_t len;

	va_start(arguments, format);
	len = kernel_format_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_bytes(text, MIN(len, sizeof(text) - 1));
}

void complain(const char *name, const char *format, ...)
{
	bool console = out.error_file == KSH_STREAM_CONSOLE;
	char text[512];
	va_list arguments;
	size_t len;

	len = kernel_format(text, sizeof(text), "%s%s:%s ", console ? "\033[31m" : "", name,
			    console ? "\033[0m" : "");
	va_start(arguments, format);
	len += kernel_format_list(text + len, sizeof(text) - 1 - len, format, arguments);
	va_end(arguments);
	len = MIN(len, sizeof(text) - 2);
	text[len++] = '\n';
	output_flush();
	write_all(out.error_file, text, len);
}

const char *paint(enum paint colour)
{
	static const char *const sequences[] = {
		[PAINT_NONE] = "\033[0m",    [PAINT_BOLD] = "\033[1m",
		[PAINT_DIM] = "\033[90m",    [PAINT_RED] = "\033[31m",
		[PAINT_GREEN] = "\033[32m",  [PAINT_YELLOW] = "\033[33m",
		[PAINT_BLUE] = "\033[1;34m", [PAINT_CYAN] = "\033[36m",
	};

	return out.output_file == KSH_STREAM_CONSOLE ? sequences[colour] : "";
}

/* One of four buffers, in turn. */
static char *scratch(void)
{
	static char texts[4][32];
	static unsigned next;

	return texts[next++ % 4];
}

const char *human_bytes(uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	uint64_t tenths = bytes * 10;
	size_t unit = 0;
	char *text = scratch();

	for (; tenths >= 10240 && unit + 1 < ARRAY_SIZE(units); unit++)
		tenths = (tenths + 512) / 1024;
	if (unit == 0 || tenths >= 1000)
		kernel_format(text, 32, "%lu %s", (tenths + (unit ? 5 : 0)) / 10, units[unit]);
	else
		kernel_format(text, 32, "%lu.%lu %s", tenths / 10, tenths % 10, units[unit]);
	return text;
}

const char *human_time(uint64_t ns)
{
	char *text = scratch();

	if (ns >= NSEC_PER_SEC)
		kernel_format(text, 32, "%llu.%03llu s", ns / NSEC_PER_SEC,
			      ns % NSEC_PER_SEC / NSEC_PER_MSEC);
	else if (ns >= NSEC_PER_MSEC)
		kernel_format(text, 32, "%llu.%02llu ms", ns / NSEC_PER_MSEC,
			      ns % NSEC_PER_MSEC / (10 * NSEC_PER_USEC));
	else if (ns >= NSEC_PER_USEC)
		kernel_format(text, 32, "%llu.%01llu us", ns / NSEC_PER_USEC,
			      ns % NSEC_PER_USEC / 100);
	else
		kernel_format(text, 32, "%lu ns", ns);
	return text;
}

struct number_text {
	int number;
	const char *name;
	const char *text;
};

const char *error_text(long negative_errno)
{
	static const struct number_text errors[] = {
		{EPERM, "", "not permitted"},
		{ENOENT, "", "no such file or directory"},
		{ESRCH, "", "no such process"},
		{EINTR, "", "interrupted"},
		{EIO, "", "input/output error"},
		{ENXIO, "", "no such device or terminal"},
		{E2BIG, "", "too many arguments"},
		{ENOEXEC, "", "not a program that can run here (dmesg says why)"},
		{EBADF, "", "not open for that"},
		{ECHILD, "", "not a program of this shell"},
		{EAGAIN, "", "try again"},
		{ENOMEM, "", "out of memory"},
		{EACCES, "", "permission denied (is it executable?)"},
		{EBUSY, "", "busy"},
		{EEXIST, "", "exists already"},
		{ENODEV, "", "no such device"},
		{ENOTDIR, "", "not a directory"},
		{EISDIR, "", "is a directory"},
		{EINVAL, "", "invalid argument"},
		{EMFILE, "", "too many open files"},
		{EFBIG, "", "file too large"},
		{ENOSPC, "", "no space left"},
		{EROFS, "", "read-only: /tmp is writable"},
		{ENAMETOOLONG, "", "name too long"},
		{ENOSYS, "", "not implemented"},
		{ELOOP, "", "too many symbolic links"},
		{ESTALE, "", "gone from its filesystem"},
		{ENOTCONN, "", "not connected: the filesystem's driver has ended"},
		{ECONNABORTED, "", "the filesystem's driver has ended meanwhile"},
		{ECONNREFUSED, "", "the filesystem's driver speaks another protocol"},
	};
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].number == -negative_errno)
			return errors[i].text;
	}
	text = scratch();
	kernel_format(text, 32, "error %ld", -negative_errno);
	return text;
}

static const struct number_text signals[] = {
	{SIGHUP, "SIGHUP", "hangup"},
	{SIGINT, "SIGINT", "interrupted by Ctrl-C"},
	{SIGQUIT, "SIGQUIT", "quit"},
	{SIGILL, "SIGILL", "illegal instruction"},
	{SIGTRAP, "SIGTRAP", "breakpoint"},
	{SIGABRT, "SIGABRT", "aborted"},
	{SIGBUS, "SIGBUS", "bus error"},
	{SIGFPE, "SIGFPE", "arithmetic error"},
	{SIGKILL, "SIGKILL", "killed"},
	{SIGUSR1, "SIGUSR1", "user signal 1"},
	{SIGSEGV, "SIGSEGV", "invalid memory access"},
	{SIGUSR2, "SIGUSR2", "user signal 2"},
	{SIGPIPE, "SIGPIPE", "nobody reads the pipe"},
	{SIGALRM, "SIGALRM", "alarm"},
	{SIGTERM, "SIGTERM", "terminated"},
	{SIGCHLD, "SIGCHLD", "a child ended"},
	{SIGCONT, "SIGCONT", "continued"},
	{SIGSTOP, "SIGSTOP", "stopped"},
	{SIGTSTP, "SIGTSTP", "stopped by Ctrl-Z"},
	{SIGSYS, "SIGSYS", "bad system call"},
};

const char *signal_name(int signal)
{
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (signals[i].number == signal)
			return signals[i].name;
	}
	text = scratch();
	kernel_format(text, 32, "signal %d", signal);
	return text;
}

const char *signal_text(int signal)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (signals[i].number == signal)
			return signals[i].text;
	}
	return "ended by a signal";
}

int signal_number(const char *text)
{
	uint64_t number;

	if (string_to_u64(text, &number) == 0)
		return number >= 1 && number <= SIGNAL_MAX ? (int)number : 0;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (strcmp(text, signals[i].name) == 0 || strcmp(text, signals[i].name + 3) == 0)
			return signals[i].number;
	}
	return 0;
}
