/*
 * kcmp(2), as Linux has it.
 */
#ifndef ABI_KCMP_H
#define ABI_KCMP_H

#include <stdint.h>

#define KCMP_FILE      0
#define KCMP_VM        1
#define KCMP_FILES     2
#define KCMP_FS        3
#define KCMP_SIGHAND   4
#define KCMP_IO        5
#define KCMP_SYSVSEM   6
#define KCMP_EPOLL_TFD 7

/* Results. */
#define KCMP_EQUAL   0
#define KCMP_LESS    1
#define KCMP_GREATER 2

/* Of the entries for `target_fd` the one with this number. */
struct abi_kcmp_epoll_slot {
	uint32_t epoll_fd;
	uint32_t target_fd;
	uint32_t nth;
};

#endif
