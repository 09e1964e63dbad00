/*
 * Connections from their making to their end, and pages that travel with requests. Owns nothing
 * beside; the locking is described in connection.h.
 */
#define LOG_SUBSYSTEM "fuse"
#include "connection.h"

#include "../by_clock.h"
#include "counters.h"
#include "server.h"

#include <lib/atomic.h>
#include <lib/log.h>
#include <mm/slab.h>
#include <sched/rcu.h>

SLAB_CACHE(connection_cache, struct fuse_connection);

static uint64_t last_number; /* atomic */

/* ---- pages ---- */

struct fuse_pages *fuse_pages_create(uint32_t npages)
{
	struct fuse_pages *pages =
		kzalloc(offsetof(struct fuse_pages, frames) + npages * sizeof(void *));

	if (!pages)
		return NULL;
	refcount_init(&pages->references);
	pages->npages = npages;
	return pages;
}

err_t fuse_pages_fill(struct fuse_pages *pages, size_t len_bytes)
{
	uint32_t npages = (uint32_t)(ALIGN_UP(len_bytes, PAGE_SIZE) / PAGE_SIZE);

	for (uint32_t i = 0; i < npages; i++) {
		if (!pages->frames[i])
			pages->frames[i] = frame_alloc(0, 0);
		if (!pages->frames[i])
			return -ENOMEM;
	}
	return 0;
}

struct fuse_pages *fuse_pages_alloc(size_t len_bytes)
{
	struct fuse_pages *pages =
		fuse_pages_create((uint32_t)(ALIGN_UP(len_bytes, PAGE_SIZE) / PAGE_SIZE));

	if (!pages || !fuse_pages_fill(pages, len_bytes))
		return pages;
	fuse_pages_put(pages);
	return NULL;
}

void fuse_pages_put(struct fuse_pages *pages)
{
	if (!pages || !refcount_put(&pages->references))
		return;
	for (uint32_t i = 0; i < pages->npages; i++) {
		if (pages->frames[i])
			frame_put(pages->frames[i]);
	}
	kfree(pages);
}

void fuse_pages_withdraw(struct fuse_pages *pages)
{
	/* Acquire: pairs with the release of who has copied. Nobody begins any more. */
	if (likely(!load_acquire(&pages->nreaders)))
		return;
	write_once(&pages->withdrawn, true);
	rcu_synchronize(); /* of a section that has not seen it */
}

/* ---- connections ---- */

struct fuse_connection *fuse_connection_create(void)
{
	struct fuse_connection *connection = slab_alloc_zeroed(&connection_cache);

	if (!connection)
		return NULL;
	connection->counted = fuse_counters_create();
	if (!connection->counted) {
		slab_free(&connection_cache, connection);
		return NULL;
	}
	refcount_init(&connection->references);
	spin_init(&connection->lock, LOCK_DRIVER);
	connection->number = (uint32_t)atomic_fetch_add_full(&last_number, 1) + 1;
	list_init(&connection->queued);
	list_init(&connection->told);
	list_init(&connection->background);
	connection->max_background = FUSE_MAX_BACKGROUND;
	connection->congestion_threshold = FUSE_MAX_BACKGROUND * 3 / 4;
	list_init(&connection->forgets);
	list_init(&connection->interrupts);
	list_init(&connection->devices);
	list_init(&connection->waiting);
	for (unsigned i = 0; i < FUSE_USE_BUCKETS; i++)
		list_init(&connection->in_use[i]);
	list_init(&connection->all);
	waitq_init(&connection->pollers);
	waitq_init(&connection->ready);
	list_init(&connection->visits);
	waitq_init(&connection->visited);
	return connection;
}

struct fuse_connection *fuse_connection_get(struct fuse_connection *connection)
{
	refcount_get(&connection->references);
	return connection;
}

void fuse_connection_put(struct fuse_connection *connection)
{
	struct fuse_forget *forget, *next;

	if (!connection || !refcount_put(&connection->references))
		return;
	/* Nobody is left who would count. */
	list_for_each_safe (forget, next, &connection->forgets, link) {
		if (!forget->reserved)
			kfree(forget);
	}
	fuse_counters_free(connection->counted);
	fuse_server_free(connection->server);
	slab_free(&connection_cache, connection);
}

void fuse_connection_ready(struct fuse_connection *connection, const struct fuse_session *session)
{
	spin_lock(&connection->lock);
	if (connection->state == FUSE_STARTING) {
		connection->session = *session;
		connection->max_background = session->max_background;
		connection->congestion_threshold = session->congestion_threshold;
		/* Release: who sees the state sees the session. */
		store_release(&connection->state, FUSE_READY);
	}
	spin_unlock(&connection->lock);
	waitq_wake_all(&connection->ready);
	if (session->timeout_s)
		by_clock_wake();
	fuse_tell_reader(connection); /* there may be forgets already */
}

/* The first request of a list, or of any device's lists; NULL: none is left. */
static struct fuse_request *any_request_locked(struct fuse_connection *connection)
	REQUIRES(connection->lock);
static struct fuse_request *any_request_locked(struct fuse_connection *connection)
{
	struct fuse_device *device;

	if (!list_empty(&connection->queued))
		return list_first_entry(&connection->queued, struct fuse_request, link);
	if (!list_empty(&connection->background))
		return list_first_entry(&connection->background, struct fuse_request, link);
	list_for_each (device, &connection->devices, link) {
		for (unsigned i = 0; i < FUSE_SENT_BUCKETS; i++) {
			if (!list_empty(&device->sent[i]))
				return list_first_entry(&device->sent[i], struct fuse_request,
							link);
		}
	}
	return NULL;
}

void fuse_forget_free(struct fuse_connection *connection, struct fuse_forget *forget)
{
	if (!forget->reserved) {
		kfree(forget);
		return;
	}
	spin_lock(&connection->lock);
	connection->reserve_used &= ~(1u << (forget - connection->reserve));
	spin_unlock(&connection->lock);
}

void fuse_connection_end(struct fuse_connection *connection, err_t later)
{
	struct fuse_request *request;
	bool ended_before;

	spin_lock(&connection->lock);
	ended_before = connection->state == FUSE_ENDED;
	if (!ended_before) {
		connection->ended_error = later;
		store_release(&connection->state, FUSE_ENDED);
	}
	spin_unlock(&connection->lock);
	if (ended_before)
		return;
	for (;;) {
		spin_lock(&connection->lock);
		request = any_request_locked(connection);
		if (!request)
			break;
		fuse_request_fail(connection, request, -ECONNABORTED);
	}
	spin_unlock(&connection->lock);
	waitq_wake_all(&connection->ready);
	fuse_tell_readers(connection);
	fuse_polled(connection, 0);
	fuse_backings_end(connection);
	log_debug("connection %u has ended", connection->number);
}
