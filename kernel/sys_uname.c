/*
 * What the system calls itself, and the calls that ask for it and change it. Owns the names.
 */
#include "uname.h"

#include "process/capability.h"
#include "process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/personality.h>
#include <arch/spin.h>
#include <arch/user.h>
#include <lib/string.h>

static struct spinlock names_lock = SPINLOCK_INIT(LOCK_UNAME);

/* Programs ask whether they run on Linux and how old it is; the ABI is that of the release. Who
 * asks more closely finds the kernel's own name in `version`. names_lock: nodename, domainname. */
static struct abi_utsname names = {
	.sysname = "Linux",
	.nodename = "fuselage",
	.release = "6.1.0-fuselage",
	.version = "Fuselage",
	.machine = "x86_64",
	.domainname = "(none)",
};

#define NAME_BYTES_MAX (ABI_UTSNAME_BYTES - 1)

void machine_names_get(struct abi_utsname *out)
{
	spin_lock(&names_lock);
	*out = names;
	spin_unlock(&names_lock);
}

err_t machine_name_set(enum machine_name which, const char *name, size_t len_bytes)
{
	char *to = which == MACHINE_HOSTNAME ? names.nodename : names.domainname;

	if (len_bytes > NAME_BYTES_MAX)
		return -EINVAL;
	spin_lock(&names_lock);
	memset(to, 0, ABI_UTSNAME_BYTES);
	memcpy(to, name, strnlen(name, len_bytes));
	spin_unlock(&names_lock);
	return 0;
}

/* What a program wants to be told that knows no more of the world. */
static void pretend(struct abi_utsname *now)
{
	uint32_t persona = read_once(&process_current()->personality);

	if (persona & UNAME26) /* as Linux makes it of 6.1 */
		string_copy(now->release, sizeof(now->release), "2.6.61-fuselage");
	if ((persona & PER_MASK) == PER_LINUX32)
		string_copy(now->machine, sizeof(now->machine), "i686");
}

int sys_uname(uptr_t out)
{
	struct abi_utsname now;

	machine_names_get(&now);
	pretend(&now);
	return user_put(out, &now);
}

static err_t set_name(enum machine_name which, uptr_t from, int len)
{
	char name[ABI_UTSNAME_BYTES];

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > NAME_BYTES_MAX)
		return -EINVAL;
	if (user_copy_in(name, from, (size_t)len))
		return -EFAULT;
	return machine_name_set(which, name, (size_t)len);
}

int sys_sethostname(uptr_t name, int len)
{
	return set_name(MACHINE_HOSTNAME, name, len);
}

int sys_setdomainname(uptr_t name, int len)
{
	return set_name(MACHINE_DOMAINNAME, name, len);
}
