/*
 * Waiting on many words at once. Each has a waiter of its own on its bucket's list; all of them
 * wake one queue. Owns no state.
 */
#include "futex_priv.h"

#include <abi/errno.h>
#include <arch/user.h>
#include <mm/kva.h>

struct one {
	struct futex_waiter waiter;
	struct futex_key key;
};

/* The first that is not as it should be. */
static err_t check_words(const struct futex_wait *words, unsigned nwords)
{
	for (unsigned i = 0; i < nwords; i++) {
		uint32_t value;

		if (user_get(&value, uptr(words[i].address)))
			return -EFAULT;
		if (value != words[i].expected)
			return -EAGAIN;
	}
	return 0;
}

static bool any_woken(const struct one *list, unsigned nwords)
{
	for (unsigned i = 0; i < nwords; i++) {
		if (load_acquire(&list[i].waiter.woken))
			return true;
	}
	return false;
}

static err_t wait_listed(struct one *list, const struct futex_wait *words, unsigned nwords,
			 uint64_t deadline_ns)
{
	WAITQ(queue);
	err_t result;

	for (unsigned i = 0; i < nwords; i++) {
		list[i].waiter = (struct futex_waiter){.bits = FUTEX_BITS_ALL, .queue = &queue};
		futex_enlist(&list[i].waiter, &list[i].key);
	}
	result = check_words(words, nwords);
	if (!result)
		result = wait_event_interruptible_timeout(&queue, any_woken(list, nwords),
							  deadline_ns);
	/* Backwards, so that the first of those woken is told. */
	for (unsigned i = nwords; i-- > 0;) {
		if (futex_leave(&list[i].waiter))
			result = (err_t)i;
	}
	return result;
}

err_t futex_wait_many(const struct futex_wait *words, unsigned nwords, uint64_t deadline_ns)
{
	size_t len_bytes = nwords * sizeof(struct one);
	struct one *list = kvmalloc(len_bytes);
	unsigned nkeys;
	err_t result = 0;

	if (!list)
		return -ENOMEM;
	for (nkeys = 0; nkeys < nwords; nkeys++) {
		result = futex_key_get(&list[nkeys].key, words[nkeys].address,
				       words[nkeys].is_private);
		if (result)
			break;
	}
	if (!result)
		result = wait_listed(list, words, nwords, deadline_ns);
	while (nkeys > 0)
		futex_key_put(&list[--nkeys].key);
	kvfree(list, len_bytes);
	return result;
}
