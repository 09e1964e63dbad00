/*
 * What a dentry is found by: the directory that it stands in and its name, with their hash. A key
 * does not change; a rename gives its dentry another one.
 */
#include "dentry_priv.h"

#include <arch/cpu.h>
#include <lib/string.h>
#include <mm/slab.h>

static uint64_t hash_seed; /* so that nobody can choose names of one bucket; set before any */

void name_hash_begin(void)
{
	if (!hash_seed)
		hash_seed = cpu_random();
}

/* Up to seven bytes as one number, without a loop: two texts of one length never have the same. */
static uint64_t tail_of(const char *text, size_t len_bytes)
{
	uint32_t low, high;

	if (len_bytes >= 4) {
		memcpy(&low, text, 4);
		memcpy(&high, text + len_bytes - 4, 4);
		return low | (uint64_t)high << 32;
	}
	if (!len_bytes)
		return 0;
	return (uint8_t)text[0] | (uint64_t)(uint8_t)text[len_bytes / 2] << 8 |
	       (uint64_t)(uint8_t)text[len_bytes - 1] << 16;
}

/* A multiplication carries to higher bits only, so upper ones are brought down before it: not by
 * half the word, since the halves of a tail of four bytes are the same. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash ^= word;
	hash ^= hash >> 29;
	return hash * UINT64_C(0x9e3779b97f4a7c15);
}

uint32_t name_hash(const struct dentry *parent, const char *text, size_t len_bytes)
{
	uint64_t hash = (uint64_t)parent ^ read_once(&hash_seed);

	for (; len_bytes >= 8; text += 8, len_bytes -= 8) {
		uint64_t word;

		memcpy(&word, text, 8);
		hash = mix(hash, word);
	}
	return (uint32_t)(mix(hash, tail_of(text, len_bytes) + len_bytes) >> 32);
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
