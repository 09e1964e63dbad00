/*
 * Reader of ext2 images that lie in memory. It believes nothing: every number that the image holds
 * is checked before it is used, and what is wrong is reported with the block and inode where it
 * stands. Nothing is copied or kept: results point into the image, which is never written.
 *
 * Pure: no allocation, no lock, no state but struct ext2_image, which is constant after
 * ext2_open(); so any number of threads may read, and the host's tests and fuzzer run this very
 * code.
 *
 * Work is bounded: a look-up costs at most the blocks of one directory, a block of a file at most
 * three indirect blocks. Directories cannot form a cycle: one is only entered if its ".." names the
 * directory that it was found in.
 */
#ifndef FUSEK_EXT2_EXT2_H
#define FUSEK_EXT2_EXT2_H

#include "format.h"
#include <abi/errno.h>
#include <abi/stat.h>
#include <lib/types.h>

#define EXT2_BLOCK_BYTES UINT32_C(4096) /* a block is a page: it can be mapped in place */

/* What is wrong, and where. 0: not a matter of one inode or block. */
struct ext2_problem {
	const char *what;
	uint32_t inode;
	uint64_t block;
};

struct ext2_image {
	const uint8_t *base;
	uint32_t nblocks; /* as the superblock says; the image holds them all */
	uint32_t ninodes;
	uint32_t nfree_blocks;
	uint32_t nfree_inodes;
	uint32_t blocks_per_group;
	uint32_t inodes_per_group;
	uint32_t ngroups;
	uint32_t inode_bytes;
	uint32_t first_content_block; /* below: superblock and group descriptors */
	bool has_types;               /* directory entries name the type */
	void (*report)(void *argument, const struct ext2_problem *problem);
	void *report_argument;
};

/* An inode, decoded and checked. */
struct ext2_inode {
	uint32_t number;
	uint32_t mode;
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint64_t size_bytes;
	uint64_t nsectors;
	uint64_t rdev;
	uint32_t generation;
	struct abi_timespec atime, mtime, ctime;
	bool target_inside; /* a symbolic link whose target stands in the inode */
	const struct ext2_disk_inode *disk;
};

struct ext2_dirent {
	uint32_t inode;
	uint32_t mode; /* type bits, 0: not told */
	size_t name_bytes;
	const char *name; /* in the image, not terminated */
};

/* `base` is aligned to 8 bytes and stays while the image is used. -EINVAL: not an image that this
 * reader reads (the report says why); -EUCLEAN: a damaged one. */
err_t must_check ext2_open(struct ext2_image *image, const void *base, uint64_t len_bytes,
			   void (*report)(void *argument, const struct ext2_problem *problem),
			   void *report_argument);

/* How many bytes the image at `base` says it is long, or 0: for images laid one behind the other.
 */
uint64_t ext2_image_bytes(const void *base, uint64_t len_bytes);

/* -EUCLEAN: out of range, not in use, or damaged. */
err_t must_check ext2_inode_read(const struct ext2_image *image, uint32_t number,
				 struct ext2_inode *out);

/* The block of a file's page; *out NULL: a hole, or beyond the end. */
err_t must_check ext2_page(const struct ext2_image *image, const struct ext2_inode *inode,
			   uint64_t index, const void **out);

/* The entry at *offset (0 to begin), which moves behind it. -ENOENT: the end. Unused records are
 * skipped, "." and ".." are not. */
err_t must_check ext2_dir_next(const struct ext2_image *image, const struct ext2_inode *directory,
			       uint64_t *offset, struct ext2_dirent *out);

/* The inode that `name` means; -ENOENT. */
err_t must_check ext2_lookup(const struct ext2_image *image, const struct ext2_inode *directory,
			     const char *name, size_t name_bytes, struct ext2_inode *out);

/* The target of a symbolic link, in the image, not terminated; *len_bytes >= 1. */
err_t must_check ext2_link_target(const struct ext2_image *image, const struct ext2_inode *inode,
				  const char **target, size_t *len_bytes);

/* For the files of the reader: reports and returns -EUCLEAN. Here, so that every analysis sees that
 * it never returns 0. */
static inline err_t ext2_complain(const struct ext2_image *image, const char *what, uint32_t inode,
				  uint64_t block)
{
	const struct ext2_problem problem = {.what = what, .inode = inode, .block = block};

	if (image->report)
		image->report(image->report_argument, &problem);
	return -EUCLEAN;
}

#endif
