/*
 * Time namespaces: what makes them, who is in one, and /proc/PID/timens_offsets.
 */
#include "time.h"
#include "user.h"

#include "../process/capability.h"
#include "../procfs/procfs.h"
#include "../procfs/text.h"
#include "../vdso.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/space.h>

#define FIRST_NUMBER UINT64_C(0xeffffffa)                /* of its file, as on Linux */
#define SECONDS_MAX  (INT64_MAX / (int64_t)NSEC_PER_SEC) /* KTIME_SEC_MAX */

static struct time_namespace first = {
	.head = {.references = {.count = 1}, .kind = NAMESPACE_TIME, .number = FIRST_NUMBER},
	.frozen = true,
};

struct namespace *const time_namespace_first_head = &first.head;

bool time_namespaces_made; /* written once, before the first is one of anybody */

static MUTEX(offsets_lock, LOCK_TIMESHIFT);

static struct time_namespace *whole_of(struct namespace *head)
{
	return container_of(head, struct time_namespace, head);
}

struct time_namespace *time_namespace_of(struct namespace *head)
{
	return head == &first.head ? NULL : whole_of(head);
}

struct namespace *time_namespace_head(struct time_namespace *namespace)
{
	return namespace ? &namespace->head : &first.head;
}

struct time_namespace *time_namespace_for_children(void)
{
	return time_namespace_of(namespace_current(NAMESPACE_TIME));
}

struct memory_object *time_namespace_vdso(const struct time_namespace *namespace)
{
	return namespace ? namespace->vdso : vdso_first;
}

/* ---- making one ---- */

static void show_in_vdso(const struct time_namespace *namespace)
{
	vdso_set_offsets(namespace->vdso, namespace->offsets_ns[TIME_MONOTONIC],
			 namespace->offsets_ns[TIME_BOOT]);
}

static err_t time_copy(struct namespace *from, struct namespace **out)
{
	struct time_namespace *made = kzalloc(sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->vdso = vdso_create();
	if (!made->vdso) {
		kfree(made);
		return -ENOMEM;
	}
	write_once(&time_namespaces_made, true);
	namespace_init(&made->head, NAMESPACE_TIME);
	mutex_lock(&offsets_lock);
	memcpy(made->offsets_ns, whole_of(from)->offsets_ns, sizeof(made->offsets_ns));
	mutex_unlock(&offsets_lock);
	show_in_vdso(made);
	*out = &made->head;
	return 0;
}

/* In a callback of RCU, too. */
static void time_free(struct namespace *head)
{
	memory_object_put(whole_of(head)->vdso);
	kfree(whole_of(head));
}

const struct namespace_kind_ops time_namespace_ops = {
	.name = "time",
	.flag = CLONE_NEWTIME,
	.copy = time_copy,
	.free = time_free,
};

/* ---- who is in it ---- */

static void freeze(struct time_namespace *namespace)
{
	mutex_lock(&offsets_lock);
	namespace->frozen = true;
	mutex_unlock(&offsets_lock);
}

void time_namespace_enter(struct process *process, struct time_namespace *namespace)
{
	struct time_namespace *before = process->time_namespace;
	irqflags_t flags;

	if (likely(namespace == before))
		return;
	if (namespace) {
		freeze(namespace);
		namespace_get(&namespace->head);
	}
	flags = spin_lock_irqsave(&process->signal_lock);
	process->time_namespace = namespace;
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (before)
		namespace_put(&before->head);
}

void time_namespace_move_space(struct space *space, const struct time_namespace *from,
			       const struct time_namespace *to)
{
	if (from != to)
		space_exchange_object(space, time_namespace_vdso(from), time_namespace_vdso(to));
}

/* Of the running process. */
static int64_t offset_of(enum time_clock clock)
{
	const struct process *self = process_current();

	return self && self->time_namespace ? self->time_namespace->offsets_ns[clock] : 0;
}

void time_namespace_give(struct process *child, const struct namespaces *namespaces)
{
	struct time_namespace *before = process_current()->time_namespace;
	struct time_namespace *namespace =
		namespaces ? time_namespace_of(namespaces_time(namespaces)) : before;

	time_namespace_move_space(child->space, before, namespace);
	time_namespace_enter(child, namespace);
}

int64_t time_shown_elsewhere(enum time_clock clock, uint64_t ns)
{
	return (int64_t)ns + offset_of(clock);
}

uint64_t time_meant_elsewhere(enum time_clock clock, uint64_t ns)
{
	int64_t offset_ns = offset_of(clock);

	if (offset_ns > 0)
		return ns > (uint64_t)offset_ns ? ns - (uint64_t)offset_ns : 0;
	return MIN(ns, (uint64_t)INT64_MAX + (uint64_t)offset_ns) - (uint64_t)offset_ns;
}

/* ---- /proc/PID/timens_offsets: of what the process makes ---- */

struct offset {
	enum time_clock clock;
	int64_t s;
	int64_t ns; /* 0 to a second */
};

/* As Linux: by name or by clockid_t. */
static const struct {
	const char *name, *number;
} clock_names[TIME_CLOCKS] = {
	[TIME_MONOTONIC] = {"monotonic", "1"},
	[TIME_BOOT] = {"boottime", "7"},
};

static struct namespace *of_subject(const struct proc_subject *subject)
{
	return namespace_of_children(subject->process, subject->tid, NAMESPACE_TIME);
}

static void add_offset(struct text *text, const char *name, int64_t offset_ns)
{
	int64_t s = offset_ns / (int64_t)NSEC_PER_SEC;
	int64_t ns = offset_ns % (int64_t)NSEC_PER_SEC;

	if (ns < 0) {
		s--;
		ns += (int64_t)NSEC_PER_SEC;
	}
	text_add(text, "%-10s %10ld %9ld\n", name, s, ns);
}

void proc_time_offsets(struct text *text, const struct proc_subject *subject)
{
	struct namespace *head = of_subject(subject);
	int64_t offsets_ns[TIME_CLOCKS];

	if (!head)
		return;
	mutex_lock(&offsets_lock);
	memcpy(offsets_ns, whole_of(head)->offsets_ns, sizeof(offsets_ns));
	mutex_unlock(&offsets_lock);
	for (unsigned i = 0; i < TIME_CLOCKS; i++)
		add_offset(text, clock_names[i].name, offsets_ns[i]);
	namespace_put(head);
}

static const char *skip_blanks(const char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

/* A number in decimal digits, after blanks; what follows it stays. One that is too large for any
 * use is some such number. NULL: there is none. */
static const char *read_decimal(const char *text, bool may_be_negative, int64_t *out)
{
	bool negative = false;
	uint64_t number = 0;

	text = skip_blanks(text);
	if (may_be_negative && *text == '-') {
		negative = true;
		text++;
	}
	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++)
		number = MIN(number * 10 + (uint64_t)(*text - '0'), (uint64_t)INT64_MAX / 10);
	*out = negative ? -(int64_t)number : (int64_t)number;
	return text;
}

static const char *read_clock(const char *text, enum time_clock *out)
{
	size_t len = 0;

	text = skip_blanks(text);
	while (text[len] && !strchr(" \t\n", text[len]))
		len++;
	for (unsigned i = 0; i < TIME_CLOCKS; i++) {
		const char *name = clock_names[i].name;
		const char *number = clock_names[i].number;

		if ((len == strlen(name) && !memcmp(text, name, len)) ||
		    (len == strlen(number) && !memcmp(text, number, len))) {
			*out = (enum time_clock)i;
			return text + len;
		}
	}
	return NULL;
}

/* A line; what follows the numbers does not count. -EINVAL. */
static err_t read_offset(const char *line, struct offset *out)
{
	line = read_clock(line, &out->clock);
	if (line)
		line = read_decimal(line, true, &out->s);
	if (line)
		line = read_decimal(line, false, &out->ns);
	return line && out->ns < (int64_t)NSEC_PER_SEC ? 0 : -EINVAL;
}

/* As Linux one line for each clock at most, in any order; the last one of a clock counts. */
static err_t read_offsets(const char *text, struct offset *offsets, unsigned *noffsets)
{
	*noffsets = 0;
	do {
		err_t err =
			*noffsets < TIME_CLOCKS ? read_offset(text, &offsets[*noffsets]) : -EINVAL;

		if (err)
			return err;
		++*noffsets;
		text = strchr(text, '\n');
	} while (text && *++text);
	return 0;
}

/* The clock is never below 0, nor so high that sums of two times do not fit. */
static err_t check_offset(const struct offset *offset, uint64_t now_ns)
{
	int64_t s;

	if (offset->s > SECONDS_MAX || offset->s < -SECONDS_MAX)
		return -ERANGE;
	s = offset->s + (int64_t)(now_ns / NSEC_PER_SEC) +
	    (int64_t)((now_ns % NSEC_PER_SEC + (uint64_t)offset->ns) / NSEC_PER_SEC);
	return s < 0 || s > SECONDS_MAX / 2 ? -ERANGE : 0;
}

static void set_offset_locked(struct time_namespace *of, const struct offset *offset)
	REQUIRES(offsets_lock);
static void set_offset_locked(struct time_namespace *of, const struct offset *offset)
{
	of->offsets_ns[offset->clock] = offset->s * (int64_t)NSEC_PER_SEC + offset->ns;
}

static err_t set_offsets(struct time_namespace *namespace, const struct credentials *opener,
			 const struct offset *offsets, unsigned noffsets)
{
	err_t err = 0;

	if (!credentials_capable(opener, namespace_owner(&namespace->head), CAP_SYS_TIME))
		return -EPERM;
	for (unsigned i = 0; i < noffsets && !err; i++)
		err = check_offset(&offsets[i], clock_ns());
	if (err)
		return err;
	mutex_lock(&offsets_lock);
	if (namespace->frozen) {
		err = -EACCES;
	} else {
		for (unsigned i = 0; i < noffsets; i++)
			set_offset_locked(namespace, &offsets[i]);
		show_in_vdso(namespace);
	}
	mutex_unlock(&offsets_lock);
	return err;
}

err_t proc_time_offsets_write(const struct proc_subject *subject, const char *text)
{
	struct offset offsets[TIME_CLOCKS];
	struct namespace *head;
	unsigned noffsets;
	err_t err = read_offsets(text, offsets, &noffsets);

	if (err)
		return err;
	head = of_subject(subject);
	if (!head)
		return -ESRCH;
	err = set_offsets(whole_of(head), subject->opener, offsets, noffsets);
	namespace_put(head);
	return err;
}
