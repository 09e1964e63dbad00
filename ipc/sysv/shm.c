/*
 * System V shared memory. A segment is an object of its kind and a memory object whose pages are
 * those of an anonymous one. Invariant: the memory object lives as long as the segment is in the
 * table. The table's reference to it goes with IPC_RMID; then the last mapping takes it out.
 */
#include "sysv.h"

#include <abi/capability.h>
#include <abi/errno.h>
#include <lib/fmt.h>
#include <lib/panic.h>
#include <mm/slab.h>
#include <mm/space.h>

/*
 *   [c] constant
 *   [l] base.lock
 *   [k] kind's lock
 */
struct shm {
	struct sysv_object base;
	struct memory_object object; /* its references: mappings, and one until IPC_RMID */
	struct memory_object *pages; /* [c] a reference */
	uint64_t len_bytes;          /* [c] */
	int32_t creator;             /* [c] a process */
	int32_t last_user;           /* [l] who mapped or unmapped it last */
	int64_t attached_s;          /* [l] */
	int64_t detached_s;          /* [l] */
	uint64_t nmapped;            /* [l] regions */
	uint32_t locker;             /* [l] the user, while SHM_LOCKED */
};

SLAB_CACHE(shm_cache, struct shm);

/* Those of who calls. */
static struct sysv_kind *callers(void)
{
	return &ipc_namespace_caller()->segments;
}

static struct shm *shm_of(struct sysv_object *object)
{
	return container_of(object, struct shm, base);
}

static struct shm *shm_of_memory(struct memory_object *object)
{
	return container_of(object, struct shm, object);
}

static uint64_t npages_of(uint64_t len_bytes)
{
	return (len_bytes >> PAGE_SHIFT) + !IS_ALIGNED(len_bytes, PAGE_SIZE);
}

static void shm_free(struct sysv_object *object)
{
	slab_free(&shm_cache, shm_of(object));
}

/* ---- as memory ---- */

static err_t shm_get_page(struct memory_object *object, uint64_t page_index, unsigned fault_access,
			  struct page_ref *out)
{
	struct memory_object *pages = shm_of_memory(object)->pages;

	return pages->ops->get_page(pages, page_index, fault_access, out);
}

static err_t shm_punch(struct memory_object *object, uint64_t offset_bytes, uint64_t len_bytes)
{
	struct memory_object *pages = shm_of_memory(object)->pages;

	return pages->ops->punch(pages, offset_bytes, len_bytes);
}

/* As Linux: forking and cutting a mapping in two count as using it, too. */
static void shm_mapped(struct memory_object *object)
{
	struct shm *shm = shm_of_memory(object);

	mutex_lock(&shm->base.lock);
	shm->nmapped++;
	shm->last_user = sysv_caller().pid;
	shm->attached_s = sysv_now_s();
	mutex_unlock(&shm->base.lock);
}

static void shm_unmapped(struct memory_object *object)
{
	struct shm *shm = shm_of_memory(object);

	mutex_lock(&shm->base.lock);
	debug_assert(shm->nmapped);
	shm->nmapped--;
	shm->last_user = sysv_caller().pid;
	shm->detached_s = sysv_now_s();
	mutex_unlock(&shm->base.lock);
}

/* It was removed, and nobody has it mapped any more. */
static void shm_release(struct memory_object *object)
{
	struct shm *shm = shm_of_memory(object);
	struct sysv_kind *kind = shm->base.kind;

	memory_object_put(shm->pages);
	/* The table's may be the last, and goes while the lock is held. */
	refcount_get(&shm->base.references);
	mutex_lock(&kind->lock);
	kind->total -= npages_of(shm->len_bytes);
	mutex_lock(&shm->base.lock);
	sysv_remove_locked(kind, &shm->base);
	mutex_unlock(&shm->base.lock);
	mutex_unlock(&kind->lock);
	sysv_put(&shm->base);
}

static void shm_name(struct memory_object *object, char *to, size_t to_bytes)
{
	kernel_format(to, to_bytes, "/SYSV%08x (deleted)",
		      (unsigned)read_once(&shm_of_memory(object)->base.key));
}

static void shm_identity(struct memory_object *object, uint64_t *device, uint64_t *inode)
{
	*device = 1; /* no file system's that is mounted */
	*inode = (uint64_t)shm_of_memory(object)->base.id;
}

static const struct memory_object_ops shm_ops = {
	.get_page = shm_get_page,
	.punch = shm_punch,
	.mapped = shm_mapped,
	.unmapped = shm_unmapped,
	.release = shm_release,
	.name = shm_name,
	.identity = shm_identity,
};

/* ---- shmget ---- */

static err_t shm_fits(const struct sysv_object *object, uint64_t size)
{
	return container_of(object, const struct shm, base)->len_bytes < size ? -EINVAL : 0;
}

/* Under the kind's lock. */
static err_t shm_check(const struct sysv_kind *kind, uint64_t size, unsigned flags)
{
	uint64_t limit = read_once(&kind->ipc->sysv_limits.shmall);

	if (!size || size > read_once(&kind->ipc->sysv_limits.shmmax))
		return -EINVAL;
	/* None were set aside, and only some may ask (as MAP_HUGETLB). */
	if (flags & SHM_HUGETLB)
		return sysv_caller_capable(CAP_IPC_LOCK) || sysv_caller_in_group(0) ? -ENOMEM
										    : -EPERM;
	if (kind->total > limit || npages_of(size) > limit - kind->total)
		return -ENOSPC;
	return 0;
}

static err_t shm_make(struct sysv_kind *kind, uint64_t size, struct sysv_object **out)
{
	struct shm *shm = slab_alloc_zeroed(&shm_cache);
	err_t err;

	if (!shm)
		return -ENOMEM;
	err = memory_object_anonymous(size, &shm->pages);
	if (err) {
		slab_free(&shm_cache, shm);
		return err;
	}
	memory_object_init(&shm->object, &shm_ops);
	shm->object.places = shm->pages->places;
	shm->len_bytes = size;
	shm->creator = sysv_caller().pid;
	kind->total += npages_of(size);
	*out = &shm->base;
	return 0;
}

int shm_get(int32_t key, uint64_t len_bytes, unsigned flags)
{
	return sysv_get(callers(), &(struct sysv_request){
					   .key = key,
					   .flags = flags,
					   .size = len_bytes,
					   .fits = shm_fits,
					   .check = shm_check,
					   .make = shm_make,
				   });
}

/* ---- shmat, shmdt ---- */

/* Where, and how. */
static err_t place_of(uint64_t address, unsigned flags, struct space_request *out)
{
	if (address & PAGE_MASK) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		address = ALIGN_DOWN(address, PAGE_SIZE);
		if (!address && flags & SHM_REMAP)
			return -EINVAL;
	}
	if (!address && flags & SHM_REMAP)
		return -EINVAL;
	out->address = address;
	if (address)
		out->flags = SPACE_FIXED | (flags & SHM_REMAP ? 0 : SPACE_NOREPLACE);
	out->flags |= SPACE_SHARED;
	out->prot = SPACE_READ | (flags & SHM_RDONLY ? 0 : SPACE_WRITE) |
		    (flags & SHM_EXEC ? SPACE_EXEC : 0);
	out->max_prot = flags & SHM_RDONLY ? SPACE_READ | SPACE_EXEC : 0;
	return 0;
}

static unsigned wanted_by(unsigned flags)
{
	return SYSV_READ | (flags & SHM_RDONLY ? 0 : SYSV_WRITE) |
	       (flags & SHM_EXEC ? SYSV_EXEC : 0);
}

/* The memory, with a reference. */
static err_t get_memory(int32_t id, unsigned flags, struct shm **out)
{
	struct sysv_object *object = sysv_find(callers(), id);
	err_t err;

	if (!object)
		return -EINVAL;
	mutex_lock(&object->lock);
	err = sysv_check_locked(object, wanted_by(flags));
	mutex_unlock(&object->lock);
	if (!err && !refcount_try_get(&shm_of(object)->object.refs))
		err = -EIDRM;
	*out = shm_of(object);
	sysv_put(object);
	return err;
}

err_t shm_attach(struct space *space, int32_t id, uint64_t address, unsigned flags, vaddr_t *mapped)
{
	struct space_request request = {0};
	struct shm *shm;
	err_t err = id < 0 ? -EINVAL : place_of(address, flags, &request);

	if (!err)
		err = get_memory(id, flags, &shm);
	if (err)
		return err;
	request.object = &shm->object;
	request.length_bytes = shm->len_bytes;
	if (request.address + shm->len_bytes < request.address)
		err = -EINVAL;
	else
		err = space_map(space, &request, mapped);
	memory_object_put(&shm->object);
	return err == -EEXIST ? -EINVAL : err;
}

err_t shm_detach(struct space *space, uint64_t address)
{
	struct memory_object *object;
	err_t err;

	if (address & PAGE_MASK)
		return -EINVAL;
	object = space_find_object(space, address, &shm_ops);
	if (!object)
		return -EINVAL;
	err = space_unmap_object(space, address, shm_of_memory(object)->len_bytes, object);
	memory_object_put(object);
	return err;
}

/* ---- shmctl ---- */

static err_t remove(struct sysv_object *object, bool check)
{
	struct sysv_kind *kind = object->kind;
	bool removed = false;
	err_t err;

	mutex_lock(&kind->lock);
	mutex_lock(&object->lock);
	err = check ? sysv_owns_locked(object) : 0;
	if (!err && !object->gone && !(object->mode & SHM_DEST)) {
		object->mode |= SHM_DEST;
		sysv_forget_key_locked(kind, object);
		removed = true;
	}
	mutex_unlock(&object->lock);
	mutex_unlock(&kind->lock);
	if (removed)
		memory_object_put(&shm_of(object)->object);
	return err;
}

/* One that is mapped, by who has left, goes with its last mapping. */
static void remove_unchecked(struct sysv_object *object)
{
	(void)!remove(object, false);
}

const struct sysv_kind_ops shm_kind_ops = {.free = shm_free, .remove = remove_unchecked};

err_t shm_remove(int32_t id)
{
	struct sysv_object *object = sysv_find(callers(), id);
	err_t err;

	if (!object)
		return -EINVAL;
	err = remove(object, true);
	sysv_put(object);
	return err;
}

err_t shm_set(int32_t id, const struct sysv_owner *owner)
{
	struct sysv_object *object = sysv_find(callers(), id);
	err_t err;

	if (!object)
		return -EINVAL;
	mutex_lock(&object->lock);
	err = sysv_owns_locked(object);
	if (!err)
		err = sysv_set_owner_locked(object, owner);
	mutex_unlock(&object->lock);
	sysv_put(object);
	return err;
}

/* What segments of this user are locked. Under the kind's lock: nobody else locks. */
static uint64_t locked_bytes_of(struct sysv_kind *kind, uint32_t uid)
{
	struct sysv_object *object;
	uint32_t index = 0;
	uint64_t sum = 0;

	while ((object = sysv_next(kind, &index))) {
		mutex_lock(&object->lock);
		if (object->mode & SHM_LOCKED && shm_of(object)->locker == uid)
			sum += shm_of(object)->len_bytes;
		mutex_unlock(&object->lock);
		sysv_put(object);
	}
	return sum;
}

static err_t may_lock(const struct shm *shm, uint64_t locked_bytes)
{
	uint64_t limit = sysv_caller_lock_limit_bytes();

	if (sysv_caller_capable(CAP_IPC_LOCK))
		return 0;
	if (!limit)
		return -EPERM;
	return locked_bytes > limit || shm->len_bytes > limit - locked_bytes ? -ENOMEM : 0;
}

/* Nothing of a segment ever leaves memory, so this only counts, and is told. */
err_t shm_lock(int32_t id, bool lock)
{
	struct sysv_object *object = sysv_find(callers(), id);
	struct sysv_kind *kind;
	struct shm *shm;
	uint64_t locked_bytes;
	err_t err;

	if (!object)
		return -EINVAL;
	shm = shm_of(object);
	kind = object->kind;
	mutex_lock(&kind->lock);
	locked_bytes = locked_bytes_of(kind, sysv_caller().uid);
	mutex_lock(&object->lock);
	err = sysv_caller_capable(CAP_IPC_LOCK) ? sysv_check_locked(object, 0)
						: sysv_owns_locked(object);
	if (!err && lock && !(object->mode & SHM_LOCKED)) {
		err = may_lock(shm, locked_bytes);
		if (!err) {
			object->mode |= SHM_LOCKED;
			shm->locker = sysv_caller().uid;
		}
	} else if (!err && !lock) {
		object->mode &= ~(unsigned)SHM_LOCKED;
	}
	mutex_unlock(&object->lock);
	mutex_unlock(&kind->lock);
	sysv_put(object);
	return err;
}

static void describe_locked(struct shm *shm, struct abi_shmid_ds *out) REQUIRES(shm->base.lock)
{
	*out = (struct abi_shmid_ds){
		.segsz = shm->len_bytes,
		.atime = shm->attached_s,
		.dtime = shm->detached_s,
		.ctime = shm->base.changed_s,
		.cpid = shm->creator,
		.lpid = shm->last_user,
		.nattch = shm->nmapped,
	};
	sysv_describe_locked(&shm->base, &out->perm);
}

int shm_stat(int32_t id, enum sysv_lookup lookup, struct abi_shmid_ds *out)
{
	struct sysv_object *object;
	struct shm *shm;
	int result = sysv_look_up(callers(), id, lookup, &object);

	if (result)
		return result;
	shm = shm_of(object);
	mutex_lock(&shm->base.lock);
	result = sysv_check_locked(&shm->base, sysv_lookup_wants(lookup));
	if (!result) {
		describe_locked(shm, out);
		result = object->id;
	}
	mutex_unlock(&shm->base.lock);
	sysv_put(object);
	return result;
}

int shm_limits(struct abi_shminfo *out)
{
	const struct sysv_limits *limits = sysv_limits();

	*out = (struct abi_shminfo){
		.shmmax = read_once(&limits->shmmax),
		.shmmin = 1,
		.shmmni = read_once(&limits->shmmni),
		.shmseg = read_once(&limits->shmmni),
		.shmall = read_once(&limits->shmall),
	};
	return sysv_highest(callers());
}

int shm_next(uint32_t *index, struct abi_shmid_ds *out, uint64_t *resident_pages)
{
	struct sysv_object *object = sysv_next(callers(), index);
	struct shm *shm;
	int id;

	if (!object)
		return -1;
	shm = shm_of(object);
	mutex_lock(&shm->base.lock);
	describe_locked(shm, out);
	mutex_unlock(&shm->base.lock);
	*resident_pages = 0;
	if (refcount_try_get(&shm->object.refs)) { /* else it goes just now */
		*resident_pages = memory_object_anonymous_pages(shm->pages);
		memory_object_put(&shm->object);
	}
	id = object->id;
	sysv_put(object);
	return id;
}

int shm_info(struct abi_shm_info *out)
{
	struct abi_shmid_ds segment;
	uint64_t resident_pages;
	uint32_t index = 0;

	*out = (struct abi_shm_info){0};
	while (shm_next(&index, &segment, &resident_pages) >= 0) {
		out->used_ids++;
		out->shm_tot += npages_of(segment.segsz);
		out->shm_rss += resident_pages;
	}
	return sysv_highest(callers());
}
