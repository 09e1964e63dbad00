/*
 * What restart_syscall does for an interrupted poll.
 */
#ifndef KERNEL_SYS_POLL_H
#define KERNEL_SYS_POLL_H

struct restart;

int poll_again(const struct restart *restart);

#endif
