/* sources: fusek/ext2/super.c fusek/ext2/inode.c fusek/ext2/directory.c
	tests/host/support/image.c */
/*
 * The ext2 reader against images that mke2fs made, whole and spoiled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ext2.h"

#include "../support/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char script[] =
	"echo hello > small; : > empty; mkdir -p a/b/c; echo deep > a/b/c/deep; chmod 4751 small;"
	"ln -s a/b fast; ln -s $(printf 'x%.0s' $(seq 200)) slow;"
	"seq 1 2000000 > large;"                     /* 14 MB: doubly indirect */
	"truncate -s 6G sparse; echo end >> sparse;" /* triply indirect, a size of 33 bits */
	"mkdir many; for i in $(seq 1500); do : > many/a-rather-long-name-number-$i; done;"
	"touch -d @1600000000 small; mkfifo pipe; ln small hard";

static char *image;
static size_t image_bytes;
static char what[256];
static struct ext2_problem problem;

static void report(void *argument, const struct ext2_problem *found)
{
	problem = *found;
	snprintf(what, sizeof(what), "%s", found->what);
}

static int setup(void **state)
{
	image = image_make(script, "-t ext2 -b 4096 -E root_owner=0:0", "32M", &image_bytes);
	return image ? 0 : -1;
}

static int teardown(void **state)
{
	free(image);
	return 0;
}

static void open_image(struct ext2_image *out)
{
	assert_int_equal(ext2_open(out, image, image_bytes, report, NULL), 0);
}

/* Walks from the root; fails the test if that does not work. */
static struct ext2_inode find(const struct ext2_image *fs, const char *path)
{
	struct ext2_inode at, next;
	char copy[256], *save, *name;

	assert_int_equal(ext2_inode_read(fs, EXT2_ROOT_INODE, &at), 0);
	snprintf(copy, sizeof(copy), "%s", path);
	for (name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		assert_int_equal(ext2_lookup(fs, &at, name, strlen(name), &next), 0);
		at = next;
	}
	return at;
}

static void read_back(const struct ext2_image *fs, const struct ext2_inode *inode, uint64_t offset,
		      char *to, size_t len_bytes)
{
	for (size_t done = 0; done < len_bytes; done++) {
		uint64_t here = offset + done;
		const void *page;

		assert_int_equal(ext2_page(fs, inode, here / 4096, &page), 0);
		to[done] = page ? ((const char *)page)[here % 4096] : 0;
	}
}

static void files_of_all_sizes_are_read_back(void **state)
{
	struct ext2_image fs;
	struct ext2_inode inode;
	char text[64];

	open_image(&fs);
	inode = find(&fs, "small");
	assert_int_equal(inode.size_bytes, 6);
	assert_int_equal(inode.mode, S_IFREG | 04751);
	assert_int_equal(inode.nlink, 2);
	assert_int_equal(inode.mtime.tv_sec, 1600000000);
	read_back(&fs, &inode, 0, text, 6);
	assert_memory_equal(text, "hello\n", 6);

	inode = find(&fs, "empty");
	assert_int_equal(inode.size_bytes, 0);

	inode = find(&fs, "large");
	assert_int_equal(inode.size_bytes, 14888896);
	read_back(&fs, &inode, 14888896 - 16, text, 16);
	assert_memory_equal(text, "1999999\n2000000\n", 16);
	read_back(&fs, &inode, 8 * 4096 + 10, text, 8); /* still direct */
	assert_true(text[0] == '\n' || (text[0] >= '0' && text[0] <= '9'));

	inode = find(&fs, "sparse");
	assert_int_equal(inode.size_bytes, (UINT64_C(6) << 30) + 4);
	read_back(&fs, &inode, UINT64_C(6) << 30, text, 4);
	assert_memory_equal(text, "end\n", 4);
	read_back(&fs, &inode, UINT64_C(5) << 30, text, 4);
	assert_memory_equal(text, "\0\0\0\0", 4);
}

static void links_of_both_kinds_are_read(void **state)
{
	struct ext2_image fs;
	struct ext2_inode inode;
	const char *target;
	size_t len_bytes;

	open_image(&fs);
	inode = find(&fs, "fast");
	assert_true(inode.target_inside);
	assert_int_equal(ext2_link_target(&fs, &inode, &target, &len_bytes), 0);
	assert_int_equal(len_bytes, 3);
	assert_memory_equal(target, "a/b", 3);
	inode = find(&fs, "slow");
	assert_false(inode.target_inside);
	assert_int_equal(ext2_link_target(&fs, &inode, &target, &len_bytes), 0);
	assert_int_equal(len_bytes, 200);
	inode = find(&fs, "small");
	assert_int_equal(ext2_link_target(&fs, &inode, &target, &len_bytes), -EINVAL);
}

static void a_large_directory_is_listed_once_each(void **state)
{
	static bool seen[1501];
	struct ext2_dirent entry;
	struct ext2_image fs;
	struct ext2_inode many;
	uint64_t offset = 0;
	unsigned count = 0;

	open_image(&fs);
	many = find(&fs, "many");
	assert_true(many.size_bytes > 8 * 4096);
	while (ext2_dir_next(&fs, &many, &offset, &entry) == 0) {
		unsigned number;
		char name[256];

		snprintf(name, sizeof(name), "%.*s", (int)entry.name_bytes, entry.name);
		if (sscanf(name, "a-rather-long-name-number-%u", &number) != 1)
			continue;
		assert_true(number <= 1500 && !seen[number]);
		assert_int_equal(entry.mode, S_IFREG);
		seen[number] = true;
		count++;
	}
	assert_int_equal(count, 1500);
	(void)find(&fs, "many/a-rather-long-name-number-1234");
}

static void names_that_are_not_there_are_not_found(void **state)
{
	struct ext2_image fs;
	struct ext2_inode root, out;

	open_image(&fs);
	root = find(&fs, "/");
	assert_int_equal(ext2_lookup(&fs, &root, "nothing", 7, &out), -ENOENT);
	assert_int_equal(ext2_lookup(&fs, &root, "smal", 4, &out), -ENOENT);
	root = find(&fs, "small");
	assert_int_equal(ext2_lookup(&fs, &root, "x", 1, &out), -ENOTDIR);
}

static void other_file_systems_are_refused_by_name(void **state)
{
	static const struct {
		const char *options, *word;
	} cases[] = {
		{"-t ext4 -b 4096", "mke2fs -t ext2"},
		{"-t ext2 -b 1024", "1024"},
		{"-t ext2 -b 2048", "2048"},
		{"-t ext3 -b 4096 -O journal_dev", "journal_dev"},
		{"-t ext2 -b 4096 -O meta_bg,^resize_inode", "meta_bg"},
	};
	struct ext2_image fs;
	size_t len_bytes;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		bool journal = strstr(cases[i].options, "journal_dev") != NULL;
		void *other = image_make(": > file", cases[i].options, "8M", &len_bytes);

		if (!other && journal)
			continue; /* mke2fs makes no journal device with -d */
		assert_non_null(other);
		assert_int_equal(ext2_open(&fs, other, len_bytes, report, NULL), -EINVAL);
		if (!strstr(what, cases[i].word))
			fail_msg("'%s' does not name '%s'", what, cases[i].word);
		free(other);
	}
}

static void a_truncated_image_is_refused(void **state)
{
	struct ext2_image fs;

	assert_int_equal(ext2_open(&fs, image, image_bytes - 4096, report, NULL), -EUCLEAN);
	assert_non_null(strstr(what, "truncated"));
	assert_int_equal(problem.block, image_bytes / 4096 - 1);
	assert_int_equal(ext2_open(&fs, image, 4096, report, NULL), -EINVAL);
	assert_int_equal(ext2_open(&fs, image, 0, report, NULL), -EINVAL);
}

/* ---- spoiled images: a copy, one field changed ---- */

static char *spoiled;

static int spoil_begin(void **state)
{
	spoiled = aligned_alloc(4096, image_bytes);
	memcpy(spoiled, image, image_bytes);
	what[0] = 0;
	return 0;
}

static int spoil_end(void **state)
{
	free(spoiled);
	return 0;
}

static struct ext2_super *super(void)
{
	return (void *)(spoiled + EXT2_SUPER_OFFSET);
}

static void open_spoiled(struct ext2_image *fs)
{
	assert_int_equal(ext2_open(fs, spoiled, image_bytes, report, NULL), 0);
}

/* The place of an inode of the copy. */
static struct ext2_disk_inode *disk_inode(const struct ext2_inode *inode)
{
	return (void *)inode->disk;
}

static void expect_refusal(const char *word)
{
	struct ext2_image fs;

	assert_true(ext2_open(&fs, spoiled, image_bytes, report, NULL) < 0);
	if (!strstr(what, word))
		fail_msg("'%s' does not name '%s'", what, word);
}

static void a_bad_superblock_is_refused(void **state)
{
	super()->magic = 1;
	expect_refusal("magic");
	super()->magic = EXT2_MAGIC;
	super()->revision = 9;
	expect_refusal("revision");
	super()->revision = 1;
	super()->blocks_per_group = 0;
	expect_refusal("blocks in a group");
	super()->blocks_per_group = 32768;
	super()->inodes_per_group = 40000;
	expect_refusal("inodes in a group");
	super()->inodes_per_group = ((struct ext2_super *)(image + 1024))->inodes_per_group;
	super()->ninodes = UINT32_MAX;
	expect_refusal("number of inodes");
	super()->ninodes = ((struct ext2_super *)(image + 1024))->ninodes;
	super()->inode_bytes = 100;
	expect_refusal("inode size");
	super()->inode_bytes = 256;
	super()->features_incompatible |= 0x80000000;
	expect_refusal("incompatible");
	super()->features_incompatible = 2;
	super()->first_data_block = 1;
	expect_refusal("first data block");
	super()->first_data_block = 0;
	super()->log_block_size = 7;
	expect_refusal("block size");
	super()->log_block_size = 2;
	super()->blocks_per_group = 1; /* more groups than their descriptors have room for */
	super()->nblocks = 200;
	super()->ninodes = 11;
	expect_refusal("inode table");
}

static void a_bad_group_names_its_block(void **state)
{
	struct ext2_group *groups = (void *)(spoiled + 4096);

	groups[0].inode_table = 0x7fffffff;
	expect_refusal("inode table");
	assert_int_equal(problem.block, 0x7fffffff);
	groups[0].inode_table = 1;
	expect_refusal("inode table");
}

static void block_numbers_out_of_range_name_inode_and_block(void **state)
{
	struct ext2_image fs;
	struct ext2_inode inode;
	const void *page;

	open_spoiled(&fs);
	inode = find(&fs, "small");
	disk_inode(&inode)->block[0] = 0x12345678;
	assert_int_equal(ext2_page(&fs, &inode, 0, &page), -EUCLEAN);
	assert_int_equal(problem.inode, inode.number);
	assert_int_equal(problem.block, 0x12345678);
	disk_inode(&inode)->block[0] = 1; /* the group descriptors */
	assert_int_equal(ext2_page(&fs, &inode, 0, &page), -EUCLEAN);
}

static void indirect_blocks_in_a_circle_are_seen(void **state)
{
	struct ext2_image fs;
	struct ext2_inode inode;
	const void *page;
	uint32_t block;

	open_spoiled(&fs);
	inode = find(&fs, "large");
	block = disk_inode(&inode)->block[13];
	((uint32_t *)(spoiled + (size_t)block * 4096))[0] = block;
	assert_int_equal(ext2_page(&fs, &inode, 12 + 1024, &page), -EUCLEAN);
	assert_non_null(strstr(what, "cycle"));
	assert_int_equal(problem.block, block);
}

/* Makes entry `name` of `directory` lead to `number`. */
static void redirect(const struct ext2_image *fs, const struct ext2_inode *directory,
		     const char *name, uint32_t number)
{
	struct ext2_dirent entry;
	uint64_t offset = 0;

	while (ext2_dir_next(fs, directory, &offset, &entry) == 0) {
		struct ext2_disk_dirent *record =
			(void *)(entry.name - offsetof(struct ext2_disk_dirent, name));

		if (entry.name_bytes != strlen(name) || memcmp(entry.name, name, strlen(name)))
			continue;
		record->inode = number;
		record->type = 2;
		return;
	}
	fail();
}

static void directories_in_a_circle_are_refused(void **state)
{
	struct ext2_image fs;
	struct ext2_inode a, c, out;

	open_spoiled(&fs);
	a = find(&fs, "a");
	c = find(&fs, "a/b/c");
	redirect(&fs, &c, "deep", a.number);
	assert_int_equal(ext2_lookup(&fs, &c, "deep", 4, &out), -EUCLEAN);
	assert_int_equal(problem.inode, a.number);
	redirect(&fs, &c, "deep", EXT2_ROOT_INODE);
	assert_int_equal(ext2_lookup(&fs, &c, "deep", 4, &out), -EUCLEAN);
	redirect(&fs, &c, "deep", c.number);
	assert_int_equal(ext2_lookup(&fs, &c, "deep", 4, &out), -EUCLEAN);
}

static void bad_directory_records_are_refused(void **state)
{
	struct ext2_disk_dirent *record;
	struct ext2_dirent entry;
	struct ext2_image fs;
	struct ext2_inode a;
	uint64_t offset;

	open_spoiled(&fs);
	a = find(&fs, "a");
	record = (void *)(spoiled + (size_t)disk_inode(&a)->block[0] * 4096);
	for (unsigned length = 0; length < 9; length++) {
		record->record_bytes = (uint16_t)length;
		offset = 0;
		assert_int_equal(ext2_dir_next(&fs, &a, &offset, &entry), -EUCLEAN);
	}
	record->record_bytes = 4100;
	offset = 0;
	assert_int_equal(ext2_dir_next(&fs, &a, &offset, &entry), -EUCLEAN);
	record->record_bytes = 12;
	record->name[0] = '/';
	offset = 0;
	assert_int_equal(ext2_dir_next(&fs, &a, &offset, &entry), -EUCLEAN);
	record->name[0] = '.';
	record->name_bytes = 0;
	offset = 0;
	assert_int_equal(ext2_dir_next(&fs, &a, &offset, &entry), -EUCLEAN);
	record->name_bytes = 1;
	record->inode = 1u << 30;
	offset = 0;
	assert_int_equal(ext2_dir_next(&fs, &a, &offset, &entry), -EUCLEAN);
	offset = 4093; /* no cookie of ours */
	assert_int_equal(ext2_dir_next(&fs, &a, &offset, &entry), -EINVAL);
}

static void bad_inodes_are_refused(void **state)
{
	struct ext2_image fs;
	struct ext2_inode inode, out;
	const char *target;
	size_t len_bytes;

	open_spoiled(&fs);
	assert_int_equal(ext2_inode_read(&fs, 0, &out), -EUCLEAN);
	assert_int_equal(ext2_inode_read(&fs, fs.ninodes + 1, &out), -EUCLEAN);
	inode = find(&fs, "small");
	disk_inode(&inode)->mode = 0x9000;
	assert_int_equal(ext2_inode_read(&fs, inode.number, &out), -EUCLEAN);
	disk_inode(&inode)->mode = S_IFREG;
	disk_inode(&inode)->size_high = 0x7fffffff;
	assert_int_equal(ext2_inode_read(&fs, inode.number, &out), -EUCLEAN);
	disk_inode(&inode)->nlink = 0;
	assert_int_equal(ext2_inode_read(&fs, inode.number, &out), -EUCLEAN);
	inode = find(&fs, "a");
	disk_inode(&inode)->size = 100;
	assert_int_equal(ext2_inode_read(&fs, inode.number, &out), -EUCLEAN);
	disk_inode(&inode)->size = 0xfffff000;
	assert_int_equal(ext2_inode_read(&fs, inode.number, &out), -EUCLEAN);
	inode = find(&fs, "fast");
	disk_inode(&inode)->size = 20; /* a NUL inside */
	assert_int_equal(ext2_inode_read(&fs, inode.number, &out), 0);
	assert_int_equal(ext2_link_target(&fs, &out, &target, &len_bytes), -EUCLEAN);
	disk_inode(&inode)->size = 60;
	assert_int_equal(ext2_inode_read(&fs, inode.number, &out), -EUCLEAN);
}

static void the_length_of_an_image_is_told(void **state)
{
	assert_int_equal(ext2_image_bytes(image, image_bytes), image_bytes);
	assert_int_equal(ext2_image_bytes(image, 100), 0);
}

#define SPOILED(test) cmocka_unit_test_setup_teardown(test, spoil_begin, spoil_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_all_sizes_are_read_back),
		cmocka_unit_test(links_of_both_kinds_are_read),
		cmocka_unit_test(a_large_directory_is_listed_once_each),
		cmocka_unit_test(names_that_are_not_there_are_not_found),
		cmocka_unit_test(other_file_systems_are_refused_by_name),
		cmocka_unit_test(a_truncated_image_is_refused),
		cmocka_unit_test(the_length_of_an_image_is_told),
		SPOILED(a_bad_superblock_is_refused),
		SPOILED(a_bad_group_names_its_block),
		SPOILED(block_numbers_out_of_range_name_inode_and_block),
		SPOILED(indirect_blocks_in_a_circle_are_seen),
		SPOILED(directories_in_a_circle_are_refused),
		SPOILED(bad_directory_records_are_refused),
		SPOILED(bad_inodes_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
