/*
 * Multiboot2's boot information (specification 3.6): a list of tags. Input: every tag's size is
 * checked against the whole before it is read.
 */
#include "loader.h"

#include <arch/paging.h>
#include <lib/string.h>

#define EARLY_LIMIT     (4 * GIB)
#define MAP_ENTRIES_MAX 4096 /* no firmware has a tenth of it, and each costs time */

struct PACKED mb2_header {
	uint32_t total_bytes;
	uint32_t reserved;
};

struct PACKED mb2_tag {
	uint32_t type;
	uint32_t size_bytes;
};

enum mb2_type {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_MODULE = 3,
	MB2_MEMORY = 6,
	MB2_FRAMEBUFFER = 8,
	MB2_RSDP_OLD = 14,
	MB2_RSDP_NEW = 15,
};

struct PACKED mb2_module {
	struct mb2_tag tag;
	uint32_t start;
	uint32_t end;
	char cmdline[];
};

struct PACKED mb2_memory_map {
	struct mb2_tag tag;
	uint32_t entry_bytes;
	uint32_t entry_version;
};

struct PACKED mb2_memory {
	uint64_t start;
	uint64_t size_bytes;
	uint32_t type; /* as in an E820 map */
	uint32_t reserved;
};

/* Specification 3.6.11. Field positions and sizes follow where `kind` is MB2_RGB. */
struct PACKED mb2_framebuffer {
	struct mb2_tag tag;
	uint64_t address;
	uint32_t pitch_bytes;
	uint32_t width;
	uint32_t height;
	uint8_t bits;
	uint8_t kind;
	uint16_t reserved;
	uint8_t red_shift, red_bits;
	uint8_t green_shift, green_bits;
	uint8_t blue_shift, blue_bits;
};

#define MB2_RGB              1
#define MB2_FRAMEBUFFER_HEAD offsetof(struct mb2_framebuffer, red_shift)

/* A string at the end of a tag must end within it. */
static bool string_ok(const char *string, const struct mb2_tag *tag)
{
	size_t room = tag->size_bytes - (size_t)(string - (const char *)tag);

	return strnlen(string, room) < room;
}

static const char *read_memory(struct boot_info *info, const struct mb2_tag *tag)
{
	const struct mb2_memory_map *map = (const struct mb2_memory_map *)tag;
	const char *end = (const char *)tag + tag->size_bytes;

	if (tag->size_bytes < sizeof(*map) || map->entry_bytes < sizeof(struct mb2_memory) ||
	    (tag->size_bytes - sizeof(*map)) / map->entry_bytes > MAP_ENTRIES_MAX)
		return "the multiboot2 memory map is malformed";
	for (unsigned pass = 0; pass < E820_PASSES; pass++) {
		for (const char *at = (const char *)(map + 1); at + map->entry_bytes <= end;
		     at += map->entry_bytes) {
			const struct mb2_memory *memory = (const struct mb2_memory *)at;

			loader_add_e820(info, memory->start, memory->size_bytes, memory->type,
					pass);
		}
	}
	return NULL;
}

static const char *read_module(struct boot_info *info, const struct mb2_tag *tag)
{
	const struct mb2_module *module = (const struct mb2_module *)tag;

	if (tag->size_bytes < sizeof(*module) + 1 || !string_ok(module->cmdline, tag))
		return "a multiboot2 module is malformed";
	loader_add_module(info, module->start, module->end, module->cmdline);
	return NULL;
}

static const char *read_framebuffer(struct boot_info *info, const struct mb2_tag *tag)
{
	const struct mb2_framebuffer *from = (const struct mb2_framebuffer *)tag;
	bool rgb;

	if (tag->size_bytes < MB2_FRAMEBUFFER_HEAD)
		return "the multiboot2 framebuffer is malformed";
	rgb = from->kind == MB2_RGB;
	if (rgb && tag->size_bytes < MB2_FRAMEBUFFER_HEAD + 6)
		return "the multiboot2 framebuffer does not say where its colours are";
	info->framebuffer = (struct boot_framebuffer){
		.kind = rgb ? FRAMEBUFFER_RGB : FRAMEBUFFER_TEXT,
		.address = from->address,
		.pitch_bytes = from->pitch_bytes,
		.width = from->width,
		.height = from->height,
		.bits = from->bits,
	};
	if (rgb) {
		info->framebuffer.red_shift = from->red_shift;
		info->framebuffer.red_bits = from->red_bits;
		info->framebuffer.green_shift = from->green_shift;
		info->framebuffer.green_bits = from->green_bits;
		info->framebuffer.blue_shift = from->blue_shift;
		info->framebuffer.blue_bits = from->blue_bits;
	}
	return NULL;
}

static const char *read_tag(struct boot_info *info, const struct mb2_tag *tag)
{
	const char *text = (const char *)(tag + 1);

	switch (tag->type) {
	case MB2_CMDLINE:
		if (tag->size_bytes <= sizeof(*tag) || !string_ok(text, tag))
			return "the multiboot2 command line has no end";
		info->cmdline = text;
		return NULL;
	case MB2_MODULE:
		return read_module(info, tag);
	case MB2_MEMORY:
		return read_memory(info, tag);
	case MB2_FRAMEBUFFER:
		return read_framebuffer(info, tag);
	case MB2_RSDP_OLD:
	case MB2_RSDP_NEW:
		/* A copy, good for reading. The new one says more, in whichever order they come. */
		if (tag->type == MB2_RSDP_NEW || !info->rsdp)
			info->rsdp = direct_to_phys(text);
		return NULL;
	default:
		return NULL;
	}
}

const char *loader_read_multiboot2(struct boot_info *info, paddr_t from)
{
	const struct mb2_header *header;
	const char *problem;
	uint64_t at = sizeof(*header);

	info->loader = "multiboot2";
	info->cmdline = "";
	if (from >= EARLY_LIMIT || !IS_ALIGNED(from, 8))
		return "the multiboot2 information lies out of reach";
	header = phys_to_virt(from);
	if (header->total_bytes > EARLY_LIMIT - from)
		return "the multiboot2 information is longer than memory";
	while (at + sizeof(struct mb2_tag) <= header->total_bytes) {
		const struct mb2_tag *tag = (const void *)((const char *)header + at);

		if (tag->size_bytes < sizeof(*tag) || tag->size_bytes > header->total_bytes - at)
			return "a multiboot2 tag is longer than the whole";
		if (tag->type == MB2_END)
			break;
		problem = read_tag(info, tag);
		if (problem)
			return problem;
		at += ALIGN_UP((uint64_t)tag->size_bytes, 8);
	}
	if (!info->nranges)
		return "the multiboot2 loader gives no memory map";
	loader_carve(info, from, from + header->total_bytes, MEMORY_TAKEN);
	return NULL;
}
