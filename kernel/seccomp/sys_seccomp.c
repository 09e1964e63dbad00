/*
 * seccomp(2). Owns no state.
 */
#include "seccomp.h"

#include "../process/call_filter.h"
#include "../process/prctl.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/user.h>

static int set_strict(void)
{
	if (seccomp_mode(uthread_current()) == SECCOMP_MODE_FILTER)
		return -EINVAL;
	call_filter_confine();
	return 0;
}

static int ask_action(uptr_t from)
{
	uint32_t action;

	if (user_get(&action, from))
		return -EFAULT;
	return seccomp_knows_action(action) ? 0 : -EOPNOTSUPP;
}

static int tell_sizes(uptr_t to)
{
	const struct abi_seccomp_notif_sizes sizes = {.notif = sizeof(struct abi_seccomp_notif),
						      .response =
							      sizeof(struct abi_seccomp_notif_resp),
						      .data = sizeof(struct abi_seccomp_data)};

	return user_put(to, &sizes);
}

int sys_seccomp(unsigned operation, unsigned flags, uint64_t argument)
{
	switch (operation) {
	case SECCOMP_SET_MODE_STRICT:
		return flags || argument ? -EINVAL : set_strict();
	case SECCOMP_SET_MODE_FILTER:
		return seccomp_add_filter(flags, uptr(argument));
	case SECCOMP_GET_ACTION_AVAIL:
		return flags ? -EINVAL : ask_action(uptr(argument));
	case SECCOMP_GET_NOTIF_SIZES:
		return flags ? -EINVAL : tell_sizes(uptr(argument));
	default:
		return -EINVAL;
	}
}

int64_t prctl_set_seccomp(uint64_t mode, uint64_t argument)
{
	switch (mode) {
	case SECCOMP_MODE_STRICT: /* the argument is not looked at */
		return set_strict();
	case SECCOMP_MODE_FILTER:
		return seccomp_add_filter(0, uptr(argument));
	default:
		return -EINVAL;
	}
}
