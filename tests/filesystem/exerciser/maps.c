/*
 * Steps with mappings: shared ones that stay, private ones that come and go.
 */
#include "exerciser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void unmap(struct mapping *mapping)
{
	expect(munmap(mapping->at, mapping->len), 0, "munmap");
	mapping->at = NULL;
	mapping->file->nmaps--;
	file_put(mapping->file);
}

void unmap_all(void)
{
	for (unsigned i = 0; i < NMAPS; i++) {
		if (mappings[i].at)
			unmap(&mappings[i]);
	}
}

static struct opened *draw_both_ways(void)
{
	struct opened *both = draw_opened(O_RDWR);

	return both && (both->flags & O_ACCMODE) == O_RDWR ? both : NULL;
}

static void do_map(void)
{
	struct mapping *place = &mappings[draw_below(NMAPS)];
	struct opened *of = draw_both_ways();

	if (!can[SHARED_MAP] || !of)
		return;
	if (place->at) {
		step("unmap %s", name_of(file_name(place->file)));
		unmap(place);
		if (of->fd < 0)
			return;
	}
	place->begin = draw_below(SIZE_MAX_ / PAGE) * PAGE;
	place->len = SIZE_MAX_ - place->begin;
	if (draw_below(2) && place->len > 8 * PAGE)
		place->len = 8 * PAGE;
	step("map %s %u+%u", name_of(file_name(of->file)), place->begin, place->len);
	place->at =
		mmap(NULL, place->len, PROT_READ | PROT_WRITE, MAP_SHARED, of->fd, place->begin);
	if (place->at == MAP_FAILED) {
		place->at = NULL;
		wrong("mmap: %s", strerror(errno));
	}
	place->file = of->file;
	place->file->nmaps++;
}

/* A mapping of which something is in the file, and how much; NULL: there is none. */
static struct mapping *draw_mapping(unsigned *there)
{
	struct mapping *mapping = &mappings[draw_below(NMAPS)];

	if (!mapping->at || mapping->file->size <= mapping->begin)
		return NULL;
	*there = mapping->file->size - mapping->begin;
	if (*there > mapping->len)
		*there = mapping->len;
	return mapping;
}

static void do_load(void)
{
	unsigned there, offset, len;
	struct mapping *mapping = draw_mapping(&there);

	if (!mapping)
		return;
	offset = draw_offset(there);
	len = 1 + draw_below(there - offset);
	step("load %s %u+%u", name_of(file_name(mapping->file)), mapping->begin + offset, len);
	expect_bytes(mapping->file, mapping->begin + offset, mapping->at + offset, len, "mapped");
}

static void do_store(void)
{
	unsigned there, offset, len;
	struct mapping *mapping = draw_mapping(&there);

	if (!mapping)
		return;
	offset = draw_offset(there);
	len = 1 + draw_below(there - offset < 2 * PAGE ? there - offset : 2 * PAGE);
	step("store %s %u+%u", name_of(file_name(mapping->file)), mapping->begin + offset, len);
	draw_bytes(mapping->at + offset, len);
	file_write(mapping->file, mapping->begin + offset, mapping->at + offset, len);
	if (draw_below(4) == 0)
		expect(msync(mapping->at, mapping->len, draw_below(2) ? MS_SYNC : MS_ASYNC), 0,
		       "msync");
}

/* What it shows, what is written to it, and that the file has nothing of that. */
static void do_private(void)
{
	struct opened *of = draw_opened(O_RDONLY);
	unsigned begin, len, at;
	unsigned char *bytes, byte;

	if (!of || !of->file->size)
		return;
	begin = draw_below(of->file->size) / PAGE * PAGE;
	len = of->file->size - begin;
	at = draw_below(len);
	step("private map of %s %u+%u", name_of(file_name(of->file)), begin, len);
	bytes = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE, of->fd, begin);
	if (bytes == MAP_FAILED)
		wrong("mmap: %s", strerror(errno));
	if (draw_below(2))
		expect_bytes(of->file, begin, bytes, len, "mapped privately");
	byte = (unsigned char)(of->file->bytes[begin + at] + 1);
	bytes[at] = byte;
	if (bytes[at] != byte)
		wrong("what was stored is not there");
	bytes[at]--;
	expect_bytes(of->file, begin, bytes, len, "mapped privately and written");
	bytes[at]++;
	if (!(of->flags & O_DIRECT)) {
		expect(pread(of->fd, &byte, 1, begin + at), 1, "read");
		if (byte != of->file->bytes[begin + at])
			wrong("the file has what was stored in a private mapping");
	}
	expect(munmap(bytes, len), 0, "munmap");
}

const struct kind map_steps[] = {
	{do_map, 4}, {do_load, 8}, {do_store, 8}, {do_private, 4}, {NULL, 0}};
