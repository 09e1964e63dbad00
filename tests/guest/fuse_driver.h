/*
 * A filesystem driver as a thread of the test: a directory with one file, in the raw protocol. What
 * it was asked is counted; what it says can be set before it is asked.
 */
#ifndef FUSE_DRIVER_H
#define FUSE_DRIVER_H

#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

#define AT       "/tmp/fuse_driver"
#define FILE_AT  AT "/file"
#define FILE_ID  2
#define ROOM     (256 << 10)
#define MESSAGES (128 << 10) /* the longest WRITE */

static struct {
	int device;
	bool mounted;
	bool allow_other; /* others than root may come in */
	pthread_t thread;
	struct fuse_init_out init;
	uint32_t open_flags;
	uint64_t valid_s; /* of names and attributes */
	char data[ROOM];  /* of the file */
	uint64_t size;
	uint64_t mtime;
	unsigned asked[64]; /* by opcode: atomic */
	uint32_t stale_opcode;
	unsigned nstale; /* so many times more */
	/* Of the opcode that it does not answer: the request. */
	uint32_t hold_opcode;
	uint64_t held;
	int heard[2]; /* a pipe: a byte for each request that is held */
	/* What a test serves itself, in place of what stands here: true if it did. */
	bool (*serves)(const struct fuse_in_header *in, const void *arguments);
} driver;

static inline unsigned asked(unsigned opcode)
{
	return __atomic_load_n(&driver.asked[opcode], __ATOMIC_ACQUIRE);
}

static inline void answer(uint64_t unique, int error, const void *bytes, size_t len)
{
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + len), .error = -error, .unique = unique};
	struct iovec parts[] = {{&out, sizeof(out)}, {(void *)(uintptr_t)bytes, len}};

	if (writev(driver.device, parts, 2) < 0)
		return; /* whoever asked has gone */
}

/* What the call gives. */
static inline ssize_t notify(int code, const void *bytes, size_t len, const void *more,
			     size_t more_len)
{
	struct fuse_out_header out = {.len = (uint32_t)(sizeof(out) + len + more_len),
				      .error = code};
	struct iovec parts[] = {{&out, sizeof(out)},
				{(void *)(uintptr_t)bytes, len},
				{(void *)(uintptr_t)more, more_len}};

	return writev(driver.device, parts, 3);
}

static inline struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){.ino = node,
				  .size = node == FILE_ID ? driver.size : 0,
				  .mtime = node == FILE_ID ? driver.mtime : 0,
				  .mode = node == FILE_ID ? S_IFREG | 0644 : S_IFDIR | 0755,
				  .nlink = 1};
}

static inline void answer_attr(const struct fuse_in_header *in)
{
	struct fuse_attr_out out = {.attr_valid = driver.valid_s, .attr = attr_of(in->nodeid)};

	answer(in->unique, 0, &out, sizeof(out));
}

static inline void serve_lookup(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = {.nodeid = FILE_ID,
				     .entry_valid = driver.valid_s,
				     .attr_valid = driver.valid_s,
				     .attr = attr_of(FILE_ID)};

	if (strcmp(name, "file") == 0)
		answer(in->unique, 0, &out, sizeof(out));
	else
		answer(in->unique, ENOENT, NULL, 0);
}

static inline void serve_read(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	uint64_t from = read->offset < driver.size ? read->offset : driver.size;
	uint64_t left = driver.size - from;

	answer(in->unique, 0, driver.data + from, read->size < left ? read->size : left);
}

static inline void serve_write(const struct fuse_in_header *in, const struct fuse_write_in *write)
{
	struct fuse_write_out out = {.size = write->size};

	memcpy(driver.data + write->offset, write + 1, write->size);
	if (driver.size < write->offset + write->size)
		driver.size = write->offset + write->size;
	answer(in->unique, 0, &out, sizeof(out));
}

static inline void serve_setattr(const struct fuse_in_header *in, const struct fuse_setattr_in *set)
{
	if (set->valid & FATTR_SIZE) {
		if (set->size > driver.size)
			memset(driver.data + driver.size, 0, set->size - driver.size);
		driver.size = set->size;
	}
	if (set->valid & FATTR_MTIME)
		driver.mtime = set->mtime;
	answer_attr(in);
}

static inline void serve(const struct fuse_in_header *in, const void *arguments)
{
	const struct fuse_open_out opened = {.fh = 1, .open_flags = driver.open_flags};

	switch (in->opcode) {
	case FUSE_INIT:
		answer(in->unique, 0, &driver.init, sizeof(driver.init));
		break;
	case FUSE_LOOKUP:
		serve_lookup(in, arguments);
		break;
	case FUSE_GETATTR:
		answer_attr(in);
		break;
	case FUSE_SETATTR:
		serve_setattr(in, arguments);
		break;
	case FUSE_OPEN:
		answer(in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		serve_read(in, arguments);
		break;
	case FUSE_WRITE:
		serve_write(in, arguments);
		break;
	case FUSE_RELEASE:
	case FUSE_FLUSH:
	case FUSE_FSYNC:
		answer(in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
	case FUSE_NOTIFY_REPLY:
		break;
	default:
		answer(in->unique, ENOSYS, NULL, 0);
		break;
	}
}

static inline void serve_or_hold(const struct fuse_in_header *in)
{
	__atomic_fetch_add(&driver.asked[in->opcode], 1, __ATOMIC_RELEASE);
	if (in->opcode == driver.hold_opcode) {
		driver.held = in->unique;
		if (write(driver.heard[1], "", 1) != 1)
			abort();
	} else if (in->opcode == driver.stale_opcode && driver.nstale) {
		driver.nstale--;
		answer(in->unique, ESTALE, NULL, 0);
	} else if (!driver.serves || !driver.serves(in, in + 1)) {
		serve(in, in + 1);
	}
}

static inline void *drive(void *unused)
{
	static union {
		struct fuse_in_header header;
		char bytes[MESSAGES + FUSE_MIN_READ_BUFFER];
	} in;

	while (read(driver.device, &in, sizeof(in)) > 0)
		serve_or_hold(&in.header);
	return unused;
}

/* Waits until a request is held. */
static inline void wait_held(void)
{
	char byte;

	if (read(driver.heard[0], &byte, 1) != 1)
		abort();
}

/* Mounts it. False: nothing can be mounted here. */
static inline bool driver_mount(void)
{
	char options[80];

	driver.device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0%s",
		 driver.device, driver.allow_other ? ",allow_other" : "");
	mkdir(AT, 0755);
	driver.mounted = driver.device >= 0 &&
			 mount("driver", AT, "fuse", MS_NOSUID | MS_NODEV, options) == 0 &&
			 pthread_create(&driver.thread, NULL, drive, NULL) == 0;
	return driver.mounted;
}

static inline void driver_end(void)
{
	driver.mounted = false;
	umount2(AT, MNT_DETACH);
	pthread_join(driver.thread, NULL);
	close(driver.device);
	close(driver.heard[0]);
	close(driver.heard[1]);
}

/* After a test that has failed: this program would wait for itself when it ends. */
static inline void driver_abandon(void)
{
	if (!driver.mounted)
		return;
	umount2(AT, MNT_FORCE);
	driver_end();
}

static inline void driver_over(void)
{
	driver_abandon();
	rmdir(AT);
}

/* A new one, which will say that it takes `flags`; to be mounted. */
static inline bool driver_prepare(uint64_t flags)
{
	driver_abandon();
	memset(&driver, 0, sizeof(driver));
	driver.valid_s = 1000;
	driver.init = (struct fuse_init_out){.major = 7,
					     .minor = 38,
					     .max_readahead = 65536,
					     .max_write = 65536,
					     .flags = (uint32_t)flags | FUSE_INIT_EXT,
					     .flags2 = (uint32_t)(flags >> 32)};
	return pipe(driver.heard) == 0;
}

static inline bool driver_begin(uint64_t flags)
{
	return driver_prepare(flags) && driver_mount();
}

/* On a machine that has namespaces: nobody else sees the mounts. False: there can be none. */
static inline bool driver_possible(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (driver_begin(0)) {
		driver_end();
		return true;
	}
	if (may_be_restricted())
		printf("ok nothing_can_be_mounted_here\n");
	else
		printf("not ok a_driver_can_be_mounted: %s\n", strerror(errno));
	return false;
}

#endif
