/*
 * Robust futexes: what a thread that ends still owned, by a list in its own memory of which nothing
 * is believed. Those that lend priority are handed on by pi.c afterwards. Owns no state.
 */
#include "futex_priv.h"

#include <arch/user.h>

#define ROBUST_LIST_MAX 2048 /* ROBUST_LIST_LIMIT: a list may be a ring */
#define ROBUST_IS_PI    UINT64_C(1)

struct robust_list_head {
	uint64_t next;
	int64_t offset; /* from an entry to its word */
	uint64_t pending;
};

/* `pending`: it was about to take or to release this one. */
static void owner_died(uint64_t address, uint32_t tid, bool is_pi, bool pending)
{
	uint32_t value;
	uint32_t before;

	if (address % sizeof(uint32_t) || user_get(&value, uptr(address)))
		return;
	/* It may have released it without having woken anybody. */
	if (pending && !is_pi && !value)
		(void)futex_wake_address(address, 1); /* what lies there is the program's affair */
	do {
		if ((value & FUTEX_TID_MASK) != tid)
			return;
		before = value;
		if (user_cas(uptr(address), &value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED))
			return;
	} while (value != before);
	if (!is_pi && before & FUTEX_WAITERS)
		(void)futex_wake_address(address, 1); /* the same */
}

void futex_owner_died(uint64_t list_head, uint32_t tid)
{
	struct robust_list_head head;
	uint64_t entry;

	if (user_get(&head, uptr(list_head)))
		return;
	entry = head.next;
	for (unsigned i = 0; i < ROBUST_LIST_MAX; i++) {
		uint64_t address = entry & ~ROBUST_IS_PI;
		uint64_t next;
		bool have_next;

		if (address == list_head)
			break;
		/* Before the word changes: then its next owner may reuse the entry. */
		have_next = !user_get(&next, uptr(address));
		if (address != (head.pending & ~ROBUST_IS_PI))
			owner_died(address + (uint64_t)head.offset, tid, entry & ROBUST_IS_PI,
				   false);
		if (!have_next)
			break;
		entry = next;
	}
	if (head.pending & ~ROBUST_IS_PI)
		owner_died((head.pending & ~ROBUST_IS_PI) + (uint64_t)head.offset, tid,
			   head.pending & ROBUST_IS_PI, true);
}
