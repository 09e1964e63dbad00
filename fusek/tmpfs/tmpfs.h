/*
 * The server of files that live in memory.
 */
#ifndef FUSEK_TMPFS_TMPFS_H
#define FUSEK_TMPFS_TMPFS_H

#include <fusek/server.h>

/* An empty tree, or with `seed` one that begins with what that (read-only) server has below `name`:
 * names and attributes are copied now, data only when it is written. At most half of memory.
 * -ENOENT: the seed has no such directory. `name` and the seed must outlive the server. destroy()
 * ends it. */
err_t must_check tmpfs_create(struct server *seed, const char *name, struct server **out);

/* An empty one, as mount(2)'s options want it: size, nr_blocks, nr_inodes, mode, uid, gid. -EINVAL:
 * others. */
err_t must_check tmpfs_create_by_options(const char *options, struct server **out);

/* -EINVAL: not all of them are such. */
err_t must_check tmpfs_check_options(const char *options);

/* For who has just made the file: it has these F_SEAL_* and no others. */
void tmpfs_make_sealable(struct server *server, struct nodeid node, unsigned seals);

#endif
