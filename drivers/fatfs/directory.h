/*
 * Directories: slots of 32 bytes, in clusters or (the root of FAT12 and FAT16) in a region of its
 * own. A file has one short entry and, before it, the slots of its long name.
 */
#ifndef FATFS_DIRECTORY_H
#define FATFS_DIRECTORY_H

#include "chain.h"
#include "names.h"

struct directory {
	bool is_region; /* the root of FAT12 and FAT16; `chain` is not used */
	struct chain chain;
};

/* An entry that was found. */
struct found {
	uint32_t first_slot,
		slot;    /* the first of the long name, or `slot` itself; the short entry */
	uint64_t offset; /* of the short entry, on the disk */
	struct fat_entry entry;
	struct name name, short_name;
};

/* Where slot `index` is on the disk; 0: the directory ends before. */
int directory_slot(struct volume *volume, struct directory *directory, uint32_t index,
		   uint64_t *offset);

/* The next file or directory from slot *index on, which then is the one behind it; "." and ".." are
 * left out. -ENOENT: there is none. */
int directory_next(struct volume *volume, struct directory *directory, uint32_t *index,
		   struct found *out);
/* By its long or its short name, in any case of letters. -ENOENT. */
int directory_find(struct volume *volume, struct directory *directory, const struct name *name,
		   struct found *out);
/* 0, or -ENOTEMPTY. */
int directory_is_empty(struct volume *volume, struct directory *directory);

/* What a new name will look like, and its place, which is made now: all that can fail. */
struct place {
	uint32_t first_slot, nslots;
	uint64_t offsets[NAME_SLOTS_MAX];
	uint8_t raw[11], lower;
};

int directory_find_place(struct volume *volume, struct directory *directory,
			 const struct name *name, struct place *out);
/* Writes the long name and then the short entry, `entry` with the place's short name. */
int directory_write(struct volume *volume, const struct place *place, const struct name *name,
		    const struct fat_entry *entry);
/* Marks the slots as free, the short entry's first. */
int directory_remove(struct volume *volume, struct directory *directory, uint32_t first_slot,
		     uint32_t slot);
/* "." and ".." into the fresh cluster of a directory, the rest of it zero. */
int directory_begin(struct volume *volume, uint32_t cluster, uint32_t parent,
		    const struct fat_entry *entry);
/* Another parent for "..". */
int directory_set_parent(struct volume *volume, struct directory *directory, uint32_t parent);

static inline uint32_t entry_cluster(const struct volume *volume, const struct fat_entry *entry)
{
	return get16(entry->cluster_low) |
	       (volume->width == 32 ? (uint32_t)get16(entry->cluster_high) << 16 : 0);
}

static inline void entry_set_cluster(const struct volume *volume, struct fat_entry *entry,
				     uint32_t cluster)
{
	put16(entry->cluster_low, cluster & 0xffff);
	if (volume->width == 32)
		put16(entry->cluster_high, cluster >> 16);
}

#endif
