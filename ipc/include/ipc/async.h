/*
 * Signals about objects (fcntl's F_SETOWN, F_SETSIG, O_ASYNC): an object that was asked for has a
 * struct async, which is on the object's wait queue like an entry of an epoll. A wake only notes
 * what happened and wakes a task, which signals the owner: signals have locks of their own, and a
 * wake comes from under those of pipes and sockets. Who was not asked for has no struct, and pays
 * nothing.
 */
#ifndef IPC_ASYNC_H
#define IPC_ASYNC_H

#include <ipc/object.h>

struct process;

/* Who is told. Filled and let go of by the kernel's folder. */
struct async_owner {
	enum { ASYNC_THREAD, ASYNC_PROCESS, ASYNC_GROUP } type;
	int32_t number;          /* 0: nobody */
	struct process *process; /* a reference; NULL: of a group, or nobody */
	uint32_t uid, euid;      /* of who said so: he must be allowed to signal */
};

/* What is told beside POLL*: a byte out of band came (SIGURG, whether O_ASYNC is on or not); a
 * directory changed, or a lease shall end (POLL_MSG). */
#define ASYNC_URGENT  (1u << 30)
#define ASYNC_MESSAGE (1u << 29)

/* Hooks of kernel/. `events`: what happened, of the above; `signal`: F_SETSIG's, 0: SIGIO without
 * anything. Under a spinlock (LOCK_ASYNC). */
void async_owner_signal(const struct async_owner *owner, int signal, int fd, unsigned events);
void async_owner_put(const struct async_owner *owner);

/* O_ASYNC, for descriptor `fd`. -ENOTTY: nothing happens to such an object; -ENOMEM. Sleeps. */
err_t must_check async_switch(struct object *object, int fd, bool on);
/* Takes over the owner's reference, also on an error. `only_if_none`: unless it has one. -ENOMEM.
 */
err_t must_check async_set_owner(struct object *object, const struct async_owner *owner,
				 bool only_if_none);
/* Nobody is told any more, if it was this process. */
void async_drop_owner(struct object *object, int32_t pid);
/* Copies it for `look`, which is called under a spinlock. */
void async_get_owner(struct object *object,
		     void (*look)(void *argument, const struct async_owner *owner), void *argument);
/* 0: SIGIO without more. -ENOMEM. */
err_t must_check async_set_signal(struct object *object, int signal);
int async_signal(struct object *object);

/* Something beside the queue's wakes happened: ASYNC_URGENT, ASYNC_MESSAGE, of descriptor `fd` (-1:
 * as O_ASYNC knows it). The object may be ending, but its memory is there (a reference, or an RCU
 * section). From any context. */
void async_tell_slowly(struct object *object, int fd, unsigned event);
static inline void async_tell(struct object *object, int fd, unsigned event)
{
	if (unlikely(read_once(&object->async)))
		async_tell_slowly(object, fd, event);
}

/* For object_put(): the object has no references left. Sleeps. */
void async_forget(struct object *object);

#endif
