/*
 * Everybody is in the first user namespace.
 */
#include "kernel.h"

#include <ipc/user_namespace.h>

struct user_namespace *user_namespace_get(struct user_namespace *user)
{
	return user;
}

void user_namespace_put(struct user_namespace *user)
{
}

struct user_namespace *user_namespace_caller(void)
{
	return &user_namespace_first;
}

bool user_namespace_caller_capable(const struct user_namespace *over, unsigned capability)
{
	return !fake_caller_uid;
}
