/*
 * Tests that run inside the kernel, from ksh's `selftest`. They lie beside what they test, in files
 * <thing>_selftest.c, and are found by existing: SELFTEST() puts each into a table of the linker's.
 * A test runs in a thread that may sleep; it ends by returning. The runner (kernel/) keeps the
 * failures and compares frames and slab objects before and after.
 */
#ifndef LIB_SELFTEST_H
#define LIB_SELFTEST_H

#include <lib/types.h>

struct selftest {
	const char *name;
	void (*run)(void);
};

/* Laid out by the linker script. */
extern const struct selftest selftests_start[];
extern const struct selftest selftests_end[];

/* Defined by the runner: notes that the running test has failed, and where. It goes on. */
void selftest_fail(const char *file, unsigned line, const char *condition);

#define SELFTEST(test_name)                                                                        \
	static void selftest_##test_name(void);                                                    \
	static const struct selftest selftest_entry_##test_name                                    \
		__attribute__((section(".selftests"), used, aligned(16))) = {                      \
			.name = #test_name,                                                        \
			.run = selftest_##test_name,                                               \
	};                                                                                         \
	static void selftest_##test_name(void)

/* Notes a failure unless the condition holds. Its value is the condition's, for tests that cannot
 * go on: `if (!selftest_check(page)) return;`. */
#define selftest_check(condition)                                                                  \
	({                                                                                         \
		bool _holds = !!(condition);                                                       \
                                                                                                   \
		if (unlikely(!_holds))                                                             \
			selftest_fail(__FILE_NAME__, __LINE__, #condition);                        \
		_holds;                                                                            \
	})

#endif
