/*
 * Shared by the fuzzers of what a loader hands over: memory, and what every reader promises of the
 * struct boot_info that it filled.
 */
#include "loader.h"

#include <arch/paging.h>

#include <string.h>
#include <sys/mman.h>

extern struct boot_info boot_info_storage;

char *fuzz_memory;

struct boot_info *loader_fuzz_start(void)
{
	if (!fuzz_memory) {
		/* A byte behind the last one is a fault. */
		fuzz_memory = mmap(NULL, FUZZ_MEMORY_BYTES + PAGE_SIZE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		PROMISE(fuzz_memory != MAP_FAILED);
		PROMISE(!mprotect(fuzz_memory, FUZZ_MEMORY_BYTES, PROT_READ | PROT_WRITE));
	}
	memset(&boot_info_storage, 0, sizeof(boot_info_storage));
	return &boot_info_storage;
}

void loader_fuzz_check(const struct boot_info *info, const char *problem)
{
	char value[64];

	PROMISE(info->nranges <= BOOT_RANGES_MAX && info->nmodules <= BOOT_MODULES_MAX);
	for (unsigned i = 0; i < info->nranges; i++) {
		const struct memory_range *range = &info->ranges[i];

		PROMISE(range->start < range->end);
		PROMISE(IS_ALIGNED(range->start, PAGE_SIZE) && IS_ALIGNED(range->end, PAGE_SIZE));
		PROMISE(i == 0 || info->ranges[i - 1].end <= range->start);
	}
	for (unsigned i = 0; i < info->nmodules; i++) {
		PROMISE(info->modules[i].start < info->modules[i].end);
		PROMISE(memchr(info->modules[i].name, 0, sizeof(info->modules[i].name)));
	}
	PROMISE(!problem || strlen(problem) > 10);
	if (!problem) {
		PROMISE(info->cmdline && info->loader);
		if (boot_option("root", value, sizeof(value)))
			PROMISE(memchr(value, 0, sizeof(value)));
	}
}

bool loader_fuzz_usable(const struct boot_info *info, paddr_t address)
{
	for (unsigned i = 0; i < info->nranges; i++) {
		if (info->ranges[i].start <= address && address < info->ranges[i].end)
			return info->ranges[i].type == MEMORY_USABLE;
	}
	return false;
}
