/* sources: fusek/ext2/super.c fusek/ext2/inode.c fusek/ext2/directory.c
   with: tests/fuzz/support/images.c
   options: max_len=20000 runs=20000 */
/*
 * libFuzzer harness of the ext2 reader. An input is not an image but a list of changes to one of
 * several real images (made by mke2fs), so that each execution is short and hits what matters:
 *
 *	byte 0: which image; 0xff: the rest of the input is an image by itself
 *	then records of 10 bytes: where (superblock, group, inode, block, cut, block over block),
 *	how wide, unit, offset in the unit, value
 *
 * The image is opened, everything in it is walked and read within a step limit, and what the reader
 * promises is checked: pages inside the image, possible names, no directory inside itself. Memory
 * behind a cut is poisoned.
 */
#include "../../fusek/ext2/ext2.h"
#include "support/images.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES_MAX  16
#define CHANGES_MAX 64
#define STEPS_MAX   600
#define LOOKUPS_MAX 24 /* each reads a directory from its beginning */
#define DEPTH_MAX   64
#define BLOCK       4096

struct base {
	char *bytes;
	size_t len_bytes;
	uint32_t ninodes, ngroups, inode_bytes, inodes_per_group;
};

static struct base bases[IMAGES_MAX];
static unsigned nbases;

static void promise(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "the reader broke a promise: %s\n", what);
	abort();
}

/* ---- the images ---- */

static void describe(struct base *base)
{
	const struct ext2_super *super = (const void *)(base->bytes + EXT2_SUPER_OFFSET);

	base->ninodes = super->ninodes;
	base->inode_bytes = super->inode_bytes;
	base->inodes_per_group = super->inodes_per_group;
	base->ngroups = (super->nblocks - 1) / super->blocks_per_group + 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fuzz_image images[IMAGES_MAX];

	nbases = fuzz_images_load(images, IMAGES_MAX);
	for (unsigned i = 0; i < nbases; i++) {
		bases[i].bytes = images[i].bytes;
		bases[i].len_bytes = images[i].len_bytes;
		describe(&bases[i]);
	}
	return 0;
}

/* ---- changes, and their undoing ---- */

struct change {
	size_t offset, len_bytes;
	char old[BLOCK];
};

static struct change changes[CHANGES_MAX];
static unsigned nchanges;

static void patch(struct base *base, size_t offset, const void *bytes, size_t len_bytes)
{
	struct change *change = &changes[nchanges];

	if (nchanges == CHANGES_MAX || offset >= base->len_bytes ||
	    len_bytes > base->len_bytes - offset)
		return;
	change->offset = offset;
	change->len_bytes = len_bytes;
	memcpy(change->old, base->bytes + offset, len_bytes);
	memmove(base->bytes + offset, bytes, len_bytes);
	nchanges++;
}

static void undo(struct base *base)
{
	while (nchanges) {
		struct change *change = &changes[--nchanges];

		memcpy(base->bytes + change->offset, change->old, change->len_bytes);
	}
}

static size_t inode_place(const struct base *base, uint32_t number)
{
	const struct ext2_group *groups = (const void *)(base->bytes + BLOCK);
	uint32_t index = number % base->ninodes;
	uint32_t table = groups[index / base->inodes_per_group].inode_table;

	return (size_t)table * BLOCK + (size_t)(index % base->inodes_per_group) * base->inode_bytes;
}

struct PACKED record {
	uint8_t where, width;
	uint16_t unit, offset;
	uint32_t value;
};

/* Returns how long the image is to be. */
static size_t apply(struct base *base, const struct record *record, size_t len_bytes)
{
	static const size_t widths[] = {1, 2, 4, 4};
	size_t width = widths[record->width % 4];
	size_t nblocks = base->len_bytes / BLOCK;
	size_t place;

	switch (record->where % 6) {
	case 0:
		place = EXT2_SUPER_OFFSET + record->offset % sizeof(struct ext2_super);
		break;
	case 1:
		place = BLOCK + (record->unit % base->ngroups) * 32 + record->offset % 32;
		break;
	case 2:
		place = inode_place(base, record->unit) + record->offset % base->inode_bytes;
		break;
	case 3:
		place = (record->unit % nblocks) * BLOCK + record->offset % BLOCK;
		break;
	case 4:
		return MIN(len_bytes,
			   (record->unit % (nblocks + 1)) * (size_t)BLOCK + record->offset % 8);
	default:
		patch(base, (record->unit % nblocks) * BLOCK,
		      base->bytes + (record->value % nblocks) * BLOCK, BLOCK);
		return len_bytes;
	}
	patch(base, place, &record->value, width);
	return len_bytes;
}

/* ---- the walk ---- */

static unsigned nsteps, nlookups;

static void report(void *argument, const struct ext2_problem *problem)
{
	promise(problem->what != NULL && strlen(problem->what) > 5, "a problem has words");
}

static void touch(const struct ext2_image *image, size_t len_bytes, const struct ext2_inode *inode,
		  uint64_t index)
{
	static volatile char sink;
	const void *page;
	const char *bytes;

	if (ext2_page(image, inode, index, &page) || !page)
		return;
	bytes = page;
	promise((const uint8_t *)page >= image->base + BLOCK &&
			(size_t)((const uint8_t *)page - image->base) + BLOCK <= len_bytes,
		"a page lies in the image");
	promise(((const uint8_t *)page - image->base) % BLOCK == 0, "a page is a block");
	sink = bytes[0];
	sink = bytes[BLOCK - 1];
	(void)sink;
}

static void read_file(const struct ext2_image *image, size_t len_bytes,
		      const struct ext2_inode *inode)
{
	static const uint64_t edges[] = {12, 12 + 1024, 12 + 1024 + (1 << 20)};
	uint64_t npages = inode->size_bytes / BLOCK + 1;

	for (uint64_t i = 0; i < 16; i++)
		touch(image, len_bytes, inode, i);
	for (unsigned i = 0; i < ARRAY_SIZE(edges); i++) {
		touch(image, len_bytes, inode, edges[i] - 1);
		touch(image, len_bytes, inode, edges[i]);
		touch(image, len_bytes, inode, edges[i] + 1023);
		touch(image, len_bytes, inode, edges[i] + 1024);
	}
	touch(image, len_bytes, inode, npages - 1);
	touch(image, len_bytes, inode, npages);
	touch(image, len_bytes, inode, UINT64_MAX / BLOCK);
}

static void read_link(const struct ext2_image *image, const struct ext2_inode *inode)
{
	const char *target;
	size_t len_bytes;

	if (ext2_link_target(image, inode, &target, &len_bytes))
		return;
	promise(len_bytes > 0 && len_bytes < BLOCK, "a link's length");
	promise(!memchr(target, 0, len_bytes), "a link has no NUL");
}

static bool is_own_name(const struct ext2_dirent *entry)
{
	return (entry->name_bytes == 1 && entry->name[0] == '.') ||
	       (entry->name_bytes == 2 && entry->name[0] == '.' && entry->name[1] == '.');
}

static void walk(const struct ext2_image *image, size_t len_bytes)
{
	static struct {
		struct ext2_inode inode;
		uint64_t offset;
	} stack[DEPTH_MAX];
	struct ext2_inode found;
	struct ext2_dirent entry;
	unsigned depth = 0;

	promise(ext2_inode_read(image, EXT2_ROOT_INODE, &stack[0].inode) == 0, "the root is good");
	stack[0].offset = 0;
	while (nsteps++ < STEPS_MAX) {
		struct ext2_inode *directory = &stack[depth].inode;

		if (ext2_dir_next(image, directory, &stack[depth].offset, &entry)) {
			if (depth-- == 0)
				break;
			continue;
		}
		promise(entry.name_bytes >= 1 && entry.name_bytes <= 255 &&
				!memchr(entry.name, '/', entry.name_bytes) &&
				!memchr(entry.name, 0, entry.name_bytes),
			"a possible name");
		if (is_own_name(&entry) || nlookups++ >= LOOKUPS_MAX ||
		    ext2_lookup(image, directory, entry.name, entry.name_bytes, &found))
			continue;
		if (S_ISREG(found.mode))
			read_file(image, len_bytes, &found);
		read_link(image, &found);
		if (!S_ISDIR(found.mode) || depth + 1 == DEPTH_MAX)
			continue;
		for (unsigned i = 0; i <= depth; i++)
			promise(stack[i].inode.number != found.number, "no directory in itself");
		stack[++depth].inode = found;
		stack[depth].offset = 0;
	}
	(void)!ext2_lookup(image, &stack[0].inode, "not there", 9, &found);
}

static void run(const char *bytes, size_t len_bytes)
{
	struct ext2_image image;
	struct ext2_inode inode;
	err_t err;

	nsteps = 0;
	nlookups = 0;
	(void)ext2_image_bytes(bytes, len_bytes);
	err = ext2_open(&image, bytes, len_bytes, report, NULL);
	promise(err == 0 || err == -EINVAL || err == -EUCLEAN, "an error that it may give");
	if (err)
		return;
	walk(&image, len_bytes);
	/* Inodes that no name leads to. */
	for (uint32_t number = 0; number < 20; number++) {
		if (ext2_inode_read(&image, number, &inode) == 0 && S_ISREG(inode.mode))
			read_file(&image, len_bytes, &inode);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	struct base *base;
	size_t image_bytes;

	if (!len_bytes)
		return 0;
	if (data[0] == 0xff) {
		char *copy = aligned_alloc(8, ALIGN_UP(len_bytes, 8ul));

		memcpy(copy, data + 1, len_bytes - 1);
		run(copy, len_bytes - 1);
		free(copy);
		return 0;
	}
	base = &bases[data[0] % nbases];
	image_bytes = base->len_bytes;
	for (size_t at = 1; at + sizeof(struct record) <= len_bytes; at += sizeof(struct record)) {
		struct record record;

		memcpy(&record, data + at, sizeof(record));
		image_bytes = apply(base, &record, image_bytes);
	}
	ASAN_POISON_MEMORY_REGION(base->bytes + image_bytes, base->len_bytes - image_bytes);
	run(base->bytes, image_bytes);
	ASAN_UNPOISON_MEMORY_REGION(base->bytes + image_bytes, base->len_bytes - image_bytes);
	undo(base);
	return 0;
}
