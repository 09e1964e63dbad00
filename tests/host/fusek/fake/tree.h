/*
 * A file tree to test on: an image of mke2fs as root, tmpfs and devfs over it; and short forms of
 * the calls.
 */
#ifndef FAKE_TREE_H
#define FAKE_TREE_H

#include <fusek/devfs.h>
#include <fusek/file.h>

/* Somebody who owns nothing: not who runs the tests, whose files go into the images. */
#define OTHER_UID 60999

extern struct vfs_context kernel, user; /* users 0 and OTHER_UID */
extern unsigned nopened;                /* of /dev/null */
extern const struct device_ops null_ops;

/* Group set-up: the machine as it starts; /dev/null counts its opens. */
int tree_begin(void **state);
/* Short forms, as user 0; those called _ok fail the test. */
struct object *open_ok(const char *name, unsigned flags);
err_t open_error(const struct vfs_context *context, const char *name, unsigned flags);
void write_file(const char *name, const char *text);
void expect_text(const char *name, const char *text);
struct abi_stat stat_ok(const char *name);
err_t stat_error(const char *name);
void expect_name(const char *name, const char *expected);
/* Test teardown: no lock, no open device is left. */
int nothing_is_held(void **state);

#endif
