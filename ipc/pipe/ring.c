/*
 * The ring of a pipe's bytes. Position p lies in page p / PAGE_SIZE, which is in the slot of that
 * number modulo npages. When the ring is full and its end is inside of a page, its first and its
 * last bytes share one slot: the writer has come round.
 */
#include "ring.h"

#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kva.h>
#include <mm/pressure.h>

void ring_init(struct pipe_ring *ring)
{
	*ring = (struct pipe_ring){.npages = RING_FEW_PAGES};
	ring->pages = ring->few;
}

static void free_pages(struct pipe_ring *ring, struct frame **pages, uint32_t npages)
{
	if (pages != ring->few)
		kvfree(pages, npages * sizeof(struct frame *));
}

void ring_free(struct pipe_ring *ring)
{
	for (uint32_t i = 0; i < ring->npages; i++) {
		if (ring->pages[i])
			frame_put(ring->pages[i]);
	}
	free_pages(ring, ring->pages, ring->npages);
	ring_init(ring);
}

/* What lies in one page from `position` on, at most. */
static size_t piece_bytes(uint64_t position, size_t want_bytes)
{
	return MIN(want_bytes, PAGE_SIZE - position % PAGE_SIZE);
}

static struct frame **page_of(struct pipe_ring *ring, uint64_t position)
{
	return &ring->pages[(position >> PAGE_SHIFT) & (ring->npages - 1)];
}

/* ---- taking ---- */

size_t ring_peek(struct pipe_ring *ring, struct buffer *buffer)
{
	size_t moved = 0;

	while (moved < ring_bytes(ring) && buffer_remaining(buffer)) {
		uint64_t at = ring->taken + moved;
		size_t left = ring_bytes(ring) - moved;
		size_t want = piece_bytes(at, MIN(left, buffer_remaining(buffer)));
		char *bytes = (char *)frame_virt(*page_of(ring, at)) + at % PAGE_SIZE;
		size_t copied = buffer_copy_to(buffer, bytes, want);

		moved += copied;
		if (copied < want)
			break;
	}
	return moved;
}

/* Gives back the page that the last byte was taken from, if nothing in it is still to be read:
 * neither behind that byte nor, when the writer has come round, before it. */
static void drop_emptied(struct pipe_ring *ring)
{
	struct frame **page = page_of(ring, ring->taken - 1);
	bool round = page_of(ring, ring->written - 1) == page;

	if (ring_bytes(ring) && (ring->taken % PAGE_SIZE || round))
		return;
	frame_put(*page);
	*page = NULL;
}

void ring_drop(struct pipe_ring *ring, size_t len_bytes)
{
	while (len_bytes) {
		size_t step = piece_bytes(ring->taken, len_bytes);

		write_once(&ring->taken, ring->taken + step);
		drop_emptied(ring);
		len_bytes -= step;
	}
}

size_t ring_take(struct pipe_ring *ring, struct buffer *buffer)
{
	size_t moved = ring_peek(ring, buffer);

	ring_drop(ring, moved);
	return moved;
}

/* ---- putting ---- */

ssize_t ring_put(struct pipe_ring *ring, struct buffer *buffer)
{
	size_t moved = 0;
	err_t err = -EFAULT;

	while (ring_room(ring) && buffer_remaining(buffer)) {
		size_t room = ring_room(ring);
		size_t want = piece_bytes(ring->written, MIN(room, buffer_remaining(buffer)));
		struct frame **page = page_of(ring, ring->written);
		bool fresh = !*page;
		size_t copied;

		if (fresh) {
			err_t no_frame = frame_alloc_waiting(0, page);

			if (no_frame) {
				err = no_frame;
				break;
			}
		}
		copied = buffer_copy_from(
			buffer, (char *)frame_virt(*page) + ring->written % PAGE_SIZE, want);
		write_once(&ring->written, ring->written + copied);
		moved += copied;
		/* A page taken for a copy that failed at once would be nobody's to free. */
		if (!copied && fresh) {
			frame_put(*page);
			*page = NULL;
		}
		if (copied < want)
			break;
	}
	return moved ? (ssize_t)moved : err;
}

/* ---- the size ---- */

/* The last page's bytes get a frame of their own: the first page's are in the same one. */
static err_t split_last(struct pipe_ring *ring, struct frame **to)
{
	struct frame *shared = *page_of(ring, ring->taken);
	struct frame *own = frame_alloc(0, 0);

	if (!own)
		return -ENOMEM;
	memcpy(frame_virt(own), frame_virt(shared), ring->written % PAGE_SIZE);
	*to = own;
	return 0;
}

/* The pages, first to last, to their places in a ring of `npages`. */
static err_t move_pages(struct pipe_ring *ring, struct frame **to, uint32_t npages)
{
	uint64_t first = ring->taken >> PAGE_SHIFT;
	uint64_t last = (ring->written - 1) >> PAGE_SHIFT;
	uint64_t end = last; /* of the pages that have a frame of their own in the new ring */
	err_t err;

	if (!ring_bytes(ring))
		return 0;
	if (last - first == ring->npages) {
		err = split_last(ring, &to[last & (npages - 1)]);
		if (err)
			return err;
	} else if (last - first == npages) { /* the other way: they fit into one */
		char *bytes = frame_virt(*page_of(ring, ring->taken));
		struct frame **page = page_of(ring, ring->written - 1);

		memcpy(bytes, frame_virt(*page), ((ring->written - 1) & PAGE_MASK) + 1);
		frame_put(*page);
		*page = NULL;
	} else {
		end = last + 1;
	}
	for (uint64_t page = first; page < end; page++)
		to[page & (npages - 1)] = ring->pages[page & (ring->npages - 1)];
	return 0;
}

err_t ring_resize(struct pipe_ring *ring, uint32_t npages)
{
	struct frame **to, **before = ring->pages;
	uint32_t nbefore = ring->npages;
	err_t err;

	if (npages == nbefore)
		return 0;
	if (ring_bytes(ring) > (size_t)npages * PAGE_SIZE)
		return -EBUSY;
	to = kvmalloc(npages * sizeof(struct frame *));
	if (!to)
		return -ENOMEM;
	memset(to, 0, npages * sizeof(struct frame *));
	err = move_pages(ring, to, npages);
	if (err) {
		kvfree(to, npages * sizeof(struct frame *));
		return err;
	}
	ring->pages = to;
	write_once(&ring->npages, npages);
	free_pages(ring, before, nbefore);
	return 0;
}
