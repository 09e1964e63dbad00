/*
 * What each user has of things that are limited by user, whoever of his processes made them. A
 * struct is there while somebody has a reference: who counts something keeps one until it is gone.
 */
#ifndef IPC_USER_H
#define IPC_USER_H

#include <lib/types.h>

enum user_thing {
	USER_FLIGHTS,      /* objects on their way through sockets */
	USER_SOCKET_BYTES, /* that were sent and not received */
	USER_INOTIFIES,
	USER_WATCHES, /* of inotify */
	USER_LOCKS,   /* on parts of files */
	USER_NAMESPACES,
	USER_THINGS
};

struct user_counts;

/* A reference. NULL: no memory. */
struct user_counts *user_counts_of(uint32_t uid);
struct user_counts *user_counts_get(struct user_counts *user);
void user_counts_put(struct user_counts *user); /* takes NULL */

/* So many more, if he has fewer than `limit` before; false: he has not. Lock-free. */
bool must_check user_charge(struct user_counts *user, enum user_thing thing, uint64_t by,
			    uint64_t limit);
void user_uncharge(struct user_counts *user, enum user_thing thing, uint64_t by);
uint64_t user_count(const struct user_counts *user, enum user_thing thing);

#endif
