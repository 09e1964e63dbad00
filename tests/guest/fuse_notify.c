/*
 * What a driver says without being asked: it puts data into the page cache and takes it out, has
 * requests sent again, names expire and go. The driver is a thread of this program. What Linux has
 * since 6.16 and 6.18 is tested where it is there.
 */
#include <sys/uio.h>

#include "fuse_driver.h"

/* Newer than the headers of the host. */
#define NOTIFY_RESEND        7
#define NOTIFY_INC_EPOCH     8
#define NOTIFY_PRUNE         9
#define UNIQUE_RESEND        (UINT64_C(1) << 63)
#define COPY_FILE_RANGE_WIDE 53

struct notify_prune {
	uint32_t count, padding;
	uint64_t spare;
};

struct copied_wide {
	uint64_t bytes;
};

static int file;

static bool begin(uint64_t flags)
{
	if (!driver_begin(flags))
		return false;
	memcpy(driver.data, "0123456789", 10);
	driver.size = 10;
	driver.open_flags = FOPEN_KEEP_CACHE;
	file = open(FILE_AT, O_RDWR);
	return file >= 0;
}

static void end(void)
{
	close(file);
	driver_end();
}

static ssize_t store(uint64_t node, uint64_t offset, const char *bytes, size_t len)
{
	struct fuse_notify_store_out out = {
		.nodeid = node, .offset = offset, .size = (uint32_t)len};

	return notify(FUSE_NOTIFY_STORE, &out, sizeof(out), bytes, len);
}

static void what_was_stored_is_read_without_asking(void)
{
	static char page[4096];
	char text[16];

	EXPECT(begin(0));
	memset(page, 's', sizeof(page));
	driver.size = sizeof(page);
	EXPECT_EQUAL(store(FILE_ID, 0, page, sizeof(page)), 16 + 24 + 4096);
	EXPECT_EQUAL(pread(file, text, 8, 100), 8);
	EXPECT_EQUAL(memcmp(text, "ssssssss", 8), 0);
	EXPECT_EQUAL(asked(FUSE_READ), 0);
	/* Into a page that is there: a part of it. */
	EXPECT(store(FILE_ID, 102, "STORED", 6) > 0);
	EXPECT_EQUAL(pread(file, text, 10, 100), 10);
	EXPECT_EQUAL(memcmp(text, "ssSTOREDss", 10), 0);
	EXPECT_EQUAL(asked(FUSE_READ), 0);
	end();
}

static void what_is_stored_behind_the_end_makes_the_file_longer(void)
{
	char text[32] = "";
	struct stat stat_;

	EXPECT(begin(0));
	driver.size = 20;
	memcpy(driver.data + 10, "of driver ", 10);
	EXPECT(store(FILE_ID, 0, "the file that grew..", 20) > 0);
	EXPECT_EQUAL(fstat(file, &stat_), 0);
	EXPECT_EQUAL(stat_.st_size, 20);
	EXPECT_EQUAL(pread(file, text, sizeof(text), 0), 20);
	end();
}

static void impossible_notifications_are_refused(void)
{
	struct fuse_notify_store_out out = {.nodeid = FILE_ID, .size = 100};
	struct fuse_notify_retrieve_out wanted = {.notify_unique = 9, .nodeid = 77, .size = 5};

	EXPECT(begin(0));
	EXPECT_ERRNO(ENOENT, store(77, 0, "x", 1));
	EXPECT_ERRNO(EINVAL, notify(FUSE_NOTIFY_STORE, &out, sizeof(out), "x", 1));
	EXPECT_ERRNO(EINVAL, notify(FUSE_NOTIFY_STORE, &out, 8, NULL, 0));
	EXPECT_ERRNO(ENOENT, notify(FUSE_NOTIFY_RETRIEVE, &wanted, sizeof(wanted), NULL, 0));
	EXPECT_ERRNO(EINVAL, notify(FUSE_NOTIFY_RETRIEVE, &wanted, 8, NULL, 0));
	EXPECT_ERRNO(EINVAL, notify(99, NULL, 0, NULL, 0));
	end();
}

/* ---- taking out ---- */

static struct {
	uint64_t unique, node;
	struct fuse_notify_retrieve_in in;
	char bytes[64];
	size_t len;
} got;

static bool serves_reply(const struct fuse_in_header *in, const void *arguments)
{
	if (in->opcode != FUSE_NOTIFY_REPLY)
		return false;
	got.unique = in->unique;
	got.node = in->nodeid;
	memcpy(&got.in, arguments, sizeof(got.in));
	got.len = in->len - sizeof(*in) - sizeof(got.in);
	memcpy(got.bytes, (const char *)arguments + sizeof(got.in),
	       got.len < sizeof(got.bytes) ? got.len : sizeof(got.bytes));
	if (write(driver.heard[1], "", 1) != 1)
		abort();
	return true;
}

static ssize_t retrieve(uint64_t unique, uint64_t offset, uint32_t size)
{
	struct fuse_notify_retrieve_out out = {
		.notify_unique = unique, .nodeid = FILE_ID, .offset = offset, .size = size};
	ssize_t done = notify(FUSE_NOTIFY_RETRIEVE, &out, sizeof(out), NULL, 0);

	if (done > 0)
		wait_held();
	return done;
}

static void what_is_cached_is_given_to_the_driver(void)
{
	char text[16];

	EXPECT(begin(0));
	driver.serves = serves_reply;
	EXPECT(retrieve(4711, 2, 5) > 0); /* nothing is cached yet */
	EXPECT_EQUAL(got.unique, 4711);
	EXPECT_EQUAL(got.node, FILE_ID);
	EXPECT_EQUAL(got.in.offset, 2);
	EXPECT_EQUAL(got.in.size, 0);
	EXPECT_EQUAL(got.len, 0);
	EXPECT_EQUAL(pread(file, text, 10, 0), 10);
	EXPECT(retrieve(4712, 2, 5) > 0);
	EXPECT_EQUAL(got.unique, 4712);
	EXPECT_EQUAL(got.in.size, 5);
	EXPECT_EQUAL(got.len, 5);
	EXPECT_EQUAL(memcmp(got.bytes, "23456", 5), 0);
	EXPECT(retrieve(4713, 8, 500) > 0); /* not beyond the end */
	EXPECT_EQUAL(got.len, 2);
	EXPECT(retrieve(4714, 50, 5) > 0);
	EXPECT_EQUAL(got.len, 0);
	end();
}

/* ---- once more ---- */

static void *read_file(void *text)
{
	return pread(file, text, 10, 0) == 10 ? text : NULL;
}

static void what_was_not_answered_comes_again(void)
{
	char text[16] = "";
	uint64_t before;
	pthread_t reader;
	void *result;

	EXPECT(begin(0));
	driver.hold_opcode = FUSE_READ;
	EXPECT_EQUAL(pthread_create(&reader, NULL, read_file, text), 0);
	wait_held();
	before = driver.held;
	if (notify(NOTIFY_RESEND, NULL, 0, NULL, 0) < 0) {
		EXPECT(may_be_restricted() && errno == EINVAL); /* an older Linux */
		driver.hold_opcode = 0;
		answer(before, 0, "0123456789", 10);
	} else {
		wait_held();
		EXPECT_EQUAL(driver.held, before | UNIQUE_RESEND);
		answer(before, 0, "not this!!", 10); /* nobody has that number any more */
		driver.hold_opcode = 0;
		answer(driver.held, 0, "0123456789", 10);
	}
	pthread_join(reader, &result);
	EXPECT(result);
	EXPECT_EQUAL(memcmp(text, "0123456789", 10), 0);
	EXPECT_EQUAL(asked(FUSE_READ) <= 2, 1);
	end();
}

/* ---- names ---- */

static void all_names_expire_at_once(void)
{
	unsigned before;

	EXPECT(begin(0));
	before = asked(FUSE_LOOKUP);
	EXPECT_EQUAL(access(FILE_AT, F_OK), 0);
	EXPECT_EQUAL(asked(FUSE_LOOKUP), before);
	if (notify(NOTIFY_INC_EPOCH, NULL, 0, NULL, 0) < 0) {
		EXPECT(may_be_restricted() && errno == EINVAL);
	} else {
		EXPECT_EQUAL(access(FILE_AT, F_OK), 0);
		EXPECT_EQUAL(asked(FUSE_LOOKUP), before + 1);
		EXPECT_EQUAL(access(FILE_AT, F_OK), 0);
		EXPECT_EQUAL(asked(FUSE_LOOKUP), before + 1);
	}
	end();
}

static void a_node_that_nobody_uses_is_forgotten_when_the_driver_wants(void)
{
	const struct notify_prune out = {.count = 2};
	const uint64_t nodes[] = {77, FILE_ID};
	unsigned before;

	EXPECT(begin(0));
	close(file);
	before = asked(FUSE_LOOKUP);
	if (notify(NOTIFY_PRUNE, &out, sizeof(out), nodes, sizeof(nodes)) < 0) {
		EXPECT(may_be_restricted() && errno == EINVAL);
	} else {
		EXPECT_EQUAL(access(FILE_AT, F_OK), 0);
		EXPECT_EQUAL(asked(FUSE_LOOKUP), before + 1);
		EXPECT_ERRNO(EINVAL, notify(NOTIFY_PRUNE, &out, sizeof(out), nodes, 8));
	}
	driver_end();
}

/* ---- copying ---- */

static bool serves_copies(const struct fuse_in_header *in, const void *arguments)
{
	const struct fuse_copy_file_range_in *copy = arguments;
	struct copied_wide wide = {.bytes = 4};
	struct fuse_write_out out = {.size = 3};

	if (in->opcode == COPY_FILE_RANGE_WIDE && driver.nstale)
		answer(in->unique, ENOSYS, NULL, 0);
	else if (in->opcode == COPY_FILE_RANGE_WIDE && copy->len >= 4)
		answer(in->unique, 0, &wide, sizeof(wide));
	else if (in->opcode == FUSE_COPY_FILE_RANGE)
		answer(in->unique, 0, &out, sizeof(out));
	else
		return false;
	return true;
}

/* In the form of 64 bits where the kernel has it and the driver too. */
static void copies_are_asked_for_in_both_forms(void)
{
	off_t from = 0, to = 20;
	bool has_wide;

	EXPECT(begin(0));
	driver.serves = serves_copies;
	has_wide = copy_file_range(file, &from, file, &to, 5, 0) == 4;
	EXPECT(has_wide || may_be_restricted());
	EXPECT_EQUAL(asked(COPY_FILE_RANGE_WIDE), has_wide);
	driver.nstale = 1; /* the driver does not know it */
	from = 0;
	to = 20;
	EXPECT_EQUAL(copy_file_range(file, &from, file, &to, 5, 0), 3);
	EXPECT_EQUAL(copy_file_range(file, &from, file, &to, 5, 0), 3);
	EXPECT(!has_wide || asked(COPY_FILE_RANGE_WIDE) == 2); /* and is not asked again */
	end();
}

int main(void)
{
	if (!driver_possible())
		return may_be_restricted() ? 0 : 1;
	RUN(what_was_stored_is_read_without_asking);
	RUN(what_is_stored_behind_the_end_makes_the_file_longer);
	RUN(impossible_notifications_are_refused);
	RUN(what_is_cached_is_given_to_the_driver);
	RUN(what_was_not_answered_comes_again);
	RUN(all_names_expire_at_once);
	RUN(a_node_that_nobody_uses_is_forgotten_when_the_driver_wants);
	RUN(copies_are_asked_for_in_both_forms);
	driver_over();
	return check_end();
}
