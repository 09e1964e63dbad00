/*
 * The memory of a core file: which regions there are, how much of each is written, and the writing.
 * What goes by default is what nobody else has: memory of its own, changed pages of files; and the
 * first page of each ELF file, by whose build id a debugger finds it. Owns no state.
 */
#include "core_priv.h"

#include <abi/core.h>
#include <abi/elf.h>
#include <abi/errno.h>
#include <lib/string.h>
#include <mm/kva.h>
#include <mm/slab.h>
#include <mm/space.h>

#define SEGMENTS_FIRST  32u
#define FILES_BYTES_MAX (512 * KIB) /* of NT_FILE; Linux leaves longer ones out as well */

/* ---- what there is ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool begins_with_elf(const struct core *core, vaddr_t address)
{
	char magic[ELF_MAGIC_LEN];

	return !space_read_forced(core->space, address, magic, sizeof(magic)) &&
	       memcmp(magic, ELF_MAGIC, sizeof(magic)) == 0;
}

/* vma_dump_size() of Linux. */
static uint64_t file_bytes_of(const struct core *core, const struct region_info *region,
			      const struct space_usage *usage, const char *name)
{
	uint32_t filter = read_once(&core->process->core_filter);
	uint64_t whole = region->end - region->start;

	if (strcmp(name, "[vdso]") == 0)
		return whole;
	if (region->flags & SPACE_NO_DUMP || region->is_device)
		return 0;
	if (region->flags & SPACE_SHARED)
		return filter & (ends_with(name, " (deleted)") ? CORE_ANONYMOUS_SHARED
							       : CORE_MAPPED_SHARED)
			       ? whole
			       : 0;
	if (usage->anonymous && filter & CORE_ANONYMOUS_PRIVATE)
		return whole;
	if (region->anonymous)
		return 0;
	if (filter & CORE_MAPPED_PRIVATE)
		return whole;
	if (filter & CORE_ELF_HEADERS && !region->offset_bytes && region->prot & SPACE_READ &&
	    begins_with_elf(core, region->start))
		return PAGE_SIZE;
	return 0;
}

static err_t make_room(struct core *core)
{
	uint32_t wanted = MAX(core->nsegments_max * 2, SEGMENTS_FIRST);
	struct core_segment *segments;

	if (core->nsegments < core->nsegments_max)
		return 0;
	segments = kvmalloc(wanted * sizeof(*segments));
	if (!segments)
		return -ENOMEM;
	memcpy(segments, core->segments, core->nsegments * sizeof(*segments));
	kvfree(core->segments, core->nsegments_max * sizeof(*segments));
	core->segments = segments;
	core->nsegments_max = wanted;
	return 0;
}

static void add_file(struct core *core, const struct region_info *region, const char *name)
{
	const struct abi_file_range range = {
		.start = region->start,
		.end = region->end,
		.offset_pages = region->offset_bytes >> PAGE_SHIFT,
	};

	if (*name != '/' || core->file_names.err)
		return;
	if (core->file_ranges.len_bytes + core->file_names.len_bytes > FILES_BYTES_MAX)
		core->file_names.err = -E2BIG;
	text_add_bytes(&core->file_ranges, &range, sizeof(range));
	text_add_bytes(&core->file_names, name, strlen(name) + 1);
}

static void forget_files(struct core *core)
{
	text_free(&core->file_ranges);
	text_free(&core->file_names);
}

static err_t collect(struct core *core, char *name)
{
	struct region_info region = {0};
	err_t err = 0;

	/* Who shares the space goes on, and may map as many as there can be. */
	while (!err && core->nsegments < SPACE_REGIONS_MAX) {
		struct space_usage usage = {0};

		if (thread_killed())
			return -EINTR;
		if (!space_next_usage(core->space, region.end, &region, name, PATH_MAX, &usage))
			break;
		err = make_room(core);
		if (err)
			break;
		core->segments[core->nsegments++] = (struct core_segment){
			.start = region.start,
			.end = region.end,
			.file_bytes = file_bytes_of(core, &region, &usage, name),
			.prot = (uint8_t)region.prot,
			.is_sparse = region.anonymous,
		};
		add_file(core, &region, name);
	}
	if (core->file_names.err || core->file_ranges.err)
		forget_files(core);
	return err;
}

err_t core_collect(struct core *core)
{
	char *name = kmalloc(PATH_MAX);
	err_t err = name ? collect(core, name) : -ENOMEM;

	kfree(name);
	return err;
}

/* ---- the writing ---- */

static void put_file_header(struct core *core)
{
	const struct elf64_header header = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(struct elf64_phdr),
		.e_phnum = (uint16_t)(core->nsegments + 1),
	};

	_Static_assert(SPACE_REGIONS_MAX + 1 < 0xffff, "PN_XNUM: they can be counted there");
	core_put(&core->out, &header, sizeof(header));
}

static uint32_t header_flags(unsigned prot)
{
	return (prot & SPACE_READ ? PF_R : 0) | (prot & SPACE_WRITE ? PF_W : 0) |
	       (prot & SPACE_EXEC ? PF_X : 0);
}

void core_put_headers(struct core *core, uint64_t offset_bytes)
{
	uint64_t notes_at =
		sizeof(struct elf64_header) + (core->nsegments + 1) * sizeof(struct elf64_phdr);
	struct elf64_phdr header = {
		.p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = core_notes_bytes(core)};

	put_file_header(core);
	core_put(&core->out, &header, sizeof(header));
	for (uint32_t i = 0; i < core->nsegments; i++) {
		const struct core_segment *segment = &core->segments[i];

		header = (struct elf64_phdr){
			.p_type = PT_LOAD,
			.p_flags = header_flags(segment->prot),
			.p_offset = offset_bytes,
			.p_vaddr = segment->start,
			.p_filesz = segment->file_bytes,
			.p_memsz = segment->end - segment->start,
			.p_align = PAGE_SIZE,
		};
		core_put(&core->out, &header, sizeof(header));
		offset_bytes += segment->file_bytes;
	}
}

/* What cannot be read any more is zeros. */
static void put_page(struct core *core, vaddr_t address)
{
	err_t err = space_read_forced(core->space, address, core->page, PAGE_SIZE);

	if (err == -EINTR)
		core->out.err = err;
	else if (err)
		core_skip(&core->out, PAGE_SIZE);
	else
		core_put(&core->out, core->page, PAGE_SIZE);
}

static void put_segment(struct core *core, const struct core_segment *segment)
{
	vaddr_t end = segment->start + segment->file_bytes;
	vaddr_t address = segment->start;

	while (address < end && !core->out.err) {
		vaddr_t next = address;

		if (segment->is_sparse)
			next = space_next_page(core->space, address, end);
		core_skip(&core->out, next - address);
		address = next;
		if (address < end) {
			put_page(core, address);
			address += PAGE_SIZE;
		}
	}
}

void core_put_memory(struct core *core)
{
	for (uint32_t i = 0; i < core->nsegments && !core->out.err; i++)
		put_segment(core, &core->segments[i]);
}
