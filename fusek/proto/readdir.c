/*
 * READDIR and READDIRPLUS: from an opaque cookie, as many records as fit; PLUS has an entry before
 * each. A record that is cut off at the end is left out, as if it had not been sent. "." and ".."
 * are ours to make, so the driver's are dropped; their entries count nothing.
 */
#include "message.h"

#include <abi/fcntl.h>
#include <lib/string.h>

void fuse_ask_readdir(struct fuse_message *message, struct nodeid node, uint64_t handle,
		      const struct fuse_listing *listing, uint32_t size_bytes)
{
	const struct fuse_read_in in = {
		.fh = handle, .offset = listing->next_cookie, .size = size_bytes};

	fuse_message_begin(message, listing->plus ? FUSE_READDIRPLUS : FUSE_READDIR, node);
	fuse_message_put(message, &in, sizeof(in));
	fuse_message_expect(message, 0, size_bytes);
}

static bool is_own(struct server_name name)
{
	return name.text[0] == '.' &&
	       (name.len_bytes == 1 || (name.len_bytes == 2 && name.text[1] == '.'));
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Not 0: one of its bytes is 0. */
static uint64_t has_zero(uint64_t word)
{
	return (word - EACH_BYTE) & ~word & (EACH_BYTE << 7);
}

static uint64_t has_bad_byte(uint64_t word)
{
	return has_zero(word) | has_zero(word ^ EACH_BYTE * '/');
}

/* Eight bytes at a time: drivers' directories are long. */
static err_t check_name(struct server_name name)
{
	uint64_t word = UINT64_MAX, bad = 0;
	size_t at = 0;

	if (unlikely(name.len_bytes == 0 || name.len_bytes > NAME_MAX))
		return -EIO;
	for (; at + sizeof(word) <= name.len_bytes; at += sizeof(word)) {
		memcpy(&word, name.text + at, sizeof(word));
		bad |= has_bad_byte(word);
	}
	if (at < name.len_bytes) {
		memcpy(&word, name.text + at, name.len_bytes - at); /* and what was there before */
		bad |= has_bad_byte(word);
	}
	return likely(!bad) ? 0 : -EIO;
}

/* One record: its bytes but for the padding, 0 if it is cut off. */
static err_t next_record(const char *at, size_t left_bytes, size_t entry_bytes,
			 struct fuse_dirent *record, struct server_name *name, size_t *used_bytes)
{
	size_t head_bytes = entry_bytes + FUSE_NAME_OFFSET;

	*used_bytes = 0;
	if (left_bytes < head_bytes)
		return 0;
	memcpy(record, at + entry_bytes, FUSE_NAME_OFFSET);
	if (record->namelen > FUSE_NAME_MAX)
		return -EIO;
	if (record->namelen > left_bytes - head_bytes)
		return 0;
	*name = (struct server_name){.text = at + head_bytes, .len_bytes = record->namelen};
	*used_bytes = head_bytes + record->namelen;
	return check_name(*name);
}

/* The entry counts whether or not it can be true, and whether or not its name found room. */
static void enter(const struct fuse_session *session, const char *at, struct server_name name,
		  struct dirent_sink *sink)
{
	struct fuse_entry_out bytes;
	const struct fuse_reply reply = {.bytes = &bytes, .len_bytes = sizeof(bytes)};
	struct server_entry entry = {0};

	memcpy(&bytes, at, sizeof(bytes));
	(void)!fuse_answer_entry(session, &reply, &entry);
	if (entry.node.value)
		sink->enter(sink, name, &entry);
}

err_t fuse_answer_readdir(const struct fuse_session *session, const struct fuse_reply *reply,
			  struct fuse_listing *listing)
{
	size_t entry_bytes = listing->plus ? offsetof(struct fuse_direntplus, dirent) : 0;
	const char *at = reply->bytes, *end = at + reply->len_bytes;
	bool moved_on = false, full = false;

	listing->more = false;
	for (;;) {
		struct fuse_dirent record;
		struct server_name name;
		size_t used_bytes;
		err_t err = next_record(at, (size_t)(end - at), entry_bytes, &record, &name,
					&used_bytes);

		if (err)
			return err;
		if (!used_bytes)
			break;
		if (!is_own(name)) {
			full = full || !listing->sink->emit(listing->sink, name, record.ino,
							    (record.type & 15) << 12, record.off);
			if (listing->plus)
				enter(session, at, name, listing->sink);
			else if (full)
				break;
			listing->any = listing->any || !full;
		}
		if (!full)
			listing->next_cookie = record.off;
		moved_on = true;
		at += MIN(ALIGN_UP(used_bytes, 8ul), (size_t)(end - at));
	}
	listing->more = moved_on && !full;
	return 0;
}
