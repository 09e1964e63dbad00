/*
 * Dentries: the cache of names. Owns the hash of names. Changes are made under names_lock; look-ups
 * take none (see names.h for why what they see is whole).
 */
#include <fusek/mount.h>

#include "dentry_priv.h"
#include "notify.h"

#include <lib/string.h>
#include <mm/slab.h>
#include <sched/seqcount.h>

#define LOOKUPS_MAX 8 /* of one name, while others change its directory */
#define BELOW_TRIES 8 /* to find a way up, while others rename */

static struct dentry *buckets[DENTRY_BUCKETS]; /* names_lock, read under RCU */
static struct seqcount renames;                /* names_lock: a key changes */

SLAB_CACHE(dentry_cache, struct dentry);

struct names_counters names_counters;

/* ---- the hash ---- */

struct dentry *dentry_bucket_locked(unsigned index)
{
	return buckets[index];
}

static struct dentry **bucket_of(uint32_t hash)
{
	return &buckets[hash % DENTRY_BUCKETS];
}

static bool key_is(const struct dentry_key *key, const struct dentry *parent,
		   struct server_name name, uint32_t hash)
{
	return key->hash == hash && key->parent == parent && key->len_bytes == name.len_bytes &&
	       bytes_equal(key->text, name.text, name.len_bytes);
}

/* ---- life ---- */

/* Consumes the references to `key` and `node`, also when there is no memory. */
static struct dentry *create_dentry(struct filesystem *fs, struct dentry_key *key,
				    struct node *node)
{
	struct dentry *dentry = key ? slab_alloc_zeroed(&dentry_cache) : NULL;

	if (!dentry) {
		dentry_key_free(key);
		node_put(node);
		return NULL;
	}
	refcount_init(&dentry->references);
	list_init(&dentry->all);
	dentry->fs = fs;
	dentry->key = key;
	dentry->node = node;
	atomic_add_relaxed(&names_counters.ndentries, 1);
	if (!node)
		atomic_add_relaxed(&names_counters.nnegative, 1);
	return dentry;
}

static bool is_directory(const struct dentry *dentry)
{
	return dentry->node && node_type(dentry->node) == S_IFDIR;
}

struct dentry *dentry_create_nameless(struct filesystem *fs, struct node *node)
{
	static const struct server_name slash = {.text = "/", .len_bytes = 1};

	name_hash_begin();
	return create_dentry(fs, dentry_key_create(NULL, slash), node);
}

struct dentry *dentry_create_root(struct filesystem *fs, struct node *node)
{
	struct dentry *root = dentry_create_nameless(fs, node);

	if (root)
		node->dentry = root;
	return root;
}

struct dentry *dentry_of_node(struct node *node)
{
	struct dentry *dentry;

	spin_lock(&names_lock);
	dentry = node->dentry;
	if (dentry && !refcount_try_get(&dentry->references))
		dentry = NULL;
	spin_unlock(&names_lock);
	return dentry;
}

static void name_node_locked(struct dentry *dentry) REQUIRES(names_lock);
static void name_node_locked(struct dentry *dentry)
{
	if (dentry->node && dentry->node->dentry != dentry)
		write_once(&dentry->node->dentry, dentry);
}

/* It is about to be freed. Nobody makes it the node's any more: that takes a reference. */
static void forget_name(const struct dentry *dentry)
{
	if (!dentry->node || read_once(&dentry->node->dentry) != dentry)
		return;
	spin_lock(&names_lock);
	if (dentry->node->dentry == dentry)
		dentry->node->dentry = NULL;
	spin_unlock(&names_lock);
}

static void free_dentry(struct rcu_head *head)
{
	slab_free(&dentry_cache, container_of(head, struct dentry, rcu));
}

/* Not by recursion: a chain of parents may be as long as a path is deep. */
void dentry_unused(struct dentry *dentry)
{
	do {
		struct dentry *parent;

		debug_assert(!dentry->hashed);
		atomic_add_relaxed(&names_counters.ndentries, -1);
		if (!dentry->node)
			atomic_add_relaxed(&names_counters.nnegative, -1);
		forget_name(dentry);
		if (unlikely(dentry->node && read_once(&dentry->node->watches) &&
			     read_once(&dentry->removed)))
			notify_unused(dentry->node);
		node_put(dentry->node);
		parent = dentry_key_take_apart(dentry->key);
		rcu_call(&dentry->rcu, free_dentry);
		dentry = parent;
	} while (dentry && refcount_put(&dentry->references));
}

/* ---- in and out ---- */

static void hash_locked(struct dentry *dentry) REQUIRES(names_lock);
static void hash_locked(struct dentry *dentry)
{
	struct dentry **bucket = bucket_of(dentry->key->hash);

	dentry->hash_next = *bucket;
	rcu_assign(bucket, dentry);
}

static void unhash_locked(struct dentry *dentry) REQUIRES(names_lock);
static void unhash_locked(struct dentry *dentry)
{
	struct dentry **link = bucket_of(dentry->key->hash);

	while (*link != dentry)
		link = &(*link)->hash_next;
	rcu_assign(link, dentry->hash_next);
}

/* Takes a reference of the cache's own. */
static void enter_cache_locked(struct dentry *dentry) REQUIRES(names_lock);
static void enter_cache_locked(struct dentry *dentry)
{
	refcount_get(&dentry->references);
	hash_locked(dentry);
	dentry->hashed = true;
	dentry->fs->ncached++;
	list_add_head(&all_dentries, &dentry->all);
}

void dentry_leave_cache_locked(struct dentry *dentry)
{
	unhash_locked(dentry);
	list_del(&dentry->all);
	dentry->hashed = false;
	dentry->fs->ncached--;
}

inline struct dentry *dentry_find_rcu(const struct dentry *parent, struct server_name name,
				      uint32_t hash)
{
	struct dentry *dentry = rcu_dereference(bucket_of(hash));

	for (; dentry; dentry = rcu_dereference(&dentry->hash_next)) {
		if (!key_is(dentry_key(dentry), parent, name, hash))
			continue;
		if (!still_valid(read_once(&dentry->valid_until_ns)))
			return NULL;
		if (!read_once(&dentry->used))
			write_once(&dentry->used, true);
		return dentry;
	}
	return NULL;
}

struct dentry *dentry_find(const struct dentry *parent, struct server_name name, uint32_t hash)
{
	struct dentry *dentry;

	rcu_read_lock();
	dentry = dentry_find_rcu(parent, name, hash);
	if (dentry && !refcount_try_get(&dentry->references))
		dentry = NULL;
	rcu_read_unlock();
	return dentry;
}

static struct dentry *find_any_locked(const struct dentry *parent, const struct dentry_key *key)
	REQUIRES(names_lock);
static struct dentry *find_any_locked(const struct dentry *parent, const struct dentry_key *key)
{
	const struct server_name name = {.text = key->text, .len_bytes = key->len_bytes};
	struct dentry *dentry = *bucket_of(key->hash);

	while (dentry && !key_is(dentry->key, parent, name, key->hash))
		dentry = dentry->hash_next;
	return dentry;
}

void dentry_drop(struct dentry *dentry)
{
	bool was_hashed;

	spin_lock(&names_lock);
	was_hashed = dentry->hashed;
	if (was_hashed)
		dentry_leave_cache_locked(dentry);
	spin_unlock(&names_lock);
	if (was_hashed)
		dentry_put(dentry);
}

/* Puts it into the cache, where it is asked for again at each walk. False: it has no name by now,
 * or that means something else. *other is for dentry_put(). */
static bool keep_locked(struct dentry *dentry, struct dentry **other) REQUIRES(names_lock);
static bool keep_locked(struct dentry *dentry, struct dentry **other)
{
	struct dentry *found = find_any_locked(dentry->key->parent, dentry->key);

	if (read_once(&dentry->removed))
		return false; /* who sets it drops the name after that */
	if (found && (found->node != dentry->node || read_once(&found->mounted)))
		return false;
	if (found)
		dentry_leave_cache_locked(found);
	*other = found;
	write_once(&dentry->valid_until_ns, 0);
	enter_cache_locked(dentry);
	name_node_locked(dentry);
	return true;
}

err_t dentry_keep(struct dentry *dentry)
{
	struct dentry *at = dentry_get(dentry);
	bool kept = true;

	while (kept && at) {
		struct dentry *parent, *other = NULL;

		spin_lock(&names_lock);
		parent = at->key->parent ? dentry_get(at->key->parent) : NULL;
		if (parent && !at->hashed)
			kept = keep_locked(at, &other);
		spin_unlock(&names_lock);
		dentry_put(other);
		dentry_put(at);
		at = parent;
	}
	dentry_put(at);
	return kept ? 0 : -ENOENT;
}

void dentry_drop_name(struct dentry *parent, struct server_name name, const struct node *node)
{
	uint32_t hash = name_hash(parent, name.text, name.len_bytes);
	struct dentry *dentry;

	spin_lock(&names_lock);
	dentry = *bucket_of(hash);
	while (dentry && !key_is(dentry->key, parent, name, hash))
		dentry = dentry->hash_next;
	if (dentry && dentry->node == node)
		dentry_leave_cache_locked(dentry);
	else
		dentry = NULL;
	spin_unlock(&names_lock);
	dentry_put(dentry);
}

void names_change_begin(struct names_change *change, struct node *directory)
{
	change->directory = directory;
	change->version = atomic_fetch_add_full(&directory->names_version, 1) + 1;
}

uint64_t names_change_end(struct names_change *change)
{
	uint64_t version = atomic_fetch_add_full(&change->directory->names_version, 1) + 1;

	node_attr_changed(change->directory);
	return version == change->version + 1 ? version : UINT64_MAX;
}

/* ---- what servers say ---- */

static bool same_meaning(const struct dentry *dentry, const struct node *node)
{
	return dentry->node == node;
}

/* It is of no use to walks, but keeps its node: forgetting that would be a message each time. */
static bool stays_expired(const struct dentry *dentry)
{
	return dentry->node && (dentry->fs->server->flags & SERVER_FORGET_COSTS);
}

err_t dentry_insert(struct dentry *parent, struct server_name name, struct node *node,
		    uint64_t valid_ns, uint64_t version, struct dentry **out)
{
	struct dentry *fresh = create_dentry(parent->fs, dentry_key_create(parent, name), node);
	struct dentry *old, *result, *put_later = NULL;
	bool current;

	if (!fresh)
		return -ENOMEM;
	fresh->valid_until_ns = valid_until(valid_ns);
	result = fresh;

	spin_lock(&names_lock);
	/* If somebody changed the directory meanwhile, the answer is good for this caller only. */
	current = load_acquire(&parent->node->names_version) == version;
	old = find_any_locked(parent, fresh->key);
	if (old && same_meaning(old, node) && refcount_try_get(&old->references)) {
		if (current)
			write_once(&old->valid_until_ns, fresh->valid_until_ns);
		result = old;
		put_later = fresh;
	} else {
		/* What contradicts the answer goes: "not there" may be from before we made it. Only
		 * a directory stays if in doubt, it shall have one dentry; who changes it drops it.
		 */
		if (old && (current || !is_directory(old))) {
			dentry_leave_cache_locked(old);
			put_later = old;
		}
		if (current && (fresh->valid_until_ns || stays_expired(fresh)))
			enter_cache_locked(fresh);
	}
	name_node_locked(result);
	spin_unlock(&names_lock);
	/* What stands on a name that means something else now cannot be reached any more. */
	if (put_later && unlikely(read_once(&put_later->mounted)))
		dentry_set_removed(put_later);
	dentry_put(put_later);
	dentry_evict_if_many();
	*out = result;
	return 0;
}

/* The server's answer, with the directory's version before it was asked. */
static err_t ask_server(struct dentry *parent, struct server_name name,
			const struct vfs_context *context, uint64_t version,
			struct server_attr *attr, struct dentry **out)
{
	struct server *server = parent->fs->server;
	struct server_caller caller = server_caller_of(context);
	uint64_t attr_version = filesystem_attr_version(parent->fs);
	struct server_entry entry = {0};
	struct node *node = NULL;
	err_t err;

	atomic_add_relaxed(&names_counters.nlookups, 1);
	err = server->ops->lookup
		      ? server->ops->lookup(server, &caller, parent->node->id, name, &entry)
		      : -ENOENT;
	if (err == -ENOENT) {
		entry.node.value = 0; /* not to be kept */
		entry.entry_valid_ns = 0;
	} else if (err) {
		return err;
	}
	if (entry.node.value) {
		err = nodeid_equal(entry.node, SERVER_ROOT)
			      ? -EIO
			      : node_from_entry(parent->fs, &entry, attr_version, &node);
		if (err) {
			node_refuse_entry(parent->fs, &entry);
			return err;
		}
		if (attr)
			*attr = entry.attr;
	}
	return dentry_insert(parent, name, node, entry.entry_valid_ns, version, out);
}

err_t dentry_lookup(struct dentry *parent, struct server_name name,
		    const struct vfs_context *context, struct server_attr *attr,
		    struct dentry **out)
{
	uint32_t hash = name_hash(parent, name.text, name.len_bytes);

	for (unsigned nleft = LOOKUPS_MAX;; nleft--) {
		uint64_t version;
		err_t err;

		*out = dentry_find(parent, name, hash);
		if (*out)
			return 0;
		/* Acquire: pairs with the full order of change_begin() and change_end(). */
		version = load_acquire(&parent->node->names_version);
		err = ask_server(parent, name, context, version, attr, out);
		if (err)
			return err;
		/* A directory that is not kept would get a second dentry, and names below the one
		 * would not be changed below the other: not if it can be helped. */
		if (nleft == 1 || !is_directory(*out) ||
		    load_acquire(&parent->node->names_version) == version)
			return 0;
		dentry_put(*out);
	}
}

/* ---- what renames do ---- */

/* What the cache has under the name leaves it. NULL: nothing; else for dentry_put(). */
static struct dentry *take_out_locked(const struct dentry_key *key) REQUIRES(names_lock);
static struct dentry *take_out_locked(const struct dentry_key *key)
{
	struct dentry *dentry = find_any_locked(key->parent, key);

	if (dentry)
		dentry_leave_cache_locked(dentry);
	return dentry;
}

/* `dentry` is on the way up from `at`, which is finite: keys change under the lock, and none comes
 * to stand below itself. */
static bool is_above_locked(const struct dentry *dentry, const struct dentry *at)
	REQUIRES(names_lock);
static bool is_above_locked(const struct dentry *dentry, const struct dentry *at)
{
	while (at && at != dentry)
		at = at->key->parent;
	return at;
}

/* `dentry` gets the name `to` if it has the name `from` still, and `to` is not below it: a server
 * may say of two renames at once that both were done, which together make a circle. The key that is
 * left over. */
static struct dentry_key *change_name_locked(struct dentry *dentry, const struct dentry_key *from,
					     struct dentry_key *to) REQUIRES(names_lock);
static struct dentry_key *change_name_locked(struct dentry *dentry, const struct dentry_key *from,
					     struct dentry_key *to)
{
	const struct server_name name = {.text = from->text, .len_bytes = from->len_bytes};
	struct dentry_key *old = dentry->key;

	if (!key_is(old, from->parent, name, from->hash))
		return to; /* somebody has renamed it already */
	if (to->parent != from->parent && is_directory(dentry) &&
	    is_above_locked(dentry, to->parent))
		return to;
	seqcount_write_begin(&renames);
	rcu_assign(&dentry->key, to);
	seqcount_write_end(&renames);
	return old;
}

/* Back into the cache goes what the server moved for sure: nobody else has changed the directories
 * meanwhile (`sure`). A directory does in any case, with what is mounted below it; it is asked for
 * again. */
static void enter_renamed_locked(struct dentry *dentry, bool sure) REQUIRES(names_lock);
static void enter_renamed_locked(struct dentry *dentry, bool sure)
{
	if (!sure && !is_directory(dentry))
		return;
	if (!sure)
		write_once(&dentry->valid_until_ns, 0);
	enter_cache_locked(dentry);
}

void dentry_renamed(struct dentry *old, struct dentry *exchanged, const struct names_rename *rename)
{
	struct dentry_key *from = rename->from, *to = rename->to, *left, *left_back = from;
	struct dentry *at_from, *at_to;
	bool current;

	spin_lock(&names_lock);
	current = load_acquire(&from->parent->node->names_version) == rename->from_version &&
		  load_acquire(&to->parent->node->names_version) == rename->to_version;
	at_from = take_out_locked(from);
	at_to = take_out_locked(to);
	left = change_name_locked(old, from, to);
	if (exchanged)
		left_back = change_name_locked(exchanged, to, from);
	/* Only what had the name until now. */
	if (at_from == old && old->key == to)
		enter_renamed_locked(old, current);
	if (exchanged && at_to == exchanged && exchanged->key == from)
		enter_renamed_locked(exchanged, current);
	spin_unlock(&names_lock);
	dentry_put(at_from);
	dentry_put(at_to);
	dentry_key_free(left);
	dentry_key_free(left_back);
}

static bool is_below_rcu(const struct dentry *dentry, const struct dentry *ancestor)
{
	while (dentry && !dentry_same_place(dentry, ancestor))
		dentry = dentry_key(dentry)->parent;
	return dentry;
}

/* Steps that are true one by one do not make a way if directories move between them. */
bool dentry_is_below(const struct dentry *dentry, const struct dentry *ancestor)
{
	bool below = false, sure = false;

	rcu_read_lock();
	for (unsigned ntries = 0; !sure && ntries < BELOW_TRIES; ntries++) {
		uint32_t begun = seqcount_read_begin(&renames);

		below = is_below_rcu(dentry, ancestor);
		sure = !seqcount_changed(&renames, begun);
	}
	rcu_read_unlock();
	return below && sure;
}
