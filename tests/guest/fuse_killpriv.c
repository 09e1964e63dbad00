/*
 * Set-id bits of a driver's file, when somebody changes it who may not keep them: by FUSE's second
 * way (HANDLE_KILLPRIV_V2) the request itself says that they go, by its first the driver knows, and
 * without both the kernel sends a SETATTR before. The driver is a thread of this program.
 */
#include <linux/capability.h>
#include <sys/syscall.h>

#include "fuse_driver.h"

#ifndef FUSE_HANDLE_KILLPRIV_V2
#define FUSE_HANDLE_KILLPRIV_V2 (1 << 28)
#define FUSE_OPEN_KILL_SUIDGID  (1 << 0)
#define FUSE_WRITE_KILL_SUIDGID (1 << 2)
#define FATTR_KILL_SUIDGID      (1 << 11)
#endif

#define WITH_IDS (S_IFREG | 06775)

/* What the last one of these said, and what the file's mode is. */
static struct {
	uint32_t mode;
	uint32_t open_flags, write_flags, set;
} file;

static struct fuse_attr file_attr(void)
{
	struct fuse_attr attr = attr_of(FILE_ID);

	attr.mode = file.mode;
	return attr;
}

static void drop_ids(void)
{
	file.mode &= ~(uint32_t)(S_ISUID | S_ISGID);
}

static void answer_file(const struct fuse_in_header *in)
{
	struct fuse_attr_out out = {.attr_valid = driver.valid_s, .attr = file_attr()};

	answer(in->unique, 0, &out, sizeof(out));
}

static void take_setattr(const struct fuse_setattr_in *set)
{
	file.set = set->valid;
	if (set->valid & FATTR_SIZE)
		driver.size = set->size;
	if (set->valid & FATTR_MODE)
		file.mode = S_IFREG | (set->mode & 07777);
	if (set->valid & FATTR_KILL_SUIDGID)
		drop_ids();
}

static bool serves(const struct fuse_in_header *in, const void *arguments)
{
	struct fuse_entry_out entry = {.nodeid = FILE_ID,
				       .entry_valid = driver.valid_s,
				       .attr_valid = driver.valid_s,
				       .attr = file_attr()};

	if (in->opcode == FUSE_OPEN) {
		file.open_flags = ((const struct fuse_open_in *)arguments)->open_flags;
		if (file.open_flags & FUSE_OPEN_KILL_SUIDGID)
			drop_ids();
		if (((const struct fuse_open_in *)arguments)->flags & O_TRUNC)
			driver.size = 0;
		return false;
	}
	if (in->opcode == FUSE_WRITE) {
		file.write_flags = ((const struct fuse_write_in *)arguments)->write_flags;
		if (file.write_flags & FUSE_WRITE_KILL_SUIDGID)
			drop_ids();
		return false;
	}
	if (in->opcode == FUSE_LOOKUP && strcmp(arguments, "file") == 0) {
		answer(in->unique, 0, &entry, sizeof(entry));
		return true;
	}
	if (in->opcode == FUSE_SETATTR)
		take_setattr(arguments);
	if (in->opcode != FUSE_SETATTR && (in->opcode != FUSE_GETATTR || in->nodeid != FILE_ID))
		return false;
	answer_file(in);
	return true;
}

static bool begin(uint64_t flags, uint32_t open_flags)
{
	if (!driver_prepare(flags))
		return false;
	driver.open_flags = open_flags;
	driver.size = 100;
	driver.serves = serves;
	memset(&file, 0, sizeof(file));
	file.mode = WITH_IDS;
	return driver_mount();
}

/* Of this thread: CAP_FSETID, by which one keeps the bits. */
static bool may_keep_ids(bool may)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets))
		return false;
	if (may)
		sets[0].effective |= 1u << CAP_FSETID;
	else
		sets[0].effective &= ~(1u << CAP_FSETID);
	return syscall(SYS_capset, &header, sets) == 0;
}

static uint32_t mode_now(void)
{
	struct stat st;

	return stat(FILE_AT, &st) ? 0 : st.st_mode;
}

static bool write_a_byte(int more_flags)
{
	int fd = open(FILE_AT, O_WRONLY | more_flags);
	bool ok = fd >= 0 && write(fd, "x", 1) == 1;

	return ok && close(fd) == 0;
}

/* ---- the tests ---- */

static void a_write_says_that_they_go(void)
{
	static const struct {
		uint64_t flags;
		uint32_t open_flags, write_flags, set;
	} rows[] = {
		{FUSE_HANDLE_KILLPRIV_V2, 0, FUSE_WRITE_KILL_SUIDGID, 0},
		{FUSE_HANDLE_KILLPRIV_V2, FOPEN_DIRECT_IO, FUSE_WRITE_KILL_SUIDGID, 0},
		{FUSE_HANDLE_KILLPRIV_V2 | FUSE_WRITEBACK_CACHE, 0, FUSE_WRITE_KILL_SUIDGID, 0},
		{FUSE_HANDLE_KILLPRIV, 0, 0, 0},
		{0, 0, 0, FATTR_MODE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT(begin(rows[i].flags, rows[i].open_flags));
		EXPECT(may_keep_ids(false));
		EXPECT(write_a_byte(0));
		EXPECT(may_keep_ids(true));
		EXPECT_EQUAL(file.write_flags & FUSE_WRITE_KILL_SUIDGID, rows[i].write_flags);
		EXPECT_EQUAL(file.set & FATTR_MODE, rows[i].set);
		if (!(rows[i].flags & FUSE_HANDLE_KILLPRIV))
			EXPECT_EQUAL(mode_now(), S_IFREG | 0775);
		driver_end();
	}
}

/* Past the cache whatever was agreed on; Linux leaves it at that. */
static void a_direct_write_says_so_in_any_case(void)
{
	EXPECT(begin(0, FOPEN_DIRECT_IO));
	EXPECT(may_keep_ids(false));
	EXPECT(write_a_byte(0));
	EXPECT(may_keep_ids(true));
	EXPECT_EQUAL(file.write_flags & FUSE_WRITE_KILL_SUIDGID, FUSE_WRITE_KILL_SUIDGID);
	EXPECT_EQUAL(mode_now(), S_IFREG | 0775);
	driver_end();
}

static void who_may_keep_them_does(void)
{
	static const uint32_t open_flags[] = {0, FOPEN_DIRECT_IO};

	for (int i = 0; i < 2; i++) {
		EXPECT(begin(FUSE_HANDLE_KILLPRIV_V2 | FUSE_ATOMIC_O_TRUNC, open_flags[i]));
		EXPECT(write_a_byte(O_TRUNC));
		EXPECT_EQUAL(truncate(FILE_AT, 10), 0);
		EXPECT_EQUAL(file.open_flags, 0);
		EXPECT_EQUAL(file.write_flags & FUSE_WRITE_KILL_SUIDGID, 0);
		EXPECT_EQUAL(file.set & (FATTR_KILL_SUIDGID | FATTR_MODE), 0);
		EXPECT_EQUAL(mode_now(), WITH_IDS);
		driver_end();
	}
}

static void a_new_size_says_that_they_go(void)
{
	EXPECT(begin(FUSE_HANDLE_KILLPRIV_V2, 0));
	EXPECT(may_keep_ids(false));
	EXPECT_EQUAL(truncate(FILE_AT, 10), 0);
	EXPECT(may_keep_ids(true));
	EXPECT_EQUAL(asked(FUSE_SETATTR), 1);
	EXPECT_EQUAL(file.set & (FATTR_SIZE | FATTR_MODE | FATTR_KILL_SUIDGID),
		     FATTR_SIZE | FATTR_KILL_SUIDGID);
	EXPECT_EQUAL(mode_now(), S_IFREG | 0775);
	driver_end();
}

static void an_open_that_cuts_says_that_they_go(void)
{
	/* By the OPEN itself, or by the SETATTR that follows it. */
	static const uint64_t ways[] = {FUSE_ATOMIC_O_TRUNC, 0};

	for (int i = 0; i < 2; i++) {
		int fd;

		EXPECT(begin(FUSE_HANDLE_KILLPRIV_V2 | ways[i], 0));
		EXPECT(may_keep_ids(false));
		fd = open(FILE_AT, O_WRONLY | O_TRUNC);
		EXPECT(fd >= 0 && close(fd) == 0);
		EXPECT(may_keep_ids(true));
		EXPECT_EQUAL(file.open_flags, ways[i] ? FUSE_OPEN_KILL_SUIDGID : 0);
		EXPECT_EQUAL(file.set & FATTR_KILL_SUIDGID, ways[i] ? 0 : FATTR_KILL_SUIDGID);
		EXPECT_EQUAL(mode_now(), S_IFREG | 0775);
		driver_end();
	}
}

static void another_owner_says_that_they_go(void)
{
	static const struct {
		uint64_t flags;
		uint32_t set;
	} rows[] = {{FUSE_HANDLE_KILLPRIV_V2, FATTR_KILL_SUIDGID},
		    {FUSE_HANDLE_KILLPRIV, 0},
		    {0, FATTR_MODE}};

	for (int i = 0; i < 3; i++) {
		EXPECT(begin(rows[i].flags, 0));
		EXPECT_EQUAL(chown(FILE_AT, 5, (gid_t)-1), 0);
		EXPECT_EQUAL(file.set & (FATTR_UID | FATTR_MODE | FATTR_KILL_SUIDGID),
			     FATTR_UID | rows[i].set);
		driver_end();
	}
}

int main(void)
{
	if (!driver_possible())
		return may_be_restricted() ? 0 : 1;
	if (!may_keep_ids(true)) {
		printf("ok nobody_may_keep_set_id_bits_here\n");
		return 0;
	}
	RUN(a_write_says_that_they_go);
	RUN(a_direct_write_says_so_in_any_case);
	RUN(who_may_keep_them_does);
	RUN(a_new_size_says_that_they_go);
	RUN(an_open_that_cuts_says_that_they_go);
	RUN(another_owner_says_that_they_go);
	driver_over();
	return check_end();
}
