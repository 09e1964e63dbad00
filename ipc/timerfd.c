/*
 * timerfd: a deadline, from which the clock says how often it has passed; the kernel's timer only
 * wakes. It is started again by who reads, so one that nobody reads costs one interrupt.
 *
 * `lock` (LOCK_TIMERFD, interrupts off) has the setting and the timer's starting and cancelling;
 * the timer's function does not take it.
 */
#include <ipc/timerfd.h>

#include <abi/fcntl.h>
#include <arch/clock.h>
#include <arch/spin.h>
#include <ipc/anonymous.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <sched/lock.h>
#include <sched/timer.h>

struct timerfd {
	struct object object;
	enum timerfd_clock clock; /* constant */
	struct spinlock lock;
	struct timerfd_setting setting; /* lock; the deadline is the first that was not read */
	bool cancelled;                 /* lock: the time of day was set, and nobody knows yet */
	struct list by_day;             /* day_lock: of those of TIMERFD_WALL */
	struct timer timer;
	struct waitq expired;
};

SLAB_CACHE(timerfd_cache, struct timerfd);
static MUTEX(day_lock, LOCK_DAYTIMERS);
static LIST_HEAD(all_by_day); /* day_lock */
static const struct object_ops timerfd_ops;

static struct timerfd *timerfd_of(const struct object *object)
{
	return container_of((struct object *)(uintptr_t)object, struct timerfd, object);
}

bool object_is_timerfd(const struct object *object)
{
	return object->ops == &timerfd_ops;
}

enum timerfd_clock timerfd_clock(const struct object *object)
{
	return timerfd_of(object)->clock;
}

/* In an interrupt. */
static void expire(void *timerfd)
{
	waitq_wake_all_events(&((struct timerfd *)timerfd)->expired, POLLIN);
}

static void start_locked(struct timerfd *timerfd) REQUIRES(timerfd->lock);
static void start_locked(struct timerfd *timerfd)
{
	int64_t deadline_ns = timerfd->setting.deadline_ns;

	if (timerfd->setting.armed)
		timer_start(&timerfd->timer, (uint64_t)MAX(deadline_ns, (int64_t)0));
	else
		timer_cancel(&timerfd->timer);
}

/* How long ago the deadline was; negative: it is to come. */
static int64_t late_ns(const struct timerfd_setting *setting)
{
	return (int64_t)clock_ns() - setting->deadline_ns;
}

/* Once for each time that it was set. */
static bool take_cancelled(struct timerfd *timerfd)
{
	irqflags_t flags = spin_lock_irqsave(&timerfd->lock);
	bool cancelled = timerfd->cancelled;

	timerfd->cancelled = false;
	spin_unlock_irqrestore(&timerfd->lock, flags);
	return cancelled;
}

/* How often the time has come; 0: not yet. */
static uint64_t take(struct timerfd *timerfd)
{
	irqflags_t flags = spin_lock_irqsave(&timerfd->lock);
	struct timerfd_setting *setting = &timerfd->setting;
	int64_t late = late_ns(setting);
	uint64_t count = 0;

	if (setting->armed && late >= 0) {
		count = 1;
		if (setting->interval_ns) {
			count += (uint64_t)late / setting->interval_ns;
			setting->deadline_ns += (int64_t)(count * setting->interval_ns);
		}
		setting->armed = setting->interval_ns != 0;
		start_locked(timerfd);
	}
	spin_unlock_irqrestore(&timerfd->lock, flags);
	return count;
}

static ssize_t timerfd_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct timerfd *timerfd = timerfd_of(object);
	uint64_t count = 0;
	err_t err = number_check(buffer, offset);
	bool cancelled = false;

	if (!err)
		err = object_wait(object, &timerfd->expired,
				  (cancelled = take_cancelled(timerfd)) ||
					  (count = take(timerfd)) != 0);
	if (cancelled)
		return -ECANCELED;
	return err ? err : number_give(buffer, count);
}

static unsigned timerfd_poll(struct object *object, struct waitq **queue)
{
	struct timerfd *timerfd = timerfd_of(object);
	irqflags_t flags = spin_lock_irqsave(&timerfd->lock);
	bool has_come =
		timerfd->cancelled || (timerfd->setting.armed && late_ns(&timerfd->setting) >= 0);

	spin_unlock_irqrestore(&timerfd->lock, flags);
	*queue = &timerfd->expired;
	return has_come ? POLLIN : 0;
}

static struct timerfd_left left_locked(const struct timerfd *timerfd) REQUIRES(timerfd->lock);
static struct timerfd_left left_locked(const struct timerfd *timerfd)
{
	const struct timerfd_setting *setting = &timerfd->setting;
	struct timerfd_left left = {.interval_ns = setting->interval_ns};
	int64_t late = late_ns(setting);

	if (setting->armed && late < 0)
		left.left_ns = (uint64_t)-late;
	else if (setting->armed && setting->interval_ns)
		left.left_ns = setting->interval_ns - (uint64_t)late % setting->interval_ns;
	return left;
}

struct timerfd_left timerfd_get(struct object *object)
{
	struct timerfd *timerfd = timerfd_of(object);
	irqflags_t flags = spin_lock_irqsave(&timerfd->lock);
	struct timerfd_left left = left_locked(timerfd);

	spin_unlock_irqrestore(&timerfd->lock, flags);
	return left;
}

void timerfd_set(struct object *object, const struct timerfd_setting *setting,
		 struct timerfd_left *before)
{
	struct timerfd *timerfd = timerfd_of(object);
	irqflags_t flags = spin_lock_irqsave(&timerfd->lock);

	if (before)
		*before = left_locked(timerfd);
	timerfd->setting = *setting;
	timerfd->cancelled = false;
	start_locked(timerfd);
	spin_unlock_irqrestore(&timerfd->lock, flags);
}

static void timerfd_describe(UNUSED struct object *object, char *to, size_t to_bytes)
{
	string_copy(to, to_bytes, "anon_inode:[timerfd]");
}

static void rebase(struct timerfd *timerfd, int64_t day_offset_ns, bool is_set)
{
	irqflags_t flags = spin_lock_irqsave(&timerfd->lock);
	struct timerfd_setting *setting = &timerfd->setting;

	if (setting->by_day) {
		setting->deadline_ns += setting->day_offset_ns - day_offset_ns;
		setting->day_offset_ns = day_offset_ns;
		start_locked(timerfd);
		timerfd->cancelled |= is_set && setting->cancel_on_set;
	}
	spin_unlock_irqrestore(&timerfd->lock, flags);
	if (is_set)
		waitq_wake_all_events(&timerfd->expired, POLLIN);
}

void timerfd_rebase(int64_t day_offset_ns, bool is_set)
{
	struct timerfd *timerfd;

	mutex_lock(&day_lock);
	list_for_each (timerfd, &all_by_day, by_day)
		rebase(timerfd, day_offset_ns, is_set);
	mutex_unlock(&day_lock);
}

static void timerfd_release(struct object *object)
{
	mutex_lock(&day_lock);
	list_del(&timerfd_of(object)->by_day);
	mutex_unlock(&day_lock);
	timer_cancel(&timerfd_of(object)->timer);
}

static void timerfd_free(struct object *object)
{
	slab_free(&timerfd_cache, timerfd_of(object));
}

static const struct object_ops timerfd_ops = {
	.read = timerfd_read,
	.poll = timerfd_poll,
	.stat = anonymous_stat,
	.describe = timerfd_describe,
	.release = timerfd_release,
	.free = timerfd_free,
};

struct object *timerfd_create(enum timerfd_clock clock, unsigned flags)
{
	struct timerfd *timerfd = slab_alloc_zeroed(&timerfd_cache);

	if (!timerfd)
		return NULL;
	object_init(&timerfd->object, &timerfd_ops, OBJECT_OTHER, flags | O_RDWR);
	spin_init(&timerfd->lock, LOCK_TIMERFD);
	timer_init(&timerfd->timer, expire, timerfd);
	waitq_init(&timerfd->expired);
	timerfd->clock = clock;
	list_init(&timerfd->by_day);
	mutex_lock(&day_lock);
	if (clock == TIMERFD_WALL)
		list_add_tail(&all_by_day, &timerfd->by_day);
	mutex_unlock(&day_lock);
	return &timerfd->object;
}
