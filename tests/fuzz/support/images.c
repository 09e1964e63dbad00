/*
 * Reading the images that a fuzzer changes.
 */
#include "images.h"

#include <glob.h>

#define BLOCK 4096

static void load(const char *path, struct fuzz_image *image)
{
	FILE *file = fopen(path, "rb");

	PROMISE(file != NULL);
	fseek(file, 0, SEEK_END);
	image->len_bytes = (size_t)ftell(file);
	rewind(file);
	image->bytes = aligned_alloc(BLOCK, (image->len_bytes + BLOCK - 1) / BLOCK * BLOCK);
	PROMISE(fread(image->bytes, 1, image->len_bytes, file) == image->len_bytes);
	fclose(file);
}

unsigned fuzz_images_load(struct fuzz_image *images, unsigned most)
{
	const char *folder = getenv("FUSELAGE_FUZZ");
	char pattern[4096];
	unsigned n = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/images/*.img", folder ? folder : "");
	if (!folder || glob(pattern, 0, NULL, &found)) {
		fprintf(stderr, "FUSELAGE_FUZZ names no folder with images/*.img\n");
		exit(1);
	}
	for (; n < found.gl_pathc && n < most; n++)
		load(found.gl_pathv[n], &images[n]);
	globfree(&found);
	return n;
}
