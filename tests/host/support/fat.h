/*
 * FAT volumes for tests: made by mkfs.fat and filled by mtools, kept in memory, looked at by
 * fsck.fat.
 */
#ifndef SUPPORT_FAT_H
#define SUPPORT_FAT_H

#include "../../../drivers/fatfs/node.h"

/* A disk in memory. */
struct fat_memory {
	char *bytes;
	size_t len_bytes;
	unsigned long nwrites;
	long nwrites_left;                          /* then they fail; negative: never */
	void (*written)(struct fat_memory *memory); /* after each write; NULL: nobody is told */
};

/* A volume on it, as the driver has it. */
struct fat_mount {
	struct fat_memory memory;
	struct disk disk;
	struct volume volume;
	char said[256]; /* the last report */
};

extern const struct disk_ops fat_memory_ops;

/* Runs `mkfs.fat -F WIDTH OPTIONS` for an image of so many KiB, then `script` (sh, with mtools for
 * $i). The image is the caller's (free()). NULL: something failed and has said so. */
char *fat_make(unsigned width, const char *options, unsigned kib, const char *script,
	       size_t *len_bytes);
/* What volume_open() or node_mount() say. The bytes stay the caller's. */
int fat_mount(struct fat_mount *mount, char *bytes, size_t len_bytes);
int fat_unmount(struct fat_mount *mount);

/* Runs `command` (sh) on a copy of the image, which is $i. Its output, which is the caller's, with
 * "status N" as its last line. */
char *fat_run(const char *bytes, size_t len_bytes, const char *command);

/* The node of a path, looked up. Its look-ups are never given back. */
int fat_find(struct fat_mount *mount, const char *path, struct node **out);

#endif
