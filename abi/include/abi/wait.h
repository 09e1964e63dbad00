/*
 * The status of a child that ended, as wait4 reports it, and wait4's options.
 */
#ifndef ABI_WAIT_H
#define ABI_WAIT_H

#define WNOHANG     1
#define WUNTRACED   2
#define WSTOPPED    WUNTRACED /* waitid's name of it */
#define WEXITED     4
#define WCONTINUED  8
#define WNOWAIT     0x01000000
#define __WNOTHREAD 0x20000000
#define __WALL      0x40000000
#define __WCLONE    0x80000000

/* Making one. */
#define WAIT_STATUS_EXIT(status)   (((status)&0xff) << 8)
#define WAIT_STATUS_SIGNAL(signal) ((signal)&0x7f)
#define WAIT_CORE_FLAG             0x80 /* with a signal: it left a core */

#define WAIT_STATUS_STOPPED(signal) (((signal) << 8) | 0x7f)
#define WAIT_STATUS_CONTINUED       0xffff

/* Reading one. */
#define WIFEXITED(status)   (((status)&0x7f) == 0)
#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WIFSIGNALED(status) (((status)&0x7f) != 0 && ((status)&0x7f) != 0x7f)
#define WTERMSIG(status)    ((status)&0x7f)
#define WCOREDUMP(status)   (((status)&WAIT_CORE_FLAG) != 0)

/* waitid's kinds of numbers. */
#define P_ALL   0
#define P_PID   1
#define P_PGID  2
#define P_PIDFD 3

#endif
