/*
 * Inodes of an ext2 image, and the blocks of their data: direct ones and the three levels of
 * indirect blocks. A block number is only followed after it was found to lie behind the group
 * descriptors and inside the image, and never twice on the way to one block of data.
 */
#include "ext2.h"
#include <lib/string.h>

#define POINTERS_SHIFT 10 /* block numbers in a block: 1024 */
#define POINTERS       (UINT64_C(1) << POINTERS_SHIFT)

/* What the fifteen pointers of an inode can reach. */
#define EXT2_FILE_BLOCKS_MAX                                                                       \
	(EXT2_DIRECT + POINTERS + POINTERS * POINTERS + POINTERS * POINTERS * POINTERS)

static const struct ext2_disk_inode *find_inode(const struct ext2_image *image, uint32_t number)
{
	const struct ext2_group *groups = (const void *)(image->base + EXT2_BLOCK_BYTES);
	uint32_t group = (number - 1) / image->inodes_per_group;
	uint64_t index = (number - 1) % image->inodes_per_group;

	return (const void *)(image->base + (uint64_t)groups[group].inode_table * EXT2_BLOCK_BYTES +
			      index * image->inode_bytes);
}

/* Seconds are signed 32 bits, widened by two bits of the extra field (inodes of 256 bytes). */
static struct abi_timespec decode_time(uint32_t seconds, uint32_t extra)
{
	uint32_t nanoseconds = extra >> 2;

	return (struct abi_timespec){.tv_sec = (int32_t)seconds + ((int64_t)(extra & 3) << 32),
				     .tv_nsec = nanoseconds < NSEC_PER_SEC ? nanoseconds : 0};
}

static void decode_times(const struct ext2_image *image, const struct ext2_disk_inode *disk,
			 struct ext2_inode *out)
{
	uint32_t atime_extra = 0, mtime_extra = 0, ctime_extra = 0;
	uint32_t reach = EXT2_GOOD_OLD_INODE_BYTES;

	if (image->inode_bytes > EXT2_GOOD_OLD_INODE_BYTES)
		reach += disk->extra_bytes;
	if (image->inode_bytes > EXT2_GOOD_OLD_INODE_BYTES && reach >= sizeof(*disk)) {
		atime_extra = disk->atime_extra;
		mtime_extra = disk->mtime_extra;
		ctime_extra = disk->ctime_extra;
	}
	out->atime = decode_time(disk->atime, atime_extra);
	out->mtime = decode_time(disk->mtime, mtime_extra);
	out->ctime = decode_time(disk->ctime, ctime_extra);
}

/* Linux keeps old device numbers in the first pointer and new ones in the second. */
static uint64_t decode_rdev(const struct ext2_disk_inode *disk)
{
	uint32_t old = disk->block[0], new = disk->block[1];

	if (old)
		return abi_makedev((old >> 8) & 0xff, old & 0xff);
	return abi_makedev((new & 0xfff00) >> 8, (new & 0xff) | ((new >> 12) & 0xfff00));
}

static err_t check_type(const struct ext2_image *image, const struct ext2_inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		if (inode->size_bytes > EXT2_FILE_BLOCKS_MAX * EXT2_BLOCK_BYTES)
			return ext2_complain(image, "the file is longer than its pointers reach",
					     inode->number, 0);
		return 0;
	case S_IFDIR:
		if (inode->size_bytes == 0 || inode->size_bytes % EXT2_BLOCK_BYTES)
			return ext2_complain(image, "a directory's size is not a number of blocks",
					     inode->number, 0);
		if (inode->size_bytes / EXT2_BLOCK_BYTES > image->nblocks)
			return ext2_complain(image, "a directory is larger than the image",
					     inode->number, 0);
		return 0;
	case S_IFLNK:
		if (inode->size_bytes == 0 || inode->size_bytes >= EXT2_BLOCK_BYTES ||
		    (inode->target_inside && inode->size_bytes >= sizeof(inode->disk->block)))
			return ext2_complain(image, "a symbolic link has a bad length",
					     inode->number, 0);
		return 0;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	default:
		return ext2_complain(image, "an inode has no known type", inode->number, 0);
	}
}

err_t ext2_inode_read(const struct ext2_image *image, uint32_t number, struct ext2_inode *out)
{
	const struct ext2_disk_inode *disk;
	uint32_t attribute_sectors;

	if (number == 0 || number > image->ninodes)
		return ext2_complain(image, "an inode number is out of range", number, 0);
	disk = find_inode(image, number);
	if (disk->nlink == 0)
		return ext2_complain(image, "a name leads to an inode that is not in use", number,
				     0);

	attribute_sectors = disk->attribute_block ? EXT2_BLOCK_BYTES / 512 : 0;
	*out = (struct ext2_inode){.number = number,
				   .mode = disk->mode,
				   .nlink = disk->nlink,
				   .uid = disk->uid | ((uint32_t)disk->uid_high << 16),
				   .gid = disk->gid | ((uint32_t)disk->gid_high << 16),
				   .size_bytes = disk->size,
				   .nsectors = disk->nsectors,
				   .generation = disk->generation,
				   .disk = disk};
	if (S_ISREG(disk->mode))
		out->size_bytes |= (uint64_t)disk->size_high << 32;
	if (S_ISCHR(disk->mode) || S_ISBLK(disk->mode))
		out->rdev = decode_rdev(disk);
	out->target_inside = S_ISLNK(disk->mode) && disk->nsectors == attribute_sectors;
	decode_times(image, disk, out);
	return check_type(image, out);
}

static err_t check_block(const struct ext2_image *image, const struct ext2_inode *inode,
			 uint32_t block)
{
	if (block < image->first_content_block || block >= image->nblocks)
		return ext2_complain(image, "a block number is out of range", inode->number, block);
	return 0;
}

/* Follows `levels` indirect blocks from `block`, by the bits of `index`. *out 0: a hole. */
static err_t follow_indirect(const struct ext2_image *image, const struct ext2_inode *inode,
			     uint32_t block, unsigned levels, uint64_t index, uint32_t *out)
{
	uint32_t passed[3];
	unsigned npassed = 0;
	err_t err;

	while (block && levels--) {
		const uint32_t *pointers;

		err = check_block(image, inode, block);
		if (err)
			return err;
		for (unsigned i = 0; i < npassed; i++) {
			if (passed[i] == block)
				return ext2_complain(image, "indirect blocks form a cycle",
						     inode->number, block);
		}
		passed[npassed++] = block;
		pointers = (const void *)(image->base + (uint64_t)block * EXT2_BLOCK_BYTES);
		block = pointers[(index >> (POINTERS_SHIFT * levels)) & (POINTERS - 1)];
	}
	*out = block;
	return 0;
}

/* `index` is below the file's size, which check_type() has bounded. */
static err_t map_block(const struct ext2_image *image, const struct ext2_inode *inode,
		       uint64_t index, uint32_t *out)
{
	const uint32_t *pointers = inode->disk->block;
	uint64_t span = POINTERS;

	if (index < EXT2_DIRECT) {
		*out = pointers[index];
		return 0;
	}
	index -= EXT2_DIRECT;
	for (unsigned levels = 1; levels < 3; levels++) {
		if (index < span)
			return follow_indirect(image, inode, pointers[EXT2_DIRECT + levels - 1],
					       levels, index, out);
		index -= span;
		span <<= POINTERS_SHIFT;
	}
	return follow_indirect(image, inode, pointers[EXT2_DIRECT + 2], 3, index, out);
}

err_t ext2_page(const struct ext2_image *image, const struct ext2_inode *inode, uint64_t index,
		const void **out)
{
	uint32_t block;
	err_t err;

	*out = NULL;
	if (index >= (inode->size_bytes + EXT2_BLOCK_BYTES - 1) / EXT2_BLOCK_BYTES)
		return 0;
	err = map_block(image, inode, index, &block);
	if (err || !block)
		return err;
	err = check_block(image, inode, block);
	if (err)
		return err;
	*out = image->base + (uint64_t)block * EXT2_BLOCK_BYTES;
	return 0;
}

err_t ext2_link_target(const struct ext2_image *image, const struct ext2_inode *inode,
		       const char **target, size_t *len_bytes)
{
	const void *text = NULL;
	uint32_t block = 0;
	err_t err;

	if (!S_ISLNK(inode->mode))
		return -EINVAL;
	if (inode->target_inside) {
		text = inode->disk->block;
	} else {
		block = inode->disk->block[0];
		err = ext2_page(image, inode, 0, &text);
		if (err)
			return err;
	}
	if (!text || memchr(text, 0, inode->size_bytes))
		return ext2_complain(image, "a symbolic link's target is cut short", inode->number,
				     block);
	*target = text;
	*len_bytes = inode->size_bytes;
	return 0;
}
