/*
 * Terminals: the settings of TCGETS, the window size, and the ioctl numbers of terminals and files,
 * as Linux has them on x86-64.
 */
#ifndef ABI_TERMIOS_H
#define ABI_TERMIOS_H

#include <stdint.h>

#define TCGETS     0x5401u
#define TCSETS     0x5402u
#define TCSETSW    0x5403u
#define TCSETSF    0x5404u
#define TCSBRK     0x5409u
#define TCXONC     0x540au
#define TCFLSH     0x540bu
#define TIOCEXCL   0x540cu
#define TIOCNXCL   0x540du
#define TIOCSCTTY  0x540eu
#define TIOCGPGRP  0x540fu
#define TIOCSPGRP  0x5410u
#define TIOCOUTQ   0x5411u
#define TIOCSTI    0x5412u
#define TIOCGWINSZ 0x5413u
#define TIOCSWINSZ 0x5414u
#define TIOCMGET   0x5415u
#define FIONREAD   0x541bu
#define TIOCINQ    FIONREAD
#define TIOCCONS   0x541du
#define TIOCPKT    0x5420u
#define FIONBIO    0x5421u
#define TIOCNOTTY  0x5422u
#define TIOCSETD   0x5423u
#define TIOCGETD   0x5424u
#define TCSBRKP    0x5425u
#define TIOCGSID   0x5429u
#define FIONCLEX   0x5450u
#define FIOCLEX    0x5451u
#define FIOASYNC   0x5452u

#define ABI_NCCS 19

/* The kernel's form, without speeds: 36 bytes. */
struct abi_termios {
	uint32_t c_iflag;
	uint32_t c_oflag;
	uint32_t c_cflag;
	uint32_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[ABI_NCCS];
};
_Static_assert(sizeof(struct abi_termios) == 36, "the kernel's struct termios");

struct abi_winsize {
	uint16_t ws_row;
	uint16_t ws_col;
	uint16_t ws_xpixel;
	uint16_t ws_ypixel;
};

/* c_cc */
#define VINTR    0
#define VQUIT    1
#define VERASE   2
#define VKILL    3
#define VEOF     4
#define VTIME    5
#define VMIN     6
#define VSWTC    7
#define VSTART   8
#define VSTOP    9
#define VSUSP    10
#define VEOL     11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE  14
#define VLNEXT   15
#define VEOL2    16

/* c_iflag */
#define IGNBRK  0000001u
#define BRKINT  0000002u
#define IGNPAR  0000004u
#define PARMRK  0000010u
#define INPCK   0000020u
#define ISTRIP  0000040u
#define INLCR   0000100u
#define IGNCR   0000200u
#define ICRNL   0000400u
#define IUCLC   0001000u
#define IXON    0002000u
#define IXANY   0004000u
#define IXOFF   0010000u
#define IMAXBEL 0020000u
#define IUTF8   0040000u

/* c_oflag */
#define OPOST  0000001u
#define OLCUC  0000002u
#define ONLCR  0000004u
#define OCRNL  0000010u
#define ONOCR  0000020u
#define ONLRET 0000040u
#define OFILL  0000100u
#define OFDEL  0000200u
#define TABDLY 0014000u
#define XTABS  0014000u

/* c_cflag */
#define CBAUD   0010017u
#define B9600   0000015u
#define B38400  0000017u
#define B115200 0010002u
#define CSIZE   0000060u
#define CS8     0000060u
#define CSTOPB  0000100u
#define CREAD   0000200u
#define PARENB  0000400u
#define PARODD  0001000u
#define HUPCL   0002000u
#define CLOCAL  0004000u

/* c_lflag */
#define ISIG    0000001u
#define ICANON  0000002u
#define XCASE   0000004u
#define ECHO    0000010u
#define ECHOE   0000020u
#define ECHOK   0000040u
#define ECHONL  0000100u
#define NOFLSH  0000200u
#define TOSTOP  0000400u
#define ECHOCTL 0001000u
#define ECHOPRT 0002000u
#define ECHOKE  0004000u
#define FLUSHO  0010000u
#define PENDIN  0040000u
#define IEXTEN  0100000u

/* TCFLSH, TCXONC */
#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2
#define TCOOFF    0
#define TCOON     1
#define TCIOFF    2
#define TCION     3

#endif
