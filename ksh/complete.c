/*
 * Completion's logic: find the word (parse.h), gather the names that begin as it does, and write
 * what they have in common back in the same quoting. Hidden names are offered only to a stem that
 * begins with a dot. Pure but for the source's functions.
 */
#include "complete.h"

#include <lib/fmt.h>
#include <lib/string.h>

#include "parse.h"

static void keep(struct completion *completion, const char *name, bool is_directory)
{
	size_t len = strlen(name);
	char *copy = completion->storage + completion->stored;
	size_t at = completion->nkept;

	if (completion->nkept == COMPLETE_MAX ||
	    completion->stored + len + 2 > sizeof(completion->storage))
		return;
	memcpy(copy, name, len);
	if (is_directory)
		copy[len++] = '/';
	copy[len++] = '\0';
	completion->stored += len;
	/* Inserted where it belongs: the list is sorted at any time. */
	for (; at > 0 && strcmp(completion->names[at - 1], copy) > 0; at--)
		completion->names[at] = completion->names[at - 1];
	completion->names[at] = copy;
	completion->nkept++;
}

static bool is_kept(const struct completion *completion, const char *name)
{
	for (size_t i = 0; i < completion->nkept; i++) {
		if (strcmp(completion->names[i], name) == 0)
			return true;
	}
	return false;
}

void completion_offer(struct completion *completion, const char *name, bool is_directory)
{
	char *common = completion->common;
	size_t shared = 0;

	if (strncmp(name, completion->stem, completion->stem_bytes) != 0 ||
	    (name[0] == '.' && completion->stem[0] != '.') || is_kept(completion, name))
		return;
	if (!completion->nmatches++) {
		string_copy(common, sizeof(completion->common) - 1, name);
		if (is_directory)
			memcpy(common + strlen(common), "/", 2);
	} else {
		while (common[shared] && common[shared] == name[shared])
			shared++;
		/* Never half a character: back to where one begins. */
		while (shared > 0 && ((unsigned char)common[shared] & 0xc0) == 0x80)
			shared--;
		common[shared] = '\0';
	}
	keep(completion, name, is_directory);
}

static const char quote_marks[] = {[QUOTE_SINGLE] = '\'', [QUOTE_DOUBLE] = '"'};

/* Writes the word anew: the directory as it was, then what the matches share. */
static void write_result(struct completion *completion, const struct open_word *word,
			 const char *directory)
{
	bool unique = completion->nmatches == 1;
	bool ends_in_slash;
	char value[sizeof(word->value) + sizeof(completion->common)];
	char *to = completion->with;
	size_t room = sizeof(completion->with) - 3; /* a quote at each end, or a blank */
	size_t len = 0;

	kernel_format(value, sizeof(value), "%s%s", directory, completion->common);
	ends_in_slash = value[0] && value[strlen(value) - 1] == '/';
	if (word->quote != QUOTE_NONE)
		to[len++] = quote_marks[word->quote];
	if (word->quote == QUOTE_NONE && string_starts_with(value, "~/")) {
		memcpy(to, value, 2); /* quoted, it would no longer be the home directory */
		len = 2;
	}
	if (!parse_quote(value + (word->quote == QUOTE_NONE ? len : 0), word->quote, to + len,
			 room - len))
		return;
	len = strlen(to);
	if (unique && !ends_in_slash) {
		if (word->quote != QUOTE_NONE)
			to[len++] = quote_marks[word->quote];
		to[len++] = ' ';
		to[len] = '\0';
	}
	completion->start = word->start;
	completion->extends = unique || strlen(completion->common) > completion->stem_bytes;
}

/* Splits value into "dir/" and the name's stem; `open` is what the directory is opened by. */
static const char *split_path(const char *value, char *directory, size_t directory_bytes,
			      char *open, size_t open_bytes)
{
	const char *slash = strrchr(value, '/');
	size_t len = slash ? (size_t)(slash + 1 - value) : 0;

	kernel_format(directory, directory_bytes, "%.*s", (int)len, value);
	if (!len)
		string_copy(open, open_bytes, ".");
	else if (directory[0] == '~' && directory[1] == '/')
		kernel_format(open, open_bytes, "/root/%s", directory + 2);
	else
		string_copy(open, open_bytes, directory);
	return value + len;
}

void complete(struct completion *completion, const struct completion_source *source,
	      const char *text, size_t len)
{
	struct open_word word;
	char directory[sizeof(word.value)];
	char open[sizeof(word.value) + 8];

	memset(completion, 0, offsetof(struct completion, storage));
	completion->stored = 0;
	completion->start = len;
	completion->with[0] = '\0';
	completion->extends = false;
	if (!parse_open_word(text, len, &word))
		return;

	directory[0] = '\0';
	completion->stem = word.value;
	completion->stem_bytes = strlen(word.value);
	if (word.index == 0 && !word.is_path && !strchr(word.value, '/')) {
		source->commands(source->argument, completion);
	} else if (word.is_path || word.index == 0 ||
		   !source->words(source->argument, word.command, word.index, completion)) {
		completion->stem =
			split_path(word.value, directory, sizeof(directory), open, sizeof(open));
		completion->stem_bytes = strlen(completion->stem);
		source->directory(source->argument, open, completion);
	}
	if (completion->nmatches)
		write_result(completion, &word, directory);
	completion->stem = NULL; /* it lay on our stack */
}
