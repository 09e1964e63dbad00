/*
 * What lies on a FAT disk. All numbers are little endian and at any alignment, so the structures
 * are of bytes alone, and are read and written by get16() and its friends.
 *
 * Source: Microsoft, "FAT: General Overview of On-Disk Format", version 1.03; the bits for Windows
 * NT (case of short names, dirty volume) are as Linux's vfat and dosfstools have them.
 */
#ifndef FATFS_FORMAT_H
#define FATFS_FORMAT_H

#include <stdint.h>

struct fat_boot {
	uint8_t jump[3], system[8];
	uint8_t sector_bytes[2];
	uint8_t cluster_sectors;
	uint8_t reserved_sectors[2]; /* before the first table */
	uint8_t ntables;
	uint8_t root_entries[2]; /* 0 on FAT32 */
	uint8_t sectors16[2];    /* of all; 0: see sectors32 */
	uint8_t media;
	uint8_t table_sectors16[2]; /* 0: this is FAT32 */
	uint8_t track_sectors[2], heads[2], hidden[4];
	uint8_t sectors32[4];
	union {
		struct {
			uint8_t drive, state, signature, serial[4], label[11], type[8];
		} narrow; /* FAT12 and FAT16 */
		struct {
			uint8_t table_sectors[4];
			uint8_t flags[2]; /* WIDE_ONE_TABLE, and its number */
			uint8_t version[2];
			uint8_t root_cluster[4];
			uint8_t info_sector[2], backup_sector[2], unused[12];
			uint8_t drive, state, signature, serial[4], label[11], type[8];
		} wide; /* FAT32 */
	};
};

#define BOOT_SIGNATURE_AT 510 /* 0x55, 0xaa */
#define STATE_DIRTY       0x01
#define WIDE_ONE_TABLE    0x80 /* only the table with the number in the low four bits counts */

/* FAT32's sector of hints. */
struct fat_info {
	uint8_t lead[4], unused[480];
	uint8_t signature[4], free_clusters[4], next_free[4];
};

#define INFO_LEAD      0x41615252u
#define INFO_SIGNATURE 0x61417272u
#define INFO_UNKNOWN   0xffffffffu

/* Entry 1 of the table: the volume was taken off in order. */
#define TABLE16_CLEAN 0x8000u
#define TABLE32_CLEAN 0x08000000u

struct fat_entry {
	uint8_t name[11]; /* byte 0: ENTRY_END, ENTRY_FREE, ENTRY_E5 for a 0xe5 */
	uint8_t attributes;
	uint8_t lower; /* LOWER_* */
	uint8_t created_10ms, created_time[2], created_date[2];
	uint8_t accessed_date[2];
	uint8_t cluster_high[2]; /* FAT32 */
	uint8_t modified_time[2], modified_date[2];
	uint8_t cluster_low[2];
	uint8_t size_bytes[4];
};

#define ENTRY_BYTES 32
#define ENTRY_END   0x00
#define ENTRY_FREE  0xe5
#define ENTRY_E5    0x05

#define ATTRIBUTE_READ_ONLY 0x01
#define ATTRIBUTE_LABEL     0x08
#define ATTRIBUTE_DIRECTORY 0x10
#define ATTRIBUTE_ARCHIVE   0x20
#define ATTRIBUTE_LONG      0x0f /* a piece of a long name */
#define ATTRIBUTE_LONG_MASK 0x3f

#define LOWER_BASE      0x08
#define LOWER_EXTENSION 0x10

/* One piece of a long name; the last piece comes first, all of them before the short entry. */
struct fat_long {
	uint8_t order; /* 1 on; LONG_LAST in the first on the disk */
	uint8_t units1[10], attributes, type, checksum, units2[12], cluster[2], units3[4];
};

#define LONG_LAST       0x40
#define LONG_UNITS      13 /* UTF-16 units in a piece */
#define NAME_UNITS_MAX  255
#define NAME_SLOTS_MAX  (20 + 1)
#define DIRECTORY_SLOTS 65536 /* the most that a directory may have */

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t get32(const uint8_t *at)
{
	return get16(at) | (uint32_t)get16(at + 2) << 16;
}

static inline void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value & 0xffff);
	put16(at + 2, value >> 16);
}

#endif
