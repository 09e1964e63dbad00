/*
 * /dev/fb0: the pixels as a file.
 */
#ifndef KERNEL_CONSOLE_FB0_H
#define KERNEL_CONSOLE_FB0_H

/* Registers it where there is a framebuffer. Once, after the screen. */
void fb0_init(void);

#endif
