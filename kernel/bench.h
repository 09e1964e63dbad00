/*
 * Measurements of the kernel, for ksh's `bench`. A figure is a count of the cycle counter, which
 * under QEMU's -icount shift=0 is a count of instructions and the same in every run.
 */
#ifndef KERNEL_BENCH_H
#define KERNEL_BENCH_H

#include <abi/ksh.h>
#include <lib/types.h>

/* By number from 0 up; NULL past the last. */
const char *bench_name(size_t number);

/* Runs one; how many rows it wanted to fill. -EPERM: a debug build; -ENOENT: no such number, or a
 * program that it needs is not in the ramdisk; -ENOMEM. */
long bench_run(size_t number, struct ksh_bench_row *out, size_t max);

/* True if the cycle counter goes up by one with each instruction. */
bool bench_counts_instructions(void);

/* ksh is at its prompt: boot is over. Only the first call counts. */
void bench_prompt_reached(void);

#endif
