/*
 * The pixels of the screen: Linux's /dev/fb0.
 */
#ifndef COMMON_FRAMEBUFFER_H
#define COMMON_FRAMEBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct framebuffer {
	unsigned width, height;
	unsigned bytes_per_pixel; /* 2 to 4 */
	size_t line_bytes;        /* from one row to the next */
	unsigned char *pixels;    /* mapped */
	size_t mapped_bytes;
	unsigned shifts[3], widths[3]; /* of red, green, blue in a pixel */
	int device;
	int terminal; /* whose text is switched off meanwhile; -1: none */
};

/* Maps the pixels and keeps the terminal's text off them. False: errno says why; ENOTSUP: its
 * pixels are of a kind that we do not know. */
bool framebuffer_open(struct framebuffer *framebuffer);
/* The text comes back. */
void framebuffer_close(struct framebuffer *framebuffer);

/* A colour as a pixel has it. */
uint32_t framebuffer_pixel(const struct framebuffer *framebuffer, unsigned red, unsigned green,
			   unsigned blue);
/* `count` pixels to the right of x,y; all of them lie within the picture. */
void framebuffer_put(struct framebuffer *framebuffer, unsigned x, unsigned y,
		     const uint32_t *pixels, unsigned count);

#endif
