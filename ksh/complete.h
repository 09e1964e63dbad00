/*
 * Completion: which names could the word before the cursor become? Commands for the first word of a
 * command, what the command asks for otherwise, else paths.
 */
#ifndef KSH_COMPLETE_H
#define KSH_COMPLETE_H

#include <lib/types.h>

#define COMPLETE_MAX        200  /* names kept for listing */
#define COMPLETE_NAME_BYTES 8192 /* for all of them */

struct completion;

/* Where names come from. Each calls completion_offer() for every name it has. */
struct completion_source {
	void *argument;
	/* Names of commands: ksh's own and the programs. */
	void (*commands)(void *argument, struct completion *completion);
	/* Entries of a directory ("." for the working directory). */
	void (*directory)(void *argument, const char *path, struct completion *completion);
	/* Words that `command` takes in place `index`; false: it takes paths. */
	bool (*words)(void *argument, const char *command, size_t index,
		      struct completion *completion);
};

struct completion {
	const char *stem; /* what a name must begin with */
	size_t stem_bytes;
	size_t nmatches;
	size_t nkept;
	const char *names[COMPLETE_MAX + 1]; /* the matches, sorted; directories end in '/' */
	char common[256];                    /* what all matches begin with */
	char storage[COMPLETE_NAME_BYTES];
	size_t stored;

	/* what to do: replace the text from `start` to the cursor by `with` */
	size_t start;
	char with[512];
	bool extends; /* `with` differs from what stands there */
};

void completion_offer(struct completion *completion, const char *name, bool is_directory);

/* For the text before the cursor. */
void complete(struct completion *completion, const struct completion_source *source,
	      const char *text, size_t len);

#endif
