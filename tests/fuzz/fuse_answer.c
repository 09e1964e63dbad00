/* sources: fusek/proto/data.c fusek/proto/range.c fusek/proto/ioctl.c fusek/proto/lock.c
   fusek/proto/statx.c fusek/proto/xattr.c fusek/proto/control.c fusek/proto/cuse.c
   fusek/proto/init.c fusek/proto/lookup.c fusek/proto/make.c fusek/proto/message.c
   fusek/proto/open.c fusek/proto/readdir.c fusek/proto/readlink.c fusek/proto/show.c
   fusek/proto/statfs.c with: lib/errno_name.c lib/fmt.c lib/string.c options: max_len=4200 */
/*
 * Answers of drivers: whatever bytes one writes, of a length that the request allows, decoding them
 * reads nothing else and gives either an error or values within their limits. And requests:
 * whatever the name, it fits.
 */
#include "message.h"

#include <abi/xattr.h>
#include <lib/panic.h>
#include <stdlib.h>
#include <string.h>

noreturn void panic(const char *format, ...)
{
	abort();
}

static bool emit(struct dirent_sink *sink, struct server_name name, uint64_t ino, uint32_t mode,
		 uint64_t cookie)
{
	if (!name.len_bytes || name.len_bytes > 255 || memchr(name.text, '/', name.len_bytes))
		abort();
	return ino & 1;
}

static void enter(struct dirent_sink *sink, struct server_name name,
		  const struct server_entry *entry)
{
	if (!name.len_bytes || name.len_bytes > 255 || entry->node.value <= 1)
		abort();
}

static void check_attr(const struct server_attr *attr)
{
	if (attr->size_bytes > INT64_MAX || !(attr->mode & S_IFMT) ||
	    attr->mtime.tv_nsec > 999999999)
		abort();
}

/* Values and lists of extended attributes. */
static void check_bytes(const struct fuse_reply *reply)
{
	char *room = malloc(reply->len_bytes + 1);
	ssize_t got;

	if (fuse_answer_getxattr(reply, NULL, 0) > XATTR_SIZE_MAX ||
	    fuse_answer_getxattr(reply, room, reply->len_bytes + 1) != (ssize_t)reply->len_bytes ||
	    (reply->len_bytes > 1 && fuse_answer_getxattr(reply, room, 1) != -EIO))
		abort();
	got = fuse_answer_listxattr(reply, room, reply->len_bytes + 1);
	if (got > 0 && room[got - 1])
		abort();
	free(room);
}

/* Locks, ioctl, poll, statx. */
static void check_control(const struct fuse_reply *reply)
{
	struct object_lock lock = {0};
	struct abi_timespec birth;
	size_t out_bytes = 16;
	unsigned events;
	char room[16];

	if (!fuse_answer_getlk(reply, &lock) && (lock.start > lock.end || lock.end > INT64_MAX))
		abort();
	if (fuse_answer_ioctl(reply, room, &out_bytes) < -511 || out_bytes > sizeof(room))
		abort();
	if (!fuse_answer_poll(reply, &events) && events > 0xffff)
		abort();
	if (!fuse_answer_statx(reply, &birth) && birth.tv_nsec > 999999999)
		abort();
}

/* A device's name and pieces of memory. */
static void check_cuse(const struct fuse_reply *reply)
{
	static struct fuse_ioctl_pieces pieces;
	struct fuse_cuse cuse;

	if (!fuse_answer_cuse_init(reply, &cuse) &&
	    (!cuse.name[0] || strchr(cuse.name, '/') || strlen(cuse.name) >= CUSE_NAME_BYTES ||
	     cuse.session.max_write_bytes < PAGE_SIZE))
		abort();
	if (!fuse_answer_ioctl_retry(reply, &pieces) &&
	    (pieces.nin + pieces.nout > FUSE_IOCTL_PIECES || pieces.in_bytes > FUSE_IOCTL_BYTES ||
	     pieces.out_bytes > FUSE_IOCTL_BYTES))
		abort();
}

/* As text: any opcode with any arguments, and any answer to it, in a room of any size. */
static void show(const struct fuse_session *session, const struct fuse_reply *reply)
{
	const uint8_t *bytes = reply->bytes;
	struct fuse_message message = {.arguments_bytes =
					       MIN(reply->len_bytes, FUSE_ARGUMENTS_MAX)};
	size_t room_bytes = reply->len_bytes % 200 + 1;
	char *room = malloc(room_bytes);

	message.opcode = reply->len_bytes ? bytes[0] % 64 : 0;
	memcpy(message.arguments, bytes, message.arguments_bytes);
	if (fuse_show_request(session, &message, room, room_bytes) >= room_bytes ||
	    fuse_show_answer(&message, reply, 0, room, room_bytes) >= room_bytes ||
	    fuse_show_answer(&message, reply, -(err_t)(room_bytes * 3), room, room_bytes) >=
		    room_bytes)
		abort();
	for (size_t i = 0; room[i]; i++) {
		if (room[i] < ' ' || room[i] > '~')
			abort();
	}
	free(room);
}

static void ask(const struct fuse_session *session, const uint8_t *data, size_t len_bytes)
{
	const struct server_name name = {.text = (const char *)data, .len_bytes = len_bytes % 256};
	struct fuse_message message;

	fuse_ask_init(&message);
	fuse_ask_cuse_init(&message);
	fuse_ask_lookup(session, &message, SERVER_ROOT, name);
	fuse_ask_symlink(session, &message, SERVER_ROOT, name, 1);
	fuse_ask_mknod(session, &message, SERVER_ROOT, name, S_IFCHR, len_bytes, 0);
	fuse_ask_mkdir(session, &message, SERVER_ROOT, name, 0755, 0);
	fuse_ask_link(session, &message, SERVER_ROOT, SERVER_ROOT, name);
	fuse_ask_create(session, &message, SERVER_ROOT, name, 0644, 0, 0, false);
	if (message.arguments_bytes > FUSE_ARGUMENTS_MAX)
		abort();
	fuse_ask_open(&message, SERVER_ROOT, len_bytes & 1, 0, false);
	fuse_ask_read(session, &message, SERVER_ROOT, 0, 0, PAGE_SIZE, 0);
	fuse_ask_write(session, &message, SERVER_ROOT, 0, 0, PAGE_SIZE, 0, FUSE_WRITE_CACHE);
	fuse_ask_readdir(&message, SERVER_ROOT, 0, &(struct fuse_listing){0}, PAGE_SIZE);
	fuse_ask_readlink(&message, SERVER_ROOT);
	fuse_ask_setxattr(session, &message, SERVER_ROOT, "user.name", PAGE_SIZE, 0);
	fuse_ask_getxattr(&message, SERVER_ROOT, "user.name", PAGE_SIZE);
	fuse_ask_listxattr(&message, SERVER_ROOT, PAGE_SIZE);
	fuse_ask_removexattr(&message, SERVER_ROOT, "user.name");
	fuse_ask_fallocate(&message, SERVER_ROOT, 0, 0, 0, PAGE_SIZE);
	fuse_ask_lseek(&message, SERVER_ROOT, 0, 0, 3);
	fuse_ask_setlk(&message, SERVER_ROOT, 0, &(struct object_lock){0}, true);
	fuse_ask_getlk(&message, SERVER_ROOT, 0, &(struct object_lock){0});
	fuse_ask_ioctl(&message, SERVER_ROOT, 0, &(struct fuse_ioctl_call){.in_bytes = 1});
	fuse_ask_poll(&message, SERVER_ROOT, 0, 1);
	fuse_ask_statx(&message, SERVER_ROOT);
	fuse_ask_tmpfile(session, &message, SERVER_ROOT, 0600, 0, 0, false);
	fuse_ask_copy_file_range(&message, &(struct server_copy){.len_bytes = 1}, 0, 0, true);
	fuse_ask_notify_reply(&message, SERVER_ROOT, 0, PAGE_SIZE);
	fuse_ask_statfs(session, &message, SERVER_ROOT);
	fuse_ask_bmap(&message, SERVER_ROOT, len_bytes, 512);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	const struct fuse_session session = {.minor = len_bytes && data[0] & 1 ? 8 : FUSE_MINOR};
	struct dirent_sink sink = {.emit = emit, .enter = enter};
	struct fuse_listing listing = {.sink = &sink};
	struct fuse_session agreed;
	struct server_statfs statfs;
	struct server_entry entry;
	struct server_attr attr;
	struct fuse_message message;
	struct fuse_reply reply;
	uint64_t number;
	struct fuse_open_out opened;
	char text[64];
	void *copy;

	if (len_bytes < 1 || len_bytes > 4097)
		return 0;
	ask(&session, data, len_bytes);
	reply.len_bytes = (uint32_t)len_bytes - 1;
	copy = malloc(reply.len_bytes); /* of just this length: ASan watches its end */
	memcpy(copy, data + 1, reply.len_bytes);
	reply.bytes = copy;
	if (!fuse_answer_entry(&session, &reply, &entry) && entry.node.value)
		check_attr(&entry.attr);
	if (!fuse_answer_create(&session, &reply, &entry, &opened))
		check_attr(&entry.attr);
	if (!fuse_answer_attr(&session, &reply, &attr, &number))
		check_attr(&attr);
	(void)!fuse_answer_open(&reply, &opened);
	(void)!fuse_answer_statfs(&reply, &statfs);
	(void)!fuse_answer_write(&reply, 100);
	if (fuse_answer_copy_file_range(&reply, &(struct server_copy){.len_bytes = 9}, true) > 9)
		abort();
	check_bytes(&reply);
	check_control(&reply);
	if (!fuse_answer_lseek(&reply, &number) && number > INT64_MAX)
		abort();
	fuse_message_expect_attr(&session, &message);
	(void)!fuse_answer_readlink(&reply, text, sizeof(text));
	listing.plus = data[0] & 2;
	(void)!fuse_answer_readdir(&session, &reply, &listing);
	check_cuse(&reply);
	show(&session, &reply);
	(void)!fuse_answer_bmap(&reply, &number);
	if (reply.len_bytes >= FUSE_COMPAT_INIT_OUT_SIZE &&
	    !fuse_answer_init(&reply, (uint32_t)data[0] << 12, &agreed) &&
	    (agreed.max_write_bytes < PAGE_SIZE || agreed.max_write_bytes > FUSE_TRANSFER_MAX ||
	     agreed.max_read_bytes % PAGE_SIZE || agreed.max_stack_depth > 2 ||
	     !agreed.max_stack_depth != !(agreed.flags & FUSE_PASSTHROUGH)))
		abort();
	free(copy);
	return 0;
}
