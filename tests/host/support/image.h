/*
 * ext2 images for tests, made by mke2fs from a directory that a shell script fills.
 */
#ifndef SUPPORT_IMAGE_H
#define SUPPORT_IMAGE_H

#include <stddef.h>

/* Runs `script` (sh) in an empty directory, makes an image of it with `mke2fs OPTIONS -d DIR`, and
 * returns it in page-aligned memory of the caller (free()). NULL: something failed and has said so.
 */
void *image_make(const char *script, const char *mke2fs_options, const char *size,
		 size_t *len_bytes);

#endif
