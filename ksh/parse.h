/*
 * From a line to commands: words with their quoting resolved, redirections, and what ends the
 * command (`&`, `;`, the end of the line). No pipes, variables or patterns: where they are written,
 * the problem says so.
 */
#ifndef KSH_PARSE_H
#define KSH_PARSE_H

#include <lib/types.h>

#define COMMAND_WORDS_MAX 64
#define COMMAND_BYTES_MAX 2048

struct redirection {
	const char *path; /* NULL: the console */
	bool append;
};

struct command {
	const char *words[COMMAND_WORDS_MAX + 1]; /* ends with NULL */
	size_t nwords;
	struct redirection input;
	struct redirection output;
	struct redirection error;
	bool error_to_output; /* 2>&1 */
	bool background;
	const char *source; /* the command as it was typed */
	size_t source_bytes;
	char storage[COMMAND_BYTES_MAX];
	size_t stored;
};

enum parse_result { PARSE_COMMAND, PARSE_END, PARSE_PROBLEM };

/* Takes the next command from *text, which moves behind it. PARSE_END: there is none.
 * PARSE_PROBLEM: `problem` says what is wrong and what to type instead. */
enum parse_result parse_command(const char **text, struct command *command, char *problem,
				size_t problem_bytes);

/* ---- for completion ---- */

enum word_quote { QUOTE_NONE, QUOTE_SINGLE, QUOTE_DOUBLE };

/* The word that a cursor at the end of a text stands in. */
struct open_word {
	size_t start;          /* where it begins in the text */
	char value[512];       /* with its quoting resolved */
	enum word_quote quote; /* that is still open */
	size_t index;          /* of the word in its command; 0: the command's name */
	bool is_path;          /* it follows a redirection */
	char command[64];      /* the command's name, if the word is another one */
};

/* False: the word is too long to complete. */
bool parse_open_word(const char *text, size_t len, struct open_word *out);

/* Writes `value` so that it reads back as itself in that state of quoting, without the closing
 * quote. False: it did not fit. */
bool parse_quote(const char *value, enum word_quote quote, char *to, size_t to_bytes);

#endif
