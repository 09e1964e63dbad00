/*
 * The name of a core file, from a pattern (core(5)). Pure logic.
 */
#ifndef KERNEL_CORE_NAME_H
#define KERNEL_CORE_NAME_H

#include <lib/types.h>

struct core_facts {
	int32_t pid, tid;     /* %P, %I */
	int32_t own_pid;      /* %p: in its own PID namespace */
	int32_t own_tid;      /* %i */
	uint32_t uid, gid;    /* %u, %g: real ones */
	int signal;           /* %s */
	bool dumpable;        /* %d */
	uint64_t time_s;      /* %t: since 1970 */
	uint64_t limit_bytes; /* %c */
	uint32_t cpu;         /* %C */
	const char *host;     /* %h */
	const char *name;     /* %e: what it calls itself */
	const char *program;  /* %E: its file's absolute name, whose last part is %f */
};

/* With `uses_pid` the number is put behind a pattern that does not have it. What else stands behind
 * a % is left out, as on Linux. -ENAMETOOLONG; -ENOENT: nothing is left of it. */
err_t must_check core_name(char *to, size_t to_bytes, const char *pattern, bool uses_pid,
			   const struct core_facts *facts);

#endif
