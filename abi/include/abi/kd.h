/*
 * The text terminal's own ioctl commands (linux/kd.h): who has the pixels, what keys send.
 */
#ifndef ABI_KD_H
#define ABI_KD_H

#define KDSETMODE 0x4b3a
#define KDGETMODE 0x4b3b

#define KD_TEXT     0
#define KD_GRAPHICS 1

#define KDGKBMODE 0x4b44
#define KDSKBMODE 0x4b45

#define K_OFF 4 /* the last of the modes, which begin with 0: raw, xlate, medium raw, unicode */

#define KDGETLED 0x4b31 /* Scroll Lock 1, Num Lock 2, Caps Lock 4 */
#define KDSETLED 0x4b32

#define KDGKBTYPE 0x4b33
#define KB_101    0x02

#endif
