/*
 * /proc/version and /proc/sys: what the system calls itself, its limits, random numbers. Owns the
 * number of this start.
 */
#include "procfs.h"

#include "../random.h"
#include "../uname.h"

#include <lib/string.h>
#include <sched/lock.h>

#define ENTROPY_BITS 256 /* the generator's key, which is there before programs run */

void proc_version(struct text *text, UNUSED const struct proc_subject *subject)
{
	struct abi_utsname names;

	machine_names_get(&names);
	text_add(text, "%s version %s %s\n", names.sysname, names.release, names.version);
}

/* One of the names as a line. */
#define NAME_FILE(function, field)                                                                 \
	void function(struct text *text, UNUSED const struct proc_subject *subject)                \
	{                                                                                          \
		struct abi_utsname names;                                                          \
                                                                                                   \
		machine_names_get(&names);                                                         \
		text_add(text, "%s\n", names.field);                                               \
	}

NAME_FILE(proc_hostname, nodename)
NAME_FILE(proc_domainname, domainname)
NAME_FILE(proc_ostype, sysname)
NAME_FILE(proc_osrelease, release)
NAME_FILE(proc_osversion, version)

/* As Linux: what is too long is cut. */
static err_t set_name(enum machine_name which, const char *text)
{
	return machine_name_set(which, text, strnlen(text, ABI_UTSNAME_BYTES - 1));
}

err_t proc_hostname_write(UNUSED const struct proc_subject *subject, const char *text)
{
	return set_name(MACHINE_HOSTNAME, text);
}

err_t proc_domainname_write(UNUSED const struct proc_subject *subject, const char *text)
{
	return set_name(MACHINE_DOMAINNAME, text);
}

/* ---- random numbers ---- */

struct uuid {
	uint8_t bytes[16];
};

/* RFC 4122, section 4.4: all but six bits are random. */
static struct uuid make_uuid(void)
{
	struct uuid uuid;

	random_bytes(uuid.bytes, sizeof(uuid.bytes));
	uuid.bytes[6] = (uint8_t)(0x40 | (uuid.bytes[6] & 0x0f));
	uuid.bytes[8] = (uint8_t)(0x80 | (uuid.bytes[8] & 0x3f));
	return uuid;
}

static void add_uuid(struct text *text, const struct uuid *uuid)
{
	for (unsigned i = 0; i < sizeof(uuid->bytes); i++) {
		bool dash = i == 4 || i == 6 || i == 8 || i == 10;

		text_add(text, "%s%02x", dash ? "-" : "", uuid->bytes[i]);
	}
	text_add(text, "\n");
}

void proc_uuid(struct text *text, UNUSED const struct proc_subject *subject)
{
	struct uuid uuid = make_uuid();

	add_uuid(text, &uuid);
}

void proc_boot_id(struct text *text, UNUSED const struct proc_subject *subject)
{
	static MUTEX(lock, LOCK_NODE);
	static struct uuid boot_id; /* lock until it is made, then constant */
	static bool made;           /* lock */

	mutex_lock(&lock);
	if (!made)
		boot_id = make_uuid();
	made = true;
	mutex_unlock(&lock);
	add_uuid(text, &boot_id);
}

void proc_entropy(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "%u\n", ENTROPY_BITS);
}

void proc_poolsize(struct text *text, UNUSED const struct proc_subject *subject)
{
	text_add(text, "%u\n", ENTROPY_BITS);
}
