/*
 * What the benchmark programs share. Each is one family of rows; the same static file runs on
 * Fuselage and on Linux, and prints one line a row once all are measured:
 *
 *   row FAMILY NAME VALUE      VALUE: time stamp cycles for one operation (--wall: nanoseconds),
 * the median of BENCH_BATCHES batches after one that warms up lacks FAMILY NAME REASON   this
 * kernel cannot do it
 *
 * Where QEMU counts (-icount shift=0) a cycle is an instruction, of program and kernel together.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#define BENCH_BATCHES 5
#define PAGE_BYTES    4096UL
/* The number of elements of an array. */
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/*
 * One row. All functions return 0 or a negative errno, which becomes the row's reason. A batch does
 * `count` operations and is what is timed; before() and after() stand around each batch, either may
 * be NULL; after() runs whether or not the batch worked.
 */
struct bench_row {
	const char *name;
	unsigned count;
	long (*before)(unsigned count);
	long (*batch)(unsigned count);
	long (*after)(unsigned count);
};

/* A program's main(): measures all `rows`, or those that the command line names. */
int bench_main(const char *family, const struct bench_row *rows, unsigned nrows, int argc,
	       char **argv);

/* The call itself, without the library, whose share is not the kernel's: a result, or a negative
 * errno. */
static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long call3(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long call0(long number)
{
	return call3(number, 0, 0, 0);
}

static inline long call2(long number, long a, long b)
{
	return call3(number, a, b, 0);
}

static inline long call1(long number, long a)
{
	return call3(number, a, 0, 0);
}

/* For calls that must do all of `wanted` bytes: 0, a negative errno, or -EIO for a part of them. */
long bench_whole(long result, unsigned long wanted);

#endif
