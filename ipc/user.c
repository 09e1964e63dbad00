/*
 * Counts by user: a hash of those of whom something is counted, under users_lock (LOCK_USERS). The
 * counts themselves are atomic.
 */
#include <ipc/user.h>

#include <arch/spin.h>
#include <lib/atomic.h>
#include <lib/refcount.h>
#include <mm/slab.h>

#define BUCKETS 16

/*
 *   [c] constant
 *   [u] users_lock
 *   [a] atomic
 */
struct user_counts {
	struct user_counts *next;     /* [u] */
	struct refcount references;   /* the last goes under users_lock */
	uint32_t uid;                 /* [c] */
	uint64_t counts[USER_THINGS]; /* [a] */
};

SLAB_CACHE(user_cache, struct user_counts);
static struct spinlock users_lock = SPINLOCK_INIT(LOCK_USERS);
static struct user_counts *users[BUCKETS]; /* users_lock */

static struct user_counts *find_locked(uint32_t uid) REQUIRES(users_lock);
static struct user_counts *find_locked(uint32_t uid)
{
	struct user_counts *user = users[uid % BUCKETS];

	while (user && user->uid != uid)
		user = user->next;
	return user ? user_counts_get(user) : NULL;
}

/* The one that is there, or `fresh`, which is taken then. */
static struct user_counts *find_or_add(uint32_t uid, struct user_counts **fresh)
{
	struct user_counts *user;

	spin_lock(&users_lock);
	user = find_locked(uid);
	if (!user && *fresh) {
		user = *fresh;
		*fresh = NULL;
		user->next = users[uid % BUCKETS];
		users[uid % BUCKETS] = user;
	}
	spin_unlock(&users_lock);
	return user;
}

struct user_counts *user_counts_of(uint32_t uid)
{
	struct user_counts *fresh = NULL;
	struct user_counts *user = find_or_add(uid, &fresh);

	if (user)
		return user;
	fresh = slab_alloc_zeroed(&user_cache);
	if (!fresh)
		return NULL;
	fresh->uid = uid;
	refcount_init(&fresh->references);
	user = find_or_add(uid, &fresh);
	slab_free(&user_cache, fresh);
	return user;
}

struct user_counts *user_counts_get(struct user_counts *user)
{
	refcount_get(&user->references);
	return user;
}

void user_counts_put(struct user_counts *user)
{
	struct user_counts **link;
	bool is_last;

	if (!user)
		return;
	spin_lock(&users_lock);
	is_last = refcount_put(&user->references);
	if (is_last) {
		link = &users[user->uid % BUCKETS];
		while (*link != user)
			link = &(*link)->next;
		*link = user->next;
	}
	spin_unlock(&users_lock);
	if (is_last)
		slab_free(&user_cache, user);
}

bool user_charge(struct user_counts *user, enum user_thing thing, uint64_t by, uint64_t limit)
{
	if (likely(atomic_fetch_add_full(&user->counts[thing], by) < limit))
		return true;
	user_uncharge(user, thing, by);
	return false;
}

void user_uncharge(struct user_counts *user, enum user_thing thing, uint64_t by)
{
	(void)atomic_fetch_sub_full(&user->counts[thing], by);
}

uint64_t user_count(const struct user_counts *user, enum user_thing thing)
{
	return read_once(&user->counts[thing]);
}
