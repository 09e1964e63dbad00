/*
 * What user namespaces call ids (ipc/user_namespace.h). A map has at most ID_EXTENTS_MAX extents,
 * which are looked through in the order in which they were written. No lock: a map is complete when
 * its count is seen.
 */
#include <ipc/user_namespace.h>

/* ID_NONE itself is never mapped, so that it stays nobody's. */
static struct id_extent all_ids[] = {{.count = UINT32_MAX}};

struct user_namespace user_namespace_first = {
	.maps = {[ID_USER] = {.nextents = 1, .extents = all_ids},
		 [ID_GROUP] = {.nextents = 1, .extents = all_ids}}};

bool user_namespace_is_in(const struct user_namespace *user, const struct user_namespace *above)
{
	while (user->level > above->level)
		user = user->parent;
	return user == above;
}

uint32_t id_map_range_to_global(const struct user_namespace *user, enum id_kind kind, uint32_t id,
				uint32_t count)
{
	const struct id_map *map = &user->maps[kind];
	uint32_t nextents = load_acquire(&map->nextents);

	for (uint32_t i = 0; i < nextents; i++) {
		const struct id_extent *extent = &map->extents[i];

		if (id >= extent->inside && id - extent->inside < extent->count &&
		    count <= extent->count - (id - extent->inside))
			return extent->global + (id - extent->inside);
	}
	return ID_NONE;
}

uint32_t id_map_to_global(const struct user_namespace *user, enum id_kind kind, uint32_t id)
{
	return id_map_range_to_global(user, kind, id, 1);
}

uint32_t id_map_from_global(const struct user_namespace *user, enum id_kind kind, uint32_t id)
{
	const struct id_map *map = &user->maps[kind];
	uint32_t nextents = load_acquire(&map->nextents);

	for (uint32_t i = 0; i < nextents; i++) {
		const struct id_extent *extent = &map->extents[i];

		if (id >= extent->global && id - extent->global < extent->count)
			return extent->inside + (id - extent->global);
	}
	return ID_NONE;
}
