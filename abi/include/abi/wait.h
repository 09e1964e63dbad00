/*
 * The status of a child that ended, as wait4 reports it, and wait4's options.
 */
#ifndef ABI_WAIT_H
#define ABI_WAIT_H

#define WNOHANG     1
#define WUNTRACED   2
#define WCONTINUED  8
#define __WNOTHREAD 0x20000000
#define __WALL      0x40000000
#define __WCLONE    0x80000000

/* Making one. */
#define WAIT_STATUS_EXIT(status)   (((status)&0xff) << 8)
#define WAIT_STATUS_SIGNAL(signal) ((signal)&0x7f)

/* Reading one. */
#define WIFEXITED(status)   (((status)&0x7f) == 0)
#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WIFSIGNALED(status) (((status)&0x7f) != 0 && ((status)&0x7f) != 0x7f)
#define WTERMSIG(status)    ((status)&0x7f)

#endif
