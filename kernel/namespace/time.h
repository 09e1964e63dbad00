/*
 * Time namespaces (time_namespaces(7)): what the clocks that count from the machine's start are
 * ahead of clock_ns().
 *
 * In the kernel all times are of clock_ns(). One is translated where it comes from a program
 * (time_meant()) and where it goes to one (time_shown()), by the namespace that the process is in
 * (process->time_namespace; NULL: the first, whose clocks are clock_ns()). What a thread makes is
 * in the namespace of its struct namespaces; so is the process itself once it executes a new
 * program. Offsets may be set until the first process is in it.
 *
 * With the namespace a process has another page below its vDSO, which is so much a part of the
 * space that those who share one are in the same namespace.
 */
#ifndef KERNEL_NAMESPACE_TIME_H
#define KERNEL_NAMESPACE_TIME_H

#include "namespace.h"

struct memory_object;

enum time_clock { TIME_MONOTONIC, TIME_BOOT, TIME_CLOCKS };

/*
 *   [c] constant
 *   [o] the lock of time.c, until it is frozen; constant from then on
 */
struct time_namespace {
	struct namespace head;
	struct memory_object *vdso;      /* [c] a reference */
	int64_t offsets_ns[TIME_CLOCKS]; /* [o] */
	bool frozen;                     /* [o] a process is in it, or was */
};

extern const struct namespace_kind_ops time_namespace_ops;
extern struct namespace *const time_namespace_first_head;

/* What a space of who is in it maps as the vDSO, borrowed. NULL: the first. */
struct memory_object *time_namespace_vdso(const struct time_namespace *namespace);
/* That of a namespace of its kind; NULL: the first. Borrowed, as the next. */
struct time_namespace *time_namespace_of(struct namespace *head);
/* What the running thread makes is in it, and what it executes; NULL: the first. */
struct time_namespace *time_namespace_for_children(void);
struct namespace *time_namespace_head(struct time_namespace *namespace);

/* The process is in it from now on; NULL: the first. It is the running one, with one thread, or
 * nobody knows it yet. Its space follows by time_namespace_move_space(), or is new. Sleeps. */
void time_namespace_enter(struct process *process, struct time_namespace *namespace);
/* The vDSO there is that of `to`, where it was that of `from`. Sleeps. */
void time_namespace_move_space(struct space *space, const struct time_namespace *from,
			       const struct time_namespace *to);

/* Somebody has made one: until then nobody needs to look in which he is. By read_once. */
extern bool time_namespaces_made;

/* One that is being made by the running process gets into that of `namespaces`, and its copy of the
 * space with it. NULL: the space is shared, so it stays in the same until it executes a program. */
void time_namespace_give(struct process *child, const struct namespaces *namespaces);

int64_t time_shown_elsewhere(enum time_clock clock, uint64_t ns);
uint64_t time_meant_elsewhere(enum time_clock clock, uint64_t ns);

/* A time of clock_ns() as the running process's clock says it. Not below 0 for what has passed
 * since that clock was 0; what was before is. */
static inline int64_t time_shown(enum time_clock clock, uint64_t ns)
{
	return likely(!read_once(&time_namespaces_made)) ? (int64_t)ns
							 : time_shown_elsewhere(clock, ns);
}

/* The other way, at most INT64_MAX; 0: before the machine's start. */
static inline uint64_t time_meant(enum time_clock clock, uint64_t ns)
{
	return likely(!read_once(&time_namespaces_made)) ? ns : time_meant_elsewhere(clock, ns);
}

#endif
