/*
 * The framebuffer as others need it: what it looks like. Its drawing is a display (screen_priv.h).
 */
#ifndef KERNEL_CONSOLE_FRAMEBUFFER_H
#define KERNEL_CONSOLE_FRAMEBUFFER_H

#include <arch/boot.h>

/* NULL: there is none. Constant. */
const struct boot_framebuffer *framebuffer_shape(void);
/* The pixels themselves, slow to read: `pitch_bytes` * `height`. */
uint8_t *framebuffer_pixels(void);

#endif
