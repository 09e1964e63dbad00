/*
 * Which mounts are peers, and which receive of which (peers.h). Peers are a struct of their own, so
 * that who joins or leaves changes one link; whoever receives is in the list of its master. No
 * state but the last number.
 */
#include "peers.h"

#include <mm/slab.h>

static uint32_t last_id; /* mounts_lock */

err_t peers_begin_locked(struct mount *mount)
{
	struct peers *peers = kzalloc(sizeof(*peers));

	if (!peers)
		return -ENOMEM;
	peers->id = ++last_id;
	list_init(&peers->members);
	list_init(&peers->receivers);
	list_init(&peers->visited);
	list_add_tail(&peers->members, &mount->peer_link);
	mount->peers = peers;
	return 0;
}

void peers_set_master_locked(struct mount *mount, struct peers *master)
{
	if (mount->master)
		list_del(&mount->receiver_link);
	mount->master = master;
	if (master)
		list_add_tail(&master->receivers, &mount->receiver_link);
}

void peers_join_locked(struct mount *copy, const struct mount *mount)
{
	copy->peers = mount->peers;
	if (copy->peers)
		list_add_tail(&copy->peers->members, &copy->peer_link);
	peers_set_master_locked(copy, mount->master);
}

/* It is no peer any more; its master stays. */
static void leave_peers_locked(struct mount *mount) REQUIRES(mounts_lock);
static void leave_peers_locked(struct mount *mount)
{
	struct peers *peers = mount->peers;
	struct mount *receiver, *next;

	if (!peers)
		return;
	list_del(&mount->peer_link);
	mount->peers = NULL;
	if (!list_empty(&peers->members))
		return;
	list_for_each_safe (receiver, next, &peers->receivers, receiver_link)
		peers_set_master_locked(receiver, mount->master);
	kfree(peers);
}

void peers_become_receiver_locked(struct mount *mount)
{
	struct peers *peers = mount->peers;

	if (!peers)
		return;
	if (peers->members.next->next != &peers->members)
		peers_set_master_locked(mount, peers);
	leave_peers_locked(mount);
}

void peers_leave_locked(struct mount *mount)
{
	leave_peers_locked(mount);
	peers_set_master_locked(mount, NULL);
}

err_t peers_begin_all_locked(struct mount *top, bool recursive)
{
	struct mount *mount;
	err_t err = 0;

	for (mount = top; mount && !err; mount = recursive ? mount_next_in(mount, top) : NULL) {
		if (mount->peers)
			continue;
		err = peers_begin_locked(mount);
		if (!err)
			mount->peers->fresh = true;
	}
	return err;
}

void peers_settle_locked(struct mount *top, bool undo)
{
	for (struct mount *mount = top; mount; mount = mount_next_in(mount, top)) {
		if (!mount->peers || !mount->peers->fresh)
			continue;
		mount->peers->fresh = false;
		if (undo)
			leave_peers_locked(mount);
	}
}

/* ---- who gets what they get ---- */

/* `origin`, and those peers who receive, directly or not, each after its master. */
static void find_all_locked(struct peers *origin, struct list *found) REQUIRES(mounts_lock);
static void find_all_locked(struct peers *origin, struct list *found)
{
	struct peers *peers;
	struct mount *mount;

	list_add_tail(found, &origin->visited);
	list_for_each (peers, found, visited) {
		list_for_each (mount, &peers->receivers, receiver_link) {
			if (mount->peers && !list_linked(&mount->peers->visited))
				list_add_tail(found, &mount->peers->visited);
		}
	}
}

static err_t visit_one_locked(struct peers *peers, peers_visitor visitor, void *context)
	REQUIRES(mounts_lock);
static err_t visit_one_locked(struct peers *peers, peers_visitor visitor, void *context)
{
	struct mount *mount;
	err_t err = 0;

	list_for_each (mount, &peers->members, peer_link) {
		if (!err && mount_in_tree(mount))
			err = visitor(mount, peers, context);
	}
	list_for_each (mount, &peers->receivers, receiver_link) {
		if (!err && !mount->peers && mount_in_tree(mount))
			err = visitor(mount, peers, context);
	}
	return err;
}

err_t peers_visit_locked(struct peers *origin, peers_visitor visitor, void *context)
{
	LIST_HEAD(found);
	struct peers *peers, *next;
	err_t err = 0;

	find_all_locked(origin, &found);
	list_for_each (peers, &found, visited) {
		if (!err)
			err = visit_one_locked(peers, visitor, context);
	}
	list_for_each_safe (peers, next, &found, visited) {
		list_del(&peers->visited);
		peers->tree = NULL;
	}
	return err;
}
