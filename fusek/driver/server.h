/*
 * A driver as a server: the table of fusek/server.h whose functions ask the program behind a
 * connection.
 */
#ifndef FUSEK_DRIVER_SERVER_H
#define FUSEK_DRIVER_SERVER_H

#include "connection.h"

/* What a mount of it was told. */
struct fuse_mount_options {
	int fd;
	uint32_t root_mode; /* the type */
	uint32_t owner_uid, owner_gid;
	uint32_t max_read_bytes; /* 0: not limited */
	bool is_block;           /* "fuseblk": it serves what lies on a block device */
	uint32_t block_bytes;    /* of that; FUSE_BLOCK_BYTES unless it was said */
	bool default_permissions;
	bool allow_other;
	char subtype[24];
};

#define FUSE_BLOCK_BYTES 512u

/* "fd=3,rootmode=40000,user_id=0,group_id=0" and what else mount(8) and libfuse say; `is_block`: of
 * a fuseblk, which may say "blksize=4096". -EINVAL: one that nobody knows, a value that is none, or
 * one of the four is missing. */
err_t must_check fuse_parse_options(const char *text, bool is_block,
				    struct fuse_mount_options *out);

/* A server of its own for one mount; the connection's reference is taken over with success. The
 * connection keeps it to its end: a driver's notification may still look at it. */
err_t must_check fuse_server_create(struct fuse_connection *connection,
				    const struct fuse_mount_options *options, const char *source,
				    struct server **out);
/* Sends INIT. */
err_t must_check fuse_server_start(struct server *server);
/* The mount is gone, or will not be. */
void fuse_server_destroy(struct server *server);
/* With the connection. Takes NULL. */
void fuse_server_free(struct server *server);

#endif
