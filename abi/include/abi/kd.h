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

/* Which virtual console is shown (linux/vt.h). */
#define VT_OPENQRY    0x5600
#define VT_GETMODE    0x5601
#define VT_SETMODE    0x5602
#define VT_GETSTATE   0x5603
#define VT_ACTIVATE   0x5606
#define VT_WAITACTIVE 0x5607

#define VT_AUTO 0

struct abi_vt_mode {
	char mode;
	char waitv;
	short relsig;
	short acqsig;
	short frsig;
};

struct abi_vt_stat {
	unsigned short v_active;
	unsigned short v_signal;
	unsigned short v_state; /* a bit for each that is open; 0 always */
};

#endif
