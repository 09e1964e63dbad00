/*
 * Checking and placing ksh's ELF file (gABI chapters 4 and 5, psABI 4.4). Structures are copied out
 * of the file before they are looked at, since nothing says that they are aligned there.
 */
#include "ksh_image.h"

#include <abi/errno.h>
#include <lib/string.h>

#define PHDRS_MAX         32
#define DT_TEXTREL        22
#define SHT_SYMTAB        2
#define SHT_STRTAB        3
#define STT_FUNC          2
#define SYMBOL_TYPE(info) ((info)&15)

struct parser {
	const char *file;
	size_t file_bytes;
	struct ksh_image *image;
	const char **reason;
	bool has_note;
	uint64_t relocations_address; /* as DT_RELA says it */
	uint64_t relocations_bytes;
};

static err_t refuse(struct parser *parser, const char *reason)
{
	*parser->reason = reason;
	return -ENOEXEC;
}

/* True if [offset, offset + len) lies in the file. */
static bool in_file(const struct parser *parser, uint64_t offset, uint64_t len_bytes)
{
	return offset <= parser->file_bytes && len_bytes <= parser->file_bytes - offset;
}

static err_t check_header(struct parser *parser, struct elf64_header *header)
{
	if (!in_file(parser, 0, sizeof(*header)))
		return refuse(parser, "it is shorter than an ELF header");
	memcpy(header, parser->file, sizeof(*header));
	if (memcmp(header->e_ident, ELF_MAGIC, ELF_MAGIC_LEN) != 0)
		return refuse(parser, "it is no ELF file");
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_X86_64)
		return refuse(parser, "it is not for x86-64");
	if (header->e_type != ET_DYN)
		return refuse(parser, "it is not position-independent (ET_DYN)");
	if (header->e_phentsize != sizeof(struct elf64_phdr) || header->e_phnum == 0 ||
	    header->e_phnum > PHDRS_MAX ||
	    !in_file(parser, header->e_phoff, header->e_phnum * sizeof(struct elf64_phdr)))
		return refuse(parser, "its program headers are not in the file");
	return 0;
}

static err_t take_segment(struct parser *parser, const struct elf64_phdr *phdr)
{
	struct ksh_image *image = parser->image;

	if (image->nsegments == KSH_SEGMENTS_MAX)
		return refuse(parser, "it has too many segments");
	if (!in_file(parser, phdr->p_offset, phdr->p_filesz) || phdr->p_filesz > phdr->p_memsz)
		return refuse(parser, "a segment reaches beyond the end of the file");
	if (phdr->p_vaddr > KSH_IMAGE_MAX || phdr->p_memsz > KSH_IMAGE_MAX - phdr->p_vaddr)
		return refuse(parser, "a segment lies too high, or is too large");
	/* Also keeps a page to one segment: size_bytes is a whole number of pages. */
	if (ALIGN_DOWN(phdr->p_vaddr, PAGE_SIZE) < image->size_bytes)
		return refuse(parser, "its segments share a page, or are out of order");
	if ((phdr->p_flags & PF_W) && (phdr->p_flags & PF_X))
		return refuse(parser, "a segment is writable and executable");
	image->segments[image->nsegments++] = (struct ksh_segment){
		.address = phdr->p_vaddr,
		.offset_bytes = phdr->p_offset,
		.file_bytes = phdr->p_filesz,
		.memory_bytes = phdr->p_memsz,
		.writable = phdr->p_flags & PF_W,
		.executable = phdr->p_flags & PF_X,
	};
	image->size_bytes = ALIGN_UP(phdr->p_vaddr + phdr->p_memsz, PAGE_SIZE);
	return 0;
}

static err_t take_dynamic(struct parser *parser, const struct elf64_phdr *phdr)
{
	struct elf64_dyn entry;

	if (!in_file(parser, phdr->p_offset, phdr->p_filesz))
		return refuse(parser, "its dynamic section is not in the file");
	for (uint64_t at = 0; phdr->p_filesz - at >= sizeof(entry); at += sizeof(entry)) {
		memcpy(&entry, parser->file + phdr->p_offset + at, sizeof(entry));
		switch (entry.d_tag) {
		case DT_NULL:
			return 0;
		case DT_RELA:
			parser->relocations_address = entry.d_val;
			break;
		case DT_RELASZ:
			parser->relocations_bytes = entry.d_val;
			break;
		case DT_RELAENT:
			if (entry.d_val != sizeof(struct elf64_rela))
				return refuse(parser, "its relocations have an unknown form");
			break;
		case DT_NEEDED:
			return refuse(parser, "it wants a shared library");
		case DT_REL:
		case DT_JMPREL:
		case DT_TEXTREL:
			return refuse(parser, "it has relocations of a kind that ksh never needs");
		default:
			break;
		}
	}
	return 0;
}

static err_t take_notes(struct parser *parser, const struct elf64_phdr *phdr)
{
	uint64_t at = 0;
	uint32_t words[3]; /* name's length, description's length, type */

	if (!in_file(parser, phdr->p_offset, phdr->p_filesz))
		return refuse(parser, "a note is not in the file");
	while (phdr->p_filesz - at >= sizeof(words)) {
		const char *note = parser->file + phdr->p_offset + at;
		uint64_t name_bytes, bytes;

		memcpy(words, note, sizeof(words));
		name_bytes = ALIGN_UP((uint64_t)words[0], 4);
		bytes = sizeof(words) + name_bytes + ALIGN_UP((uint64_t)words[1], 4);
		if (bytes > phdr->p_filesz - at)
			return refuse(parser, "a note is cut off");
		if (words[2] == KSH_NOTE_TYPE && words[0] == sizeof(KSH_NOTE_NAME) &&
		    words[1] == sizeof(struct ksh_note) &&
		    memcmp(note + sizeof(words), KSH_NOTE_NAME, sizeof(KSH_NOTE_NAME)) == 0) {
			memcpy(&parser->image->note, note + sizeof(words) + name_bytes,
			       sizeof(struct ksh_note));
			parser->has_note = true;
		}
		at += bytes;
	}
	return 0;
}

static err_t take_phdr(struct parser *parser, const struct elf64_phdr *phdr)
{
	switch (phdr->p_type) {
	case PT_LOAD:
		return phdr->p_memsz ? take_segment(parser, phdr) : 0;
	case PT_DYNAMIC:
		return take_dynamic(parser, phdr);
	case PT_NOTE:
		return take_notes(parser, phdr);
	case PT_INTERP:
		return refuse(parser, "it wants an interpreter, so it is a program of user space");
	case PT_TLS:
		return refuse(parser, "it has thread-local data");
	default:
		return 0;
	}
}

/* The segment that holds [address, address + len) in memory; NULL: none. */
static const struct ksh_segment *segment_around(const struct ksh_image *image, uint64_t address,
						uint64_t len_bytes)
{
	for (unsigned i = 0; i < image->nsegments; i++) {
		const struct ksh_segment *segment = &image->segments[i];

		if (address >= segment->address &&
		    address - segment->address <= segment->memory_bytes &&
		    len_bytes <= segment->memory_bytes - (address - segment->address))
			return segment;
	}
	return NULL;
}

static err_t check_relocations(struct parser *parser)
{
	struct ksh_image *image = parser->image;
	const struct ksh_segment *segment;
	struct elf64_rela entry;

	if (!parser->relocations_bytes)
		return 0;
	segment = segment_around(image, parser->relocations_address, parser->relocations_bytes);
	if (!segment || parser->relocations_address - segment->address + parser->relocations_bytes >
				segment->file_bytes)
		return refuse(parser, "its relocations are not in the file");
	image->relocations_offset =
		segment->offset_bytes + (parser->relocations_address - segment->address);
	image->nrelocations = parser->relocations_bytes / sizeof(entry);
	for (uint64_t i = 0; i < image->nrelocations; i++) {
		const struct ksh_segment *target;

		memcpy(&entry, parser->file + image->relocations_offset + i * sizeof(entry),
		       sizeof(entry));
		if (ELF64_R_TYPE(entry.r_info) != R_X86_64_RELATIVE || ELF64_R_SYM(entry.r_info))
			return refuse(parser, "it has a relocation other than R_X86_64_RELATIVE");
		target = segment_around(image, entry.r_offset, sizeof(uint64_t));
		if (!target || !target->writable)
			return refuse(parser, "a relocation is outside of its writable data");
		if (entry.r_addend < 0 || (uint64_t)entry.r_addend > image->size_bytes)
			return refuse(parser, "a relocation points out of the image");
	}
	return 0;
}

/* A file without a good symbol table is as good as any, its backtraces just have no names. */
static void find_symbols(struct parser *parser, const struct elf64_header *header)
{
	struct ksh_image *image = parser->image;
	struct elf64_shdr symbols, strings;

	if (header->e_shentsize != sizeof(symbols) ||
	    !in_file(parser, header->e_shoff, header->e_shnum * sizeof(symbols)))
		return;
	for (unsigned i = 0; i < header->e_shnum; i++) {
		memcpy(&symbols, parser->file + header->e_shoff + i * sizeof(symbols),
		       sizeof(symbols));
		if (symbols.sh_type != SHT_SYMTAB || symbols.sh_link >= header->e_shnum)
			continue;
		memcpy(&strings, parser->file + header->e_shoff + symbols.sh_link * sizeof(strings),
		       sizeof(strings));
		if (strings.sh_type != SHT_STRTAB ||
		    !in_file(parser, symbols.sh_offset, symbols.sh_size) ||
		    !in_file(parser, strings.sh_offset, strings.sh_size))
			return;
		image->symbols_offset = symbols.sh_offset;
		image->nsymbols = symbols.sh_size / sizeof(struct elf64_sym);
		image->strings_offset = strings.sh_offset;
		image->strings_bytes = strings.sh_size;
		return;
	}
}

err_t ksh_image_parse(const void *file, size_t file_bytes, struct ksh_image *image,
		      const char **reason)
{
	struct parser parser = {
		.file = file, .file_bytes = file_bytes, .image = image, .reason = reason};
	const struct ksh_segment *segment;
	struct elf64_header header;
	struct elf64_phdr phdr;
	err_t err;

	*image = (struct ksh_image){0};
	*reason = "";
	err = check_header(&parser, &header);
	for (unsigned i = 0; !err && i < header.e_phnum; i++) {
		memcpy(&phdr, parser.file + header.e_phoff + i * sizeof(phdr), sizeof(phdr));
		err = take_phdr(&parser, &phdr);
	}
	if (err)
		return err;
	if (!parser.has_note)
		return refuse(&parser, "it has no note of ksh's");
	if (image->note.abi_version != KSH_ABI_VERSION)
		return refuse(&parser,
			      "it was built against another version of the kernel's table");
	if (image->note.table_bytes > sizeof(struct ksh_exports))
		return refuse(&parser, "it wants more of the kernel's table than there is");
	segment = segment_around(image, header.e_entry, 1);
	if (!segment || !segment->executable)
		return refuse(&parser, "its entry point is not executable");
	image->entry = header.e_entry;
	find_symbols(&parser, &header);
	return check_relocations(&parser);
}

void ksh_image_place(const void *file, const struct ksh_image *image, void *memory, uint64_t base)
{
	struct elf64_rela entry;

	for (unsigned i = 0; i < image->nsegments; i++) {
		const struct ksh_segment *segment = &image->segments[i];

		memcpy((char *)memory + segment->address,
		       (const char *)file + segment->offset_bytes, segment->file_bytes);
	}
	for (uint64_t i = 0; i < image->nrelocations; i++) {
		uint64_t value;

		memcpy(&entry, (const char *)file + image->relocations_offset + i * sizeof(entry),
		       sizeof(entry));
		value = base + (uint64_t)entry.r_addend;
		memcpy((char *)memory + entry.r_offset, &value, sizeof(value));
	}
}

const char *ksh_symbol_find(const void *symbols, uint64_t nsymbols, const char *strings,
			    uint64_t strings_bytes, uint64_t address, uint64_t *offset)
{
	const char *found = NULL;
	uint64_t nearest = 0;

	for (uint64_t i = 0; i < nsymbols; i++) {
		struct elf64_sym symbol;

		memcpy(&symbol, (const char *)symbols + i * sizeof(symbol), sizeof(symbol));
		if (SYMBOL_TYPE(symbol.st_info) != STT_FUNC || symbol.st_value > address ||
		    (found && symbol.st_value < nearest) || symbol.st_name >= strings_bytes ||
		    !memchr(strings + symbol.st_name, '\0', strings_bytes - symbol.st_name))
			continue;
		found = strings + symbol.st_name;
		nearest = symbol.st_value;
	}
	*offset = address - nearest;
	return found;
}
