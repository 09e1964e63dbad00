/* sources: kernel/ksh_image.c
   with: lib/string.c */
/*
 * The checks of ksh's file under libFuzzer: any bytes are a file. What is accepted must be placed
 * inside its image and have symbols inside its file (both buffers are exact, the address sanitizer
 * watches them).
 */
#include "ksh_image.h"
#include "support/promise.h"

#include <string.h>

static void check(const struct ksh_image *image)
{
	uint64_t end = 0;
	bool entry_found = false;

	PROMISE(image->size_bytes <= KSH_IMAGE_MAX + PAGE_SIZE);
	for (unsigned i = 0; i < image->nsegments; i++) {
		const struct ksh_segment *segment = &image->segments[i];

		PROMISE(!(segment->writable && segment->executable));
		PROMISE(ALIGN_DOWN(segment->address, PAGE_SIZE) >= end);
		end = ALIGN_UP(segment->address + segment->memory_bytes, PAGE_SIZE);
		PROMISE(end <= image->size_bytes);
		if (segment->executable && image->entry >= segment->address &&
		    image->entry < segment->address + segment->memory_bytes)
			entry_found = true;
	}
	PROMISE(entry_found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ksh_image image;
	const char *reason;
	uint64_t offset;
	char *memory;

	if (ksh_image_parse(data, size, &image, &reason) != 0) {
		PROMISE(reason[0] != '\0');
		return 0;
	}
	check(&image);
	memory = calloc(1, image.size_bytes);
	PROMISE(memory);
	ksh_image_place(data, &image, memory, UINT64_C(0xffffffffa0001000));
	if (image.nsymbols) {
		const char *name = ksh_symbol_find(data + image.symbols_offset, image.nsymbols,
						   (const char *)data + image.strings_offset,
						   image.strings_bytes, image.entry, &offset);

		PROMISE(!name || strlen(name) < size);
	}
	free(memory);
	return 0;
}
