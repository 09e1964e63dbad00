/*
 * measure: what system calls and page faults cost, seen from the program's side, for ksh's `bench`.
 * One line for each figure: its name, a blank, and hundredths of a cycle of the time stamp counter
 * for one operation, the loop around it already taken off. Under QEMU's -icount a cycle is an
 * instruction.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/program.h"

#define BATCHES    8 /* of which the cheapest counts: the others met an interrupt */
#define CALLS      2000
#define FAULTS     256
#define PAGE_BYTES 4096

static const char help[] = "usage: measure\n"
			   "Measures system calls and page faults, in hundredths of a cycle.\n";

static uint64_t cycles(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* Without the library: its share is not the kernel's. */
static inline long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static uint64_t time_calls(long number, long a, long b, long c)
{
	uint64_t start = cycles();

	for (unsigned i = 0; i < CALLS; i++)
		call(number, a, b, c);
	return cycles() - start;
}

static uint64_t time_nothing(void)
{
	uint64_t start = cycles();

	for (unsigned i = 0; i < CALLS; i++)
		__asm__ volatile("" ::: "memory");
	return cycles() - start;
}

static void report(const char *name, uint64_t total, uint64_t times)
{
	printf("%s %llu\n", name, (unsigned long long)(total * 100 / times));
}

static void report_calls(const char *name, long number, long a, long b, long c)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t total = time_calls(number, a, b, c);

		least = total < least ? total : least;
	}
	report(name, least - time_nothing(), CALLS);
}

/* Through the library, as programs do: no system call, where the kernel lets it. */
static void report_clock(void)
{
	uint64_t least = UINT64_MAX;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now); /* the library looks for the vDSO */
	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t total = cycles();

		for (unsigned k = 0; k < CALLS; k++)
			clock_gettime(CLOCK_MONOTONIC, &now);
		total = cycles() - total;
		least = total < least ? total : least;
	}
	report("clock_gettime through the vDSO", least - time_nothing(), CALLS);
}

/* Fresh pages are written one after the other; 0: there is no memory. */
static uint64_t time_faults(void)
{
	volatile char *pages = mmap(NULL, FAULTS * PAGE_BYTES, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t total;

	if (pages == MAP_FAILED) {
		complain_errno("mmap");
		return 0;
	}
	total = cycles();
	for (unsigned i = 0; i < FAULTS; i++)
		pages[i * PAGE_BYTES] = 1;
	total = cycles() - total;
	munmap((void *)pages, FAULTS * PAGE_BYTES);
	return total;
}

static int report_faults(void)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t total = time_faults();

		if (!total)
			return 1;
		least = total < least ? total : least;
	}
	report("page fault, a fresh page of zeros", least, FAULTS);
	return 0;
}

int main(int argc, char **argv)
{
	struct timespec now;
	char byte = 0;
	int zero, null;

	program_start("measure", help, argc, argv);
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	if (zero < 0 || null < 0) {
		complain_errno("/dev");
		return 1;
	}
	report_calls("null system call", SYS_getppid, 0, 0, 0);
	report_calls("clock_gettime by system call", SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now,
		     0);
	report_clock();
	report_calls("read of 1 byte from /dev/zero", SYS_read, zero, (long)&byte, 1);
	report_calls("write of 1 byte to /dev/null", SYS_write, null, (long)&byte, 1);
	if (report_faults() != 0)
		return 1;
	return program_end(0);
}
