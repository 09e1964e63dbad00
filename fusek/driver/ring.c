/*
 * Rings: see the header for what they promise. `struct fuse_ring` is guarded by connection->lock;
 * the memory in it by nobody: each of its words is read once.
 */
#define LOG_SUBSYSTEM "fuse"
#include "ring.h"

#include "device.h"
#include "reader.h"

#include <abi/fuse_ring.h>
#include <lib/string.h>
#include <mm/object.h>
#include <mm/slab.h>

#define RING_ORDER 2
#define RINGS_MAX  64 /* of a connection: all are looked at under its lock */

_Static_assert(sizeof(struct abi_fuse_ring) <= FUSE_RING_BYTES &&
		       FUSE_RING_BYTES == PAGE_SIZE << RING_ORDER,
	       "the ring is one block");
_Static_assert(sizeof(struct fuse_outgoing) <= FUSE_RING_REQUEST_BYTES, "any request has room");
_Static_assert(FUSE_RING_PAYLOAD_BYTES <= FUSE_REPLY_INLINE, "any payload fits into a request");
_Static_assert(offsetof(struct abi_fuse_ring_answer, payload) == sizeof(struct fuse_out_header),
	       "an answer begins with the protocol's header");

/*
 *   [c] constant
 *   [q] connection->lock of its device
 */
struct fuse_ring {
	struct memory_object object;      /* first; a reference of the device, of each mapping */
	struct frame *block;              /* [c] owned */
	struct abi_fuse_ring *shared;     /* [c] in it */
	unsigned next;                    /* [q] where the next request goes */
	uint64_t given[FUSE_RING_PLACES]; /* [q] the number of what was put there; 0: nothing */
	unsigned ngiven;                  /* [q] of them: not known to be taken yet */
};

/* ---- its memory ---- */

static err_t ring_get_page(struct memory_object *object, uint64_t page_index,
			   UNUSED unsigned fault_access, struct page_ref *out)
{
	const struct fuse_ring *ring = container_of(object, struct fuse_ring, object);

	if (page_index >= FUSE_RING_BYTES / PAGE_SIZE)
		return -EIO;
	*out = (struct page_ref){.phys = frame_phys(ring->block) + page_index * PAGE_SIZE};
	return 0;
}

static void ring_release(struct memory_object *object)
{
	struct fuse_ring *ring = container_of(object, struct fuse_ring, object);

	frame_free(ring->block, RING_ORDER);
	kfree(ring);
}

static void ring_name(UNUSED struct memory_object *object, char *to, size_t to_bytes)
{
	string_copy(to, to_bytes, "/dev/fuse");
}

static const struct memory_object_ops ring_ops = {
	.get_page = ring_get_page,
	.release = ring_release,
	.name = ring_name,
};

static struct fuse_ring *ring_create(void)
{
	struct fuse_ring *ring = kzalloc(sizeof(*ring));

	if (!ring)
		return NULL;
	ring->block = frame_alloc(RING_ORDER, FRAME_ZERO | FRAME_PROGRAM);
	if (!ring->block) {
		kfree(ring);
		return NULL;
	}
	memory_object_init(&ring->object, &ring_ops);
	ring->object.never_exec = true;
	ring->shared = frame_virt(ring->block);
	return ring;
}

err_t fuse_ring_map(struct fuse_device *device, const struct object_map_request *request,
		    struct memory_object **out)
{
	struct fuse_connection *connection = load_acquire(&device->connection);
	struct fuse_ring *ring;
	err_t err = 0;

	if (!connection)
		return -EPERM;
	if (!request->shared || request->exec || request->offset_bytes ||
	    request->len_bytes != FUSE_RING_BYTES)
		return -EINVAL;
	ring = ring_create();
	if (!ring)
		return -ENOMEM;
	spin_lock(&connection->lock);
	if (!device->ring && connection->nrings == RINGS_MAX) {
		err = -ENOSPC;
	} else if (!device->ring) {
		connection->nrings++;
		/* Release: who sees the ring sees what is in it. */
		store_release(&device->ring, ring);
		ring = NULL;
	}
	if (!err) {
		*out = &device->ring->object;
		memory_object_get(*out);
	}
	spin_unlock(&connection->lock);
	if (ring) /* it is not needed */
		memory_object_put(&ring->object);
	return err;
}

/* ---- requests ---- */

bool fuse_ring_has_room_locked(UNUSED struct fuse_connection *connection,
			       struct fuse_device *device)
{
	const struct fuse_ring *ring = device->ring;

	/* Acquire: pairs with the driver's release, it has copied what was there. */
	return ring && (!ring->given[ring->next] ||
			load_acquire(&ring->shared->requests[ring->next]) == FUSE_RING_FREE);
}

void fuse_ring_put_locked(UNUSED struct fuse_connection *connection, struct fuse_device *device,
			  const struct fuse_outgoing *out, size_t len_bytes)
{
	struct fuse_ring *ring = device->ring;
	unsigned place = ring->next;

	if (!ring->given[place])
		ring->ngiven++;
	ring->given[place] = out->header.unique;
	ring->next = (place + 1) % FUSE_RING_PLACES;
	memcpy(ring->shared->request[place], out, len_bytes);
	/* Release: pairs with the acquire of who takes it. */
	store_release(&ring->shared->requests[place], FUSE_RING_FULL);
}

/* True: nobody has taken what was put there, and nobody will. */
static bool take_place_back_locked(UNUSED struct fuse_connection *connection,
				   struct fuse_ring *ring, unsigned place)
	REQUIRES(connection->lock);
static bool take_place_back_locked(UNUSED struct fuse_connection *connection,
				   struct fuse_ring *ring, unsigned place)
{
	uint32_t *word = &ring->shared->requests[place];
	uint32_t found = read_once(word);
	bool back = found == FUSE_RING_FULL && atomic_cas(word, &found, FUSE_RING_FREE);

	if (back || found == FUSE_RING_FREE) {
		ring->given[place] = 0;
		ring->ngiven--;
	}
	return back;
}

/* One that is older than `before`: has a smaller number. */
static bool take_back_locked(struct fuse_connection *connection, struct fuse_device *device,
			     uint64_t before) REQUIRES(connection->lock);
static bool take_back_locked(struct fuse_connection *connection, struct fuse_device *device,
			     uint64_t before)
{
	struct fuse_ring *ring = device->ring;

	for (unsigned i = 0; ring && ring->ngiven && i < FUSE_RING_PLACES; i++) {
		unsigned place = (ring->next + i) % FUSE_RING_PLACES;
		uint64_t unique = ring->given[place];
		struct fuse_request *request;

		if (!unique || unique > before || !take_place_back_locked(connection, ring, place))
			continue;
		request = fuse_find_sent_locked(connection, device, unique);
		if (!request)
			continue; /* its caller has left, or it was answered */
		fuse_request_untake_locked(connection, request);
		return true;
	}
	return false;
}

void fuse_ring_take_all_back_locked(struct fuse_connection *connection, struct fuse_device *device)
{
	while (take_back_locked(connection, device, UINT64_MAX))
		;
}

void fuse_ring_detach(struct fuse_device *device)
{
	struct fuse_connection *connection = device->connection;
	struct fuse_ring *ring;

	spin_lock(&connection->lock);
	ring = device->ring;
	if (ring) {
		fuse_ring_take_all_back_locked(connection, device);
		connection->nrings--;
		store_release(&device->ring, NULL);
	}
	spin_unlock(&connection->lock);
	if (!ring)
		return;
	memory_object_put(&ring->object);
	fuse_tell_readers(connection); /* of what others may serve */
}

void fuse_rings_take_back_locked(struct fuse_connection *connection)
{
	struct fuse_device *device;

	list_for_each (device, &connection->devices, link) {
		uint64_t before = UINT64_MAX;

		if (!list_empty(&connection->queued))
			before = list_first_entry(&connection->queued, struct fuse_request, link)
					 ->unique &
				 ~FUSE_UNIQUE_RESEND;
		(void)take_back_locked(connection, device, before);
	}
}

/* ---- answers ---- */

static bool is_full(const struct fuse_ring *ring, unsigned place)
{
	/* Acquire: pairs with the driver's release, what is there is complete. */
	return load_acquire(&ring->shared->answers[place]) == FUSE_RING_FULL;
}

/* What is at this full place, copied, once. False: it cannot be an answer. */
static bool read_answer(const struct fuse_ring *ring, unsigned place,
			struct abi_fuse_ring_answer *answer)
{
	memcpy(answer, &ring->shared->answer[place], sizeof(*answer));
	compiler_barrier(); /* what is looked at from here on is the copy */
	return answer->unique && answer->len >= sizeof(struct fuse_out_header) &&
	       answer->len <= sizeof(struct fuse_out_header) + FUSE_RING_PAYLOAD_BYTES &&
	       answer->error <= 0 && answer->error >= -FUSE_ERROR_MAX;
}

static void free_place(struct fuse_ring *ring, unsigned place)
{
	/* Release: it was copied. Pairs with the acquire of who fills it again. */
	store_release(&ring->shared->answers[place], FUSE_RING_FREE);
}

/* The one that a program waits for, and whose length is right. */
static bool settle_one_locked(struct fuse_connection *connection, struct fuse_device *device,
			      const struct abi_fuse_ring_answer *answer) REQUIRES(connection->lock);
static bool settle_one_locked(struct fuse_connection *connection, struct fuse_device *device,
			      const struct abi_fuse_ring_answer *answer)
{
	uint32_t payload_bytes = answer->len - (uint32_t)sizeof(struct fuse_out_header);
	struct fuse_request *request;

	request = fuse_find_sent_locked(connection, device, answer->unique);
	if (!request || request->ended)
		return false;
	if (answer->error ? payload_bytes != 0
			  : payload_bytes < request->message.reply_min_bytes ||
				    payload_bytes > request->message.reply_max_bytes)
		return false;
	memcpy(request->reply, answer->payload, payload_bytes);
	request->reply_bytes = payload_bytes;
	/* Who takes the lock before it returns. */
	thread_wake(fuse_request_settle_locked(connection, request, answer->error));
	return true;
}

void fuse_ring_settle_locked(struct fuse_connection *connection, struct fuse_device *device)
{
	struct fuse_ring *ring = device->ring;
	struct abi_fuse_ring_answer answer;

	for (unsigned place = 0; ring && place < FUSE_RING_PLACES; place++) {
		if (is_full(ring, place) && read_answer(ring, place, &answer) &&
		    settle_one_locked(connection, device, &answer))
			free_place(ring, place);
	}
}

/* By a thread of the driver: in the way of write, what is wrong with it is not told. */
static void write_answer(struct fuse_device *device, struct abi_fuse_ring_answer *answer)
{
	struct buffer buffer;
	ssize_t result;

	buffer_init_kernel(&buffer, answer, answer->len);
	result = fuse_device_write(device, &buffer);
	(void)result;
}

void fuse_ring_collect(struct fuse_device *device)
{
	struct fuse_connection *connection = device->connection;
	struct abi_fuse_ring_answer answer;
	struct fuse_ring *ring;

	/* Acquire: pairs with fuse_ring_map(). It stays as long as the device. */
	ring = load_acquire(&device->ring);
	for (unsigned place = 0; unlikely(ring) && place < FUSE_RING_PLACES; place++) {
		bool full, valid, settled;

		if (likely(read_once(&ring->shared->answers[place]) != FUSE_RING_FULL))
			continue;
		/* Under the lock: nobody else settles it meanwhile. Somebody may have until now,
		 * and a thread of the driver be filling the place again: only what is seen to be
		 * full here is taken, and freed. */
		spin_lock(&connection->lock);
		full = is_full(ring, place);
		valid = full && read_answer(ring, place, &answer);
		settled = valid && settle_one_locked(connection, device, &answer);
		if (full)
			free_place(ring, place);
		spin_unlock(&connection->lock);
		if (valid && !settled)
			write_answer(device, &answer);
	}
}
