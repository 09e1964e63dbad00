/*
 * The pixels of the screen, by linux/fb.h. Only linear pixels of 16, 24 or 32 bits with their
 * colours in fields: what firmware and QEMU give.
 */
#include "common/framebuffer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/kd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVICE "/dev/fb0"

static bool field(const struct fb_bitfield *from, unsigned *shift, unsigned *width)
{
	*shift = from->offset;
	*width = from->length;
	return from->length > 0 && from->length <= 8 && from->offset + from->length <= 32 &&
	       !from->msb_right;
}

static bool read_mode(struct framebuffer *framebuffer)
{
	struct fb_var_screeninfo mode;
	struct fb_fix_screeninfo fixed;

	if (ioctl(framebuffer->device, FBIOGET_VSCREENINFO, &mode) != 0 ||
	    ioctl(framebuffer->device, FBIOGET_FSCREENINFO, &fixed) != 0)
		return false;
	framebuffer->width = mode.xres;
	framebuffer->height = mode.yres;
	framebuffer->bytes_per_pixel = mode.bits_per_pixel / 8;
	framebuffer->line_bytes = fixed.line_length;
	framebuffer->mapped_bytes = fixed.smem_len;
	if (fixed.type == FB_TYPE_PACKED_PIXELS && framebuffer->bytes_per_pixel >= 2 &&
	    framebuffer->bytes_per_pixel <= 4 &&
	    (size_t)mode.yres * fixed.line_length <= fixed.smem_len &&
	    (size_t)mode.xres * framebuffer->bytes_per_pixel <= fixed.line_length &&
	    field(&mode.red, &framebuffer->shifts[0], &framebuffer->widths[0]) &&
	    field(&mode.green, &framebuffer->shifts[1], &framebuffer->widths[1]) &&
	    field(&mode.blue, &framebuffer->shifts[2], &framebuffer->widths[2]))
		return true;
	errno = ENOTSUP;
	return false;
}

/* The text of the terminal would be drawn into the picture. */
static void switch_text_off(struct framebuffer *framebuffer)
{
	framebuffer->terminal = open("/dev/tty0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (framebuffer->terminal < 0 || ioctl(framebuffer->terminal, KDSETMODE, KD_GRAPHICS) == 0)
		return;
	close(framebuffer->terminal);
	framebuffer->terminal = -1;
}

bool framebuffer_open(struct framebuffer *framebuffer)
{
	int error;

	*framebuffer = (struct framebuffer){.terminal = -1};
	framebuffer->device = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (framebuffer->device < 0)
		return false;
	if (read_mode(framebuffer)) {
		framebuffer->pixels = mmap(NULL, framebuffer->mapped_bytes, PROT_READ | PROT_WRITE,
					   MAP_SHARED, framebuffer->device, 0);
		if (framebuffer->pixels != MAP_FAILED) {
			switch_text_off(framebuffer);
			return true;
		}
	}
	error = errno;
	close(framebuffer->device);
	errno = error;
	return false;
}

void framebuffer_close(struct framebuffer *framebuffer)
{
	munmap(framebuffer->pixels, framebuffer->mapped_bytes);
	close(framebuffer->device);
	if (framebuffer->terminal < 0)
		return;
	ioctl(framebuffer->terminal, KDSETMODE, KD_TEXT);
	close(framebuffer->terminal);
}

uint32_t framebuffer_pixel(const struct framebuffer *framebuffer, unsigned red, unsigned green,
			   unsigned blue)
{
	const unsigned colours[3] = {red, green, blue};
	uint32_t pixel = 0;

	for (int i = 0; i < 3; i++)
		pixel |= (uint32_t)(colours[i] >> (8 - framebuffer->widths[i]))
			 << framebuffer->shifts[i];
	return pixel;
}

void framebuffer_put(struct framebuffer *framebuffer, unsigned x, unsigned y,
		     const uint32_t *pixels, unsigned count)
{
	unsigned bytes = framebuffer->bytes_per_pixel;
	unsigned char *to = framebuffer->pixels + y * framebuffer->line_bytes + (size_t)x * bytes;

	if (bytes == 4) {
		memcpy(to, pixels, count * sizeof(*pixels));
		return;
	}
	for (unsigned i = 0; i < count; i++) /* little-endian, as all x86 machines */
		memcpy(to + (size_t)i * bytes, &pixels[i], bytes);
}
