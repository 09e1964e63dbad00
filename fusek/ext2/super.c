/*
 * Opening an ext2 image: superblock and group descriptors. What holds afterwards, and is relied on
 * by the other files: every block below image->nblocks lies in memory; the inode tables of all
 * groups lie inside the image; inode numbers from 1 to image->ninodes have a place in one of them.
 */
#include "ext2.h"

enum ext2_incompatible {
	EXT2_COMPRESSION = 0x1,
	EXT2_FILETYPE = 0x2,
};

#define EXT2_INCOMPATIBLE_KNOWN EXT2_FILETYPE

/* Names as mke2fs has them, for the message; bit n is name n. */
static const char *const incompatible_names[] = {
	"feature compression is not supported",
	NULL /* filetype is */,
	"feature needs_recovery is not supported: the image was not unmounted cleanly",
	"feature journal_dev is not supported",
	"feature meta_bg is not supported",
	"an unknown incompatible feature (0x20)",
	"feature extent is not supported: make the image with mke2fs -t ext2",
	"feature 64bit is not supported: make the image with mke2fs -t ext2",
	"feature mmp is not supported",
	"feature flex_bg is not supported: make the image with mke2fs -t ext2",
	"feature ea_inode is not supported",
	"an unknown incompatible feature (0x800)",
	"feature dirdata is not supported",
	"feature metadata_csum_seed is not supported",
	"feature large_dir is not supported",
	"feature inline_data is not supported",
	"feature encrypt is not supported",
	"feature casefold is not supported"};

static err_t refuse(const struct ext2_image *image, const char *what)
{
	ext2_complain(image, what, 0, 0);
	return -EINVAL;
}

static err_t check_features(const struct ext2_image *image, const struct ext2_super *super)
{
	uint32_t unknown = super->features_incompatible & ~(uint32_t)EXT2_INCOMPATIBLE_KNOWN;
	unsigned bit;

	if (super->revision == 0 || !unknown)
		return 0;
	bit = (unsigned)__builtin_ctz(unknown);
	return refuse(image, bit < ARRAY_SIZE(incompatible_names)
				     ? incompatible_names[bit]
				     : "an unknown incompatible feature (above 0x20000)");
}

static const char *block_size_problem(uint32_t log_block_size)
{
	switch (log_block_size) {
	case 0:
		return "block size is 1024; pages are mapped in place: make it with mke2fs -b 4096";
	case 1:
		return "block size is 2048; pages are mapped in place: make it with mke2fs -b 4096";
	case 2:
		return NULL;
	default:
		return "block size is not 4096: make the image with mke2fs -b 4096";
	}
}

/* Sizes and counts of the superblock against each other and the image's length. */
static err_t check_geometry(struct ext2_image *image, const struct ext2_super *super,
			    uint64_t len_bytes)
{
	const char *problem = block_size_problem(super->log_block_size);
	uint32_t bits = EXT2_BLOCK_BYTES * 8; /* of the one block that a bitmap has */

	if (problem)
		return refuse(image, problem);
	if (super->nblocks == 0 || super->nblocks > len_bytes / EXT2_BLOCK_BYTES)
		return ext2_complain(image, "truncated: the superblock tells of more blocks", 0,
				     len_bytes / EXT2_BLOCK_BYTES);
	if (super->first_data_block != 0)
		return ext2_complain(image, "superblock: first data block is not 0", 0, 0);
	if (super->blocks_per_group == 0 || super->blocks_per_group > bits)
		return ext2_complain(image, "superblock: bad number of blocks in a group", 0, 0);
	if (super->inodes_per_group == 0 || super->inodes_per_group > bits)
		return ext2_complain(image, "superblock: bad number of inodes in a group", 0, 0);

	image->nblocks = super->nblocks;
	image->nfree_blocks = super->nfree_blocks;
	image->nfree_inodes = super->nfree_inodes;
	image->blocks_per_group = super->blocks_per_group;
	image->inodes_per_group = super->inodes_per_group;
	image->ngroups = (super->nblocks - 1) / super->blocks_per_group + 1;
	image->ninodes = super->ninodes;
	if (image->ninodes < EXT2_ROOT_INODE ||
	    image->ninodes > (uint64_t)image->ngroups * image->inodes_per_group)
		return ext2_complain(image, "superblock: bad number of inodes", 0, 0);
	return 0;
}

static err_t check_inode_size(struct ext2_image *image, const struct ext2_super *super)
{
	image->inode_bytes = super->revision ? super->inode_bytes : EXT2_GOOD_OLD_INODE_BYTES;
	if (image->inode_bytes < EXT2_GOOD_OLD_INODE_BYTES ||
	    image->inode_bytes > EXT2_BLOCK_BYTES ||
	    (image->inode_bytes & (image->inode_bytes - 1)) != 0)
		return ext2_complain(image, "superblock: bad inode size", 0, 0);
	return 0;
}

static err_t check_groups(struct ext2_image *image)
{
	const struct ext2_group *groups = (const void *)(image->base + EXT2_BLOCK_BYTES);
	uint64_t table_blocks =
		((uint64_t)image->inodes_per_group * image->inode_bytes + EXT2_BLOCK_BYTES - 1) /
		EXT2_BLOCK_BYTES;
	uint64_t descriptor_blocks =
		((uint64_t)image->ngroups * sizeof(*groups) + EXT2_BLOCK_BYTES - 1) /
		EXT2_BLOCK_BYTES;

	if (1 + descriptor_blocks > image->nblocks)
		return ext2_complain(image, "group descriptors reach beyond the end", 0, 1);
	image->first_content_block = (uint32_t)(1 + descriptor_blocks);
	for (uint32_t i = 0; i < image->ngroups; i++) {
		uint64_t table = groups[i].inode_table;

		if (table < image->first_content_block || table + table_blocks > image->nblocks)
			return ext2_complain(image, "a group's inode table is out of range", 0,
					     table);
	}
	return 0;
}

static err_t check_root(const struct ext2_image *image)
{
	struct ext2_inode root;
	err_t err = ext2_inode_read(image, EXT2_ROOT_INODE, &root);

	if (err)
		return err;
	if (!S_ISDIR(root.mode))
		return ext2_complain(image, "the root is not a directory", EXT2_ROOT_INODE, 0);
	return 0;
}

err_t ext2_open(struct ext2_image *image, const void *base, uint64_t len_bytes,
		void (*report)(void *argument, const struct ext2_problem *problem),
		void *report_argument)
{
	const struct ext2_super *super;
	err_t err;

	*image = (struct ext2_image){
		.base = base, .report = report, .report_argument = report_argument};
	if (len_bytes < 2 * EXT2_BLOCK_BYTES)
		return refuse(image, "the image is too short for an ext2 superblock");
	super = (const void *)(image->base + EXT2_SUPER_OFFSET);
	if (super->magic != EXT2_MAGIC)
		return refuse(image, "no ext2 superblock: the magic number is wrong");
	if (super->revision > 1)
		return refuse(image, "the superblock has an unknown revision");
	err = check_features(image, super);
	if (err)
		return err;
	err = check_geometry(image, super, len_bytes);
	if (err)
		return err;
	err = check_inode_size(image, super);
	if (err)
		return err;
	image->has_types =
		super->revision != 0 && (super->features_incompatible & EXT2_FILETYPE) != 0;
	err = check_groups(image);
	if (err)
		return err;
	return check_root(image);
}

uint64_t ext2_image_bytes(const void *base, uint64_t len_bytes)
{
	const struct ext2_super *super = (const void *)((const uint8_t *)base + EXT2_SUPER_OFFSET);

	if (len_bytes < EXT2_BLOCK_BYTES || super->magic != EXT2_MAGIC || super->log_block_size > 6)
		return 0;
	return (uint64_t)super->nblocks << (10 + super->log_block_size);
}
