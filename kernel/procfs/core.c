/*
 * Which of its memory a process's core has, and how core files are named.
 */
#include "procfs.h"

#include "../core/core.h"

#include <abi/core.h>
#include <abi/errno.h>
#include <lib/string.h>

void proc_core_filter(struct text *text, const struct proc_subject *subject)
{
	text_add(text, "%08x\n", read_once(&subject->process->core_filter));
}

err_t proc_core_filter_write(const struct proc_subject *subject, const char *text)
{
	uint64_t filter;

	if (string_to_u64(text, &filter) || filter > UINT32_MAX)
		return -EINVAL;
	write_once(&subject->process->core_filter, (uint32_t)filter & CORE_FILTER_ALL);
	return 0;
}

void proc_core_pattern(struct text *text, UNUSED const struct proc_subject *subject)
{
	char pattern[CORE_PATTERN_BYTES];

	core_pattern_get(pattern);
	text_add(text, "%s\n", pattern);
}

err_t proc_core_pattern_write(UNUSED const struct proc_subject *subject, const char *text)
{
	return core_pattern_set(text);
}

void proc_core_uses_pid(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "%d\n", core_uses_pid());
}

err_t proc_core_uses_pid_write(UNUSED const struct proc_subject *subject, const char *text)
{
	uint64_t on;

	if (string_to_u64(text, &on))
		return -EINVAL;
	core_set_uses_pid(on);
	return 0;
}
