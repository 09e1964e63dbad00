/*
 * Requests and answers as text, for who watches a driver: `LOOKUP(1, "name") = node 5`. What is
 * shown of a request are its node, its names, and the numbers that matter of its arguments; of an
 * answer what it brings, or the error. The shortest form of the arguments is the oldest version's:
 * what it has no words for is shown as 0.
 */
#include "message.h"

#include <abi/fcntl.h>
#include <lib/errno_name.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define NAME_SHOWN 48 /* bytes of a name */

/* Text that grows in a room that is never left: what does not fit is not shown. */
struct shown {
	char *to;
	size_t room_bytes, len_bytes;
};

static void add(struct shown *shown, const char *format, ...) PRINTF(2, 3);
static void add(struct shown *shown, const char *format, ...)
{
	size_t room = shown->room_bytes - shown->len_bytes;
	va_list arguments;
	size_t len;

	va_start(arguments, format);
	len = kernel_format_list(shown->to + shown->len_bytes, room, format, arguments);
	va_end(arguments);
	shown->len_bytes += MIN(len, room - 1);
}

/* One name with its NUL from `at` on: where the next one begins. */
static size_t add_name(struct shown *shown, const struct fuse_message *message, size_t at)
{
	size_t end = at;

	add(shown, ", \"");
	for (; end < message->arguments_bytes && message->arguments[end]; end++) {
		unsigned char byte = message->arguments[end];

		if (end - at >= NAME_SHOWN)
			continue;
		if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
			add(shown, "\\x%02x", byte);
		else
			add(shown, "%c", byte);
	}
	add(shown, "\"%s", end - at > NAME_SHOWN ? "..." : "");
	return end + 1;
}

/* The structure that the arguments begin with; zeros where they are shorter. */
#define ARGUMENTS(type, in)                                                                        \
	struct type in = {0};                                                                      \
	memcpy(&(in), message->arguments, MIN(sizeof(in), (size_t)message->arguments_bytes))

/* ---- by what the arguments are ---- */

static void show_forget(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_forget_in, in);

	add(shown, ", %lu", in.nlookup);
}

static void show_batch_forget(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_batch_forget_in, in);

	add(shown, ", %u nodes", in.count);
}

static void show_getattr(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_getattr_in, in);

	if (in.getattr_flags & FUSE_GETATTR_FH)
		add(shown, ", fh %lu", in.fh);
}

static void show_setattr(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_setattr_in, in);

	if (in.valid & SETATTR_MODE)
		add(shown, ", mode %#o", in.mode);
	if (in.valid & SETATTR_UID)
		add(shown, ", uid %u", in.uid);
	if (in.valid & SETATTR_GID)
		add(shown, ", gid %u", in.gid);
	if (in.valid & SETATTR_SIZE)
		add(shown, ", size %lu", in.size);
	if (in.valid & (SETATTR_ATIME | SETATTR_ATIME_NOW))
		add(shown, ", atime");
	if (in.valid & (SETATTR_MTIME | SETATTR_MTIME_NOW))
		add(shown, ", mtime");
	if (in.valid & SETATTR_CTIME)
		add(shown, ", ctime");
}

static void show_name(struct shown *shown, const struct fuse_message *message)
{
	(void)add_name(shown, message, 0);
}

static void show_symlink(struct shown *shown, const struct fuse_message *message)
{
	(void)add_name(shown, message, 0);
	add(shown, ", %u bytes", message->payload_bytes);
}

static void show_mknod(struct shown *shown, const struct fuse_message *message, bool is_old)
{
	ARGUMENTS(fuse_mknod_in, in);

	(void)add_name(shown, message, is_old ? FUSE_COMPAT_MKNOD_IN_SIZE : sizeof(in));
	add(shown, ", %#o", in.mode);
}

static void show_mkdir(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_mkdir_in, in);

	(void)add_name(shown, message, sizeof(in));
	add(shown, ", %#o", in.mode);
}

static void show_link(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_link_in, in);

	(void)add_name(shown, message, sizeof(in));
	add(shown, ", node %lu", in.oldnodeid);
}

static void show_rename(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_rename2_in, in);
	bool flagged = message->opcode == FUSE_RENAME2;
	size_t next =
		add_name(shown, message, flagged ? sizeof(in) : sizeof(struct fuse_rename_in));

	add(shown, ", %lu", in.newdir);
	(void)add_name(shown, message, next);
	if (flagged)
		add(shown, ", %#x", in.flags);
}

static void show_open(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_open_in, in);

	add(shown, ", %#o", in.flags);
}

static void show_create(struct shown *shown, const struct fuse_message *message, bool is_old)
{
	ARGUMENTS(fuse_create_in, in);

	(void)add_name(shown, message, is_old ? sizeof(struct fuse_open_in) : sizeof(in));
	add(shown, ", %#o, %#o", in.flags, in.mode);
}

static void show_data(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_read_in, in); /* WRITE's begins in the same way, so do READDIR's */

	add(shown, ", fh %lu, %u, %lu", in.fh, in.size, in.offset);
}

static void show_fh(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_release_in, in); /* FLUSH's begins in the same way */

	add(shown, ", fh %lu", in.fh);
}

static void show_fsync(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_fsync_in, in);

	add(shown, ", fh %lu%s", in.fh, in.fsync_flags & 1 ? ", data" : "");
}

static void show_setxattr(struct shown *shown, const struct fuse_message *message, bool is_long)
{
	ARGUMENTS(fuse_setxattr_in, in);

	(void)add_name(shown, message, is_long ? sizeof(in) : FUSE_COMPAT_SETXATTR_IN_SIZE);
	add(shown, ", %u, %#x", in.size, in.flags);
}

static void show_getxattr(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_getxattr_in, in);

	if (message->opcode == FUSE_GETXATTR)
		(void)add_name(shown, message, sizeof(in));
	add(shown, ", %u", in.size);
}

static void show_lock(struct shown *shown, const struct fuse_message *message)
{
	static const char *const types[] = {
		[F_RDLCK] = "read", [F_WRLCK] = "write", [F_UNLCK] = "none"};
	ARGUMENTS(fuse_lk_in, in);

	add(shown, ", fh %lu, %s, %lu-%lu", in.fh,
	    in.lk.type < ARRAY_SIZE(types) ? types[in.lk.type] : "?", in.lk.start, in.lk.end);
}

static void show_ioctl(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_ioctl_in, in);

	add(shown, ", fh %lu, %#x, %u, %u", in.fh, in.cmd, in.in_size, in.out_size);
}

static void show_poll(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_poll_in, in);

	add(shown, ", fh %lu, %#x%s", in.fh, in.events,
	    in.flags & FUSE_POLL_SCHEDULE_NOTIFY ? ", notify" : "");
}

static void show_fallocate(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_fallocate_in, in);

	add(shown, ", fh %lu, %#x, %lu, %lu", in.fh, in.mode, in.offset, in.length);
}

static void show_lseek(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_lseek_in, in);

	add(shown, ", fh %lu, %lu, %u", in.fh, in.offset, in.whence);
}

static void show_copy(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_copy_file_range_in, in);

	add(shown, ", fh %lu, %lu, %lu, fh %lu, %lu, %lu", in.fh_in, in.off_in, in.nodeid_out,
	    in.fh_out, in.off_out, in.len);
}

static void show_access(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_access_in, in);

	add(shown, ", %u", in.mask);
}

static void show_interrupt(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_interrupt_in, in);

	add(shown, ", %lu", in.unique);
}

static void show_bmap(struct shown *shown, const struct fuse_message *message)
{
	ARGUMENTS(fuse_bmap_in, in);

	add(shown, ", %lu", in.block);
}

/* ---- whole requests ---- */

typedef void show_arguments(struct shown *shown, const struct fuse_message *message);

/* NULL: there is nothing but the node, or its form depends on what was agreed on. */
static show_arguments *const by_opcode[] = {
	[FUSE_LOOKUP] = show_name,
	[FUSE_FORGET] = show_forget,
	[FUSE_GETATTR] = show_getattr,
	[FUSE_SETATTR] = show_setattr,
	[FUSE_SYMLINK] = show_symlink,
	[FUSE_MKDIR] = show_mkdir,
	[FUSE_UNLINK] = show_name,
	[FUSE_RMDIR] = show_name,
	[FUSE_RENAME] = show_rename,
	[FUSE_LINK] = show_link,
	[FUSE_OPEN] = show_open,
	[FUSE_READ] = show_data,
	[FUSE_WRITE] = show_data,
	[FUSE_RELEASE] = show_fh,
	[FUSE_FSYNC] = show_fsync,
	[FUSE_GETXATTR] = show_getxattr,
	[FUSE_LISTXATTR] = show_getxattr,
	[FUSE_REMOVEXATTR] = show_name,
	[FUSE_FLUSH] = show_fh,
	[FUSE_OPENDIR] = show_open,
	[FUSE_READDIR] = show_data,
	[FUSE_RELEASEDIR] = show_fh,
	[FUSE_FSYNCDIR] = show_fsync,
	[FUSE_GETLK] = show_lock,
	[FUSE_SETLK] = show_lock,
	[FUSE_SETLKW] = show_lock,
	[FUSE_ACCESS] = show_access,
	[FUSE_INTERRUPT] = show_interrupt,
	[FUSE_BMAP] = show_bmap,
	[FUSE_IOCTL] = show_ioctl,
	[FUSE_POLL] = show_poll,
	[FUSE_BATCH_FORGET] = show_batch_forget,
	[FUSE_FALLOCATE] = show_fallocate,
	[FUSE_READDIRPLUS] = show_data,
	[FUSE_RENAME2] = show_rename,
	[FUSE_LSEEK] = show_lseek,
	[FUSE_COPY_FILE_RANGE] = show_copy,
	[FUSE_COPY_FILE_RANGE_64] = show_copy,
};

static void show_any(struct shown *shown, const struct fuse_session *session,
		     const struct fuse_message *message)
{
	uint32_t opcode = message->opcode;

	if (opcode == FUSE_MKNOD)
		show_mknod(shown, message, session->minor < 12);
	else if (opcode == FUSE_CREATE || opcode == FUSE_TMPFILE)
		show_create(shown, message, session->minor < 12);
	else if (opcode == FUSE_SETXATTR)
		show_setxattr(shown, message, session->flags & FUSE_SETXATTR_EXT);
	else if (opcode < ARRAY_SIZE(by_opcode) && by_opcode[opcode])
		by_opcode[opcode](shown, message);
}

size_t fuse_show_request(const struct fuse_session *session, const struct fuse_message *message,
			 char *to, size_t to_bytes)
{
	struct shown shown = {.to = to, .room_bytes = to_bytes};

	add(&shown, "(%lu", message->node.value);
	show_any(&shown, session, message);
	add(&shown, ")");
	return shown.len_bytes;
}

/* ---- answers ---- */

static uint64_t first_word(const struct fuse_reply *reply)
{
	uint64_t word = 0;

	memcpy(&word, reply->bytes, MIN(sizeof(word), (size_t)reply->len_bytes));
	return word;
}

size_t fuse_show_answer(const struct fuse_message *message, const struct fuse_reply *reply,
			err_t error, char *to, size_t to_bytes)
{
	struct shown shown = {.to = to, .room_bytes = to_bytes};

	if (error) {
		add(&shown, "-1 %s", errno_name(-error));
		return shown.len_bytes;
	}
	switch (message->opcode) {
	case FUSE_LOOKUP:
	case FUSE_SYMLINK:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_LINK:
	case FUSE_CREATE:
	case FUSE_TMPFILE:
		add(&shown, "node %lu", first_word(reply));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		add(&shown, "fh %lu", first_word(reply));
		break;
	case FUSE_WRITE:
	case FUSE_COPY_FILE_RANGE:
		add(&shown, "%u", (uint32_t)first_word(reply));
		break;
	case FUSE_COPY_FILE_RANGE_64:
	case FUSE_LSEEK:
	case FUSE_BMAP:
		add(&shown, "%lu", first_word(reply));
		break;
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
	case FUSE_READLINK:
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR:
		add(&shown, "%u", reply->len_bytes);
		break;
	default:
		add(&shown, "0");
		break;
	}
	return shown.len_bytes;
}
