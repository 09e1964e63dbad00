/*
 * What cannot be foreseen about this machine and this start of it, in one pool. cpu_random()
 * (arch/cpu.h) draws from it.
 */
#ifndef ARCH_ENTROPY_H
#define ARCH_ENTROPY_H

#include <arch/boot.h>

/* Fills the pool, once, before the image is relocated. `info` is hashed whole, the command line
 * with it. */
void entropy_gather(const struct boot_info *info);

#endif
