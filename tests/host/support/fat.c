/*
 * FAT volumes for tests. Files of the host lie in a directory of its own and are removed again.
 */
#include "fat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int memory_read(void *backing, uint64_t offset, void *to, size_t len_bytes)
{
	const struct fat_memory *memory = backing;

	memcpy(to, memory->bytes + offset, len_bytes);
	return 0;
}

static int memory_write(void *backing, uint64_t offset, const void *from, size_t len_bytes)
{
	struct fat_memory *memory = backing;

	if (memory->nwrites_left == 0)
		return -EIO;
	if (memory->nwrites_left > 0)
		memory->nwrites_left--;
	memcpy(memory->bytes + offset, from, len_bytes);
	memory->nwrites++;
	if (memory->written)
		memory->written(memory);
	return 0;
}

static int memory_sync(void *backing)
{
	(void)backing;
	return 0;
}

const struct disk_ops fat_memory_ops = {
	.read = memory_read, .write = memory_write, .sync = memory_sync};

/* ---- the host's tools ---- */

static char *slurp(const char *name, size_t *len_bytes)
{
	FILE *file = fopen(name, "rb");
	char *bytes;

	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	*len_bytes = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*len_bytes + 1);
	if (bytes && fread(bytes, 1, *len_bytes, file) == *len_bytes)
		bytes[*len_bytes] = 0;
	fclose(file);
	return bytes;
}

/* Runs `command` in a fresh directory, then reads its file `result`. */
static char *run_in(const char *before, const char *bytes, size_t in_bytes, const char *command,
		    const char *result, size_t *len_bytes)
{
	static const char begin[] = "PATH=$PATH:/usr/sbin:/sbin; export LC_ALL=C.UTF-8 "
				    "MTOOLS_SKIP_CHECK=1 SOURCE_DATE_EPOCH=1600000000; i=image;";
	char place[] = "/tmp/fuselage-fat-XXXXXX", text[8192], name[64];
	char *out = NULL;
	FILE *file;

	if (!mkdtemp(place))
		return NULL;
	if (bytes) {
		snprintf(name, sizeof(name), "%s/image", place);
		file = fopen(name, "wb");
		if (file) {
			fwrite(bytes, 1, in_bytes, file);
			fclose(file);
		}
	}
	snprintf(text, sizeof(text), "cd %s; %s %s %s", place, begin, before, command);
	if (system(text) == 0) {
		snprintf(name, sizeof(name), "%s/%s", place, result);
		out = slurp(name, len_bytes);
	}
	snprintf(text, sizeof(text), "rm -rf %s", place);
	if (system(text) != 0)
		fprintf(stderr, "%s stays behind\n", place);
	return out;
}

char *fat_make(unsigned width, const char *options, unsigned kib, const char *script,
	       size_t *len_bytes)
{
	char before[512];

	snprintf(before, sizeof(before),
		 "set -e; mkfs.fat -F %u %s -i 12345678 -C image %u >said 2>&1 || { cat said; "
		 "false; };",
		 width, options, kib);
	return run_in(before, NULL, 0, script, "image", len_bytes);
}

char *fat_run(const char *bytes, size_t len_bytes, const char *command)
{
	char text[4096];
	size_t said_bytes;

	snprintf(text, sizeof(text), "{ %s; echo status $?; } >said 2>&1", command);
	return run_in("", bytes, len_bytes, text, "said", &said_bytes);
}

/* ---- mounting ---- */

static void report(void *argument, const char *text)
{
	struct fat_mount *mount = argument;

	snprintf(mount->said, sizeof(mount->said), "%s", text);
}

int fat_mount(struct fat_mount *mount, char *bytes, size_t len_bytes)
{
	int err;

	*mount = (struct fat_mount){
		.memory = {.bytes = bytes, .len_bytes = len_bytes, .nwrites_left = -1}};
	err = disk_init(&mount->disk, &fat_memory_ops, &mount->memory, len_bytes);
	if (err)
		return err;
	err = volume_open(&mount->volume, &mount->disk, false, report, mount);
	if (!err)
		err = node_mount(&mount->volume);
	if (err)
		disk_destroy(&mount->disk);
	return err;
}

int fat_unmount(struct fat_mount *mount)
{
	int err;

	node_unmount(&mount->volume);
	err = volume_close(&mount->volume);
	disk_destroy(&mount->disk);
	return err;
}

int fat_find(struct fat_mount *mount, const char *path, struct node **out)
{
	char copy[1024], *save, *name;
	int err = 0;

	*out = mount->volume.root;
	snprintf(copy, sizeof(copy), "%s", path);
	for (name = strtok_r(copy, "/", &save); name && !err; name = strtok_r(NULL, "/", &save))
		err = node_lookup(&mount->volume, *out, name, out);
	return err;
}
