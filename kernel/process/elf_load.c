/*
 * Makes a program out of an ELF file: a new space with the file's segments mapped in place, those
 *of the loader that a dynamic program names beside it, and a stack with arguments, environment and
 * auxiliary vector. Runs in the thread that will run the program; kernel/elf_parse.c has checked
 * what the files say.
 *
 * The stack as the program finds it (psABI 3.4.1; strings and random bytes in one piece):
 *
 *	rsp ->	argc
 *		argv[0] .. argv[argc-1], 0
 *		envp[0] .. , 0
 *		auxiliary vector, AT_NULL
 *		16 random bytes, "x86_64", path, argument strings, environment strings
 *		8 zero bytes
 *		up to 8 KiB that are left out, so that nobody can tell from the page where things
 *lie top
 */
#define LOG_SUBSYSTEM "elf"

#include "../elf_parse.h"
#include "../memory/memory.h"
#include "../namespace/time.h"
#include "../user_layout.h"
#include "../vdso.h"
#include "exec.h"

#include <abi/auxv.h>
#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/personality.h>
#include <abi/rseq.h>
#include <abi/stat.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/signal_frame.h>
#include <arch/user.h>
#include <fusek/file.h>
#include <ipc/object.h>
#include <ipc/user_namespace.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/object.h>
#include <mm/pressure.h>
#include <mm/slab.h>
#include <mm/space.h>

#define PLATFORM "x86_64"

#define STACK_LEAST_BYTES (128 * KIB) /* beside the arguments, whatever the limit */

/* One ELF file of a program: itself or its loader. */
struct program {
	const char *path;    /* for messages */
	struct object *file; /* [the caller's, or a reference] */
	struct space *space;
	struct elf_image image;
	uint64_t bias; /* added to the file's addresses */
};

/* All that is known while one is loaded: too much for the stack. */
struct load {
	const struct exec_request *request;
	struct space *space;
	struct program main;
	struct program loader; /* file NULL: there is none */
	char *loader_path;     /* PATH_MAX bytes, or NULL */
	struct user_layout layout;
	uint64_t stack_bytes;
	vaddr_t vdso; /* its ELF header */
};

/* ---- the file ---- */

static err_t read_exactly(struct object *file, void *to, size_t len_bytes, uint64_t offset_bytes)
{
	ssize_t got = object_read_kernel(file, to, len_bytes, offset_bytes);

	if (got < 0)
		return (err_t)got;
	return (size_t)got == len_bytes ? 0 : -ENOEXEC;
}

static err_t parse_phdrs(struct program *program, uint64_t offset_bytes, uint64_t file_bytes,
			 const char **reason)
{
	size_t len_bytes = program->image.nphdrs * sizeof(struct elf64_phdr);
	void *phdrs = kmalloc(len_bytes); /* ELF_PHDRS_MAX of them are less than a page */
	err_t err;

	if (!phdrs)
		return -ENOMEM;
	err = read_exactly(program->file, phdrs, len_bytes, offset_bytes);
	if (!err)
		err = elf_parse_segments(phdrs, offset_bytes, file_bytes, &program->image, reason);
	kfree(phdrs);
	return err;
}

static err_t parse_file(struct program *program)
{
	const char *reason = "it could not be read whole";
	struct elf64_header header;
	struct abi_stat stat;
	uint64_t phdrs_offset_bytes;
	ssize_t got;
	err_t err;

	err = object_stat(program->file, &stat);
	if (err)
		return err;
	got = object_read_kernel(program->file, &header, sizeof(header), 0);
	if (got < 0)
		return (err_t)got;
	err = elf_parse_header(&header, (size_t)got, (uint64_t)stat.st_size, &program->image,
			       &phdrs_offset_bytes, &reason);
	if (!err)
		err = parse_phdrs(program, phdrs_offset_bytes, (uint64_t)stat.st_size, &reason);
	if (err == -ENOEXEC)
		log_debug("%s cannot be executed: %s", program->path, reason);
	return err;
}

/* Opens the loader that the program names, if it does. */
static err_t open_loader(struct load *load)
{
	const struct elf_image *image = &load->main.image;
	struct program *loader = &load->loader;
	err_t err;

	if (!image->interpreter_bytes)
		return 0;
	load->loader_path = kmalloc(PATH_MAX);
	if (!load->loader_path)
		return -ENOMEM;
	err = read_exactly(load->main.file, load->loader_path, image->interpreter_bytes,
			   image->interpreter_offset_bytes);
	if (err)
		return err;
	if (load->loader_path[image->interpreter_bytes - 1])
		return -ENOEXEC;
	loader->path = load->loader_path;
	err = vfs_open_exec(uthread_fs(), NULL, loader->path, 0, &loader->file);
	if (err) {
		log_limited(LOG_INFO, "%s: its loader %s cannot be opened", load->main.path,
			    loader->path);
		return err;
	}
	err = parse_file(loader);
	if (err == -ENOEXEC)
		return -ELIBBAD;
	/* Its own loader's name is of no interest: musl's is both loader and library. */
	return err;
}

/* ---- segments ---- */

static unsigned prot_of(unsigned segment_flags)
{
	return (segment_flags & PF_R ? SPACE_READ : 0) | (segment_flags & PF_W ? SPACE_WRITE : 0) |
	       (segment_flags & PF_X ? SPACE_EXEC : 0);
}

static err_t map_fixed(struct space *space, struct space_request *request)
{
	vaddr_t address;

	request->flags = SPACE_NOREPLACE;
	return space_map(space, request, &address);
}

/* The pages that hold file bytes. */
static err_t map_file_part(struct program *program, const struct elf_segment *segment,
			   vaddr_t start, uint64_t len_bytes)
{
	uint64_t offset_bytes = ALIGN_DOWN(segment->offset_bytes, PAGE_SIZE);
	struct object_map_request map = {.offset_bytes = offset_bytes,
					 .len_bytes = len_bytes,
					 .write = segment->flags & PF_W,
					 .exec = segment->flags & PF_X};
	struct space_request request = {.address = start,
					.length_bytes = len_bytes,
					.prot = prot_of(segment->flags),
					.offset_bytes = offset_bytes};
	err_t err;

	err = object_map(program->file, &map, &request.object);
	if (err)
		return err;
	err = map_fixed(program->space, &request);
	memory_object_put(request.object);
	return err;
}

/* What follows the file's bytes in their last page is the segment's too, and zero. A page that the
 * program cannot write is left as it is: it has no business there (Linux does the same). */
static err_t clear_tail(const struct elf_segment *segment, vaddr_t file_end, vaddr_t page_end)
{
	if (!(segment->flags & PF_W) || segment->memory_bytes == segment->file_bytes)
		return 0;
	return user_clear(uptr(file_end), page_end - file_end);
}

static err_t map_segment(struct program *program, const struct elf_segment *segment)
{
	vaddr_t address = segment->address + program->bias;
	vaddr_t start = ALIGN_DOWN(address, PAGE_SIZE);
	vaddr_t file_end = address + segment->file_bytes;
	vaddr_t page_end = segment->file_bytes ? ALIGN_UP(file_end, PAGE_SIZE) : start;
	vaddr_t end = ALIGN_UP(address + segment->memory_bytes, PAGE_SIZE);
	err_t err;

	if (page_end > start) {
		err = map_file_part(program, segment, start, page_end - start);
		if (err)
			return err;
		err = clear_tail(segment, file_end, page_end);
		if (err)
			return err;
	}
	if (end <= page_end)
		return 0;
	return map_fixed(program->space, &(struct space_request){.address = page_end,
								 .length_bytes = end - page_end,
								 .prot = prot_of(segment->flags),
								 .name = "bss"});
}

/* A bias that puts the image where it may be, aligned as its segments ask. */
static err_t choose_bias(struct program *program, vaddr_t base)
{
	const struct elf_image *image = &program->image;

	if (!image->position_independent)
		return 0;
	program->bias = ALIGN_UP(base, image->align) - ALIGN_DOWN(image->start, image->align);
	/* The bias is far below, but the image's own length is the file's word. */
	return image->end > USER_MAX - GIB || image->end + program->bias > USER_MAX - GIB ? -ENOMEM
											  : 0;
}

/* The loader goes where mmap would put it: room for it, as it is aligned. */
static err_t choose_loader_base(struct program *loader, vaddr_t *base)
{
	struct space_request room = {
		.length_bytes = loader->image.end - loader->image.start + loader->image.align,
		.prot = 0,
	};
	err_t err = space_map(loader->space, &room, base);

	return err ? err : space_unmap(loader->space, *base, room.length_bytes);
}

static err_t map_segments(struct program *program)
{
	const struct elf_image *image = &program->image;

	for (unsigned i = 0; i < image->nsegments; i++) {
		err_t err = map_segment(program, &image->segments[i]);

		if (err)
			return err;
	}
	return 0;
}

/* As Linux finds them: code is what can be executed, data what comes last. */
static void find_places(const struct program *program, struct exec_places *out)
{
	out->code = UINT64_MAX;
	out->code_end = out->data = out->data_end = 0;
	for (unsigned i = 0; i < program->image.nsegments; i++) {
		const struct elf_segment *segment = &program->image.segments[i];
		vaddr_t start = segment->address + program->bias;
		vaddr_t end = start + segment->file_bytes;

		if (segment->flags & PF_X) {
			out->code = MIN(out->code, start);
			out->code_end = MAX(out->code_end, end);
		}
		out->data = MAX(out->data, start);
		out->data_end = MAX(out->data_end, end);
	}
}

static err_t map_main(struct load *load)
{
	struct program *program = &load->main;
	err_t err = choose_bias(program, load->layout.image);

	if (!err)
		err = map_segments(program);
	if (err)
		return err;
	space_set_brk(load->space, ALIGN_UP(program->image.end + program->bias, PAGE_SIZE) +
					   load->layout.break_gap_bytes);
	return 0;
}

static err_t map_loader(struct load *load)
{
	struct program *loader = &load->loader;
	vaddr_t base;
	err_t err;

	if (!loader->file)
		return 0;
	err = choose_loader_base(loader, &base);
	if (!err)
		err = choose_bias(loader, base);
	return err ? err : map_segments(loader);
}

/* ---- the stack ---- */

/* Without a limit the stack is as large as usual: what is mapped below it stays put. */
static uint64_t stack_bytes(const struct exec_request *request)
{
	uint64_t limit_bytes = read_once(&process_current()->limits[RLIMIT_STACK].rlim_cur);
	uint64_t len_bytes =
		limit_bytes > GIB ? SPACE_STACK_BYTES : ALIGN_UP(limit_bytes, PAGE_SIZE);

	return MAX(len_bytes, request->strings_bytes_max + STACK_LEAST_BYTES);
}

/* As Linux: what the program is given, and a little; the rest grows. */
static uint64_t first_stack_bytes(const struct load *load)
{
	const struct exec_request *request = load->request;
	uint64_t strings_bytes = request->argv.len_bytes + request->envp.len_bytes +
				 (request->argv.count + request->envp.count) * sizeof(uint64_t);

	return MIN(load->stack_bytes,
		   ALIGN_UP(strings_bytes + PATH_MAX + STACK_LEAST_BYTES, PAGE_SIZE));
}

static err_t map_stack(struct load *load)
{
	unsigned exec = load->main.image.stack_executable ? SPACE_EXEC : 0;
	uint64_t len_bytes = first_stack_bytes(load);
	vaddr_t address;

	return space_map(load->space,
			 &(struct space_request){
				 .address = load->layout.stack_top - len_bytes,
				 .length_bytes = len_bytes,
				 .prot = SPACE_READ | SPACE_WRITE | exec,
				 .flags = SPACE_NOREPLACE | SPACE_STACK,
				 .name = "[stack]",
			 },
			 &address);
}

/* Writes upwards in two places, words and strings; the first failure stays. */
struct stack_writer {
	vaddr_t word;
	vaddr_t string;
	err_t err;
};

static void put_word(struct stack_writer *writer, uint64_t value)
{
	if (!writer->err)
		writer->err = user_put(uptr(writer->word), &value);
	writer->word += sizeof(value);
}

/* Returns where it went. */
static vaddr_t put_bytes(struct stack_writer *writer, const void *from, size_t len_bytes)
{
	vaddr_t at = writer->string;

	if (!writer->err)
		writer->err = user_copy_out(uptr(at), from, len_bytes);
	writer->string += len_bytes;
	return at;
}

/* Returns where the strings begin. */
static vaddr_t put_list(struct stack_writer *writer, const struct exec_strings *strings)
{
	vaddr_t start = writer->string;
	vaddr_t at = put_bytes(writer, strings->block, strings->len_bytes);
	const char *string = strings->block;

	for (unsigned i = 0; i < strings->count; i++) {
		size_t len_bytes = strlen(string) + 1;

		put_word(writer, at);
		at += len_bytes;
		string += len_bytes;
	}
	put_word(writer, 0);
	return start;
}

struct auxiliary {
	uint64_t random, platform, path;
};

#define AUXILIARY_ENTRIES 23u

static void put_auxiliary(struct stack_writer *writer, const struct load *load,
			  const struct auxiliary *where)
{
	const struct credentials *ids = &load->request->ids;
	const struct elf_image *image = &load->main.image;
	uint64_t bias = load->main.bias;
	const struct abi_auxv entries[] = {
		{AT_PHDR, image->phdr_address ? image->phdr_address + bias : 0},
		{AT_PHENT, sizeof(struct elf64_phdr)},
		{AT_PHNUM, image->nphdrs},
		{AT_PAGESZ, PAGE_SIZE},
		{AT_BASE, load->loader.file ? load->loader.bias : 0},
		{AT_FLAGS, 0},
		{AT_ENTRY, image->entry + bias},
		{AT_UID, id_shown_in(ids->user, ID_USER, ids->uid)},
		{AT_EUID, id_shown_in(ids->user, ID_USER, ids->euid)},
		{AT_GID, id_shown_in(ids->user, ID_GROUP, ids->gid)},
		{AT_EGID, id_shown_in(ids->user, ID_GROUP, ids->egid)},
		{AT_SECURE, load->request->secure},
		{AT_CLKTCK, USER_HZ},
		{AT_RANDOM, where->random},
		{AT_HWCAP, cpu_features()->leaf1_edx},
		{AT_HWCAP2, cpu_features()->fsgsbase ? 2 : 0},
		{AT_PLATFORM, where->platform},
		{AT_EXECFN, where->path},
		{AT_SYSINFO_EHDR, load->vdso},
		{AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_BYTES},
		{AT_RSEQ_ALIGN, RSEQ_BYTES_MIN},
		{AT_MINSIGSTKSZ, signal_frame_bytes()},
		{AT_NULL, 0},
	};
	_Static_assert(ARRAY_SIZE(entries) == AUXILIARY_ENTRIES, "the stack is measured with it");

	if (!writer->err)
		writer->err = user_copy_out(uptr(writer->word), entries, sizeof(entries));
}

static err_t fill_stack(struct load *load, struct exec_image *out)
{
	const struct exec_request *request = load->request;
	size_t path_bytes = strlen(request->path) + 1;
	uint64_t strings_bytes = AT_RANDOM_BYTES + sizeof(PLATFORM) + path_bytes +
				 request->argv.len_bytes + request->envp.len_bytes;
	uint64_t nwords =
		1 + request->argv.count + 1 + request->envp.count + 1 + 2 * AUXILIARY_ENTRIES;
	struct stack_writer writer = {0};
	struct auxiliary where;

	writer.string = ALIGN_DOWN(load->layout.stack_start - 8 - strings_bytes, 16);
	writer.word = ALIGN_DOWN(writer.string - nwords * 8, 16);
	out->stack_pointer = writer.word;
	find_places(&load->main, &out->given);
	out->given.stack_start = writer.word;
	where.random = put_bytes(&writer, load->layout.at_random, AT_RANDOM_BYTES);
	where.platform = put_bytes(&writer, PLATFORM, sizeof(PLATFORM));
	where.path = put_bytes(&writer, request->path, path_bytes);
	put_word(&writer, request->argv.count);
	out->given.arguments = put_list(&writer, &request->argv);
	out->given.arguments_end = writer.string;
	out->given.environment = put_list(&writer, &request->envp);
	out->given.environment_end = writer.string;
	out->given.auxiliary = writer.word;
	out->given.auxiliary_end = writer.word + AUXILIARY_ENTRIES * sizeof(struct abi_auxv);
	put_auxiliary(&writer, load, &where);
	return writer.err;
}

/* ---- all of it ---- */

static void enter(struct space *space)
{
	struct uthread *self = uthread_current();

	self->space = space;
	context_enter_pagetable(space ? &space->pagetable : NULL);
}

/* In the new space. */
static err_t fill_space(struct load *load, struct exec_image *out)
{
	const struct program *first = load->loader.file ? &load->loader : &load->main;
	err_t err = vdso_map(load->space, time_namespace_vdso(time_namespace_for_children()),
			     load->layout.vdso, &load->vdso);

	if (!err)
		err = map_main(load);
	if (!err)
		err = map_stack(load);
	if (!err)
		err = map_loader(load);
	if (!err)
		err = fill_stack(load, out);
	out->entry = first->image.entry + first->bias;
	return err;
}

static err_t load_files(struct load *load, struct exec_image *out)
{
	struct space *before = uthread_current()->space;
	err_t err = parse_file(&load->main);

	if (!err)
		err = open_loader(load);
	if (err)
		return err;
	load->stack_bytes = stack_bytes(load->request);
	/* As Linux: who executes a program with other rights does not say where it lies. */
	user_layout_choose(&load->layout, load->stack_bytes, vdso_bytes(),
			   !load->request->secure &&
				   read_once(&process_current()->personality) & ADDR_NO_RANDOMIZE);
	err = MEMORY_RETRY(space_create(&load->space, load->layout.map_top));
	if (err)
		return err;
	if (before)
		space_inherit_refusal(load->space, before);
	load->space->no_huge = before && read_once(&before->no_huge);
	load->main.space = load->loader.space = out->space = load->space;
	limit_space(process_current(), load->space);
	enter(load->space);
	err = fill_space(load, out);
	if (err) {
		enter(before);
		space_put(load->space);
	}
	return err;
}

err_t elf_load(const struct exec_request *request, struct exec_image *out)
{
	struct load *load = kzalloc(sizeof(*load));
	err_t err;

	if (!load)
		return -ENOMEM;
	load->request = request;
	load->main.path = request->path;
	load->main.file = request->file;
	err = load_files(load, out);
	object_put(load->loader.file);
	kfree(load->loader_path);
	kfree(load);
	return err;
}
