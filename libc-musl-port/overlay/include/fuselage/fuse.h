/*
 * The native way between a filesystem driver and the kernel. The driver opens and mounts /dev/fuse
 * as on Linux; then one call answers a request and brings the next.
 */
#ifndef FUSELAGE_FUSE_H
#define FUSELAGE_FUSE_H

#include <fuselage/fuse_native.h>
#include <fuselage/fuse_ring.h>
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

/* The ring of a descriptor that is mounted, for any number of threads. Of the caller; what is in
 * it is the library's. */
struct fuselage_fuse_ring {
	int fd;
	struct abi_fuse_ring *shared; /* NULL: there is none, as on Linux */
};

/* Also where there is no ring: then all goes by calls. -1 and errno: EPERM (not mounted), ENOMEM. */
int fuselage_fuse_ring_open(struct fuselage_fuse_ring *ring, int fd);
/* Unmaps it; no thread uses it any more. What is in it is found by later calls on the descriptor. */
void fuselage_fuse_ring_close(struct fuselage_fuse_ring *ring);
/* As fuselage_fuse_exchange_pages(), without a call if the next request is in the ring and the
 * answer fits there. Such an answer may be told to nobody before the next call, so a driver whose
 * next request may take long makes an exchange of its own first. */
ssize_t fuselage_fuse_ring_exchange(const struct fuselage_fuse_ring *ring,
				    const struct abi_fuse_reply *reply, void *request, size_t len,
				    void *window, size_t window_bytes);

#ifdef __cplusplus
}
#endif

#endif
