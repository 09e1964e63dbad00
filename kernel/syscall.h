/*
 * What the generated table and the tracer need of a system call. The table itself is made from
 * abi/syscalls.def; handlers are declared in the generated syscall_table.h.
 */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include <lib/types.h>

struct trap_frame;

typedef int64_t (*syscall_handler_t)(const struct trap_frame *frame);

enum syscall_flags {
	SYSCALL_SLEEPS = 1 << 0,
	SYSCALL_RESTARTS = 1 << 1, /* interrupted, it begins anew but for a handler's wish */
	SYSCALL_RESUMES = 1 << 2,  /* interrupted, it begins anew unless a handler ran */
};

struct syscall_info {
	const char *name;  /* NULL: there is no call of this number */
	const char *kinds; /* a letter for each argument: see trace.c */
	char result;       /* 'd' or 'x' */
	uint8_t flags;     /* enum syscall_flags */
};

/* By number, SYSCALL_LIMIT of them; every entry has a handler. */
extern const syscall_handler_t syscall_handlers[];
/* Of Linux's calls by number; behind them our own. */
extern const struct syscall_info syscall_infos[];

/* What is known of a call; NULL: there is none of this number. */
const struct syscall_info *syscall_info(uint64_t number);

/* The handler of what is not there: says so once for each program's name and call, and is -ENOSYS.
 */
int64_t syscall_missing(const struct trap_frame *frame);

#endif
