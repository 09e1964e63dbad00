/*
 * Contents of files: a size and pages, of which there may be fewer (holes) or more (reserved ones
 * behind the end). What lies behind the end is zero, always.
 */
#include "memfs.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>

/* How much of a range lies in its first page. */
static size_t in_page(uint64_t offset, uint64_t len_bytes)
{
	size_t room = PAGE_BYTES - offset % PAGE_BYTES;

	return len_bytes < room ? (size_t)len_bytes : room;
}

int data_write(struct memfs *memfs, struct node *node, uint64_t offset, const char *from,
	       size_t len_bytes, size_t *done)
{
	bool full = false;

	*done = 0;
	while (*done < len_bytes) {
		uint64_t at = offset + *done;
		size_t now = in_page(at, len_bytes - *done);
		char *page = pages_make(&node->pages, &memfs->pages, at / PAGE_BYTES, &full);

		if (!page)
			break;
		memcpy(page + at % PAGE_BYTES, from + *done, now);
		*done += now;
	}
	if (*done && offset + *done > node->size_bytes)
		node->size_bytes = offset + *done;
	return *done == len_bytes ? 0 : full ? -ENOSPC : -ENOMEM;
}

static void zero_part(struct node *node, uint64_t offset, size_t len_bytes)
{
	char *page = pages_get(&node->pages, offset / PAGE_BYTES);

	if (page)
		memset(page + offset % PAGE_BYTES, 0, len_bytes);
}

void data_punch(struct memfs *memfs, struct node *node, uint64_t offset, uint64_t len_bytes)
{
	uint64_t end = offset + len_bytes;
	uint64_t first = (offset + PAGE_BYTES - 1) / PAGE_BYTES, last = end / PAGE_BYTES;

	if (offset % PAGE_BYTES)
		zero_part(node, offset, in_page(offset, len_bytes));
	if (end % PAGE_BYTES && last >= first)
		zero_part(node, end - end % PAGE_BYTES, end % PAGE_BYTES);
	if (last > first)
		pages_drop(&node->pages, &memfs->pages, first, last - 1);
}

void data_resize(struct memfs *memfs, struct node *node, uint64_t size_bytes)
{
	if (size_bytes < node->size_bytes) {
		if (size_bytes % PAGE_BYTES)
			zero_part(node, size_bytes, in_page(size_bytes, PAGE_BYTES));
		pages_drop(&node->pages, &memfs->pages, (size_bytes + PAGE_BYTES - 1) / PAGE_BYTES,
			   PAGE_NONE);
	}
	node->size_bytes = size_bytes;
}

/* Is there room for the pages that the range lacks? Then nothing has been made when there is not.
 */
static bool has_room(struct memfs *memfs, const struct node *node, uint64_t first, uint64_t last)
{
	unsigned long used = atomic_load(&memfs->pages.used), missing = 0;

	if (last - first >= memfs->pages.limit)
		return false;
	for (uint64_t index = first; index <= last; index++)
		missing += !pages_get(&node->pages, index);
	return used <= memfs->pages.limit && missing <= memfs->pages.limit - used;
}

int data_reserve(struct memfs *memfs, struct node *node, uint64_t offset, uint64_t len_bytes)
{
	uint64_t first = offset / PAGE_BYTES, last = (offset + len_bytes - 1) / PAGE_BYTES;
	bool full;

	if (!has_room(memfs, node, first, last))
		return -ENOSPC;
	for (uint64_t index = first; index <= last; index++) {
		if (!pages_make(&node->pages, &memfs->pages, index, &full))
			return full ? -ENOSPC : -ENOMEM;
	}
	return 0;
}

/* The end counts as a hole. */
static uint64_t next_hole(const struct node *node, uint64_t offset)
{
	uint64_t index = offset / PAGE_BYTES;

	if (!pages_get(&node->pages, index))
		return offset;
	while (index * PAGE_BYTES < node->size_bytes && pages_get(&node->pages, index))
		index++;
	return index * PAGE_BYTES < node->size_bytes ? index * PAGE_BYTES : node->size_bytes;
}

off_t data_seek(const struct node *node, off_t offset, int whence)
{
	uint64_t at = (uint64_t)offset, index;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (offset < 0 || at >= node->size_bytes)
		return -ENXIO;
	if (whence == SEEK_HOLE)
		return (off_t)next_hole(node, at);
	index = pages_next(&node->pages, at / PAGE_BYTES);
	if (index == PAGE_NONE || index * PAGE_BYTES >= node->size_bytes)
		return -ENXIO;
	return index == at / PAGE_BYTES ? offset : (off_t)(index * PAGE_BYTES);
}
