/*
 * User namespaces as the kernel makes and enters them; what they are: ipc/user_namespace.h.
 */
#ifndef KERNEL_NAMESPACE_USER_H
#define KERNEL_NAMESPACE_USER_H

#include "namespace.h"

#include <ipc/user_namespace.h>

/* That of who is in these namespaces, borrowed. */
struct user_namespace *namespaces_user(const struct namespaces *namespaces);
/* That one is of the kind, borrowed; its head, borrowed. */
struct user_namespace *user_namespace_of(struct namespace *namespace);
struct namespace *user_namespace_head(struct user_namespace *user);
/* What a namespace belongs to: the parent, of a user namespace. Borrowed. */
struct user_namespace *namespace_owner(const struct namespace *namespace);

/* The running thread has this capability over the network that it is in (net.c). */
bool network_capable(unsigned capability);

/* `ids` in it: with all capabilities there, and none elsewhere. */
void credentials_enter(struct credentials *ids, struct user_namespace *user);
/* The running thread, which is its process's only one, goes there. */
void user_namespace_enter(struct user_namespace *user);
/* A new process that nobody runs yet, and its thread, are there from their beginning. */
void user_namespace_begin(struct uthread *child, struct user_namespace *user);

#endif
