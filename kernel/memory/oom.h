/*
 * Who is killed when memory is short. The choice goes by points, as on Linux: what would be free if
 * the process were gone, and what its owner has said of it.
 */
#ifndef KERNEL_MEMORY_OOM_H
#define KERNEL_MEMORY_OOM_H

#include <lib/refcount.h>
#include <lib/types.h>

struct process;

#define OOM_ADJ_MIN (-1000) /* never */
#define OOM_ADJ_MAX 1000

/* Pages that a process holds. */
struct oom_size {
	uint64_t resident; /* of its programs and files, mapped */
	uint64_t tables;   /* page tables */
	uint64_t kernel;   /* its threads, what is in its pipes and sockets, files without a name */
	bool serves;       /* it is the driver of a file system */
};

/* A guess, without locks that anybody sleeps under; the descriptors are its first thread's. */
void oom_size(struct process *process, struct oom_size *out);

static inline uint64_t oom_pages(const struct oom_size *size)
{
	return size->resident + size->tables + size->kernel;
}

/* For who must not wait: the last reference is given back by a thread of its own, since the end of
 * what it counts may ask a driver. `refs` counts the references of `what`. */
void oom_put_without_waiting(struct refcount *refs, void (*put)(void *what), void *what);

/* Pages, and a thousandth of memory for each step of oom_score_adj. INT64_MIN: never. */
int64_t oom_points(const struct process *process, const struct oom_size *size);

/* Of its `resident` pages those that fall to it: what it shares is divided among those who do.
 * All, if its space is locked just now. */
uint64_t oom_proportional_pages(struct process *process, uint64_t resident);

/* How many processes were killed. */
uint64_t oom_kills(void);

/* As /proc/PID/oom_score tells it: 0 to 2000. */
unsigned oom_score(struct process *process);

#endif
