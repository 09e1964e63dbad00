/*
 * What an ELF file asks for, checked. Pure: reads bytes that it is given and nothing else, so it
 * runs under the fuzzer on the host. Nothing in the file is believed: after elf_parse_segments()
 * has said 0, every segment lies in the part of the address space that programs have, in ascending
 * order and without overlap, its file part lies in the file, and no sum of its fields wraps.
 */
#ifndef KERNEL_ELF_PARSE_H
#define KERNEL_ELF_PARSE_H

#include <abi/elf.h>
#include <lib/types.h>

#define ELF_SEGMENTS_MAX          16
#define ELF_PHDRS_MAX             64   /* a page of them, as Linux */
#define ELF_INTERPRETER_BYTES_MAX 4096 /* PATH_MAX, as Linux */

/* A PT_LOAD. Addresses are as in the file; the bias of a static-PIE is added by the loader. */
struct elf_segment {
	uint64_t address;      /* p_vaddr */
	uint64_t offset_bytes; /* p_offset, congruent to the address modulo the page size */
	uint64_t file_bytes;   /* what comes from the file */
	uint64_t memory_bytes; /* at least as many; the rest is zero */
	unsigned flags;        /* PF_* */
};

struct elf_image {
	bool position_independent; /* ET_DYN: may be placed anywhere */
	bool stack_executable;     /* PT_GNU_STACK says so */
	uint64_t entry;
	uint64_t phdr_address; /* where the program finds its headers in memory; 0: nowhere */
	uint16_t nphdrs;
	uint64_t interpreter_offset_bytes; /* where the file names the loader that it wants */
	uint64_t interpreter_bytes;        /* with the NUL; 0: it wants none */
	uint64_t start;                    /* page aligned bounds of all segments */
	uint64_t end;
	uint64_t align; /* the largest that a segment asks for: a power of two, at least a page */
	unsigned nsegments;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/* Where the program headers are, from the first sizeof(struct elf64_header) bytes. *reason says
 * what is wrong with the file where the result is -ENOEXEC. `start_bytes`: how much of `start`
 * there is. */
err_t must_check elf_parse_header(const void *start, size_t start_bytes, uint64_t file_bytes,
				  struct elf_image *image, uint64_t *phdrs_offset_bytes,
				  const char **reason);

/* The second half: `phdrs` are the image->nphdrs headers that stood at phdrs_offset_bytes, in any
 * alignment. */
err_t must_check elf_parse_segments(const void *phdrs, uint64_t phdrs_offset_bytes,
				    uint64_t file_bytes, struct elf_image *image,
				    const char **reason);

#endif
