/*
 * memory: page faults, a page at a time through a region that is new in each batch, and the calls
 * that make and change regions.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/bench.h"

#define MIB (1024 * 1024UL)

static volatile char *region;
static int file = -1;

static long map(unsigned pages, int protection, int flags)
{
	void *at = mmap(NULL, pages * PAGE_BYTES, protection, flags, file, 0);

	region = at;
	return at == MAP_FAILED ? -errno : 0;
}

static long unmap(unsigned pages)
{
	return munmap((void *)region, pages * PAGE_BYTES) == 0 ? 0 : -errno;
}

static long map_anonymous(unsigned pages)
{
	long error;

	file = -1;
	error = map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
	/* A page of 2 MiB for all would make one fault of 512. */
	if (!error)
		madvise((void *)region, pages * PAGE_BYTES, MADV_NOHUGEPAGE);
	return error;
}

static long write_pages(unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		region[i * PAGE_BYTES] = 1;
	return 0;
}

static long read_pages(unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		(void)region[i * PAGE_BYTES];
	return 0;
}

/* Where a read brings the one page of zeros, the write faults once more and copies it. */
static long read_then_write_pages(unsigned pages)
{
	for (unsigned i = 0; i < pages; i++) {
		(void)region[i * PAGE_BYTES];
		region[i * PAGE_BYTES] = 1;
	}
	return 0;
}

static long map_file(unsigned pages, int flags)
{
	static const char page[PAGE_BYTES] = {1};
	long error = 0;

	file = open("bench.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (file < 0)
		return -errno;
	for (unsigned i = 0; i < pages && !error; i++)
		error = bench_whole(call3(SYS_write, file, (long)page, PAGE_BYTES), PAGE_BYTES);
	if (!error)
		error = map(pages, PROT_READ | PROT_WRITE, flags);
	close(file);
	unlink("bench.file");
	return error;
}

static long map_file_shared(unsigned pages)
{
	return map_file(pages, MAP_SHARED);
}

static long map_file_private(unsigned pages)
{
	return map_file(pages, MAP_PRIVATE);
}

static long map_unmap(unsigned long bytes, unsigned count, int touch)
{
	long error = 0;

	while (count-- > 0 && !error) {
		long at = call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at < 0)
			return at;
		if (touch)
			*(volatile char *)at = 1;
		error = call2(SYS_munmap, at, (long)bytes);
	}
	return error;
}

static long map_unmap_page(unsigned count)
{
	return map_unmap(PAGE_BYTES, count, 0);
}

static long map_touch_unmap_page(unsigned count)
{
	return map_unmap(PAGE_BYTES, count, 1);
}

static long map_unmap_mib(unsigned count)
{
	return map_unmap(MIB, count, 0);
}

/* The middle page of three, so that each call splits or merges regions. */
static long map_three(unsigned count)
{
	long error = map_anonymous(3);

	(void)count;
	return error ? error : write_pages(3);
}

static long unmap_three(unsigned count)
{
	(void)count;
	return unmap(3);
}

static long protect_pair(unsigned count)
{
	long at = (long)region + (long)PAGE_BYTES;
	long error = 0;

	while (count-- > 0 && !error) {
		error = call3(SYS_mprotect, at, PAGE_BYTES, PROT_READ);
		if (!error)
			error = call3(SYS_mprotect, at, PAGE_BYTES, PROT_READ | PROT_WRITE);
	}
	return error;
}

static long move_break(unsigned count)
{
	long old = call1(SYS_brk, 0);

	while (count-- > 0) {
		long up = call1(SYS_brk, old + (long)(16 * PAGE_BYTES));

		if (up != old + (long)(16 * PAGE_BYTES) || call1(SYS_brk, old) != old)
			return -ENOMEM;
	}
	return 0;
}

static const struct bench_row rows[] = {
	{"anon_write_fault", 512, map_anonymous, write_pages, unmap},
	{"anon_read_fault", 512, map_anonymous, read_pages, unmap},
	{"anon_read_then_write", 512, map_anonymous, read_then_write_pages, unmap},
	{"file_read_fault", 512, map_file_shared, read_pages, unmap},
	{"file_cow_fault", 512, map_file_private, write_pages, unmap},
	{"mmap_munmap_4k", 500, NULL, map_unmap_page, NULL},
	{"mmap_touch_munmap_4k", 500, NULL, map_touch_unmap_page, NULL},
	{"mmap_munmap_1m", 500, NULL, map_unmap_mib, NULL},
	{"mprotect_pair_4k", 500, map_three, protect_pair, unmap_three},
	{"brk_pair_64k", 500, NULL, move_break, NULL},
};

int main(int argc, char **argv)
{
	return bench_main("memory", rows, LENGTH(rows), argc, argv);
}
