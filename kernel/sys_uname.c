/*
 * What the system calls itself, and the calls that ask for it and change it: a namespace has names
 * of its own (CLONE_NEWUTS).
 */
#include "uname.h"

#include "namespace/user.h"
#include "process/capability.h"
#include "process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/personality.h>
#include <arch/spin.h>
#include <arch/user.h>
#include <lib/string.h>
#include <mm/slab.h>

/* Of its file, as on Linux. */
#define FIRST_NUMBER UINT64_C(0xeffffffe)

#define NAME_BYTES_MAX (ABI_UTSNAME_BYTES - 1)

static struct spinlock names_lock = SPINLOCK_INIT(LOCK_UNAME);

struct uts_namespace {
	struct namespace head;
	struct abi_utsname names; /* names_lock: nodename, domainname */
};

/* Programs ask whether they run on Linux and how old it is; the ABI is that of the release. Who
 * asks more closely finds the kernel's own name in `version`. */
static struct uts_namespace first = {
	.head = {.references = {.count = 1}, .kind = NAMESPACE_UTS, .number = FIRST_NUMBER},
	.names = {.sysname = "Linux",
		  .nodename = "fuselage",
		  .release = "6.1.0-fuselage",
		  .version = "Fuselage",
		  .machine = "x86_64",
		  .domainname = "(none)"},
};

struct namespace *const uts_namespace_first = &first.head;

/* ---- the namespace ---- */

static struct uts_namespace *uts_of(struct namespace *namespace)
{
	return container_of(namespace, struct uts_namespace, head);
}

static struct uts_namespace *current_uts(void)
{
	return uts_of(namespace_current(NAMESPACE_UTS));
}

static err_t uts_copy(struct namespace *from, struct namespace **out)
{
	struct uts_namespace *copy = kmalloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	namespace_init(&copy->head, NAMESPACE_UTS);
	spin_lock(&names_lock);
	copy->names = uts_of(from)->names;
	spin_unlock(&names_lock);
	*out = &copy->head;
	return 0;
}

static void uts_free(struct namespace *namespace)
{
	kfree(uts_of(namespace));
}

const struct namespace_kind_ops uts_namespace_ops = {
	.name = "uts",
	.flag = CLONE_NEWUTS,
	.copy = uts_copy,
	.free = uts_free,
};

/* ---- names ---- */

void machine_names_get(struct abi_utsname *out)
{
	spin_lock(&names_lock);
	*out = current_uts()->names;
	spin_unlock(&names_lock);
}

err_t machine_name_set(enum machine_name which, const char *name, size_t len_bytes)
{
	struct abi_utsname *names = &current_uts()->names;
	char *to = which == MACHINE_HOSTNAME ? names->nodename : names->domainname;

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

	if (!capable_in(namespace_owner(&current_uts()->head), CAP_SYS_ADMIN))
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
