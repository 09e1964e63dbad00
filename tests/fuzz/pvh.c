/* sources: arch/x86_64/loader_pvh.c
   with: tests/fuzz/support/loader.c arch/x86_64/boot_info.c lib/string.c
   options: max_len=4096 */
/*
 * The PVH start information under libFuzzer: the input lies at one place of memory, and its
 * addresses lead into it, beside it, or nowhere.
 */
#include "support/loader.h"

#include <arch/paging.h>

#include <string.h>

#define WHERE UINT64_C(0x2000)
#define ROOM  8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct boot_info *info = loader_fuzz_start();
	char *place = phys_to_virt(WHERE);
	const char *problem;

	memset(place, 0, ROOM);
	memcpy(place, data, size);
	problem = loader_read_pvh(info, WHERE);
	loader_fuzz_check(info, problem);
	PROMISE(problem || !loader_fuzz_usable(info, WHERE));
	if (!problem && info->cmdline[0])
		PROMISE(!loader_fuzz_usable(info, direct_to_phys(info->cmdline)));

	/* Nowhere, at the end of memory, and behind it. */
	PROMISE(loader_read_pvh(loader_fuzz_start(), 0) != NULL);
	PROMISE(loader_read_pvh(loader_fuzz_start(), 4 * GIB - 8) != NULL);
	PROMISE(loader_read_pvh(loader_fuzz_start(), UINT64_MAX - 7) != NULL);
	return 0;
}
