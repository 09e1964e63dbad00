/*
 * The bytes under a volume, with the blocks kept that tables and directories are read from. Written
 * is at once and in order, so what a killed driver leaves behind is a beginning of what it did.
 */
#ifndef FATFS_DISK_H
#define FATFS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All return 0 or a negative errno, having done all or (as far as is known) something of it. */
struct disk_ops {
	int (*read)(void *backing, uint64_t offset, void *to, size_t len_bytes);
	int (*write)(void *backing, uint64_t offset, const void *from, size_t len_bytes);
	int (*sync)(void *backing);
};

#define DISK_BLOCK  4096
#define DISK_BLOCKS 128 /* that are kept */

struct disk {
	const struct disk_ops *ops;
	void *backing;
	uint64_t len_bytes;
	uint64_t *kept;                      /* number of the block in a slot, plus 1; 0: none */
	unsigned char (*blocks)[DISK_BLOCK]; /* slot: number modulo DISK_BLOCKS */
};

/* Over `backing`, which stays the caller's. 0, or -ENOMEM. */
int disk_init(struct disk *disk, const struct disk_ops *ops, void *backing, uint64_t len_bytes);
void disk_destroy(struct disk *disk);

/* Outside of the disk: -EIO. */
int disk_read(struct disk *disk, uint64_t offset, void *to, size_t len_bytes);
/* The same for much, which would only drive out what is kept. */
int disk_read_data(struct disk *disk, uint64_t offset, void *to, size_t len_bytes);
int disk_write(struct disk *disk, uint64_t offset, const void *from, size_t len_bytes);
int disk_sync(struct disk *disk);

/* `backing` is a pointer to a descriptor. */
extern const struct disk_ops disk_file_ops;

#endif
