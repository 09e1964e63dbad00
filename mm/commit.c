/*
 * The sum of what was promised to programs. One number, changed when something is mapped or
 * unmapped and never by a fault; each space knows its own part (space->committed_pages) and takes
 * it back as a whole when it ends.
 */
#include <mm/commit.h>

#include <abi/errno.h>
#include <arch/paging.h>
#include <lib/atomic.h>
#include <mm/frame.h>

#define RATIO_USUAL 50 /* as Linux */

static uint64_t committed;           /* atomic: pages */
static uint32_t mode = COMMIT_GUESS; /* atomic */
static uint32_t ratio = RATIO_USUAL; /* atomic */
static uint64_t kbytes;              /* atomic */

uint64_t commit_pages(void)
{
	return read_once(&committed);
}

uint64_t commit_limit(void)
{
	uint64_t kib = read_once(&kbytes);

	return kib ? kib / (PAGE_SIZE / KIB) : frames_total() * read_once(&ratio) / 100;
}

err_t commit_check(uint64_t npages)
{
	uint64_t have = commit_pages(), limit = commit_limit();

	switch (read_once(&mode)) {
	case COMMIT_GUESS:
		return npages > frames_total() ? -ENOMEM : 0;
	case COMMIT_LIMIT:
		return npages > limit || have > limit - npages ? -ENOMEM : 0;
	default:
		return 0;
	}
}

void commit_add(int64_t npages)
{
	(void)atomic_fetch_add_full(&committed, (uint64_t)npages);
}

struct commit_settings commit_get(void)
{
	return (struct commit_settings){
		.mode = read_once(&mode), .ratio = read_once(&ratio), .kbytes = read_once(&kbytes)};
}

void commit_set_mode(enum commit_mode new_mode)
{
	write_once(&mode, new_mode);
}

void commit_set_ratio(uint32_t percent)
{
	write_once(&kbytes, 0);
	write_once(&ratio, percent);
}

void commit_set_kbytes(uint64_t new_kbytes)
{
	write_once(&ratio, 0);
	write_once(&kbytes, new_kbytes);
}
