/*
 * What the system calls itself, for uname(2) and /proc.
 */
#ifndef KERNEL_UNAME_H
#define KERNEL_UNAME_H

#include <abi/resource.h>

extern const struct abi_utsname machine_names;

#endif
