/*
 * What cannot be foreseen about this machine and this start of it, in one pool. cpu_random()
 * (arch/cpu.h) draws from it.
 */
#ifndef ARCH_ENTROPY_H
#define ARCH_ENTROPY_H

#include <arch/boot.h>
#include <arch/cpu.h>

/* Fills the pool, once, before the image is relocated. `info` is hashed whole, the command line
 * with it. */
void entropy_gather(const struct boot_info *info);

/* What a thread, or a CPU before its first thread, keeps between arrays on its stack and return
 * addresses. Its lowest byte is zero: it ends a string that runs over. */
static inline uint64_t stack_canary_new(void)
{
	return cpu_random() & ~UINT64_C(0xff);
}

#endif
