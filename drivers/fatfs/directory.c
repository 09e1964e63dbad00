/*
 * Reading directories. A long name is put together from its pieces, last one first; if a piece is
 * missing or out of order, or the checksum is another entry's, the file has its short name only.
 */
#include "directory.h"

#include <errno.h>
#include <string.h>

int directory_slot(struct volume *volume, struct directory *directory, uint32_t index,
		   uint64_t *offset)
{
	uint64_t at = (uint64_t)index * ENTRY_BYTES;
	uint32_t cluster;
	int err;

	*offset = 0;
	if (directory->is_region) {
		if (index < volume->root_slots)
			*offset = volume->root_offset + at;
		return 0;
	}
	if (index >= DIRECTORY_SLOTS)
		return 0;
	err = chain_at(volume, &directory->chain, (uint32_t)(at / volume->cluster_bytes), &cluster);
	if (!err && cluster)
		*offset = volume_place(volume, cluster) + at % volume->cluster_bytes;
	return err;
}

/* ---- long names ---- */

/* A long name on its way. */
struct pieces {
	struct name name;
	uint32_t first_slot;
	unsigned expected; /* the order of the next piece; 0: there is no long name, or it is whole
			    */
	uint8_t checksum;
	bool is_whole;
};

/* Where the units of a piece are. */
static uint8_t *unit_at(struct fat_long *piece, unsigned i)
{
	return i < 5    ? piece->units1 + i * 2
	       : i < 11 ? piece->units2 + (i - 5) * 2
			: piece->units3 + (i - 11) * 2;
}

/* How much of the last piece is name: up to a NUL, or all. */
static unsigned last_units(struct fat_long *piece)
{
	unsigned n = 0;

	while (n < LONG_UNITS && get16(unit_at(piece, n)))
		n++;
	return n;
}

static void take_piece(struct pieces *pieces, struct fat_long *piece, uint32_t slot)
{
	unsigned order = piece->order & ~LONG_LAST;

	if (piece->order & LONG_LAST) {
		pieces->is_whole = false;
		pieces->expected = order;
		pieces->first_slot = slot;
		pieces->checksum = piece->checksum;
		pieces->name.n =
			order && order <= 20 ? (order - 1) * LONG_UNITS + last_units(piece) : 0;
	}
	if (!order || order != pieces->expected || piece->checksum != pieces->checksum ||
	    pieces->name.n > NAME_UNITS_MAX) {
		pieces->expected = 0;
		pieces->is_whole = false;
		return;
	}
	for (unsigned i = 0; i < LONG_UNITS && (order - 1) * LONG_UNITS + i < pieces->name.n; i++)
		pieces->name.units[(order - 1) * LONG_UNITS + i] = get16(unit_at(piece, i));
	pieces->expected--;
	pieces->is_whole = pieces->expected == 0;
}

/* ---- looking ---- */

static bool is_dots(const struct fat_entry *entry)
{
	return !memcmp(entry->name, ".          ", 11) || !memcmp(entry->name, "..         ", 11);
}

/* Makes the names of what was found. False: nobody can ever ask for it. */
static bool make_names(struct volume *volume, struct found *out, const struct pieces *pieces)
{
	short_to_name(out->entry.name, out->entry.lower, &out->short_name);
	if (pieces->is_whole && pieces->checksum == short_checksum(out->entry.name) &&
	    name_is_possible(&pieces->name)) {
		out->name = pieces->name;
		out->first_slot = pieces->first_slot;
		return true;
	}
	out->name = out->short_name;
	out->first_slot = out->slot;
	if (name_is_possible(&out->short_name))
		return true;
	volume_report(volume, "directory entry at byte %llu: no name can be like this",
		      (unsigned long long)out->offset);
	return false;
}

int directory_next(struct volume *volume, struct directory *directory, uint32_t *index,
		   struct found *out)
{
	struct pieces pieces = {.expected = 0};
	int err;

	for (;; ++*index) {
		err = directory_slot(volume, directory, *index, &out->offset);
		if (!err && out->offset)
			err = disk_read(volume->disk, out->offset, &out->entry, sizeof(out->entry));
		if (err)
			return err;
		if (!out->offset || out->entry.name[0] == ENTRY_END)
			return -ENOENT;
		if (out->entry.name[0] == ENTRY_FREE) {
			pieces = (struct pieces){.expected = 0};
			continue;
		}
		if ((out->entry.attributes & ATTRIBUTE_LONG_MASK) == ATTRIBUTE_LONG) {
			take_piece(&pieces, (struct fat_long *)&out->entry, *index);
			continue;
		}
		out->slot = *index;
		if (!(out->entry.attributes & ATTRIBUTE_LABEL) && !is_dots(&out->entry) &&
		    make_names(volume, out, &pieces)) {
			++*index;
			return 0;
		}
		pieces = (struct pieces){.expected = 0};
	}
}

int directory_find(struct volume *volume, struct directory *directory, const struct name *name,
		   struct found *out)
{
	uint32_t index = 0;
	int err;

	while (!(err = directory_next(volume, directory, &index, out))) {
		if (name_equal(name, &out->name) || name_equal(name, &out->short_name))
			return 0;
	}
	return err;
}

int directory_is_empty(struct volume *volume, struct directory *directory)
{
	struct found found;
	uint32_t index = 0;
	int err = directory_next(volume, directory, &index, &found);

	return err == -ENOENT ? 0 : err ? err : -ENOTEMPTY;
}
