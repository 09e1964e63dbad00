/*
 * The only way to a program's memory: checked copies in the current address space. A fault that
 * cannot be served ends the copy through the exception table. They may sleep (a page may have to be
 * fetched), so they are never called under a spinlock. SMAP is lifted for exactly the copy.
 */
#ifndef ARCH_USER_H
#define ARCH_USER_H

#include <lib/types.h>

/* True if [address, address + len) lies in the part of the address space that programs have. */
bool user_range_ok(uptr_t address, size_t len_bytes);

/* 0 or -EFAULT. After -EFAULT the first part of the target may have been written. */
err_t must_check user_copy_in(void *to, uptr_t from, size_t len_bytes);
err_t must_check user_copy_out(uptr_t to, const void *from, size_t len_bytes);
err_t must_check user_clear(uptr_t to, size_t len_bytes);

/* The same, but says how much was NOT copied: for calls that report a short count. */
size_t must_check user_copy_in_partial(void *to, uptr_t from, size_t len_bytes);
size_t must_check user_copy_out_partial(uptr_t to, const void *from, size_t len_bytes);
/* The same in a read section, where no fault is served: a page that is not there yet, or still
 * shared with a copy, ends it. */
size_t must_check user_copy_out_no_fault(uptr_t to, const void *from, size_t len_bytes);

/* Copies a string with its NUL. The length without it, -EFAULT, or -ENAMETOOLONG if it does not end
 * within `to_bytes`. */
ssize_t must_check user_copy_string(char *to, uptr_t from, size_t to_bytes);

/* Compare and exchange of one word, in one step for all CPUs. *expected becomes what the word had
 * before: if that is what was expected, the word is `desired` now. 0 or -EFAULT. */
err_t must_check user_cas(uptr_t word, uint32_t *expected, uint32_t desired);
/* The same under a spinlock, where no fault is served: -EFAULT also if the page only is not there
 * yet, or is still shared with a copy. */
err_t must_check user_cas_no_fault(uptr_t word, uint32_t *expected, uint32_t desired);

/* Single values. */
#define user_get(value, from) user_copy_in((value), (from), sizeof(*(value)))
#define user_put(to, value)   user_copy_out((to), (value), sizeof(*(value)))

#endif
