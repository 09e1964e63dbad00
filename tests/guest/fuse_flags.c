/*
 * What a driver agrees on by the flags of INIT, and what is different then: one look into a
 * directory at a time, links that are kept, files that are found by number. The driver is a thread
 * of this program.
 */
#include <poll.h>

#include "fuse_driver.h"

#define LINK_ID 3

/* ---- looks into a directory ---- */

static uint64_t first;
static bool second_came;

/* Answers the first look only when it has seen the second one, or for how long none came. */
static bool serves_looks(const struct fuse_in_header *in, const void *arguments)
{
	struct pollfd more = {.fd = driver.device, .events = POLLIN};
	const char *name = arguments;

	if (in->opcode != FUSE_LOOKUP || strcmp(name, "file") == 0)
		return false;
	if (first) {
		second_came = true;
		answer(in->unique, ENOENT, NULL, 0);
		answer(first, ENOENT, NULL, 0);
		first = 0;
		return true;
	}
	first = in->unique;
	if (write(driver.heard[1], "", 1) != 1) /* now the second one is asked */
		abort();
	if (driver.init.flags & FUSE_PARALLEL_DIROPS)
		return true;
	if (poll(&more, 1, 100) == 0) {
		first = 0;
		answer(in->unique, ENOENT, NULL, 0);
	}
	return true;
}

static void *look(void *name)
{
	return (void *)(intptr_t)access(name, F_OK);
}

static bool looks_are_several(uint64_t flags)
{
	pthread_t lookers[2];

	first = 0;
	second_came = false;
	if (!driver_begin(flags) || access(FILE_AT, F_OK))
		return false;
	driver.serves = serves_looks;
	pthread_create(&lookers[0], NULL, look, AT "/one");
	wait_held();
	pthread_create(&lookers[1], NULL, look, AT "/two");
	if (!(flags & FUSE_PARALLEL_DIROPS))
		wait_held(); /* it comes when the first one has its answer */
	pthread_join(lookers[0], NULL);
	pthread_join(lookers[1], NULL);
	driver_end();
	return second_came;
}

static void a_directory_is_looked_into_one_by_one(void)
{
	EXPECT(!looks_are_several(0));
}

static void a_directory_is_looked_into_at_once_if_that_was_agreed(void)
{
	EXPECT(looks_are_several(FUSE_PARALLEL_DIROPS));
}

/* ---- links ---- */

static bool serves_link(const struct fuse_in_header *in, const void *arguments)
{
	struct fuse_entry_out out = {.nodeid = LINK_ID,
				     .entry_valid = 1000,
				     .attr_valid = 1000,
				     .attr = {.ino = LINK_ID, .mode = S_IFLNK | 0777, .nlink = 1}};

	if (in->opcode == FUSE_LOOKUP && strcmp(arguments, "link") == 0)
		answer(in->unique, 0, &out, sizeof(out));
	else if (in->opcode == FUSE_READLINK)
		answer(in->unique, 0, "file", 4);
	else
		return false;
	return true;
}

static void links_are_kept_if_that_was_agreed(void)
{
	static const struct {
		uint64_t flags;
		unsigned nasked;
	} rows[] = {{0, 3}, {FUSE_CACHE_SYMLINKS, 1}};
	const struct fuse_notify_inval_inode_out changed = {.ino = LINK_ID};
	char text[16];

	for (int i = 0; i < 2; i++) {
		EXPECT(driver_begin(rows[i].flags));
		driver.serves = serves_link;
		EXPECT_EQUAL(readlink(AT "/link", text, sizeof(text)), 4);
		EXPECT_EQUAL(memcmp(text, "file", 4), 0);
		EXPECT_EQUAL(access(AT "/link", F_OK), 0);
		EXPECT_EQUAL(readlink(AT "/link", text, 2), 2);
		EXPECT_EQUAL(asked(FUSE_READLINK), rows[i].nasked);
		EXPECT(notify(FUSE_NOTIFY_INVAL_INODE, &changed, sizeof(changed), NULL, 0) > 0);
		EXPECT_EQUAL(readlink(AT "/link", text, sizeof(text)), 4);
		EXPECT_EQUAL(asked(FUSE_READLINK), rows[i].nasked + 1);
		driver_end();
	}
}

/* ---- by number ---- */

static bool found_itself;

static bool serves_itself(const struct fuse_in_header *in, const void *arguments)
{
	if (in->opcode != FUSE_LOOKUP || strcmp(arguments, ".") != 0)
		return false;
	found_itself = in->nodeid == FILE_ID;
	serve_lookup(in, "file");
	return true;
}

static void a_file_that_nobody_knows_any_more_is_found_by_its_number(void)
{
	struct {
		struct file_handle head;
		char bytes[64];
	} handle = {.head.handle_bytes = sizeof(handle.bytes)};
	struct {
		struct fuse_notify_inval_entry_out head;
		char name[5];
	} gone = {.head = {.parent = 1, .namelen = 4}, .name = "file"};
	int at, fd, mount_id;

	EXPECT(driver_begin(FUSE_EXPORT_SUPPORT));
	driver.serves = serves_itself;
	EXPECT_EQUAL(name_to_handle_at(AT_FDCWD, FILE_AT, &handle.head, &mount_id, 0), 0);
	EXPECT(notify(FUSE_NOTIFY_INVAL_ENTRY, &gone.head, sizeof(gone.head), gone.name, 5) > 0);
	at = open(AT, O_RDONLY | O_DIRECTORY);
	fd = open_by_handle_at(at, &handle.head, O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT(found_itself);
	close(fd);
	close(at);
	driver_end();
}

/* One directory in the other. */
#define SUB_ID  10
#define DEEP_ID 11

static void answer_entry(const struct fuse_in_header *in, uint64_t node)
{
	struct fuse_entry_out out = {
		.nodeid = node, .entry_valid = 1000, .attr_valid = 1000, .attr = attr_of(node)};

	answer(in->unique, node ? 0 : ENOENT, &out, node ? sizeof(out) : 0);
}

static bool answer_names(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	const char *name = in->nodeid == 1 ? "sub" : "deep";
	struct {
		struct fuse_dirent head;
		char name[8];
	} one = {.head = {.ino = in->nodeid == 1 ? SUB_ID : DEEP_ID,
			  .off = 1,
			  .namelen = (uint32_t)strlen(name),
			  .type = S_IFDIR >> 12}};

	memcpy(one.name, name, strlen(name));
	answer(in->unique, 0, &one, read->offset || in->nodeid == DEEP_ID ? 0 : sizeof(one));
	return true;
}

static uint64_t node_called(uint64_t in, const char *name)
{
	if (strcmp(name, "..") == 0)
		return in == DEEP_ID ? SUB_ID : 1;
	if (strcmp(name, ".") == 0)
		return in;
	if (in == 1 && strcmp(name, "sub") == 0)
		return SUB_ID;
	return in == SUB_ID && strcmp(name, "deep") == 0 ? DEEP_ID : 0;
}

static bool serves_directories(const struct fuse_in_header *in, const void *arguments)
{
	const struct fuse_open_out opened = {.fh = 1};

	switch (in->opcode) {
	case FUSE_LOOKUP:
		answer_entry(in, node_called(in->nodeid, arguments));
		return true;
	case FUSE_OPENDIR:
		answer(in->unique, 0, &opened, sizeof(opened));
		return true;
	case FUSE_READDIR:
		return answer_names(in, arguments);
	case FUSE_RELEASEDIR:
		answer(in->unique, 0, NULL, 0);
		return true;
	default:
		return false;
	}
}

/* Those that nobody uses: what is to be asked for again may still be there. */
static void drop_names(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return; /* it is not needed everywhere */
	(void)!write(fd, "2", 1);
	close(fd);
}

static bool forget_name(uint64_t parent, const char *name)
{
	const struct fuse_notify_inval_entry_out gone = {.parent = parent,
							 .namelen = (uint32_t)strlen(name)};

	return notify(FUSE_NOTIFY_INVAL_ENTRY, &gone, sizeof(gone), name, strlen(name) + 1) > 0;
}

static void a_directory_that_nobody_knows_any_more_is_found_by_those_above_it(void)
{
	struct {
		struct file_handle head;
		char bytes[64];
	} handle = {.head.handle_bytes = sizeof(handle.bytes)};
	char cwd[64] = "";
	int at, fd, mount_id;

	EXPECT(driver_begin(FUSE_EXPORT_SUPPORT));
	driver.serves = serves_directories;
	EXPECT_EQUAL(name_to_handle_at(AT_FDCWD, AT "/sub/deep", &handle.head, &mount_id, 0), 0);
	EXPECT(forget_name(SUB_ID, "deep") && forget_name(1, "sub"));
	drop_names();
	at = open(AT, O_RDONLY | O_DIRECTORY);
	fd = open_by_handle_at(at, &handle.head, O_RDONLY | O_DIRECTORY);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(fchdir(fd), 0);
	EXPECT(getcwd(cwd, sizeof(cwd)) && strcmp(cwd, AT "/sub/deep") == 0);
	EXPECT_EQUAL(access("../deep", F_OK), 0);
	EXPECT_EQUAL(chdir("/"), 0);
	EXPECT(asked(FUSE_READDIR) > 0);
	close(fd);
	close(at);
	driver_end();
}

int main(void)
{
	if (!driver_possible())
		return may_be_restricted() ? 0 : 1;
	RUN(a_directory_is_looked_into_one_by_one);
	RUN(a_directory_is_looked_into_at_once_if_that_was_agreed);
	RUN(links_are_kept_if_that_was_agreed);
	RUN(a_file_that_nobody_knows_any_more_is_found_by_its_number);
	RUN(a_directory_that_nobody_knows_any_more_is_found_by_those_above_it);
	driver_over();
	return check_end();
}
