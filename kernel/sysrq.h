/*
 * Commands to the kernel past everything that runs: Alt-SysRq and a key, or a BREAK on a serial
 * terminal and a character.
 */
#ifndef KERNEL_SYSRQ_H
#define KERNEL_SYSRQ_H

#include <lib/types.h>

struct tty;

/* Does what the character stands for (h lists them in the log). `tty`: where it was typed. With no
 * lock held; does not sleep. */
void sysrq(uint8_t command, struct tty *tty);

#endif
