/*
 * Structures that grow with the ABI: a program says how long the one is that it knows.
 */
#ifndef KERNEL_USER_STRUCT_H
#define KERNEL_USER_STRUCT_H

#include <abi/errno.h>
#include <lib/types.h>

/* Copies the program's structure of `given_bytes` into ours of `known_bytes`. What a shorter one
 * lacks is zero; of a longer one the rest must be, as it asks for nothing then that we would not
 * do. -EINVAL: shorter than `least_bytes`; -E2BIG: the rest is not zero, or more than a page;
 * -EFAULT. */
err_t must_check user_get_struct(void *to, size_t known_bytes, size_t least_bytes, uptr_t from,
				 size_t given_bytes);

#endif
