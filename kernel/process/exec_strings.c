/*
 * Arguments and environment on their way from one address space to the next: one block that grows.
 */
#include "exec.h"

#include <abi/errno.h>
#include <arch/user.h>
#include <lib/string.h>
#include <mm/kva.h>

#define FIRST_BYTES 1024

void exec_strings_free(struct exec_strings *strings)
{
	kvfree(strings->block, strings->room_bytes);
	*strings = (struct exec_strings){0};
}

static err_t grow(struct exec_strings *strings)
{
	size_t room_bytes = strings->room_bytes ? 2 * strings->room_bytes : FIRST_BYTES;
	char *block = kvmalloc(room_bytes);

	if (!block)
		return -ENOMEM;
	if (strings->len_bytes)
		memcpy(block, strings->block, strings->len_bytes);
	kvfree(strings->block, strings->room_bytes);
	strings->block = block;
	strings->room_bytes = room_bytes;
	return 0;
}

/* One string more is `len_bytes` long, with its NUL. */
static err_t count(struct exec_request *request, struct exec_strings *strings, size_t len_bytes)
{
	uint64_t used = request->argv.len_bytes + request->envp.len_bytes +
			(request->argv.count + request->envp.count) * sizeof(uint64_t);

	if (len_bytes > EXEC_STRING_BYTES_MAX ||
	    used + len_bytes + sizeof(uint64_t) > request->strings_bytes_max)
		return -E2BIG;
	strings->len_bytes += len_bytes;
	strings->count++;
	return 0;
}

static err_t add_from_user(struct exec_request *request, struct exec_strings *strings, uptr_t from)
{
	for (;;) {
		size_t room_bytes = strings->room_bytes - strings->len_bytes;
		ssize_t len = -ENAMETOOLONG;
		err_t err;

		if (room_bytes)
			len = user_copy_string(strings->block + strings->len_bytes, from,
					       MIN(room_bytes, EXEC_STRING_BYTES_MAX));
		if (len >= 0)
			return count(request, strings, (size_t)len + 1);
		if (len != -ENAMETOOLONG)
			return (err_t)len;
		if (room_bytes >= EXEC_STRING_BYTES_MAX)
			return -E2BIG;
		err = grow(strings);
		if (err)
			return err;
	}
}

err_t exec_strings_from_user(struct exec_request *request, struct exec_strings *strings,
			     uptr_t vector)
{
	/* As Linux: no vector at all is an empty one. */
	for (; !uptr_is_null(vector); vector = uptr_add(vector, sizeof(uint64_t))) {
		uint64_t string;
		err_t err;

		if (user_get(&string, vector))
			return -EFAULT;
		if (!string)
			return 0;
		err = add_from_user(request, strings, uptr(string));
		if (err)
			return err;
	}
	return 0;
}

static err_t make_room(struct exec_strings *strings, size_t len_bytes)
{
	while (strings->room_bytes - strings->len_bytes < len_bytes) {
		err_t err = grow(strings);

		if (err)
			return err;
	}
	return 0;
}

err_t exec_strings_from_kernel(struct exec_request *request, struct exec_strings *strings,
			       const char *const *list)
{
	for (; list && *list; list++) {
		size_t len_bytes = strnlen(*list, EXEC_STRING_BYTES_MAX) + 1;
		err_t err;

		if (len_bytes > EXEC_STRING_BYTES_MAX)
			return -E2BIG;
		err = make_room(strings, len_bytes);
		if (err)
			return err;
		memcpy(strings->block + strings->len_bytes, *list, len_bytes);
		err = count(request, strings, len_bytes);
		if (err)
			return err;
	}
	return 0;
}

err_t exec_strings_put_first(struct exec_request *request, struct exec_strings *strings,
			     const char *text)
{
	size_t len_bytes = strlen(text) + 1;
	size_t before = strings->len_bytes;
	err_t err = make_room(strings, len_bytes);

	if (!err)
		err = count(request, strings, len_bytes);
	if (err)
		return err;
	memmove(strings->block + len_bytes, strings->block, before);
	memcpy(strings->block, text, len_bytes);
	return 0;
}

void exec_strings_drop_first(struct exec_strings *strings)
{
	size_t len_bytes;

	if (!strings->count)
		return;
	len_bytes = strlen(strings->block) + 1;
	strings->len_bytes -= len_bytes;
	strings->count--;
	memmove(strings->block, strings->block + len_bytes, strings->len_bytes);
}
