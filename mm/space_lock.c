/*
 * Memory that stays where it is: mlock and mlockall. Nothing takes the pages of a program away as
 * long as they are mapped, so locked memory is memory whose pages are there from the beginning, and
 * which counts against a limit; advice to drop them is refused. All under space->lock but for
 * bringing the pages.
 */
#include "space_priv.h"

#include <abi/errno.h>

/* Pages of [start, end) that are locked already. */
static uint64_t locked_in(struct space *space, vaddr_t start, vaddr_t end) REQUIRES(space->lock)
{
	const struct region *region = region_from(&space->regions, start);
	uint64_t npages = 0;

	for (; region && region->start < end; region = region_next(region)) {
		if (region->flags & SPACE_LOCKED)
			npages += (MIN(region->end, end) - MAX(region->start, start)) >> PAGE_SHIFT;
	}
	return npages;
}

static err_t lock_range_locked(struct space *space, vaddr_t start, vaddr_t end, unsigned flags,
			       struct doomed *doomed) REQUIRES(space->lock)
{
	const struct flag_change change = {
		.set = flags & SPACE_LOCKED, .clear = SPACE_LOCKED, .stop_at_hole = true};
	uint64_t npages = (end - start) >> PAGE_SHIFT;

	if (flags & SPACE_LOCKED &&
	    space_lock_fits_locked(space, npages - locked_in(space, start, end)))
		return -ENOMEM;
	return space_flag_range_locked(space, start, end, &change, doomed);
}

/* mlock(2): what is not there, or not to be touched, is ENOMEM, and what cannot be had EAGAIN. */
static err_t bring(struct space *space, vaddr_t start, uint64_t length_bytes)
{
	err_t err = space_populate(space, start, length_bytes, SPACE_AS_MAPPED);

	if (err == -ENOMEM)
		return -EAGAIN;
	return err && err != -EINTR ? -ENOMEM : err;
}

err_t space_lock(struct space *space, vaddr_t start, uint64_t length_bytes, unsigned flags)
{
	struct doomed doomed = {0};
	err_t err;

	mutex_lock(&space->lock);
	err = lock_range_locked(space, start, start + ALIGN_UP(length_bytes, PAGE_SIZE), flags,
				&doomed);
	mutex_unlock(&space->lock);
	doomed_free(&doomed);
	return !err && flags & SPACE_POPULATE ? bring(space, start, length_bytes) : err;
}

static void flag_all_locked(struct space *space, unsigned set, struct doomed *doomed)
	REQUIRES(space->lock)
{
	const struct flag_change change = {.set = set, .clear = SPACE_LOCKED};

	/* Whole regions: nothing has to be split, and holes are no matter. */
	(void)!space_flag_range_locked(space, USER_MIN, USER_MAX, &change, doomed);
}

/* As far as it can be: what cannot is no error (mlockall(2)). */
static void bring_all(struct space *space)
{
	struct region_info region;

	for (vaddr_t at = 0; space_next(space, at, &region); at = region.end) {
		if (space_populate(space, region.start, region.end - region.start,
				   SPACE_AS_MAPPED) == -EINTR)
			return;
	}
}

err_t space_lock_all(struct space *space, unsigned now, unsigned future)
{
	struct doomed doomed = {0};
	err_t err = 0;

	mutex_lock(&space->lock);
	if (now && space->mapped_pages > space->locked_pages)
		err = space_lock_fits_locked(space, space->mapped_pages - space->locked_pages);
	if (!err) {
		space->future_flags = future;
		if (now || !future)
			flag_all_locked(space, now & SPACE_LOCKED, &doomed);
	}
	mutex_unlock(&space->lock);
	doomed_free(&doomed);
	if (!err && now & SPACE_POPULATE)
		bring_all(space);
	return err ? -ENOMEM : 0;
}
