/*
 * The frame of the cases: each is a function named after what must be, and runs in a directory of
 * its own, as root, with a umask of 0, at a clock that has moved since.
 *
 *	CASE(rmdir_of_a_file_is_ENOTDIR)
 *	{
 *		PUT("f", "");
 *		EXPECT_ERRNO(ENOTDIR, rmdir("f"));
 *	}
 *
 * A case is stated from POSIX or a manual page of Linux, and passes on Linux's tmpfs.
 */
#ifndef POSIX_H
#define POSIX_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../guest/check.h"

#define ALICE 1000 /* users, and their groups */
#define BOB   1001
#define PAGE  4096

struct posix_case {
	const char *name;
	void (*run)(void);
};

/* Where the linker gathers them. */
extern const struct posix_case *const __start_posix_cases[], *const __stop_posix_cases[];

#define CASE(title)                                                                                \
	static void title(void);                                                                   \
	static const struct posix_case title##_case = {#title, title};                             \
	__attribute__((                                                                            \
		used,                                                                              \
		section("posix_cases"))) static const struct posix_case *const title##_pointer =   \
		&title##_case;                                                                     \
	static void title(void)

/* Runs one in its directory, and prints what came of it. */
void case_run(const char *name, void (*run)(void));
/* The same refusals of many calls; see matrix.c. */
void matrix_run(void);

/* ---- what cases begin with; these end a case that cannot begin so ---- */

#define PUT(name, text)   EXPECT(put(name, text))
#define MKDIR(name, mode) EXPECT_EQUAL(mkdir(name, mode), 0)
/* Descriptors that a case leaves open are closed behind it. */
#define OPEN(fd, ...)                                                                              \
	int fd = open(__VA_ARGS__);                                                                \
	EXPECT(fd >= 0)
#define STAT(status, name)                                                                         \
	struct stat status;                                                                        \
	EXPECT_EQUAL(lstat(name, &(status)), 0)
#define FSTAT(status, fd)                                                                          \
	struct stat status;                                                                        \
	EXPECT_EQUAL(fstat(fd, &(status)), 0)

/* A new file of mode 0644. */
bool put(const char *name, const char *text);
/* Whether a file holds just this. */
bool has(const char *name, const char *text);
bool exists(const char *name);
/* -1: there is none. */
long long size_of(const char *name);
int mode_of(const char *name); /* 07777 of it */
int nlink_of(const char *name);
long long inode_of(const char *name);
int nentries_of(const char *directory);
bool is_zeros(const void *bytes, size_t len_bytes);

/* Who acts: the effective user and group, and no other groups. Back to root: as(0). */
void as(unsigned id);
void as_member(unsigned uid, unsigned gid, unsigned also_gid);

/* Until a file's clock has moved on. */
void tick(void);
/* Nanoseconds of a file's (not a link's target's) times. */
long long atime_of(const char *name);
long long mtime_of(const char *name);
long long ctime_of(const char *name);
/* Gives it the times of the first day of 2001. */
bool make_old(const char *name);
#define OLD_S 978307200LL

extern const char longest_name[256];  /* 255 bytes */
extern const char too_long_name[257]; /* 256 */
/* PATH_MAX bytes with the zero behind them: one too many. */
extern char too_long_path[4097];

#endif
