/*
 * What prctl and arch_prctl have of the machine, as Linux has it where that can do no more. Owns no
 * state.
 */
#include "prctl.h"

#include "capability.h"
#include "syscall_table.h"
#include "uthread.h"

#include <abi/errno.h>
#include <abi/prctl.h>
#include <arch/context.h>
#include <arch/paging.h>
#include <arch/user.h>

#define XSTATE_TILE_DATA 18 /* the last component that somebody could ask for (SDM 1 13.1) */

static int64_t get_timestamp(uint64_t to)
{
	int mode = context_timestamp_allowed() ? PR_TSC_ENABLE : PR_TSC_SIGSEGV;

	return user_put(uptr(to), &mode);
}

static int64_t set_timestamp(uint64_t mode)
{
	if (mode != PR_TSC_ENABLE && mode != PR_TSC_SIGSEGV)
		return -EINVAL;
	context_allow_timestamp(mode == PR_TSC_ENABLE);
	return 0;
}

/* When a thread learns of memory that has failed: never here, but it is remembered. */
static int64_t set_machine_check(uint64_t what, uint64_t policy, bool others)
{
	struct uthread *self = uthread_current();

	if (others)
		return -EINVAL;
	if (what == PR_MCE_KILL_CLEAR && !policy)
		policy = PR_MCE_KILL_DEFAULT;
	else if (what != PR_MCE_KILL_SET || policy > PR_MCE_KILL_DEFAULT)
		return -EINVAL;
	/* So that 0 is the default. */
	self->machine_check = (uint8_t)(PR_MCE_KILL_DEFAULT - policy);
	return 0;
}

/* A helper of block devices, which there are none of: it is remembered. */
static int64_t set_flusher(uint64_t flushes, bool others)
{
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (others || flushes > 1)
		return -EINVAL;
	uthread_current()->flushes = flushes;
	return 0;
}

static int64_t get_flusher(bool others)
{
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	return others ? -EINVAL : uthread_current()->flushes;
}

/* No mitigation can be switched, as on a Linux that was started with mitigations=off. */
static int64_t get_speculation(uint64_t which, bool others)
{
	if (others)
		return -EINVAL;
	switch (which) {
	case PR_SPEC_STORE_BYPASS:
	case PR_SPEC_INDIRECT_BRANCH:
		return PR_SPEC_ENABLE;
	case PR_SPEC_L1D_FLUSH:
		return PR_SPEC_FORCE_DISABLE;
	default:
		return -ENODEV;
	}
}

static int64_t set_speculation(uint64_t which, uint64_t how, bool others)
{
	if (others)
		return -EINVAL;
	switch (which) {
	case PR_SPEC_STORE_BYPASS:
		return -ENXIO;
	case PR_SPEC_INDIRECT_BRANCH:
		if (how == PR_SPEC_ENABLE)
			return 0;
		return how == PR_SPEC_DISABLE || how == PR_SPEC_FORCE_DISABLE ? -EPERM : -ERANGE;
	case PR_SPEC_L1D_FLUSH:
		return -EPERM;
	default:
		return -ENODEV;
	}
}

int64_t prctl_machine(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	static const uint8_t policies[] = {PR_MCE_KILL_DEFAULT, PR_MCE_KILL_EARLY,
					   PR_MCE_KILL_LATE};

	switch (option) {
	case PR_GET_TSC:
		return get_timestamp(a);
	case PR_SET_TSC:
		return set_timestamp(a);
	case PR_MCE_KILL:
		return set_machine_check(a, b, c || d);
	case PR_MCE_KILL_GET:
		return a || b || c || d ? -EINVAL : policies[uthread_current()->machine_check];
	case PR_SET_IO_FLUSHER:
		return set_flusher(a, b || c || d);
	case PR_GET_IO_FLUSHER:
		return get_flusher(a || b || c || d);
	case PR_GET_SPECULATION_CTRL:
		return get_speculation(a, b || c || d);
	case PR_SET_SPECULATION_CTRL:
		return set_speculation(a, b, c || d);
	default:
		return -ENODATA;
	}
}

/* ---- arch_prctl ---- */

int sys_arch_prctl(int option, uint64_t argument)
{
	const uint64_t components = fpu_state_components();
	uint64_t value;

	switch (option) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (argument >= USER_MAX)
			return -EPERM;
		context_set_user_base(option == ARCH_SET_FS ? USER_BASE_FS : USER_BASE_GS,
				      argument);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		value = context_user_base(option == ARCH_GET_FS ? USER_BASE_FS : USER_BASE_GS);
		return user_put(uptr(argument), &value);
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID: /* not used, even where the CPU could fault */
		return -ENODEV;
	case ARCH_GET_XCOMP_SUPP:
	case ARCH_GET_XCOMP_PERM:
	case ARCH_GET_XCOMP_GUEST_PERM:
		return user_put(uptr(argument), &components);
	case ARCH_REQ_XCOMP_PERM:
	case ARCH_REQ_XCOMP_GUEST_PERM:
		/* None of those that are kept has to be asked for. */
		return argument > XSTATE_TILE_DATA ? -EINVAL : -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}
