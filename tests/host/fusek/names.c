/* sources: @servers */
/*
 * The name cache against a server that behaves as a driver may: answers that time out, numbers that
 * are used again, lies, and names that change while it is being asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fusek/file.h>
#include <fusek/mount.h>

#include "fake/kernel.h"
#include "fake/server.h"
#include "mount_tree.h"
#include "names.h"

#include <string.h>

static struct vfs_context context;

static int start(void **state)
{
	fake_init();
	fake.server = (struct server){.ops = &fake_ops, .type = "fake", .source = "fake"};
	if (mount_create(&fake.server, NULL, 0))
		return -1;
	context = vfs_kernel_context();
	return 0;
}

static int fresh(void **state)
{
	struct server server = fake.server;

	names_evict();
	memset(&fake, 0, sizeof(fake));
	fake.server = server;
	fake.node = 5;
	fake.mode = S_IFREG | 0644;
	fake.entry_valid_ns = fake.attr_valid_ns = SERVER_VALID_FOREVER;
	fake_log[0] = 0;
	return 0;
}

/* Each look-up that the server has counted is given back. */
static int settled(void **state)
{
	names_evict();
	return fake.nremembered == 0 && fake_locks_held == 0 ? 0 : -1;
}

static err_t look_at(const char *name)
{
	struct abi_stat stat;

	return vfs_stat(&context, NULL, name, 0, &stat);
}

static err_t look(void)
{
	return look_at("name");
}

static uint64_t ino_at(const char *name)
{
	struct abi_stat stat;

	assert_int_equal(vfs_stat(&context, NULL, name, 0, &stat), 0);
	return stat.st_ino;
}

static uint64_t look_ino(void)
{
	return ino_at("name");
}

/* ---- ---- */

static void what_is_valid_is_not_asked_for_again(void **state)
{
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(look(), 0);
	assert_int_equal(fake.nlookups, 1);
	assert_int_equal(fake.ngetattrs, 0); /* the entry's attributes answer the stat */
}

static void entries_and_attributes_end_with_their_time(void **state)
{
	fake.entry_valid_ns = 1000;
	fake.attr_valid_ns = 100;
	assert_int_equal(look(), 0);
	fake_now_ns += 200;
	assert_int_equal(look(), 0);
	assert_int_equal(fake.nlookups, 1);
	assert_int_equal(fake.ngetattrs, 1);
	fake_now_ns += 2000;
	assert_int_equal(look(), 0);
	assert_int_equal(fake.nlookups, 2);
	fake.entry_valid_ns = fake.attr_valid_ns = UINT64_MAX - 5; /* no overflow */
	fake_now_ns += 2000;
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
	assert_int_equal(fake.nlookups, 3);
}

static void a_revalidated_name_is_the_same_node(void **state)
{
	struct path before, after;

	fake.entry_valid_ns = 10;
	assert_int_equal(path_walk(&context, NULL, "name", 0, &before), 0);
	fake_now_ns += 100;
	assert_int_equal(path_walk(&context, NULL, "name", 0, &after), 0);
	assert_int_equal(fake.nlookups, 2);
	assert_true(path_equal(&before, &after));
	path_put(&before);
	path_put(&after);
}

static void missing_names_are_kept_only_if_the_server_says_so(void **state)
{
	fake.node = 0;
	assert_int_equal(look(), -ENOENT);
	assert_int_equal(look(), -ENOENT);
	assert_int_equal(fake.nlookups, 2);
	fake.keep_negative = true;
	fake.entry_valid_ns = 1000;
	assert_int_equal(look(), -ENOENT);
	assert_int_equal(look(), -ENOENT);
	assert_int_equal(fake.nlookups, 3);
	fake_now_ns += 5000;
	fake.node = 5;
	assert_int_equal(look(), 0);
}

static void a_number_used_again_is_something_new(void **state)
{
	struct path old;

	assert_int_equal(path_walk(&context, NULL, "name", 0, &old), 0);
	names_evict();
	fake.entry_valid_ns = 0;
	fake.generation = 2;
	assert_int_equal(look(), 0); /* still cached: valid for ever */
	path_put(&old);
	names_evict();
	assert_int_equal(path_walk(&context, NULL, "name", 0, &old), 0);
	fake.mode = S_IFDIR | 0755;
	assert_int_equal(look(), 0); /* the type has changed: another node, the old one lives on */
	path_put(&old);
}

static void lies_end_in_an_error_and_a_line(void **state)
{
	fake.mode = 0644; /* no type */
	assert_int_equal(look(), -EIO);
	assert_true(strlen(fake_log) > 0);
	fake.mode = S_IFREG;
	fake.size_bytes = UINT64_MAX;
	assert_int_equal(look(), -EIO);
	fake.size_bytes = 0;
	fake.node = 1; /* the root, as a child of itself */
	assert_int_equal(look(), -EIO);
	fake.nremembered--; /* the root is never forgotten */
	fake.node = 5;
	fake.entry_valid_ns = SERVER_VALID_FOREVER;
	fake.attr_valid_ns = 0;
	assert_int_equal(look(), 0);
	fake.mode = S_IFDIR; /* getattr: what it is has changed under us */
	assert_int_equal(look(), -EIO);
}

static void errors_of_the_server_are_passed_on(void **state)
{
	fake.error = -ENOTCONN;
	assert_int_equal(look(), -ENOTCONN);
	fake.error = 0;
	assert_int_equal(look(), 0);
}

static void remove_it(void)
{
	assert_int_equal(vfs_unlink(&context, NULL, "name", 0), 0);
}

/* The answer "it is there" overtakes the removal: it must not be kept. */
static void an_answer_from_before_a_change_is_not_kept(void **state)
{
	fake.meanwhile = remove_it;
	(void)!look();
	assert_int_equal(look(), -ENOENT);
}

static void lookup_again(void)
{
	(void)look_ino();
}

static void two_who_ask_at_once_get_one_node(void **state)
{
	struct names_stats stats;

	fake.meanwhile = lookup_again;
	assert_int_equal(look_ino(), 5);
	names_stats(&stats);
	assert_int_equal(stats.nnodes, 3); /* the root and what it stands on, and this */
	assert_int_equal(stats.ndentries, 3);
}

static void cut_it(void)
{
	assert_int_equal(vfs_truncate(&context, "name", 11), 0);
}

/* Attributes from before a local change must not bring the old size back. */
static void attributes_from_before_a_change_are_not_kept(void **state)
{
	struct abi_stat stat;

	assert_int_equal(look(), 0);
	names_evict();
	fake.attr_valid_ns = 0;
	fake.size_bytes = 99;
	assert_int_equal(look(), 0);
	fake.attr_valid_ns = SERVER_VALID_FOREVER;
	fake.meanwhile = cut_it;
	(void)!look();
	assert_int_equal(vfs_stat(&context, NULL, "name", 0, &stat), 0);
	assert_int_equal(stat.st_size, 11);
}

static void two_changes_at_once_end_in_what_the_server_has(void **state)
{
	struct abi_stat stat;

	assert_int_equal(look(), 0);
	fake.meanwhile = cut_it; /* after the change below, but its answer comes first */
	assert_int_equal(vfs_chmod(&context, NULL, "name", 0600, 0), 0);
	assert_int_equal(vfs_stat(&context, NULL, "name", 0, &stat), 0);
	assert_int_equal(stat.st_size, 11);
	assert_int_equal(stat.st_mode, S_IFREG | 0600);
	fake.ngetattrs = 0;
	assert_int_equal(vfs_chmod(&context, NULL, "name", 0640, 0), 0);
	assert_int_equal(vfs_stat(&context, NULL, "name", 0, &stat), 0);
	assert_int_equal(stat.st_mode, S_IFREG | 0640);
	assert_int_equal(fake.ngetattrs, 0); /* alone: the answer is enough */
}

/* A look-up's answer has attributes too; the node is known already and changes meanwhile. */
static void attributes_of_an_entry_are_not_newer_than_a_change(void **state)
{
	struct abi_stat stat;

	fake.entry_valid_ns = 10;
	fake.size_bytes = 99;
	assert_int_equal(look(), 0);
	fake_now_ns += 100;
	fake.entry_valid_ns = SERVER_VALID_FOREVER;
	fake.meanwhile = cut_it;
	assert_int_equal(look(), 0);
	assert_int_equal(vfs_stat(&context, NULL, "name", 0, &stat), 0);
	assert_int_equal(stat.st_size, 11);
}

static void a_server_without_create_is_asked_once(void **state)
{
	struct object *object;

	fake.node = 0;
	assert_int_equal(vfs_open(&context, NULL, "name", O_CREAT | O_WRONLY, 0600, &object), 0);
	object_put(object);
	assert_int_equal(fake.ncreates, 1);
	assert_int_equal(fake.nmknods, 1);
	remove_it();
	assert_int_equal(vfs_open(&context, NULL, "name", O_CREAT | O_WRONLY, 0600, &object), 0);
	object_put(object);
	assert_int_equal(fake.ncreates, 1);
}

static void make_it(void)
{
	fake.node = 9;
}

static void who_is_second_to_create_opens_what_is_there(void **state)
{
	struct object *object;

	fake.node = 0;
	fake.keep_negative = true;
	fake.meanwhile = make_it; /* another machine's doing: the cache does not know */
	assert_int_equal(vfs_open(&context, NULL, "name", O_CREAT | O_WRONLY, 0600, &object), 0);
	object_put(object);
	fake.node = 0;
	names_evict();
	fake.meanwhile = make_it;
	assert_int_equal(
		vfs_open(&context, NULL, "name", O_CREAT | O_EXCL | O_WRONLY, 0600, &object),
		-EEXIST);
}

/* A change of the directory, though the server refuses it. */
static void change_another_name(void)
{
	assert_int_equal(vfs_mknod(&context, NULL, "other", S_IFREG | 0600, 0), -ENOSPC);
}

static void what_was_made_is_there_whoever_else_changed_the_directory(void **state)
{
	fake.node = 0;
	fake.keep_negative = true;
	assert_int_equal(look(), -ENOENT); /* known for ever */
	fake.meanwhile = change_another_name;
	assert_int_equal(vfs_mknod(&context, NULL, "name", S_IFREG | 0600, 0), 0);
	assert_int_equal(look_ino(), 7);
}

static void renames_move_what_the_cache_has(void **state)
{
	fake.from = 6;
	assert_int_equal(look_ino(), 5);
	assert_int_equal(ino_at("from"), 6);
	fake.nlookups = 0;
	assert_int_equal(vfs_rename(&context, NULL, "from", NULL, "name", RENAME_NOREPLACE),
			 -EEXIST);
	assert_int_equal(vfs_rename(&context, NULL, "from", NULL, "name", RENAME_EXCHANGE), 0);
	assert_int_equal(look_ino(), 6);
	assert_int_equal(ino_at("from"), 5);
	assert_int_equal(vfs_rename(&context, NULL, "from", NULL, "name", 0), 0);
	assert_int_equal(look_ino(), 5);
	assert_int_equal(fake.nlookups, 0); /* the cache knew all that */
	assert_int_equal(look_at("from"), -ENOENT);
}

static void a_renamed_file_that_is_removed_at_once_is_gone(void **state)
{
	fake.from = 6;
	assert_int_equal(look_ino(), 5);
	assert_int_equal(ino_at("from"), 6);
	fake.meanwhile = remove_it; /* the new file: before the cache has it there */
	assert_int_equal(vfs_rename(&context, NULL, "from", NULL, "name", 0), 0);
	assert_int_equal(look(), -ENOENT);
	assert_int_equal(look_at("from"), -ENOENT);
}

static void look_at_the_old_name(void)
{
	assert_int_equal(ino_at("from"), 6);
}

static void the_old_name_of_a_rename_is_gone_whoever_has_looked_for_it(void **state)
{
	fake.from = 6;
	assert_int_equal(look_ino(), 5);
	fake.meanwhile = change_another_name; /* what the rename finds is not kept, but: */
	fake.beforehand = look_at_the_old_name;
	assert_int_equal(vfs_rename(&context, NULL, "from", NULL, "name", 0), 0);
	assert_int_equal(look_at("from"), -ENOENT);
	assert_int_equal(look_ino(), 6);
}

static void make_the_old_name_anew(void)
{
	assert_int_equal(vfs_rename(&context, NULL, "from", NULL, "third", 0), 0);
	assert_int_equal(vfs_mknod(&context, NULL, "from", S_IFREG | 0600, 0), 0);
}

static err_t other_getattr(struct server *server, struct nodeid node, struct server_attr *out,
			   uint64_t *attr_valid_ns)
{
	*attr_valid_ns = SERVER_VALID_FOREVER;
	*out = (struct server_attr){.ino = 99, .mode = S_IFDIR | 0755, .nlink = 2};
	return 0;
}

static void what_is_mounted_below_a_renamed_directory_stays(void **state)
{
	static const struct server_ops ops = {.getattr = other_getattr};
	static struct server other = {.ops = &ops, .type = "other", .source = "other"};
	struct path at;

	fake.mode = S_IFDIR | 0755;
	fake.node = 0;
	fake.from = 6;
	fake.third = 8;
	assert_int_equal(path_walk(&context, NULL, "from/third", 0, &at), 0);
	assert_int_equal(mount_create(&other, &at, 0), 0);
	path_put(&at);
	assert_int_equal(ino_at("from/third"), 99);
	fake.meanwhile = change_another_name; /* in the directory: the cache cannot be sure */
	assert_int_equal(vfs_rename(&context, NULL, "from", NULL, "name", 0), 0);
	assert_int_equal(ino_at("name/third"), 99);
	assert_int_equal(path_walk(&context, NULL, "name/third", 0, &at), 0);
	assert_int_equal(mount_remove(&at), 0);
}

static void remount_read_only(void)
{
	struct path root;

	assert_int_equal(path_walk(&context, NULL, "/", 0, &root), 0);
	assert_int_equal(mount_set_read_only(&root, true), -EBUSY);
	assert_int_equal(mount_set_flags(&root, MS_RDONLY, 0, false), -EBUSY);
	path_put(&root);
}

static void what_is_being_changed_does_not_become_read_only(void **state)
{
	struct path root;

	fake.node = 0;
	fake.meanwhile = remount_read_only;
	assert_int_equal(vfs_mknod(&context, NULL, "name", S_IFREG | 0600, 0), 0);
	assert_null(fake.meanwhile);
	fake.meanwhile = remount_read_only;
	assert_int_equal(vfs_chmod(&context, NULL, "name", 0600, 0), 0);
	assert_null(fake.meanwhile);
	fake.meanwhile = remount_read_only;
	assert_int_equal(vfs_rename(&context, NULL, "name", NULL, "from", 0), 0);
	assert_null(fake.meanwhile);
	/* Then it does. */
	assert_int_equal(path_walk(&context, NULL, "/", 0, &root), 0);
	assert_int_equal(mount_set_read_only(&root, true), 0);
	assert_int_equal(vfs_chmod(&context, NULL, "from", 0600, 0), -EROFS);
	assert_int_equal(mount_set_read_only(&root, false), 0);
	path_put(&root);
}

/* Between looking for the old name and moving it, it means something else. */
static void what_the_server_moves_is_what_the_cache_moves(void **state)
{
	fake.node = 0;
	fake.from = 6;
	fake.keep_negative = true;
	assert_int_equal(ino_at("from"), 6);
	fake.meanwhile = make_the_old_name_anew;
	assert_int_equal(vfs_rename(&context, NULL, "from", NULL, "name", 0), 0);
	assert_int_equal(look_ino(), 7);
	assert_int_equal(ino_at("third"), 6);
	assert_int_equal(look_at("from"), -ENOENT);
}

static void expect_one_dentry(void)
{
	struct path first, second;

	assert_int_equal(path_walk(&context, NULL, "name", 0, &first), 0);
	assert_int_equal(path_walk(&context, NULL, "name", 0, &second), 0);
	assert_true(path_equal(&first, &second));
	path_put(&first);
	path_put(&second);
}

static void look_and_change_another_name(void)
{
	(void)look_ino();
	change_another_name();
}

/* What is cached below one is not changed below the other. */
static void a_directory_has_one_dentry_whoever_changes_its_parent(void **state)
{
	fake.mode = S_IFDIR | 0755;
	fake.meanwhile = change_another_name;
	expect_one_dentry();
	names_evict();
	fake.meanwhile = look_and_change_another_name;
	expect_one_dentry();
}

static void a_file_found_by_another_meanwhile_has_one_dentry(void **state)
{
	fake.meanwhile = look_and_change_another_name;
	expect_one_dentry();
}

static void change_for_ever(void)
{
	change_another_name();
	fake.meanwhile = change_for_ever;
}

static void a_directory_that_changes_for_ever_is_found_all_the_same(void **state)
{
	fake.mode = S_IFDIR | 0755;
	fake.meanwhile = change_for_ever;
	assert_int_equal(look_ino(), 5);
	assert_in_range(fake.nlookups, 2, 100);
	fake.meanwhile = NULL;
	expect_one_dentry();
}

/* At once with that of "from" to "name/third", which the server says it has done as well. */
static void move_the_other_way(void)
{
	fake.third = 0;
	assert_int_equal(vfs_rename(&context, NULL, "name", NULL, "from/third", 0), 0);
	fake.third = 0;
	fake.from = 6;
}

static void directories_never_stand_below_each_other(void **state)
{
	const unsigned flags[] = {0, RENAME_EXCHANGE};

	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct dentry *at;
		unsigned nsteps = 0;
		struct path path;

		fresh(NULL);
		fake.mode = S_IFDIR | 0755;
		fake.from = 6;
		fake.third = flags[i] ? 8 : 0;
		assert_int_equal(path_walk(&context, NULL, "from", 0, &path), 0);
		fake.beforehand = move_the_other_way;
		(void)!vfs_rename(&context, NULL, "from", NULL, "name/third", flags[i]);
		for (at = path.dentry; at && nsteps < 10; at = dentry_key(at)->parent)
			nsteps++;
		assert_null(at);
		path_put(&path);
	}
}

static void a_mode_is_believed_for_as_long_as_the_server_said(void **state)
{
	struct abi_stat stat;
	struct vfs_context user = context;

	user.uid = user.gid = 1000;
	user.capabilities = 0;
	user.own_capabilities = 0;
	fake.server.flags = SERVER_MODES_EXPIRE;
	fake.mode = S_IFDIR | 0755;
	fake.from = 6;
	fake.attr_valid_ns = 100;
	assert_int_equal(vfs_stat(&user, NULL, "name/from", 0, &stat), 0);
	fake.mode = S_IFDIR | 0700;
	assert_int_equal(vfs_stat(&user, NULL, "name/from", 0, &stat), 0);
	fake_now_ns += 200;
	assert_int_equal(vfs_stat(&user, NULL, "name/from", 0, &stat), -EACCES);
	fake.server.flags = 0;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fresh, settled)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_valid_is_not_asked_for_again),
		TEST(entries_and_attributes_end_with_their_time),
		TEST(a_revalidated_name_is_the_same_node),
		TEST(missing_names_are_kept_only_if_the_server_says_so),
		TEST(a_number_used_again_is_something_new),
		TEST(lies_end_in_an_error_and_a_line),
		TEST(errors_of_the_server_are_passed_on),
		TEST(an_answer_from_before_a_change_is_not_kept),
		TEST(two_who_ask_at_once_get_one_node),
		TEST(attributes_from_before_a_change_are_not_kept),
		TEST(two_changes_at_once_end_in_what_the_server_has),
		TEST(attributes_of_an_entry_are_not_newer_than_a_change),
		TEST(a_server_without_create_is_asked_once),
		TEST(who_is_second_to_create_opens_what_is_there),
		TEST(what_was_made_is_there_whoever_else_changed_the_directory),
		TEST(a_directory_has_one_dentry_whoever_changes_its_parent),
		TEST(a_file_found_by_another_meanwhile_has_one_dentry),
		TEST(a_directory_that_changes_for_ever_is_found_all_the_same),
		TEST(renames_move_what_the_cache_has),
		TEST(a_renamed_file_that_is_removed_at_once_is_gone),
		TEST(the_old_name_of_a_rename_is_gone_whoever_has_looked_for_it),
		TEST(what_is_mounted_below_a_renamed_directory_stays),
		TEST(what_is_being_changed_does_not_become_read_only),
		TEST(what_the_server_moves_is_what_the_cache_moves),
		TEST(directories_never_stand_below_each_other),
		TEST(a_mode_is_believed_for_as_long_as_the_server_said),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
