/*
 * The page cache. Each node that was read has a struct node_pages: the pages that are up to date,
 * and the fills that are on their way from the server. A page is in the set only when it is whole.
 *
 * `lock` (LOCK_OBJECT) guards both; it is never held while the server is asked, so what comes back
 * may be old: `version` counts the beginnings and ends of changes, and a fill that began before the
 * last one, or ends during one, serves who waits for it and is not kept.
 *
 * Frames are counted: the set owns one reference, mappings, copies and requests own others, so a
 * page that was dropped lives until they are done. What all pages together may take is for
 * pages_all.c.
 */
#include "pages_priv.h"

#include <lib/string.h>
#include <mm/pressure.h>
#include <mm/slab.h>
#include <sched/wait.h>

#define AHEAD_FIRST_PAGES 4u
#define AHEAD_MAX_PAGES   32u /* 128 KiB, as Linux */

/* ---- life ---- */

static struct node_pages *pages_of(const struct node *node)
{
	/* Acquire: pairs with the exchange in node_pages_of(). */
	return load_acquire(&node->pages);
}

/* NULL: no memory. */
struct node_pages *node_pages_of(struct node *node)
{
	struct node_pages *pages = pages_of(node), *nobody = NULL;

	if (likely(pages))
		return pages;
	pages = kzalloc(sizeof(*pages));
	if (!pages)
		return NULL;
	pages->node = node;
	mutex_init(&pages->lock, LOCK_OBJECT);
	mutex_init(&pages->append, LOCK_APPEND);
	pageset_init(&pages->pages);
	list_init(&pages->fills);
	list_init(&pages->all);
	list_init(&pages->writes);
	list_init(&pages->changed);
	waitq_init(&pages->filled);
	waitq_init(&pages->written);
	if (atomic_cas(&node->pages, &nobody, pages))
		return pages;
	kfree(pages);
	return nobody;
}

void node_pages_cut_locked(struct node_pages *pages, uint64_t first, uint64_t end)
{
	uint64_t before = pages->pages.npages;

	pageset_cut_unmarked(&pages->pages, first, end);
	pages_count((int64_t)(pages->pages.npages - before));
}

void node_pages_cut_all_locked(struct node_pages *pages, uint64_t first, uint64_t end)
{
	uint64_t before = pages->pages.npages, nmarked = pages->pages.nmarked;

	pageset_cut(&pages->pages, first, end);
	pages_count((int64_t)(pages->pages.npages - before));
	(void)atomic_fetch_sub_full(&pages->node->fs->ndirty, nmarked - pages->pages.nmarked);
}

void node_pages_free(struct node *node)
{
	struct node_pages *pages = pages_of(node);

	if (!pages)
		return;
	pages_forget(pages);
	mutex_lock(&pages->lock);
	node_pages_cut_all_locked(pages, 0, UINT64_MAX);
	mutex_unlock(&pages->lock);
	kfree(pages);
}

/* ---- changes ---- */

void node_pages_change_begin(struct node_pages *pages)
{
	mutex_lock(&pages->lock);
	pages->version++;
	pages->nwriters++;
	pages->nfrozen++;
	mutex_unlock(&pages->lock);
}

void node_pages_change_end_locked(struct node_pages *pages)
{
	pages->version++;
	pages->nwriters--;
	pages->nfrozen--;
}

void node_unmap(struct node *node, uint64_t first, uint64_t end, bool copies_too)
{
	mapped_places_unmap(&node->places, first, end, copies_too);
}

void node_pages_drop(struct node *node, uint64_t offset_bytes, uint64_t len_bytes)
{
	struct node_pages *pages = pages_of(node);
	uint64_t first = offset_bytes / PAGE_SIZE, end = UINT64_MAX;

	if (!pages)
		return;
	node_pages_begin_write_back(node);
	if (len_bytes < UINT64_MAX - PAGE_MASK - offset_bytes)
		end = ALIGN_UP(offset_bytes + len_bytes, PAGE_SIZE) / PAGE_SIZE;
	mutex_lock(&pages->lock);
	pages->version++;
	node_pages_cut_locked(pages, first, end);
	mutex_unlock(&pages->lock);
	node_unmap(node, first, end, false);
}

void pages_clear_tail_locked(struct node_pages *pages, uint64_t size_bytes)
{
	struct frame *last = pageset_find(&pages->pages, size_bytes / PAGE_SIZE);
	size_t used_bytes = size_bytes % PAGE_SIZE;

	if (last && used_bytes)
		memset((char *)frame_virt(last) + used_bytes, 0, PAGE_SIZE - used_bytes);
}

void node_pages_clear_tail(struct node *node, uint64_t size_bytes)
{
	struct node_pages *pages = pages_of(node);

	if (!pages)
		return;
	mutex_lock(&pages->lock);
	pages_clear_tail_locked(pages, size_bytes);
	mutex_unlock(&pages->lock);
}

static void cut_at(struct node_pages *pages, uint64_t size_bytes)
{
	mutex_lock(&pages->lock);
	pages->version++;
	node_pages_cut_all_locked(pages, ALIGN_UP(size_bytes, PAGE_SIZE) / PAGE_SIZE, UINT64_MAX);
	pages_clear_tail_locked(pages, size_bytes);
	mutex_unlock(&pages->lock);
	pages_let_writer_go(pages);
}

void node_pages_resize(struct node *node, uint64_t size_bytes)
{
	struct node_pages *pages = pages_of(node);

	if (pages)
		cut_at(pages, size_bytes);
	node_unmap(node, ALIGN_UP(size_bytes, PAGE_SIZE) / PAGE_SIZE, UINT64_MAX, true);
}

/* ---- fills ---- */

void pages_fill_put(struct fill *fill)
{
	if (!refcount_put(&fill->references))
		return;
	for (uint32_t i = 0; i < fill->io.npages; i++) {
		if (fill->frames[i])
			frame_put(fill->frames[i]);
	}
	node_put(fill->node);
	kfree(fill);
}

err_t node_pages_add_locked(struct node_pages *pages, uint64_t index, struct frame *frame)
{
	err_t err;

	frame_get(frame);
	err = pageset_add(&pages->pages, index, frame);
	if (err)
		frame_put(frame);
	else
		pages_count(1);
	return err;
}

/* What of the pages may be kept: whole ones, and the last of the file. */
static void keep_locked(struct node_pages *pages, struct fill *fill) REQUIRES(pages->lock);
static void keep_locked(struct node_pages *pages, struct fill *fill)
{
	uint64_t first = fill->io.offset_bytes / PAGE_SIZE;
	uint64_t end_bytes = fill->io.offset_bytes + (uint64_t)MAX(fill->result, (ssize_t)0);
	bool is_end = end_bytes >= read_once(&fill->node->attr.size_bytes);

	for (uint32_t i = 0; i < fill->io.npages; i++) {
		uint64_t page_end_bytes = (first + i + 1) * PAGE_SIZE;

		if (page_end_bytes > end_bytes &&
		    (!is_end || page_end_bytes - PAGE_SIZE >= end_bytes))
			break;
		if (pageset_find(&pages->pages, first + i))
			continue;
		if (node_pages_add_locked(pages, first + i, fill->frames[i]))
			break;
	}
}

/* What the server did not say is zeros. */
static void clear_rest(const struct fill *fill)
{
	size_t len_bytes = (size_t)MAX(fill->result, (ssize_t)0);
	size_t used_bytes = len_bytes % PAGE_SIZE;

	if (used_bytes && !fill->io.brings_frames) /* else nobody keeps them */
		memset((char *)frame_virt(fill->frames[len_bytes / PAGE_SIZE]) + used_bytes, 0,
		       PAGE_SIZE - used_bytes);
}

/* Where the server's file ends ours may go on. */
static void fill_with_zeros(struct fill *fill)
{
	uint32_t first =
		(uint32_t)(ALIGN_UP((size_t)MAX(fill->result, (ssize_t)0), PAGE_SIZE) / PAGE_SIZE);

	if (fill->result < 0)
		return;
	for (uint32_t i = first; i < fill->io.npages; i++)
		memset(frame_virt(fill->frames[i]), 0, PAGE_SIZE);
	fill->result = (ssize_t)(fill->io.npages * PAGE_SIZE);
}

/* From the server, in whatever thread. */
static void fill_over(struct page_fill *io, ssize_t result)
{
	struct fill *fill = container_of(io, struct fill, io);
	struct node_pages *pages = pages_of(fill->node);
	bool cached, current;

	fill->result = MIN(result, (ssize_t)(io->npages * PAGE_SIZE));
	clear_rest(fill);
	mutex_lock(&pages->lock);
	cached = list_linked(&fill->link);
	if (cached && node_is_ahead(fill->node))
		fill_with_zeros(fill);
	current = cached && result >= 0 && fill->version == pages->version && !pages->nwriters;
	if (current && (size_t)fill->result < io->len_bytes)
		node_attr_shrunk(fill->node, io->offset_bytes + (uint64_t)fill->result);
	if (cached)
		list_del(&fill->link);
	if (current)
		keep_locked(pages, fill);
	mutex_unlock(&pages->lock);
	if (cached && result > 0)
		pages_note_filled(pages);
	store_release(&fill->over, true);
	waitq_wake_all(&pages->filled);
	pages_fill_put(fill);
}

struct fill *pages_fill_create_bare(struct node *node, uint64_t first, uint32_t npages)
{
	struct fill *fill = kzalloc(sizeof(*fill) + npages * sizeof(void *));

	if (!fill)
		return NULL;
	refcount_init(&fill->references);
	list_init(&fill->link);
	fill->node = node_get(node);
	fill->io = (struct page_fill){.done = fill_over,
				      .offset_bytes = first * PAGE_SIZE,
				      .len_bytes = npages * PAGE_SIZE,
				      .npages = npages,
				      .brings_frames = true,
				      .frames = fill->frames};
	return fill;
}

struct fill *pages_fill_create(struct node *node, uint64_t first, uint32_t npages)
{
	struct fill *fill = pages_fill_create_bare(node, first, npages);

	if (!fill)
		return NULL;
	fill->io.brings_frames = false;
	for (uint32_t i = 0; i < npages; i++) {
		fill->frames[i] = frame_alloc(0, FRAME_PROGRAM);
		if (!fill->frames[i]) {
			pages_fill_put(fill);
			return NULL;
		}
	}
	return fill;
}

/* Asks the server, which calls fill_over() once. */
void pages_fill_start(struct file *file, struct fill *fill)
{
	err_t err;

	refcount_get(&fill->references); /* the server's */
	err = file->server->ops->read_pages(file->server, file->id, file->open.handle,
					    object_flags(&file->object), &fill->io);
	if (err)
		fill_over(&fill->io, err);
}

err_t pages_fill_wait(struct node_pages *pages, struct fill *fill)
{
	uint64_t deadline_ns = server_deadline_ns();
	err_t err =
		wait_event_killable_timeout(&pages->filled, load_acquire(&fill->over), deadline_ns);

	if (err)
		return err;
	return fill->result < 0 ? (err_t)fill->result : 0;
}

/* ---- finding pages ---- */

/* What brings the page, and was asked for after the last change: an older one may bring what was
 * there before, and is for those alone who asked before. */
static struct fill *fill_of_locked(struct node_pages *pages, uint64_t index) REQUIRES(pages->lock);
static struct fill *fill_of_locked(struct node_pages *pages, uint64_t index)
{
	struct fill *fill;

	list_for_each (fill, &pages->fills, link) {
		uint64_t first = fill->io.offset_bytes / PAGE_SIZE;

		if (fill->version == pages->version && index >= first &&
		    index - first < fill->io.npages)
			return fill;
	}
	return NULL;
}

static uint32_t ahead_max_pages(struct server *server)
{
	uint32_t most = AHEAD_MAX_PAGES;

	if (server->ops->ahead_bytes)
		most = MIN(most, server->ops->ahead_bytes(server) / (uint32_t)PAGE_SIZE);
	return MAX(most, 1u);
}

/* How many pages to ask for at `index`: what the reader wants, and ahead of one who reads on and
 * on; not beyond the end, and not what is there or on its way. */
static uint32_t pages_to_ask_locked(struct file *file, struct node_pages *pages, uint64_t index,
				    uint32_t wanted) REQUIRES(pages->lock);
static uint32_t pages_to_ask_locked(struct file *file, struct node_pages *pages, uint64_t index,
				    uint32_t wanted)
{
	uint32_t most = file->server->ops->transfer_bytes(file->server, false) / PAGE_SIZE;
	uint64_t end = ALIGN_UP(read_once(&file->node->attr.size_bytes), PAGE_SIZE) / PAGE_SIZE;
	uint32_t ahead = read_once(&file->ahead_pages), n;

	/* A hint: two readers of one open file only guess worse. */
	if (index == read_once(&file->ahead_index))
		ahead = MIN(MAX(ahead * 2, AHEAD_FIRST_PAGES), ahead_max_pages(file->server));
	else
		ahead = 1;
	n = MIN(MAX(wanted, ahead), most);
	if (end > index)
		n = (uint32_t)MIN((uint64_t)n, end - index);
	for (uint32_t i = 1; i < n; i++) {
		if (pageset_find(&pages->pages, index + i) || fill_of_locked(pages, index + i))
			n = i;
	}
	write_once(&file->ahead_pages, ahead);
	write_once(&file->ahead_index, index + n);
	return n;
}

/* Where a page is. */
struct place {
	struct frame *frame; /* a reference; NULL: it is not in the cache */
	struct fill *fill;   /* a reference: it is on its way */
	bool is_new;         /* the fill is the caller's to start */
};

static err_t find_place(struct file *file, struct node_pages *pages, uint64_t index,
			uint32_t wanted, struct place *out)
{
	err_t err = 0;

	*out = (struct place){0};
	mutex_lock(&pages->lock);
	out->frame = pageset_find(&pages->pages, index);
	if (out->frame) {
		frame_get(out->frame);
		goto unlock;
	}
	out->fill = fill_of_locked(pages, index);
	if (out->fill) {
		refcount_get(&out->fill->references);
		goto unlock;
	}
	out->fill = pages_fill_create(file->node, index,
				      pages_to_ask_locked(file, pages, index, wanted));
	if (!out->fill) {
		err = -ENOMEM;
		goto unlock;
	}
	out->is_new = true;
	out->fill->version = pages->version;
	list_add_tail(&pages->fills, &out->fill->link);
unlock:
	mutex_unlock(&pages->lock);
	return err;
}

err_t pages_get(struct file *file, struct node_pages *pages, uint64_t index, uint32_t wanted,
		struct frame **out, size_t *valid_bytes)
{
	struct place place;
	uint64_t skipped_bytes;
	err_t err = MEMORY_RETRY(find_place(file, pages, index, wanted, &place));

	if (err)
		return err;
	*out = place.frame;
	*valid_bytes = PAGE_SIZE;
	if (place.frame)
		return 0;
	if (place.is_new) {
		/* What was dropped may be on its way to the server still, which might answer a
		 * later request first. */
		pages_await_written(pages);
		pages_fill_start(file, place.fill);
	}
	/* Of its two references one is ours. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	err = pages_fill_wait(pages, place.fill);
	if (!err) {
		skipped_bytes = index * PAGE_SIZE - place.fill->io.offset_bytes;
		*out = place.fill->frames[skipped_bytes / PAGE_SIZE];
		frame_get(*out);
		*valid_bytes = (uint64_t)place.fill->result <= skipped_bytes
				       ? 0
				       : MIN((size_t)place.fill->result - skipped_bytes, PAGE_SIZE);
	}
	pages_fill_put(place.fill);
	return err;
}

/* ---- reading ---- */

static uint32_t pages_between(uint64_t from_bytes, uint64_t to_bytes)
{
	uint64_t npages = ALIGN_UP(to_bytes, PAGE_SIZE) / PAGE_SIZE - from_bytes / PAGE_SIZE;

	return (uint32_t)MIN(npages, UINT64_C(256));
}

/* One page's worth at `offset`, at most `len_bytes`. Fewer: the driver's file has ended. */
static ssize_t read_page(struct file *file, struct node_pages *pages, struct buffer *buffer,
			 uint64_t offset, size_t len_bytes)
{
	size_t skip = offset % PAGE_SIZE, valid_bytes, moved;
	size_t step = MIN(PAGE_SIZE - skip, len_bytes);
	struct frame *frame;
	err_t err = pages_get(file, pages, offset / PAGE_SIZE,
			      pages_between(offset, offset + len_bytes), &frame, &valid_bytes);

	if (err)
		return err;
	step = valid_bytes <= skip ? 0 : MIN(step, valid_bytes - skip);
	moved = buffer_copy_to(buffer, (char *)frame_virt(frame) + skip, step);
	frame_put(frame);
	return buffer_result(moved, step);
}

static ssize_t read_cached(struct file *file, struct node_pages *pages, struct buffer *buffer,
			   uint64_t offset)
{
	uint64_t size_bytes;
	size_t done = 0;
	ssize_t result = node_size(file->node, &size_bytes);

	while (!result && buffer_remaining(buffer) && offset + done < size_bytes) {
		size_t len =
			(size_t)MIN((uint64_t)buffer_remaining(buffer), size_bytes - offset - done);
		ssize_t moved = read_page(file, pages, buffer, offset + done, len);

		if (moved <= 0) {
			result = moved;
			break;
		}
		done += (size_t)moved;
	}
	return done ? (ssize_t)done : result;
}

ssize_t node_pages_read(struct file *file, struct buffer *buffer, uint64_t offset_bytes)
{
	struct node_pages *pages = pages_of(file->node);

	if (unlikely(!pages))
		pages = node_pages_of(file->node);
	if (unlikely(!pages))
		return -ENOMEM;
	if (offset_bytes > INT64_MAX)
		return -EINVAL;
	return (file->open.flags & SERVER_DIRECT_IO) || object_flags(&file->object) & O_DIRECT
		       ? pages_read_direct(file, pages, buffer, offset_bytes)
		       : read_cached(file, pages, buffer, offset_bytes);
}

/* ---- mapping ---- */

err_t node_pages_get(struct file *file, uint64_t page_index, unsigned fault_access,
		     struct page_ref *out)
{
	struct node_pages *pages = pages_of(file->node);
	struct frame *frame = NULL;
	err_t err = 0;

	if (page_index * PAGE_SIZE >= read_once(&file->node->attr.size_bytes))
		return (fault_access & FAULT_AHEAD) ? -EAGAIN : -EIO;
	if (pages) {
		mutex_lock(&pages->lock);
		frame = pageset_find(&pages->pages, page_index);
		if (frame && (fault_access & FAULT_WRITE))
			err = pages_change_locked(pages, file, page_index);
		if (frame && !err)
			frame_get(frame);
		mutex_unlock(&pages->lock);
	}
	if (err)
		return err;
	if (!frame)
		return (fault_access & FAULT_AHEAD) ? -EAGAIN : MM_WAIT;
	*out = (struct page_ref){.phys = frame_phys(frame), .frame = frame};
	return 0;
}

err_t node_pages_wait(struct file *file, uint64_t page_index)
{
	struct node_pages *pages = node_pages_of(file->node);
	struct frame *frame;
	size_t valid_bytes;
	err_t err;

	if (!pages)
		return -ENOMEM;
	err = pages_get(file, pages, page_index, 1, &frame, &valid_bytes);
	if (err)
		return err;
	frame_put(frame);
	if (pages_are_many(pages)) { /* that was it what was to be waited for */
		err = node_pages_write_back(file->node);
		if (err)
			return err;
	}
	return valid_bytes ? 0 : -EIO;
}
