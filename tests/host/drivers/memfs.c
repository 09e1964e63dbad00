/* sources: drivers/memfs/pages.c drivers/memfs/data.c drivers/memfs/node.c drivers/memfs/names.c
	drivers/common/hash.c */
/*
 * memfs without libfuse: contents against a model that is an array, names, limits, and that all of
 * it is given back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES (40 * PAGE_BYTES)

static struct memfs memfs;
static uint64_t random_state = 1;

void xattrs_free(struct node *node)
{
	assert_null(node->xattrs);
}

void locks_free(struct memfs *of, struct node *node)
{
	assert_null(node->ranges);
}

static unsigned below(unsigned n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % n;
}

static int begin(void **state)
{
	int err;

	memfs = (struct memfs){.next_ino = 1, .next_cookie = 3};
	memfs.pages.limit = 64;
	memfs.inodes.limit = 20;
	assert_int_equal(hash_init(&memfs.names), 0);
	assert_int_equal(hash_init(&memfs.cookies), 0);
	memfs.root = node_new(&memfs, S_IFDIR | 0755, 0, 0, 0, &err);
	assert_non_null(memfs.root);
	memfs.root->nlinks = 2;
	return 0;
}

static int end(void **state)
{
	struct hash_link *link;

	while ((link = hash_take(&memfs.names)))
		free(hash_entry(link, struct name, by_text));
	while (memfs.nodes)
		node_free(&memfs, memfs.nodes);
	assert_int_equal(memfs.pages.used, 0);
	assert_int_equal(memfs.inodes.used, 0);
	hash_destroy(&memfs.names);
	hash_destroy(&memfs.cookies);
	return 0;
}

static struct node *make(struct node *in, const char *text, mode_t mode)
{
	int err;
	struct node *node = node_new(&memfs, mode, 0, 0, 0, &err);

	assert_non_null(node);
	assert_int_equal(names_add(&memfs, in, text, node), 0);
	node_forget(&memfs, node, 1);
	return node;
}

/* ---- contents ---- */

static char model[FILE_BYTES];
static uint64_t model_bytes;
static bool has_page[FILE_BYTES / PAGE_BYTES];

static void check(const struct node *node)
{
	unsigned n = 0;

	assert_int_equal(node->size_bytes, model_bytes);
	for (unsigned i = 0; i < FILE_BYTES / PAGE_BYTES; i++) {
		static const char zeros[PAGE_BYTES];
		const char *page = pages_get(&node->pages, i);

		assert_int_equal(page != NULL, has_page[i]);
		assert_memory_equal(page ? page : zeros, model + i * PAGE_BYTES, PAGE_BYTES);
		n += has_page[i];
	}
	assert_int_equal(node->pages.n, n);
	assert_int_equal(memfs.pages.used, n);
}

static void model_write(struct node *node)
{
	static char bytes[3 * PAGE_BYTES];
	unsigned at = below(FILE_BYTES - sizeof(bytes)), n = 1 + below(sizeof(bytes) - 1);
	size_t done;

	memset(bytes, (int)(1 + below(255)), n);
	assert_int_equal(data_write(&memfs, node, at, bytes, n, &done), 0);
	assert_int_equal(done, n);
	memcpy(model + at, bytes, n);
	for (unsigned i = at / PAGE_BYTES; i <= (at + n - 1) / PAGE_BYTES; i++)
		has_page[i] = true;
	if (at + n > model_bytes)
		model_bytes = at + n;
}

static void model_resize(struct node *node)
{
	unsigned size = below(FILE_BYTES);

	data_resize(&memfs, node, size);
	if (size < model_bytes) {
		memset(model + size, 0, FILE_BYTES - size);
		for (unsigned i = (size + PAGE_BYTES - 1) / PAGE_BYTES; i < FILE_BYTES / PAGE_BYTES;
		     i++)
			has_page[i] = false;
	}
	model_bytes = size;
}

static void model_punch(struct node *node)
{
	unsigned at = below(FILE_BYTES - 1), n = 1 + below(FILE_BYTES - at - 1);

	data_punch(&memfs, node, at, n);
	memset(model + at, 0, n);
	for (unsigned i = 0; i < FILE_BYTES / PAGE_BYTES; i++) {
		if (i * PAGE_BYTES >= at && (i + 1) * PAGE_BYTES <= at + n)
			has_page[i] = false;
	}
}

static void model_reserve(struct node *node)
{
	unsigned at = below(FILE_BYTES - 1), n = 1 + below(FILE_BYTES - at - 1);

	assert_int_equal(data_reserve(&memfs, node, at, n), 0);
	for (unsigned i = at / PAGE_BYTES; i <= (at + n - 1) / PAGE_BYTES; i++)
		has_page[i] = true;
}

static off_t model_seek(off_t at, bool data)
{
	if (at >= (off_t)model_bytes)
		return -ENXIO;
	while (at < (off_t)model_bytes && has_page[at / PAGE_BYTES] != data)
		at = (at / PAGE_BYTES + 1) * PAGE_BYTES;
	if (at >= (off_t)model_bytes)
		return data ? -ENXIO : (off_t)model_bytes;
	return at;
}

static void contents_agree_with_a_model(void **state)
{
	struct node *node = make(memfs.root, "f", S_IFREG | 0644);

	for (unsigned i = 0; i < 4000; i++) {
		off_t at = below(FILE_BYTES);

		switch (below(5)) {
		case 0:
			model_resize(node);
			break;
		case 1:
			model_punch(node);
			break;
		case 2:
			if (below(4) == 0)
				model_reserve(node);
			break;
		default:
			model_write(node);
			break;
		}
		check(node);
		assert_int_equal(data_seek(node, at, SEEK_DATA), model_seek(at, true));
		assert_int_equal(data_seek(node, at, SEEK_HOLE), model_seek(at, false));
	}
	assert_int_equal(data_seek(node, 0, SEEK_SET), -EINVAL);
	assert_int_equal(names_take(&memfs, memfs.root, "f", false), 0);
	assert_int_equal(memfs.pages.used, 0);
}

static void a_file_may_have_its_only_pages_far_apart(void **state)
{
	static const uint64_t places[] = {
		0, 511, 512, UINT64_C(1) << 18, UINT64_C(1) << 27, (UINT64_C(1) << 51) - 1};
	struct pages pages = {.root = NULL};
	bool full;

	for (unsigned i = 0; i < 6; i++) {
		char *page = pages_make(&pages, &memfs.pages, places[i], &full);

		assert_non_null(page);
		page[0] = (char)i;
	}
	assert_int_equal(pages.n, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(pages_get(&pages, places[i])[0], i);
		assert_int_equal(pages_next(&pages, places[i]), places[i]);
		assert_int_equal(pages_next(&pages, places[i] + 1),
				 i < 5 ? places[i + 1] : PAGE_NONE);
		assert_null(pages_get(&pages, places[i] + 2));
	}
	assert_null(pages_get(&pages, PAGE_NONE));
	pages_drop(&pages, &memfs.pages, 1, 511);
	pages_drop(&pages, &memfs.pages, 513, UINT64_C(1) << 27);
	assert_int_equal(pages.n, 3);
	assert_int_equal(pages_next(&pages, 1), 512);
	assert_int_equal(pages_next(&pages, 513), (UINT64_C(1) << 51) - 1);
	pages_drop(&pages, &memfs.pages, 0, PAGE_NONE);
	assert_int_equal(pages.n, 0);
	assert_null(pages.root);
	assert_int_equal(memfs.pages.used, 0);
}

static void the_limit_ends_a_write_in_its_middle(void **state)
{
	static char bytes[70 * PAGE_BYTES];
	struct node *node = make(memfs.root, "f", S_IFREG | 0644);
	size_t done;

	assert_int_equal(data_write(&memfs, node, 100, bytes, sizeof(bytes), &done), -ENOSPC);
	assert_int_equal(done, 64 * PAGE_BYTES - 100);
	assert_int_equal(node->size_bytes, 64 * PAGE_BYTES);
	assert_int_equal(data_reserve(&memfs, node, 0, sizeof(bytes)), -ENOSPC);
	assert_int_equal(memfs.pages.used, 64);
	data_resize(&memfs, node, 1);
	assert_int_equal(memfs.pages.used, 1);
	assert_int_equal(data_reserve(&memfs, node, 0, sizeof(bytes)), -ENOSPC);
	assert_int_equal(data_reserve(&memfs, node, 0, UINT64_C(1) << 60), -ENOSPC);
	assert_int_equal(memfs.pages.used, 1);
	assert_int_equal(data_reserve(&memfs, node, 0, 64 * PAGE_BYTES), 0);
	assert_int_equal(names_take(&memfs, memfs.root, "f", false), 0);
}

/* ---- names ---- */

static void links_are_counted_and_the_last_one_frees(void **state)
{
	struct node *a = make(memfs.root, "a", S_IFDIR | 0755), *b, *file, *other;
	int err;

	b = make(a, "b", S_IFDIR | 0755);
	assert_int_equal(memfs.root->nlinks, 3);
	assert_int_equal(a->nlinks, 3);
	file = make(b, "f", S_IFREG | 0644);
	assert_int_equal(names_add(&memfs, a, "g", file), 0);
	assert_int_equal(file->nlinks, 2);
	assert_int_equal(names_add(&memfs, a, "g", file), -EEXIST);
	assert_int_equal(names_rename(&memfs, b, "f", a, "g", 0),
			 0); /* one file: nothing happens */
	assert_non_null(name_find(&memfs, b, "f"));
	assert_int_equal(names_rename(&memfs, memfs.root, "a", b, "x", 0), -EINVAL);
	assert_int_equal(names_rename(&memfs, a, "b", memfs.root, "b", RENAME_NOREPLACE), 0);
	assert_int_equal(memfs.root->nlinks, 4);
	assert_int_equal(a->nlinks, 2);
	assert_ptr_equal(b->parent, memfs.root);
	assert_int_equal(names_rename(&memfs, b, "f", a, "g", RENAME_NOREPLACE), -EEXIST);
	assert_int_equal(names_rename(&memfs, b, "f", memfs.root, "a", 0), -EISDIR);
	assert_int_equal(names_rename(&memfs, memfs.root, "a", b, "f", 0), -ENOTDIR);
	assert_int_equal(names_rename(&memfs, memfs.root, "b", memfs.root, "a", 0), -ENOTEMPTY);
	assert_int_equal(names_rename(&memfs, memfs.root, "a", b, "f", RENAME_EXCHANGE), 0);
	assert_ptr_equal(a->parent, b);
	assert_int_equal(memfs.root->nlinks, 3);
	assert_int_equal(b->nlinks, 3);
	assert_int_equal(names_rename(&memfs, b, "f", memfs.root, "b", RENAME_EXCHANGE), -EINVAL);
	assert_int_equal(names_rename(&memfs, b, "f", b, "no", RENAME_EXCHANGE), -ENOENT);
	assert_int_equal(names_rename(&memfs, b, "f", b, "no", RENAME_WHITEOUT), -EINVAL);
	assert_int_equal(names_take(&memfs, memfs.root, "a", true), -ENOTDIR);
	assert_int_equal(names_take(&memfs, b, "f", false), -EISDIR);
	assert_int_equal(names_take(&memfs, b, "f", true), -ENOTEMPTY);
	assert_int_equal(names_take(&memfs, a, "g", false), 0);
	assert_int_equal(names_take(&memfs, memfs.root, "a", false), 0);
	a->nlookups++; /* somebody is in it */
	assert_int_equal(names_take(&memfs, b, "f", true), 0);
	assert_int_equal(a->nlinks, 0);
	other = node_new(&memfs, S_IFREG, 0, 0, 0, &err);
	assert_int_equal(names_add(&memfs, a, "late", other), -ENOENT);
	node_forget(&memfs, other, 1);
	node_forget(&memfs, a, 1);
	assert_int_equal(names_take(&memfs, memfs.root, "b", true), 0);
	assert_int_equal(memfs.inodes.used, 1);
	assert_int_equal(memfs.root->nlinks, 2);
}

static void a_name_has_255_bytes_at_most(void **state)
{
	char text[NAME_BYTES_MAX + 2];
	struct node *node;
	int err;

	memset(text, 'n', NAME_BYTES_MAX + 1);
	text[NAME_BYTES_MAX + 1] = 0;
	node = node_new(&memfs, S_IFREG, 0, 0, 0, &err);
	assert_int_equal(names_add(&memfs, memfs.root, text, node), -ENAMETOOLONG);
	assert_int_equal(names_add(&memfs, memfs.root, "short", node), 0);
	assert_int_equal(names_rename(&memfs, memfs.root, "short", memfs.root, text, 0),
			 -ENAMETOOLONG);
	text[NAME_BYTES_MAX] = 0;
	assert_int_equal(names_rename(&memfs, memfs.root, "short", memfs.root, text, 0), 0);
	assert_int_equal(names_take(&memfs, memfs.root, text, false), 0);
	node_forget(&memfs, node, 1);
}

static void a_reader_keeps_its_place(void **state)
{
	char text[8];
	uint64_t cookie = 0;
	unsigned seen = 0;

	for (unsigned i = 0; i < 15; i++) {
		snprintf(text, sizeof(text), "n%u", i);
		(void)make(memfs.root, text, S_IFREG);
	}
	for (struct name *name; (name = name_behind(&memfs, memfs.root, cookie)); seen++) {
		cookie = name->cookie;
		assert_int_equal(atoi(name->text + 1), seen);
		/* What was just read is removed, sometimes, and comes again at the end. */
		if (seen % 3 == 0)
			assert_int_equal(names_take(&memfs, memfs.root, name->text, false), 0);
	}
	assert_int_equal(seen, 15);
	while (memfs.root->first)
		assert_int_equal(names_take(&memfs, memfs.root, memfs.root->first->text, false), 0);
}

static void files_are_limited_as_well(void **state)
{
	struct node *made[20];
	int err;

	for (unsigned i = 0; i < 19; i++)
		made[i] = node_new(&memfs, S_IFREG, 0, 0, 0, &err);
	assert_null(node_new(&memfs, S_IFREG, 0, 0, 0, &err));
	assert_int_equal(err, -ENOSPC);
	for (unsigned i = 0; i < 19; i++)
		node_forget(&memfs, made[i], 1);
	assert_int_equal(memfs.inodes.used, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(contents_agree_with_a_model, begin, end),
		cmocka_unit_test_setup_teardown(a_file_may_have_its_only_pages_far_apart, begin,
						end),
		cmocka_unit_test_setup_teardown(the_limit_ends_a_write_in_its_middle, begin, end),
		cmocka_unit_test_setup_teardown(links_are_counted_and_the_last_one_frees, begin,
						end),
		cmocka_unit_test_setup_teardown(a_name_has_255_bytes_at_most, begin, end),
		cmocka_unit_test_setup_teardown(a_reader_keeps_its_place, begin, end),
		cmocka_unit_test_setup_teardown(files_are_limited_as_well, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
