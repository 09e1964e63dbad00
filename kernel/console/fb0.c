/*
 * /dev/fb0: the pixels as a file, as Linux has it. Reading and writing copy; mapping gives a
 * program the video memory itself. There is one mode, the one that the screen is in.
 *
 * The text on the screen goes on being drawn beside a program's pixels unless that says KD_GRAPHICS
 * to the terminal (screen.c).
 */
#define LOG_SUBSYSTEM "fb"

#include "fb0.h"

#include <abi/errno.h>
#include <abi/fb.h>
#include <arch/user.h>
#include <fusek/devfs.h>
#include <ipc/buffer.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/object.h>

#include "framebuffer.h"

#define FB_MAJOR 29

static size_t size_bytes(void)
{
	const struct boot_framebuffer *shape = framebuffer_shape();

	return (size_t)shape->pitch_bytes * shape->height;
}

/* ---- reading and writing ---- */

static ssize_t fb_read(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
		       unsigned flags)
{
	size_t wanted = buffer_remaining(buffer);

	(void)file, (void)flags;
	if (offset_bytes >= size_bytes())
		return 0;
	wanted = MIN(wanted, size_bytes() - offset_bytes);
	return buffer_result(buffer_copy_to(buffer, framebuffer_pixels() + offset_bytes, wanted),
			     wanted);
}

static ssize_t fb_write(struct device_file *file, struct buffer *buffer, uint64_t offset_bytes,
			unsigned flags)
{
	size_t wanted = buffer_remaining(buffer);

	(void)file, (void)flags;
	if (offset_bytes >= size_bytes())
		return wanted ? -ENOSPC : 0;
	wanted = MIN(wanted, size_bytes() - offset_bytes);
	return buffer_result(buffer_copy_from(buffer, framebuffer_pixels() + offset_bytes, wanted),
			     wanted);
}

/* ---- what it looks like ---- */

static struct abi_fb_bitfield field(unsigned shift, unsigned bits)
{
	return (struct abi_fb_bitfield){.offset = shift, .length = bits};
}

static struct abi_fb_var_screeninfo variable_info(void)
{
	const struct boot_framebuffer *shape = framebuffer_shape();

	return (struct abi_fb_var_screeninfo){
		.xres = shape->width,
		.yres = shape->height,
		.xres_virtual = shape->width,
		.yres_virtual = shape->height,
		.bits_per_pixel = shape->bits,
		.red = field(shape->red_shift, shape->red_bits),
		.green = field(shape->green_shift, shape->green_bits),
		.blue = field(shape->blue_shift, shape->blue_bits),
		.height = UINT32_MAX, /* not known */
		.width = UINT32_MAX,
	};
}

static ssize_t get_variable(uptr_t argument)
{
	struct abi_fb_var_screeninfo info = variable_info();

	return user_put(argument, &info);
}

static ssize_t get_fixed(uptr_t argument)
{
	const struct boot_framebuffer *shape = framebuffer_shape();
	struct abi_fb_fix_screeninfo info = {
		.id = "Fuselage",
		.smem_len = (uint32_t)ALIGN_UP(size_bytes(), PAGE_SIZE),
		.type = FB_TYPE_PACKED_PIXELS,
		.visual = FB_VISUAL_TRUECOLOR,
		.line_length = shape->pitch_bytes,
	};

	return user_put(argument, &info);
}

/* The mode that is on may be asked for again, and nothing else. */
static ssize_t put_variable(uptr_t argument)
{
	struct abi_fb_var_screeninfo now = variable_info();
	struct abi_fb_var_screeninfo want;
	err_t err = user_get(&want, argument);

	if (err)
		return err;
	if (want.xres != now.xres || want.yres != now.yres || want.xoffset || want.yoffset ||
	    want.bits_per_pixel != now.bits_per_pixel)
		return -EINVAL;
	return user_put(argument, &now);
}

static ssize_t fb_ioctl(struct device_file *file, unsigned command, uptr_t argument, unsigned flags)
{
	(void)file, (void)flags;
	switch (command) {
	case FBIOGET_VSCREENINFO:
		return get_variable(argument);
	case FBIOPUT_VSCREENINFO:
	case FBIOPAN_DISPLAY:
		return put_variable(argument);
	case FBIOGET_FSCREENINFO:
		return get_fixed(argument);
	default:
		return -ENOTTY;
	}
}

/* ---- mapping ---- */

static err_t fb_get_page(struct memory_object *object, uint64_t page_index, unsigned fault_access,
			 struct page_ref *out)
{
	(void)object, (void)fault_access;
	if (page_index >= ALIGN_UP(size_bytes(), PAGE_SIZE) / PAGE_SIZE)
		return -EIO;
	*out = (struct page_ref){.phys = framebuffer_shape()->address + page_index * PAGE_SIZE};
	return 0;
}

/* The video memory is there for good; the first reference is never dropped. */
static void fb_release(struct memory_object *object)
{
	(void)object;
}

static void fb_name(struct memory_object *object, char *to, size_t to_bytes)
{
	(void)object;
	string_copy(to, to_bytes, "/dev/fb0");
}

static const struct memory_object_ops fb_object_ops = {
	.get_page = fb_get_page,
	.release = fb_release,
	.name = fb_name,
};

static struct memory_object fb_object;

/* A private mapping would copy pages that the kernel itself cannot reach by the direct map. */
static err_t fb_map(struct device_file *file, const struct object_map_request *request,
		    struct memory_object **out)
{
	(void)file;
	if (!request->shared || request->exec ||
	    !IS_ALIGNED(framebuffer_shape()->address, PAGE_SIZE))
		return -EINVAL;
	*out = memory_object_get(&fb_object);
	return 0;
}

static const struct device_ops fb_ops = {
	.read = fb_read,
	.write = fb_write,
	.ioctl = fb_ioctl,
	.map = fb_map,
};

void fb0_init(void)
{
	err_t err;

	if (!framebuffer_shape())
		return;
	memory_object_init(&fb_object, &fb_object_ops);
	fb_object.page_flags = PAGE_COMBINING;
	err = devfs_register("fb0", FB_MAJOR, 0, 0660, DEVICE_SEEKABLE, &fb_ops, NULL);
	if (err)
		log_err("/dev/fb0 cannot be made (error %d)", -err);
}
