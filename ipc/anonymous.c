/*
 * What objects without a name share. Owns no state.
 */
#include <ipc/anonymous.h>

err_t anonymous_stat(UNUSED struct object *object, struct abi_stat *out)
{
	*out = (struct abi_stat){.st_mode = 0600, .st_nlink = 1, .st_blksize = PAGE_SIZE};
	return 0;
}

err_t number_check(const struct buffer *buffer, const uint64_t *offset)
{
	if (offset)
		return -ESPIPE;
	return buffer_remaining(buffer) < sizeof(uint64_t) ? -EINVAL : 0;
}

ssize_t number_give(struct buffer *buffer, uint64_t number)
{
	return buffer_copy_to(buffer, &number, sizeof(number)) < sizeof(number)
		       ? -EFAULT
		       : (ssize_t)sizeof(number);
}
