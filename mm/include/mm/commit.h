/*
 * How much memory has been promised to programs: private pages that they may write to, and shared
 * ones that belong to no file, whether they were touched or not. Linux's overcommit modes.
 */
#ifndef MM_COMMIT_H
#define MM_COMMIT_H

#include <lib/types.h>

enum commit_mode {
	COMMIT_GUESS, /* what could never be there is refused */
	COMMIT_ALL,   /* nothing is */
	COMMIT_LIMIT, /* what would be more than commit_limit() together is */
	COMMIT_MODES,
};

/* Pages that were promised, and those that may be in COMMIT_LIMIT. */
uint64_t commit_pages(void);
uint64_t commit_limit(void);

/* `npages` more may be promised now. -ENOMEM. From any context; whoever asks then adds, and what
 * others add meanwhile is not seen. */
err_t must_check commit_check(uint64_t npages);
void commit_add(int64_t npages);

/* Settings: /proc/sys/vm/overcommit_*. The limit is `ratio` percent of memory, or if it is not 0,
 * `kbytes`; each undoes the other, as on Linux. */
struct commit_settings {
	enum commit_mode mode;
	uint32_t ratio;
	uint64_t kbytes;
};
struct commit_settings commit_get(void);
void commit_set_mode(enum commit_mode mode);
void commit_set_ratio(uint32_t percent);
void commit_set_kbytes(uint64_t kbytes);

#endif
