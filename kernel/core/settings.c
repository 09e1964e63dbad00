/*
 * How core files are named. Owns the pattern (`lock`) and whether the process's number is put
 * behind it.
 */
#include "core.h"

#include <abi/errno.h>
#include <lib/string.h>

static struct spinlock lock = SPINLOCK_INIT(LOCK_UNAME);
static char pattern[CORE_PATTERN_BYTES] = "core"; /* lock */
static bool uses_pid;                             /* atomic */

void core_pattern_get(char *to)
{
	spin_lock(&lock);
	memcpy(to, pattern, sizeof(pattern));
	spin_unlock(&lock);
}

err_t core_pattern_set(const char *wanted)
{
	if (*wanted == '|' || strlen(wanted) >= sizeof(pattern))
		return -EINVAL;
	spin_lock(&lock);
	string_copy(pattern, sizeof(pattern), wanted);
	spin_unlock(&lock);
	return 0;
}

bool core_uses_pid(void)
{
	return read_once(&uses_pid);
}

void core_set_uses_pid(bool on)
{
	write_once(&uses_pid, on);
}
