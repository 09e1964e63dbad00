/*
 * What the system calls itself, for uname(2) and /proc.
 */
#ifndef KERNEL_UNAME_H
#define KERNEL_UNAME_H

#include <abi/errno.h>
#include <abi/resource.h>
#include <lib/types.h>

/* Those that never change, the others as they are now for the running thread. */
void machine_names_get(struct abi_utsname *out);

enum machine_name { MACHINE_HOSTNAME, MACHINE_DOMAINNAME };

/* `name` has `len_bytes`, of which a NUL is the end. -EINVAL: too long. */
err_t must_check machine_name_set(enum machine_name which, const char *name, size_t len_bytes);

#endif
