/*
 * Hash tables: buckets of lists, doubled when there are more elements than buckets.
 */
#include "hash.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS_FIRST 16

int hash_init(struct hash *hash)
{
	*hash = (struct hash){.nbuckets = BUCKETS_FIRST};
	hash->buckets = calloc(hash->nbuckets, sizeof(struct hash_link *));
	return hash->buckets ? 0 : -ENOMEM;
}

void hash_destroy(struct hash *hash)
{
	free(hash->buckets);
	*hash = (struct hash){0};
}

/* Fibonacci hashing: the upper bits of the product depend on all of the key's. */
static struct hash_link **bucket(struct hash_link **buckets, size_t nbuckets, uint64_t key)
{
	return &buckets[(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (nbuckets - 1)];
}

static void grow(struct hash *hash)
{
	size_t nbuckets = hash->nbuckets * 2;
	struct hash_link **buckets = calloc(nbuckets, sizeof(struct hash_link *));
	struct hash_link *link, *next, **to;

	if (!buckets)
		return;
	for (size_t i = 0; i < hash->nbuckets; i++) {
		for (link = hash->buckets[i]; link; link = next) {
			next = link->next;
			to = bucket(buckets, nbuckets, link->key);
			link->next = *to;
			*to = link;
		}
	}
	free(hash->buckets);
	hash->buckets = buckets;
	hash->nbuckets = nbuckets;
}

void hash_insert(struct hash *hash, struct hash_link *link, uint64_t key)
{
	struct hash_link **to;

	if (hash->n++ >= hash->nbuckets)
		grow(hash);
	to = bucket(hash->buckets, hash->nbuckets, key);
	link->key = key;
	link->next = *to;
	*to = link;
}

void hash_remove(struct hash *hash, struct hash_link *link)
{
	struct hash_link **at = bucket(hash->buckets, hash->nbuckets, link->key);

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	hash->n--;
}

static struct hash_link *first_of(struct hash_link *link, uint64_t key)
{
	while (link && link->key != key)
		link = link->next;
	return link;
}

struct hash_link *hash_find(const struct hash *hash, uint64_t key)
{
	return first_of(*bucket(hash->buckets, hash->nbuckets, key), key);
}

struct hash_link *hash_find_next(const struct hash_link *link)
{
	return first_of(link->next, link->key);
}

struct hash_link *hash_take(struct hash *hash)
{
	for (size_t i = 0; i < hash->nbuckets; i++) {
		struct hash_link *link = hash->buckets[i];

		if (link) {
			hash->buckets[i] = link->next;
			hash->n--;
			return link;
		}
	}
	return NULL;
}
