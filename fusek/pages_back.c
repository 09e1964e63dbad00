/*
 * Pages that were changed in memory, and their way back to the server. They are marked in the set
 * from the first write to a mapping on; a write-back unmarks them, takes them out of all mappings
 * (so that the next write marks them again) and sends them, as many as one request takes. While any
 * is marked, the open file by which one of them was changed stays open.
 *
 * What a server refuses is lost, as everywhere, and whoever syncs or closes next is told. Those who
 * are killed do not wait, but all is sent. A file system has at most a fiftieth of memory in pages
 * of this kind (or 1 MiB); who changes one more sends his own first.
 */
#include "by_clock.h"
#include "pages_priv.h"

#include <arch/clock.h>
#include <mm/pressure.h>
#include <mm/slab.h>

#define DIRTY_MIN_PAGES UINT64_C(256)

/* Pages on their way. */
struct write_back {
	struct page_flush io;
	struct list link;       /* [l] node_pages->writes */
	struct file *file;      /* [c] a reference */
	struct frame *frames[]; /* [c] a reference each */
};

static struct spinlock changed_lock = SPINLOCK_INIT(LOCK_CHANGED);
static LIST_HEAD(changed_files); /* changed_lock: struct node_pages with a writer */

/* ---- changing ---- */

static uint64_t dirty_max_pages(void)
{
	return MAX(frames_total() / 50, DIRTY_MIN_PAGES);
}

bool pages_are_many(struct node_pages *pages)
{
	return read_once(&pages->pages.nmarked) &&
	       read_once(&pages->node->fs->ndirty) >= dirty_max_pages();
}

/* Its first page was changed, by this one. */
static void set_writer_locked(struct node_pages *pages, struct file *file) REQUIRES(pages->lock);
static void set_writer_locked(struct node_pages *pages, struct file *file)
{
	bool was_empty;

	object_get(&file->object);
	pages->writer = file;
	spin_lock(&changed_lock);
	was_empty = list_empty(&changed_files);
	pages->changed_ns = clock_ns();
	list_add_tail(&changed_files, &pages->changed);
	spin_unlock(&changed_lock);
	if (was_empty)
		by_clock_wake();
}

void pages_mark_locked(struct node_pages *pages, struct file *file, uint64_t index)
{
	if (pageset_mark(&pages->pages, index))
		(void)atomic_fetch_add_full(&pages->node->fs->ndirty, 1);
	if (!pages->writer)
		set_writer_locked(pages, file);
}

err_t pages_change_locked(struct node_pages *pages, struct file *file, uint64_t index)
{
	if (pages_are_many(pages))
		return MM_WAIT;
	pages_mark_locked(pages, file, index);
	node_attr_grown(pages->node, 0);
	return 0;
}

void pages_let_writer_go(struct node_pages *pages)
{
	struct file *file = NULL;

	mutex_lock(&pages->lock);
	if (!pages->pages.nmarked && pages->writer) {
		file = pages->writer;
		pages->writer = NULL;
		spin_lock(&changed_lock);
		list_del(&pages->changed);
		spin_unlock(&changed_lock);
	}
	mutex_unlock(&pages->lock);
	if (file)
		object_put(&file->object);
}

/* ---- sending ---- */

/* The server has them, or never will. */
static void write_over(struct page_flush *io, err_t result)
{
	struct write_back *write = container_of(io, struct write_back, io);
	struct node *node = write->file->node;
	struct node_pages *pages = node->pages;

	mutex_lock(&pages->lock);
	list_del(&write->link);
	write_once(&pages->nwrites, pages->nwrites - 1);
	if (result)
		pages->write_error = result;
	mutex_unlock(&pages->lock);
	node_attr_changed(node);
	waitq_wake_all(&pages->written);
	for (uint32_t i = 0; i < io->npages; i++)
		frame_put(io->frames[i]);
	object_put(&write->file->object); /* and with it perhaps the node */
	kfree(write);
}

/* Takes neighbouring pages that are marked, from the first one after `from` on. How many. */
static uint32_t take_locked(struct node_pages *pages, struct write_back *write, uint32_t most,
			    uint64_t *from) REQUIRES(pages->lock);
static uint32_t take_locked(struct node_pages *pages, struct write_back *write, uint32_t most,
			    uint64_t *from)
{
	uint64_t size_bytes = read_once(&pages->node->attr.size_bytes), left_bytes;
	uint64_t next = *from;
	uint32_t n = 0;

	while (n < most) {
		struct frame *frame = pageset_next_marked(&pages->pages, &next);

		if (!frame || (n && next != *from + n))
			break;
		if (!n)
			*from = next;
		(void)pageset_unmark(&pages->pages, next);
		frame_get(frame);
		write->frames[n++] = frame;
		next++;
	}
	(void)atomic_fetch_sub_full(&pages->node->fs->ndirty, n);
	write->io.offset_bytes = *from * PAGE_SIZE;
	write->io.npages = n;
	left_bytes = size_bytes - MIN(size_bytes, write->io.offset_bytes);
	write->io.len_bytes = (uint32_t)MIN((uint64_t)n * PAGE_SIZE, left_bytes);
	return n;
}

/* Sends what was taken. */
static void send(struct node_pages *pages, struct write_back *write)
{
	struct file *file = write->file;
	uint64_t first = write->io.offset_bytes / PAGE_SIZE;
	err_t err = 0;

	/* Who writes from here on marks the page again. */
	node_unmap(pages->node, first, first + write->io.npages, false);
	if (write->io.len_bytes) /* else all of it is behind the end by now */
		err = MEMORY_RETRY(
			file->server->ops->write_back(file->server, file->id, file->open.handle,
						      object_flags(&file->object), &write->io));
	if (err || !write->io.len_bytes)
		write_over(&write->io, err);
}

static bool anything_to_write(struct node_pages *pages)
{
	return pages && (read_once(&pages->pages.nmarked) || read_once(&pages->nwrites));
}

/* The next pages from *from on: with the first of them. -EAGAIN: there are none, or not now. */
static err_t begin_one(struct node_pages *pages, uint64_t *from)
{
	uint32_t most =
		MAX(pages->node->fs->server->ops->transfer_bytes(pages->node->fs->server, true) /
			    (uint32_t)PAGE_SIZE,
		    1u);
	struct write_back *write;
	uint32_t n = 0;
	err_t err = MEMORY_RETRY(
		(write = kzalloc(sizeof(*write) + most * sizeof(void *))) ? 0 : -ENOMEM);

	if (err)
		return err;
	list_init(&write->link);
	write->io.done = write_over;
	write->io.frames = write->frames;
	mutex_lock(&pages->lock);
	if (pages->nfrozen)
		write_once(&pages->write_later, true);
	else
		n = take_locked(pages, write, most, from);
	if (n) {
		write->file = pages->writer;
		object_get(&write->file->object);
		list_add_tail(&pages->writes, &write->link);
		write_once(&pages->nwrites, pages->nwrites + 1);
		*from += n;
	}
	mutex_unlock(&pages->lock);
	if (n)
		send(pages, write);
	else
		kfree(write);
	return n ? 0 : -EAGAIN;
}

void node_pages_begin_write_back(struct node *node)
{
	struct node_pages *pages = load_acquire(&node->pages);
	uint64_t from = 0;

	if (!anything_to_write(pages))
		return;
	while (!begin_one(pages, &from))
		;
	pages_let_writer_go(pages);
}

/* ---- waiting ---- */

/* What was to be written, too, while it could not be. */
static err_t wait_all_written(struct node_pages *pages)
{
	uint64_t deadline_ns = server_deadline_ns();

	return wait_event_killable_timeout(
		&pages->written, !read_once(&pages->nwrites) && !read_once(&pages->write_later),
		deadline_ns);
}

static err_t wait_written(struct node_pages *pages)
{
	uint64_t deadline_ns = server_deadline_ns();

	return wait_event_killable_timeout(&pages->written, !read_once(&pages->nwrites),
					   deadline_ns);
}

void pages_await_written(struct node_pages *pages)
{
	if (unlikely(read_once(&pages->nwrites)))
		(void)!wait_written(pages);
}

void node_pages_settle(struct node *node)
{
	struct node_pages *pages = load_acquire(&node->pages);

	node_pages_begin_write_back(node);
	if (pages)
		(void)!wait_all_written(pages);
}

/* That it was changed; who is killed does not wait for it. */
static void send_times(struct node *node)
{
	static const struct server_caller kernel;
	struct server *server = node_server(node);
	struct server_setattr set;
	struct server_attr attr;
	uint64_t valid_ns;

	if (node_times_take(node, &set))
		(void)!server->ops->setattr(server, &kernel, node->id, &set, &attr, &valid_ns);
}

/* One that this round has not come by yet, open; NULL: there are no more. */
static struct file *next_changed(const struct filesystem *fs, uint64_t round)
{
	struct node_pages *pages;
	struct file *file = NULL;

	spin_lock(&changed_lock);
	list_for_each (pages, &changed_files, changed) {
		if (pages->synced >= round || (fs && pages->node->fs != fs))
			continue;
		pages->synced = round;
		file = pages->writer; /* it stays until the list is left */
		object_get(&file->object);
		break;
	}
	spin_unlock(&changed_lock);
	return file;
}

void pages_settle_all(const struct filesystem *fs)
{
	static uint64_t last_round; /* atomic */
	uint64_t round = atomic_fetch_add_full(&last_round, 1) + 1;
	struct file *file;

	while ((file = next_changed(fs, round))) {
		node_pages_settle(file->node);
		send_times(file->node);
		object_put(&file->object);
	}
}

/* ---- by the clock ---- */

bool pages_any_changed(void)
{
	bool any;

	spin_lock(&changed_lock);
	any = !list_empty(&changed_files);
	spin_unlock(&changed_lock);
	return any;
}

/* One that was changed before `before_ns`, open, and young again; NULL: there are no more. */
static struct file *next_old(uint64_t before_ns, uint64_t now_ns)
{
	struct node_pages *pages;
	struct file *file = NULL;

	spin_lock(&changed_lock);
	list_for_each (pages, &changed_files, changed) {
		if (pages->changed_ns > before_ns)
			continue;
		pages->changed_ns = now_ns;
		file = pages->writer; /* it stays until the list is left */
		object_get(&file->object);
		break;
	}
	spin_unlock(&changed_lock);
	return file;
}

void pages_write_old(uint64_t now_ns, uint64_t age_ns)
{
	/* At least 1 ns: what has just become young is no old one. */
	uint64_t before_ns = now_ns - MIN(now_ns, MAX(age_ns, UINT64_C(1)));
	struct file *file;

	while ((file = next_old(before_ns, now_ns))) {
		node_pages_begin_write_back(file->node);
		object_put(&file->object);
	}
}

err_t node_pages_write_back(struct node *node)
{
	struct node_pages *pages = load_acquire(&node->pages);
	err_t err, lost;

	if (!pages)
		return 0;
	node_pages_begin_write_back(node);
	err = wait_all_written(pages);
	if (err)
		return err;
	send_times(node);
	mutex_lock(&pages->lock);
	lost = pages->write_error;
	pages->write_error = 0;
	mutex_unlock(&pages->lock);
	return lost;
}

/* Neither does anybody write into the cache behind the end that will be. */
err_t node_pages_freeze(struct node *node) NO_THREAD_SAFETY
{
	struct node_pages *pages = node_pages_of(node);
	err_t err;

	if (!pages)
		return -ENOMEM;
	err = mutex_lock_killable(&pages->append);
	if (err)
		return err;
	mutex_lock(&pages->lock);
	pages->nfrozen++;
	mutex_unlock(&pages->lock);
	err = wait_written(pages);
	if (err)
		node_pages_thaw(node);
	return err;
}

void pages_thawed(struct node_pages *pages)
{
	if (likely(!read_once(&pages->write_later)))
		return;
	node_pages_begin_write_back(pages->node);
	mutex_lock(&pages->lock);
	if (!pages->nfrozen) /* else the next one does it */
		write_once(&pages->write_later, false);
	mutex_unlock(&pages->lock);
	waitq_wake_all(&pages->written);
}

void node_pages_thaw(struct node *node) NO_THREAD_SAFETY
{
	struct node_pages *pages = node->pages;

	mutex_lock(&pages->lock);
	pages->nfrozen--;
	mutex_unlock(&pages->lock);
	mutex_unlock(&pages->append);
	pages_thawed(pages);
}
