/*
 * The frame of the guest tests: a test is a function named after the promise, run by RUN() in
 * main().
 *
 * Each prints "ok NAME" or "not ok NAME: where: what", and the program ends with 1 if any failed.
 * These programs test the Linux ABI and have to pass on Linux; they use little of it themselves.
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* One of each, however many sources a program has. */
__attribute__((weak)) int failed_tests;
__attribute__((weak)) char failure[400]; /* of the running test; empty while all is well */

#define FAIL(...)                                                                                  \
	do {                                                                                       \
		if (!failure[0]) {                                                                 \
			int len_ =                                                                 \
				snprintf(failure, sizeof(failure), "%s:%d: ", __FILE__, __LINE__); \
			snprintf(failure + len_, sizeof(failure) - (size_t)len_, __VA_ARGS__);     \
		}                                                                                  \
		return;                                                                            \
	} while (0)

/* These end the running test, so they stand only in its own function. */
#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			FAIL("%s (errno: %s)", #condition, strerror(errno));                       \
	} while (0)

#define EXPECT_EQUAL(left, right)                                                                  \
	do {                                                                                       \
		long long left_ = (long long)(left), right_ = (long long)(right);                  \
		if (left_ != right_)                                                               \
			FAIL("%s is %lld, not %lld", #left, left_, right_);                        \
	} while (0)

/* A call that returns -1 and sets errno to `reason`. */
#define EXPECT_ERRNO(reason, call)                                                                 \
	do {                                                                                       \
		long long result_ = (long long)(call);                                             \
		if (result_ != -1)                                                                 \
			FAIL("%s is %lld, not -1 with %s", #call, result_, #reason);               \
		if (errno != (reason))                                                             \
			FAIL("%s says '%s', not %s", #call, strerror(errno), #reason);             \
	} while (0)

/* On Linux the tests may run in a container, whose root may not do everything. */
static inline bool may_be_restricted(void)
{
	struct utsname names;

	return uname(&names) == 0 && !strstr(names.release, "fuselage");
}

#define RUN(test) check_run(#test, test)

static inline void check_run(const char *name, void (*test)(void))
{
	failure[0] = 0;
	errno = 0;
	test();
	if (failure[0]) {
		printf("not ok %s: %s\n", name, failure);
		failed_tests++;
	} else {
		printf("ok %s\n", name);
	}
	fflush(stdout);
}

static inline int check_end(void)
{
	return failed_tests ? 1 : 0;
}

#endif
