/*
 * What inner PID namespaces call the numbers of the PID table. A process or thread that is in one
 * has a struct pid_names: what each namespace below the first that sees it calls it. It is found by
 * the number, and, in each namespace, by what that calls it.
 *
 * It outlives the process: objects keep numbers of those who used them last, and groups and
 * sessions are called by their leader's number when that one has gone. It goes when the number is
 * given to another, or with the last of the outermost namespace that it is about. So there are
 * never more of them than numbers. Namespaces stand in it by their own number, which is never used
 * again, and not by a reference.
 *
 * Changes are made under pid_lock; look-ups follow the chains under RCU.
 */
#include "pid_priv.h"

#include "../namespace/pid.h"
#include "uthread.h"

#include <abi/errno.h>
#include <mm/slab.h>

#define BUCKETS         1024u
#define FIRST_IN_REUSE  300 /* RESERVED_PIDS of Linux: when they begin again */
#define NAME_HASH_PRIME UINT64_C(31)

/*
 *   [c] constant once it is found
 *   [p] pid_lock, read under RCU
 */
struct pid_name {
	struct pid_name *next;   /* [p] */
	struct pid_names *names; /* [c] of which this is one */
	uint64_t namespace;      /* [c] the number of its file */
	int32_t number;          /* [c] */
};

struct pid_names {
	struct pid_names *next; /* [p] */
	struct rcu_head rcu;
	int32_t number;        /* [c] in the first namespace */
	unsigned nlevels;      /* [c] namespaces below the first */
	struct pid_link *link; /* [p] who has it; NULL: nobody any more */
	bool is_named;         /* [p] it is found by what it is called */
	struct pid_name of[];  /* the outermost's first */
};

uint32_t pid_nnames;

static struct pid_names *by_number[BUCKETS]; /* [p] */
static struct pid_name *by_name[BUCKETS];    /* [p] */

static struct pid_names **number_bucket(int32_t number)
{
	return &by_number[(uint32_t)number % BUCKETS];
}

static struct pid_name **name_bucket(uint64_t namespace, int32_t number)
{
	return &by_name[(namespace * NAME_HASH_PRIME + (uint32_t)number) % BUCKETS];
}

/* The next two: under the lock or in an RCU section. */
static struct pid_names *find_names(int32_t number)
{
	struct pid_names *names = rcu_dereference(number_bucket(number));

	while (names && names->number != number)
		names = rcu_dereference(&names->next);
	return names;
}

/* The one that was called so last. */
static struct pid_names *find_named(uint64_t namespace, int32_t number)
{
	struct pid_name *name = rcu_dereference(name_bucket(namespace, number));

	while (name && (name->namespace != namespace || name->number != number))
		name = rcu_dereference(&name->next);
	return name ? name->names : NULL;
}

/* ---- translating ---- */

static int32_t name_in(const struct pid_names *names, const struct pid_namespace *namespace)
{
	if (!names || names->nlevels < namespace->level ||
	    names->of[namespace->level - 1].namespace != namespace->head.number)
		return 0;
	return names->of[namespace->level - 1].number;
}

int32_t pid_number_in(const struct pid_namespace *namespace, int32_t number)
{
	int32_t found;

	if (!namespace || number <= 0)
		return number;
	rcu_read_lock();
	found = name_in(find_names(number), namespace);
	rcu_read_unlock();
	return found;
}

int32_t pid_number_from(const struct pid_namespace *namespace, int32_t number)
{
	const struct pid_names *names;
	int32_t found = PID_NOBODY;

	if (!namespace || number <= 0)
		return number;
	rcu_read_lock();
	names = find_named(namespace->head.number, number);
	if (names)
		found = names->number;
	rcu_read_unlock();
	return found;
}

#define NEAR 64 /* numbers that are looked up one by one */

static bool is_process(const struct pid_names *names)
{
	const struct pid_link *link = read_once(&names->link);

	return link && link->is_process;
}

/* In an RCU section. Its name is in any bucket. */
static int32_t lowest_above(uint64_t id, int32_t after)
{
	int32_t best = 0;

	for (int32_t number = after + 1; number <= after + NEAR; number++) {
		const struct pid_names *names = find_named(id, number);

		if (names && is_process(names))
			return number;
	}
	for (unsigned i = 0; i < BUCKETS; i++) {
		const struct pid_name *name = rcu_dereference(&by_name[i]);

		for (; name; name = rcu_dereference(&name->next)) {
			if (name->namespace == id && name->number > after &&
			    (!best || name->number < best) && is_process(name->names))
				best = name->number;
		}
	}
	return best;
}

int32_t pid_next_process_in(const struct pid_namespace *namespace, int32_t after)
{
	int32_t found;

	rcu_read_lock();
	found = lowest_above(namespace->head.number, after);
	rcu_read_unlock();
	return found;
}

/* ---- numbers for a new one ---- */

/* Of one level. 0: none is free. */
static bool is_taken_locked(const struct pid_namespace *namespace, int32_t number)
	REQUIRES(pid_lock);
static bool is_taken_locked(const struct pid_namespace *namespace, int32_t number)
{
	const struct pid_names *names = find_named(namespace->head.number, number);

	return names && (names->link || pid_was_led_locked(names->number));
}

static int32_t next_free_locked(const struct pid_namespace *namespace) REQUIRES(pid_lock);
static int32_t next_free_locked(const struct pid_namespace *namespace)
{
	int32_t limit = (int32_t)read_once(&pid_limit);
	int32_t number = namespace->last;

	for (int32_t tries = 0; tries < limit; tries++) {
		if (++number >= limit)
			number = FIRST_IN_REUSE;
		if (!is_taken_locked(namespace, number))
			return number;
	}
	return 0;
}

/* `wanted` 0: any. */
static err_t choose_inner_locked(const struct pid_namespace *namespace, int32_t wanted,
				 int32_t *out) REQUIRES(pid_lock);
static err_t choose_inner_locked(const struct pid_namespace *namespace, int32_t wanted,
				 int32_t *out)
{
	if (namespace->closed)
		return -ENOMEM;
	if (!wanted) {
		*out = next_free_locked(namespace);
		return *out ? 0 : -EAGAIN;
	}
	if (wanted != 1 && !namespace->init)
		return -EINVAL;
	*out = wanted;
	return is_taken_locked(namespace, wanted) ? -EEXIST : 0;
}

struct choice {
	int32_t first;                      /* in the first namespace */
	int32_t inner[PID_NAMESPACES_DEEP]; /* below it */
	bool in_turn[PID_NAMESPACES_DEEP];  /* that one was not wanted */
	bool first_in_turn;
};

static err_t choose_locked(const struct pid_namespace *namespace, const int32_t *wanted,
			   unsigned nwanted, struct choice *out) REQUIRES(pid_lock);
static err_t choose_locked(const struct pid_namespace *namespace, const int32_t *wanted,
			   unsigned nwanted, struct choice *out)
{
	err_t err;

	for (; namespace->parent; namespace = namespace->parent) {
		unsigned level = namespace->level;

		out->in_turn[level - 1] = !nwanted;
		err = choose_inner_locked(namespace, nwanted ? *wanted : 0, &out->inner[level - 1]);
		if (err)
			return err;
		if (nwanted) {
			wanted++;
			nwanted--;
		}
	}
	out->first_in_turn = !nwanted;
	out->first = nwanted ? *wanted : pid_next_free_locked();
	if (!out->first)
		return -EAGAIN;
	return nwanted && pid_is_taken_locked(out->first) ? -EEXIST : 0;
}

static struct process *process_of(const struct pid_link *link)
{
	struct pid_link *at = (struct pid_link *)(uintptr_t)link;

	return link->is_process ? container_of(at, struct process, link)
				: container_of(at, struct uthread, link)->process;
}

static void name_locked(struct pid_names *names, struct pid_namespace *namespace,
			const struct choice *choice) REQUIRES(pid_lock);
static void name_locked(struct pid_names *names, struct pid_namespace *namespace,
			const struct choice *choice)
{
	names->number = choice->first;
	for (; namespace->parent; namespace = namespace->parent) {
		unsigned i = namespace->level - 1;
		struct pid_name *name = &names->of[i];
		struct pid_name **bucket = name_bucket(namespace->head.number, choice->inner[i]);

		if (choice->in_turn[i])
			write_once(&namespace->last, choice->inner[i]);
		namespace->nprocesses += names->link->is_process;
		*name = (struct pid_name){.next = *bucket,
					  .names = names,
					  .namespace = namespace->head.number,
					  .number = choice->inner[i]};
		rcu_assign(bucket, name);
	}
	names->is_named = true;
	names->next = *number_bucket(names->number);
	rcu_assign(number_bucket(names->number), names);
	write_once(&pid_nnames, pid_nnames + 1);
}

static void insert_locked(struct pid_link *link, struct pid_names *names,
			  struct pid_namespace *namespace, const struct choice *choice)
	REQUIRES(pid_lock);
static void insert_locked(struct pid_link *link, struct pid_names *names,
			  struct pid_namespace *namespace, const struct choice *choice)
{
	struct process *process = process_of(link);
	bool is_init = link->is_process && choice->inner[namespace->level - 1] == 1;

	/* All that is told of the link is there before it is found. */
	pid_names_forget_locked(choice->first);
	link->names = names;
	names->link = link;
	names->nlevels = namespace->level;
	name_locked(names, namespace, choice);
	if (is_init)
		process->unkillable = true;
	pid_insert_locked(link, choice->first, choice->first_in_turn);
	if (is_init)
		rcu_assign(&namespace->init, process);
}

err_t pid_insert_in(struct pid_link *link, struct pid_namespace *namespace, const int32_t *wanted,
		    unsigned nwanted)
{
	struct pid_names *names =
		kzalloc(sizeof(*names) + namespace->level * sizeof(struct pid_name));
	struct choice choice;
	err_t err;

	if (!names)
		return -ENOMEM;
	for (int tries = 0; tries < 2; tries++) {
		spin_lock(&pid_lock);
		err = choose_locked(namespace, wanted, nwanted, &choice);
		if (!err)
			insert_locked(link, names, namespace, &choice);
		spin_unlock(&pid_lock);
		if (!err)
			return 0;
		if (err != -EAGAIN && err != -EEXIST)
			break;
		pid_free_led(); /* it may be free by now */
	}
	kfree(names);
	return err;
}

int32_t pid_own_number(const struct pid_link *link)
{
	return link->names ? link->names->of[link->names->nlevels - 1].number : link->number;
}

/* ---- and when it has gone ---- */

static void unname_locked(struct pid_names *names) REQUIRES(pid_lock);
static void unname_locked(struct pid_names *names)
{
	if (!names->is_named)
		return;
	names->is_named = false;
	/* As in pid_remove(): each one's `next` stays. */
	for (unsigned i = 0; i < names->nlevels; i++) {
		struct pid_name *name = &names->of[i];
		struct pid_name **at = name_bucket(name->namespace, name->number);

		while (*at != name)
			at = &(*at)->next;
		rcu_assign(at, name->next);
	}
}

void pid_names_remove_locked(struct pid_link *link, bool is_led)
{
	struct process *process = process_of(link);
	struct pid_namespace *namespace = process->pid_namespace;

	write_once(&link->names->link, NULL);
	/* A group or session may still be called so. */
	if (!is_led)
		unname_locked(link->names);
	if (!link->is_process)
		return;
	if (namespace->init == process) {
		write_once(&namespace->closed, true);
		rcu_assign(&namespace->init, NULL);
	}
	for (; namespace->parent; namespace = namespace->parent) {
		if (--namespace->nprocesses == 1)
			waitq_wake_all(&namespace->emptied);
	}
}

static void free_after_grace(struct rcu_head *head)
{
	kfree(container_of(head, struct pid_names, rcu));
}

static void drop_locked(struct pid_names **at) REQUIRES(pid_lock);
static void drop_locked(struct pid_names **at)
{
	struct pid_names *names = *at;

	debug_assert(!names->link);
	unname_locked(names);
	rcu_assign(at, names->next);
	write_once(&pid_nnames, pid_nnames - 1);
	rcu_call(&names->rcu, free_after_grace);
}

void pid_names_forget_locked(int32_t number)
{
	struct pid_names **at = number_bucket(number);

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	if (*at)
		drop_locked(at);
}

/* A namespace of the first level has gone, and with it all below. */
void pid_names_forget_all(const struct pid_namespace *namespace)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct pid_names **at = &by_number[i];

		spin_lock(&pid_lock);
		while (*at) {
			if ((*at)->of[0].namespace == namespace->head.number)
				drop_locked(at);
			else
				at = &(*at)->next;
		}
		spin_unlock(&pid_lock);
	}
}

void pid_names_close(struct pid_namespace *namespace)
{
	spin_lock(&pid_lock);
	write_once(&namespace->closed, true);
	spin_unlock(&pid_lock);
}
