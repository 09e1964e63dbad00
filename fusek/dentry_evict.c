/*
 * Which names leave the cache: the oldest that nobody uses when there are many, all when memory is
 * short, those of a filesystem with its last mount. Owns the list of all, which changes under
 * names_lock.
 */
#include <fusek/mount.h>

#include "dentry_priv.h"

#include <mm/frame.h>
#include <sched/thread.h>

#define LEVELS_MAX       64 /* of names that are dropped: rounds, but for deeper ones a next time */
#define NSTEPS           64 /* of a look at all names while the lock is held */
#define NAMES_OF_A_FRAME 8  /* with their nodes; a guess */

LIST_HEAD(all_dentries);

static uint64_t dentries_max(void)
{
	return MIN(MAX(frames_total() / 8, UINT64_C(512)), UINT64_C(65536));
}

/* Only the cache holds it: takes it out, onto the list. From 1 to 0 and back: between, no look-up
 * can take a reference. */
static bool evict_locked(struct dentry *dentry, struct list *victims) REQUIRES(names_lock);
static bool evict_locked(struct dentry *dentry, struct list *victims)
{
	int32_t only_the_cache = 1;

	if (!atomic_cas(&dentry->references.count, &only_the_cache, 0))
		return false;
	dentry_leave_cache_locked(dentry);
	list_add_tail(victims, &dentry->all);
	return true;
}

/* What left the cache by evict_locked(). */
static void put_victims(struct list *victims)
{
	struct dentry *dentry, *next;

	list_for_each_safe (dentry, next, victims, all) {
		list_del(&dentry->all);
		refcount_init(&dentry->references);
		dentry_put(dentry);
	}
}

/* The oldest, which becomes the newest. */
static struct dentry *next_locked(void) REQUIRES(names_lock);
static struct dentry *next_locked(void)
{
	struct dentry *dentry = list_last_entry(&all_dentries, struct dentry, all);

	list_del(&dentry->all);
	list_add_head(&all_dentries, &dentry->all);
	return dentry;
}

/* Looks at the NSTEPS oldest, and evicts what nobody holds. What was used since the last look is
 * spared once if `spare_used`. How many went. */
static unsigned evict_some(bool spare_used)
{
	LIST_HEAD(victims);
	unsigned nevicted = 0;

	spin_lock(&names_lock);
	for (unsigned i = 0; i < NSTEPS && !list_empty(&all_dentries); i++) {
		struct dentry *dentry = next_locked();

		if (spare_used && dentry->used)
			write_once(&dentry->used, false);
		else if (evict_locked(dentry, &victims))
			nevicted++;
	}
	spin_unlock(&names_lock);
	put_victims(&victims);
	return nevicted;
}

/* Leaves go first, so each round takes one level of names; the lock is held for a few steps each.
 * Names that come meanwhile do not keep it: it ends with so many rounds. */
void names_evict(void)
{
	unsigned nevicted = 1;

	for (unsigned round = 0; nevicted && round < LEVELS_MAX && !thread_killed(); round++) {
		uint64_t nleft = read_once(&names_counters.ndentries);

		nevicted = 0;
		for (; nleft; nleft -= MIN(nleft, (uint64_t)NSTEPS))
			nevicted += evict_some(false);
	}
}

uint64_t names_reclaim(uint64_t nframes)
{
	uint64_t nleft = MIN(read_once(&names_counters.ndentries), nframes * NAMES_OF_A_FRAME);

	for (; nleft; nleft -= MIN(nleft, (uint64_t)NSTEPS))
		(void)evict_some(true);
	return 0;
}

void dentry_evict_if_many(void)
{
	if (read_once(&names_counters.ndentries) > dentries_max())
		(void)evict_some(true);
}

#define NBUCKETS 16 /* of a look at all buckets while the lock is held */

/* What is asked for of a directory now is not kept. */
static void directory_expire(struct node *node)
{
	if (node && node_type(node) == S_IFDIR)
		(void)atomic_fetch_add_full(&node->names_version, 1);
}

/* What a rename moves to another bucket meanwhile, its server has just told us of. */
void dentry_expire_all(const struct filesystem *fs)
{
	directory_expire(fs->root->node);
	for (unsigned first = 0; first < DENTRY_BUCKETS; first += NBUCKETS) {
		spin_lock(&names_lock);
		for (unsigned i = first; i < first + NBUCKETS; i++) {
			struct dentry *dentry = dentry_bucket_locked(i);

			for (; dentry; dentry = dentry->hash_next) {
				if (dentry->fs != fs)
					continue;
				directory_expire(dentry->node);
				write_once(&dentry->valid_until_ns, 0);
			}
		}
		spin_unlock(&names_lock);
	}
}

static bool is_one_of(const struct dentry *dentry, const uint64_t *nodes, size_t count)
{
	for (size_t i = 0; dentry->node && i < count; i++) {
		if (dentry->node->id.value == nodes[i])
			return true;
	}
	return false;
}

void dentry_prune(const struct filesystem *fs, const uint64_t *nodes, size_t count)
{
	for (unsigned i = 0; i < DENTRY_BUCKETS; i++) {
		struct dentry *dentry, *next;
		LIST_HEAD(victims);

		spin_lock(&names_lock);
		for (dentry = dentry_bucket_locked(i); dentry; dentry = next) {
			next = dentry->hash_next;
			if (dentry->fs == fs && is_one_of(dentry, nodes, count))
				(void)evict_locked(dentry, &victims);
		}
		spin_unlock(&names_lock);
		put_victims(&victims);
	}
}

void dentry_expire(struct dentry *dentry)
{
	rcu_read_lock();
	for (; dentry; dentry = dentry_key(dentry)->parent)
		write_once(&dentry->valid_until_ns, 0);
	rcu_read_unlock();
}

void dentry_drop_all(const struct filesystem *fs)
{
	struct dentry *dropped[NSTEPS];
	unsigned ndropped;

	while (read_once(&fs->ncached)) {
		ndropped = 0;
		spin_lock(&names_lock);
		for (unsigned i = 0; i < NSTEPS && fs->ncached; i++) {
			struct dentry *dentry = next_locked();

			if (dentry->fs == fs) {
				dentry_leave_cache_locked(dentry);
				dropped[ndropped++] = dentry;
			}
		}
		spin_unlock(&names_lock);
		while (ndropped)
			dentry_put(dropped[--ndropped]);
	}
}
