/*
 * Nodes: one struct for each thing of a filesystem that somebody names or uses, found by filesystem
 * and number. Owns the hash of nodes, the sum of look-ups that each server has counted for a node,
 * and the cached attributes. Locks: names_lock for the hash and the sums, attr_lock for attributes;
 * never both.
 */
#define LOG_SUBSYSTEM "fusek"
#include "names.h"

#include "acl.h"
#include "locks.h"
#include "pages.h"

#include <arch/clock.h>
#include <ipc/pipe.h>
#include <lib/log.h>
#include <lib/string.h>
#include <mm/slab.h>

#define NODE_BUCKETS 2048

static struct node *buckets[NODE_BUCKETS]; /* names_lock, read under RCU */

SLAB_CACHE(node_cache, struct node);

struct spinlock names_lock = SPINLOCK_INIT(LOCK_DENTRY);

static struct node **bucket_of(const struct filesystem *fs, struct nodeid id)
{
	uint64_t mixed = (id.value ^ ((uint64_t)fs->number << 40)) * UINT64_C(0x9e3779b97f4a7c15);

	return &buckets[mixed >> 53];
}
_Static_assert(NODE_BUCKETS == 1 << (64 - 53), "the shift in bucket_of");

uint64_t valid_until(uint64_t valid_ns)
{
	uint64_t now_ns;

	if (valid_ns == SERVER_VALID_FOREVER || valid_ns == 0)
		return valid_ns;
	now_ns = clock_ns();
	return valid_ns > UINT64_MAX - 1 - now_ns ? UINT64_MAX - 1 : now_ns + valid_ns;
}

bool still_valid(uint64_t valid_until_ns)
{
	if (likely(valid_until_ns == SERVER_VALID_FOREVER))
		return true;
	return valid_until_ns != 0 && clock_ns() < valid_until_ns;
}

static void forget(struct filesystem *fs, struct nodeid id, uint64_t nlookup)
{
	struct server *server = fs->server;

	if (nlookup && server->ops->forget && !nodeid_equal(id, SERVER_ROOT))
		server->ops->forget(server, id, nlookup);
}

void node_refuse_entry(struct filesystem *fs, const struct server_entry *entry)
{
	if (entry->node.value)
		forget(fs, entry->node, 1);
}

static const char *entry_lie(const struct server_entry *entry)
{
	switch (entry->attr.mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	default:
		return "an entry has no known type";
	}
	if (entry->attr.size_bytes > INT64_MAX)
		return "an entry has an impossible size";
	return NULL;
}

/* The same thing still: the number is not used for something new. */
static bool node_matches(const struct node *node, const struct filesystem *fs,
			 const struct server_entry *entry)
{
	return node->fs == fs && nodeid_equal(node->id, entry->node) &&
	       node->generation == entry->generation &&
	       node_type(node) == (entry->attr.mode & S_IFMT);
}

static void unhash_node_locked(struct node *node) REQUIRES(names_lock);
static void unhash_node_locked(struct node *node)
{
	struct node **link = bucket_of(node->fs, node->id);

	if (!node->hashed)
		return;
	while (*link != node)
		link = &(*link)->hash_next;
	/* The node keeps its own hash_next: a reader on it finds its way on. */
	rcu_assign(link, node->hash_next);
	node->hashed = false;
}

static struct node *create_node(struct filesystem *fs, const struct server_entry *entry,
				uint64_t version)
{
	struct node *node = slab_alloc_zeroed(&node_cache);

	if (!node)
		return NULL;
	refcount_init(&node->references);
	spin_init(&node->attr_lock, LOCK_DENTRY);
	mapped_places_init(&node->places);
	node->fs = fs;
	node->id = entry->node;
	node->generation = entry->generation;
	node->rdev = entry->attr.rdev;
	node->attr = entry->attr;
	node->attr_valid_until_ns = valid_until(entry->attr_valid_ns);
	node->attr_version = MAX(version, ATTR_VERSION_NONE + 1);
	node->nlookup = 1;
	node->acl = fs->server->flags & SERVER_TAKES_ACLS ? ACL_UNKNOWN : NULL;
	return node;
}

/* An existing node of the number, with a reference and the look-up counted; one whose number was
 * given to something else leaves the hash. Else `fresh` goes in. */
static struct node *find_or_add(struct filesystem *fs, const struct server_entry *entry,
				struct node *fresh)
{
	struct node **bucket = bucket_of(fs, entry->node);
	struct node *node, *next, *found = NULL;

	spin_lock(&names_lock);
	for (node = *bucket; node && !found; node = next) {
		next = node->hash_next;
		if (node->fs != fs || !nodeid_equal(node->id, entry->node))
			continue;
		if (!node_matches(node, fs, entry))
			unhash_node_locked(node);
		else if (refcount_try_get(&node->references))
			found = node;
	}
	if (found) {
		found->nlookup++;
	} else {
		fresh->hash_next = *bucket;
		fresh->hashed = true;
		rcu_assign(bucket, fresh);
	}
	spin_unlock(&names_lock);
	return found ? found : fresh;
}

static void change_begin(struct node *node) ACQUIRE(node->attr_lock)
{
	spin_lock(&node->attr_lock);
	seqcount_write_begin(&node->attr_changes);
}

static void change_end(struct node *node) RELEASE(node->attr_lock)
{
	seqcount_write_end(&node->attr_changes);
	spin_unlock(&node->attr_lock);
}

/* ---- of files whose changes are in memory first ---- */

bool node_is_ahead(const struct node *node)
{
	return unlikely(read_once(&node_server(node)->agreed) & SERVER_WRITES_BACK) &&
	       node_type(node) == S_IFREG;
}

static void keep_ours(const struct server_attr *ours, struct server_attr *attr)
{
	attr->size_bytes = ours->size_bytes;
	attr->mtime = ours->mtime;
	attr->ctime = ours->ctime;
}

static void touch_locked(struct node *node) REQUIRES(node->attr_lock);
static void touch_locked(struct node *node)
{
	uint64_t now_ns = clock_wall_ns();

	node->attr.ctime = (struct abi_timespec){.tv_sec = (int64_t)(now_ns / NSEC_PER_SEC),
						 .tv_nsec = (int64_t)(now_ns % NSEC_PER_SEC)};
	write_once(&node->times_changed, true);
}

static void touch_data_locked(struct node *node) REQUIRES(node->attr_lock);
static void touch_data_locked(struct node *node)
{
	touch_locked(node);
	node->attr.mtime = node->attr.ctime;
}

void node_attr_grown(struct node *node, uint64_t end_bytes)
{
	if (!node_is_ahead(node))
		return;
	change_begin(node);
	if (node->attr.size_bytes < end_bytes)
		node->attr.size_bytes = end_bytes;
	touch_data_locked(node);
	change_end(node);
}

void node_attr_truncated(struct node *node)
{
	if (!node_is_ahead(node))
		return;
	change_begin(node);
	node->attr.size_bytes = 0;
	touch_data_locked(node);
	change_end(node);
}

void node_attr_ours(struct node *node, struct server_attr *attr)
{
	if (!node_is_ahead(node))
		return;
	spin_lock(&node->attr_lock);
	keep_ours(&node->attr, attr);
	spin_unlock(&node->attr_lock);
}

void node_attr_set(struct node *node, const struct server_setattr *set,
		   const struct server_attr *attr)
{
	if (!node_is_ahead(node))
		return;
	change_begin(node);
	node->attr.ctime = attr->ctime;
	if (set->valid & SETATTR_SIZE)
		node->attr.size_bytes = attr->size_bytes;
	if (set->valid & (SETATTR_SIZE | SETATTR_MTIME | SETATTR_MTIME_NOW)) {
		node->attr.mtime = attr->mtime;
		write_once(&node->times_changed, false);
	}
	change_end(node);
}

bool node_times_take(struct node *node, struct server_setattr *set)
{
	bool changed;

	if (!read_once(&node->times_changed))
		return false;
	spin_lock(&node->attr_lock);
	changed = node->times_changed;
	*set = (struct server_setattr){.valid = SETATTR_MTIME | SETATTR_CTIME,
				       .mtime = node->attr.mtime,
				       .ctime = node->attr.ctime};
	write_once(&node->times_changed, false);
	spin_unlock(&node->attr_lock);
	return changed;
}

/* ---- what servers say ---- */

/* False: it has changed since `version`, or the answer is of another type. */
static bool store_locked(struct node *node, const struct server_attr *attr, uint64_t until_ns,
			 uint64_t version) REQUIRES(node->attr_lock);
static bool store_locked(struct node *node, const struct server_attr *attr, uint64_t until_ns,
			 uint64_t version)
{
	struct server_attr ours;

	if (node->attr_version > version || (attr->mode & S_IFMT) != node_type(node))
		return false;
	if (unlikely(node_is_ahead(node))) {
		ours = *attr;
		keep_ours(&node->attr, &ours);
		attr = &ours;
	}
	node->attr_version = version;
	node->attr = *attr;
	write_once(&node->attr.mode, attr->mode);
	write_once(&node->attr_valid_until_ns, until_ns);
	return true;
}

/* The file's data is not what it was when its pages were read, as far as attributes say that. */
static bool data_differs(const struct node *node, const struct server_attr *now)
{
	const struct server_attr *before = &node->attr;
	unsigned agreed = read_once(&node_server(node)->agreed);

	if (agreed & SERVER_SAYS_CHANGES || node_is_ahead(node))
		return false;
	if (before->size_bytes != now->size_bytes)
		return true;
	return !(agreed & SERVER_KEEPS_TIMES) && (before->mtime.tv_sec != now->mtime.tv_sec ||
						  before->mtime.tv_nsec != now->mtime.tv_nsec);
}

static void node_attr_store(struct node *node, const struct server_attr *attr, uint64_t valid_ns,
			    uint64_t version)
{
	uint64_t until_ns = valid_until(valid_ns);
	bool drop, cut;

	change_begin(node);
	drop = node->pages && data_differs(node, attr);
	cut = node->pages && !node_is_ahead(node) && attr->size_bytes < node->attr.size_bytes;
	if (!store_locked(node, attr, until_ns, version))
		drop = cut = false;
	change_end(node);
	/* A server that others change besides us may have changed this as well. */
	if (node_server(node)->flags & SERVER_MODES_EXPIRE)
		node_forget_acl(node);
	if (drop)
		node_pages_drop(node, 0, UINT64_MAX);
	else if (cut)
		node_pages_resize(node, attr->size_bytes);
}

err_t node_from_entry(struct filesystem *fs, const struct server_entry *entry, uint64_t version,
		      struct node **out)
{
	const char *lie = entry_lie(entry);
	struct node *fresh, *node;

	if (lie) {
		log_limited(LOG_WARN, "%s on %s: %s (node %llu, mode %o)", fs->server->type,
			    fs->server->source, lie, (unsigned long long)entry->node.value,
			    entry->attr.mode);
		return -EIO;
	}
	fresh = create_node(fs, entry, version);
	if (!fresh)
		return -ENOMEM;
	node = find_or_add(fs, entry, fresh);
	if (node != fresh) {
		slab_free(&node_cache, fresh);
		node_attr_store(node, &entry->attr, entry->attr_valid_ns, version);
	} else {
		atomic_add_relaxed(&fs->nnodes, 1);
		atomic_add_relaxed(&names_counters.nnodes, 1);
	}
	*out = node;
	return 0;
}

struct node *node_get(struct node *node)
{
	refcount_get(&node->references);
	return node;
}

static void free_node(struct rcu_head *head)
{
	struct node *node = container_of(head, struct node, rcu);

	if (node->acl != ACL_UNKNOWN)
		acl_free(node->acl);
	slab_free(&node_cache, node);
}

void node_put(struct node *node)
{
	uint64_t nlookup;

	if (!node || !refcount_put(&node->references))
		return;
	spin_lock(&names_lock);
	unhash_node_locked(node);
	nlookup = node->nlookup;
	spin_unlock(&names_lock);

	node_pages_free(node);
	kfree(node->link);
	locks_free(node);
	fifo_put(node->fifo);
	forget(node->fs, node->id, nlookup);
	atomic_add_relaxed(&names_counters.nnodes, -1);
	/* The filesystem may go as soon as its nodes are gone: the last touch of it, unless it
	 * waits for just that. The root's node is there until it is marked as ending. */
	if (atomic_fetch_sub_full(&node->fs->nnodes, 1) == 1 && read_once(&node->fs->ending))
		filesystem_gone(node->fs);
	rcu_call(&node->rcu, free_node);
}

struct node *node_find(const struct server *server, struct nodeid id)
{
	const struct filesystem key = {.number = server->fs_number};
	struct node *node, *found = NULL;

	rcu_read_lock();
	node = rcu_dereference(bucket_of(&key, id));
	for (; node && !found; node = rcu_dereference(&node->hash_next)) {
		if (nodeid_equal(node->id, id) && node->fs->server == server &&
		    refcount_try_get(&node->references))
			found = node;
	}
	rcu_read_unlock();
	return found;
}

/* ---- attributes ---- */

/* Answers of a server that was asked before are too old. */
static void new_version_locked(struct node *node) REQUIRES(node->attr_lock);
static void new_version_locked(struct node *node)
{
	node->attr_version = atomic_fetch_add_full(&node->fs->attr_version, 1) + 1;
}

void node_attr_changed(struct node *node)
{
	change_begin(node);
	new_version_locked(node);
	write_once(&node->attr_valid_until_ns, 0);
	change_end(node);
}

void node_attr_status_changed(struct node *node)
{
	change_begin(node);
	if (node_is_ahead(node))
		touch_locked(node);
	new_version_locked(node);
	write_once(&node->attr_valid_until_ns, 0);
	change_end(node);
}

void node_attr_linked(struct node *node, int links)
{
	change_begin(node);
	if (links > 0 || node->attr.nlink)
		node->attr.nlink += (uint32_t)links;
	if (node_is_ahead(node))
		touch_locked(node);
	new_version_locked(node);
	write_once(&node->attr_valid_until_ns, 0);
	change_end(node);
}

void node_attr_shrunk(struct node *node, uint64_t size_bytes)
{
	if (node_is_ahead(node))
		return; /* the server has not seen the end yet */
	change_begin(node);
	if (node->attr.size_bytes > size_bytes)
		node->attr.size_bytes = size_bytes;
	write_once(&node->attr_valid_until_ns, 0);
	change_end(node);
}

void node_attr_written(struct node *node, uint64_t end_bytes)
{
	change_begin(node);
	if (node->attr.size_bytes < end_bytes)
		node->attr.size_bytes = end_bytes;
	if (node_is_ahead(node))
		touch_data_locked(node);
	new_version_locked(node);
	write_once(&node->attr_valid_until_ns, 0);
	change_end(node);
}

bool node_attr_changed_to(struct node *node, const struct server_attr *attr, uint64_t valid_ns,
			  uint64_t version)
{
	uint64_t until_ns = valid_until(valid_ns);
	bool stored;

	change_begin(node);
	stored = store_locked(node, attr, until_ns, version);
	if (!stored)
		write_once(&node->attr_valid_until_ns, 0);
	new_version_locked(node);
	change_end(node);
	return stored;
}

/* False: they are too old. */
static ALWAYS_INLINE bool attr_cached(const struct node *node, struct server_attr *out)
{
	uint32_t begun;

	do {
		begun = seqcount_read_begin(&node->attr_changes);
		if (!still_valid(read_once(&node->attr_valid_until_ns)) &&
		    node_server(node)->ops->getattr)
			return false;
		*out = node->attr;
	} while (seqcount_changed(&node->attr_changes, begun));
	return true;
}

/* `handle` NULL: by its number. */
static err_t ask_attr(struct node *node, const struct handle *handle, struct server_attr *out,
		      uint64_t *valid_ns)
{
	struct server *server = node_server(node);

	if (handle && server->ops->getattr_open)
		return server->ops->getattr_open(server, node->id, *handle, out, valid_ns);
	return server->ops->getattr(server, node->id, out, valid_ns);
}

err_t node_attr(struct node *node, struct server_attr *out)
{
	return node_attr_by(node, NULL, out);
}

err_t node_attr_by(struct node *node, const struct handle *handle, struct server_attr *out)
{
	struct server *server = node_server(node);
	uint64_t version, valid_ns;
	err_t err;

	if (attr_cached(node, out))
		return 0;

	version = filesystem_attr_version(node->fs);
	err = ask_attr(node, handle, out, &valid_ns);
	if (err)
		return err;
	if ((out->mode & S_IFMT) != node_type(node)) {
		log_limited(LOG_WARN, "%s on %s: node %llu changed its type", server->type,
			    server->source, (unsigned long long)node->id.value);
		return -EIO;
	}
	node_attr_store(node, out, valid_ns, version);
	node_attr_ours(node, out);
	return 0;
}
