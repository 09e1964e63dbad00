/*
 * What each call that takes a path says of a bad one: the table of calls times that of paths.
 */
#include "posix.h"

#include <sys/statfs.h>
#include <sys/xattr.h>

/* A call with the path: what it returned, errno set. "other" is a file, "new" is none. */
struct call {
	const char *name;
	long (*make)(const char *path);
	enum {
		USES,      /* what is there, behind a link at the end */
		NAMES,     /* what is there, be it a link */
		CREATES,   /* nothing may be there, not even a link */
		OPENS_NEW, /* what a link at the end says, there or not */
		REPLACES,  /* whatever is there */
	} kind;
};

static long do_open(const char *path)
{
	return open(path, O_RDONLY);
}

static long do_create(const char *path)
{
	return open(path, O_RDWR | O_CREAT, 0644);
}

static long do_stat(const char *path)
{
	struct stat status;

	return stat(path, &status);
}

static long do_lstat(const char *path)
{
	struct stat status;

	return lstat(path, &status);
}

static long do_access(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS);
}

static long do_chmod(const char *path)
{
	return chmod(path, 0600);
}

static long do_chown(const char *path)
{
	return chown(path, 0, 0);
}

static long do_lchown(const char *path)
{
	return lchown(path, 0, 0);
}

static long do_truncate(const char *path)
{
	return truncate(path, 0);
}

static long do_utimens(const char *path)
{
	return utimensat(AT_FDCWD, path, NULL, 0);
}

static long do_mkdir(const char *path)
{
	return mkdir(path, 0755);
}

static long do_mkfifo(const char *path)
{
	return mkfifo(path, 0644);
}

static long do_symlink(const char *path)
{
	return symlink("target", path);
}

static long do_link_from(const char *path)
{
	return link(path, "new");
}

static long do_link_to(const char *path)
{
	return link("other", path);
}

static long do_rename_from(const char *path)
{
	return rename(path, "new");
}

static long do_rename_to(const char *path)
{
	return rename("other", path);
}

static long do_readlink(const char *path)
{
	char target[16];

	return readlink(path, target, sizeof(target));
}

static long do_statfs(const char *path)
{
	struct statfs status;

	return statfs(path, &status);
}

static long do_opendir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY);
}

static long do_setxattr(const char *path)
{
	return setxattr(path, "user.a", "1", 1, 0);
}

static long do_getxattr(const char *path)
{
	char value[16];

	return getxattr(path, "user.a", value, sizeof(value));
}

static long do_chdir(const char *path)
{
	return chdir(path);
}

static long do_unlink(const char *path)
{
	return unlink(path);
}

static long do_rmdir(const char *path)
{
	return rmdir(path);
}

static const struct call calls[] = {
	{"open", do_open, USES},
	{"open_directory", do_opendir, USES},
	{"create", do_create, OPENS_NEW},
	{"stat", do_stat, USES},
	{"lstat", do_lstat, NAMES},
	{"access", do_access, USES},
	{"chmod", do_chmod, USES},
	{"chown", do_chown, USES},
	{"lchown", do_lchown, NAMES},
	{"truncate", do_truncate, USES},
	{"utimensat", do_utimens, USES},
	{"chdir", do_chdir, USES},
	{"mkdir", do_mkdir, CREATES},
	{"mkfifo", do_mkfifo, CREATES},
	{"symlink", do_symlink, CREATES},
	{"link_from", do_link_from, NAMES},
	{"link_to", do_link_to, CREATES},
	{"rename_from", do_rename_from, NAMES},
	{"rename_to", do_rename_to, REPLACES},
	{"unlink", do_unlink, NAMES},
	{"rmdir", do_rmdir, NAMES},
	{"readlink", do_readlink, NAMES},
	{"statfs", do_statfs, USES},
	{"setxattr", do_setxattr, USES},
	{"getxattr", do_getxattr, USES},
};

/* For calls of which kinds a path is bad, and in which way. */
#define OF(kind) (1U << (kind))
#define OF_ALL   (OF(USES) | OF(NAMES) | OF(CREATES) | OF(OPENS_NEW) | OF(REPLACES))

static const struct bad {
	const char *what, *path;
	int error;
	unsigned of;
	unsigned user;
} paths[] = {
	{"below_nothing_is_ENOENT", "none/x", ENOENT, OF_ALL, 0},
	{"below_a_file_is_ENOTDIR", "file/x", ENOTDIR, OF_ALL, 0},
	{"below_a_link_to_a_file_is_ENOTDIR", "to-file/x", ENOTDIR, OF_ALL, 0},
	{"below_a_link_to_nothing_is_ENOENT", "to-none/x", ENOENT, OF_ALL, 0},
	{"below_a_link_to_itself_is_ELOOP", "loop/x", ELOOP, OF_ALL, 0},
	{"of_an_empty_path_is_ENOENT", "", ENOENT, OF_ALL, 0},
	{"of_256_bytes_is_ENAMETOOLONG", too_long_name, ENAMETOOLONG, OF_ALL, 0},
	{"of_4096_bytes_is_ENAMETOOLONG", too_long_path, ENAMETOOLONG, OF_ALL, 0},
	{"behind_a_closed_directory_is_EACCES", "closed/x", EACCES, OF_ALL, ALICE},
	{"of_nothing_is_ENOENT", "none", ENOENT, OF(USES) | OF(NAMES), 0},
	{"of_a_link_to_nothing_is_ENOENT", "to-none", ENOENT, OF(USES), 0},
	{"of_a_link_to_itself_is_ELOOP", "loop", ELOOP, OF(USES) | OF(OPENS_NEW), 0},
	{"of_a_file_with_a_slash_is_ENOTDIR", "file/", ENOTDIR, OF(USES) | OF(NAMES), 0},
	{"of_what_is_there_is_EEXIST", "file", EEXIST, OF(CREATES), 0},
	{"of_a_link_that_is_there_is_EEXIST", "to-none", EEXIST, OF(CREATES), 0},
	{"of_a_directory_that_is_there_is_EEXIST", "directory", EEXIST, OF(CREATES), 0},
};

static const struct call *call;
static const struct bad *bad;

static void cell(void)
{
	long result;

	PUT("file", "x");
	PUT("other", "x");
	MKDIR("directory", 0755);
	MKDIR("closed", 0700);
	PUT("closed/x", "x");
	EXPECT_EQUAL(symlink("file", "to-file"), 0);
	EXPECT_EQUAL(symlink("none", "to-none"), 0);
	EXPECT_EQUAL(symlink("loop", "loop"), 0);
	as(bad->user);
	result = call->make(bad->path);
	if (result != -1)
		FAIL("it is %ld, and no error", result);
	if (errno != bad->error)
		FAIL("it says '%s'", strerror(errno));
	as(0);
	EXPECT(has("file", "x") && has("other", "x") && !exists("new") && exists("loop"));
}

void matrix_run(void)
{
	char name[128];

	for (call = calls; call < calls + sizeof(calls) / sizeof(calls[0]); call++) {
		for (bad = paths; bad < paths + sizeof(paths) / sizeof(paths[0]); bad++) {
			if (!(bad->of & OF(call->kind)))
				continue;
			snprintf(name, sizeof(name), "%s_%s", call->name, bad->what);
			case_run(name, cell);
		}
	}
}
