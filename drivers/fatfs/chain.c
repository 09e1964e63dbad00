/*
 * Chains by index. A circle is found by Brent's method while the chain is walked for the first
 * time: one cluster is remembered, and replaced whenever twice as many have been passed; who meets
 * it again has gone around.
 */
#include "chain.h"

#include <errno.h>
#include <stdlib.h>

void chain_init(struct chain *chain, uint32_t first)
{
	*chain = (struct chain){.first = first};
}

void chain_destroy(struct chain *chain)
{
	free(chain->points);
	chain_init(chain, 0);
}

/* Forgets all that is not before `length`; that much has been walked. */
static void forget_behind(struct chain *chain, uint32_t length)
{
	chain->last_cluster = 0;
	chain->hare_cluster = 0;
	chain->hare_limit = 0;
	if (chain->far_index < length || !chain->npoints)
		return;
	chain->npoints = length ? (length - 1) / CHAIN_STEP + 1 : 0;
	if (!chain->npoints)
		return;
	chain->far_index = (chain->npoints - 1) * CHAIN_STEP;
	chain->far_cluster = chain->points[chain->npoints - 1];
}

static int add_point(struct chain *chain, uint32_t cluster)
{
	if (chain->npoints == chain->room) {
		uint32_t room = chain->room ? chain->room * 2 : 4;
		uint32_t *points = realloc(chain->points, room * sizeof(*points));

		if (!points)
			return -ENOMEM;
		chain->points = points;
		chain->room = room;
	}
	chain->points[chain->npoints++] = cluster;
	return 0;
}

/* One step in a chain; 0: there is no next one. */
static int step(struct volume *volume, const struct chain *chain, uint32_t cluster, uint32_t *next)
{
	int err = table_next(volume, cluster, next);

	if (err)
		return err;
	if (*next == CLUSTER_END)
		*next = 0;
	else if (*next == CLUSTER_FREE || *next == CLUSTER_BAD)
		return volume_report(volume,
				     "table: the chain of cluster %u comes to %u, which is %s",
				     chain->first, cluster, *next ? "bad" : "free");
	return 0;
}

/* Where nobody has been yet. 0 in *cluster: the end. */
static int walk_on(struct volume *volume, struct chain *chain, uint32_t index, uint32_t *cluster)
{
	int err;

	if (!chain->npoints) {
		if (!volume_has(volume, chain->first))
			return volume_report(volume, "a chain begins with cluster %u, of %u",
					     chain->first, volume->nclusters + 1);
		err = add_point(chain, chain->first);
		if (err)
			return err;
		chain->far_index = 0;
		chain->far_cluster = chain->first;
	}
	while (chain->far_index < index) {
		err = step(volume, chain, chain->far_cluster, cluster);
		if (err || !*cluster)
			return err;
		if (*cluster == chain->hare_cluster)
			return volume_report(volume,
					     "table: the chain of cluster %u runs in a circle",
					     chain->first);
		if ((chain->far_index + 1) % CHAIN_STEP == 0) {
			err = add_point(chain, *cluster);
			if (err)
				return err;
		}
		chain->far_cluster = *cluster;
		if (++chain->far_index >= chain->hare_limit) {
			chain->hare_limit = chain->far_index * 2;
			chain->hare_cluster = *cluster;
		}
	}
	*cluster = chain->far_cluster;
	return 0;
}

/* Between what is remembered. */
static int walk_from_point(struct volume *volume, struct chain *chain, uint32_t index,
			   uint32_t *cluster)
{
	uint32_t at = index / CHAIN_STEP * CHAIN_STEP;
	int err = 0;

	*cluster = chain->points[index / CHAIN_STEP];
	if (chain->last_cluster && chain->last_index <= index && chain->last_index >= at) {
		at = chain->last_index;
		*cluster = chain->last_cluster;
	}
	while (!err && *cluster && at++ < index)
		err = step(volume, chain, *cluster, cluster);
	return err;
}

int chain_at(struct volume *volume, struct chain *chain, uint32_t index, uint32_t *cluster)
{
	int err;

	*cluster = 0;
	if (!chain->first)
		return 0;
	if (!chain->npoints || index >= chain->far_index)
		err = walk_on(volume, chain, index, cluster);
	else
		err = walk_from_point(volume, chain, index, cluster);
	if (!err) {
		chain->last_index = index;
		chain->last_cluster = *cluster;
	}
	return err;
}

int chain_length(struct volume *volume, struct chain *chain, uint32_t most, uint32_t *out)
{
	uint32_t cluster;
	int err = 0;

	*out = most;
	if (most)
		err = chain_at(volume, chain, most - 1, &cluster);
	if (!err && most && !cluster)
		*out = chain->npoints ? chain->far_index + 1 : 0;
	return err;
}

int chain_grow(struct volume *volume, struct chain *chain, uint32_t length, uint32_t n)
{
	uint32_t last = 0, first;
	int err;

	if (length)
		err = chain_at(volume, chain, length - 1, &last);
	else
		err = 0;
	if (!err && length && !last)
		err = volume_report(volume, "table: the chain of cluster %u has become shorter",
				    chain->first);
	if (!err)
		err = table_take(volume, n, &first);
	if (err)
		return err;
	if (!length) {
		chain_destroy(chain);
		chain_init(chain, first);
		return 0;
	}
	err = table_write(volume, last, &first, 1);
	if (err)
		(void)!table_give(volume, first);
	return err;
}

int chain_cut(struct volume *volume, struct chain *chain, uint32_t length)
{
	uint32_t last, next = chain->first;
	int err;

	if (!chain->first)
		return 0;
	if (length) {
		err = chain_at(volume, chain, length - 1, &last);
		if (!err && last)
			err = step(volume, chain, last, &next);
		if (err || !last || !next)
			return err;
		err = table_write(volume, last, &(uint32_t){CLUSTER_END}, 1);
		if (err)
			return err;
		forget_behind(chain, length);
	} else {
		chain_destroy(chain);
	}
	return volume_has(volume, next) ? table_give(volume, next) : 0;
}
