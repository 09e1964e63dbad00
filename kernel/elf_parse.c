/*
 * Checks an ELF file's headers and says what to map. Owns nothing; no lock, no allocation. All sums
 * are made on values that were bounded before, so none can wrap.
 */
#include "elf_parse.h"

#include <abi/errno.h>
#include <arch/paging.h>
#include <lib/string.h>

static err_t bad(const char **reason, const char *why)
{
	*reason = why;
	return -ENOEXEC;
}

err_t elf_parse_header(const void *start, size_t start_bytes, uint64_t file_bytes,
		       struct elf_image *image, uint64_t *phdrs_offset_bytes, const char **reason)
{
	struct elf64_header header;

	*image = (struct elf_image){.align = PAGE_SIZE};
	if (start_bytes < sizeof(header))
		return bad(reason, "it is shorter than an ELF header");
	memcpy(&header, start, sizeof(header));
	if (memcmp(header.e_ident, ELF_MAGIC, ELF_MAGIC_LEN) != 0)
		return bad(reason, "it is not an ELF file");
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64)
		return bad(reason, "it is not for x86-64");
	if (header.e_ident[EI_VERSION] != EV_CURRENT || header.e_version != EV_CURRENT)
		return bad(reason, "its ELF version is unknown");
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return bad(reason, "it is neither an executable nor position independent");
	if (header.e_phentsize != sizeof(struct elf64_phdr))
		return bad(reason, "its program headers have a wrong size");
	if (header.e_phnum == 0 || header.e_phnum > ELF_PHDRS_MAX)
		return bad(reason, "it has no program headers, or too many");
	if (header.e_phoff > file_bytes ||
	    header.e_phnum * sizeof(struct elf64_phdr) > file_bytes - header.e_phoff)
		return bad(reason, "its program headers lie outside of the file");

	image->position_independent = header.e_type == ET_DYN;
	image->entry = header.e_entry;
	image->nphdrs = header.e_phnum;
	*phdrs_offset_bytes = header.e_phoff;
	return 0;
}

static err_t check_alignment(const struct elf64_phdr *phdr, struct elf_image *image,
			     const char **reason)
{
	/* gABI: 0 and 1 ask for nothing, everything else is a power of two. */
	if (phdr->p_align & (phdr->p_align - 1))
		return bad(reason, "a segment's alignment is not a power of two");
	if (phdr->p_align > GIB)
		return bad(reason, "a segment's alignment is beyond reason");
	if ((phdr->p_vaddr & PAGE_MASK) != (phdr->p_offset & PAGE_MASK))
		return bad(reason, "a segment's address and offset do not go together");
	image->align = MAX(image->align, phdr->p_align);
	return 0;
}

static err_t add_segment(const struct elf64_phdr *phdr, uint64_t file_bytes,
			 struct elf_image *image, const char **reason)
{
	struct elf_segment *segment;
	uint64_t start = ALIGN_DOWN(phdr->p_vaddr, PAGE_SIZE);
	uint64_t end;
	err_t err;

	if (phdr->p_memsz == 0)
		return 0;
	if (phdr->p_filesz > phdr->p_memsz)
		return bad(reason, "a segment is longer in the file than in memory");
	if (phdr->p_offset > file_bytes || phdr->p_filesz > file_bytes - phdr->p_offset)
		return bad(reason, "a segment lies outside of the file");
	if (phdr->p_vaddr >= USER_MAX || phdr->p_memsz > USER_MAX - phdr->p_vaddr)
		return bad(reason, "a segment lies outside of a program's memory");
	if (!image->position_independent && start < USER_MIN)
		return bad(reason, "a segment lies too low in memory");
	end = ALIGN_UP(phdr->p_vaddr + phdr->p_memsz, PAGE_SIZE);
	err = check_alignment(phdr, image, reason);
	if (err)
		return err;
	if (image->nsegments == ELF_SEGMENTS_MAX)
		return bad(reason, "it has too many segments");
	if (image->nsegments && start < image->end)
		return bad(reason, "its segments overlap or are not in order");

	segment = &image->segments[image->nsegments++];
	*segment = (struct elf_segment){.address = phdr->p_vaddr,
					.offset_bytes = phdr->p_offset,
					.file_bytes = phdr->p_filesz,
					.memory_bytes = phdr->p_memsz,
					.flags = phdr->p_flags & (PF_R | PF_W | PF_X)};
	if (image->nsegments == 1)
		image->start = start;
	image->end = end;
	return 0;
}

/* The headers are in memory where a segment's file part holds them. */
static void find_phdrs(struct elf_image *image, uint64_t phdrs_offset_bytes)
{
	uint64_t bytes = image->nphdrs * sizeof(struct elf64_phdr);

	for (unsigned i = 0; i < image->nsegments; i++) {
		const struct elf_segment *segment = &image->segments[i];
		uint64_t into = phdrs_offset_bytes - segment->offset_bytes;

		if (phdrs_offset_bytes >= segment->offset_bytes && into <= segment->file_bytes &&
		    bytes <= segment->file_bytes - into) {
			image->phdr_address = segment->address + into;
			return;
		}
	}
}

static bool entry_is_code(const struct elf_image *image)
{
	for (unsigned i = 0; i < image->nsegments; i++) {
		const struct elf_segment *segment = &image->segments[i];

		if (image->entry >= segment->address &&
		    image->entry - segment->address < segment->memory_bytes)
			return segment->flags & PF_X;
	}
	return false;
}

/* As Linux: the first one counts. */
static err_t set_interpreter(const struct elf64_phdr *phdr, uint64_t file_bytes,
			     struct elf_image *image, const char **reason)
{
	if (image->interpreter_bytes)
		return 0;
	if (phdr->p_filesz < 2 || phdr->p_filesz > ELF_INTERPRETER_BYTES_MAX)
		return bad(reason, "the name of its loader is empty or too long");
	if (phdr->p_offset > file_bytes || file_bytes - phdr->p_offset < phdr->p_filesz)
		return bad(reason, "the name of its loader lies outside of the file");
	image->interpreter_offset_bytes = phdr->p_offset;
	image->interpreter_bytes = phdr->p_filesz;
	return 0;
}

err_t elf_parse_segments(const void *phdrs, uint64_t phdrs_offset_bytes, uint64_t file_bytes,
			 struct elf_image *image, const char **reason)
{
	/* Programs linked without the header get an executable stack on Linux; ours do not. */
	for (unsigned i = 0; i < image->nphdrs; i++) {
		struct elf64_phdr phdr;
		err_t err;

		memcpy(&phdr, (const char *)phdrs + i * sizeof(phdr), sizeof(phdr));
		if (phdr.p_type == PT_INTERP) {
			err = set_interpreter(&phdr, file_bytes, image, reason);
			if (err)
				return err;
		}
		if (phdr.p_type == PT_GNU_STACK)
			image->stack_executable = phdr.p_flags & PF_X;
		if (phdr.p_type != PT_LOAD)
			continue;
		err = add_segment(&phdr, file_bytes, image, reason);
		if (err)
			return err;
	}
	if (image->nsegments == 0)
		return bad(reason, "it has nothing to load");
	if (!entry_is_code(image))
		return bad(reason, "its entry point lies in no executable segment");
	find_phdrs(image, phdrs_offset_bytes);
	return 0;
}
