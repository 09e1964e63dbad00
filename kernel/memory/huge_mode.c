/*
 * The names of the modes of mm/huge.c. No state.
 */
#include "huge_mode.h"

#include <lib/string.h>
#include <mm/space.h>

static const char *const modes[] = {[SPACE_HUGE_ALWAYS] = "always",
				    [SPACE_HUGE_ADVISED] = "madvise",
				    [SPACE_HUGE_NEVER] = "never"};

const char *huge_mode_name(unsigned index, bool *now)
{
	if (index >= ARRAY_SIZE(modes))
		return NULL;
	*now = index == (unsigned)space_huge_mode();
	return modes[index];
}

err_t huge_mode_set(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(name, modes[i]) != 0)
			continue;
		space_set_huge_mode((enum space_huge)i);
		return 0;
	}
	return -EINVAL;
}
