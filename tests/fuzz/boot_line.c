/* sources: arch/x86_64/boot_info.c kernel/percent.c
   with: lib/string.c
   options: max_len=1024 */
/*
 * The kernel's command line and the firmware's map under libFuzzer. The first byte says how many
 * changes of the map follow (10 bytes each), the rest is the line. Options are compared with a
 * second way of looking for them, and decoded text with a second way of decoding.
 */
#include "../../arch/x86_64/loader.h"
#include "../../kernel/percent.h"
#include "support/promise.h"

#include <arch/paging.h>

#include <ctype.h>
#include <string.h>

#define CHANGE_BYTES 10

extern struct boot_info boot_info_storage;

/* ---- the map ---- */

static void change_map(struct boot_info *info, const uint8_t *bytes)
{
	uint64_t start = (uint64_t)bytes[1] << 52 | (uint64_t)bytes[2] << 28 |
			 (uint64_t)bytes[3] << 12 | bytes[4];
	uint64_t size_bytes = (uint64_t)bytes[5] << 56 | (uint64_t)bytes[6] << 28 |
			      (uint64_t)bytes[7] << 12 | bytes[8];

	switch (bytes[0] % 5) {
	case 0:
		loader_add_range(info, start, start + MIN(size_bytes, UINT64_MAX - start),
				 bytes[9] % 2 ? MEMORY_USABLE : MEMORY_ACPI);
		break;
	case 1:
		loader_carve(info, start, start + MIN(size_bytes, UINT64_MAX - start),
			     MEMORY_TAKEN);
		break;
	case 2:
		loader_add_module(info, start, start + size_bytes, bytes[9] % 2 ? "a" : "ramdisk");
		break;
	default:
		for (unsigned pass = 0; pass < E820_PASSES; pass++)
			loader_add_e820(info, start, size_bytes, bytes[9] % 6, pass);
		break;
	}
	PROMISE(info->nranges <= BOOT_RANGES_MAX && info->nmodules <= BOOT_MODULES_MAX);
	for (unsigned i = 0; i < info->nranges; i++) {
		PROMISE(info->ranges[i].start < info->ranges[i].end);
		PROMISE(IS_ALIGNED(info->ranges[i].start, PAGE_SIZE));
		PROMISE(IS_ALIGNED(info->ranges[i].end, PAGE_SIZE));
		PROMISE(i == 0 || info->ranges[i - 1].end <= info->ranges[i].start);
	}
}

/* ---- options ---- */

/* The last word of `line` that is `name` or begins with `name=`: its value, else NULL. */
static const char *option_simply(const char *line, const char *name, char *copy)
{
	const char *found = NULL;
	char *state = NULL;

	strcpy(copy, line);
	for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		size_t len = strlen(name);

		if (strncmp(word, name, len) == 0 && (word[len] == '=' || word[len] == 0))
			found = word[len] ? word + len + 1 : word + len;
	}
	return found;
}

static void check_option(const char *name, const char *value)
{
	static const size_t rooms[] = {1, 5, 64};

	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		char *out = malloc(rooms[i]); /* exact: the sanitizer sees one byte too many */
		size_t len;

		PROMISE(out);
		PROMISE(boot_option(name, out, rooms[i]) == (value != NULL));
		if (value) {
			len = MIN(strlen(value), rooms[i] - 1);
			PROMISE(strlen(out) == len && memcmp(out, value, len) == 0);
		}
		free(out);
	}
	PROMISE(boot_option(name, NULL, 0) == (value != NULL));
}

static void check_options(const char *line)
{
	static const char *const names[] = {"root", "ksh", "ksh.run", "exec", "loglevel", "a", ""};
	char *copy = malloc(strlen(line) + 1);

	PROMISE(copy);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		check_option(names[i], option_simply(line, names[i], copy));
	free(copy);
}

/* ---- decoding ---- */

static void check_percent(const char *line)
{
	char *text = strdup(line);
	char *list[8];
	size_t len_bytes = 0, count, nul = 0, n = 0;
	err_t err;

	PROMISE(text);
	err = percent_decode(text, &len_bytes);
	PROMISE(len_bytes <= strlen(line));
	for (const char *c = line; n < len_bytes; c++, n++) {
		unsigned value = (unsigned char)*c;

		if (*c == '%') {
			PROMISE(sscanf(c + 1, "%2x", &value) == 1);
			c += 2;
		}
		PROMISE((unsigned char)text[n] == value);
		nul += !value;
	}
	if (!err) {
		PROMISE(text[len_bytes] == 0);
		count = percent_split(text, len_bytes, list, ARRAY_SIZE(list));
		PROMISE(count == nul + 1);
		PROMISE(list[MIN(count, ARRAY_SIZE(list) - 1)] == NULL);
		for (size_t i = 0; list[i]; i++)
			PROMISE(list[i] >= text && list[i] + strlen(list[i]) <= text + len_bytes);
		PROMISE(percent_split(text, len_bytes, NULL, 0) == count);
	} else {
		const char *c = line;

		/* Right there stands a % without its digits. */
		for (size_t i = 0; i < len_bytes; i++)
			c += *c == '%' ? 3 : 1;
		PROMISE(*c == '%' &&
			!(isxdigit((unsigned char)c[1]) && isxdigit((unsigned char)c[2])));
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct boot_info *info = &boot_info_storage;
	char *line;

	if (!size)
		return 0;
	memset(info, 0, sizeof(*info));
	for (unsigned n = *data++, at = (unsigned)size--; n && size >= CHANGE_BYTES && at; n--) {
		change_map(info, data);
		data += CHANGE_BYTES;
		size -= CHANGE_BYTES;
	}
	line = malloc(size + 1);
	PROMISE(line);
	memcpy(line, data, size);
	line[size] = '\0';
	info->cmdline = line;
	check_options(line);
	check_percent(line);
	info->cmdline = NULL;
	PROMISE(!boot_option("root", NULL, 0));
	free(line);
	return 0;
}
