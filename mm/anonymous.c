/*
 * The anonymous memory object: pages of zeros that come into being when they are first touched and
 * are the same for all who map it. Its pages are under object->lock (LOCK_OBJECT), taken inside of
 * a space's lock.
 */
#include <mm/pageset.h>

#include <mm/commit.h>
#include <mm/object.h>
#include <mm/slab.h>
#include <sched/lock.h>

#include <abi/errno.h>

struct anonymous_object {
	struct memory_object object;
	struct mutex lock;
	uint64_t npages; /* constant */
	struct mapped_places places;
	struct pageset pages; /* lock */
};

SLAB_CACHE(anonymous_cache, struct anonymous_object);

static uint64_t npages_total; /* atomic: of all of them */

uint64_t memory_shared_pages(void)
{
	return read_once(&npages_total);
}

static struct anonymous_object *anonymous_of(struct memory_object *object)
{
	return container_of(object, struct anonymous_object, object);
}

static err_t make_page_locked(struct anonymous_object *anonymous, uint64_t page_index,
			      struct frame **out) REQUIRES(anonymous->lock)
{
	struct frame *frame = frame_alloc(0, FRAME_ZERO | FRAME_PROGRAM);
	err_t err;

	if (!frame)
		return -ENOMEM;
	err = pageset_add(&anonymous->pages, page_index, frame);
	if (err) {
		frame_free(frame, 0);
		return err;
	}
	(void)atomic_fetch_add_full(&npages_total, 1);
	*out = frame;
	return 0;
}

static err_t anonymous_get_page(struct memory_object *object, uint64_t page_index,
				unsigned fault_access, struct page_ref *out)
{
	struct anonymous_object *anonymous = anonymous_of(object);
	struct frame *frame;
	err_t err = 0;

	if (page_index >= anonymous->npages)
		return -EIO;
	mutex_lock(&anonymous->lock);
	frame = pageset_find(&anonymous->pages, page_index);
	if (!frame)
		err = fault_access & FAULT_AHEAD ? -EAGAIN
						 : make_page_locked(anonymous, page_index, &frame);
	if (!err) {
		frame_get(frame);
		*out = (struct page_ref){.phys = frame_phys(frame), .frame = frame};
	}
	mutex_unlock(&anonymous->lock);
	return err;
}

static err_t anonymous_punch(struct memory_object *object, uint64_t offset_bytes,
			     uint64_t len_bytes)
{
	struct anonymous_object *anonymous = anonymous_of(object);
	uint64_t first = offset_bytes >> PAGE_SHIFT;
	uint64_t end = first + (len_bytes >> PAGE_SHIFT), npages_before;

	mutex_lock(&anonymous->lock);
	npages_before = anonymous->pages.npages;
	pageset_cut(&anonymous->pages, first, end);
	(void)atomic_fetch_sub_full(&npages_total, npages_before - anonymous->pages.npages);
	mutex_unlock(&anonymous->lock);
	mapped_places_unmap(&anonymous->places, first, end, false);
	return 0;
}

static void anonymous_release(struct memory_object *object)
{
	struct anonymous_object *anonymous = anonymous_of(object);

	(void)atomic_fetch_sub_full(&npages_total, anonymous->pages.npages);
	pageset_cut(&anonymous->pages, 0, UINT64_MAX);
	commit_add(-(int64_t)anonymous->npages);
	slab_free(&anonymous_cache, anonymous);
}

static const struct memory_object_ops anonymous_ops = {
	.get_page = anonymous_get_page,
	.punch = anonymous_punch,
	.release = anonymous_release,
};

uint64_t memory_object_anonymous_pages(struct memory_object *object)
{
	struct anonymous_object *anonymous = anonymous_of(object);
	uint64_t npages;

	mutex_lock(&anonymous->lock);
	npages = anonymous->pages.npages;
	mutex_unlock(&anonymous->lock);
	return npages;
}

err_t memory_object_anonymous(uint64_t len_bytes, struct memory_object **out)
{
	uint64_t npages = (len_bytes >> PAGE_SHIFT) + !IS_ALIGNED(len_bytes, PAGE_SIZE);
	struct anonymous_object *anonymous;

	if (commit_check(npages))
		return -ENOMEM;
	anonymous = slab_alloc_zeroed(&anonymous_cache);
	if (!anonymous)
		return -ENOMEM;
	commit_add((int64_t)npages);
	memory_object_init(&anonymous->object, &anonymous_ops);
	mutex_init(&anonymous->lock, LOCK_OBJECT);
	mapped_places_init(&anonymous->places);
	anonymous->object.places = &anonymous->places;
	pageset_init(&anonymous->pages);
	anonymous->npages = npages;
	*out = &anonymous->object;
	return 0;
}
