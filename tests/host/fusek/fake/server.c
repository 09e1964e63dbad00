/*
 * The fake server: state in one struct, which the tests set and read.
 */
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel.h"

#include <string.h>

struct fake_server fake;

static void happen(void (**what)(void))
{
	void (*once)(void) = *what;

	assert_int_equal(fake_locks_held, 0); /* nothing is held while a server is asked */
	*what = NULL;
	if (once)
		once();
}

static void happen_meanwhile(void)
{
	happen(&fake.meanwhile);
}

static void fill(struct server_entry *out, uint64_t node)
{
	*out = (struct server_entry){
		.node = {node},
		.generation = fake.generation,
		.entry_valid_ns = fake.entry_valid_ns,
		.attr_valid_ns = fake.attr_valid_ns,
		.attr = {
			.ino = node, .mode = fake.mode, .nlink = 1, .size_bytes = fake.size_bytes}};
	if (node)
		fake.nremembered++;
}

/* NULL: a name that never is there. */
static uint64_t *node_of(struct server_name name)
{
	if (name.len_bytes == 4 && memcmp(name.text, "name", 4) == 0)
		return &fake.node;
	if (name.len_bytes == 4 && memcmp(name.text, "from", 4) == 0)
		return &fake.from;
	if (name.len_bytes == 5 && memcmp(name.text, "third", 5) == 0)
		return &fake.third;
	return NULL;
}

static err_t fake_lookup(struct server *server, const struct server_caller *caller,
			 struct nodeid parent, struct server_name name, struct server_entry *out)
{
	const uint64_t *node = node_of(name);

	fake.nlookups++;
	if (fake.error)
		return fake.error;
	if (!node || (!*node && !fake.keep_negative))
		return -ENOENT;
	fill(out, *node); /* what is true now, but the answer takes its time */
	happen_meanwhile();
	return 0;
}

static void fake_forget(struct server *server, struct nodeid node, uint64_t nlookup)
{
	assert_int_equal(fake_locks_held, 0);
	fake.nremembered -= (int64_t)nlookup;
}

static err_t fake_getattr(struct server *server, struct nodeid node, struct server_attr *out,
			  uint64_t *attr_valid_ns)
{
	if (nodeid_equal(node, SERVER_ROOT)) {
		*out = (struct server_attr){.ino = 1, .mode = S_IFDIR | 0755, .nlink = 2};
		*attr_valid_ns = SERVER_VALID_FOREVER;
		return 0;
	}
	fake.ngetattrs++;
	*out = (struct server_attr){
		.ino = node.value, .mode = fake.mode, .nlink = 1, .size_bytes = fake.size_bytes};
	*attr_valid_ns = fake.attr_valid_ns;
	happen_meanwhile();
	return 0;
}

static err_t fake_setattr(struct server *server, const struct server_caller *caller,
			  struct nodeid node, const struct server_setattr *set,
			  struct server_attr *out, uint64_t *attr_valid_ns)
{
	if (set->valid & SETATTR_SIZE)
		fake.size_bytes = set->size_bytes;
	if (set->valid & SETATTR_MODE)
		fake.mode = (fake.mode & S_IFMT) | set->mode;
	*out = (struct server_attr){
		.ino = node.value, .mode = fake.mode, .nlink = 1, .size_bytes = fake.size_bytes};
	*attr_valid_ns = fake.attr_valid_ns;
	happen_meanwhile();
	return 0;
}

static err_t fake_create(struct server *server, const struct server_caller *caller,
			 struct nodeid parent, struct server_name name, uint32_t mode,
			 unsigned flags, struct server_entry *entry, struct server_open *out)
{
	fake.ncreates++;
	return -ENOSYS;
}

static err_t fake_mknod(struct server *server, const struct server_caller *caller,
			struct nodeid parent, struct server_name name, uint32_t mode, uint64_t rdev,
			struct server_entry *out)
{
	uint64_t *node = node_of(name);

	fake.nmknods++;
	if (!node)
		return -ENOSPC;
	if (*node)
		return -EEXIST;
	*node = 7;
	fill(out, *node);
	happen_meanwhile();
	return 0;
}

static err_t fake_unlink(struct server *server, const struct server_caller *caller,
			 struct nodeid parent, struct server_name name)
{
	uint64_t *node = node_of(name);

	if (!node || !*node)
		return -ENOENT;
	*node = 0;
	return 0;
}

static err_t fake_rename(struct server *server, const struct server_caller *caller,
			 struct nodeid old_parent, struct server_name old_name,
			 struct nodeid new_parent, struct server_name new_name, unsigned flags)
{
	uint64_t *from = node_of(old_name), *to = node_of(new_name), replaced;

	happen(&fake.beforehand);
	if (!from || !to || !*from)
		return -ENOENT;
	replaced = *to;
	*to = *from;
	*from = (flags & RENAME_EXCHANGE) ? replaced : 0;
	happen_meanwhile();
	return 0;
}

const struct server_ops fake_ops = {
	.lookup = fake_lookup,
	.forget = fake_forget,
	.getattr = fake_getattr,
	.setattr = fake_setattr,
	.create = fake_create,
	.mknod = fake_mknod,
	.unlink = fake_unlink,
	.rename = fake_rename,
};
