/*
 * The walk from inside: for those who need the directory and the last name (create, remove) rather
 * than what the name means.
 */
#ifndef FUSEK_WALK_H
#define FUSEK_WALK_H

#include "names.h"

/* One walk, on its caller's stack. */
struct walk {
	const struct vfs_context *context;
	struct path at;           /* where it has come; a reference */
	const char *rest;         /* of the name, behind what was walked */
	struct server_name last;  /* after walk_to_last(): the last name; empty: `at` is the end */
	bool trailing_slash;      /* behind the last name */
	bool jumped;              /* `at` is where a link without a name led, nothing behind it */
	bool at_last;             /* `at` and `last` are what walk_to_last() is to find */
	bool any_mount;           /* WALK_ANY_MOUNT */
	unsigned nlinks;          /* symbolic links followed */
	struct server_attr *attr; /* NULL, or what came with the last name; mode 0: nothing did */
	char *text; /* owned: what `rest` points into after a link; NULL: the caller's */
};

static inline bool is_dot(struct server_name name)
{
	return name.len_bytes == 1 && name.text[0] == '.';
}

static inline bool is_dot_dot(struct server_name name)
{
	return name.len_bytes == 2 && name.text[0] == '.' && name.text[1] == '.';
}

/* -ENOENT: an empty name; -ENAMETOOLONG. `from` NULL: the working directory. walk_end() in any
 * case. */
err_t must_check walk_begin(struct walk *walk, const struct vfs_context *context,
			    const struct path *from, const char *name);
void walk_end(struct walk *walk);

/* Walks all names but the last, following links. walk->at is then the directory of walk->last. */
err_t must_check walk_to_last(struct walk *walk);

/* What the last name means, mounts crossed: *out is a reference, may be negative. */
err_t must_check walk_last(struct walk *walk, struct path *out);

/* Goes on at the link `link` (a symbolic link that stands in walk->at), whose reference is
 * consumed; then walk_to_last() again. */
err_t must_check walk_into_link(struct walk *walk, struct path *link);

/* path_walk(), and what the server has just told of the end, which it need not be asked for again
 * (attr->mode 0: it was not asked). */
err_t must_check path_walk_told(const struct vfs_context *context, const struct path *from,
				const char *name, unsigned walk_flags, struct server_attr *attr,
				struct path *out);

/* The last name is "." or ".." or nothing: it cannot be made or removed. */
bool walk_last_is_special(const struct walk *walk);

/* Replaces a reference to a place by one to what is mounted over it. False: nothing is. */
bool path_cross(struct path *at);
/* To the next place above, over mount borders; `name` is what it had there. False: `at` is `root`
 * now, as it is that or stands over it; or else it is the root of everything, or in no tree. In an
 * RCU section. */
bool path_above_rcu(const struct path *root, struct path *at, struct server_name *name);

#endif
