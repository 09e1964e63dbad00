/* sources: kernel/elf_parse.c */
/*
 * The ELF parser under libFuzzer: any bytes are a file. What it accepts has to keep every promise
 * of kernel/elf_parse.h; the loader relies on nothing else.
 */
#include "elf_parse.h"
#include "support/promise.h"

#include <arch/paging.h>

static void check(const struct elf_image *image, size_t size)
{
	uint64_t end = 0;
	bool entry_found = false;

	PROMISE(image->nsegments > 0 && image->nsegments <= ELF_SEGMENTS_MAX);
	PROMISE(image->align >= PAGE_SIZE && !(image->align & (image->align - 1)));
	for (unsigned i = 0; i < image->nsegments; i++) {
		const struct elf_segment *segment = &image->segments[i];

		PROMISE(segment->memory_bytes > 0);
		PROMISE(segment->file_bytes <= segment->memory_bytes);
		PROMISE(segment->offset_bytes <= size);
		PROMISE(segment->file_bytes <= size - segment->offset_bytes);
		PROMISE(segment->address < USER_MAX);
		PROMISE(segment->memory_bytes <= USER_MAX - segment->address);
		PROMISE((segment->address & PAGE_MASK) == (segment->offset_bytes & PAGE_MASK));
		PROMISE(ALIGN_DOWN(segment->address, PAGE_SIZE) >= end);
		end = ALIGN_UP(segment->address + segment->memory_bytes, PAGE_SIZE);
		entry_found |= image->entry - segment->address < segment->memory_bytes;
	}
	PROMISE(image->start <= image->segments[0].address);
	PROMISE(image->end == end);
	PROMISE(entry_found);
	PROMISE(image->position_independent || image->start >= USER_MIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_image image;
	const char *reason = NULL;
	uint64_t offset;
	uint8_t *phdrs;

	if (elf_parse_header(data, size, size, &image, &offset, &reason)) {
		PROMISE(reason);
		return 0;
	}
	/* A copy of exactly the headers: the sanitizer sees a step beyond them. */
	phdrs = malloc(image.nphdrs * sizeof(struct elf64_phdr));
	PROMISE(phdrs);
	for (size_t i = 0; i < image.nphdrs * sizeof(struct elf64_phdr); i++)
		phdrs[i] = data[offset + i];
	if (!elf_parse_segments(phdrs, offset, size, &image, &reason))
		check(&image, size);
	else
		PROMISE(reason);
	free(phdrs);
	return 0;
}
