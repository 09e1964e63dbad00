/*
 * hellofs: a filesystem of one file, over the protocol itself. The driver to read first: it opens
 * /dev/fuse, mounts what that stands for, and then answers one request after the other.
 *
 *	hellofs DIRECTORY &        cat DIRECTORY/hello
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROOT  FUSE_ROOT_ID /* the protocol's number of the root; the others are ours to choose */
#define HELLO 2
#define VALID 1 /* seconds that the kernel may keep what we said */

static int fuse; /* the open device */
static const char text[] = "Hello, world!\n";
static const size_t text_bytes = sizeof(text) - 1;

/* What stat(2) shall say of a node. */
static struct fuse_attr attributes(uint64_t node)
{
	if (node == ROOT)
		return (struct fuse_attr){.ino = ROOT, .mode = S_IFDIR | 0755, .nlink = 2};
	return (struct fuse_attr){
		.ino = HELLO, .mode = S_IFREG | 0444, .nlink = 1, .size = text_bytes};
}

/* One answer, in one write: a header with the request's number, then what the operation wants. */
static void answer(const struct fuse_in_header *in, int error, const void *payload, size_t len)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + len, .error = -error, .unique = in->unique};
	struct iovec pieces[] = {{&out, sizeof(out)}, {(void *)payload, len}};

	/* ENOENT: who asked was killed meanwhile and does not wait any more. */
	if (writev(fuse, pieces, 2) < 0 && errno != ENOENT)
		perror("hellofs: answer");
}

/* The first request: which version both speak. */
static void do_init(const struct fuse_in_header *in, const struct fuse_init_in *init)
{
	struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
				    .minor = FUSE_KERNEL_MINOR_VERSION,
				    .max_readahead = init->max_readahead,
				    .max_write = 4096};

	answer(in, 0, &out, sizeof(out));
}

static void do_lookup(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = {.nodeid = HELLO,
				     .entry_valid = VALID,
				     .attr_valid = VALID,
				     .attr = attributes(HELLO)};

	if (in->nodeid != ROOT || strcmp(name, "hello") != 0)
		answer(in, ENOENT, NULL, 0);
	else
		answer(in, 0, &out, sizeof(out));
}

static void do_getattr(const struct fuse_in_header *in)
{
	struct fuse_attr_out out = {.attr_valid = VALID, .attr = attributes(in->nodeid)};

	answer(in, 0, &out, sizeof(out));
}

static void do_read(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	size_t left = read->offset < text_bytes ? text_bytes - read->offset : 0;

	answer(in, 0, text + text_bytes - left, left < read->size ? left : read->size);
}

/* The offset of a record is where the next call goes on: 0 is the beginning, ours are 1 to 3. */
static void do_readdir(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	static const char *const names[] = {".", "..", "hello"};
	_Alignas(8) char records[256];
	size_t used = 0;

	for (uint64_t i = read->offset; i < 3; i++) {
		struct fuse_dirent *record = (struct fuse_dirent *)(records + used);

		record->ino = i == 2 ? HELLO : ROOT;
		record->off = i + 1;
		record->type = (i == 2 ? S_IFREG : S_IFDIR) >> 12;
		record->namelen = strlen(names[i]);
		memset(record->name, 0, 8);
		memcpy(record->name, names[i], record->namelen);
		used += FUSE_DIRENT_SIZE(record);
	}
	answer(in, 0, records, used);
}

static void serve(const struct fuse_in_header *in, const void *arguments)
{
	switch (in->opcode) {
	case FUSE_INIT:
		return do_init(in, arguments);
	case FUSE_LOOKUP:
		return do_lookup(in, arguments);
	case FUSE_GETATTR:
		return do_getattr(in);
	case FUSE_READ:
		return do_read(in, arguments);
	case FUSE_READDIR:
		return do_readdir(in, arguments);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return; /* never answered */
	default:        /* the kernel knows how to live without */
		return answer(in, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static _Alignas(8) char request[FUSE_MIN_READ_BUFFER + 4096];
	char options[96];

	if (argc != 2 || strcmp(argv[1], "--help") == 0) {
		printf("usage: hellofs DIRECTORY\n");
		return argc == 2 ? 0 : 2;
	}
	fuse = open("/dev/fuse", O_RDWR);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other", fuse, getuid(),
		 getgid());
	if (fuse < 0 || mount("hellofs", argv[1], "fuse.hellofs", MS_NOSUID | MS_NODEV, options)) {
		fprintf(stderr, "hellofs: %s: %s\n", fuse < 0 ? "/dev/fuse" : argv[1],
			strerror(errno));
		return 1;
	}
	/* Ends with ENODEV when the directory is unmounted. */
	while (read(fuse, request, sizeof(request)) > 0)
		serve((const void *)request, request + sizeof(struct fuse_in_header));
	return 0;
}
