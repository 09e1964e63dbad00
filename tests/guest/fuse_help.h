/*
 * A driver that answers and waits by one call (<fuselage/fuse.h>), and its mount: one file of
 * DATA_BYTES in the root, whose pages are not cached. It runs as threads of the program, or as a
 * child of it.
 */
#ifndef FUSE_HELP_H
#define FUSE_HELP_H

#include <errno.h>
#include <fcntl.h>
#include <fuselage/fuse.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT         "/tmp/native"
#define FILE_ID    2
#define DATA_BYTES 20000
#define CHUNK      (32 * 4096)

/* A request, and what the driver makes of it. */
struct serving {
	union {
		struct fuse_in_header header;
		char bytes[CHUNK + 4096];
	} in;
	struct abi_fuse_reply reply;
	ssize_t got; /* of the last call */
	int error;   /* its errno */
	union {
		struct fuse_init_out init;
		struct fuse_entry_out entry;
		struct fuse_attr_out attr;
		struct fuse_open_out open;
		struct fuse_write_out write;
	} out;
};

static int device;
static struct fuselage_fuse_ring ring; /* of the device, if a test opens one */
static char data[DATA_BYTES];

/* ---- a driver ---- */

static struct fuse_attr attr_of(uint64_t node)
{
	bool is_file = node == FILE_ID;

	return (struct fuse_attr){.ino = node,
				  .mode = is_file ? S_IFREG | 0644 : S_IFDIR | 0755,
				  .size = is_file ? DATA_BYTES : 0,
				  .nlink = 1};
}

static void reply_with(struct serving *s, int error, const void *payload, size_t bytes)
{
	s->reply = (struct abi_fuse_reply){.len = (uint32_t)(FUSE_SERVE_HEADER_BYTES + bytes),
					   .error = -error,
					   .unique = s->in.header.unique,
					   .payload = (uintptr_t)payload};
}

static void reply_read(struct serving *s)
{
	const struct fuse_read_in *in = (const void *)(&s->in.header + 1);
	size_t from = in->offset < DATA_BYTES ? in->offset : DATA_BYTES;
	size_t bytes = DATA_BYTES - from < in->size ? DATA_BYTES - from : in->size;

	reply_with(s, 0, data + from, bytes);
}

static void reply_write(struct serving *s)
{
	const struct fuse_write_in *in = (const void *)(&s->in.header + 1);

	if (in->offset < DATA_BYTES && in->size <= DATA_BYTES - in->offset)
		memcpy(data + in->offset, in + 1, in->size);
	s->out.write = (struct fuse_write_out){.size = in->size};
	reply_with(s, 0, &s->out.write, sizeof(s->out.write));
}

/* False: it wants no answer. */
static bool make_reply(struct serving *s)
{
	memset(&s->out, 0, sizeof(s->out));
	switch (s->in.header.opcode) {
	case FUSE_INIT:
		s->out.init = (struct fuse_init_out){
			.major = 7, .minor = 31, .max_write = CHUNK, .flags = FUSE_BIG_WRITES};
		reply_with(s, 0, &s->out.init, sizeof(s->out.init));
		return true;
	case FUSE_LOOKUP:
		s->out.entry = (struct fuse_entry_out){.nodeid = FILE_ID, .attr = attr_of(FILE_ID)};
		reply_with(s, 0, &s->out.entry, sizeof(s->out.entry));
		return true;
	case FUSE_GETATTR:
		s->out.attr = (struct fuse_attr_out){.attr = attr_of(s->in.header.nodeid)};
		reply_with(s, 0, &s->out.attr, sizeof(s->out.attr));
		return true;
	case FUSE_OPEN:
		s->out.open = (struct fuse_open_out){.fh = 1, .open_flags = FOPEN_DIRECT_IO};
		reply_with(s, 0, &s->out.open, sizeof(s->out.open));
		return true;
	case FUSE_READ:
		reply_read(s);
		return true;
	case FUSE_WRITE:
		reply_write(s);
		return true;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return false;
	default:
		reply_with(s, ENOSYS, NULL, 0);
		return true;
	}
}

static void exchange(struct serving *s, const struct abi_fuse_reply *reply)
{
	s->got = ring.shared
			 ? fuselage_fuse_ring_exchange(&ring, reply, &s->in, sizeof(s->in), NULL, 0)
			 : fuselage_fuse_exchange(device, reply, &s->in, sizeof(s->in));
	s->error = s->got < 0 ? errno : 0;
}

/* Serves until a request of `opcode` comes, which is left in `s`, or nothing does any more. */
static void serve_until(struct serving *s, uint32_t opcode)
{
	bool has_reply = s->got > 0 && make_reply(s);

	for (;;) {
		exchange(s, has_reply ? &s->reply : NULL);
		has_reply = false;
		if (s->got < 0 && s->error == EINTR)
			continue;
		if (s->got < 0 || (opcode && s->in.header.opcode == opcode))
			return;
		has_reply = make_reply(s);
	}
}

/* The whole life of a driver's thread: the error that ends it, ENODEV if all is well. */
static void *drive(void *unused)
{
	struct serving *s = calloc(1, sizeof(*s));
	intptr_t error;

	(void)unused;
	if (!s)
		return NULL;
	serve_until(s, 0);
	error = s->error;
	free(s);
	return (void *)error;
}

/* ---- its mount ---- */

static bool mount_driver(void)
{
	char options[80];

	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return false;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("native", AT, "fuse", MS_NOSUID | MS_NODEV, options) == 0)
		return true;
	close(device);
	return false;
}

struct driver {
	pthread_t threads[2];
	unsigned nthreads;
};

static bool start(struct driver *driver, unsigned nthreads, void *(*work)(void *), void *argument)
{
	if (!mount_driver())
		return false;
	driver->nthreads = nthreads;
	for (unsigned i = 0; i < nthreads; i++) {
		if (pthread_create(&driver->threads[i], NULL, work, argument))
			return false;
	}
	return true;
}

/* True: each thread of it was told that it is no more. */
static bool stop(struct driver *driver)
{
	bool all_told = umount(AT) == 0;

	for (unsigned i = 0; i < driver->nthreads; i++) {
		void *result;

		pthread_join(driver->threads[i], &result);
		all_told = all_told && (intptr_t)result == ENODEV;
	}
	close(device);
	return all_told;
}

#endif
