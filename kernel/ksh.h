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

/* How often ksh was started again since boot. */
uint32_t ksh_restarts(void);

#endif
