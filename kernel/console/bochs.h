/*
 * The adapter of Bochs and QEMU (`-vga std`), which takes its mode from registers.
 */
#ifndef KERNEL_CONSOLE_BOCHS_H
#define KERNEL_CONSOLE_BOCHS_H

#include <arch/boot.h>

/* Where `video=WIDTHxHEIGHT` is given and there is such an adapter: sets that mode with 32 bits a
 * pixel. False, with a line in the log if it was asked for: no pixels. */
bool bochs_find(struct boot_framebuffer *out);

#endif
