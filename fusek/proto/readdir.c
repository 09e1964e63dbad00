/*
 * READDIR: from an opaque cookie, as many records as fit. A record that is cut off at the end is
 * left out, as if it had not been sent. "." and ".." are ours to make, so the driver's are dropped.
 */
#include "message.h"

#include <abi/fcntl.h>
#include <lib/string.h>

void fuse_ask_readdir(struct fuse_message *message, struct nodeid node, uint64_t handle,
		      uint64_t cookie, uint32_t size_bytes)
{
	const struct fuse_read_in in = {.fh = handle, .offset = cookie, .size = size_bytes};

	fuse_message_begin(message, FUSE_READDIR, node);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, 0, size_bytes);
}

static bool is_own(struct server_name name)
{
	return name.text[0] == '.' &&
	       (name.len_bytes == 1 || (name.len_bytes == 2 && name.text[1] == '.'));
}

static err_t check_name(struct server_name name)
{
	if (name.len_bytes == 0 || name.len_bytes > NAME_MAX)
		return -EIO;
	if (memchr(name.text, '/', name.len_bytes) || memchr(name.text, 0, name.len_bytes))
		return -EIO;
	return 0;
}

err_t fuse_answer_readdir(const struct fuse_reply *reply, struct dirent_sink *sink,
			  uint64_t *next_cookie, bool *more, bool *any)
{
	const char *at = reply->bytes, *end = at + reply->len_bytes;
	bool moved_on = false;

	*more = false;
	while (end - at >= FUSE_NAME_OFFSET) {
		struct fuse_dirent record;
		struct server_name name;
		err_t err;

		memcpy(&record, at, FUSE_NAME_OFFSET);
		if (record.namelen > FUSE_NAME_MAX)
			return -EIO;
		if (record.namelen > (size_t)(end - at) - FUSE_NAME_OFFSET)
			break;
		name = (struct server_name){.text = at + FUSE_NAME_OFFSET,
					    .len_bytes = record.namelen};
		err = check_name(name);
		if (err)
			return err;
		if (!is_own(name)) {
			if (!sink->emit(sink, name, record.ino, (record.type & 15) << 12,
					record.off))
				return 0;
			*any = true;
		}
		moved_on = true;
		*next_cookie = record.off;
		at += MIN(ALIGN_UP(FUSE_NAME_OFFSET + (size_t)record.namelen, 8ul),
			  (size_t)(end - at));
	}
	*more = moved_on;
	return 0;
}
