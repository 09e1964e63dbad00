/* sources: kernel/ksh_image.c lib/string.c */
/*
 * The checks of ksh's ELF file: a good one is placed and relocated; every way in which one can lie
 * is refused with a reason, and random damage never leads out of the file or the image.
 */
#include "../../../kernel/ksh_image.h"

#include <abi/errno.h>
#include <lib/panic.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file with text, data and one relocation, as the linker lays it out. */
struct file {
	struct elf64_header header;
	struct elf64_phdr phdrs[4];
	struct {
		uint32_t name_bytes, description_bytes, type;
		char name[12];
		struct ksh_note note;
	} note;
	struct elf64_dyn dynamic[4];
	struct elf64_rela relocations[2];
	struct elf64_shdr sections[3];
	struct elf64_sym symbols[3];
	char strings[24];
	char text[64]; /* at TEXT in the image */
	uint64_t data[8];
};

#define HEADERS 0x0000
#define TEXT    0x1000
#define DATA    0x2000
#define BSS     0x1000

static struct file good_file(void)
{
	struct file file = {0};

	memcpy(file.header.e_ident, ELF_MAGIC, ELF_MAGIC_LEN);
	file.header.e_ident[EI_CLASS] = ELFCLASS64;
	file.header.e_ident[EI_DATA] = ELFDATA2LSB;
	file.header.e_type = ET_DYN;
	file.header.e_machine = EM_X86_64;
	file.header.e_entry = TEXT + 4;
	file.header.e_phoff = offsetof(struct file, phdrs);
	file.header.e_phentsize = sizeof(struct elf64_phdr);
	file.header.e_phnum = 4;
	file.header.e_shoff = offsetof(struct file, sections);
	file.header.e_shentsize = sizeof(struct elf64_shdr);
	file.header.e_shnum = 3;

	file.phdrs[0] = (struct elf64_phdr){.p_type = PT_LOAD,
					    .p_flags = PF_R | PF_X,
					    .p_offset = offsetof(struct file, text),
					    .p_vaddr = TEXT,
					    .p_filesz = sizeof(file.text),
					    .p_memsz = sizeof(file.text)};
	file.phdrs[1] =
		(struct elf64_phdr){.p_type = PT_LOAD,
				    .p_flags = PF_R | PF_W,
				    .p_offset = offsetof(struct file, dynamic),
				    .p_vaddr = DATA,
				    .p_filesz = sizeof(file) - offsetof(struct file, dynamic),
				    .p_memsz = sizeof(file) + BSS};
	file.phdrs[2] = (struct elf64_phdr){.p_type = PT_DYNAMIC,
					    .p_offset = offsetof(struct file, dynamic),
					    .p_vaddr = DATA,
					    .p_filesz = sizeof(file.dynamic)};
	file.phdrs[3] = (struct elf64_phdr){.p_type = PT_NOTE,
					    .p_offset = offsetof(struct file, note),
					    .p_filesz = sizeof(file.note)};
	file.note.name_bytes = sizeof(KSH_NOTE_NAME);
	file.note.description_bytes = sizeof(struct ksh_note);
	file.note.type = KSH_NOTE_TYPE;
	memcpy(file.note.name, KSH_NOTE_NAME, sizeof(KSH_NOTE_NAME));
	file.note.note = (struct ksh_note){KSH_ABI_VERSION, sizeof(struct ksh_exports)};
	file.dynamic[0] = (struct elf64_dyn){DT_RELA, DATA + offsetof(struct file, relocations) -
							      offsetof(struct file, dynamic)};
	file.dynamic[1] = (struct elf64_dyn){DT_RELASZ, sizeof(file.relocations)};
	file.dynamic[2] = (struct elf64_dyn){DT_RELAENT, sizeof(struct elf64_rela)};
	for (unsigned i = 0; i < 2; i++)
		file.relocations[i] =
			(struct elf64_rela){.r_offset = DATA + offsetof(struct file, data) -
							offsetof(struct file, dynamic) + i * 8,
					    .r_info = R_X86_64_RELATIVE,
					    .r_addend = TEXT + i};
	file.sections[1] = (struct elf64_shdr){.sh_type = 2, /* SHT_SYMTAB */
					       .sh_offset = offsetof(struct file, symbols),
					       .sh_size = sizeof(file.symbols),
					       .sh_link = 2};
	file.sections[2] = (struct elf64_shdr){.sh_type = 3, /* SHT_STRTAB */
					       .sh_offset = offsetof(struct file, strings),
					       .sh_size = sizeof(file.strings)};
	memcpy(file.strings, "\0first\0second", 14);
	file.symbols[1] = (struct elf64_sym){.st_name = 1, .st_info = 2, .st_value = TEXT};
	file.symbols[2] = (struct elf64_sym){.st_name = 7, .st_info = 2, .st_value = TEXT + 32};
	memset(file.text, 0x90, sizeof(file.text));
	file.data[2] = 42;
	return file;
}

static void a_good_file_is_placed(void **state)
{
	struct file file = good_file();
	struct ksh_image image;
	const char *reason;
	uint64_t base = UINT64_C(0xffffffffa0001000);
	uint64_t data_at = DATA + offsetof(struct file, data) - offsetof(struct file, dynamic);
	uint64_t offset;
	char *memory;

	assert_int_equal(ksh_image_parse(&file, sizeof(file), &image, &reason), 0);
	assert_int_equal(image.nsegments, 2);
	assert_true(image.segments[0].executable && !image.segments[0].writable);
	assert_true(image.segments[1].writable && !image.segments[1].executable);
	assert_int_equal(image.entry, TEXT + 4);
	assert_int_equal(image.nrelocations, 2);
	memory = calloc(1, image.size_bytes);
	ksh_image_place(&file, &image, memory, base);
	assert_memory_equal(memory + TEXT, file.text, sizeof(file.text));
	assert_int_equal(((uint64_t *)(memory + data_at))[0], base + TEXT);
	assert_int_equal(((uint64_t *)(memory + data_at))[1], base + TEXT + 1);
	assert_int_equal(((uint64_t *)(memory + data_at))[2], 42);
	free(memory);

	assert_int_equal(image.nsymbols, 3);
	assert_string_equal(ksh_symbol_find(file.symbols, 3, file.strings, sizeof(file.strings),
					    TEXT + 5, &offset),
			    "first");
	assert_int_equal(offset, 5);
	assert_string_equal(ksh_symbol_find(file.symbols, 3, file.strings, sizeof(file.strings),
					    TEXT + 40, &offset),
			    "second");
	assert_null(
		ksh_symbol_find(file.symbols, 3, file.strings, sizeof(file.strings), 5, &offset));
}

static void refused(const struct file *file, const char *because)
{
	struct ksh_image image;
	const char *reason;

	assert_int_equal(ksh_image_parse(file, sizeof(*file), &image, &reason), -ENOEXEC);
	if (!strstr(reason, because))
		fail_msg("refused because \"%s\", expected \"%s\"", reason, because);
}

#define REFUSED(change, because)                                                                   \
	do {                                                                                       \
		struct file file = good_file();                                                    \
                                                                                                   \
		change;                                                                            \
		refused(&file, because);                                                           \
	} while (0)

static void lies_are_refused_with_a_reason(void **state)
{
	REFUSED(file.header.e_ident[0] = 'x', "no ELF");
	REFUSED(file.header.e_machine = 40, "x86-64");
	REFUSED(file.header.e_type = ET_EXEC, "position-independent");
	REFUSED(file.header.e_phoff = sizeof(file), "program headers");
	REFUSED(file.header.e_phnum = 1000, "program headers");
	REFUSED(file.phdrs[0].p_offset = UINT64_MAX, "beyond the end");
	REFUSED(file.phdrs[0].p_filesz = sizeof(file) * 2, "beyond the end");
	REFUSED(file.phdrs[0].p_memsz = 1, "beyond the end");
	REFUSED(file.phdrs[1].p_memsz = UINT64_MAX, "too large");
	REFUSED(file.phdrs[1].p_vaddr = KSH_IMAGE_MAX + 1, "too high");
	REFUSED(file.phdrs[1].p_vaddr = TEXT + 128, "share a page");
	REFUSED(file.phdrs[0].p_vaddr = DATA + 0x4000, "out of order");
	REFUSED(file.phdrs[1].p_flags |= PF_X, "writable and executable");
	REFUSED(file.phdrs[3].p_type = PT_INTERP, "interpreter");
	REFUSED(file.phdrs[3].p_type = PT_TLS, "thread-local");
	REFUSED(file.phdrs[3].p_type = PT_NULL, "no note");
	REFUSED(file.note.name_bytes = UINT32_MAX, "cut off");
	REFUSED(file.note.note.abi_version++, "another version");
	REFUSED(file.note.note.table_bytes++, "more of the kernel's table");
	REFUSED(file.header.e_entry = DATA, "entry point");
	REFUSED(file.header.e_entry = UINT64_MAX, "entry point");
	REFUSED(file.dynamic[3].d_tag = DT_NEEDED, "shared library");
	REFUSED(file.dynamic[3].d_tag = DT_JMPREL, "of a kind");
	REFUSED(file.dynamic[2].d_val = 16, "unknown form");
	REFUSED(file.dynamic[0].d_val = UINT64_MAX, "not in the file");
	REFUSED(file.dynamic[1].d_val = sizeof(file) + 64, "not in the file");
	REFUSED(file.phdrs[2].p_offset = UINT64_MAX - 8, "dynamic section");
	REFUSED(file.relocations[1].r_info = R_X86_64_64, "other than");
	REFUSED(file.relocations[1].r_offset = TEXT, "outside");
	REFUSED(file.relocations[1].r_offset = UINT64_MAX - 3, "outside");
	REFUSED(file.relocations[1].r_addend = -1, "out of the image");
	REFUSED(file.relocations[1].r_addend = INT64_MAX, "out of the image");
}

static void a_short_file_is_refused(void **state)
{
	struct file file = good_file();

	for (size_t len = 0; len < sizeof(file); len++) {
		char *cut = malloc(len + !len);
		struct ksh_image image;
		const char *reason;

		memcpy(cut, &file, len);
		assert_int_equal(ksh_image_parse(cut, len, &image, &reason), -ENOEXEC);
		free(cut);
	}
}

static void random_damage_stays_inside(void **state)
{
	unsigned seed = 3;

	for (unsigned round = 0; round < 200000; round++) {
		struct file file = good_file();
		struct ksh_image image;
		const char *reason;
		uint64_t offset;

		for (unsigned i = 0; i <= round % 4; i++) {
			seed = seed * 1103515245 + 12345;
			((unsigned char *)&file)[(seed >> 8) % sizeof(file)] ^=
				(unsigned char)(1u << (seed >> 28 & 7));
		}
		if (ksh_image_parse(&file, sizeof(file), &image, &reason) == 0) {
			char *memory = calloc(1, image.size_bytes);

			ksh_image_place(&file, &image, memory, 0x1000);
			free(memory);
			if (image.nsymbols)
				(void)ksh_symbol_find((char *)&file + image.symbols_offset,
						      image.nsymbols,
						      (char *)&file + image.strings_offset,
						      image.strings_bytes, TEXT + 40, &offset);
		} else {
			assert_true(reason[0] != '\0');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_is_placed),
		cmocka_unit_test(lies_are_refused_with_a_reason),
		cmocka_unit_test(a_short_file_is_refused),
		cmocka_unit_test(random_damage_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
