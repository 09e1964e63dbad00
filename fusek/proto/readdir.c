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

/* Eight bytes at a time: drivers' directories are long. `room_bytes` from the name on may be read.
 */
static ALWAYS_INLINE bool name_is_good(const char *text, size_t len_bytes, size_t room_bytes)
{
	uint64_t bad = 0;

	if (unlikely(len_bytes == 0 || len_bytes > NAME_MAX))
		return false;
	for (size_t at = 0; at < len_bytes; at += sizeof(bad)) {
		size_t left_bytes = len_bytes - at;
		uint64_t word = 0;

		if (likely(room_bytes - at >= sizeof(word)))
			memcpy(&word, text + at, sizeof(word));
		else
			memcpy(&word, text + at, left_bytes);
		if (left_bytes < sizeof(word)) /* what is behind it does not count */
			word |= UINT64_MAX << (8 * left_bytes);
		bad |= has_bad_byte(word);
	}
	return likely(!bad);
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

/* One record of `left_bytes`, in which the name stands at `head_bytes`: what it takes up with its
 * padding. 0: it is cut off; -EIO: it can be none. */
static ALWAYS_INLINE ssize_t record_bytes(const char *at, size_t head_bytes, size_t left_bytes,
					  const struct fuse_dirent *record)
{
	size_t len_bytes = record->namelen;

	if (unlikely(len_bytes > FUSE_NAME_MAX))
		return -EIO;
	if (unlikely(len_bytes > left_bytes - head_bytes))
		return 0;
	if (unlikely(!name_is_good(at + head_bytes, len_bytes, left_bytes - head_bytes)))
		return -EIO;
	return (ssize_t)MIN(ALIGN_UP(head_bytes + len_bytes, 8ul), left_bytes);
}

static ALWAYS_INLINE struct server_name name_of(const struct fuse_dirent *record)
{
	return (struct server_name){.text = (const char *)record + FUSE_NAME_OFFSET,
				    .len_bytes = record->namelen};
}

/* What the sink has no room for is asked for again. */
static err_t list_names(const struct fuse_reply *reply, struct fuse_listing *listing)
{
	struct dirent_sink *sink = listing->sink;
	const char *at = reply->bytes, *end = at + reply->len_bytes;
	const struct fuse_dirent *last = NULL;
	bool full = false, any = false;
	ssize_t step = 0;

	for (; (size_t)(end - at) >= FUSE_NAME_OFFSET; at += step) {
		const struct fuse_dirent *record = (const void *)at;
		struct server_name name = name_of(record);

		step = record_bytes(at, FUSE_NAME_OFFSET, (size_t)(end - at), record);
		if (unlikely(step <= 0))
			break;
		if (likely(!is_own(name))) {
			full = !sink->emit(sink, name, record->ino, (record->type & 15) << 12,
					   record->off);
			if (unlikely(full))
				break;
			any = true;
		}
		last = record;
	}
	if (last)
		listing->next_cookie = last->off;
	listing->any = listing->any || any;
	listing->more = last && !full;
	return step < 0 ? (err_t)step : 0;
}

static err_t list_entries(const struct fuse_session *session, const struct fuse_reply *reply,
			  struct fuse_listing *listing)
{
	const size_t entry_bytes = offsetof(struct fuse_direntplus, dirent);
	const size_t head_bytes = entry_bytes + FUSE_NAME_OFFSET;
	struct dirent_sink *sink = listing->sink;
	const char *at = reply->bytes, *end = at + reply->len_bytes;
	bool moved_on = false, full = false;
	ssize_t step = 0;

	for (; (size_t)(end - at) >= head_bytes; at += step) {
		const struct fuse_dirent *record = (const void *)(at + entry_bytes);
		struct server_name name = name_of(record);

		step = record_bytes(at, head_bytes, (size_t)(end - at), record);
		if (step <= 0)
			break;
		if (!is_own(name)) {
			full = full || !sink->emit(sink, name, record->ino,
						   (record->type & 15) << 12, record->off);
			enter(session, at, name, sink);
			listing->any = listing->any || !full;
		}
		if (!full)
			listing->next_cookie = record->off;
		moved_on = true;
	}
	listing->more = moved_on && !full;
	return step < 0 ? (err_t)step : 0;
}

err_t fuse_answer_readdir(const struct fuse_session *session, const struct fuse_reply *reply,
			  struct fuse_listing *listing)
{
	listing->more = false;
	return listing->plus ? list_entries(session, reply, listing) : list_names(reply, listing);
}
