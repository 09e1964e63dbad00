/*
 * The boot sector and what it says, FAT32's hints, and the mark of an orderly end. The mark is
 * taken away before the first change and set again by volume_close(); the count of free clusters is
 * "unknown" on the disk in between, since it would be wrong.
 */
#include "volume.h"

#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REPORTS_MAX 1000 /* a spoiled disk shall not fill another one by our words */

int volume_report(struct volume *volume, const char *format, ...)
{
	char text[256];
	va_list arguments;

	if (volume->nreports++ >= REPORTS_MAX || !volume->report)
		return -EIO;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	volume->report(volume->report_argument, text);
	return -EIO;
}

static int refuse(struct volume *volume, const char *what, unsigned long value)
{
	volume_report(volume, "boot sector: %s: %lu", what, value);
	return -EINVAL;
}

static bool is_power_of_two(uint32_t value)
{
	return value && !(value & (value - 1));
}

/* The sizes; what they make together is checked by layout(). */
static int check_sizes(struct volume *volume, const struct fat_boot *boot)
{
	uint32_t bytes = get16(boot->sector_bytes);

	if (!is_power_of_two(bytes) || bytes < 512 || bytes > 4096)
		return refuse(volume, "bytes in a sector", bytes);
	if (!is_power_of_two(boot->cluster_sectors))
		return refuse(volume, "sectors in a cluster", boot->cluster_sectors);
	if (!get16(boot->reserved_sectors))
		return refuse(volume, "reserved sectors", 0);
	if (!boot->ntables || boot->ntables > 4)
		return refuse(volume, "tables", boot->ntables);
	if (boot->media != 0xf0 && boot->media < 0xf8)
		return refuse(volume, "media byte", boot->media);
	if (get16(boot->root_entries) % (bytes / ENTRY_BYTES))
		return refuse(volume, "entries of the root", get16(boot->root_entries));
	volume->sector_bytes = bytes;
	volume->cluster_bytes = bytes * boot->cluster_sectors;
	volume->ntables = boot->ntables;
	return 0;
}

static int check_wide(struct volume *volume, const struct fat_boot *boot)
{
	uint32_t flags = get16(boot->wide.flags);
	uint32_t info = get16(boot->wide.info_sector);

	if (get16(boot->wide.version))
		return refuse(volume, "version of FAT32", get16(boot->wide.version));
	if (volume->root_slots)
		return refuse(volume, "entries of the root on FAT32", volume->root_slots);
	volume->root_cluster = get32(boot->wide.root_cluster);
	if (!volume_has(volume, volume->root_cluster))
		return refuse(volume, "cluster of the root", volume->root_cluster);
	if (flags & WIDE_ONE_TABLE) {
		volume->mirrored = false;
		volume->table_active = flags & 15;
		if (volume->table_active >= volume->ntables)
			return refuse(volume, "number of the table", volume->table_active);
	}
	if (info && info < get16(boot->reserved_sectors))
		volume->info_offset = (uint64_t)info * volume->sector_bytes;
	return 0;
}

/*
 * Where everything is. FAT32 is what has its boot sector, as Linux and mkfs.fat see it; the number
 * of clusters decides between the other two. A volume may have fewer clusters than its data has
 * room for, if the table is that short.
 */
static int layout(struct volume *volume, const struct fat_boot *boot)
{
	uint64_t sectors = get16(boot->sectors16) ? get16(boot->sectors16) : get32(boot->sectors32);
	uint64_t table_sectors = get16(boot->table_sectors16);
	bool wide = table_sectors == 0;
	uint64_t in_table;

	if (wide)
		table_sectors = get32(boot->wide.table_sectors);
	if (!table_sectors)
		return refuse(volume, "sectors of a table", 0);
	if (!sectors || sectors * volume->sector_bytes > volume->disk->len_bytes)
		return refuse(volume, "more sectors than there are", sectors);
	volume->table_offset = (uint64_t)get16(boot->reserved_sectors) * volume->sector_bytes;
	volume->table_bytes = table_sectors * volume->sector_bytes;
	volume->root_offset = volume->table_offset + volume->ntables * volume->table_bytes;
	volume->root_slots = get16(boot->root_entries);
	volume->data_offset = volume->root_offset + (uint64_t)volume->root_slots * ENTRY_BYTES;
	if (volume->data_offset + volume->cluster_bytes > sectors * volume->sector_bytes)
		return refuse(volume, "no room for data behind the tables", table_sectors);
	volume->nclusters = (uint32_t)((sectors * volume->sector_bytes - volume->data_offset) /
				       volume->cluster_bytes);
	volume->width = wide ? 32 : volume->nclusters < 4085 ? 12 : 16;
	volume->mirrored = true;
	in_table = volume->table_bytes * 8 / volume->width;
	if (in_table < 3)
		return refuse(volume, "sectors of a table", table_sectors);
	if (volume->nclusters > in_table - 2)
		volume->nclusters = (uint32_t)(in_table - 2);
	if (volume->nclusters > table_clusters_max(volume->width))
		return refuse(volume, "clusters", volume->nclusters);
	if (!wide && !volume->root_slots)
		return refuse(volume, "entries of the root", 0);
	return wide ? check_wide(volume, boot) : 0;
}

/* Hints, believed when nothing speaks against them. */
static int read_info(struct volume *volume)
{
	struct fat_info info;
	int err;

	if (!volume->info_offset)
		return 0;
	err = disk_read(volume->disk, volume->info_offset, &info, sizeof(info));
	if (err)
		return err;
	if (get32(info.lead) != INFO_LEAD || get32(info.signature) != INFO_SIGNATURE) {
		volume->info_offset = 0; /* not to be overwritten: who knows what it is */
		return 0;
	}
	/* "None" would refuse everything on a hint's word: that is counted. */
	if (!volume->was_dirty && get32(info.free_clusters) &&
	    get32(info.free_clusters) <= volume->nclusters)
		volume->nfree = get32(info.free_clusters);
	if (volume_has(volume, get32(info.next_free)))
		volume->next_free = get32(info.next_free);
	return 0;
}

/* In entry 1 of the table; FAT12 has none. */
static uint32_t clean_bit(const struct volume *volume)
{
	return volume->width == 16 ? TABLE16_CLEAN : TABLE32_CLEAN;
}

static const uint8_t *state_of(const struct volume *volume, const struct fat_boot *boot)
{
	return volume->width == 32 ? &boot->wide.state : &boot->narrow.state;
}

int volume_open(struct volume *volume, struct disk *disk, bool read_only,
		void (*report)(void *argument, const char *text), void *argument)
{
	uint8_t sector[512];
	struct fat_boot boot;
	uint32_t first;
	int err;

	*volume = (struct volume){.disk = disk,
				  .read_only = read_only,
				  .report = report,
				  .report_argument = argument,
				  .nfree = INFO_UNKNOWN,
				  .next_free = 2};
	if (disk->len_bytes < sizeof(sector))
		return refuse(volume, "the disk is too short, bytes", disk->len_bytes);
	err = disk_read(disk, 0, sector, sizeof(sector));
	if (err)
		return err;
	memcpy(&boot, sector, sizeof(boot));
	if (sector[BOOT_SIGNATURE_AT] != 0x55 || sector[BOOT_SIGNATURE_AT + 1] != 0xaa)
		return refuse(volume, "no FAT volume, its last two bytes are",
			      get16(sector + BOOT_SIGNATURE_AT));
	err = check_sizes(volume, &boot);
	if (!err)
		err = layout(volume, &boot);
	if (err)
		return err;
	volume->was_dirty = *state_of(volume, &boot) & STATE_DIRTY;
	if (volume->width != 12) {
		err = table_raw(volume, 1, &first);
		if (err)
			return err;
		if (!(first & clean_bit(volume)))
			volume->was_dirty = true;
	}
	if (volume->was_dirty)
		volume_report(volume, "it was not unmounted in order, fsck.fat should look at it");
	return read_info(volume);
}

/* The state in the boot sector and in entry 1 of the table. */
static int write_state(struct volume *volume, bool dirty)
{
	struct fat_boot boot;
	uint32_t first, clean;
	uint8_t state;
	size_t at;
	int err = disk_read(volume->disk, 0, &boot, sizeof(boot));

	if (err)
		return err;
	at = (size_t)(state_of(volume, &boot) - (const uint8_t *)&boot);
	state = *state_of(volume, &boot);
	state = (uint8_t)(dirty ? state | STATE_DIRTY : state & ~STATE_DIRTY);
	err = disk_write(volume->disk, at, &state, 1);
	if (err || volume->width == 12)
		return err;
	err = table_raw(volume, 1, &first);
	if (err)
		return err;
	clean = clean_bit(volume);
	return table_write(volume, 1, &(uint32_t){dirty ? first & ~clean : first | clean}, 1);
}

static int write_info(struct volume *volume, uint32_t nfree)
{
	struct fat_info info;
	int err;

	if (!volume->info_offset)
		return 0;
	err = disk_read(volume->disk, volume->info_offset, &info, sizeof(info));
	if (err)
		return err;
	put32(info.free_clusters, nfree);
	put32(info.next_free, volume->next_free);
	return disk_write(volume->disk, volume->info_offset, &info, sizeof(info));
}

int volume_write(struct volume *volume, uint64_t offset, const void *from, size_t len_bytes)
{
	int err;

	if (volume->read_only)
		return -EROFS;
	if (!volume->is_dirty) {
		volume->is_dirty = true; /* table_write() comes here again */
		err = write_state(volume, true);
		if (!err)
			err = write_info(volume, INFO_UNKNOWN);
		if (err) {
			volume->is_dirty = false;
			return err;
		}
	}
	return disk_write(volume->disk, offset, from, len_bytes);
}

int volume_sync(struct volume *volume)
{
	return volume->read_only ? 0 : disk_sync(volume->disk);
}

int volume_close(struct volume *volume)
{
	int err;

	if (!volume->is_dirty)
		return 0;
	err = write_info(volume, volume->nfree);
	if (!err)
		err = disk_sync(volume->disk);
	if (!err && !volume->was_dirty)
		err = write_state(volume, false);
	if (err)
		return err;
	volume->is_dirty = false;
	return disk_sync(volume->disk);
}
