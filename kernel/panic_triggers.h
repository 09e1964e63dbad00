/*
 * Ways to break the kernel on purpose, so that what it says then can be tested. Each is done in the
 * kernel proper, where no restart of ksh can swallow it.
 */
#ifndef KERNEL_PANIC_TRIGGERS_H
#define KERNEL_PANIC_TRIGGERS_H

#include <abi/ksh.h>
#include <lib/types.h>

/* By number from 0 up; -ENOENT past the last. */
err_t panic_trigger_info(size_t number, struct ksh_trigger *out);

/* Does not return if all is as it should be. -ENOENT: no such name; -EIO: it did not break. */
err_t panic_trigger_fire(const char *name);

#endif
