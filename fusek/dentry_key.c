/*
 * What a dentry is found by: the directory that it stands in and its name, with their hash. A key
 * does not change; a rename gives its dentry another one.
 */
#include "dentry_priv.h"

#include <arch/cpu.h>
#include <lib/string.h>
#include <mm/slab.h>

uint64_t name_hash_seed;

void name_hash_begin(void)
{
	if (!name_hash_seed)
		name_hash_seed = cpu_random();
}

struct dentry_key *dentry_key_create(struct dentry *parent, struct server_name name)
{
	struct dentry_key *key = kzalloc(sizeof(*key) + name.len_bytes + 1);

	if (!key)
		return NULL;
	key->parent = parent ? dentry_get(parent) : NULL;
	key->hash = name_hash(parent, name.text, name.len_bytes);
	key->len_bytes = (uint16_t)name.len_bytes;
	memcpy(key->text, name.text, name.len_bytes);
	return key;
}

static void free_key(struct rcu_head *head)
{
	kfree(container_of(head, struct dentry_key, rcu));
}

struct dentry *dentry_key_take_apart(struct dentry_key *key)
{
	struct dentry *parent = key->parent;

	rcu_call(&key->rcu, free_key);
	return parent;
}

void dentry_key_free(struct dentry_key *key)
{
	if (key)
		dentry_put(dentry_key_take_apart(key));
}
