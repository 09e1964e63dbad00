/* sources: drivers/fatfs/disk.c drivers/fatfs/volume.c drivers/fatfs/table.c drivers/fatfs/chain.c
	drivers/fatfs/names.c drivers/fatfs/short_names.c drivers/fatfs/times.c
	drivers/fatfs/directory.c drivers/fatfs/directory_change.c drivers/fatfs/node.c
	drivers/fatfs/node_change.c drivers/fatfs/file.c drivers/common/hash.c
	tests/host/support/fat.c */
/*
 * Random operations of fatfs against a model, and what a driver that is killed after any of its
 * writes leaves behind: at worst clusters that nobody owns, or that lie behind a file's end.
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

#define NFILES     24
#define FILE_BYTES 12000
#define NSTEPS     1500

static const char *const names[] = {"a",
				    "README.TXT",
				    "lower.txt",
				    "A rather long name of a file, with Größe",
				    "日本語 😀.text",
				    "a rather long name of a file, number 2",
				    "a rather long name of a file, number 3",
				    "Mixed.Txt",
				    "x+y",
				    ".hidden",
				    "b",
				    "c"};

#define NNAMES (sizeof(names) / sizeof(names[0]))

/* A file or directory of the model. Number 0 is the root. */
struct thing {
	bool exists, is_directory;
	unsigned parent, name;
	size_t n;
	char bytes[FILE_BYTES];
};

static struct thing things[NFILES];
static struct fat_mount mount;
static uint64_t random_state;

static unsigned below(unsigned n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % n;
}

static unsigned child_of(unsigned parent, unsigned name)
{
	for (unsigned i = 1; i < NFILES; i++) {
		if (things[i].exists && things[i].parent == parent && things[i].name == name)
			return i;
	}
	return 0;
}

static bool has_children(unsigned parent)
{
	for (unsigned i = 1; i < NFILES; i++) {
		if (things[i].exists && things[i].parent == parent)
			return true;
	}
	return false;
}

static unsigned any(bool is_directory)
{
	for (unsigned tries = 0; tries < 50; tries++) {
		unsigned i = below(NFILES);

		if (things[i].exists && things[i].is_directory == is_directory)
			return i;
	}
	return 0;
}

/* The node, through its path. The caller forgets it. */
static struct node *node_of(unsigned i)
{
	struct node *parent, *node;

	if (i == 0) {
		mount.volume.root->nlookups++;
		return mount.volume.root;
	}
	parent = node_of(things[i].parent);
	assert_int_equal(node_lookup(&mount.volume, parent, names[things[i].name], &node), 0);
	node_forget(&mount.volume, parent, 1);
	return node;
}

static void forget(struct node *node)
{
	node_forget(&mount.volume, node, 1);
}

static void check_file(unsigned i)
{
	static char bytes[FILE_BYTES + 1];
	struct node *node = node_of(i);

	assert_int_equal(file_read(&mount.volume, node, 0, bytes, sizeof(bytes)), things[i].n);
	assert_memory_equal(bytes, things[i].bytes, things[i].n);
	forget(node);
}

/* ---- one step of each kind ---- */

static void create(void)
{
	unsigned parent = any(true), name = below(NNAMES), i = 1;
	bool is_directory = below(4) == 0;
	struct node *in, *node;
	int err;

	while (i < NFILES && things[i].exists)
		i++;
	if (i == NFILES)
		return;
	in = node_of(parent);
	err = node_create(&mount.volume, in, names[name], is_directory ? ATTRIBUTE_DIRECTORY : 0,
			  &node);
	if (child_of(parent, name)) {
		assert_int_equal(err, -EEXIST);
	} else {
		assert_int_equal(err, 0);
		things[i].exists = true;
		things[i].is_directory = is_directory;
		things[i].parent = parent;
		things[i].name = name;
		things[i].n = 0;
		forget(node);
	}
	forget(in);
}

static void write_some(void)
{
	static char bytes[5000];
	unsigned i = any(false), at = below(FILE_BYTES - 5000), n = below(5000);
	struct thing *thing = &things[i];
	struct node *node;

	if (!i)
		return;
	for (unsigned k = 0; k < n; k++)
		bytes[k] = (char)below(256);
	node = node_of(i);
	assert_int_equal(file_write(&mount.volume, node, at, bytes, n), 0);
	forget(node);
	if (n && at > thing->n)
		memset(thing->bytes + thing->n, 0, at - thing->n);
	memcpy(thing->bytes + at, bytes, n);
	if (n && at + n > thing->n)
		thing->n = at + n;
}

static void resize(void)
{
	unsigned i = any(false), n = below(3) ? below(FILE_BYTES) : 0;
	struct node *node;

	if (!i)
		return;
	node = node_of(i);
	assert_int_equal(file_resize(&mount.volume, node, n), 0);
	forget(node);
	if (n > things[i].n)
		memset(things[i].bytes + things[i].n, 0, n - things[i].n);
	things[i].n = n;
}

static void take_away(void)
{
	unsigned i = any(below(3) == 0);
	struct node *in;
	int err, other;

	if (!i)
		return;
	in = node_of(things[i].parent);
	if (things[i].is_directory) {
		err = node_rmdir(&mount.volume, in, names[things[i].name]);
		other = node_unlink(&mount.volume, in, names[things[i].name]);
		assert_int_equal(other, err ? -EISDIR : -ENOENT);
		assert_int_equal(err, has_children(i) ? -ENOTEMPTY : 0);
	} else {
		assert_int_equal(node_rmdir(&mount.volume, in, names[things[i].name]), -ENOTDIR);
		err = node_unlink(&mount.volume, in, names[things[i].name]);
		assert_int_equal(err, 0);
	}
	things[i].exists = err != 0;
	forget(in);
}

static bool is_inside(unsigned i, unsigned above)
{
	while (i && i != above)
		i = things[i].parent;
	return i == above;
}

static int expected_rename(unsigned i, unsigned target, unsigned to)
{
	if (things[i].is_directory && is_inside(to, i))
		return -EINVAL;
	if (!target || target == i)
		return 0;
	if (things[i].is_directory && !things[target].is_directory)
		return -ENOTDIR;
	if (!things[i].is_directory && things[target].is_directory)
		return -EISDIR;
	return has_children(target) ? -ENOTEMPTY : 0;
}

static void rename_some(void)
{
	unsigned i = any(below(3) == 0), to = any(true), name = below(NNAMES);
	unsigned target = child_of(to, name);
	struct node *in, *out;
	int err, expected;

	if (!i)
		return;
	expected = expected_rename(i, target, to);
	in = node_of(things[i].parent);
	out = node_of(to);
	if (target && target != i && expected != -EINVAL)
		assert_int_equal(node_rename(&mount.volume, in, names[things[i].name], out,
					     names[name], true),
				 -EEXIST);
	err = node_rename(&mount.volume, in, names[things[i].name], out, names[name], false);
	assert_int_equal(err, expected);
	if (!err) {
		if (target && target != i)
			things[target].exists = false;
		things[i].parent = to;
		things[i].name = name;
	}
	forget(in);
	forget(out);
}

static void step(void)
{
	static void (*const kinds[])(void) = {create, create,    write_some,  write_some,
					      resize, take_away, rename_some, rename_some};

	kinds[below(sizeof(kinds) / sizeof(kinds[0]))]();
}

static void begin(unsigned seed)
{
	memset(things, 0, sizeof(things));
	things[0].exists = things[0].is_directory = true;
	random_state = seed;
}

static void check_all(void)
{
	for (unsigned i = 1; i < NFILES; i++) {
		if (things[i].exists && !things[i].is_directory)
			check_file(i);
	}
}

/* How many entries there are, and that each is one of the model's. */
static void check_listing(unsigned i)
{
	struct node *node = node_of(i);
	struct found found;
	uint32_t index = 0;
	unsigned n = 0, expected = 0;

	while (directory_next(&mount.volume, &node->directory, &index, &found) == 0)
		n++;
	for (unsigned k = 1; k < NFILES; k++)
		expected += things[k].exists && things[k].parent == i;
	assert_int_equal(n, expected);
	forget(node);
}

static void random_operations_agree_with_a_model(void **state)
{
	static const unsigned widths[] = {12, 16, 32}, kib[] = {800, 4096, 35000};

	for (unsigned w = 0; w < 3; w++) {
		size_t len_bytes;
		char *bytes = fat_make(widths[w], "-s 1", kib[w], "", &len_bytes), *said;

		assert_non_null(bytes);
		assert_int_equal(fat_mount(&mount, bytes, len_bytes), 0);
		begin(w + 1);
		for (unsigned i = 0; i < NSTEPS; i++) {
			step();
			if (i % 100 == 0)
				check_all();
		}
		assert_int_equal(mount.volume.nreports, 0);
		assert_int_equal(fat_unmount(&mount), 0);
		said = fat_run(bytes, len_bytes,
			       "fsck.fat -n $i | tail -n +2 | wc -l; fsck.fat -n $i");
		if (strncmp(said, "1\n", 2) != 0 || !strstr(said, "status 0"))
			fail_msg("fsck.fat: %s", said);
		free(said);

		assert_int_equal(fat_mount(&mount, bytes, len_bytes), 0);
		check_all();
		for (unsigned i = 0; i < NFILES; i++) {
			if (things[i].exists && things[i].is_directory)
				check_listing(i);
		}
		assert_int_equal(fat_unmount(&mount), 0);
		free(bytes);
	}
}

/* ---- kills ---- */

static struct fat_mount after;
static uint8_t *owned; /* by cluster, of the snapshot */
static unsigned nlooks, nasked;

/* Every chain is whole, long enough, and nobody else's. */
static void check_chain(struct node *node, uint32_t size_bytes)
{
	uint32_t needed =
		(size_bytes + after.volume.cluster_bytes - 1) / after.volume.cluster_bytes;
	uint32_t cluster, n = 0;

	for (;; n++) {
		assert_int_equal(chain_at(&after.volume, &node->directory.chain, n, &cluster), 0);
		if (!cluster)
			break;
		assert_int_equal(owned[cluster], 0);
		owned[cluster] = 1;
	}
	if (n < needed)
		fail_msg("%u bytes in %u clusters", size_bytes, n);
}

static void check_directory(struct node *directory)
{
	struct found found;
	struct node *node;
	uint32_t index = 0;
	int err;

	if (!directory->directory.is_region)
		check_chain(directory, 1);
	while ((err = directory_next(&after.volume, &directory->directory, &index, &found)) == 0) {
		assert_int_equal(node_get(&after.volume, directory, &found, &node), 0);
		if (node_is_directory(node))
			check_directory(node);
		else
			check_chain(node, get32(node->entry.size_bytes));
		node_forget(&after.volume, node, 1);
	}
	assert_int_equal(err, -ENOENT);
}

/* What fsck.fat may say of it: the line that it says of what is allowed, and none of any other. */
static void ask_fsck(const char *bytes, size_t len_bytes)
{
	static const char command[] =
		"fsck.fat -n $i 2>&1 | grep -v "
		"-e '^fsck.fat 4' -e '^Dirty bit is set' -e '^ Automatically removing dirty' "
		"-e '^Leaving filesystem' -e '^Reclaimed .* unused' -e '^Free cluster summary' "
		"-e '^  Auto-' -e '^Orphaned long file name' -e '^  File size is .* chain length "
		"is >' "
		"-e '^  Truncating file' -e '^/' -e '^FATs differ but' -e '^  Using first FAT' "
		"-e '^image: ' -e '^$' -e '^There are differences between boot sector and its "
		"backup' "
		"-e '^This is mostly harmless' -e '^  65:' -e '^  Not automatically fixing' "
		"-e '^Warning: Filesystem is FAT32' -e '^  but has only' -e '^  This may lead'";
	char *said = fat_run(bytes, len_bytes, command);

	assert_non_null(said);
	if (strcmp(said, "status 1\n") != 0)
		fail_msg("fsck.fat after %u writes: %s", nlooks, said);
	free(said);
	nasked++;
}

static void look(struct fat_memory *memory)
{
	static char *copy;

	copy = realloc(copy, memory->len_bytes);
	memcpy(copy, memory->bytes, memory->len_bytes);
	assert_int_equal(fat_mount(&after, copy, memory->len_bytes), 0);
	owned = calloc(after.volume.nclusters + 2, 1);
	check_directory(after.volume.root);
	free(owned);
	owned = NULL;
	if (nlooks++ % 67 == 0)
		ask_fsck(memory->bytes, memory->len_bytes);
	assert_int_equal(fat_unmount(&after), 0);
	if (!memory->written) {
		free(copy);
		copy = NULL;
	}
}

static void a_kill_after_any_write_leaves_lost_clusters_at_worst(void **state)
{
	static const unsigned widths[] = {12, 16, 32}, kib[] = {500, 2400, 500};

	for (unsigned w = 0; w < 3; w++) {
		size_t len_bytes;
		/* The FAT32 has too few clusters to be one for others; mkfs.fat warns of it. */
		char *bytes = fat_make(widths[w], "-s 1 -f 2", kib[w], "", &len_bytes);

		assert_non_null(bytes);
		assert_int_equal(fat_mount(&mount, bytes, len_bytes), 0);
		begin(w + 10);
		mount.memory.written = look;
		for (unsigned i = 0; i < 120; i++)
			step();
		mount.memory.written = NULL;
		look(&mount.memory);
		assert_int_equal(fat_unmount(&mount), 0);
		free(bytes);
	}
	assert_true(nlooks > 800 && nasked > 10);
}

/* The disk fails instead: what was there before can still be read, and nothing is used twice. */
static void a_disk_that_fails_leaves_no_worse(void **state)
{
	size_t len_bytes;
	char *bytes = fat_make(16, "-s 1", 2400, "", &len_bytes);
	char *copy = malloc(len_bytes);
	struct node *node;
	unsigned n = 0;

	assert_non_null(bytes);
	assert_int_equal(fat_mount(&mount, bytes, len_bytes), 0);
	begin(77);
	for (unsigned i = 0; i < 200; i++)
		step();
	assert_int_equal(fat_unmount(&mount), 0);
	for (long left = 0; left < 40; left++) {
		memcpy(copy, bytes, len_bytes);
		assert_int_equal(fat_mount(&mount, copy, len_bytes), 0);
		mount.memory.nwrites_left = left;
		if (!node_create(&mount.volume, mount.volume.root, "A new directory, by name",
				 ATTRIBUTE_DIRECTORY, &node))
			n++;
		if (!node_create(&mount.volume, mount.volume.root, "a new file", 0, &node) &&
		    !file_write(&mount.volume, node, 3000, copy, 5000) &&
		    !file_resize(&mount.volume, node, 700) &&
		    !node_rename(&mount.volume, mount.volume.root, "a new file", mount.volume.root,
				 "another name of it", false))
			n++;
		if (!node_unlink(&mount.volume, mount.volume.root, "another name of it"))
			n++;
		mount.memory.nwrites_left = -1;
		look(&mount.memory);
		assert_int_equal(fat_unmount(&mount), 0);
	}
	assert_true(n > 10);
	free(copy);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_agree_with_a_model),
		cmocka_unit_test(a_kill_after_any_write_leaves_lost_clusters_at_worst),
		cmocka_unit_test(a_disk_that_fails_leaves_no_worse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
