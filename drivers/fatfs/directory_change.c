/*
 * Changing directories. The slots of a name are written so that a kill in between leaves at worst
 * pieces of a long name that belong to nobody, which every reader passes over.
 */
#include "directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- a short name that nobody has ---- */

/* The numbers of BASE~NUMBER that are taken. */
static int taken_numbers(struct volume *volume, struct directory *directory,
			 const struct short_name *base, uint8_t *taken)
{
	struct found found;
	uint32_t index = 0;
	int err;

	while (!(err = directory_next(volume, directory, &index, &found))) {
		unsigned number = short_number_of(base, found.entry.name);

		taken[number / 8] |= (uint8_t)(1u << number % 8);
	}
	return err == -ENOENT ? 0 : err;
}

static int choose_short(struct volume *volume, struct directory *directory, const struct name *name,
			struct place *out, bool *is_long)
{
	struct short_name base;
	unsigned number = 1;
	uint8_t *taken;
	int err;

	short_from_name(name, &base);
	*is_long = !base.is_enough;
	out->lower = base.lower;
	memcpy(out->raw, base.raw, sizeof(out->raw));
	if (base.is_enough)
		return 0;
	taken = calloc(1, SHORT_NUMBER_MAX / 8 + 1);
	if (!taken)
		return -ENOMEM;
	err = taken_numbers(volume, directory, &base, taken);
	while (number <= SHORT_NUMBER_MAX && taken[number / 8] & 1u << number % 8)
		number++;
	free(taken);
	if (!err && number > SHORT_NUMBER_MAX)
		err = -ENOSPC;
	if (!err)
		short_number(&base, number, out->raw);
	return err;
}

/* ---- a place for it ---- */

static int zero_cluster(struct volume *volume, uint32_t cluster)
{
	static const uint8_t zeros[4096];
	int err = 0;

	for (uint32_t at = 0; at < volume->cluster_bytes && !err; at += sizeof(zeros)) {
		uint32_t left = volume->cluster_bytes - at;

		err = volume_write(volume, volume_place(volume, cluster) + at, zeros,
				   left < sizeof(zeros) ? left : sizeof(zeros));
	}
	return err;
}

/* One more cluster, zero before anything leads to it. */
static int extend(struct volume *volume, struct directory *directory, uint32_t nslots)
{
	uint32_t in_cluster = volume->cluster_bytes / ENTRY_BYTES;
	uint32_t last, fresh;
	int err;

	if (directory->is_region || nslots + in_cluster > DIRECTORY_SLOTS || !nslots)
		return -ENOSPC;
	err = chain_at(volume, &directory->chain, nslots / in_cluster - 1, &last);
	if (!err)
		err = table_take(volume, 1, &fresh);
	if (err)
		return err;
	err = zero_cluster(volume, fresh);
	if (!err)
		err = table_write(volume, last, &fresh, 1);
	if (err)
		(void)!table_give(volume, fresh);
	return err;
}

/* The slot behind the directory's end becomes its end, when the end itself is used. */
static int move_end(struct volume *volume, struct directory *directory, uint32_t slot)
{
	uint64_t offset;
	uint8_t first;
	int err = directory_slot(volume, directory, slot, &offset);

	if (!err && offset)
		err = disk_read(volume->disk, offset, &first, 1);
	if (err || !offset || first == ENTRY_END)
		return err;
	return volume_write(volume, offset, &(uint8_t){ENTRY_END}, 1);
}

static int find_slots(struct volume *volume, struct directory *directory, struct place *out)
{
	uint32_t index = 0, run = 0;
	bool at_end = false;
	uint64_t offset;
	uint8_t first;
	int err;

	while (run < out->nslots) {
		err = directory_slot(volume, directory, index, &offset);
		if (!err && !offset) {
			err = extend(volume, directory, index);
			if (!err)
				continue;
		}
		if (!err)
			err = disk_read(volume->disk, offset, &first, 1);
		if (err)
			return err;
		at_end |= first == ENTRY_END;
		if (at_end || first == ENTRY_FREE)
			out->offsets[run++] = offset;
		else
			run = 0;
		index++;
	}
	out->first_slot = index - run;
	return at_end ? move_end(volume, directory, index) : 0;
}

int directory_find_place(struct volume *volume, struct directory *directory,
			 const struct name *name, struct place *out)
{
	bool is_long;
	int err = choose_short(volume, directory, name, out, &is_long);

	if (err)
		return err;
	out->nslots = 1 + (is_long ? (name->n + LONG_UNITS - 1) / LONG_UNITS : 0);
	return find_slots(volume, directory, out);
}

/* ---- writing and removing ---- */

static void put_unit(struct fat_long *piece, unsigned i, uint16_t unit)
{
	uint8_t *at = i < 5    ? piece->units1 + i * 2
		      : i < 11 ? piece->units2 + (i - 5) * 2
			       : piece->units3 + (i - 11) * 2;

	put16(at, unit);
}

static void make_piece(struct fat_long *piece, const struct name *name, unsigned order,
		       bool is_last, uint8_t checksum)
{
	*piece = (struct fat_long){.order = (uint8_t)(order | (is_last ? LONG_LAST : 0)),
				   .attributes = ATTRIBUTE_LONG,
				   .checksum = checksum};
	for (unsigned i = 0; i < LONG_UNITS; i++) {
		unsigned at = (order - 1) * LONG_UNITS + i;

		/* A NUL behind the name, then filled up. */
		put_unit(piece, i, at < name->n ? name->units[at] : at == name->n ? 0 : 0xffff);
	}
}

/* Neighbours on the disk are written at once. */
static int write_slots(struct volume *volume, const struct place *place,
		       const struct fat_entry *slots)
{
	unsigned at = 0;
	int err = 0;

	while (at < place->nslots && !err) {
		unsigned n = 1;

		while (at + n < place->nslots &&
		       place->offsets[at + n] == place->offsets[at] + n * ENTRY_BYTES)
			n++;
		err = volume_write(volume, place->offsets[at], &slots[at], n * ENTRY_BYTES);
		at += n;
	}
	return err;
}

int directory_write(struct volume *volume, const struct place *place, const struct name *name,
		    const struct fat_entry *entry)
{
	struct fat_entry slots[NAME_SLOTS_MAX];
	unsigned npieces = place->nslots - 1;
	uint8_t checksum = short_checksum(place->raw);

	for (unsigned i = 0; i < npieces; i++)
		make_piece((struct fat_long *)&slots[i], name, npieces - i, i == 0, checksum);
	slots[npieces] = *entry;
	memcpy(slots[npieces].name, place->raw, sizeof(place->raw));
	slots[npieces].lower = place->lower;
	return write_slots(volume, place, slots);
}

int directory_remove(struct volume *volume, struct directory *directory, uint32_t first_slot,
		     uint32_t slot)
{
	uint8_t bytes[NAME_SLOTS_MAX * ENTRY_BYTES];
	uint64_t end, start;
	uint32_t first;
	int err;

	for (;;) {
		/* Back from `slot` as far as the disk has no gap. */
		err = directory_slot(volume, directory, slot, &end);
		start = end;
		for (first = slot; !err && first > first_slot; first--, start -= ENTRY_BYTES) {
			uint64_t before;

			err = directory_slot(volume, directory, first - 1, &before);
			if (before + ENTRY_BYTES != start)
				break;
		}
		if (!err && !end)
			err = -EIO;
		if (!err)
			err = disk_read(volume->disk, start, bytes, end + ENTRY_BYTES - start);
		if (err)
			return err;
		for (uint64_t at = 0; at <= end - start; at += ENTRY_BYTES)
			bytes[at] = ENTRY_FREE;
		err = volume_write(volume, start, bytes, end + ENTRY_BYTES - start);
		if (err || first == first_slot)
			return err;
		slot = first - 1;
	}
}

int directory_begin(struct volume *volume, uint32_t cluster, uint32_t parent,
		    const struct fat_entry *entry)
{
	struct fat_entry dots[2] = {*entry, *entry};
	int err = zero_cluster(volume, cluster);

	memcpy(dots[0].name, ".          ", 11);
	memcpy(dots[1].name, "..         ", 11);
	dots[0].lower = dots[1].lower = 0;
	entry_set_cluster(volume, &dots[0], cluster);
	entry_set_cluster(volume, &dots[1], parent);
	return err ? err : volume_write(volume, volume_place(volume, cluster), dots, sizeof(dots));
}

int directory_set_parent(struct volume *volume, struct directory *directory, uint32_t parent)
{
	struct fat_entry dots;
	uint64_t offset;
	int err = directory_slot(volume, directory, 1, &offset);

	if (!err && offset)
		err = disk_read(volume->disk, offset, &dots, sizeof(dots));
	if (err || !offset || memcmp(dots.name, "..         ", 11))
		return err ? err
			   : volume_report(volume, "directory at cluster %u has no '..'",
					   directory->chain.first);
	entry_set_cluster(volume, &dots, parent);
	return volume_write(volume, offset, &dots, sizeof(dots));
}
