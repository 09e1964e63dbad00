/*
 * Growing texts: one block, from the heap while it is small. No state.
 */
#include "text.h"

#include <abi/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/kva.h>

#define FIRST_BYTES 512
#define BYTES_MAX   (64 * MIB)

char *text_reserve(struct text *text, size_t len_bytes)
{
	size_t room_bytes = MAX(text->room_bytes, (size_t)FIRST_BYTES);
	char *block = NULL;

	if (text->err)
		return NULL;
	if (text->room_bytes - text->len_bytes >= len_bytes)
		return text->bytes + text->len_bytes;
	while (room_bytes - text->len_bytes < len_bytes && room_bytes < BYTES_MAX)
		room_bytes *= 2;
	if (room_bytes - text->len_bytes >= len_bytes)
		block = kvmalloc(room_bytes);
	if (!block) {
		text->err = -ENOMEM;
		return NULL;
	}
	memcpy(block, text->bytes, text->len_bytes);
	kvfree(text->bytes, text->room_bytes);
	text->bytes = block;
	text->room_bytes = room_bytes;
	return block + text->len_bytes;
}

void text_add_bytes(struct text *text, const void *bytes, size_t len_bytes)
{
	char *to = text_reserve(text, len_bytes);

	if (!to)
		return;
	memcpy(to, bytes, len_bytes);
	text->len_bytes += len_bytes;
}

void text_add(struct text *text, const char *format, ...)
{
	va_list arguments;
	size_t room_bytes = text->room_bytes - text->len_bytes;
	size_t len_bytes;
	char *to;

	va_start(arguments, format);
	len_bytes = kernel_format_list(room_bytes ? text->bytes + text->len_bytes : NULL,
				       room_bytes, format, arguments);
	va_end(arguments);
	if (len_bytes >= room_bytes) {
		to = text_reserve(text, len_bytes + 1);
		if (!to)
			return;
		va_start(arguments, format);
		kernel_format_list(to, len_bytes + 1, format, arguments);
		va_end(arguments);
	}
	if (!text->err)
		text->len_bytes += len_bytes;
}

void text_add_escaped(struct text *text, const char *name, const char *special)
{
	for (; *name; name++) {
		if (strchr(special, *name))
			text_add(text, "\\%03o", (unsigned)*name);
		else
			text_add_bytes(text, name, 1);
	}
}

void text_add_name(struct text *text, const char *name)
{
	for (; *name; name++) {
		if (*name == '\n')
			text_add(text, "\\n");
		else if (*name == '\\')
			text_add(text, "\\\\");
		else
			text_add_bytes(text, name, 1);
	}
}

void text_free(struct text *text)
{
	kvfree(text->bytes, text->room_bytes);
	*text = (struct text){0};
}
