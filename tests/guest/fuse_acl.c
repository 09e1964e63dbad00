/*
 * Access control lists of a driver's files: where INIT has agreed on them (POSIX_ACL) the kernel
 * checks by them and keeps them as long as the attributes; else they pass through. The driver is a
 * thread of this program.
 */
#include <sys/xattr.h>

#include "as_user.h"
#include "fuse_driver.h"

#define ACCESS     "system.posix_acl_access"
#define PRIVATE_ID 77 /* a directory of user 0's alone, in which the same file is */

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, MASK = 16, OTHER = 32 };

struct list {
	uint32_t version;
	struct {
		uint16_t tag, permissions;
		uint32_t id;
	} entries[5];
};

#define NOBODY UINT32_MAX

/* User 1000 may read. */
static const struct list with_user = {2,
				      {{USER_OBJ, 6, NOBODY},
				       {USER, 4, 1000},
				       {GROUP_OBJ, 0, NOBODY},
				       {MASK, 4, NOBODY},
				       {OTHER, 0, NOBODY}}};

static struct {
	char list[sizeof(with_user)];
	uint32_t bytes;      /* 0: it has none */
	uint32_t room;       /* of the last GETXATTR */
	uint32_t flags;      /* of the last SETXATTR */
	uint32_t more_flags; /* the same: setxattr_flags */
	uint32_t uid;
	bool knows_none; /* no attributes at all */
	uint64_t attr_valid_s;
} file;

static struct fuse_attr file_attr(void)
{
	struct fuse_attr attr = attr_of(FILE_ID);

	attr.mode = S_IFREG | 0640;
	attr.uid = file.uid;
	return attr;
}

static void serve_get(const struct fuse_in_header *in, const struct fuse_getxattr_in *get)
{
	const char *name = (const char *)(get + 1);

	file.room = get->size;
	if (file.knows_none)
		answer(in->unique, ENOSYS, NULL, 0);
	else if (in->nodeid != FILE_ID || strcmp(name, ACCESS) != 0 || !file.bytes)
		answer(in->unique, ENODATA, NULL, 0);
	else if (get->size < file.bytes)
		answer(in->unique, ERANGE, NULL, 0);
	else
		answer(in->unique, 0, file.list, file.bytes);
}

static void serve_set(const struct fuse_in_header *in, const struct fuse_setxattr_in *set)
{
	bool has_more = driver.init.flags & FUSE_SETXATTR_EXT;
	const char *name = (const char *)set + (has_more ? sizeof(*set) : 8);

	file.flags = set->flags;
	file.more_flags = has_more ? set->setxattr_flags : 0;
	if (strcmp(name, ACCESS) != 0 || set->size > sizeof(file.list)) {
		answer(in->unique, EINVAL, NULL, 0);
		return;
	}
	memcpy(file.list, name + strlen(name) + 1, set->size);
	file.bytes = set->size;
	answer(in->unique, 0, NULL, 0);
}

static bool serves_private(const struct fuse_in_header *in, const void *arguments)
{
	struct fuse_entry_out entry = {
		.nodeid = PRIVATE_ID,
		.entry_valid = 1000,
		.attr_valid = 1000,
		.attr = {.ino = PRIVATE_ID, .mode = S_IFDIR | 0700, .nlink = 2}};
	struct fuse_attr_out attr = {.attr_valid = 1000, .attr = entry.attr};

	if (in->opcode == FUSE_LOOKUP && strcmp(arguments, "private") == 0)
		answer(in->unique, 0, &entry, sizeof(entry));
	else if (in->opcode == FUSE_GETATTR && in->nodeid == PRIVATE_ID)
		answer(in->unique, 0, &attr, sizeof(attr));
	else
		return false;
	return true;
}

static bool serves(const struct fuse_in_header *in, const void *arguments)
{
	struct fuse_entry_out entry = {.nodeid = FILE_ID,
				       .entry_valid = driver.valid_s,
				       .attr_valid = file.attr_valid_s,
				       .attr = file_attr()};
	struct fuse_attr_out attr = {.attr_valid = file.attr_valid_s, .attr = file_attr()};

	if (in->opcode == FUSE_LOOKUP && strcmp(arguments, "file") == 0)
		answer(in->unique, 0, &entry, sizeof(entry));
	else if (in->opcode == FUSE_GETATTR && in->nodeid == FILE_ID)
		answer(in->unique, 0, &attr, sizeof(attr));
	else if (in->opcode == FUSE_GETXATTR)
		serve_get(in, arguments);
	else if (in->opcode == FUSE_SETXATTR)
		serve_set(in, arguments);
	else if (in->opcode == FUSE_REMOVEXATTR && !file.bytes)
		answer(in->unique, ENODATA, NULL, 0);
	else if (in->opcode == FUSE_REMOVEXATTR)
		file.bytes = 0, answer(in->unique, 0, NULL, 0);
	else
		return serves_private(in, arguments);
	return true;
}

static bool begin(uint64_t flags)
{
	if (!driver_prepare(flags))
		return false;
	driver.allow_other = true;
	driver.size = 100;
	driver.serves = serves;
	memset(&file, 0, sizeof(file));
	memcpy(file.list, &with_user, sizeof(with_user));
	file.bytes = sizeof(with_user);
	file.attr_valid_s = 1000;
	return driver_mount();
}

static int may_read(void)
{
	NEED(open(FILE_AT, O_RDONLY) >= 0);
	NEED(open(FILE_AT, O_RDWR) == -1 && errno == EACCES);
	NEED(access(FILE_AT, R_OK) == 0);
	return 0;
}

static int may_nothing(void)
{
	NEED(open(FILE_AT, O_RDONLY) == -1 && errno == EACCES);
	return 0;
}

static int may_all(void)
{
	NEED(open(FILE_AT, O_RDWR) >= 0);
	return 0;
}

static int as(unsigned uid, int (*body)(void))
{
	if (syscall(SYS_setresgid, 8, 8, 8) || syscall(SYS_setresuid, uid, uid, uid))
		return 251;
	return body();
}

static int in_group_8(void)
{
	return as(1001, may_nothing);
}

static int reads_no_more(void)
{
	return as(1000, may_nothing);
}

static void the_kernel_checks_by_lists_that_were_agreed_on(void)
{
	EXPECT(begin(FUSE_POSIX_ACL));
	EXPECT_EQUAL(in_child_as(1000, may_read), 0);
	EXPECT_EQUAL(in_child_as(0, in_group_8), 0);
	EXPECT_EQUAL(asked(FUSE_ACCESS), 0);
	EXPECT(asked(FUSE_GETXATTR) > 0);
	driver_end();
	EXPECT(begin(0)); /* it is the driver's business */
	EXPECT_EQUAL(in_child_as(1000, may_all), 0);
	EXPECT_EQUAL(asked(FUSE_GETXATTR), 0);
	driver_end();
}

static int may_not_come_in(void)
{
	struct stat found;

	NEED(open(AT "/private/file", O_RDONLY) == -1 && errno == EACCES);
	NEED(stat(AT "/private/file", &found) == -1 && errno == EACCES);
	return 0;
}

static void so_it_does_on_the_way_whoever_went_there_before(void)
{
	int fd;

	EXPECT(begin(FUSE_POSIX_ACL));
	driver.valid_s = 1000;
	fd = open(AT "/private/file", O_RDONLY);
	EXPECT(fd >= 0 && close(fd) == 0);
	EXPECT_EQUAL(in_child_as(1000, may_read), 0);
	EXPECT_EQUAL(in_child_as(1000, may_not_come_in), 0);
	driver_end();
}

static void a_list_is_as_old_as_the_attributes(void)
{
	const struct fuse_notify_inval_inode_out changed = {.ino = FILE_ID, .off = -1};

	EXPECT(begin(FUSE_POSIX_ACL));
	EXPECT_EQUAL(in_child_as(1000, may_read), 0);
	file.bytes = 0;
	EXPECT_EQUAL(in_child_as(1000, may_read), 0);
	EXPECT(notify(FUSE_NOTIFY_INVAL_INODE, &changed, sizeof(changed), NULL, 0) > 0);
	EXPECT_EQUAL(in_child_as(0, reads_no_more), 0);
	driver_end();
	EXPECT(begin(FUSE_POSIX_ACL));
	file.attr_valid_s = 0;
	EXPECT_EQUAL(in_child_as(1000, may_read), 0);
	EXPECT(asked(FUSE_GETXATTR) > 1);
	driver_end();
}

static void a_list_is_checked_before_the_driver_has_it(void)
{
	static const uint64_t ways[] = {0, FUSE_POSIX_ACL};
	struct list list = with_user;

	for (int i = 0; i < 2; i++) {
		EXPECT(begin(ways[i]));
		list.entries[3].tag = 5;
		EXPECT_ERRNO(EINVAL, setxattr(FILE_AT, ACCESS, &list, sizeof(list), 0));
		list.entries[3].tag = OTHER;
		EXPECT_ERRNO(EINVAL, setxattr(FILE_AT, ACCESS, &list, sizeof(list), 0));
		EXPECT_EQUAL(asked(FUSE_SETXATTR), 0);
		list.entries[3].tag = MASK;
		EXPECT_EQUAL(setxattr(FILE_AT, ACCESS, &list, sizeof(list), XATTR_REPLACE), 0);
		EXPECT_EQUAL(asked(FUSE_SETXATTR), 1);
		EXPECT_EQUAL(file.flags, 0);
		EXPECT_EQUAL(removexattr(FILE_AT, ACCESS), 0);
		EXPECT_ERRNO(ENODATA, removexattr(FILE_AT, ACCESS));
		EXPECT_EQUAL(asked(FUSE_REMOVEXATTR), 2);
		driver_end();
	}
}

static void a_list_is_asked_for_whole(void)
{
	struct list list;

	EXPECT(begin(0));
	EXPECT_EQUAL(getxattr(FILE_AT, ACCESS, NULL, 0), sizeof(list));
	EXPECT_EQUAL(file.room, 4096);
	EXPECT_EQUAL(getxattr(FILE_AT, ACCESS, &list, sizeof(list)), sizeof(list));
	EXPECT_EQUAL(memcmp(&list, &with_user, sizeof(list)), 0);
	EXPECT_EQUAL(asked(FUSE_GETXATTR), 2);
	EXPECT_ERRNO(ERANGE, getxattr(FILE_AT, ACCESS, &list, 10));
	file.list[0] = 3; /* another version */
	EXPECT_ERRNO(EOPNOTSUPP, getxattr(FILE_AT, ACCESS, &list, sizeof(list)));
	file.list[0] = 2;
	file.list[4] = 77; /* no tag */
	EXPECT_ERRNO(EINVAL, getxattr(FILE_AT, ACCESS, &list, sizeof(list)));
	file.bytes = 0;
	EXPECT_ERRNO(ENODATA, getxattr(FILE_AT, ACCESS, &list, sizeof(list)));
	driver_end();
}

static void a_driver_without_attributes_has_no_lists(void)
{
	static const uint64_t ways[] = {0, FUSE_POSIX_ACL};

	for (int i = 0; i < 2; i++) {
		EXPECT(begin(ways[i]));
		file.knows_none = true;
		for (int round = 0; round < 2; round++)
			EXPECT_ERRNO(ENODATA, getxattr(FILE_AT, ACCESS, NULL, 0));
		driver_end();
	}
}

static int sets_it(void)
{
	NEED(setxattr(FILE_AT, ACCESS, &with_user, sizeof(with_user), 0) == 0);
	return 0;
}

static int sets_it_not(void)
{
	NEED(setxattr(FILE_AT, ACCESS, &with_user, sizeof(with_user), 0) == -1 && errno == EPERM);
	return 0;
}

static int owner_sets_it(void)
{
	return as(1000, sets_it);
}

static int another_sets_it_not(void)
{
	return as(1001, sets_it_not);
}

static void who_may_not_keep_the_set_group_id_is_told_apart(void)
{
	EXPECT(begin(FUSE_POSIX_ACL | FUSE_SETXATTR_EXT));
	file.uid = 1000;
	EXPECT_EQUAL(in_child_as(0, sets_it), 0);
	EXPECT_EQUAL(file.more_flags, 0);
	EXPECT_EQUAL(in_child_as(0, owner_sets_it), 0);
	EXPECT_EQUAL(file.more_flags, FUSE_SETXATTR_ACL_KILL_SGID);
	EXPECT_EQUAL(in_child_as(0, another_sets_it_not), 0);
	EXPECT_EQUAL(asked(FUSE_SETXATTR), 2);
	driver_end();
}

int main(void)
{
	if (!driver_possible())
		return may_be_restricted() ? 0 : 1;
	RUN(the_kernel_checks_by_lists_that_were_agreed_on);
	RUN(so_it_does_on_the_way_whoever_went_there_before);
	RUN(a_list_is_as_old_as_the_attributes);
	RUN(a_list_is_checked_before_the_driver_has_it);
	RUN(a_list_is_asked_for_whole);
	RUN(a_driver_without_attributes_has_no_lists);
	RUN(who_may_not_keep_the_set_group_id_is_told_apart);
	driver_over();
	return check_end();
}
