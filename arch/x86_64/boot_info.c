/*
 * Owns the record of what the loader said. Filled in by the first CPU before anything else runs,
 * constant afterwards.
 *
 * The list of ranges is kept sorted and free of overlaps while it is made: a loader's map is input,
 * and firmware is known to overlap entries. Where two disagree, the memory is not used.
 */
#include "loader.h"

#include <arch/boot.h>
#include <lib/string.h>

struct boot_info boot_info_storage;
const struct boot_info *const boot_info = &boot_info_storage;

void loader_add_e820(struct boot_info *info, paddr_t start, uint64_t size_bytes, uint32_t type,
		     unsigned pass)
{
	paddr_t end;

	if (__builtin_add_overflow(start, size_bytes, &end))
		return;
	if (pass == 0) {
		if (type == E820_USABLE)
			loader_add_range(info, start, end, MEMORY_USABLE);
	} else if (type != E820_USABLE) {
		loader_carve(info, start, end, type == E820_ACPI ? MEMORY_ACPI : MEMORY_TAKEN);
		if (type == E820_ACPI)
			loader_add_range(info, start, end, MEMORY_ACPI);
	}
}

static void insert_range(struct boot_info *info, unsigned at, struct memory_range range)
{
	if (info->nranges == BOOT_RANGES_MAX || range.start >= range.end)
		return;
	for (unsigned i = info->nranges; i > at; i--)
		info->ranges[i] = info->ranges[i - 1];
	info->ranges[at] = range;
	info->nranges++;
}

void loader_add_range(struct boot_info *info, paddr_t start, paddr_t end, enum memory_type type)
{
	if (start > UINT64_MAX - PAGE_MASK)
		return;
	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	/* What is there already stays as it is; the gaps between are filled. */
	for (unsigned at = 0; start < end; at++) {
		paddr_t gap_end = at < info->nranges ? MIN(end, info->ranges[at].start) : end;

		if (start < gap_end) {
			insert_range(info, at, (struct memory_range){start, gap_end, type});
			start = gap_end;
		} else if (at < info->nranges) {
			start = MAX(start, info->ranges[at].end);
		}
	}
}

void loader_carve(struct boot_info *info, paddr_t start, paddr_t end, enum memory_type type)
{
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = end > UINT64_MAX - PAGE_MASK ? UINT64_MAX & ~PAGE_MASK : ALIGN_UP(end, PAGE_SIZE);
	for (unsigned i = 0; i < info->nranges; i++) {
		struct memory_range *range = &info->ranges[i];
		struct memory_range middle = {MAX(start, range->start), MIN(end, range->end), type};
		struct memory_range tail = {middle.end, range->end, range->type};

		if (range->type != MEMORY_USABLE || middle.start >= middle.end)
			continue;
		range->end = middle.start;
		insert_range(info, i + 1, tail);
		insert_range(info, i + 1, middle);
		if (info->ranges[i].start == info->ranges[i].end) {
			for (unsigned k = i; k + 1 < info->nranges; k++)
				info->ranges[k] = info->ranges[k + 1];
			info->nranges--;
		}
	}
}

void loader_add_module(struct boot_info *info, paddr_t start, paddr_t end, const char *name)
{
	struct boot_module *module;

	if (info->nmodules == BOOT_MODULES_MAX || start >= end)
		return;
	module = &info->modules[info->nmodules++];
	module->start = start;
	module->end = end;
	string_copy(module->name, sizeof(module->name), name);
}

static bool word_matches(const char *word, size_t len, const char *name, const char **value,
			 size_t *value_len)
{
	size_t name_len = strlen(name);

	if (len < name_len || strncmp(word, name, name_len) != 0)
		return false;
	if (len == name_len) {
		*value = "";
		*value_len = 0;
		return true;
	}
	*value = word + name_len + 1;
	*value_len = len - name_len - 1;
	return word[name_len] == '=';
}

/* The next word of the line, at or behind `at`, and its length; 0: there is none. */
static size_t next_word(const char **at)
{
	size_t len = 0;

	while (**at == ' ')
		++*at;
	while ((*at)[len] && (*at)[len] != ' ')
		len++;
	return len;
}

/* Looks for all, or for the first `want` of them. Returns how many there were, and has copied the
 * last. */
static unsigned find_option(const char *cmdline, const char *name, unsigned want, char *value,
			    size_t value_bytes)
{
	const char *found = NULL;
	size_t found_len = 0;
	unsigned count = 0;
	size_t len;

	for (const char *word = cmdline; count < want && (len = next_word(&word)) > 0;
	     word += len) {
		const char *text;
		size_t text_len;

		if (word_matches(word, len, name, &text, &text_len)) {
			found = text;
			found_len = text_len;
			count++;
		}
	}
	if (found && value_bytes) {
		found_len = MIN(found_len, value_bytes - 1);
		memcpy(value, found, found_len);
		value[found_len] = '\0';
	}
	return count;
}

bool boot_option_in(const char *cmdline, const char *name, char *value, size_t value_bytes)
{
	return find_option(cmdline, name, UINT32_MAX, value, value_bytes) > 0;
}

bool boot_option(const char *name, char *value, size_t value_bytes)
{
	return boot_info->cmdline && boot_option_in(boot_info->cmdline, name, value, value_bytes);
}

bool boot_option_nth(const char *name, unsigned nth, char *value, size_t value_bytes)
{
	return boot_info->cmdline &&
	       find_option(boot_info->cmdline, name, nth + 1, value, value_bytes) > nth;
}

void boot_option_blank(char *cmdline, const char *name)
{
	const char *word = cmdline;
	size_t len;

	for (; (len = next_word(&word)) > 0; word += len) {
		const char *text;
		size_t text_len;

		if (word_matches(word, len, name, &text, &text_len))
			memset(cmdline + (text - cmdline), 'x', text_len);
	}
}
