/*
 * Descriptor tables. A slot goes from free to reserved (its bit in `used` is set, the pointer NULL)
 * to installed (pointer set) and back; the bits change under table->lock, the pointer too, but it
 * is read without. A chunk, once there, stays until the table goes, so a reader may keep a pointer
 * to a slot; the object behind it is kept by RCU until the reader has tried to get its reference.
 * Objects are put after the lock is dropped: their release may sleep.
 */
#include <ipc/fdtable.h>

#include <lib/string.h>
#include <mm/slab.h>

SLAB_CACHE(table_cache, struct fd_table);

static uint64_t last_number; /* atomic */

struct fd_table *fd_table_create(void)
{
	struct fd_table *table = slab_alloc_zeroed(&table_cache);

	if (!table)
		return NULL;
	refcount_init(&table->references);
	spin_init(&table->lock, LOCK_FDTABLE);
	table->number = atomic_fetch_add_full(&last_number, 1) + 1;
	table->limit = FD_LIMIT;
	table->chunks[0] = &table->first;
	return table;
}

struct fd_table *fd_table_get(struct fd_table *table)
{
	refcount_get(&table->references);
	return table;
}

static struct fd_chunk *find_chunk(struct fd_table *table, unsigned fd)
{
	/* Acquire: pairs with the release in ensure_chunk(). */
	return load_acquire(&table->chunks[fd / FD_CHUNK_SLOTS]);
}

static uint64_t slot_bit(unsigned fd)
{
	return UINT64_C(1) << (fd % FD_CHUNK_SLOTS);
}

static bool number_ok(int fd)
{
	return fd >= 0 && fd < FD_MAX;
}

/* Before the lock is taken: makes the chunk of `fd` exist. */
static err_t ensure_chunk(struct fd_table *table, unsigned fd)
{
	struct fd_chunk *fresh;

	if (find_chunk(table, fd))
		return 0;
	fresh = kzalloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	spin_lock(&table->lock);
	if (!table->chunks[fd / FD_CHUNK_SLOTS]) {
		store_release(&table->chunks[fd / FD_CHUNK_SLOTS], fresh);
		fresh = NULL;
	}
	spin_unlock(&table->lock);
	kfree(fresh);
	return 0;
}

/* Empties an installed slot; the table's reference becomes the caller's. NULL: not installed. */
static struct object *take_out_locked(struct fd_table *table, unsigned fd) REQUIRES(table->lock);
static struct object *take_out_locked(struct fd_table *table, unsigned fd)
{
	struct fd_chunk *chunk = find_chunk(table, fd);
	struct object *object = chunk ? chunk->slots[fd % FD_CHUNK_SLOTS] : NULL;

	if (!object)
		return NULL;
	rcu_assign(&chunk->slots[fd % FD_CHUNK_SLOTS], NULL);
	chunk->used &= ~slot_bit(fd);
	chunk->close_on_exec &= ~slot_bit(fd);
	table->nopen--;
	return object;
}

/* The descriptor is gone; tells the object, and gives its reference up. */
static err_t drop_closed(struct fd_table *table, struct object *object)
{
	err_t err = object->ops->closed ? object->ops->closed(object, table->number) : 0;

	object_put(object);
	return err;
}

/* Takes the slot of the lowest bit out of *slots. */
static unsigned next_slot(uint64_t *slots)
{
	unsigned slot = (unsigned)__builtin_ctzll(*slots);

	*slots &= *slots - 1;
	return slot;
}

static void close_matching(struct fd_table *table, bool only_close_on_exec)
{
	for (unsigned i = 0; i < FD_CHUNKS; i++) {
		struct fd_chunk *chunk = load_acquire(&table->chunks[i]);
		uint64_t slots;

		if (!chunk)
			continue;
		spin_lock(&table->lock);
		slots = only_close_on_exec ? chunk->close_on_exec : chunk->used;
		spin_unlock(&table->lock);
		while (slots) {
			unsigned fd = i * FD_CHUNK_SLOTS + next_slot(&slots);
			struct object *object = NULL;

			spin_lock(&table->lock);
			if (!only_close_on_exec || chunk->close_on_exec & slot_bit(fd))
				object = take_out_locked(table, fd);
			spin_unlock(&table->lock);
			if (object)
				(void)drop_closed(table, object);
		}
	}
}

void fd_table_put(struct fd_table *table)
{
	if (!table || !refcount_put(&table->references))
		return;
	close_matching(table, false);
	/* Nobody looks up in a table without a reference to it, so nothing here waits for RCU. */
	for (unsigned i = 1; i < FD_CHUNKS; i++)
		kfree(table->chunks[i]);
	slab_free(&table_cache, table);
}

void fd_table_close_on_exec(struct fd_table *table)
{
	close_matching(table, true);
}

err_t fd_table_copy(struct fd_table *from, struct fd_table **out)
{
	struct fd_table *to = fd_table_create();

	if (!to)
		return -ENOMEM;
	to->limit = read_once(&from->limit);
	for (unsigned i = 0; i < FD_CHUNKS; i++) {
		struct fd_chunk *source = load_acquire(&from->chunks[i]);

		if (!source)
			continue;
		if (ensure_chunk(to, i * FD_CHUNK_SLOTS)) {
			fd_table_put(to);
			return -ENOMEM;
		}
		spin_lock(&from->lock);
		for (uint64_t slots = source->used; slots;) {
			unsigned slot = next_slot(&slots);
			struct object *object = source->slots[slot];

			if (!object)
				continue; /* reserved, and not installed yet */
			to->chunks[i]->slots[slot] = object_get(object);
			to->chunks[i]->used |= slot_bit(slot);
			to->nopen++;
		}
		to->chunks[i]->close_on_exec = source->close_on_exec & to->chunks[i]->used;
		spin_unlock(&from->lock);
	}
	*out = to;
	return 0;
}

struct object *fd_get(struct fd_table *table, int fd)
{
	struct object **slot;
	struct fd_chunk *chunk;
	struct object *object;

	if (!number_ok(fd))
		return NULL;
	chunk = find_chunk(table, (unsigned)fd);
	if (!chunk)
		return NULL;
	slot = &chunk->slots[(unsigned)fd % FD_CHUNK_SLOTS];
	rcu_read_lock();
	object = rcu_dereference(slot);
	if (object && !refcount_try_get(&object->references))
		object = NULL; /* closed while we looked */
	rcu_read_unlock();
	/* Closed before, but kept by others: a socket on its way must not come back from a number
	 * that has gone, since ipc/socket/flight.c counts on that. */
	if (unlikely(object && read_once(slot) != object)) {
		object_put(object);
		return NULL;
	}
	return object;
}

/* The lowest free slot of a chunk at or above `minimum`; -1: none. */
static int lowest_free(const struct fd_chunk *chunk, unsigned minimum)
{
	uint64_t taken = chunk->used | ((UINT64_C(1) << minimum) - 1);

	return ~taken ? __builtin_ctzll(~taken) : -1;
}

err_t fd_reserve(struct fd_table *table, int minimum, unsigned flags, int *fd)
{
	uint32_t limit = MIN(read_once(&table->limit), (uint32_t)FD_MAX);
	unsigned first = (unsigned)minimum;

	if ((flags & ~O_CLOEXEC) || minimum < 0)
		return -EINVAL;
	if (first >= limit)
		return minimum ? -EINVAL : -EMFILE; /* asked for too much, or all are taken */
	while (first < limit) {
		unsigned base = first - first % FD_CHUNK_SLOTS;
		struct fd_chunk *chunk;
		int slot;

		if (ensure_chunk(table, first))
			return -ENOMEM;
		chunk = find_chunk(table, first);
		spin_lock(&table->lock);
		slot = lowest_free(chunk, first - base);
		if (slot >= 0 && base + (unsigned)slot < limit) {
			chunk->used |= slot_bit((unsigned)slot);
			if (flags & O_CLOEXEC)
				chunk->close_on_exec |= slot_bit((unsigned)slot);
			spin_unlock(&table->lock);
			*fd = (int)base + slot;
			return 0;
		}
		spin_unlock(&table->lock);
		first = base + FD_CHUNK_SLOTS;
	}
	return -EMFILE;
}

void fd_install(struct fd_table *table, int fd, struct object *object)
{
	struct fd_chunk *chunk = find_chunk(table, (unsigned)fd);

	spin_lock(&table->lock);
	debug_assert(chunk->used & slot_bit((unsigned)fd));
	debug_assert(!chunk->slots[(unsigned)fd % FD_CHUNK_SLOTS]);
	rcu_assign(&chunk->slots[(unsigned)fd % FD_CHUNK_SLOTS], object);
	table->nopen++;
	spin_unlock(&table->lock);
}

void fd_unreserve(struct fd_table *table, int fd)
{
	struct fd_chunk *chunk = find_chunk(table, (unsigned)fd);

	spin_lock(&table->lock);
	chunk->used &= ~slot_bit((unsigned)fd);
	chunk->close_on_exec &= ~slot_bit((unsigned)fd);
	spin_unlock(&table->lock);
}

int fd_add(struct fd_table *table, struct object *object, unsigned flags)
{
	int fd;
	err_t err = fd_reserve(table, 0, flags, &fd);

	if (err) {
		object_put(object);
		return err;
	}
	fd_install(table, fd, object);
	return fd;
}

err_t fd_close(struct fd_table *table, int fd)
{
	struct object *object;

	if (!number_ok(fd))
		return -EBADF;
	spin_lock(&table->lock);
	object = take_out_locked(table, (unsigned)fd);
	spin_unlock(&table->lock);
	if (!object)
		return -EBADF;
	return drop_closed(table, object);
}

int fd_dup(struct fd_table *table, int fd, int minimum, unsigned flags)
{
	struct object *object = fd_get(table, fd);
	int copy;
	err_t err;

	if (!object)
		return -EBADF;
	err = fd_reserve(table, minimum, flags, &copy);
	if (err) {
		object_put(object);
		return err;
	}
	fd_install(table, copy, object);
	return copy;
}

/* It is a number that the table may have. */
static bool may_be_replaced(const struct fd_table *table, int to)
{
	return to >= 0 && (uint32_t)to < MIN(read_once(&table->limit), (uint32_t)FD_MAX);
}

int fd_replace(struct fd_table *table, int to, struct object *object, unsigned flags)
{
	struct object *replaced;
	struct fd_chunk *chunk;
	uint64_t bit;

	if (!may_be_replaced(table, to)) {
		object_put(object);
		return -EBADF;
	}
	if (ensure_chunk(table, (unsigned)to)) {
		object_put(object);
		return -ENOMEM;
	}
	chunk = find_chunk(table, (unsigned)to);
	bit = slot_bit((unsigned)to);

	spin_lock(&table->lock);
	replaced = chunk->slots[(unsigned)to % FD_CHUNK_SLOTS];
	if (!replaced && (chunk->used & bit)) {
		/* Another thread is between reserving and installing it. */
		spin_unlock(&table->lock);
		object_put(object);
		return -EBUSY;
	}
	rcu_assign(&chunk->slots[(unsigned)to % FD_CHUNK_SLOTS], object);
	chunk->used |= bit;
	chunk->close_on_exec &= ~bit;
	if (flags & O_CLOEXEC)
		chunk->close_on_exec |= bit;
	table->nopen += !replaced;
	spin_unlock(&table->lock);
	if (replaced)
		(void)drop_closed(table, replaced);
	return to;
}

int fd_dup_to(struct fd_table *table, int fd, int to, unsigned flags)
{
	struct object *object;

	if ((flags & ~O_CLOEXEC) || fd == to)
		return -EINVAL;
	if (!may_be_replaced(table, to))
		return -EBADF;
	object = fd_get(table, fd);
	return object ? fd_replace(table, to, object, flags) : -EBADF;
}

int fd_flags(struct fd_table *table, int fd)
{
	struct fd_chunk *chunk = number_ok(fd) ? find_chunk(table, (unsigned)fd) : NULL;
	int flags = -EBADF;

	if (!chunk)
		return -EBADF;
	spin_lock(&table->lock);
	if (chunk->slots[(unsigned)fd % FD_CHUNK_SLOTS])
		flags = (chunk->close_on_exec & slot_bit((unsigned)fd)) ? FD_CLOEXEC : 0;
	spin_unlock(&table->lock);
	return flags;
}

err_t fd_set_flags(struct fd_table *table, int fd, unsigned flags)
{
	struct fd_chunk *chunk = number_ok(fd) ? find_chunk(table, (unsigned)fd) : NULL;
	err_t err = -EBADF;

	if (!chunk)
		return -EBADF;
	spin_lock(&table->lock);
	if (chunk->slots[(unsigned)fd % FD_CHUNK_SLOTS]) {
		chunk->close_on_exec &= ~slot_bit((unsigned)fd);
		if (flags & FD_CLOEXEC)
			chunk->close_on_exec |= slot_bit((unsigned)fd);
		err = 0;
	}
	spin_unlock(&table->lock);
	return err;
}

int fd_next(struct fd_table *table, int from)
{
	for (int fd = MAX(from, 0); fd < FD_MAX; fd++) {
		const struct fd_chunk *chunk = find_chunk(table, (unsigned)fd);

		if (!chunk)
			fd |= FD_CHUNK_SLOTS - 1;
		else if (read_once(&chunk->slots[(unsigned)fd % FD_CHUNK_SLOTS]))
			return fd;
	}
	return -1;
}

unsigned fd_table_size(const struct fd_table *table)
{
	unsigned nslots = 0;

	for (unsigned i = 0; i < FD_CHUNKS; i++) {
		if (load_acquire(&table->chunks[i]))
			nslots = (i + 1) * FD_CHUNK_SLOTS;
	}
	return nslots;
}

void fd_for_each(struct fd_table *table,
		 void (*visit)(void *argument, int fd, struct object *object), void *argument)
{
	for (int fd = fd_next(table, 0); fd >= 0; fd = fd_next(table, fd + 1)) {
		struct object *object = fd_get(table, fd);

		if (!object)
			continue; /* closed just now */
		visit(argument, fd, object);
		object_put(object);
	}
}
