/*
 * Hash tables of what has a struct hash_link in it, for our drivers. A key may be there several
 * times. Inserting cannot fail: without memory for more buckets, those that there are get longer.
 * The caller locks.
 */
#ifndef DRIVERS_HASH_H
#define DRIVERS_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_link {
	struct hash_link *next;
	uint64_t key;
};

struct hash {
	struct hash_link **buckets;
	size_t nbuckets; /* a power of two */
	size_t n;
};

#define hash_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

/* 0, or -ENOMEM. */
int hash_init(struct hash *hash);
/* What is in it is the caller's. */
void hash_destroy(struct hash *hash);
void hash_insert(struct hash *hash, struct hash_link *link, uint64_t key);
/* It must be in there. */
void hash_remove(struct hash *hash, struct hash_link *link);
/* One with this key, and the next such one after it; NULL: there is none. */
struct hash_link *hash_find(const struct hash *hash, uint64_t key);
struct hash_link *hash_find_next(const struct hash_link *link);
/* Takes any one out; NULL: it is empty. For the end of a table: it looks through all buckets. */
struct hash_link *hash_take(struct hash *hash);

#endif
