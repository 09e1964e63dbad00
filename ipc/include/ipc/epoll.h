/*
 * epoll(7): an object that keeps a list of what has happened to others, so that whoever waits looks
 * at those alone. An entry (an object and the descriptor that named it) is told of each wake of the
 * object's wait queue and puts itself on the list of the ready; a wait takes them off it, asks each
 * whether something holds, and puts those back that shall be told again (level triggered).
 *
 * An entry keeps no reference to its object: with the object's last reference it goes.
 */
#ifndef IPC_EPOLL_H
#define IPC_EPOLL_H

#include <abi/epoll.h>
#include <ipc/object.h>

/* One reference for the caller. NULL: no memory. */
struct object *epoll_create(void);
bool object_is_epoll(const struct object *object);

/*
 * The three of epoll_ctl(); `epoll` is one, and the caller has a reference to `target`, which is
 * another object, and one that something can happen to: it has a wait queue, or may get one. They
 * sleep. add: -EEXIST; -EINVAL: its events do not go with EPOLLEXCLUSIVE; -ELOOP: it would watch
 * itself, or too many would watch one another; -ENOSPC: too many entries in all; -ENOMEM. change,
 * remove: -ENOENT; -EINVAL: what is exclusive cannot be changed.
 */
err_t must_check epoll_add(struct object *epoll, int fd, struct object *target,
			   const struct abi_epoll_event *event);
err_t must_check epoll_change(struct object *epoll, int fd, struct object *target,
			      const struct abi_epoll_event *event);
err_t must_check epoll_remove(struct object *epoll, int fd, struct object *target);

/* What the entries for `fd` watch: *target is that of the one with number `nth`, without a
 * reference, so only to be compared. -ENOENT. Sleeps. */
err_t must_check epoll_watched(struct object *epoll, int fd, uint32_t nth,
			       const struct object **target);

/* Fills `to` with as many struct abi_epoll_event as there are and fit; how many. Waits for the
 * first until `deadline_ns` of clock_ns() (UINT64_MAX: for ever; 0: not at all). -EINTR, -EFAULT:
 * nothing is lost. */
int must_check epoll_wait(struct object *epoll, struct buffer *to, uint64_t deadline_ns);

/* For object_put(): the object has no references left, and its entries go. Sleeps. */
void epoll_forget(struct object *object);

#endif
