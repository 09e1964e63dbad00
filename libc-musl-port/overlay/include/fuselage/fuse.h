/*
 * The native way between a filesystem driver and the kernel. The driver opens and mounts /dev/fuse
 * as on Linux; then one call answers a request and brings the next.
 */
#ifndef FUSELAGE_FUSE_H
#define FUSELAGE_FUSE_H

#include <fuselage/fuse_native.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The call as fuse_native.h describes it; -1 and errno where it fails. Where there is no such call,
 * as on Linux, the same by write and read. A point where a thread can be cancelled. */
ssize_t fuselage_fuse_exchange(int fd, const struct abi_fuse_reply *reply, void *request,
			       size_t len);
/* The same with a window for what programs write; nothing is ever put there on Linux. */
ssize_t fuselage_fuse_exchange_pages(int fd, const struct abi_fuse_reply *reply, void *request,
				     size_t len, void *window, size_t window_bytes);

#ifdef __cplusplus
}
#endif

#endif
