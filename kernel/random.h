/*
 * Random bytes, for /dev/random, /dev/urandom, getrandom() and the kernel itself (stack canaries,
 * AT_RANDOM). ChaCha20 in counter mode, its key replaced after every use (what was given out
 * cannot be computed later) and fed with cpu_random() as it goes.
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <lib/types.h>

/* May be called from anywhere but interrupts. Never fails, never waits. */
void random_bytes(void *to, size_t len_bytes);
uint64_t random_u64(void);

/* Mixes something unforeseeable in: the time of an interrupt, what a program wrote to
 * /dev/random. */
void random_mix(const void *from, size_t len_bytes);

#endif
