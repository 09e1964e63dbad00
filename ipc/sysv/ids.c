/*
 * Ids, keys, owners and permissions of System V objects, whatever their kind. Owns each kind's
 * tables and the bound on what the kernel holds for all of them. Invariant: an object in a table
 * has a reference for that, and is in `keys` if it has a key that is not IPC_PRIVATE.
 *
 * An id is the object's place in the table and a number that grows when places are used again, so
 * an old id finds nothing for long. Places are taken in turn, as on Linux.
 */
#include "sysv.h"

#include <abi/capability.h>
#include <abi/errno.h>
#include <arch/clock.h>
#include <ipc/user_namespace.h>
#include <lib/panic.h>
#include <mm/frame.h>
#include <mm/slab.h>

/* The memory that may be taken by queues, sets, messages: one part of so many. */
#define MEMORY_PART 16

#define SEQUENCE_MAX (INT32_MAX / SYSV_IDS_MAX)

struct sysv_chunk {
	struct sysv_object *slots[SYSV_CHUNK_IDS];
};

SLAB_CACHE_KEPT(chunk_cache, struct sysv_chunk);

static uint64_t charged_bytes; /* atomic */

err_t sysv_charge(uint64_t bytes)
{
	uint64_t limit = frames_total() * PAGE_SIZE / MEMORY_PART;

	if (__atomic_add_fetch(&charged_bytes, bytes, __ATOMIC_RELAXED) <= limit)
		return 0;
	sysv_uncharge(bytes);
	return -ENOMEM;
}

void sysv_uncharge(uint64_t bytes)
{
	__atomic_sub_fetch(&charged_bytes, bytes, __ATOMIC_RELAXED);
}

int64_t sysv_now_s(void)
{
	return (int64_t)(clock_wall_ns() / NSEC_PER_SEC);
}

/* ---- the table ---- */

void sysv_kind_init(struct sysv_kind *kind, const struct sysv_kind_ops *ops,
		    struct ipc_namespace *ipc, const uint32_t *limit)
{
	mutex_init(&kind->lock, LOCK_SYSVS);
	kind->ops = ops;
	kind->ipc = ipc;
	kind->limit = limit;
}

void sysv_kind_free_table(struct sysv_kind *kind)
{
	for (unsigned i = 0; i < SYSV_CHUNKS; i++) {
		if (kind->chunks[i])
			slab_free(&chunk_cache, kind->chunks[i]);
	}
}

static uint32_t index_of(int32_t id)
{
	return (uint32_t)id % SYSV_IDS_MAX;
}

/* In an RCU section, or under kind->lock. */
static struct sysv_object *object_at(struct sysv_kind *kind, uint32_t index)
{
	struct sysv_chunk *chunk = rcu_dereference(&kind->chunks[index / SYSV_CHUNK_IDS]);

	return chunk ? rcu_dereference(&chunk->slots[index % SYSV_CHUNK_IDS]) : NULL;
}

/* NULL: none, or it goes just now. */
static struct sysv_object *get_at(struct sysv_kind *kind, uint32_t index)
{
	struct sysv_object *object;

	rcu_read_lock();
	object = object_at(kind, index);
	if (object && !refcount_try_get(&object->references))
		object = NULL;
	rcu_read_unlock();
	return object;
}

struct sysv_object *sysv_find(struct sysv_kind *kind, int32_t id)
{
	struct sysv_object *object = id < 0 ? NULL : get_at(kind, index_of(id));

	if (!object || object->id == id)
		return object;
	sysv_put(object);
	return NULL;
}

struct sysv_object *sysv_next(struct sysv_kind *kind, uint32_t *index)
{
	struct sysv_object *object = NULL;

	while (!object && *index < SYSV_IDS_MAX) {
		if (load_acquire(&kind->chunks[*index / SYSV_CHUNK_IDS]))
			object = get_at(kind, (*index)++);
		else
			*index = ALIGN_DOWN(*index, SYSV_CHUNK_IDS) + SYSV_CHUNK_IDS;
	}
	return object;
}

int sysv_highest(struct sysv_kind *kind)
{
	uint32_t index = SYSV_IDS_MAX;

	mutex_lock(&kind->lock);
	while (index > 0 && !object_at(kind, index - 1))
		index -= kind->chunks[(index - 1) / SYSV_CHUNK_IDS] ? 1 : SYSV_CHUNK_IDS;
	mutex_unlock(&kind->lock);
	return index ? (int)index - 1 : 0;
}

static void free_after_grace(struct rcu_head *head)
{
	struct sysv_object *object = container_of(head, struct sysv_object, rcu);
	struct ipc_namespace *ipc = object->kind->ipc;

	object->kind->ops->free(object);
	ipc_namespace_put_memory(ipc);
}

void sysv_put(struct sysv_object *object)
{
	if (refcount_put(&object->references))
		rcu_call(&object->rcu, free_after_grace);
}

/* A free place, and the memory for it. There are fewer than SYSV_IDS_MAX. */
static err_t reserve_locked(struct sysv_kind *kind, uint32_t *index) REQUIRES(kind->lock)
{
	uint32_t range =
		MIN(MAX(kind->count * 3 / 2, (uint32_t)SYSV_CHUNK_IDS), (uint32_t)SYSV_IDS_MAX);
	uint32_t at = kind->next_index < range ? kind->next_index : 0;
	struct sysv_chunk **chunk;

	while (object_at(kind, at))
		at = (at + 1) % range;
	*index = at;
	chunk = &kind->chunks[at / SYSV_CHUNK_IDS];
	if (!*chunk)
		rcu_assign(chunk, slab_alloc_zeroed(&chunk_cache));
	return *chunk ? 0 : -ENOMEM;
}

static struct sysv_object *find_key_locked(struct sysv_kind *kind, int32_t key) REQUIRES(kind->lock)
{
	struct tree_node *at = kind->keys.root;

	while (at) {
		struct sysv_object *object = container_of(at, struct sysv_object, by_key);

		if (object->key == key)
			return object;
		at = key < object->key ? at->left : at->right;
	}
	return NULL;
}

static void add_key_locked(struct sysv_kind *kind, struct sysv_object *object) REQUIRES(kind->lock)
{
	struct tree_node **at = &kind->keys.root, *parent = NULL;

	if (object->key == IPC_PRIVATE)
		return;
	while (*at) {
		parent = *at;
		at = object->key < container_of(parent, struct sysv_object, by_key)->key
			     ? &parent->left
			     : &parent->right;
	}
	tree_insert(&kind->keys, &object->by_key, parent, at);
}

/* ---- making and removing ---- */

static void fill(struct sysv_kind *kind, struct sysv_object *object, uint32_t index,
		 const struct sysv_request *request) REQUIRES(kind->lock)
{
	struct sysv_caller caller = sysv_caller();

	if (index < kind->next_index)
		kind->sequence = kind->sequence == SEQUENCE_MAX ? 0 : kind->sequence + 1;
	kind->next_index = index + 1;
	refcount_init(&object->references);
	refcount_get(&kind->ipc->memory);
	mutex_init(&object->lock, LOCK_SYSV);
	object->kind = kind;
	object->id = (int32_t)(kind->sequence * SYSV_IDS_MAX + index);
	object->key = request->key;
	object->mode = request->flags & 0777;
	object->uid = object->cuid = caller.uid;
	object->gid = object->cgid = caller.gid;
	object->changed_s = sysv_now_s();
}

static int make_locked(struct sysv_kind *kind, const struct sysv_request *request)
	REQUIRES(kind->lock)
{
	struct sysv_chunk *chunk;
	struct sysv_object *object;
	uint32_t index;
	err_t err = request->check ? request->check(kind, request->size, request->flags) : 0;

	if (!err && kind->count >= MIN(read_once(kind->limit), (uint32_t)SYSV_IDS_MAX))
		err = -ENOSPC;
	if (!err)
		err = reserve_locked(kind, &index);
	if (!err)
		err = request->make(kind, request->size, &object);
	if (err)
		return err;
	fill(kind, object, index, request);
	add_key_locked(kind, object);
	kind->count++;
	chunk = kind->chunks[index / SYSV_CHUNK_IDS];
	rcu_assign(&chunk->slots[index % SYSV_CHUNK_IDS], object);
	return object->id;
}

static int use_locked(struct sysv_object *object, const struct sysv_request *request)
{
	err_t err = 0;

	if ((request->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	if (request->fits)
		err = request->fits(object, request->size);
	if (err)
		return err;
	mutex_lock(&object->lock);
	err = sysv_check_locked(object, request->flags & 0777);
	mutex_unlock(&object->lock);
	return err ? err : object->id;
}

int sysv_get(struct sysv_kind *kind, const struct sysv_request *request)
{
	struct sysv_object *object = NULL;
	int result;

	mutex_lock(&kind->lock);
	if (request->key != IPC_PRIVATE)
		object = find_key_locked(kind, request->key);
	if (object)
		result = use_locked(object, request);
	else if (request->key == IPC_PRIVATE || request->flags & IPC_CREAT)
		result = make_locked(kind, request);
	else
		result = -ENOENT;
	mutex_unlock(&kind->lock);
	return result;
}

void sysv_forget_key_locked(struct sysv_kind *kind, struct sysv_object *object)
{
	if (object->key != IPC_PRIVATE)
		tree_remove(&kind->keys, &object->by_key);
	object->key = IPC_PRIVATE;
}

void sysv_remove_locked(struct sysv_kind *kind, struct sysv_object *object)
{
	uint32_t index = index_of(object->id);

	debug_assert(!object->gone);
	sysv_forget_key_locked(kind, object);
	object->gone = true;
	rcu_assign(&kind->chunks[index / SYSV_CHUNK_IDS]->slots[index % SYSV_CHUNK_IDS], NULL);
	kind->count--;
	sysv_put(object);
}

void sysv_remove_all(struct sysv_kind *kind)
{
	struct sysv_object *object;
	uint32_t index = 0;

	while ((object = sysv_next(kind, &index))) {
		kind->ops->remove(object);
		sysv_put(object);
	}
}

/* ---- who may what ---- */

/* The bits of a class are folded into one: what any class asks for. */
static unsigned folded(unsigned mode)
{
	return ((mode >> 6) | (mode >> 3) | mode) & 07;
}

err_t sysv_check_locked(const struct sysv_object *object, unsigned wanted)
{
	struct sysv_caller caller = sysv_caller();
	unsigned granted = object->mode;

	if (object->gone)
		return -EIDRM;
	if (caller.uid == object->cuid || caller.uid == object->uid)
		granted >>= 6;
	else if (sysv_caller_in_group(object->cgid) || sysv_caller_in_group(object->gid))
		granted >>= 3;
	if (folded(wanted) & ~granted && !sysv_caller_capable(CAP_IPC_OWNER))
		return -EACCES;
	return 0;
}

err_t sysv_owns_locked(const struct sysv_object *object)
{
	struct sysv_caller caller = sysv_caller();

	if (object->gone)
		return -EIDRM;
	return caller.uid == object->cuid || caller.uid == object->uid ||
			       sysv_caller_capable(CAP_SYS_ADMIN)
		       ? 0
		       : -EPERM;
}

err_t sysv_set_owner_locked(struct sysv_object *object, const struct sysv_owner *owner)
{
	if (owner->uid == UINT32_MAX || owner->gid == UINT32_MAX)
		return -EINVAL;
	object->uid = owner->uid;
	object->gid = owner->gid;
	object->mode = (object->mode & ~0777u) | (owner->mode & 0777);
	object->changed_s = sysv_now_s();
	return 0;
}

void sysv_describe_locked(const struct sysv_object *object, struct abi_ipc_perm *out)
{
	*out = (struct abi_ipc_perm){
		.key = object->key,
		.uid = id_for_program(ID_USER, object->uid),
		.gid = id_for_program(ID_GROUP, object->gid),
		.cuid = id_for_program(ID_USER, object->cuid),
		.cgid = id_for_program(ID_GROUP, object->cgid),
		.mode = object->mode,
		.seq = (uint16_t)((uint32_t)object->id / SYSV_IDS_MAX),
	};
}

err_t sysv_look_up(struct sysv_kind *kind, int32_t id, enum sysv_lookup lookup,
		   struct sysv_object **out)
{
	if (lookup == SYSV_BY_ID)
		*out = sysv_find(kind, id);
	else
		*out = id < 0 ? NULL : get_at(kind, index_of(id));
	return *out ? 0 : -EINVAL;
}
