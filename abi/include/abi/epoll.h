/*
 * epoll(7) as Linux has it on x86-64.
 */
#ifndef ABI_EPOLL_H
#define ABI_EPOLL_H

#include <stdint.h>

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

/* The events are poll's (abi/fcntl.h); beside them stands how they are told. */
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP    (1u << 29)
#define EPOLLONESHOT   (1u << 30)
#define EPOLLET        (1u << 31)

/* Packed on x86-64: the same in 32-bit programs. */
struct abi_epoll_event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

_Static_assert(sizeof(struct abi_epoll_event) == 12, "Linux's on x86-64");

#endif
