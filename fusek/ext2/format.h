/*
 * ext2 as it lies on the disk ("The Second Extended File System", D. Poirier; the Linux kernel's
 * documentation of ext4 for the fields that came later). Little-endian, as the machine.
 */
#ifndef FUSEK_EXT2_FORMAT_H
#define FUSEK_EXT2_FORMAT_H

#include <lib/types.h>

#define EXT2_SUPER_OFFSET 1024
#define EXT2_MAGIC        0xef53
#define EXT2_ROOT_INODE   2
#define EXT2_DIRECT       12
#define EXT2_POINTERS     15

struct ext2_super {
	uint32_t ninodes;
	uint32_t nblocks;
	uint32_t nreserved_blocks;
	uint32_t nfree_blocks;
	uint32_t nfree_inodes;
	uint32_t first_data_block;
	uint32_t log_block_size; /* block size is 1024 << this */
	uint32_t log_fragment_size;
	uint32_t blocks_per_group;
	uint32_t fragments_per_group;
	uint32_t inodes_per_group;
	uint32_t mount_time;
	uint32_t write_time;
	uint16_t mount_count;
	uint16_t mount_count_max;
	uint16_t magic;
	uint16_t state;
	uint16_t on_error;
	uint16_t revision_minor;
	uint32_t check_time;
	uint32_t check_interval;
	uint32_t creator;
	uint32_t revision;
	uint16_t reserved_uid;
	uint16_t reserved_gid;
	/* from revision 1 on */
	uint32_t first_inode;
	uint16_t inode_bytes;
	uint16_t group_number;
	uint32_t features_compatible;
	uint32_t features_incompatible;
	uint32_t features_read_only;
	uint8_t uuid[16];
	char volume_name[16];
};

struct ext2_group {
	uint32_t block_bitmap;
	uint32_t inode_bitmap;
	uint32_t inode_table;
	uint16_t nfree_blocks;
	uint16_t nfree_inodes;
	uint16_t ndirectories;
	uint16_t flags;
	uint8_t reserved[12];
};

struct ext2_disk_inode {
	uint16_t mode;
	uint16_t uid;
	uint32_t size;
	uint32_t atime;
	uint32_t ctime;
	uint32_t mtime;
	uint32_t dtime;
	uint16_t gid;
	uint16_t nlink;
	uint32_t nsectors; /* of 512 bytes */
	uint32_t flags;
	uint32_t version;
	uint32_t block[EXT2_POINTERS];
	uint32_t generation;
	uint32_t attribute_block;
	uint32_t size_high; /* of regular files */
	uint32_t fragment;
	uint16_t nsectors_high;
	uint16_t attribute_block_high;
	uint16_t uid_high;
	uint16_t gid_high;
	uint32_t checksum;
	/* beyond 128 bytes, as far as extra_bytes reaches */
	uint16_t extra_bytes;
	uint16_t checksum_high;
	uint32_t ctime_extra; /* bits 0..1: bits 32..33 of the seconds; above: nanoseconds */
	uint32_t mtime_extra;
	uint32_t atime_extra;
};

#define EXT2_GOOD_OLD_INODE_BYTES 128

struct ext2_disk_dirent {
	uint32_t inode; /* 0: nothing here */
	uint16_t record_bytes;
	uint8_t name_bytes;
	uint8_t type; /* with the feature "filetype" */
	char name[];
};

#define EXT2_DIRENT_HEAD 8

_Static_assert(sizeof(struct ext2_group) == 32, "ext2 group descriptor");
_Static_assert(offsetof(struct ext2_super, features_incompatible) == 96, "ext2 superblock");
_Static_assert(offsetof(struct ext2_disk_inode, extra_bytes) == 128, "ext2 inode");

#endif
