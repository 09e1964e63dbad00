/*
 * User namespaces: which ids the programs in one speak of, and what their capabilities are over.
 *
 * Within the kernel an id is always that of the first namespace, in credentials, nodes, messages
 * and everywhere else; UINT32_MAX is nobody's. It is translated where a program names one
 * (id_from_program()) or is told one (id_for_program()). A namespace has all capabilities' effects
 * inside, and over all that was made in it or below; who made it has them over it from outside.
 *
 * Who has one keeps its parents. Its map of users and that of groups are each written once.
 */
#ifndef IPC_USER_NAMESPACE_H
#define IPC_USER_NAMESPACE_H

#include <lib/atomic.h>
#include <lib/types.h>

#define ID_NONE UINT32_MAX
/* As which a program is shown what its namespace has no name for. */
#define ID_OVERFLOW 65534u

#define USER_NAMESPACE_DEPTH_MAX 32
#define ID_EXTENTS_MAX           340

enum id_kind { ID_USER, ID_GROUP, ID_KINDS };

struct id_extent {
	uint32_t inside; /* `count` ids from here on are */
	uint32_t global; /* these of the first namespace */
	uint32_t count;
};

struct id_map {
	uint32_t nextents; /* [a] 0: nothing is mapped yet; released after the rest is there */
	struct id_extent *extents; /* [c] then: kmalloc's; freed with the namespace */
};

/*
 *   [c] constant
 *   [m] the lock of kernel/namespace/user.c, read [a]
 *   [a] atomic
 */
struct user_namespace {
	struct user_namespace *parent; /* [c] a reference; NULL: it is the first one */
	uint32_t level;                /* [c] how many are above it */
	uint32_t owner, owner_group;   /* [c] who made it: effective ones */
	bool maker_could_set_root;     /* [c] he had CAP_SETFCAP: may map user 0 from inside */
	bool groups_denied;            /* [m] setgroups(2), for good */
	struct id_map maps[ID_KINDS];  /* written under [m] */
};

extern struct user_namespace user_namespace_first;

/* Hooks of kernel/. References; put takes NULL, and may come from anywhere. */
struct user_namespace *user_namespace_get(struct user_namespace *user);
void user_namespace_put(struct user_namespace *user);
/* That of who runs, borrowed; the kernel's threads are in the first one. */
struct user_namespace *user_namespace_caller(void);
/* Who runs has this capability over what belongs to `over`. */
bool user_namespace_caller_capable(const struct user_namespace *over, unsigned capability);

/* It is `above`, or below it. */
bool user_namespace_is_in(const struct user_namespace *user, const struct user_namespace *above);

/* ID_NONE: there is none such. */
uint32_t id_map_to_global(const struct user_namespace *user, enum id_kind kind, uint32_t id);
uint32_t id_map_from_global(const struct user_namespace *user, enum id_kind kind, uint32_t id);
/* `count` ids from `id` on, which one extent must hold. */
uint32_t id_map_range_to_global(const struct user_namespace *user, enum id_kind kind, uint32_t id,
				uint32_t count);

/* The kernel's id for what a program in `user` calls `id`. ID_NONE: it is not mapped. */
static inline uint32_t id_to_global(const struct user_namespace *user, enum id_kind kind,
				    uint32_t id)
{
	return likely(user == &user_namespace_first) ? id : id_map_to_global(user, kind, id);
}

/* What a program in `user` calls the kernel's `id`. ID_NONE: it has no name for it. */
static inline uint32_t id_in(const struct user_namespace *user, enum id_kind kind, uint32_t id)
{
	return likely(user == &user_namespace_first) ? id : id_map_from_global(user, kind, id);
}

/* The same for who cannot be told that there is none: ID_OVERFLOW. */
static inline uint32_t id_shown_in(const struct user_namespace *user, enum id_kind kind,
				   uint32_t id)
{
	if (likely(user == &user_namespace_first))
		return id;
	id = id_map_from_global(user, kind, id);
	return id == ID_NONE ? ID_OVERFLOW : id;
}

static inline bool id_is_mapped(const struct user_namespace *user, enum id_kind kind, uint32_t id)
{
	return likely(user == &user_namespace_first) ||
	       id_map_from_global(user, kind, id) != ID_NONE;
}

/* The program that runs names an id, or is told one. */
static inline uint32_t id_from_program(enum id_kind kind, uint32_t id)
{
	return id_to_global(user_namespace_caller(), kind, id);
}

static inline uint32_t id_for_program(enum id_kind kind, uint32_t id)
{
	return id_shown_in(user_namespace_caller(), kind, id);
}

#endif
