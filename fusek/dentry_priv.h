/*
 * The name cache's insides, for its files: dentry.c puts names in and takes them out,
 * dentry_evict.c chooses which have to go, dentry_key.c has what they are found by.
 */
#ifndef FUSEK_DENTRY_PRIV_H
#define FUSEK_DENTRY_PRIV_H

#include "names.h"

#define DENTRY_BUCKETS 4096

/* Before the first name; again, nothing happens. */
void name_hash_begin(void);

/* The key goes when nobody reads it any more; its reference to the parent becomes the caller's. */
struct dentry *dentry_key_take_apart(struct dentry_key *key);

/* The first one of a bucket, or NULL; the others by hash_next. */
struct dentry *dentry_bucket_locked(unsigned index) REQUIRES(names_lock);

/* names_lock: what is in the cache, newest first. */
extern struct list all_dentries;

/* The cache's reference becomes the caller's, who puts it without the lock. */
void dentry_leave_cache_locked(struct dentry *dentry) REQUIRES(names_lock);

/* A few of the oldest go if there are more than there shall be. */
void dentry_evict_if_many(void);

#endif
