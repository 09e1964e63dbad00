/* sources: arch/x86_64/loader_multiboot2.c
   with: tests/fuzz/support/loader.c arch/x86_64/boot_info.c lib/string.c
   options: max_len=4096 */
/*
 * GRUB's boot information under libFuzzer: any bytes lie where its list of tags should be. What is
 * behind the list's own length is poisoned, so reading there is a finding.
 */
#include "support/loader.h"

#include <arch/paging.h>

#include <sanitizer/asan_interface.h>
#include <string.h>

#define WHERE  UINT64_C(0x10000)
#define POISON 65536 /* behind the list; only the header says how long that is */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct boot_info *info = loader_fuzz_start();
	char *place = phys_to_virt(WHERE);
	uint32_t total_bytes = 0;
	const char *problem;
	size_t visible;

	memset(place, 0, POISON);
	memcpy(place, data, size);
	memcpy(&total_bytes, place, sizeof(total_bytes));
	/* The length field itself is read before it is known. */
	visible = MAX(MIN((size_t)total_bytes, (size_t)POISON), (size_t)8);
	ASAN_POISON_MEMORY_REGION(place + visible, POISON - visible);
	problem = loader_read_multiboot2(info, WHERE);
	loader_fuzz_check(info, problem);
	PROMISE(problem || info->nranges > 0);
	PROMISE(problem || !loader_fuzz_usable(info, WHERE));
	PROMISE(info->cmdline == NULL || info->cmdline[0] == 0 ||
		(info->cmdline >= place && info->cmdline < place + total_bytes));
	ASAN_UNPOISON_MEMORY_REGION(place, POISON);

	/* Out of reach and crooked places are refused before anything is read. */
	PROMISE(loader_read_multiboot2(loader_fuzz_start(), 4 * GIB) != NULL);
	PROMISE(loader_read_multiboot2(loader_fuzz_start(), WHERE + 4) != NULL);
	return 0;
}
