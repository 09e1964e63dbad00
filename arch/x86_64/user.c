/*
 * The range check in front of every access to a program's memory; user.asm copies.
 */
#include <arch/user.h>

#include <arch/cpu.h>
#include <arch/paging.h>
#include <lib/kasan.h>
#include <lib/panic.h>

#include <abi/errno.h>

size_t user_copy_raw(void *to, const void *from, size_t len_bytes);
size_t user_clear_raw(void *to, size_t len_bytes);
ssize_t user_string_raw(char *to, const char *from, size_t max_bytes);

int user_cas_raw(uint32_t *word, uint32_t *expected, uint32_t desired);

bool user_range_ok(uptr_t address, size_t len_bytes)
{
	return len_bytes <= USER_MAX && address.value <= USER_MAX - len_bytes;
}

size_t user_copy_in_partial(void *to, uptr_t from, size_t len_bytes)
{
	debug_assert(!preempt_depth());
	if (unlikely(!user_range_ok(from, len_bytes)))
		return len_bytes;
	kasan_check_write(to, len_bytes);
	return user_copy_raw(to, (const void *)from.value, len_bytes);
}

size_t user_copy_out_partial(uptr_t to, const void *from, size_t len_bytes)
{
	debug_assert(!preempt_depth());
	if (unlikely(!user_range_ok(to, len_bytes)))
		return len_bytes;
	kasan_check_read(from, len_bytes);
	return user_copy_raw((void *)to.value, from, len_bytes);
}

size_t user_copy_out_no_fault(uptr_t to, const void *from, size_t len_bytes)
{
	debug_assert(preempt_depth());
	if (unlikely(!user_range_ok(to, len_bytes)))
		return len_bytes;
	kasan_check_read(from, len_bytes);
	return user_copy_raw((void *)to.value, from, len_bytes);
}

err_t user_copy_in(void *to, uptr_t from, size_t len_bytes)
{
	return user_copy_in_partial(to, from, len_bytes) ? -EFAULT : 0;
}

err_t user_copy_out(uptr_t to, const void *from, size_t len_bytes)
{
	return user_copy_out_partial(to, from, len_bytes) ? -EFAULT : 0;
}

err_t user_clear(uptr_t to, size_t len_bytes)
{
	debug_assert(!preempt_depth());
	if (!user_range_ok(to, len_bytes) || user_clear_raw((void *)to.value, len_bytes))
		return -EFAULT;
	return 0;
}

ssize_t user_copy_string(char *to, uptr_t from, size_t to_bytes)
{
	size_t max_bytes = to_bytes;
	ssize_t len;

	debug_assert(!preempt_depth());
	if (from.value >= USER_MAX)
		return -EFAULT;
	kasan_check_write(to, to_bytes);
	max_bytes = MIN(max_bytes, USER_MAX - from.value);
	len = user_string_raw(to, (const char *)from.value, max_bytes);
	if (len < 0)
		return -EFAULT;
	if ((size_t)len == max_bytes)
		return max_bytes < to_bytes ? -EFAULT : -ENAMETOOLONG;
	return len;
}

err_t user_cas(uptr_t word, uint32_t *expected, uint32_t desired)
{
	debug_assert(!preempt_depth());
	return user_cas_no_fault(word, expected, desired);
}

err_t user_cas_no_fault(uptr_t word, uint32_t *expected, uint32_t desired)
{
	if (unlikely(!user_range_ok(word, sizeof(uint32_t))))
		return -EFAULT;
	kasan_check_write(expected, sizeof(*expected));
	return user_cas_raw((uint32_t *)word.value, expected, desired) ? -EFAULT : 0;
}
