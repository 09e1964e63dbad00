/* sources: drivers/fatfs/volume.c drivers/fatfs/table.c drivers/fatfs/chain.c drivers/fatfs/names.c
	drivers/fatfs/short_names.c drivers/fatfs/times.c drivers/fatfs/directory.c
	drivers/fatfs/directory_change.c drivers/fatfs/node.c drivers/fatfs/node_change.c
	drivers/fatfs/file.c
   with: drivers/fatfs/disk.c drivers/common/hash.c tests/fuzz/support/images.c
   options: max_len=400 runs=20000 */
/*
 * libFuzzer harness of fatfs without libfuse. An input is a list of changes to one of several real
 * volumes (made by mkfs.fat and mtools) and of operations on what has become of it:
 *
 *	byte 0: which image
 *	then records of 8 bytes: what, width, place (2), value (4)
 *
 * Changes come before everything is walked and read, operations after it. A write may fail. What
 *the driver promises is checked: possible names, no directory inside itself, nothing read beyond a
 *size, and that each call comes back, which libFuzzer's time-out checks.
 */
#include "node.h"

#include "support/images.h"

#include <errno.h>
#include <string.h>

#define IMAGES_MAX 8
#define DEPTH_MAX  6
#define STEPS_MAX  300
#define NODES_MAX  32

static struct fuzz_image bases[IMAGES_MAX];
static unsigned nbases;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	nbases = fuzz_images_load(bases, IMAGES_MAX);
	return 0;
}

/* ---- the disk: a copy of the image, and writes that may fail ---- */

static char *image;
static size_t image_bytes;
static unsigned nwrites_left, nreads_left;

static int memory_read(void *backing, uint64_t offset, void *to, size_t len_bytes)
{
	(void)backing;
	if (!nreads_left)
		return -EIO;
	nreads_left--;
	PROMISE(offset <= image_bytes && len_bytes <= image_bytes - offset);
	memcpy(to, image + offset, len_bytes);
	return 0;
}

static int memory_write(void *backing, uint64_t offset, const void *from, size_t len_bytes)
{
	(void)backing;
	if (!nwrites_left)
		return -EIO;
	nwrites_left--;
	PROMISE(offset <= image_bytes && len_bytes <= image_bytes - offset);
	memcpy(image + offset, from, len_bytes);
	return 0;
}

static int memory_sync(void *backing)
{
	(void)backing;
	return 0;
}

static const struct disk_ops memory_ops = {
	.read = memory_read, .write = memory_write, .sync = memory_sync};

static void report(void *argument, const char *text)
{
	(void)argument;
	PROMISE(strlen(text) > 10);
}

/* ---- the walk ---- */

static struct volume volume;
static struct node *nodes[NODES_MAX]; /* looked up once for each time that they are here */
static unsigned nnodes, nsteps;

static void keep(struct node *node)
{
	if (nnodes < NODES_MAX)
		nodes[nnodes++] = node;
	else
		node_forget(&volume, node, 1);
}

static void read_file(struct node *node)
{
	static char buffer[70000];
	uint32_t size_bytes = get32(node->entry.size_bytes);
	ssize_t got = file_read(&volume, node, 0, buffer, sizeof(buffer));

	PROMISE(got <= (ssize_t)size_bytes);
	got = file_read(&volume, node, size_bytes - size_bytes / 3, buffer, 5000);
	PROMISE(got <= (ssize_t)size_bytes);
	PROMISE(file_read(&volume, node, size_bytes, buffer, 10) == 0);
}

static void walk(struct node *directory, unsigned depth)
{
	char name[NAME_BYTES_MAX + 1];
	struct found found;
	struct node *node;
	uint32_t index = 0, size_bytes;

	(void)!node_size(&volume, directory, &size_bytes);
	while (nsteps++ < STEPS_MAX &&
	       !directory_next(&volume, &directory->directory, &index, &found)) {
		name_to_utf8(&found.name, name);
		PROMISE(*name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
			strcmp(name, "..") != 0 && strlen(name) <= NAME_BYTES_MAX);
		PROMISE(found.slot - found.first_slot < NAME_SLOTS_MAX);
		if (node_lookup(&volume, directory, name, &node))
			continue;
		(void)node_times(&volume, node);
		for (struct node *above = directory; above; above = above->parent)
			PROMISE(above != node);
		if (!node_is_directory(node))
			read_file(node);
		else if (depth < DEPTH_MAX)
			walk(node, depth + 1);
		keep(node);
	}
}

/* ---- changes and operations ---- */

struct record {
	uint8_t what, width;
	uint8_t place[2], value[4];
};

#define WHAT_CHANGES 4 /* 0 to 3: changes */

static void change(const struct record *record)
{
	static const size_t widths[] = {1, 2, 4, ENTRY_BYTES};
	size_t width = widths[record->width % 4], at = get16(record->place);
	const void *from = record->value;

	switch (record->what % WHAT_CHANGES) {
	case 0: /* the boot sector */
		at %= 90;
		break;
	case 1: /* anywhere in the first 64 KiB: tables */
		break;
	case 2: /* directories, by entries */
		at = at * (size_t)ENTRY_BYTES + (record->width >> 2) % ENTRY_BYTES;
		break;
	default: /* one entry over another */
		at *= ENTRY_BYTES;
		width = ENTRY_BYTES;
		from = image + get32(record->value) % (image_bytes / ENTRY_BYTES) * ENTRY_BYTES;
		break;
	}
	if (width == ENTRY_BYTES && from == record->value)
		width = 1;
	if (at < image_bytes && width <= image_bytes - at)
		memmove(image + at, from, width);
}

static const char *name_of(unsigned number)
{
	static const char *const names[] = {"FILE",
					    "file.txt",
					    "A long name with an ending",
					    "dir",
					    "deep",
					    "größe 日本",
					    "x+y",
					    "another long name of a file",
					    "...",
					    "a*b",
					    "n1",
					    "N2",
					    "mixed Case",
					    "\xff",
					    "A.B.C"};

	return names[number % (sizeof(names) / sizeof(names[0]))];
}

static void operate(const struct record *record)
{
	static const char data[3000];
	uint32_t value = get32(record->value);
	struct node *node = nodes[get16(record->place) % nnodes];
	struct node *other = nodes[(record->width >> 4) % nnodes], *made;
	struct timespec time = {.tv_sec = value};
	const char *name = name_of(record->width);

	switch (record->what % 9) {
	case 0:
		if (!node_create(&volume, node, name, value & 1 ? ATTRIBUTE_DIRECTORY : 0, &made))
			keep(made);
		break;
	case 1:
		(void)!node_unlink(&volume, node, name);
		break;
	case 2:
		(void)!node_rmdir(&volume, node, name);
		break;
	case 3:
		(void)!node_rename(&volume, node, name, other, name_of(value), value >> 31);
		break;
	case 4:
		if (!node_is_directory(node))
			(void)!file_write(&volume, node, value % 40000, data, value >> 16 & 2047);
		break;
	case 5:
		if (!node_is_directory(node))
			(void)!file_resize(&volume, node, value % 50000);
		break;
	case 6:
		node_set_times(&volume, node, &time, &time);
		(void)!node_flush(&volume, node);
		break;
	case 7:
		nwrites_left = value % 64;
		break;
	default:
		nreads_left = value % 256;
		break;
	}
}

/* ---- one run ---- */

static void run(const uint8_t *data, size_t len_bytes)
{
	struct disk disk;
	struct record record;
	uint32_t nfree;
	size_t at;

	for (at = 0; at + sizeof(record) <= len_bytes; at += sizeof(record)) {
		memcpy(&record, data + at, sizeof(record));
		if (!(record.what & 0x80))
			change(&record);
	}
	PROMISE(!disk_init(&disk, &memory_ops, NULL, image_bytes));
	if (volume_open(&volume, &disk, false, report, NULL) || node_mount(&volume)) {
		disk_destroy(&disk);
		return;
	}
	nodes[nnodes++] = volume.root;
	volume.root->nlookups++;
	walk(volume.root, 0);
	for (at = 0; at + sizeof(record) <= len_bytes; at += sizeof(record)) {
		memcpy(&record, data + at, sizeof(record));
		if (record.what & 0x80)
			operate(&record);
	}
	if (!table_free_count(&volume, &nfree))
		PROMISE(nfree <= volume.nclusters);
	while (nnodes)
		node_forget(&volume, nodes[--nnodes], 1);
	node_unmount(&volume);
	(void)!volume_sync(&volume);
	(void)!volume_close(&volume);
	disk_destroy(&disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	const struct fuzz_image *base;

	if (!len_bytes)
		return 0;
	base = &bases[data[0] % nbases];
	image_bytes = base->len_bytes;
	image = malloc(image_bytes);
	memcpy(image, base->bytes, image_bytes);
	nwrites_left = nreads_left = UINT32_MAX;
	nsteps = nnodes = 0;
	run(data + 1, len_bytes - 1);
	free(image);
	return 0;
}
