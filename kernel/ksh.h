/*
 * The kernel's side of ksh: loading it from the ramdisk, running it, starting it anew after a
 * fault.
 */
#ifndef KERNEL_KSH_H
#define KERNEL_KSH_H

#include <lib/types.h>

#define KSH_FILE "/lib/ksh"

/* Starts the thread that loads and runs ksh. Once, when the root filesystem and the console are
 * there. */
void ksh_start(void);

/* The function of the loaded ksh around `address`, for backtraces; NULL: none. From any context:
 * its tables do not move while it runs. */
const char *ksh_symbol(uint64_t address, uint64_t *offset);

/* How often ksh was started again since boot. */
uint32_t ksh_restarts(void);

#endif
