/*
 * A FAT volume: what its boot sector says, and the state that all of it shares. One thread at a
 * time.
 *
 * Nothing on the disk is believed. What cannot be is reported with its place (volume_report()) and
 * ends in -EIO for who asked.
 */
#ifndef FATFS_VOLUME_H
#define FATFS_VOLUME_H

#include "../common/hash.h"
#include "disk.h"
#include "format.h"

struct node;

struct volume {
	struct disk *disk;
	unsigned width; /* of a table's entry: 12, 16 or 32 (of which 28 count) */
	uint32_t sector_bytes, cluster_bytes;
	uint64_t table_offset, table_bytes; /* the first table; the others follow */
	unsigned ntables, table_active;     /* the one that is read */
	bool mirrored;                      /* all tables are written, not only that */
	uint64_t root_offset;               /* FAT12, FAT16: where the root is */
	uint32_t root_slots;
	uint32_t root_cluster; /* FAT32 */
	uint64_t data_offset;
	uint32_t nclusters;   /* their numbers are 2 to nclusters + 1 */
	uint64_t info_offset; /* FAT32's hints; 0: none */
	uint32_t nfree;       /* INFO_UNKNOWN: not counted yet */
	uint32_t next_free;   /* where to look first */
	bool read_only;
	bool was_dirty; /* so it stays, until a checker has seen it */
	bool is_dirty;
	unsigned nreports;
	void (*report)(void *argument, const char *text); /* NULL: nobody listens */
	void *report_argument;
	int time_offset_min; /* what is to be added to the disk's time for UTC's */
	struct node *root;
	struct hash by_ino, by_offset; /* of nodes; by_offset has those with an entry */
	uint64_t ino_next;             /* behind all that entries have by their places */
};

/* Reads the boot sector. -EINVAL: no FAT volume, or one that cannot be, said by report. The rest of
 * the structure is cleared; `report` may be set before by volume_reporter(). */
int volume_open(struct volume *volume, struct disk *disk, bool read_only,
		void (*report)(void *argument, const char *text), void *argument);
/* Writes hints and the mark of an orderly end, when something was changed. */
int volume_close(struct volume *volume);
int volume_sync(struct volume *volume);

/* Every change of the disk goes here: the first one marks the volume as dirty before. -EROFS. */
int volume_write(struct volume *volume, uint64_t offset, const void *from, size_t len_bytes);

/* Says what is wrong, and where. Returns -EIO. */
__attribute__((format(printf, 2, 3))) int volume_report(struct volume *volume, const char *format,
							...);

static inline bool volume_has(const struct volume *volume, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < volume->nclusters;
}

/* Of a cluster that the volume has. */
static inline uint64_t volume_place(const struct volume *volume, uint32_t cluster)
{
	return volume->data_offset + (uint64_t)(cluster - 2) * volume->cluster_bytes;
}

#endif
