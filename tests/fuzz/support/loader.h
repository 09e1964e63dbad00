/*
 * See loader.c.
 */
#ifndef FUZZ_LOADER_H
#define FUZZ_LOADER_H

#include "../../../arch/x86_64/loader.h"
#include "promise.h"

/* An empty record, the one that boot_info names; fuzz_memory is there. */
struct boot_info *loader_fuzz_start(void);
/* What holds after a reader has returned `problem` (NULL: none). */
void loader_fuzz_check(const struct boot_info *info, const char *problem);
/* Would the kernel take this memory for its own use? */
bool loader_fuzz_usable(const struct boot_info *info, paddr_t address);

#endif
