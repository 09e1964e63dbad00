/*
 * Filters of system calls: small ones, and adding them.
 */
#ifndef FILTER_HELP_H
#define FILTER_HELP_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field)                                                                                \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define SKIP_UNLESS(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, n)
#define RETURN(what)          BPF_STMT(BPF_RET | BPF_K, what)

static inline long add_program(unsigned flags, const struct sock_filter *program, unsigned n)
{
	struct sock_fprog whole = {(unsigned short)n, (struct sock_filter *)(uintptr_t)program};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &whole);
}

/* What shall come of one call; all others are made. */
static inline long add_filter(unsigned flags, long number, unsigned what)
{
	const struct sock_filter program[] = {LOAD(nr), SKIP_UNLESS(number, 1), RETURN(what),
					      RETURN(SECCOMP_RET_ALLOW)};

	return add_program(flags, program, sizeof(program) / sizeof(*program));
}

#endif
