/*
 * Files by name and by descriptor: what the system calls need. Everything here may sleep, takes no
 * lock from its caller, and returns 0 or a negative errno as the Linux call of the same name.
 *
 * `at` is the object that the *at calls' descriptor names, or NULL for the working directory
 * (AT_FDCWD); it is only looked at if `name` is relative. An `at` that is not a directory is
 * -ENOTDIR. With AT_EMPTY_PATH and an empty name the call is about `at` itself, whatever kind of
 * object it is. Access is checked by mode bits against context->uid and gid; user 0 passes.
 */
#ifndef FUSEK_FILE_H
#define FUSEK_FILE_H

#include <fusek/path.h>
#include <ipc/object.h>
#include <lib/types.h>

struct nodeid;
struct server;

/* ---- opening ---- */

/* Flags: O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_TRUNC O_APPEND O_NONBLOCK O_DIRECTORY O_NOFOLLOW
 * O_PATH; O_CLOEXEC (the descriptor table's), O_NOCTTY (the device's), O_LARGEFILE, O_NOATIME,
 * O_SYNC, O_DSYNC, O_TMPFILE and, for a regular file, O_DIRECT are taken. O_ASYNC -EINVAL. *out is
 * a reference for the caller. */
err_t must_check vfs_open(const struct vfs_context *context, struct object *at, const char *name,
			  unsigned flags, uint32_t mode, struct object **out);

/* What exec opens: a regular file that `context` may execute (-EACCES otherwise), for reading. */
err_t must_check vfs_open_exec(const struct vfs_context *context, struct object *at,
			       const char *name, unsigned at_flags, struct object **out);

/* Whether the set-id bits of a file that vfs_open_exec() has opened are heeded. */
bool vfs_gives_ids(const struct object *file);
/* The open file's permission bits let `context` read it, however it was opened. Sleeps. */
bool vfs_may_read(const struct vfs_context *context, struct object *file);

/* memfd_create(2): a file without a name in memory, with these F_SEAL_*; `name` has at most 249
 * bytes. -ENOMEM, -ENOSPC. */
err_t must_check vfs_memfd(const struct vfs_context *context, const char *name, uint32_t mode,
			   unsigned seals, struct object **out);
/* Once, by fusek_init(). */
err_t must_check memfd_init(void);

/* The place of an open file; none for an object that is no file. Borrowed from the object. */
struct path file_path(struct object *object);
/* Whose node an open file is, for the server's own calls. -EBADF: it is no file, or opened with
 * O_PATH.
 */
err_t must_check file_node(struct object *object, struct server **server, struct nodeid *node);
/* A place that leads to `object`: an open file's, or one that opens the object again (pipes,
 * terminals) and has its attributes. *out is a reference. -ENXIO: it is no such thing; -ENOMEM.
 * Sleeps. */
err_t must_check path_of_object(struct object *object, struct path *out);
/* Once, before anybody asks for one: for places of what has no name. -ENOMEM. */
err_t must_check nameless_init(void);
/* Of an open file, for /proc: where its reader or writer is, and the id of its mount. False: no
 * file. */
bool file_facts(struct object *object, uint64_t *position, uint32_t *mount_id);

/* What fcntl knows of files: leases, by which their holder is told before others open the file
 * otherwise (async_set_owner() first; `fd` is told); F_UNLCK gives one up. -EINVAL: of no regular
 * file, or no such type; -EACCES: somebody else's file; -EAGAIN: it is open in another way; or
 * there is none to give up. Sleeps. */
err_t must_check file_set_lease(struct object *object, const struct vfs_context *context, int fd,
				int type);
int file_lease(struct object *object); /* F_RDLCK, F_WRLCK or F_UNLCK */
/* How long the holder has (0: for ever), and whether there are leases at all. By read_once and
 * write_once. */
extern uint32_t lease_break_s;
extern uint32_t leases_enabled;
/* F_NOTIFY: `fd`, a descriptor in the table `owner`, is told of DN_* in a directory; 0: of nothing
 * more. -ENOTDIR, -ENOMEM. Sleeps. */
err_t must_check file_notify(struct object *object, uint64_t owner, int fd, unsigned events);
/* Whether it did not exist before it was opened. */
bool file_was_created(struct object *object);
/* How long what is written will live (RWH_*): remembered. -EINVAL: no file; -EPERM: somebody
 * else's. */
err_t must_check file_write_hint(struct object *object, uint64_t *hint);
err_t must_check file_set_write_hint(struct object *object, const struct vfs_context *context,
				     uint64_t hint);

/* ---- by number ---- */

/* What a file is known by in its filesystem, for good. */
struct file_handle {
	uint64_t number, generation;
};
/* at_flags: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. -EOPNOTSUPP: the filesystem keeps no numbers. */
err_t must_check vfs_handle(const struct vfs_context *context, struct object *at, const char *name,
			    unsigned at_flags, struct file_handle *out, uint32_t *mount_id);
/* In the filesystem of `at` (NULL: the working directory). For who may search everywhere. -ESTALE:
 * there is no such file any more, or a directory that no name in the cache leads to; as open. */
err_t must_check vfs_open_handle(const struct vfs_context *context, struct object *at,
				 const struct file_handle *handle, unsigned flags,
				 struct object **out);

/* ---- attributes ---- */

/* at_flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_NO_AUTOMOUNT and the statx sync bits. */
err_t must_check vfs_stat(const struct vfs_context *context, struct object *at, const char *name,
			  unsigned at_flags, struct abi_stat *out);
/* What statx(2) says beyond: when it was made, if its server knows it, and which mount shows it. */
struct vfs_details {
	err_t no_birth; /* 0: it is there; -ENOSYS, or the server's error */
	bool is_mount_root;
	uint32_t mount_id;
	struct abi_timespec birth;
};
/* at_flags as above. */
err_t must_check vfs_details(const struct vfs_context *context, struct object *at, const char *name,
			     unsigned at_flags, struct vfs_details *out);
/* mask: R_OK W_OK X_OK or F_OK; at_flags: AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
err_t must_check vfs_access(const struct vfs_context *context, struct object *at, const char *name,
			    unsigned mask, unsigned at_flags);
err_t must_check vfs_chmod(const struct vfs_context *context, struct object *at, const char *name,
			   uint32_t mode, unsigned at_flags);
/* UINT32_MAX leaves an id alone. */
err_t must_check vfs_chown(const struct vfs_context *context, struct object *at, const char *name,
			   uint32_t uid, uint32_t gid, unsigned at_flags);
/* times[0] access, times[1] modification, tv_nsec may be UTIME_NOW or UTIME_OMIT; NULL: both now.
 */
err_t must_check vfs_utimens(const struct vfs_context *context, struct object *at, const char *name,
			     const struct abi_timespec *times, unsigned at_flags);
/* What was written to files is with their servers: of all, or of the filesystem of an open file.
 * Sleeps. */
void vfs_sync(struct object *object);
/* The same of one file, or (`wait` false) it is on its way. */
void vfs_write_back(struct object *object, bool wait);
err_t must_check vfs_truncate(const struct vfs_context *context, const char *name,
			      uint64_t size_bytes);
/* What `name` means for an *at call: *out is a reference. AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. */
err_t must_check vfs_place(const struct vfs_context *context, struct object *at, const char *name,
			   unsigned at_flags, struct path *out);
err_t must_check vfs_statfs(const struct vfs_context *context, struct object *at, const char *name,
			    unsigned at_flags, struct abi_statfs *out);

/* ---- extended attributes ---- */

/* at_flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. `attribute` has 1 to XATTR_NAME_MAX bytes, a value
 * at most XATTR_SIZE_MAX; flags: XATTR_CREATE, XATTR_REPLACE. The first two give the bytes of the
 * value, of all names each with its NUL; `to_bytes` 0 asks how many. */
ssize_t must_check vfs_getxattr(const struct vfs_context *context, struct object *at,
				const char *name, unsigned at_flags, const char *attribute,
				void *to, size_t to_bytes);
ssize_t must_check vfs_listxattr(const struct vfs_context *context, struct object *at,
				 const char *name, unsigned at_flags, char *to, size_t to_bytes);
err_t must_check vfs_setxattr(const struct vfs_context *context, struct object *at,
			      const char *name, unsigned at_flags, const char *attribute,
			      const void *value, size_t value_bytes, unsigned flags);
err_t must_check vfs_removexattr(const struct vfs_context *context, struct object *at,
				 const char *name, unsigned at_flags, const char *attribute);

/* ---- names ---- */

err_t must_check vfs_mkdir(const struct vfs_context *context, struct object *at, const char *name,
			   uint32_t mode);
/* Regular files, FIFOs, sockets; devices for user 0 only. */
err_t must_check vfs_mknod(const struct vfs_context *context, struct object *at, const char *name,
			   uint32_t mode, uint64_t rdev);
/* at_flags: AT_REMOVEDIR makes it rmdir. */
err_t must_check vfs_unlink(const struct vfs_context *context, struct object *at, const char *name,
			    unsigned at_flags);
/* flags: RENAME_NOREPLACE or RENAME_EXCHANGE. */
err_t must_check vfs_rename(const struct vfs_context *context, struct object *old_at,
			    const char *old_name, struct object *new_at, const char *new_name,
			    unsigned flags);
/* at_flags: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
err_t must_check vfs_link(const struct vfs_context *context, struct object *old_at,
			  const char *old_name, struct object *new_at, const char *new_name,
			  unsigned at_flags);
err_t must_check vfs_symlink(const struct vfs_context *context, const char *target,
			     struct object *at, const char *name);
/* The number of bytes, no NUL. An empty name: `at` is a link opened with O_PATH. */
ssize_t must_check vfs_readlink(const struct vfs_context *context, struct object *at,
				const char *name, char *to, size_t to_bytes);

/* ---- sockets ---- */

/* The name of a unix socket, made with `mode` but for the umask: *out is it, opened with O_PATH, a
 * reference for the caller. -EEXIST. */
err_t must_check vfs_make_socket(const struct vfs_context *context, const char *name, uint32_t mode,
				 struct object **out);
/* Where such a name leads, for who may write there; a reference. -ECONNREFUSED: to no socket. */
err_t must_check vfs_find_socket(const struct vfs_context *context, const char *name,
				 struct path *out);

/* ---- places ---- */

/* The directory `name` for chdir and chroot, with permission to enter it. `at` and an empty name:
 * fchdir. *out is a reference for the caller. */
err_t must_check vfs_find_directory(const struct vfs_context *context, struct object *at,
				    const char *name, struct path *out);

#endif
