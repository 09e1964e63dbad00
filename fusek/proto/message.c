/*
 * Building requests piece by piece, and the two structures that most replies hold: entries and
 * attributes, with the limits that hold for each.
 */
#include "message.h"

#include <lib/panic.h>
#include <lib/string.h>

void fuse_message_begin(struct fuse_message *message, uint32_t opcode, struct nodeid node)
{
	message->opcode = opcode;
	message->node = node;
	message->payload_bytes = 0;
	message->reply_min_bytes = 0;
	message->reply_max_bytes = 0;
	message->arguments_bytes = 0;
}

void fuse_message_put(struct fuse_message *message, const void *bytes, size_t len_bytes)
{
	if (len_bytes > FUSE_ARGUMENTS_MAX - message->arguments_bytes)
		panic("FUSE request %u: arguments of more than %u bytes", message->opcode,
		      FUSE_ARGUMENTS_MAX);
	memcpy(message->arguments + message->arguments_bytes, bytes, len_bytes);
	message->arguments_bytes += (uint32_t)len_bytes;
}

void fuse_message_put_name(struct fuse_message *message, struct server_name name)
{
	fuse_message_put(message, name.text, name.len_bytes);
	fuse_message_put(message, "", 1);
}

void fuse_message_expect(struct fuse_message *message, size_t reply_min_bytes,
			 size_t reply_max_bytes)
{
	message->reply_min_bytes = (uint32_t)reply_min_bytes;
	message->reply_max_bytes = (uint32_t)reply_max_bytes;
}

size_t fuse_entry_bytes(const struct fuse_session *session)
{
	return session->minor < 9 ? FUSE_COMPAT_ENTRY_OUT_SIZE : sizeof(struct fuse_entry_out);
}

static size_t attr_bytes(const struct fuse_session *session)
{
	return session->minor < 9 ? FUSE_COMPAT_ATTR_OUT_SIZE : sizeof(struct fuse_attr_out);
}

void fuse_message_expect_entry(const struct fuse_session *session, struct fuse_message *message,
			       size_t more_bytes)
{
	size_t expected = fuse_entry_bytes(session) + more_bytes;

	fuse_message_expect(message, expected, expected);
}

void fuse_message_expect_attr(const struct fuse_session *session, struct fuse_message *message)
{
	fuse_message_expect(message, attr_bytes(session), attr_bytes(session));
}

/* ---- attributes ---- */

static bool type_is_known(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return true;
	default:
		return false;
	}
}

/* Device numbers travel in Linux's 32-bit form: minor 0-7, major 8-19, minor 20-31. */
static uint64_t device_number(uint32_t packed)
{
	return abi_makedev((packed >> 8) & 0xfff, (packed & 0xff) | ((packed >> 12) & 0xfff00));
}

static struct abi_timespec time_of(uint64_t seconds, uint32_t nanoseconds)
{
	return (struct abi_timespec){.tv_sec = (int64_t)seconds,
				     .tv_nsec = (int64_t)MIN(nanoseconds, 999999999u)};
}

static err_t decode_attr(const struct fuse_attr *from, uint32_t block_bytes,
			 struct server_attr *out)
{
	if (!type_is_known(from->mode) || from->size > INT64_MAX)
		return -EIO;
	*out = (struct server_attr){
		.ino = from->ino,
		.size_bytes = from->size,
		.blocks = from->blocks,
		.atime = time_of(from->atime, from->atimensec),
		.mtime = time_of(from->mtime, from->mtimensec),
		.ctime = time_of(from->ctime, from->ctimensec),
		.mode = from->mode & (S_IFMT | 07777),
		.nlink = from->nlink,
		.uid = from->uid,
		.gid = from->gid,
		.rdev = device_number(from->rdev),
		.block_bytes = block_bytes,
	};
	return 0;
}

/* A time-out; one that exceeds what counts is for ever. */
static uint64_t valid_ns(uint64_t seconds, uint32_t nanoseconds)
{
	if (seconds >= UINT64_MAX / NSEC_PER_SEC / 2)
		return SERVER_VALID_FOREVER;
	return seconds * NSEC_PER_SEC + MIN(nanoseconds, 999999999u);
}

/* Drivers say 0 where they do not care; more than a page would only mislead. */
static uint32_t block_bytes_of(const struct fuse_session *session, const struct fuse_attr *attr)
{
	if (session->minor < 9 || attr->blksize < 512 || attr->blksize > 16 * MIB)
		return PAGE_SIZE;
	return attr->blksize;
}

err_t fuse_answer_entry(const struct fuse_session *session, const struct fuse_reply *reply,
			struct server_entry *out)
{
	const struct fuse_entry_out *entry = reply->bytes;

	if (reply->len_bytes < fuse_entry_bytes(session) || entry->nodeid == SERVER_ROOT.value)
		return -EIO;
	*out = (struct server_entry){
		.node.value = entry->nodeid,
		.generation = entry->generation,
		.entry_valid_ns = valid_ns(entry->entry_valid, entry->entry_valid_nsec),
		.attr_valid_ns = valid_ns(entry->attr_valid, entry->attr_valid_nsec),
	};
	if (!entry->nodeid)
		return 0;
	return decode_attr(&entry->attr, block_bytes_of(session, &entry->attr), &out->attr);
}

err_t fuse_answer_directory(const struct fuse_session *session, const struct fuse_reply *reply,
			    struct server_entry *out)
{
	const struct fuse_entry_out *entry = reply->bytes;

	if (reply->len_bytes < fuse_entry_bytes(session) || entry->nodeid != SERVER_ROOT.value)
		return fuse_answer_entry(session, reply, out);
	*out = (struct server_entry){.node = SERVER_ROOT};
	return 0;
}

err_t fuse_answer_attr(const struct fuse_session *session, const struct fuse_reply *reply,
		       struct server_attr *out, uint64_t *attr_valid_ns)
{
	const struct fuse_attr_out *answer = reply->bytes;

	if (reply->len_bytes < attr_bytes(session))
		return -EIO;
	*attr_valid_ns = valid_ns(answer->attr_valid, answer->attr_valid_nsec);
	return decode_attr(&answer->attr, block_bytes_of(session, &answer->attr), out);
}
