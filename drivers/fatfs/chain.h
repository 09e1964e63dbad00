/*
 * The clusters of a file or directory by their index. Every CHAIN_STEP-th is remembered once it has
 * been passed, so a place in the middle is not walked to from the beginning.
 */
#ifndef FATFS_CHAIN_H
#define FATFS_CHAIN_H

#include "table.h"

#define CHAIN_STEP 64

struct chain {
	uint32_t first;   /* 0: there is none */
	uint32_t *points; /* clusters with the indices 0, CHAIN_STEP, 2 * CHAIN_STEP ... */
	uint32_t npoints, room;
	uint32_t far_index, far_cluster;   /* as far as it has been walked */
	uint32_t hare_limit, hare_cluster; /* Brent's: meeting this one again means a circle */
	uint32_t last_index, last_cluster; /* what was asked for last */
};

void chain_init(struct chain *chain, uint32_t first);
void chain_destroy(struct chain *chain);

/* The cluster with this index; 0: the chain ends before. -EIO: it runs in a circle, or leads out of
 * the volume. -ENOMEM. */
int chain_at(struct volume *volume, struct chain *chain, uint32_t index, uint32_t *cluster);
/* How many clusters there are, but `most` at most. */
int chain_length(struct volume *volume, struct chain *chain, uint32_t most, uint32_t *out);
/* Links n fresh clusters to the end, behind `length` ones; an empty chain gets its `first`, which
 * the caller writes down. */
int chain_grow(struct volume *volume, struct chain *chain, uint32_t length, uint32_t n);
/* Frees all but `length` clusters. Where that is none, nothing may lead to the first one any more.
 */
int chain_cut(struct volume *volume, struct chain *chain, uint32_t length);

#endif
