/*
 * calls: system calls that do next to nothing, so that what remains is the way in and out.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/bench.h"

#define NO_SUCH_CALL 500 /* below 512, where x32 begins, and given to nobody */

static int zero = -1;
static int null = -1;

static long null_syscall(unsigned count)
{
	while (count-- > 0)
		call0(SYS_getppid);
	return 0;
}

static long bad_syscall(unsigned count)
{
	while (count-- > 0) {
		if (call0(NO_SUCH_CALL) != -ENOSYS)
			return -EPROTO;
	}
	return 0;
}

/* As programs ask for it: the library takes the vDSO where there is one. */
static long clock_by_library(unsigned count)
{
	struct timespec time;

	while (count-- > 0) {
		if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
			return -errno;
	}
	return 0;
}

static long clock_by_syscall(unsigned count)
{
	struct timespec time;
	long error = 0;

	while (count-- > 0 && !error)
		error = call2(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time);
	return error;
}

static long open_devices(unsigned count)
{
	(void)count;
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	return zero < 0 || null < 0 ? -errno : 0;
}

static long close_devices(unsigned count)
{
	(void)count;
	close(zero);
	close(null);
	return 0;
}

static long read_one(unsigned count)
{
	char byte;
	long error = 0;

	while (count-- > 0 && !error)
		error = bench_whole(call3(SYS_read, zero, (long)&byte, 1), 1);
	return error;
}

static long read_page(unsigned count)
{
	static char page[PAGE_BYTES];
	long error = 0;

	while (count-- > 0 && !error)
		error = bench_whole(call3(SYS_read, zero, (long)page, PAGE_BYTES), PAGE_BYTES);
	return error;
}

static long write_one(unsigned count)
{
	char byte = 0;
	long error = 0;

	while (count-- > 0 && !error)
		error = bench_whole(call3(SYS_write, null, (long)&byte, 1), 1);
	return error;
}

/* The kernel's struct sigaction, which the library's is not. */
static long set_action(unsigned count)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} action = {.handler = SIG_IGN};
	long error = 0;

	while (count-- > 0 && !error)
		error = call6(SYS_rt_sigaction, SIGUSR1, (long)&action, 0, 8, 0, 0);
	return error;
}

static long set_mask(unsigned count)
{
	uint64_t mask = 0;
	long error = 0;

	while (count-- > 0 && !error)
		error = call6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, 0, 8, 0, 0);
	return error;
}

static long yield_alone(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error)
		error = call0(SYS_sched_yield);
	return error;
}

static const struct bench_row rows[] = {
	{"null_syscall", 4000, NULL, null_syscall, NULL},
	{"bad_syscall", 4000, NULL, bad_syscall, NULL},
	{"clock_gettime", 4000, NULL, clock_by_library, NULL},
	{"clock_gettime_syscall", 4000, NULL, clock_by_syscall, NULL},
	{"read1_dev_zero", 2000, open_devices, read_one, close_devices},
	{"read4k_dev_zero", 500, open_devices, read_page, close_devices},
	{"write1_dev_null", 2000, open_devices, write_one, close_devices},
	{"sigaction", 2000, NULL, set_action, NULL},
	{"sigprocmask", 2000, NULL, set_mask, NULL},
	{"sched_yield_alone", 1000, NULL, yield_alone, NULL},
};

int main(int argc, char **argv)
{
	return bench_main("calls", rows, LENGTH(rows), argc, argv);
}
