/*
 * The end of the kernel, and the checks that lead there. panic() is for our own broken invariants
 * only; nothing that a program, a driver, a disk or a device does may reach it. Defined in
 * kernel/panic.c; host tests define their own.
 */
#ifndef LIB_PANIC_H
#define LIB_PANIC_H

#include <lib/types.h>

/* Stops the machine with registers, a symbolised backtrace, the running thread and the last log
 * lines. May be called anywhere, under any lock and from any interrupt. The format is
 * kernel_format()'s. */
noreturn void panic(const char *format, ...) PRINTF(1, 2);

#define assert(condition)                                                                          \
	do {                                                                                       \
		if (unlikely(!(condition)))                                                        \
			panic("%s:%d: assertion failed: %s", __FILE_NAME__, __LINE__, #condition); \
	} while (0)

/* Costs nothing in a release build, where the condition still compiles. */
#define debug_assert(condition)                                                                    \
	do {                                                                                       \
		if (IS_ON(FUSELAGE_DEBUG))                                                         \
			assert(condition);                                                         \
	} while (0)

#endif
