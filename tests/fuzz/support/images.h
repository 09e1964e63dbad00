/*
 * The images that a fuzzer changes: images/ of the folder that FUSELAGE_FUZZ names, made by the
 * fuzzer's own script.
 */
#ifndef FUZZ_IMAGES_H
#define FUZZ_IMAGES_H

#include "promise.h"

struct fuzz_image {
	char *bytes; /* at a multiple of 4096 */
	size_t len_bytes;
};

/* All of them in the order of their names, `most` at most. Without any, the fuzzer ends with words.
 */
unsigned fuzz_images_load(struct fuzz_image *images, unsigned most);

#endif
