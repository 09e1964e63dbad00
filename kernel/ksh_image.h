/*
 * ksh's ELF file: what it asks for, checked, and how it gets into memory. Pure: runs on the host
 * under the sanitizers and the fuzzer. Nothing in the file is believed. After ksh_image_parse() has
 * said 0, all segments lie in [0, size_bytes) on pages of their own, their contents lie in the
 * file, none is writable and executable, every relocation changes eight bytes of a writable segment
 * to an address inside the image, and the entry point is executable.
 */
#ifndef KERNEL_KSH_IMAGE_H
#define KERNEL_KSH_IMAGE_H

#include <abi/elf.h>
#include <abi/ksh.h>
#include <lib/types.h>

#define KSH_SEGMENTS_MAX 8
#define KSH_IMAGE_MAX    (2 * MIB) /* of memory, from the first segment's page on */
#define KSH_FILE_MAX     (4 * MIB)

struct ksh_segment {
	uint64_t address; /* in the image: 0 is where it is loaded */
	uint64_t offset_bytes;
	uint64_t file_bytes;
	uint64_t memory_bytes;
	bool writable;
	bool executable;
};

struct ksh_image {
	uint64_t size_bytes; /* whole pages */
	uint64_t entry;
	unsigned nsegments;
	struct ksh_segment segments[KSH_SEGMENTS_MAX];
	uint64_t relocations_offset; /* of the table in the file */
	uint64_t nrelocations;
	struct ksh_note note;
	/* The symbols, for backtraces; a file without them has nsymbols 0. */
	uint64_t symbols_offset;
	uint64_t nsymbols;
	uint64_t strings_offset;
	uint64_t strings_bytes;
};

/* -ENOEXEC: *reason says what is wrong with the file. */
err_t must_check ksh_image_parse(const void *file, size_t file_bytes, struct ksh_image *image,
				 const char **reason);

/* Copies the segments to `memory`, size_bytes bytes of zeros that are mapped at address `base` when
 * it runs, and relocates them. The file is the one that was parsed. */
void ksh_image_place(const void *file, const struct ksh_image *image, void *memory, uint64_t base);

/* The function around `address` of the image, by the symbol and string tables that image names.
 * NULL: none. The name lies in `strings` and ends with a NUL. */
const char *ksh_symbol_find(const void *symbols, uint64_t nsymbols, const char *strings,
			    uint64_t strings_bytes, uint64_t address, uint64_t *offset);

#endif
