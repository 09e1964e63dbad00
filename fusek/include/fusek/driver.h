/*
 * Filesystem drivers: their device, and what it needs of the kernel above.
 */
#ifndef FUSEK_DRIVER_H
#define FUSEK_DRIVER_H

#include <lib/types.h>

struct buffer;
struct object;
struct space;

/* Makes /dev/fuse. Once, any time. Sleeps. */
err_t must_check fuse_device_init(void);

/* It is a driver's, of a file system that is mounted. */
bool fuse_serves(struct object *object);

/* ---- what fusectl tells of connections, and sets ---- */

struct fuse_control {
	uint32_t owner_uid, owner_gid; /* who has mounted it */
	uint32_t nwaiting;             /* requests that are not answered yet */
	uint32_t max_background;       /* of those that no program waits for, at a time */
	uint32_t congestion_threshold;
};

/* The first one whose filesystem's number (the minor one of st_dev) is not below `from`: that
 * number; 0: there is none. */
uint32_t fuse_control_next(uint32_t from);
/* -ENOENT: it is not mounted any more. */
err_t must_check fuse_control_look(uint32_t number, struct fuse_control *out);
err_t must_check fuse_control_set_background(uint32_t number, uint32_t max_background);
err_t must_check fuse_control_set_congestion(uint32_t number, uint32_t threshold);
/* As MNT_FORCE; what is asked later gets -ENOTCONN. Sleeps. */
err_t must_check fuse_control_abort(uint32_t number);

/* What was answered of one kind, since the mount. */
#define FUSE_COUNTED       64 /* opcodes; 0 stands for all that are not below it */
#define FUSE_LATENCIES     20
#define FUSE_LATENCY_SHIFT 10

struct fuse_counted {
	uint64_t nrequests;
	uint64_t nbytes; /* of data, both ways: payloads and replies without their headers */
	/* How many took less than 2^i units of 2^FUSE_LATENCY_SHIFT ns, and not less than half of
	 * that; the last one: or more. From queueing to the answer. */
	uint32_t latencies[FUSE_LATENCIES];
};

/* `opcode` < FUSE_COUNTED. -ENOENT: as above. */
err_t must_check fuse_control_counted(uint32_t number, uint32_t opcode, struct fuse_counted *out);
/* As the protocol calls it, without FUSE_; "other": none of those that are counted. */
const char *fuse_opcode_name(uint32_t opcode);

/* Requests of the filesystem of this number (0: of all, and of those to come) are shown in the log
 * when they are over, or not any more. -ENOENT: it is not mounted. */
err_t must_check fuse_trace_set(uint32_t number, bool on);

/* Where the running program takes whole pages of a payload; of length 0: it takes none. */
struct fuse_window {
	uptr_t address;
	uint64_t len_bytes;
};

/* The native call fuse_serve (abi/fuse_native.h): the answer at `reply`, if there is one, is handed
 * over; the next request goes into `request`: the length of what is there. -ENOTTY: no driver's.
 * Sleeps. */
ssize_t must_check fuse_serve(struct object *object, uptr_t reply, struct buffer *request,
			      const struct fuse_window *window);

/* Hook of kernel/: where the running program's memory is; NULL: it is no program. */
struct space *vfs_space(void);
/* Hook of kernel/: what descriptor `fd` of the running program names, with a reference; NULL: not
 * open. */
struct object *vfs_descriptor(int fd);

#endif
