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

/* Cuts the next name off *rest: slashes before it are skipped. Empty: there is none. */
static inline struct server_name next_name(const char **rest)
{
	struct server_name name;

	while (**rest == '/')
		(*rest)++;
	name.text = *rest;
	/* Letters, digits and all above them have one of these bits, the ends have none. */
	while ((**rest & 0xd0) || (**rest && **rest != '/'))
		(*rest)++;
	name.len_bytes = (size_t)(*rest - name.text);
	return name;
}

static inline bool only_slashes(const char *rest)
{
	while (*rest == '/')
		rest++;
	return !*rest;
}

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

/* What a walk has come to know of its end beside the place. */
struct path_told {
	struct abi_stat *stat;
	struct server_attr attr; /* what the server has just told; mode 0: it was not asked */
};

/* path_walk(), and (`told` not NULL) the attributes of the end: where they are cached, told->stat
 * is filled in and *out is no place, without a reference. Else *out is one, and the server need not
 * be asked again for what told->attr says. */
err_t must_check path_walk_told(const struct vfs_context *context, const struct path *from,
				const char *name, unsigned walk_flags, struct path_told *told,
				struct path *out);

/* ---- the cached walk (path_cached.c): nothing in it sleeps ---- */

enum cached {
	CACHED_UNKNOWN, /* the long way has to find out */
	CACHED_FOUND,
	CACHED_MISSING,
	CACHED_TO_LAST, /* the long way begins at the last name */
};

/* Found: *out is the end, a reference. To the last: the directory of *last. */
enum cached path_walk_cached(const struct vfs_context *context, const struct path *from,
			     const char *rest, unsigned walk_flags, struct path *out,
			     struct server_name *last);
/* The same; where the attributes are cached as well, *stat has them, and *out is no place. */
enum cached path_stat_cached(const struct vfs_context *context, const struct path *from,
			     const char *rest, unsigned walk_flags, struct abi_stat *stat,
			     struct path *out, struct server_name *last);
/* All names but the last, from `at` on: if they are cached, walk->at is a reference to what they
 * lead to; else nothing is changed. */
bool walk_cached_to_last(struct walk *walk, struct path at);
/* To the directory above, not beyond the root of the context or of everything. False: it is not in
 * what is bound, as a directory was moved out of that. In an RCU section. */
bool path_to_parent_rcu(const struct vfs_context *context, struct path *at);

/* The last name is "." or ".." or nothing: it cannot be made or removed. */
bool walk_last_is_special(const struct walk *walk);

/* Replaces a reference to a place by one to what is mounted over it. False: nothing is. */
bool path_cross(struct path *at);
/* To the next place above, over mount borders; `name` is what it had there. False: `at` is `root`
 * now, as it is that or stands over it; or else it is the root of everything, or in no tree. In an
 * RCU section. */
bool path_above_rcu(const struct path *root, struct path *at, struct server_name *name);

#endif
