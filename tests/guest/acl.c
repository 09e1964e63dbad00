/*
 * Access control lists of tmpfs: what a list may be, what it lets whom do, what it does with the
 * mode, and what files take from their directory's default.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

#define AT      "/tmp/acl_test"
#define FILE_AT AT "/file"
#define ACCESS  "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

struct entry {
	uint16_t tag, permissions;
	uint32_t id;
};

struct list {
	uint32_t version;
	struct entry entries[8];
};

#define NOBODY       UINT32_MAX
#define BYTES(count) (sizeof(uint32_t) + (count) * sizeof(struct entry))

/* User 1000 may read, whatever the others may. */
static const struct list with_user = {2,
				      {{USER_OBJ, 6, NOBODY},
				       {USER, 4, 1000},
				       {GROUP_OBJ, 0, NOBODY},
				       {MASK, 4, NOBODY},
				       {OTHER, 0, NOBODY}}};

static bool make_file(mode_t mode)
{
	int fd;

	unlink(FILE_AT);
	fd = open(FILE_AT, O_RDWR | O_CREAT | O_EXCL, 0600);
	return fd >= 0 && fchmod(fd, mode) == 0 && close(fd) == 0;
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	return stat(name, &st) ? 0 : st.st_mode & 07777;
}

static int set(const char *name, const char *attribute, const struct list *list, int count)
{
	return setxattr(name, attribute, list, BYTES((size_t)count), 0);
}

/* The permissions of the entry `tag`; -1: there is none. */
static int permissions(const char *name, const char *attribute, unsigned tag)
{
	struct list list;
	ssize_t got = getxattr(name, attribute, &list, sizeof(list));

	for (ssize_t i = 0; got > 0 && i < (got - 4) / 8; i++) {
		if (list.entries[i].tag == tag)
			return list.entries[i].permissions;
	}
	return -1;
}

/* ---- what may be one ---- */

static void what_is_no_list_is_refused(void)
{
	static const struct {
		struct list list;
		int count;
		int reason;
	} rows[] = {
		{{1, {{USER_OBJ, 6, NOBODY}}}, 1, EOPNOTSUPP},
		{{2, {{USER_OBJ, 6, NOBODY}}}, 1, EINVAL},
		{{2, {{USER_OBJ, 6, NOBODY}, {GROUP_OBJ, 4, NOBODY}}}, 2, EINVAL},
		{{2, {{USER_OBJ, 8, NOBODY}, {GROUP_OBJ, 4, NOBODY}, {OTHER, 4, NOBODY}}},
		 3,
		 EINVAL},
		{{2, {{GROUP_OBJ, 4, NOBODY}, {USER_OBJ, 6, NOBODY}, {OTHER, 4, NOBODY}}},
		 3,
		 EINVAL},
		{{2, {{3, 6, NOBODY}, {GROUP_OBJ, 4, NOBODY}, {OTHER, 4, NOBODY}}}, 3, EINVAL},
		/* A name, and no mask. */
		{{2,
		  {{USER_OBJ, 6, NOBODY},
		   {USER, 4, 1000},
		   {GROUP_OBJ, 4, NOBODY},
		   {OTHER, 4, NOBODY}}},
		 4,
		 EINVAL},
		{{2,
		  {{USER_OBJ, 6, NOBODY},
		   {USER, 4, NOBODY},
		   {GROUP_OBJ, 4, NOBODY},
		   {MASK, 4, NOBODY},
		   {OTHER, 4, NOBODY}}},
		 5,
		 EINVAL},
		{{2,
		  {{USER_OBJ, 6, NOBODY},
		   {GROUP_OBJ, 4, NOBODY},
		   {OTHER, 4, NOBODY},
		   {OTHER, 4, NOBODY}}},
		 4,
		 EINVAL},
	};

	EXPECT(make_file(0640));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		errno = 0;
		EXPECT_EQUAL(set(FILE_AT, ACCESS, &rows[i].list, rows[i].count), -1);
		EXPECT_EQUAL(errno, rows[i].reason);
	}
	EXPECT_ERRNO(EINVAL, setxattr(FILE_AT, ACCESS, &with_user, 3, 0));
	EXPECT_ERRNO(EINVAL, setxattr(FILE_AT, ACCESS, &with_user, BYTES(5) - 1, 0));
	EXPECT_ERRNO(EACCES, set(FILE_AT, DEFAULT, &with_user, 5));
	EXPECT_ERRNO(ENODATA, getxattr(FILE_AT, ACCESS, NULL, 0));
	EXPECT_ERRNO(ENODATA, getxattr(FILE_AT, DEFAULT, NULL, 0));
	EXPECT_EQUAL(mode_of(FILE_AT), 0640);
}

static void a_list_is_read_as_it_was_set(void)
{
	struct list list;
	char names[100];

	EXPECT(make_file(0600));
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &with_user, 5), 0);
	EXPECT_EQUAL(getxattr(FILE_AT, ACCESS, NULL, 0), BYTES(5));
	EXPECT_ERRNO(ERANGE, getxattr(FILE_AT, ACCESS, &list, BYTES(5) - 1));
	EXPECT_EQUAL(getxattr(FILE_AT, ACCESS, &list, sizeof(list)), BYTES(5));
	EXPECT_EQUAL(memcmp(&list, &with_user, BYTES(5)), 0);
	EXPECT_EQUAL(mode_of(FILE_AT), 0640);
	EXPECT_EQUAL(listxattr(FILE_AT, names, sizeof(names)), sizeof(ACCESS));
	EXPECT_EQUAL(strcmp(names, ACCESS), 0);
	EXPECT_EQUAL(removexattr(FILE_AT, ACCESS), 0);
	EXPECT_EQUAL(removexattr(FILE_AT, ACCESS), 0); /* as often as one likes */
	EXPECT_ERRNO(ENODATA, getxattr(FILE_AT, ACCESS, &list, sizeof(list)));
	EXPECT_EQUAL(mode_of(FILE_AT), 0640);
	/* Also by one that has no entries, or by nothing. */
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &with_user, 5), 0);
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &with_user, 0), 0);
	EXPECT_ERRNO(ENODATA, getxattr(FILE_AT, ACCESS, &list, sizeof(list)));
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &with_user, 5), 0);
	EXPECT_EQUAL(setxattr(FILE_AT, ACCESS, NULL, 0, 0), 0);
	EXPECT_ERRNO(ENODATA, getxattr(FILE_AT, ACCESS, &list, sizeof(list)));
}

static void links_have_none(void)
{
	unlink(AT "/link");
	EXPECT_EQUAL(symlink("file", AT "/link"), 0);
	EXPECT_ERRNO(EOPNOTSUPP, lgetxattr(AT "/link", ACCESS, NULL, 0));
	EXPECT_ERRNO(EOPNOTSUPP, lsetxattr(AT "/link", ACCESS, &with_user, BYTES(5), 0));
	EXPECT_EQUAL(unlink(AT "/link"), 0);
}

static void what_a_mode_says_too_becomes_the_mode(void)
{
	static const struct list plain = {
		2, {{USER_OBJ, 7, NOBODY}, {GROUP_OBJ, 5, NOBODY}, {OTHER, 1, NOBODY}}};

	EXPECT(make_file(0600));
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &with_user, 5), 0);
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &plain, 3), 0);
	EXPECT_EQUAL(mode_of(FILE_AT), 0751);
	EXPECT_ERRNO(ENODATA, getxattr(FILE_AT, ACCESS, NULL, 0));
}

static void chmod_changes_the_list(void)
{
	EXPECT(make_file(0600));
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &with_user, 5), 0);
	EXPECT_EQUAL(chmod(FILE_AT, 0763), 0);
	EXPECT_EQUAL(permissions(FILE_AT, ACCESS, USER_OBJ), 7);
	EXPECT_EQUAL(permissions(FILE_AT, ACCESS, USER), 4);
	EXPECT_EQUAL(permissions(FILE_AT, ACCESS, GROUP_OBJ), 0);
	EXPECT_EQUAL(permissions(FILE_AT, ACCESS, MASK), 6);
	EXPECT_EQUAL(permissions(FILE_AT, ACCESS, OTHER), 3);
}

/* ---- what it lets whom do ---- */

static int may_read(void)
{
	int fd = open(FILE_AT, O_RDONLY);

	NEED(fd >= 0);
	NEED(access(FILE_AT, R_OK) == 0 && access(FILE_AT, W_OK) == -1);
	return 0;
}

static int may_nothing(void)
{
	NEED(open(FILE_AT, O_RDONLY) == -1 && errno == EACCES);
	NEED(open(FILE_AT, O_WRONLY) == -1 && errno == EACCES);
	NEED(access(FILE_AT, R_OK) == -1 && errno == EACCES);
	return 0;
}

static int may_write_alone(void)
{
	NEED(open(FILE_AT, O_WRONLY) >= 0);
	NEED(open(FILE_AT, O_RDONLY) == -1 && errno == EACCES);
	return 0;
}

static int sets_none(void)
{
	NEED(set(FILE_AT, ACCESS, &with_user, 5) == -1 && errno == EPERM);
	NEED(removexattr(FILE_AT, ACCESS) == -1 && errno == EPERM);
	NEED(getxattr(FILE_AT, ACCESS, NULL, 0) == BYTES(5));
	return 0;
}

static void who_is_named_may_what_the_mask_lets_him(void)
{
	EXPECT(make_file(0600));
	EXPECT_EQUAL(in_child_as(1000, may_nothing), 0);
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &with_user, 5), 0);
	EXPECT_EQUAL(in_child_as(1000, may_read), 0);
	EXPECT_EQUAL(in_child_as(1001, may_nothing), 0);
	EXPECT_EQUAL(in_child_as(1000, sets_none), 0);
	EXPECT_EQUAL(chmod(FILE_AT, 0600), 0); /* the mask */
	EXPECT_EQUAL(in_child_as(1000, may_nothing), 0);
	EXPECT_EQUAL(chmod(FILE_AT, 0660), 0);
	EXPECT_EQUAL(in_child_as(1000, may_read), 0);
	EXPECT_EQUAL(removexattr(FILE_AT, ACCESS), 0);
	EXPECT_EQUAL(chmod(FILE_AT, 0604), 0); /* it is of his group */
	EXPECT_EQUAL(in_child_as(1000, may_nothing), 0);
}

static int in_group_7(int (*body)(void))
{
	if (syscall(SYS_setresgid, 7, 7, 7))
		return 251;
	if (syscall(SYS_setresuid, 1000, 1000, 1000))
		return 252;
	return body();
}

static int group_writes(void)
{
	return in_group_7(may_write_alone);
}

static int group_may_nothing(void)
{
	return in_group_7(may_nothing);
}

static void a_group_is_named_as_well(void)
{
	static const struct list with_group = {2,
					       {{USER_OBJ, 6, NOBODY},
						{GROUP_OBJ, 0, NOBODY},
						{GROUP, 2, 7},
						{MASK, 6, NOBODY},
						{OTHER, 4, NOBODY}}};
	static const struct list first_user = {2,
					       {{USER_OBJ, 6, NOBODY},
						{USER, 0, 1000},
						{GROUP_OBJ, 0, NOBODY},
						{GROUP, 6, 7},
						{MASK, 6, NOBODY},
						{OTHER, 6, NOBODY}}};

	EXPECT(make_file(0600));
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &with_group, 5), 0);
	EXPECT_EQUAL(in_child_as(0, group_writes), 0);
	/* Who is named himself is not asked for his groups. */
	EXPECT_EQUAL(set(FILE_AT, ACCESS, &first_user, 6), 0);
	EXPECT_EQUAL(in_child_as(0, group_may_nothing), 0);
}

static int enters(void)
{
	NEED(access(AT "/closed/in", F_OK) == 0);
	return 0;
}

static int enters_not(void)
{
	NEED(access(AT "/closed/in", F_OK) == -1 && errno == EACCES);
	return 0;
}

static void directories_are_entered_by_lists(void)
{
	static const struct list for_user = {2,
					     {{USER_OBJ, 7, NOBODY},
					      {USER, 1, 1000},
					      {GROUP_OBJ, 0, NOBODY},
					      {MASK, 7, NOBODY},
					      {OTHER, 0, NOBODY}}};
	static const struct list not_user = {2,
					     {{USER_OBJ, 7, NOBODY},
					      {USER, 0, 1000},
					      {GROUP_OBJ, 5, NOBODY},
					      {MASK, 5, NOBODY},
					      {OTHER, 5, NOBODY}}};

	EXPECT_EQUAL(mkdir(AT "/closed", 0700), 0);
	EXPECT_EQUAL(mkdir(AT "/closed/in", 0700), 0);
	EXPECT_EQUAL(in_child_as(1000, enters_not), 0);
	EXPECT_EQUAL(set(AT "/closed", ACCESS, &for_user, 5), 0);
	EXPECT_EQUAL(in_child_as(1000, enters), 0);
	EXPECT_EQUAL(in_child_as(1001, enters_not), 0);
	/* All bits of the mode are there, and yet one may not. */
	EXPECT_EQUAL(set(AT "/closed", ACCESS, &not_user, 5), 0);
	EXPECT_EQUAL(mode_of(AT "/closed"), 0755);
	EXPECT_EQUAL(in_child_as(1001, enters), 0);
	EXPECT_EQUAL(in_child_as(1000, enters_not), 0);
	EXPECT_EQUAL(in_child_as(0, enters), 0);
	EXPECT_EQUAL(rmdir(AT "/closed/in") | rmdir(AT "/closed"), 0);
}

/* ---- defaults ---- */

static void a_default_is_taken_over_in_place_of_the_umask(void)
{
	static const struct list given = {2,
					  {{USER_OBJ, 7, NOBODY},
					   {USER, 7, 1000},
					   {GROUP_OBJ, 5, NOBODY},
					   {MASK, 7, NOBODY},
					   {OTHER, 5, NOBODY}}};
	int fd;

	umask(077);
	EXPECT_EQUAL(mkdir(AT "/dir", 0755), 0);
	EXPECT_EQUAL(mode_of(AT "/dir"), 0700);
	EXPECT_EQUAL(set(AT "/dir", DEFAULT, &given, 5), 0);
	EXPECT_EQUAL(mode_of(AT "/dir"), 0700);
	fd = open(AT "/dir/file", O_RDWR | O_CREAT, 0664);
	EXPECT(fd >= 0 && close(fd) == 0);
	EXPECT_EQUAL(mode_of(AT "/dir/file"), 0664);
	EXPECT_EQUAL(permissions(AT "/dir/file", ACCESS, USER), 7);
	EXPECT_EQUAL(permissions(AT "/dir/file", ACCESS, MASK), 6);
	EXPECT_EQUAL(permissions(AT "/dir/file", ACCESS, OTHER), 4);
	EXPECT_ERRNO(ENODATA, getxattr(AT "/dir/file", DEFAULT, NULL, 0));
	EXPECT_EQUAL(mkdir(AT "/dir/sub", 0770), 0);
	EXPECT_EQUAL(mode_of(AT "/dir/sub"), 0770);
	EXPECT_EQUAL(permissions(AT "/dir/sub", ACCESS, OTHER), 0);
	EXPECT_EQUAL(permissions(AT "/dir/sub", DEFAULT, OTHER), 5);
	EXPECT_EQUAL(mkfifo(AT "/dir/sub/fifo", 0666), 0);
	EXPECT_EQUAL(mode_of(AT "/dir/sub/fifo"), 0664);
	EXPECT_EQUAL(removexattr(AT "/dir", DEFAULT), 0);
	EXPECT_EQUAL(mkdir(AT "/dir/plain", 0777), 0);
	EXPECT_EQUAL(mode_of(AT "/dir/plain"), 0700);
	umask(022);
}

static void a_default_that_names_nobody_is_a_mode(void)
{
	static const struct list plain = {
		2, {{USER_OBJ, 7, NOBODY}, {GROUP_OBJ, 4, NOBODY}, {OTHER, 0, NOBODY}}};
	struct stat st;
	int fd;

	EXPECT_EQUAL(mkdir(AT "/simple", 0755), 0);
	EXPECT_EQUAL(set(AT "/simple", DEFAULT, &plain, 3), 0);
	fd = open(AT "/simple", O_RDWR | O_TMPFILE, 0666);
	if (fd < 0) /* it is not everywhere there */
		fd = open(AT "/simple/file", O_RDWR | O_CREAT, 0666);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(fstat(fd, &st), 0);
	EXPECT_EQUAL(st.st_mode & 07777, 0640);
	EXPECT_ERRNO(ENODATA, fgetxattr(fd, ACCESS, NULL, 0));
	close(fd);
}

static int sets_and_loses_the_bit(void)
{
	NEED(set(FILE_AT, ACCESS, &with_user, 5) == 0);
	NEED(mode_of(FILE_AT) == 0640);
	return 0;
}

static void who_is_not_in_the_group_loses_the_set_group_id(void)
{
	EXPECT(make_file(02750));
	EXPECT_EQUAL(chown(FILE_AT, 1000, 99), 0);
	EXPECT_EQUAL(chmod(FILE_AT, 02750), 0);
	EXPECT_EQUAL(in_child_as(1000, sets_and_loses_the_bit), 0);
}

int main(void)
{
	bool is_mounted;

	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir(AT, 0755);
	is_mounted = mount("acl", AT, "tmpfs", 0, NULL) == 0;
	if (!is_mounted && may_be_restricted()) {
		printf("ok nothing_can_be_mounted_here\n");
		return 0;
	}
	umask(022);
	if (!is_mounted || chmod(AT, 0755))
		return 1;
	RUN(what_is_no_list_is_refused);
	RUN(a_list_is_read_as_it_was_set);
	RUN(links_have_none);
	RUN(what_a_mode_says_too_becomes_the_mode);
	RUN(chmod_changes_the_list);
	RUN(who_is_named_may_what_the_mask_lets_him);
	RUN(a_group_is_named_as_well);
	RUN(directories_are_entered_by_lists);
	RUN(a_default_is_taken_over_in_place_of_the_umask);
	RUN(a_default_that_names_nobody_is_a_mode);
	RUN(who_is_not_in_the_group_loses_the_set_group_id);
	umount2(AT, MNT_DETACH);
	rmdir(AT);
	return check_end();
}
