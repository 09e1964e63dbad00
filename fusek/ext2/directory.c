/*
 * Directories of an ext2 image, read as the list of records that they are; an index (htree) is laid
 * so that it looks like unused records, and is passed over.
 */
#include "ext2.h"
#include <lib/string.h>

static const uint32_t type_modes[] = {0,       S_IFREG, S_IFDIR,  S_IFCHR,
				      S_IFBLK, S_IFIFO, S_IFSOCK, S_IFLNK};

/* The record at `offset`, which is inside the directory; *out points into the image. */
static err_t find_record(const struct ext2_image *image, const struct ext2_inode *directory,
			 uint64_t offset, const struct ext2_disk_dirent **out)
{
	const struct ext2_disk_dirent *record;
	uint32_t in_block = (uint32_t)(offset % EXT2_BLOCK_BYTES);
	const void *block;
	err_t err = ext2_page(image, directory, offset / EXT2_BLOCK_BYTES, &block);

	if (err)
		return err;
	if (!block)
		return ext2_complain(image, "a directory has a hole", directory->number,
				     offset / EXT2_BLOCK_BYTES);
	if (in_block % 4 || in_block > EXT2_BLOCK_BYTES - EXT2_DIRENT_HEAD)
		return -EINVAL; /* a cookie that we never gave out */
	record = (const void *)((const char *)block + in_block);
	if (record->record_bytes % 4 ||
	    record->record_bytes < EXT2_DIRENT_HEAD + record->name_bytes ||
	    record->record_bytes < EXT2_DIRENT_HEAD ||
	    record->record_bytes > EXT2_BLOCK_BYTES - in_block)
		return ext2_complain(image, "a directory record has a bad length",
				     directory->number, offset / EXT2_BLOCK_BYTES);
	*out = record;
	return 0;
}

static err_t check_entry(const struct ext2_image *image, const struct ext2_inode *directory,
			 const struct ext2_disk_dirent *record, uint64_t offset)
{
	uint64_t block = offset / EXT2_BLOCK_BYTES;

	if (record->inode > image->ninodes)
		return ext2_complain(image, "a directory entry's inode number is out of range",
				     directory->number, block);
	if (record->name_bytes == 0 || memchr(record->name, '/', record->name_bytes) ||
	    memchr(record->name, 0, record->name_bytes))
		return ext2_complain(image, "a directory entry has an impossible name",
				     directory->number, block);
	return 0;
}

err_t ext2_dir_next(const struct ext2_image *image, const struct ext2_inode *directory,
		    uint64_t *offset, struct ext2_dirent *out)
{
	const struct ext2_disk_dirent *record = NULL;
	err_t err;

	while (*offset < directory->size_bytes) {
		uint64_t here = *offset;

		err = find_record(image, directory, here, &record);
		if (err)
			return err;
		*offset = here + record->record_bytes;
		if (!record->inode)
			continue;
		err = check_entry(image, directory, record, here);
		if (err)
			return err;
		*out = (struct ext2_dirent){.inode = record->inode,
					    .name = record->name,
					    .name_bytes = record->name_bytes};
		if (image->has_types && record->type < ARRAY_SIZE(type_modes))
			out->mode = type_modes[record->type];
		return 0;
	}
	return -ENOENT;
}

static bool entry_is(const struct ext2_dirent *entry, const char *name, size_t name_bytes)
{
	return entry->name_bytes == name_bytes && memcmp(entry->name, name, name_bytes) == 0;
}

/* A directory begins with "." and "..", and they say what we know already. This is what keeps
 * directories from forming a cycle: each has one parent, and the root is nobody's child. */
static err_t check_place(const struct ext2_image *image, const struct ext2_inode *child,
			 const struct ext2_inode *parent)
{
	struct ext2_dirent entry;
	uint64_t offset = 0;
	err_t err;

	if (child->number == EXT2_ROOT_INODE)
		return ext2_complain(image, "a name leads back to the root", parent->number, 0);
	err = ext2_dir_next(image, child, &offset, &entry);
	if (err == 0 && (!entry_is(&entry, ".", 1) || entry.inode != child->number))
		return ext2_complain(image, "a directory's first entry is not itself",
				     child->number, 0);
	if (err == 0)
		err = ext2_dir_next(image, child, &offset, &entry);
	if (err == -ENOENT)
		return ext2_complain(image, "a directory has no \"..\"", child->number, 0);
	if (err)
		return err;
	if (!entry_is(&entry, "..", 2) || entry.inode != parent->number)
		return ext2_complain(image, "a directory stands in a place that is not its parent",
				     child->number, 0);
	return 0;
}

err_t ext2_lookup(const struct ext2_image *image, const struct ext2_inode *directory,
		  const char *name, size_t name_bytes, struct ext2_inode *out)
{
	struct ext2_dirent entry;
	uint64_t offset = 0;
	err_t err;

	if (!S_ISDIR(directory->mode))
		return -ENOTDIR;
	do {
		err = ext2_dir_next(image, directory, &offset, &entry);
		if (err)
			return err;
	} while (!entry_is(&entry, name, name_bytes));

	err = ext2_inode_read(image, entry.inode, out);
	if (err)
		return err;
	if (entry.mode && entry.mode != (out->mode & S_IFMT))
		return ext2_complain(image, "an inode is of another type than its name says",
				     out->number, 0);
	return S_ISDIR(out->mode) ? check_place(image, out, directory) : 0;
}
