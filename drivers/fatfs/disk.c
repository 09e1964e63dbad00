/*
 * The bytes under a volume. A block is kept in the one slot that its number says; a write goes to
 * the disk first and then into what is kept of it, so the two never differ.
 */
#include "disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int disk_init(struct disk *disk, const struct disk_ops *ops, void *backing, uint64_t len_bytes)
{
	*disk = (struct disk){.ops = ops, .backing = backing, .len_bytes = len_bytes};
	disk->kept = calloc(DISK_BLOCKS, sizeof(*disk->kept));
	disk->blocks = calloc(DISK_BLOCKS, DISK_BLOCK);
	if (disk->kept && disk->blocks)
		return 0;
	disk_destroy(disk);
	return -ENOMEM;
}

void disk_destroy(struct disk *disk)
{
	free(disk->kept);
	free(disk->blocks);
	disk->kept = NULL;
	disk->blocks = NULL;
}

static bool is_outside(const struct disk *disk, uint64_t offset, size_t len_bytes)
{
	return offset > disk->len_bytes || len_bytes > disk->len_bytes - offset;
}

/* The block with this number, read if it is not kept. */
static int block_get(struct disk *disk, uint64_t number, unsigned char **out)
{
	unsigned slot = (unsigned)(number % DISK_BLOCKS);
	uint64_t left = disk->len_bytes - number * DISK_BLOCK;
	int err;

	*out = disk->blocks[slot];
	if (disk->kept[slot] == number + 1)
		return 0;
	disk->kept[slot] = 0;
	err = disk->ops->read(disk->backing, number * DISK_BLOCK, *out,
			      left < DISK_BLOCK ? left : DISK_BLOCK);
	if (!err)
		disk->kept[slot] = number + 1;
	return err;
}

/* How much of a range lies in its first block. */
static size_t in_block(uint64_t offset, size_t len_bytes)
{
	size_t room = DISK_BLOCK - offset % DISK_BLOCK;

	return len_bytes < room ? len_bytes : room;
}

int disk_read(struct disk *disk, uint64_t offset, void *to, size_t len_bytes)
{
	unsigned char *block, *at = to;
	int err;

	if (is_outside(disk, offset, len_bytes))
		return -EIO;
	while (len_bytes) {
		size_t now = in_block(offset, len_bytes);

		err = block_get(disk, offset / DISK_BLOCK, &block);
		if (err)
			return err;
		memcpy(at, block + offset % DISK_BLOCK, now);
		at += now;
		offset += now;
		len_bytes -= now;
	}
	return 0;
}

int disk_read_data(struct disk *disk, uint64_t offset, void *to, size_t len_bytes)
{
	if (is_outside(disk, offset, len_bytes))
		return -EIO;
	return disk->ops->read(disk->backing, offset, to, len_bytes);
}

int disk_write(struct disk *disk, uint64_t offset, const void *from, size_t len_bytes)
{
	const unsigned char *at = from;
	int err;

	if (is_outside(disk, offset, len_bytes))
		return -EIO;
	err = disk->ops->write(disk->backing, offset, from, len_bytes);
	while (len_bytes) {
		unsigned slot = (unsigned)(offset / DISK_BLOCK % DISK_BLOCKS);
		size_t now = in_block(offset, len_bytes);

		if (disk->kept[slot] == offset / DISK_BLOCK + 1) {
			memcpy(disk->blocks[slot] + offset % DISK_BLOCK, at, now);
			if (err) /* nobody knows what is there now */
				disk->kept[slot] = 0;
		}
		at += now;
		offset += now;
		len_bytes -= now;
	}
	return err;
}

int disk_sync(struct disk *disk)
{
	return disk->ops->sync(disk->backing);
}

/* ---- on a file, or a device ---- */

static int file_read(void *backing, uint64_t offset, void *to, size_t len_bytes)
{
	while (len_bytes) {
		ssize_t got = pread(*(int *)backing, to, len_bytes, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) /* 0: it was cut behind our back */
			return got ? -errno : -EIO;
		to = (char *)to + got;
		offset += (uint64_t)got;
		len_bytes -= (size_t)got;
	}
	return 0;
}

static int file_write(void *backing, uint64_t offset, const void *from, size_t len_bytes)
{
	while (len_bytes) {
		ssize_t put = pwrite(*(int *)backing, from, len_bytes, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		from = (const char *)from + put;
		offset += (uint64_t)put;
		len_bytes -= (size_t)put;
	}
	return 0;
}

static int file_sync(void *backing)
{
	return fdatasync(*(int *)backing) ? -errno : 0;
}

const struct disk_ops disk_file_ops = {.read = file_read, .write = file_write, .sync = file_sync};
