/*
 * Structures that grow with the ABI. No state.
 */
#include "user_struct.h"

#include <arch/user.h>
#include <lib/string.h>

static err_t check_rest(uptr_t from, size_t begin, size_t end)
{
	uint8_t piece[64];

	while (begin < end) {
		size_t len = MIN(end - begin, sizeof(piece));

		if (user_copy_in(piece, uptr_add(from, begin), len))
			return -EFAULT;
		for (size_t i = 0; i < len; i++) {
			if (piece[i])
				return -E2BIG;
		}
		begin += len;
	}
	return 0;
}

err_t user_get_struct(void *to, size_t known_bytes, size_t least_bytes, uptr_t from,
		      size_t given_bytes)
{
	size_t common = MIN(given_bytes, known_bytes);
	err_t err;

	if (given_bytes < least_bytes)
		return -EINVAL;
	if (given_bytes > PAGE_SIZE)
		return -E2BIG;
	err = check_rest(from, common, given_bytes);
	if (err)
		return err;
	memset((char *)to + common, 0, known_bytes - common);
	return user_copy_in(to, from, common);
}
