/*
 * Texts of /sys that are more than a number. All CPUs that have been started are there for good:
 * none comes or goes.
 */
#include "procfs.h"

#include "../memory/huge_mode.h"

#include <arch/cpu.h>

/* As Linux lists CPUs. */
void sysfs_cpus(struct text *text, UNUSED const struct proc_subject *subject)
{
	uint32_t count = cpu_count();

	if (count > 1)
		text_add(text, "0-%u\n", count - 1);
	else
		text_add(text, "0\n");
}

void sysfs_no_cpus(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "\n");
}

void sysfs_huge_mode(struct text *text, UNUSED const struct proc_subject *subject)
{
	const char *name;
	bool now;

	for (unsigned i = 0; (name = huge_mode_name(i, &now)); i++)
		text_add(text, now ? "%s[%s]" : "%s%s", i ? " " : "", name);
	text_add(text, "\n");
}

err_t sysfs_huge_mode_write(UNUSED const struct proc_subject *subject, const char *text)
{
	return huge_mode_set(text);
}
