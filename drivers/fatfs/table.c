/*
 * The allocation table. Fresh clusters get a chain of their own first; whoever asked for them links
 * it last, so a kill in between only leaves clusters that nobody owns.
 */
#include "table.h"

#include <errno.h>
#include <string.h>

#define RUN_MAX 512 /* entries written at once */

uint32_t table_clusters_max(unsigned width)
{
	return width == 12 ? 0xff4 : width == 16 ? 0xfff4 : 0x0ffffff4;
}

/* Where the entry begins, in a table. On FAT12 it shares a byte with the one after or before. */
static uint64_t entry_at(const struct volume *volume, uint32_t cluster)
{
	return (uint64_t)cluster * volume->width / 8;
}

static uint64_t table_place(const struct volume *volume, unsigned table)
{
	return volume->table_offset + table * volume->table_bytes;
}

static uint32_t decode(const struct volume *volume, uint32_t cluster, const uint8_t *at)
{
	if (volume->width == 12)
		return cluster & 1 ? get16(at) >> 4 : get16(at) & 0xfff;
	return volume->width == 16 ? get16(at) : get32(at) & 0x0fffffff;
}

static void encode(const struct volume *volume, uint32_t cluster, uint8_t *at, uint32_t value)
{
	if (volume->width == 12 && cluster & 1)
		put16(at, (get16(at) & 0xf) | (value & 0xfff) << 4);
	else if (volume->width == 12)
		put16(at, (get16(at) & 0xf000) | (value & 0xfff));
	else if (volume->width == 16)
		put16(at, value & 0xffff);
	else
		put32(at, (get32(at) & 0xf0000000) | (value & 0x0fffffff));
}

int table_raw(struct volume *volume, uint32_t cluster, uint32_t *out)
{
	uint8_t bytes[4];
	int err = disk_read(volume->disk,
			    table_place(volume, volume->table_active) + entry_at(volume, cluster),
			    bytes, volume->width == 32 ? 4 : 2);

	if (!err)
		*out = decode(volume, cluster, bytes);
	return err;
}

int table_next(struct volume *volume, uint32_t cluster, uint32_t *out)
{
	uint32_t top = table_clusters_max(volume->width) + 3; /* "bad" */
	int err = table_raw(volume, cluster, out);

	if (err)
		return err;
	if (*out > top)
		*out = CLUSTER_END;
	else if (*out == top)
		*out = CLUSTER_BAD;
	else if (*out != CLUSTER_FREE && !volume_has(volume, *out))
		return volume_report(volume, "table: cluster %u is followed by %u, of %u", cluster,
				     *out, volume->nclusters + 1);
	return 0;
}

int table_write(struct volume *volume, uint32_t first, const uint32_t *values, unsigned n)
{
	uint8_t bytes[RUN_MAX * 4 + 4];
	uint64_t at = entry_at(volume, first);
	size_t len_bytes = entry_at(volume, first + n - 1) + (volume->width == 32 ? 4 : 2) - at;
	unsigned table;
	int err = disk_read(volume->disk, table_place(volume, volume->table_active) + at, bytes,
			    len_bytes);

	if (err)
		return err;
	for (unsigned i = 0; i < n; i++)
		encode(volume, first + i, bytes + (entry_at(volume, first + i) - at), values[i]);
	for (table = 0; table < volume->ntables && !err; table++) {
		if (volume->mirrored || table == volume->table_active)
			err = volume_write(volume, table_place(volume, table) + at, bytes,
					   len_bytes);
	}
	return err;
}

/* ---- taking ---- */

/* The next free cluster from volume->next_free on, once around. */
static int find_free(struct volume *volume, uint32_t *out)
{
	uint32_t cluster = volume_has(volume, volume->next_free) ? volume->next_free : 2;
	uint32_t value;
	int err;

	for (uint32_t i = 0; i < volume->nclusters; i++) {
		err = table_raw(volume, cluster, &value);
		if (err)
			return err;
		if (value == CLUSTER_FREE) {
			*out = cluster;
			return 0;
		}
		cluster = volume_has(volume, cluster + 1) ? cluster + 1 : 2;
	}
	volume->nfree = 0;
	return -ENOSPC;
}

/*
 * A run of free neighbours, at most n: taken as a chain of their own. The entries are consecutive,
 * so one write makes them.
 */
static int take_run(struct volume *volume, uint32_t n, uint32_t *first, uint32_t *taken)
{
	uint32_t values[RUN_MAX], value;
	uint32_t len = 1;
	int err = find_free(volume, first);

	if (err)
		return err;
	while (len < n && len < RUN_MAX && volume_has(volume, *first + len)) {
		err = table_raw(volume, *first + len, &value);
		if (err)
			return err;
		if (value != CLUSTER_FREE)
			break;
		len++;
	}
	for (uint32_t i = 0; i < len; i++)
		values[i] = i + 1 < len ? *first + i + 1 : CLUSTER_END;
	err = table_write(volume, *first, values, len);
	if (err)
		return err;
	volume->next_free = *first + len;
	if (volume->nfree != INFO_UNKNOWN)
		volume->nfree = volume->nfree >= len ? volume->nfree - len : INFO_UNKNOWN;
	*taken = len;
	return 0;
}

int table_take(struct volume *volume, uint32_t n, uint32_t *first)
{
	uint32_t run, taken, last = 0;
	int err = 0;

	if (volume->nfree == 0)
		return -ENOSPC;
	*first = 0;
	for (uint32_t done = 0; done < n; done += taken) {
		err = take_run(volume, n - done, &run, &taken);
		if (!err && last)
			err = table_write(volume, last, &run, 1);
		if (err)
			break;
		if (!*first)
			*first = run;
		last = run + taken - 1;
	}
	if (err && *first)
		(void)!table_give(volume, *first); /* what cannot be given back is lost, no worse */
	return err;
}

/* ---- giving back ---- */

int table_give(struct volume *volume, uint32_t first)
{
	uint32_t cluster = first, next;
	int err;

	while (cluster != CLUSTER_END) {
		err = table_next(volume, cluster, &next);
		if (err)
			return err;
		if (next == CLUSTER_FREE || next == CLUSTER_BAD)
			return volume_report(
				volume, "table: a chain from cluster %u leads to %u, which is %s",
				first, cluster, next ? "bad" : "free");
		err = table_write(volume, cluster, &(uint32_t){CLUSTER_FREE}, 1);
		if (err)
			return err;
		if (volume->nfree < volume->nclusters)
			volume->nfree++;
		cluster = next;
	}
	return 0;
}

int table_free_count(struct volume *volume, uint32_t *out)
{
	uint32_t count = 0, value;
	int err;

	for (uint32_t i = 0; volume->nfree == INFO_UNKNOWN && i < volume->nclusters; i++) {
		err = table_raw(volume, i + 2, &value);
		if (err)
			return err;
		count += value == CLUSTER_FREE;
	}
	if (volume->nfree == INFO_UNKNOWN)
		volume->nfree = count;
	*out = volume->nfree;
	return 0;
}
