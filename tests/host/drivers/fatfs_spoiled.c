/* sources: drivers/fatfs/disk.c drivers/fatfs/volume.c drivers/fatfs/table.c drivers/fatfs/chain.c
	drivers/fatfs/names.c drivers/fatfs/short_names.c drivers/fatfs/times.c
	drivers/fatfs/directory.c drivers/fatfs/directory_change.c drivers/fatfs/node.c
	drivers/fatfs/node_change.c drivers/fatfs/file.c drivers/common/hash.c
	tests/host/support/fat.c */
/*
 * fatfs on volumes that are spoiled: each fault ends in an error for who asked, and in words that
 * name it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/fat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *image, *spoiled;
static size_t image_bytes;
static struct fat_mount mount;

static int setup(void **state)
{
	image = fat_make(16, "-s 1", 4096,
			 "seq 1 1000 >n; mcopy -i $i n ::FILE; mcopy -i $i n '::A long name';"
			 "mmd -i $i ::D ::D/E; mcopy -i $i n ::D/E/DEEP; mmd -i $i ::TWIN",
			 &image_bytes);
	spoiled = malloc(image_bytes);
	return image && spoiled ? 0 : -1;
}

static int teardown(void **state)
{
	free(image);
	free(spoiled);
	return 0;
}

static struct fat_boot *boot(void)
{
	return (struct fat_boot *)spoiled;
}

static void fresh(void)
{
	memcpy(spoiled, image, image_bytes);
}

static void refused(const char *word)
{
	assert_int_equal(fat_mount(&mount, spoiled, image_bytes), -EINVAL);
	if (!strstr(mount.said, word))
		fail_msg("'%s' does not name '%s'", mount.said, word);
	fresh();
}

static void a_boot_sector_that_cannot_be_is_refused_by_name(void **state)
{
	fresh();
	spoiled[BOOT_SIGNATURE_AT] = 0;
	refused("no FAT volume");
	put16(boot()->sector_bytes, 513);
	refused("bytes in a sector: 513");
	put16(boot()->sector_bytes, 8192);
	refused("bytes in a sector: 8192");
	boot()->cluster_sectors = 0;
	refused("sectors in a cluster: 0");
	boot()->cluster_sectors = 3;
	refused("sectors in a cluster: 3");
	put16(boot()->reserved_sectors, 0);
	refused("reserved");
	boot()->ntables = 0;
	refused("tables: 0");
	boot()->media = 1;
	refused("media");
	put16(boot()->root_entries, 17);
	refused("entries of the root: 17");
	put16(boot()->root_entries, 0);
	refused("entries of the root: 0");
	put16(boot()->sectors16, 0);
	put32(boot()->sectors32, UINT32_MAX);
	refused("more sectors");
	put16(boot()->sectors16, 0);
	put32(boot()->sectors32, 0);
	refused("more sectors");
	put16(boot()->table_sectors16, 5000);
	refused("no room for data");
	put16(boot()->table_sectors16, 0);
	put32(boot()->wide.table_sectors, 0);
	refused("sectors of a table: 0");
	assert_int_equal(fat_mount(&mount, spoiled, 100), -EINVAL);
	assert_non_null(strstr(mount.said, "too short"));
}

static void fat32_has_more_that_can_be_wrong(void **state)
{
	size_t len_bytes;
	char *wide = fat_make(32, "-s 1", 512, "", &len_bytes);
	struct fat_boot *sector = (struct fat_boot *)wide;

	assert_non_null(wide);
	put16(sector->wide.version, 1);
	assert_int_equal(fat_mount(&mount, wide, len_bytes), -EINVAL);
	assert_non_null(strstr(mount.said, "version"));
	put16(sector->wide.version, 0);
	put32(sector->wide.root_cluster, 1);
	assert_int_equal(fat_mount(&mount, wide, len_bytes), -EINVAL);
	assert_non_null(strstr(mount.said, "cluster of the root: 1"));
	put32(sector->wide.root_cluster, 2);
	put16(sector->wide.flags, WIDE_ONE_TABLE | 2);
	assert_int_equal(fat_mount(&mount, wide, len_bytes), -EINVAL);
	assert_non_null(strstr(mount.said, "number of the table: 2"));
	put16(sector->wide.flags, WIDE_ONE_TABLE | 1);
	put16(sector->root_entries, 16);
	assert_int_equal(fat_mount(&mount, wide, len_bytes), -EINVAL);
	assert_non_null(strstr(mount.said, "on FAT32"));
	put16(sector->root_entries, 0);
	assert_int_equal(fat_mount(&mount, wide, len_bytes), 0);
	assert_int_equal(mount.volume.table_active, 1);
	assert_false(mount.volume.mirrored);
	assert_int_equal(fat_unmount(&mount), 0);
	free(wide);
}

/* ---- tables ---- */

static void begin(void)
{
	fresh();
	assert_int_equal(fat_mount(&mount, spoiled, image_bytes), 0);
}

static uint32_t first_of(const char *path)
{
	struct node *node;

	assert_int_equal(fat_find(&mount, path, &node), 0);
	return node->directory.chain.first;
}

static void chain_to(uint32_t cluster, uint32_t value)
{
	assert_int_equal(table_write(&mount.volume, cluster, &value, 1), 0);
}

static void expect_eio(const char *path, const char *word)
{
	static char buffer[8192];
	struct node *node;

	mount.said[0] = 0;
	assert_int_equal(fat_find(&mount, path, &node), 0);
	assert_int_equal(file_read(&mount.volume, node, 3000, buffer, sizeof(buffer)), -EIO);
	if (!strstr(mount.said, word))
		fail_msg("'%s' does not name '%s'", mount.said, word);
}

static void chains_that_lead_astray_are_errors(void **state)
{
	static const struct {
		uint32_t value;
		const char *word;
	} cases[] = {{1, "is followed by 1"},
		     {0xfff0, "is followed by 65520"},
		     {CLUSTER_FREE, "which is free"},
		     {0xfff7, "which is bad"},
		     {CLUSTER_END, "clusters end before"}};
	struct node *node;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		chain_to(first_of("FILE") + 2, cases[i].value);
		expect_eio("file", cases[i].word);
		/* It can be deleted, and what is left of it is no other file's. */
		assert_int_equal(fat_find(&mount, "file", &node), 0);
		assert_int_equal(node_unlink(&mount.volume, mount.volume.root, "file"), 0);
		assert_int_equal(fat_unmount(&mount), 0);
	}
}

static void a_chain_in_a_circle_is_found(void **state)
{
	struct node *node;
	uint32_t first;

	begin();
	first = first_of("FILE");
	chain_to(first + 5, first + 1);
	assert_int_equal(fat_find(&mount, "FILE", &node), 0);
	put32(node->entry.size_bytes, 1000000);
	{
		static char buffer[1000000];

		/* What could be read is told first. */
		assert_in_range(file_read(&mount.volume, node, 0, buffer, sizeof(buffer)), 512,
				8192);
		assert_int_equal(file_read(&mount.volume, node, 9000, buffer, 512), -EIO);
	}
	assert_non_null(strstr(mount.said, "circle"));
	assert_int_equal(file_write(&mount.volume, node, 999999, "x", 2), -EIO);
	assert_int_equal(node_unlink(&mount.volume, mount.volume.root, "FILE"), 0);
	assert_int_equal(fat_unmount(&mount), 0);
}

static void a_directory_in_a_circle_ends(void **state)
{
	struct node *node;
	struct found found;
	uint32_t first, index = 0;
	int err;

	begin();
	first = first_of("D");
	/* No end marker anywhere, and after it the same again. */
	for (unsigned slot = 0; slot < 16; slot++) {
		struct fat_entry *entry =
			(struct fat_entry *)(spoiled + volume_place(&mount.volume, first)) + slot;

		if (slot >= 3)
			entry->name[0] = ENTRY_FREE;
	}
	chain_to(first, first);
	node_unmount(&mount.volume);
	disk_destroy(&mount.disk);
	assert_int_equal(fat_mount(&mount, spoiled, image_bytes), 0);
	assert_int_equal(fat_find(&mount, "D", &node), 0);
	while (!(err = directory_next(&mount.volume, &node->directory, &index, &found)))
		assert_true(index < DIRECTORY_SLOTS);
	assert_int_equal(err, -EIO);
	assert_non_null(strstr(mount.said, "circle"));
	assert_int_equal(node_lookup(&mount.volume, node, "nothing", &node), -EIO);
	assert_int_equal(fat_unmount(&mount), 0);
}

/* ---- directories ---- */

/* The entry of a path, in the bytes. The mount is made anew after it was changed. */
static struct fat_entry *entry_of(const char *path)
{
	struct node *node;

	begin();
	assert_int_equal(fat_find(&mount, path, &node), 0);
	assert_int_equal(node->offset % ENTRY_BYTES, 0);
	return (struct fat_entry *)(spoiled + node->offset);
}

static void again(void)
{
	assert_int_equal(fat_unmount(&mount), 0);
	assert_int_equal(fat_mount(&mount, spoiled, image_bytes), 0);
}

static void a_directory_that_holds_itself_is_refused(void **state)
{
	struct fat_entry *entry = entry_of("D/E");
	struct node *node;

	put16(entry->cluster_low, first_of("D"));
	again();
	assert_int_equal(fat_find(&mount, "D/E", &node), -EIO);
	assert_non_null(strstr(mount.said, "is a directory above"));
	assert_int_equal(fat_find(&mount, "D", &node), 0);
	assert_int_equal(fat_unmount(&mount), 0);
}

static void a_directory_at_two_places_is_refused_at_the_second(void **state)
{
	struct fat_entry *entry = entry_of("TWIN");
	struct node *node;

	put16(entry->cluster_low, first_of("D"));
	again();
	assert_int_equal(fat_find(&mount, "D/E", &node), 0);
	assert_int_equal(fat_find(&mount, "TWIN/E", &node), -EIO);
	assert_non_null(strstr(mount.said, "two directories"));
	assert_int_equal(fat_unmount(&mount), 0);
}

static void clusters_out_of_range_are_refused(void **state)
{
	struct fat_entry *entry = entry_of("D");
	struct node *node;
	char byte;

	put16(entry->cluster_low, 0);
	again();
	assert_int_equal(fat_find(&mount, "D", &node), -EIO);
	assert_non_null(strstr(mount.said, "a directory at cluster 0"));
	assert_int_equal(fat_unmount(&mount), 0);

	entry = entry_of("FILE");
	put16(entry->cluster_low, 0xffff);
	again();
	assert_int_equal(fat_find(&mount, "FILE", &node), 0);
	assert_int_equal(file_read(&mount.volume, node, 0, &byte, 1), -EIO);
	assert_int_equal(file_resize(&mount.volume, node, 10), -EIO);
	assert_int_equal(fat_unmount(&mount), 0);
}

static void names_that_cannot_be_are_left_out(void **state)
{
	struct fat_entry *entry = entry_of("A long name");
	struct fat_long *piece = (struct fat_long *)entry - 1;
	struct node *node;

	put16(piece->units1 + 2, '/'); /* "A/long name" */
	again();
	assert_int_equal(fat_find(&mount, "A long name", &node), -ENOENT);
	assert_int_equal(fat_find(&mount, "ALONGN~1", &node), 0);
	assert_int_equal(fat_unmount(&mount), 0);

	entry = entry_of("A long name");
	((struct fat_long *)entry - 1)->checksum ^= 1;
	again();
	assert_int_equal(fat_find(&mount, "A long name", &node), -ENOENT);
	assert_int_equal(fat_find(&mount, "ALONGN~1", &node), 0);
	assert_int_equal(fat_unmount(&mount), 0);

	entry = entry_of("FILE");
	entry->name[1] = '/';
	again();
	assert_int_equal(fat_find(&mount, "D/E/DEEP", &node), 0);
	assert_int_equal(fat_find(&mount, "nothing", &node), -ENOENT);
	assert_non_null(strstr(mount.said, "no name can be like this"));
	assert_int_equal(fat_unmount(&mount), 0);
}

static void a_volume_that_was_left_dirty_stays_so(void **state)
{
	begin();
	assert_int_equal(node_create(&mount.volume, mount.volume.root, "x", 0, &(struct node *){0}),
			 0);
	assert_int_equal(boot()->narrow.state & STATE_DIRTY, STATE_DIRTY);
	assert_int_equal(fat_unmount(&mount), 0);
	assert_int_equal(boot()->narrow.state & STATE_DIRTY, 0);

	boot()->narrow.state |= STATE_DIRTY;
	assert_int_equal(fat_mount(&mount, spoiled, image_bytes), 0);
	assert_non_null(strstr(mount.said, "not unmounted in order"));
	assert_int_equal(node_unlink(&mount.volume, mount.volume.root, "x"), 0);
	assert_int_equal(fat_unmount(&mount), 0);
	assert_int_equal(boot()->narrow.state & STATE_DIRTY, STATE_DIRTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boot_sector_that_cannot_be_is_refused_by_name),
		cmocka_unit_test(fat32_has_more_that_can_be_wrong),
		cmocka_unit_test(chains_that_lead_astray_are_errors),
		cmocka_unit_test(a_chain_in_a_circle_is_found),
		cmocka_unit_test(a_directory_in_a_circle_ends),
		cmocka_unit_test(a_directory_that_holds_itself_is_refused),
		cmocka_unit_test(a_directory_at_two_places_is_refused_at_the_second),
		cmocka_unit_test(clusters_out_of_range_are_refused),
		cmocka_unit_test(names_that_cannot_be_are_left_out),
		cmocka_unit_test(a_volume_that_was_left_dirty_stays_so),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
