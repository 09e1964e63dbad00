/*
 * The driver of the rows `fuse`: one loop, a table of what it answers, and no memory of its own.
 */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <fuselage/fuse.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FOR_EVER_S  100000
#define LENT_BYTES  (64UL << 10) /* from here on copying costs more than lending */
#define REQUEST_MAX (DRIVER_CHUNK + 4096)

enum node {
	NODE_ROOT = FUSE_ROOT_ID,
	NODE_FRESH,
	NODE_CACHED,
	NODE_COLD,
	NODE_FOLDER,
	NODE_CREATED,
	NODE_LISTED, /* and those behind it: what stands in the folder */
};

struct request {
	struct fuse_in_header header;
	char body[REQUEST_MAX - sizeof(struct fuse_in_header)];
};

static int device;
static bool opens;     /* answers OPEN */
static bool is_native; /* an answer brings the next request */
static bool has_next;  /* it has: `request`, or what `next_bytes` says */
static ssize_t next_bytes;
static bool created;
static struct request request;
static char window[DRIVER_CHUNK] __attribute__((aligned(4096)));
static char content[DRIVER_CHUNK] __attribute__((aligned(4096)));
static char listing[DRIVER_CHUNK];
static size_t listing_bytes;

static struct fuse_attr attributes(uint64_t node)
{
	bool is_directory = node == NODE_ROOT || node == NODE_FOLDER;

	return (struct fuse_attr){.ino = node,
				  .mode = is_directory ? S_IFDIR | 0755 : S_IFREG | 0644,
				  .nlink = is_directory ? 2 : 1,
				  .size = node == NODE_CREATED ? 0 : DRIVER_FILE_BYTES,
				  .blksize = 4096};
}

static uint64_t valid_s(uint64_t node)
{
	return node == NODE_FRESH || node == NODE_CREATED ? 0 : FOR_EVER_S;
}

static ssize_t exchange(const struct abi_fuse_reply *reply)
{
	return fuselage_fuse_exchange_pages(device, reply, &request, sizeof(request), window,
					    sizeof(window));
}

/* The last thing that is done for a request. */
static void answer(int error, const void *payload, size_t bytes)
{
	struct fuse_out_header out = {.len = (uint32_t)(sizeof(out) + bytes),
				      .error = -error,
				      .unique = request.header.unique};
	struct iovec pieces[] = {{&out, sizeof(out)}, {(void *)payload, bytes}};

	if (is_native) {
		struct abi_fuse_reply reply = {.len = out.len,
					       .error = out.error,
					       .unique = out.unique,
					       .payload = (uintptr_t)payload,
					       .flags = bytes >= LENT_BYTES ? FUSE_SERVE_LEND : 0};

		next_bytes = exchange(&reply);
		has_next = true;
		return;
	}
	if (writev(device, pieces, bytes ? 2 : 1) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_entry_out entry(uint64_t node)
{
	return (struct fuse_entry_out){.nodeid = node,
				       .entry_valid = valid_s(node),
				       .attr_valid = valid_s(node),
				       .attr = attributes(node)};
}

static void do_init(void)
{
	const struct fuse_init_in *in = (const void *)request.body;
	struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
				    .minor = FUSE_KERNEL_MINOR_VERSION,
				    .max_readahead = in->max_readahead,
				    .flags = FUSE_BIG_WRITES | FUSE_ASYNC_READ |
					     FUSE_PARALLEL_DIROPS | FUSE_NO_OPEN_SUPPORT,
				    .max_background = 16,
				    .max_write = DRIVER_CHUNK,
				    .time_gran = 1};

	out.flags &= in->flags;
	if (in->minor < out.minor)
		out.minor = in->minor;
	answer(0, &out, sizeof(out));
}

static uint64_t node_of(const char *name)
{
	static const struct {
		const char *name;
		uint64_t node;
	} names[] = {{DRIVER_FRESH, NODE_FRESH},
		     {DRIVER_CACHED, NODE_CACHED},
		     {DRIVER_COLD, NODE_COLD},
		     {DRIVER_FOLDER, NODE_FOLDER}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, name) == 0)
			return names[i].node;
	}
	return created ? NODE_CREATED : 0;
}

static void do_lookup(void)
{
	uint64_t node = node_of(request.body);
	struct fuse_entry_out out = entry(node);

	answer(node ? 0 : ENOENT, &out, node ? sizeof(out) : 0);
}

static void do_getattr(void)
{
	uint64_t node = request.header.nodeid;
	struct fuse_attr_out out = {.attr_valid = valid_s(node), .attr = attributes(node)};

	answer(0, &out, sizeof(out));
}

static struct fuse_open_out opened(uint64_t node)
{
	return (struct fuse_open_out){.open_flags = node == NODE_FRESH    ? FOPEN_DIRECT_IO
						    : node == NODE_CACHED ? FOPEN_KEEP_CACHE
									  : 0};
}

static void do_open(void)
{
	struct fuse_open_out out = opened(request.header.nodeid);

	answer(0, &out, sizeof(out));
}

static void do_create(void)
{
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out = {entry(NODE_CREATED), opened(NODE_CREATED)};

	created = true;
	answer(0, &out, sizeof(out));
}

static void do_read(void)
{
	const struct fuse_read_in *in = (const void *)request.body;

	answer(0, content, in->size < sizeof(content) ? in->size : sizeof(content));
}

static void do_write(void)
{
	const struct fuse_write_in *in = (const void *)request.body;
	struct fuse_write_out out = {.size = in->size};

	answer(0, &out, sizeof(out));
}

/* Cookies are places in the listing. */
static void do_readdir(void)
{
	const struct fuse_read_in *in = (const void *)request.body;
	size_t from = in->offset < listing_bytes ? in->offset : listing_bytes;
	size_t to = from;

	while (to < listing_bytes) {
		const struct fuse_dirent *record = (const void *)(listing + to);

		if (record->off - from > in->size)
			break;
		to = record->off;
	}
	answer(0, listing + from, to - from);
}

static void make_listing(void)
{
	for (uint64_t i = 0; i < DRIVER_NAMES; i++) {
		struct fuse_dirent *record = (void *)(listing + listing_bytes);

		record->ino = NODE_LISTED + i;
		record->type = S_IFREG >> 12;
		record->namelen = (uint32_t)sprintf(record->name, "file-%03u", (unsigned)i);
		listing_bytes += FUSE_DIRENT_SIZE(record);
		record->off = listing_bytes;
	}
}

static void do_unlink(void)
{
	created = false;
	answer(0, NULL, 0);
}

static void do_release(void)
{
	answer(0, NULL, 0);
}

static void do_not_answer(void)
{
}

static void (*const serves[])(void) = {
	[FUSE_INIT] = do_init,
	[FUSE_LOOKUP] = do_lookup,
	[FUSE_GETATTR] = do_getattr,
	[FUSE_OPEN] = do_open,
	[FUSE_CREATE] = do_create,
	[FUSE_READ] = do_read,
	[FUSE_WRITE] = do_write,
	[FUSE_RELEASE] = do_release,
	[FUSE_UNLINK] = do_unlink,
	[FUSE_OPENDIR] = do_open,
	[FUSE_READDIR] = do_readdir,
	[FUSE_RELEASEDIR] = do_release,
	[FUSE_FORGET] = do_not_answer,
	[FUSE_BATCH_FORGET] = do_not_answer,
	[FUSE_INTERRUPT] = do_not_answer,
};

static void serve_one(void)
{
	uint32_t opcode = request.header.opcode;

	if (opcode >= sizeof(serves) / sizeof(serves[0]) || !serves[opcode] ||
	    (opcode == FUSE_OPEN && !opens))
		answer(ENOSYS, NULL, 0);
	else
		serves[opcode]();
}

static ssize_t next_request(void)
{
	if (!has_next)
		return is_native ? exchange(NULL) : read(device, &request, sizeof(request));
	has_next = false;
	return next_bytes;
}

static void serve(void)
{
	make_listing();
	while (next_request() > 0 || errno == EINTR || errno == ENOENT)
		serve_one();
	_exit(errno == ENODEV ? 0 : 1);
}

long driver_start(const char *directory, unsigned flags)
{
	char options[80];
	long child;

	if (mkdir(directory, 0755) != 0 && errno != EEXIST)
		return -errno;
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -errno;
	opens = !(flags & DRIVER_NO_OPEN);
	is_native = flags & DRIVER_NATIVE;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("bench", directory, "fuse.bench", MS_NOSUID | MS_NODEV, options) != 0) {
		close(device);
		return -errno;
	}
	child = fork();
	if (child == 0)
		serve();
	close(device);
	return child < 0 ? -errno : 0;
}
