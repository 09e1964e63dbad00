/*
 * The allocation table: which cluster follows which, and which are free. A chain is a file's or a
 * directory's way through it.
 */
#ifndef FATFS_TABLE_H
#define FATFS_TABLE_H

#include "volume.h"

#define CLUSTER_FREE 0
#define CLUSTER_END  0xffffffffu /* the chain's last one, whatever the disk says for it */
#define CLUSTER_BAD  0xfffffff7u

/* How many clusters a table of this width can number. */
uint32_t table_clusters_max(unsigned width);

/* An entry as it is; the upper four bits of FAT32's are not part of it. */
int table_raw(struct volume *volume, uint32_t cluster, uint32_t *out);
/* What follows `cluster`: a cluster that the volume has, or one of CLUSTER_*. -EIO: none of them.
 */
int table_next(struct volume *volume, uint32_t cluster, uint32_t *out);
/* The entries of `n` clusters from `first` on, raw or CLUSTER_END; in all tables. */
int table_write(struct volume *volume, uint32_t first, const uint32_t *values, unsigned n);

/* A chain of n (at least one) fresh clusters, which nothing leads to. -ENOSPC. */
int table_take(struct volume *volume, uint32_t n, uint32_t *first);
/* Gives back a chain that nothing leads to any more. -EIO: something in it was not as it must be;
 * all before is free. */
int table_give(struct volume *volume, uint32_t first);
/* Free clusters, counted if nobody knows. */
int table_free_count(struct volume *volume, uint32_t *out);

#endif
