/* sources: fusek/proto/close.c fusek/proto/control.c fusek/proto/cuse.c fusek/proto/data.c
   fusek/proto/range.c fusek/proto/ioctl.c fusek/proto/lock.c fusek/proto/statx.c
   fusek/proto/xattr.c fusek/proto/forget.c fusek/proto/getattr.c fusek/proto/init.c
   fusek/proto/lookup.c fusek/proto/make.c fusek/proto/message.c fusek/proto/open.c
   fusek/proto/readdir.c fusek/proto/readlink.c fusek/proto/remove.c fusek/proto/setattr.c
   fusek/proto/statfs.c lib/string.c tests/host/fusek/fake/linux_wire.c */
/*
 * The FUSE protocol as bytes: structures are Linux's, requests are laid out for the driver's
 * version, and answers that cannot be true are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/wire.h"
#include "message.h"

#include <abi/fuse_notify.h>
#include <lib/panic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct fuse_session today = {.minor = FUSE_MINOR}, old = {.minor = 8};
static const struct server_name name = {.text = "name", .len_bytes = 4};
static struct fuse_message message;

noreturn void panic(const char *format, ...)
{
	fputs(format, stderr);
	abort();
}

static void structures_are_linux_s(void **state)
{
#define WIRE(type, member) {#type "." #member, sizeof(struct type), offsetof(struct type, member)},
	static const struct wire_place ours[] = {
#include "fake/wire.inc"
	};

	assert_int_equal(ARRAY_SIZE(ours), linux_wire_count);
	for (size_t i = 0; i < linux_wire_count; i++) {
		assert_string_equal(ours[i].name, linux_wire[i].name);
		if (ours[i].struct_bytes != linux_wire[i].struct_bytes ||
		    ours[i].offset_bytes != linux_wire[i].offset_bytes)
			fail_msg("%s differs", ours[i].name);
	}
}

static struct fuse_reply reply_of(const void *bytes, size_t len_bytes)
{
	return (struct fuse_reply){.bytes = bytes, .len_bytes = (uint32_t)len_bytes};
}

/* ---- requests ---- */

static void names_end_with_a_nul(void **state)
{
	fuse_ask_lookup(&today, &message, SERVER_ROOT, name);
	assert_int_equal(message.opcode, FUSE_LOOKUP);
	assert_int_equal(message.arguments_bytes, 5);
	assert_memory_equal(message.arguments, "name", 5);
	fuse_ask_rename(&message, SERVER_ROOT, name, (struct nodeid){7}, name, 0);
	assert_int_equal(message.opcode, FUSE_RENAME);
	assert_int_equal(message.arguments_bytes, 8 + 5 + 5);
	fuse_ask_rename(&message, SERVER_ROOT, name, (struct nodeid){7}, name, 1);
	assert_int_equal(message.opcode, FUSE_RENAME2);
	assert_int_equal(message.arguments_bytes, 16 + 5 + 5);
}

static void old_drivers_get_the_structures_they_know(void **state)
{
	const struct {
		const struct fuse_session *session;
		size_t entry_bytes, attr_bytes, getattr_bytes, read_bytes, mknod_bytes;
	} rows[] = {{&old, 120, 96, 0, 24, 8 + 5}, {&today, 128, 104, 16, 40, 16 + 5}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fuse_ask_lookup(rows[i].session, &message, SERVER_ROOT, name);
		assert_int_equal(message.reply_min_bytes, rows[i].entry_bytes);
		assert_int_equal(message.reply_max_bytes, rows[i].entry_bytes);
		fuse_ask_getattr(rows[i].session, &message, SERVER_ROOT, NULL);
		assert_int_equal(message.reply_min_bytes, rows[i].attr_bytes);
		assert_int_equal(message.arguments_bytes, rows[i].getattr_bytes);
		fuse_ask_read(rows[i].session, &message, SERVER_ROOT, 1, 0, 4096, 0);
		assert_int_equal(message.arguments_bytes, rows[i].read_bytes);
		fuse_ask_mknod(rows[i].session, &message, SERVER_ROOT, name, S_IFREG, 0, 0);
		assert_int_equal(message.arguments_bytes, rows[i].mknod_bytes);
	}
}

static void the_longest_names_fit(void **state)
{
	char text[255];
	const struct server_name longest = {.text = text, .len_bytes = sizeof(text)};
	struct fuse_forget_one nodes[FUSE_BATCH_MAX] = {{1, 1}};

	memset(text, 'n', sizeof(text));
	fuse_ask_rename(&message, SERVER_ROOT, longest, SERVER_ROOT, longest, 1);
	fuse_ask_create(&today, &message, SERVER_ROOT, longest, 0644, 022, 0, false);
	fuse_ask_batch_forget(&message, nodes, FUSE_BATCH_MAX);
	assert_int_equal(message.arguments_bytes, 8 + FUSE_BATCH_MAX * 16);
}

static void devices_travel_in_linux_s_32_bits(void **state)
{
	struct fuse_mknod_in in;
	struct fuse_entry_out out = {.nodeid = 2, .attr.mode = S_IFCHR};
	struct fuse_reply reply = reply_of(&out, sizeof(out));
	struct server_entry entry;

	fuse_ask_mknod(&today, &message, SERVER_ROOT, name, S_IFCHR, abi_makedev(0xabc, 0x12345),
		       0);
	memcpy(&in, message.arguments, sizeof(in));
	assert_int_equal(in.rdev, 0x123abc45);
	out.attr.rdev = in.rdev;
	assert_int_equal(fuse_answer_entry(&today, &reply, &entry), 0);
	assert_int_equal(entry.attr.rdev, abi_makedev(0xabc, 0x12345));
}

/* ---- answers ---- */

static void init_finds_what_both_can(void **state)
{
	struct fuse_init_out out = {.major = 7,
				    .minor = 99,
				    .max_readahead = 1 << 20,
				    .max_write = 300000,
				    .max_pages = 256,
				    .flags = (uint32_t)(FUSE_MAX_PAGES | 1u << 31)};
	struct fuse_reply reply = reply_of(&out, sizeof(out));
	struct fuse_session session;

	assert_int_equal(fuse_answer_init(&reply, 0, &session), 0);
	assert_int_equal(session.minor, FUSE_MINOR);
	assert_int_equal(session.flags, FUSE_MAX_PAGES);
	assert_int_equal(session.max_write_bytes, 299008); /* whole pages */
	assert_int_equal(session.max_read_bytes, 1 << 20);
	assert_int_equal(session.max_ahead_bytes, 128 << 10);
	assert_int_equal(fuse_answer_init(&reply, 5000, &session), 0);
	assert_int_equal(session.max_read_bytes, 4096);
	out.max_write = 0;
	assert_int_equal(fuse_answer_init(&reply, 0, &session), 0);
	assert_int_equal(session.max_write_bytes, 4096); /* no less than a page */
}

static void passthrough_is_agreed_on_with_a_depth_and_without_write_back(void **state)
{
	static const struct {
		uint32_t depth, more_flags, agreed;
	} rows[] = {{0, 0, 0}, {1, 0, 1},          {2, 0, 2},
		    {3, 0, 0}, {UINT32_MAX, 0, 0}, {1, (uint32_t)FUSE_WRITEBACK_CACHE, 0}};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fuse_init_out out = {.major = 7,
					    .minor = 40,
					    .flags = (uint32_t)FUSE_INIT_EXT | rows[i].more_flags,
					    .flags2 = (uint32_t)(FUSE_PASSTHROUGH >> 32),
					    .max_stack_depth = rows[i].depth};
		struct fuse_reply reply = reply_of(&out, sizeof(out));
		struct fuse_session session;

		assert_int_equal(fuse_answer_init(&reply, 0, &session), 0);
		assert_int_equal(session.max_stack_depth, rows[i].agreed);
		assert_int_equal(!(session.flags & FUSE_PASSTHROUGH), !rows[i].agreed);
	}
}

/* ---- devices ---- */

static void a_device_is_what_its_program_says(void **state)
{
	static const struct {
		const char *info;
		size_t len_bytes;
		err_t err;
	} rows[] = {
		{"DEVNAME=thing", 14, 0},       {"A=B\0DEVNAME=thing\0C", 20, 0},
		{"DEVNAME=thing", 13, -EINVAL}, {"DEVNAME=", 9, -EINVAL},
		{"DEVNAME=a/b", 12, -EINVAL},   {"DEVNAME=..", 11, -EINVAL},
		{"devname=thing", 14, -EINVAL}, {"", 0, -EINVAL},
	};
	struct {
		struct cuse_init_out out;
		char info[64];
	} said = {.out = {.major = 7, .minor = 31, .max_read = 100, .max_write = 1u << 31}};
	struct fuse_cuse cuse;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fuse_reply reply = reply_of(&said, sizeof(said.out) + rows[i].len_bytes);

		memcpy(said.info, rows[i].info, rows[i].len_bytes);
		if (fuse_answer_cuse_init(&reply, &cuse) != rows[i].err)
			fail_msg("row %zu", i);
		if (!rows[i].err)
			assert_string_equal(cuse.name, "thing");
	}
	assert_int_equal(cuse.session.max_read_bytes, PAGE_SIZE);
	assert_int_equal(cuse.session.max_write_bytes, FUSE_TRANSFER_MAX);
	said.out.minor = 10;
	struct fuse_reply old = reply_of(&said, sizeof(said));
	assert_int_equal(fuse_answer_cuse_init(&old, &cuse), -EPROTO);
}

static void the_memory_that_an_ioctl_wants_is_bounded(void **state)
{
	static struct fuse_ioctl_pieces pieces;
	static const struct {
		uint32_t flags, nin, nout;
		uint64_t len;
		size_t nsent;
		err_t err;
	} rows[] = {
		{FUSE_IOCTL_RETRY, 1, 1, 8, 2, 0},
		{FUSE_IOCTL_RETRY, 0, 0, 8, 0, 0},
		{0, 1, 1, 8, 2, -EINVAL},
		{FUSE_IOCTL_RETRY, 1, 1, 8, 1, -EIO},
		{FUSE_IOCTL_RETRY, 2, 0, 80000, 2, -ENOMEM},
		{FUSE_IOCTL_RETRY, 1, 1, 80000, 2, 0},
		{FUSE_IOCTL_RETRY, 1, 1, UINT64_MAX, 2, -ENOMEM},
		{FUSE_IOCTL_RETRY, UINT32_MAX, 3, 8, 2, -ENOMEM},
	};
	struct {
		struct fuse_ioctl_out out;
		struct fuse_ioctl_iovec pieces[2];
	} said;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fuse_reply reply =
			reply_of(&said, sizeof(said.out) + rows[i].nsent * sizeof(said.pieces[0]));

		said.out = (struct fuse_ioctl_out){
			.flags = rows[i].flags, .in_iovs = rows[i].nin, .out_iovs = rows[i].nout};
		said.pieces[0].len = said.pieces[1].len = rows[i].len;
		if (fuse_answer_ioctl_retry(&reply, &pieces) != rows[i].err)
			fail_msg("row %zu", i);
	}
}

static void init_of_strangers_is_refused(void **state)
{
	struct fuse_init_out out = {.major = 8, .minor = 1};
	struct fuse_reply reply = reply_of(&out, sizeof(out));
	struct fuse_session session;

	assert_int_equal(fuse_answer_init(&reply, 0, &session), -EPROTO);
	out.major = 7;
	out.minor = 31; /* new, but of an old one's length */
	reply.len_bytes = 24;
	assert_int_equal(fuse_answer_init(&reply, 0, &session), -EPROTO);
	out.minor = 8;
	assert_int_equal(fuse_answer_init(&reply, 0, &session), 0);
	assert_int_equal(session.minor, 8);
	reply.len_bytes = 8;
	assert_int_equal(fuse_answer_init(&reply, 0, &session), -EPROTO);
}

/* What a version has no words for is not read, whatever lies there. */
static void init_of_old_drivers_says_what_they_can(void **state)
{
	static const struct {
		uint32_t minor;
		size_t len_bytes;
		uint32_t write_bytes, ahead_bytes;
		uint64_t flags;
		uint16_t max_background;
	} rows[] = {
		{0, 8, 4096, 128 << 10, 0, 12},
		{4, 24, 4096, 128 << 10, 0, 12},
		{5, 24, 8192, 128 << 10, 0, 12},
		{6, 24, 8192, 4096, FUSE_ASYNC_READ, 12},
		{12, 24, 8192, 4096, FUSE_ASYNC_READ, 12},
		{13, 24, 8192, 4096, FUSE_ASYNC_READ, 40},
		{45, 64, 8192, 4096, FUSE_ASYNC_READ, 40},
	};
	const struct fuse_init_out said = {.major = 7,
					   .max_readahead = 4096,
					   .flags = FUSE_ASYNC_READ,
					   .max_background = 40,
					   .max_write = 8192,
					   .flags2 = UINT32_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fuse_init_out out = said;
		struct fuse_reply reply = reply_of(&out, rows[i].len_bytes);
		struct fuse_session session = {0};

		out.minor = rows[i].minor;
		assert_int_equal(fuse_answer_init(&reply, 0, &session), 0);
		assert_int_equal(session.minor, rows[i].minor);
		assert_int_equal(session.max_write_bytes, rows[i].write_bytes);
		assert_int_equal(session.max_ahead_bytes, rows[i].ahead_bytes);
		assert_int_equal(session.flags, rows[i].flags);
		assert_int_equal(session.max_background, rows[i].max_background);
		assert_int_equal(session.congestion_threshold, rows[i].max_background * 3 / 4);
	}
}

static void a_block_is_asked_for_by_its_number(void **state)
{
	const struct fuse_bmap_out out = {.block = 99};
	struct fuse_reply reply = reply_of(&out, sizeof(out));
	struct fuse_bmap_in in;
	uint64_t block;

	fuse_ask_bmap(&message, (struct nodeid){5}, 7, 1024);
	assert_int_equal(message.opcode, FUSE_BMAP);
	memcpy(&in, message.arguments, sizeof(in));
	assert_int_equal(in.block, 7);
	assert_int_equal(in.blocksize, 1024);
	assert_int_equal(fuse_answer_bmap(&reply, &block), 0);
	assert_int_equal(block, 99);
	reply.len_bytes--;
	assert_int_equal(fuse_answer_bmap(&reply, &block), -EIO);
}

static void entries_that_cannot_be_are_refused(void **state)
{
	const struct {
		const char *why;
		struct fuse_entry_out out;
	} rows[] = {
		{"the root as a child", {.nodeid = 1, .attr.mode = S_IFDIR}},
		{"no type", {.nodeid = 2, .attr.mode = 0644}},
		{"an unknown type", {.nodeid = 2, .attr.mode = 0110000}},
		{"a size that is negative",
		 {.nodeid = 2, .attr = {.mode = S_IFREG, .size = 1ull << 63}}},
	};
	struct server_entry entry;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fuse_reply reply = reply_of(&rows[i].out, sizeof(rows[i].out));

		if (fuse_answer_entry(&today, &reply, &entry) != -EIO)
			fail_msg("%s was taken", rows[i].why);
	}
}

static void time_outs_are_bounded_and_negative_entries_have_no_attributes(void **state)
{
	struct fuse_entry_out out = {.nodeid = 0, .entry_valid = 3, .entry_valid_nsec = UINT32_MAX};
	struct fuse_reply reply = reply_of(&out, sizeof(out));
	struct server_entry entry;

	assert_int_equal(fuse_answer_entry(&today, &reply, &entry), 0);
	assert_int_equal(entry.node.value, 0);
	assert_int_equal(entry.entry_valid_ns, 3999999999);
	out = (struct fuse_entry_out){.nodeid = 2, .attr_valid = UINT64_MAX, .attr.mode = S_IFREG};
	assert_int_equal(fuse_answer_entry(&today, &reply, &entry), 0);
	assert_true(entry.attr_valid_ns == SERVER_VALID_FOREVER);
}

static void write_counts_at_most_what_was_sent(void **state)
{
	struct fuse_write_out out = {.size = 11};
	struct fuse_reply reply = reply_of(&out, sizeof(out));

	assert_int_equal(fuse_answer_write(&reply, 11), 11);
	assert_int_equal(fuse_answer_write(&reply, 10), -EIO);
}

static void links_hold_no_nul(void **state)
{
	struct fuse_reply reply = reply_of("ab", 2);
	char to[2];

	assert_int_equal(fuse_answer_readlink(&reply, to, sizeof(to)), 2);
	assert_int_equal(fuse_answer_readlink(&reply, to, 1), 1);
	reply = reply_of("a\0b", 3);
	assert_int_equal(fuse_answer_readlink(&reply, to, sizeof(to)), -EIO);
}

/* ---- directories ---- */

struct names_sink {
	struct dirent_sink sink;
	char names[64];
	unsigned room;
	unsigned entered; /* nodes as digits */
};

static bool keep(struct dirent_sink *base, struct server_name entry, uint64_t ino, uint32_t mode,
		 uint64_t cookie)
{
	struct names_sink *sink = container_of(base, struct names_sink, sink);

	if (!sink->room)
		return false;
	sink->room--;
	strncat(sink->names, entry.text, entry.len_bytes);
	return true;
}

static size_t put_record(char *to, const char *text, uint32_t namelen, uint64_t off)
{
	struct fuse_dirent *record = (void *)to;

	*record = (struct fuse_dirent){.ino = 9, .off = off, .namelen = namelen, .type = 8};
	memcpy(record->name, text, strlen(text));
	return ALIGN_UP(FUSE_NAME_OFFSET + strlen(text), 8);
}

static void directories_are_read_record_by_record(void **state)
{
	_Alignas(8) char records[256] = {0};
	struct names_sink sink = {.sink.emit = keep, .room = 9};
	struct fuse_listing listing = {.sink = &sink.sink};
	size_t used = put_record(records, ".", 1, 1);
	struct fuse_reply reply;

	used += put_record(records + used, "ab", 2, 2);
	used += put_record(records + used, "c", 1, 3);
	reply = reply_of(records, used);
	assert_int_equal(fuse_answer_readdir(&today, &reply, &listing), 0);
	assert_string_equal(sink.names, "abc");
	assert_true(listing.more && listing.any && listing.next_cookie == 3);

	/* One that is cut off was not sent; a sink that is full ends it. */
	sink = (struct names_sink){.sink.emit = keep, .room = 9};
	reply.len_bytes = (uint32_t)used - 8;
	assert_int_equal(fuse_answer_readdir(&today, &reply, &listing), 0);
	assert_string_equal(sink.names, "ab");
	sink = (struct names_sink){.sink.emit = keep, .room = 1};
	reply.len_bytes = (uint32_t)used;
	assert_int_equal(fuse_answer_readdir(&today, &reply, &listing), 0);
	assert_string_equal(sink.names, "ab");
	assert_false(listing.more);
	assert_int_equal(listing.next_cookie, 2);
}

static void enter_it(struct dirent_sink *base, struct server_name entry_name,
		     const struct server_entry *entry)
{
	struct names_sink *sink = container_of(base, struct names_sink, sink);

	sink->entered = sink->entered * 10 + (unsigned)entry->node.value;
}

/* Also those without room for their name, or with attributes that cannot be true. */
static void each_entry_of_a_directory_counts(void **state)
{
	static const struct {
		const char *name;
		uint64_t node;
		uint32_t mode;
	} rows[] = {{".", 1, S_IFDIR}, {"a", 2, S_IFREG}, {"b", 0, 0},
		    {"c", 3, 0},       {"d", 4, S_IFREG}, {"e", 1, S_IFDIR}};
	_Alignas(8) char records[2048] = {0};
	struct names_sink sink = {.sink = {.emit = keep, .enter = enter_it}, .room = 3};
	struct fuse_listing listing = {.sink = &sink.sink, .plus = true};
	struct fuse_reply reply;
	size_t used = 0;

	fuse_ask_readdir(&message, SERVER_ROOT, 0, &listing, PAGE_SIZE);
	assert_int_equal(message.opcode, FUSE_READDIRPLUS);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fuse_entry_out *entry = (void *)(records + used);

		*entry = (struct fuse_entry_out){.nodeid = rows[i].node, .attr.mode = rows[i].mode};
		used += sizeof(*entry);
		used += put_record(records + used, rows[i].name, 1, i + 1);
	}
	reply = reply_of(records, used);
	assert_int_equal(fuse_answer_readdir(&today, &reply, &listing), 0);
	assert_string_equal(sink.names, "abc");
	assert_int_equal(sink.entered, 234);
	assert_int_equal(listing.next_cookie, 4);
}

static void impossible_names_are_refused(void **state)
{
	const struct {
		const char *text;
		uint32_t namelen;
	} rows[] = {{"", 0}, {"a/b", 3}, {"a\0b", 3}, {"x", 2000}};
	_Alignas(8) char records[4096];
	struct names_sink sink = {.sink.emit = keep, .room = 9};
	struct fuse_listing listing = {.sink = &sink.sink};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fuse_reply reply = reply_of(records, 64);

		memset(records, 0, sizeof(records));
		put_record(records, rows[i].text, rows[i].namelen, 1);
		assert_int_equal(fuse_answer_readdir(&today, &reply, &listing), -EIO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures_are_linux_s),
		cmocka_unit_test(names_end_with_a_nul),
		cmocka_unit_test(old_drivers_get_the_structures_they_know),
		cmocka_unit_test(the_longest_names_fit),
		cmocka_unit_test(devices_travel_in_linux_s_32_bits),
		cmocka_unit_test(init_finds_what_both_can),
		cmocka_unit_test(passthrough_is_agreed_on_with_a_depth_and_without_write_back),
		cmocka_unit_test(init_of_strangers_is_refused),
		cmocka_unit_test(a_device_is_what_its_program_says),
		cmocka_unit_test(the_memory_that_an_ioctl_wants_is_bounded),
		cmocka_unit_test(init_of_old_drivers_says_what_they_can),
		cmocka_unit_test(a_block_is_asked_for_by_its_number),
		cmocka_unit_test(entries_that_cannot_be_are_refused),
		cmocka_unit_test(time_outs_are_bounded_and_negative_entries_have_no_attributes),
		cmocka_unit_test(write_counts_at_most_what_was_sent),
		cmocka_unit_test(links_hold_no_nul),
		cmocka_unit_test(directories_are_read_record_by_record),
		cmocka_unit_test(each_entry_of_a_directory_counts),
		cmocka_unit_test(impossible_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
