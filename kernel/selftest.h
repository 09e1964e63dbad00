/*
 * Runs the tests that lie beside the kernel's code (lib/selftest.h), for ksh's `selftest` and the
 * command line's.
 */
#ifndef KERNEL_SELFTEST_H
#define KERNEL_SELFTEST_H

#include <abi/ksh.h>
#include <lib/selftest.h>
#include <lib/types.h>

/* By number from 0 up; NULL past the last. */
const char *selftest_name(size_t number);

/* Runs one, in the calling thread, which may sleep; one at a time. A test passes if nothing it
 * checks fails and it leaves as many frames and slab objects in use as it found. -ENOENT: no such
 * test. */
err_t selftest_run(size_t number, struct ksh_test_result *out);

#endif
