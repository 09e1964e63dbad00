/*
 * Pages that are taken back from who maps them, while other CPUs fault them in and copy the space:
 * when mapped_places_unmap() comes back, nobody has one any more.
 */
#include "kthread.h"

#include <arch/paging.h>
#include <lib/atomic.h>
#include <lib/selftest.h>
#include <mm/fault.h>
#include <mm/frame.h>
#include <mm/space.h>
#include <sched/lock.h>
#include <sched/thread.h>
#include <sched/wait.h>

#include <abi/errno.h>

#define PAGES  8u
#define ROUNDS (IS_ON(FUSELAGE_KASAN) ? 60u : 300u)

/* A file of PAGES pages or none. */
static struct {
	struct memory_object memory;
	struct mapped_places places;
	struct mutex lock;
	bool is_cut;                 /* lock */
	struct frame *frames[PAGES]; /* lock; made when they are asked for */
} file;

static struct space *space;
static vaddr_t shared_at, private_at;
static bool over;                    /* atomic */
static uint32_t nrunning;            /* atomic */
static uint32_t nchecking, nfreeing; /* atomic: the two keep out of each other's way */
static WAITQ(ended);

static err_t get_page(struct memory_object *object, uint64_t page_index, unsigned fault_access,
		      struct page_ref *out)
{
	struct frame **frame;
	err_t err = 0;

	(void)object;
	mutex_lock(&file.lock);
	frame = &file.frames[page_index % PAGES];
	if (file.is_cut)
		err = -EIO;
	else if (!*frame && (fault_access & FAULT_AHEAD))
		err = -EAGAIN;
	else if (!*frame)
		*frame = frame_alloc(0, FRAME_ZERO);
	if (!err && !*frame)
		err = -ENOMEM;
	if (!err) {
		frame_get(*frame);
		*out = (struct page_ref){.phys = frame_phys(*frame), .frame = *frame};
	}
	mutex_unlock(&file.lock);
	return err;
}

static void release(struct memory_object *object)
{
	(void)object;
}

static const struct memory_object_ops file_ops = {.get_page = get_page, .release = release};

/* ---- those who fault ---- */

static void touch(struct space *in, unsigned page)
{
	struct page_wait wait;

	(void)!space_fault(in, shared_at + page * PAGE_SIZE, FAULT_READ, &wait);
	(void)!space_fault(in, shared_at + page * PAGE_SIZE, FAULT_WRITE, &wait);
	(void)!space_fault(in, private_at + page * PAGE_SIZE, FAULT_READ, &wait);
	if (page & 1)
		(void)!space_fault(in, private_at + page * PAGE_SIZE, FAULT_WRITE, &wait);
}

static void end_thread(void)
{
	if (atomic_fetch_sub_full(&nrunning, 1) == 1)
		waitq_wake_all(&ended);
}

static void fault_thread(void *argument)
{
	(void)argument;
	for (unsigned page = 0; !read_once(&over); page = (page + 1) % PAGES)
		touch(space, page);
	end_thread();
}

/* A space that goes empties itself: not while somebody looks at who has pages. */
static void free_space(struct space *child)
{
	for (;;) {
		(void)atomic_fetch_add_full(&nfreeing, 1);
		if (!read_once(&nchecking))
			break;
		(void)atomic_fetch_sub_full(&nfreeing, 1);
		thread_yield();
	}
	space_put(child);
	(void)atomic_fetch_sub_full(&nfreeing, 1);
}

static void fork_thread(void *argument)
{
	struct space *child;

	(void)argument;
	for (unsigned page = 0; !read_once(&over); page = (page + 1) % PAGES) {
		if (space_fork(space, &child))
			continue;
		touch(child, page);
		free_space(child);
	}
	end_thread();
}

/* ---- taking back ---- */

static void cut(struct frame *taken[PAGES])
{
	mutex_lock(&file.lock);
	file.is_cut = true;
	for (unsigned i = 0; i < PAGES; i++) {
		taken[i] = file.frames[i];
		file.frames[i] = NULL;
	}
	mutex_unlock(&file.lock);
}

static void grow(void)
{
	mutex_lock(&file.lock);
	file.is_cut = false;
	mutex_unlock(&file.lock);
}

static void cut_and_look(void)
{
	struct frame *taken[PAGES];

	cut(taken);
	(void)atomic_fetch_add_full(&nchecking, 1);
	while (read_once(&nfreeing))
		thread_yield();
	mapped_places_unmap(&file.places, 0, PAGES, true);
	for (unsigned i = 0; i < PAGES; i++) {
		if (!taken[i])
			continue;
		selftest_check(!frame_is_shared(taken[i]));
		frame_put(taken[i]);
	}
	(void)atomic_fetch_sub_full(&nchecking, 1);
	grow();
}

static bool map(unsigned flags, vaddr_t *address)
{
	return selftest_check(!space_map(space,
					 &(struct space_request){.length_bytes = PAGES * PAGE_SIZE,
								 .prot = SPACE_READ | SPACE_WRITE,
								 .flags = flags,
								 .object = &file.memory},
					 address));
}

static bool begin(void)
{
	memory_object_init(&file.memory, &file_ops);
	mapped_places_init(&file.places);
	mutex_init(&file.lock, LOCK_OBJECT);
	file.memory.places = &file.places;
	file.is_cut = false;
	over = false;
	return selftest_check(!space_create(&space, USER_MAX)) && map(SPACE_SHARED, &shared_at) &&
	       map(0, &private_at);
}

static void start(void (*thread)(void *argument))
{
	(void)atomic_fetch_add_full(&nrunning, 1);
	if (!selftest_check(!kthread_start("mapped", thread, NULL, NULL)))
		(void)atomic_fetch_sub_full(&nrunning, 1);
}

SELFTEST(pages_that_are_taken_back_are_nobody_s)
{
	struct frame *taken[PAGES];

	if (!begin())
		return;
	start(fault_thread);
	start(fork_thread);
	for (unsigned round = 0; round < ROUNDS; round++) {
		thread_yield();
		cut_and_look();
	}
	write_once(&over, true);
	wait_event(&ended, read_once(&nrunning) == 0);
	cut(taken);
	mapped_places_unmap(&file.places, 0, PAGES, true);
	space_put(space);
	for (unsigned i = 0; i < PAGES; i++) {
		if (taken[i])
			frame_put(taken[i]);
	}
	selftest_check(list_empty(&file.places.links));
}

/* ---- one thread: what goes, and what stays ---- */

static unsigned resident_pages(void)
{
	struct space_stats stats;

	space_stats(space, &stats);
	return (unsigned)stats.resident_pages;
}

SELFTEST(private_copies_stay_unless_the_file_is_cut)
{
	struct space *child;
	struct frame *taken[PAGES];
	uint8_t value = 7;

	if (!begin())
		return;
	for (unsigned page = 0; page < PAGES; page++)
		touch(space, page);
	selftest_check(resident_pages() == 2 * PAGES);
	/* A copy that both spaces share is none of the file's either. */
	selftest_check(!space_write(space, private_at + PAGE_SIZE, &value, 1, false));
	selftest_check(!space_fork(space, &child));
	mapped_places_unmap(&file.places, 0, PAGES, false);
	selftest_check(resident_pages() == PAGES / 2);
	value = 0;
	selftest_check(!space_read(child, private_at + PAGE_SIZE, &value, 1) && value == 7);
	selftest_check(!space_read(space, private_at + PAGE_SIZE, &value, 1) && value == 7);
	cut(taken);
	mapped_places_unmap(&file.places, 2, PAGES, true);
	selftest_check(!space_read(space, private_at + PAGE_SIZE, &value, 1) && value == 7);
	selftest_check(space_read(space, private_at + 3 * PAGE_SIZE, &value, 1) == -EIO);
	selftest_check(space_read(child, private_at + 3 * PAGE_SIZE, &value, 1) == -EIO);
	space_put(child);
	space_put(space);
	for (unsigned i = 0; i < PAGES; i++) {
		if (taken[i])
			frame_put(taken[i]);
	}
}

SELFTEST(mapped_pages_are_reclaimed_but_locked_and_written_ones)
{
	struct frame *taken[PAGES];
	struct page_wait wait;
	vaddr_t read_at;

	if (!begin())
		return;
	if (!selftest_check(!space_map(space,
				       &(struct space_request){.length_bytes = PAGES * PAGE_SIZE,
							       .prot = SPACE_READ,
							       .object = &file.memory},
				       &read_at)))
		return;
	for (unsigned page = 0; page < PAGES; page++) {
		touch(space, page); /* writes to every other one of the private mapping */
		(void)!space_fault(space, read_at + page * PAGE_SIZE, FAULT_READ, &wait);
	}
	selftest_check(resident_pages() == 3 * PAGES);
	mapped_places_reclaim(&file.places, 1, PAGES, true);
	/* All shared ones stay, since they may have been written to, and the private copies. */
	selftest_check(resident_pages() == PAGES + PAGES / 2 + 1 + 1);
	selftest_check(
		!space_lock(space, read_at, PAGES * PAGE_SIZE, SPACE_LOCKED | SPACE_POPULATE));
	mapped_places_reclaim(&file.places, 0, PAGES, true);
	selftest_check(resident_pages() == PAGES + PAGES / 2 + PAGES);
	cut(taken);
	mapped_places_unmap(&file.places, 0, PAGES, true);
	space_put(space);
	for (unsigned i = 0; i < PAGES; i++) {
		if (taken[i])
			frame_put(taken[i]);
	}
}
