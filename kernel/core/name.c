/*
 * Patterns of core files' names. No state.
 */
#include "name.h"

#include <abi/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

struct name {
	char *to;
	size_t to_bytes;
	size_t len_bytes; /* of what would be there, had it room */
};

static void add_byte(struct name *name, char byte)
{
	if (name->len_bytes < name->to_bytes)
		name->to[name->len_bytes] = byte;
	name->len_bytes++;
}

static void add(struct name *name, const char *text)
{
	while (*text)
		add_byte(name, *text++);
}

static void add_number(struct name *name, uint64_t number)
{
	char digits[24];

	kernel_format(digits, sizeof(digits), "%lu", number);
	add(name, digits);
}

/* What a program chose leads nowhere: it has no slash, and is neither "." nor "..". */
static void add_foreign(struct name *name, const char *text)
{
	size_t len_bytes = strlen(text);

	if (*text == '.' && (len_bytes == 1 || (len_bytes == 2 && text[1] == '.'))) {
		add_byte(name, '!');
		text++;
	}
	for (; *text; text++)
		add_byte(name, *text == '/' ? '!' : *text);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_fact(struct name *name, char which, const struct core_facts *facts)
{
	switch (which) {
	case '%':
		return add_byte(name, '%');
	case 'p':
		return add_number(name, (uint64_t)facts->own_pid);
	case 'P':
		return add_number(name, (uint64_t)facts->pid);
	case 'i':
		return add_number(name, (uint64_t)facts->own_tid);
	case 'I':
		return add_number(name, (uint64_t)facts->tid);
	case 'u':
		return add_number(name, facts->uid);
	case 'g':
		return add_number(name, facts->gid);
	case 'd':
		return add_number(name, facts->dumpable);
	case 's':
		return add_number(name, (uint64_t)facts->signal);
	case 't':
		return add_number(name, facts->time_s);
	case 'c':
		return add_number(name, facts->limit_bytes);
	case 'C':
		return add_number(name, facts->cpu);
	case 'h':
		return add_foreign(name, facts->host);
	case 'e':
		return add_foreign(name, facts->name);
	case 'E':
		return add_foreign(name, facts->program);
	case 'f':
		return add_foreign(name, last_part(facts->program));
	default:
		break;
	}
}

err_t core_name(char *to, size_t to_bytes, const char *pattern, bool uses_pid,
		const struct core_facts *facts)
{
	struct name name = {.to = to, .to_bytes = to_bytes};
	bool has_pid = false;

	for (; *pattern; pattern++) {
		if (*pattern != '%') {
			add_byte(&name, *pattern);
		} else if (pattern[1]) {
			pattern++;
			has_pid |= *pattern == 'p' || *pattern == 'P';
			add_fact(&name, *pattern, facts);
		}
	}
	if (uses_pid && !has_pid) {
		add_byte(&name, '.');
		add_number(&name, (uint64_t)facts->own_pid);
	}
	if (name.len_bytes >= to_bytes)
		return -ENAMETOOLONG;
	to[name.len_bytes] = '\0';
	return name.len_bytes ? 0 : -ENOENT;
}
