/*
 * Making ext2 images. Everything lies in a directory of its own below $TMPDIR and is removed again.
 */
#include "image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

static void *read_file(const char *name, size_t *len_bytes)
{
	FILE *file = fopen(name, "rb");
	void *memory;
	long size;

	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	*len_bytes = (size_t)size;
	memory = aligned_alloc(PAGE, ((size_t)size + PAGE - 1) / PAGE * PAGE);
	if (fread(memory, 1, *len_bytes, file) != *len_bytes) {
		free(memory);
		memory = NULL;
	}
	fclose(file);
	return memory;
}

void *image_make(const char *script, const char *mke2fs_options, const char *size,
		 size_t *len_bytes)
{
	char place[] = "/tmp/fuselage-image-XXXXXX", command[16384], name[64];
	void *memory = NULL;

	if (!mkdtemp(place))
		return NULL;
	snprintf(command, sizeof(command),
		 "set -e; PATH=$PATH:/usr/sbin:/sbin; cd %s; mkdir tree; (cd tree; %s)\n"
		 "mke2fs -q -F %s -d tree image %s",
		 place, script, mke2fs_options, size);
	if (system(command) == 0) {
		snprintf(name, sizeof(name), "%s/image", place);
		memory = read_file(name, len_bytes);
	}
	snprintf(command, sizeof(command), "rm -rf %s", place);
	if (system(command) != 0)
		fprintf(stderr, "%s stays behind\n", place);
	return memory;
}
