/*
 * The parser: one pass over the text, no state kept between commands. Quoting as in POSIX shells:
 * '..' takes everything, ".." knows \" \\ \$ \`, a backslash outside takes the next character.
 * A word begins a redirection only if it is `<`, `>`, `>>`, `2>` or `2>>` unquoted. Pure.
 */
#include "parse.h"

#include <lib/fmt.h>
#include <lib/string.h>

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

static bool ends_word(char character)
{
	return !character || is_blank(character) || strchr(";&|<>()", character);
}

static const char *skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return *at == '#' ? at + strlen(at) : at;
}

/* One step of a quoted text. True: *out is a character of the word. False: `at` was a quote or a
 * backslash that only changes the state. */
static bool quote_step(const char **at, enum word_quote *quote, char *out)
{
	char character = *(*at)++;

	if (*quote == QUOTE_SINGLE) {
		if (character == '\'') {
			*quote = QUOTE_NONE;
			return false;
		}
	} else if (character == '"') {
		*quote = *quote == QUOTE_DOUBLE ? QUOTE_NONE : QUOTE_DOUBLE;
		return false;
	} else if (*quote == QUOTE_NONE && character == '\'') {
		*quote = QUOTE_SINGLE;
		return false;
	} else if (character == '\\' && **at && (*quote == QUOTE_NONE || strchr("\"\\$`", **at))) {
		character = *(*at)++;
	}
	*out = character;
	return true;
}

static bool store(struct command *command, char character)
{
	if (command->stored >= sizeof(command->storage))
		return false;
	command->storage[command->stored++] = character;
	return true;
}

static enum parse_result complain(char *problem, size_t problem_bytes, const char *text)
{
	string_copy(problem, problem_bytes, text);
	return PARSE_PROBLEM;
}

/* A word with at least one character or quote. NULL: `problem` is set. */
static const char *take_word(const char **text, struct command *command, char *problem,
			     size_t problem_bytes)
{
	const char *word = command->storage + command->stored;
	enum word_quote quote = QUOTE_NONE;
	const char *at = *text;

	/* A leading ~ is the home directory. */
	if (at[0] == '~' && (at[1] == '/' || ends_word(at[1]))) {
		for (const char *home = "/root"; *home; home++) {
			if (!store(command, *home))
				break;
		}
		at++;
	}
	while (*at && (quote != QUOTE_NONE || !ends_word(*at))) {
		char character;

		if (quote_step(&at, &quote, &character) && !store(command, character)) {
			complain(problem, problem_bytes, "the command is too long");
			return NULL;
		}
	}
	if (quote != QUOTE_NONE) {
		kernel_format(problem, problem_bytes, "a %s quote is not closed: add %s",
			      quote == QUOTE_SINGLE ? "single" : "double",
			      quote == QUOTE_SINGLE ? "'" : "\"");
		return NULL;
	}
	if (!store(command, '\0')) {
		complain(problem, problem_bytes, "the command is too long");
		return NULL;
	}
	*text = at;
	return word;
}

/* How many characters of `at` begin a redirection: `<`, `>`, `>>`, `1>`, `2>` ...; 0: none. */
static size_t redirection_bytes(const char *at)
{
	size_t digits = (at[0] == '1' || at[0] == '2') && at[1] == '>' ? 1 : 0;

	if (at[digits] == '<')
		return 1;
	if (at[digits] != '>')
		return 0;
	return digits + (at[digits + 1] == '>' ? 2 : 1);
}

static enum parse_result take_redirection(const char **text, size_t nbytes, struct command *command,
					  char *problem, size_t problem_bytes)
{
	const char *at = *text;
	bool append = at[nbytes - 1] == '>' && nbytes >= 2 && at[nbytes - 2] == '>';
	struct redirection *which = at[0] == '<'   ? &command->input
				    : at[0] == '2' ? &command->error
						   : &command->output;

	*text = at + nbytes;
	if (**text == '&') {
		if (which == &command->error && !append && (*text)[1] == '1' &&
		    ends_word((*text)[2])) {
			command->error_to_output = true;
			*text += 2;
			return PARSE_COMMAND;
		}
		return complain(problem, problem_bytes,
				"after > and & only `2>&1` is known here; name a file otherwise");
	}
	*text = skip_blanks(*text);
	if (ends_word(**text)) {
		kernel_format(problem, problem_bytes, "%.*s wants a file: echo hi > /tmp/hi",
			      (int)nbytes, at);
		return PARSE_PROBLEM;
	}
	which->append = append;
	which->path = take_word(text, command, problem, problem_bytes);
	return which->path ? PARSE_COMMAND : PARSE_PROBLEM;
}

static enum parse_result take_end(const char **text, struct command *command, char *problem,
				  size_t problem_bytes)
{
	switch (**text) {
	case '&':
		if ((*text)[1] == '&')
			return complain(problem, problem_bytes,
					"there is no && here: use ; between commands");
		command->background = true;
		(*text)++;
		break;
	case ';':
		(*text)++;
		break;
	case '|':
		return complain(
			problem, problem_bytes,
			"there are no pipes here: write to a file with > and read it with <");
	case '(':
	case ')':
		return complain(problem, problem_bytes,
				"parentheses mean nothing here: quote them, '(' or \\(");
	default:
		break;
	}
	if (!command->nwords)
		return complain(problem, problem_bytes,
				command->background ? "what shall run in the background? CMD &"
						    : "a command is missing");
	return PARSE_COMMAND;
}

enum parse_result parse_command(const char **text, struct command *command, char *problem,
				size_t problem_bytes)
{
	const char *at = skip_blanks(*text);
	const char *end;

	memset(command, 0, offsetof(struct command, storage));
	command->stored = 0;
	command->source = at;
	*text = at;
	if (!*at)
		return PARSE_END;
	for (at = skip_blanks(at); *at && !strchr(";&|()", *at); at = skip_blanks(at)) {
		size_t nbytes = redirection_bytes(at);

		if (nbytes) {
			if (take_redirection(&at, nbytes, command, problem, problem_bytes) !=
			    PARSE_COMMAND)
				return PARSE_PROBLEM;
			continue;
		}
		if (command->nwords == COMMAND_WORDS_MAX) {
			kernel_format(problem, problem_bytes, "more than %d words in one command",
				      COMMAND_WORDS_MAX);
			return PARSE_PROBLEM;
		}
		command->words[command->nwords] = take_word(&at, command, problem, problem_bytes);
		if (!command->words[command->nwords++])
			return PARSE_PROBLEM;
	}
	for (end = at; end > command->source && is_blank(end[-1]); end--)
		;
	command->source_bytes = (size_t)(end - command->source);
	*text = at;
	return take_end(text, command, problem, problem_bytes);
}

/* ---- for completion ---- */

static void begin_word(struct open_word *out, size_t start)
{
	out->start = start;
	out->value[0] = '\0';
	out->quote = QUOTE_NONE;
}

bool parse_open_word(const char *text, size_t len, struct open_word *out)
{
	const char *at = text;
	const char *end = text + len;
	bool in_word = false;
	size_t nvalue = 0;

	*out = (struct open_word){.start = len};
	while (at < end) {
		char character;

		if (out->quote == QUOTE_NONE && ends_word(*at)) {
			if (in_word && !out->is_path && out->index++ == 0)
				string_copy(out->command, sizeof(out->command), out->value);
			out->is_path =
				is_blank(*at) ? out->is_path && !in_word : *at == '<' || *at == '>';
			if (*at == ';' || *at == '&' || *at == '|') {
				out->index = 0;
				out->command[0] = '\0';
			}
			in_word = false;
			at++;
			begin_word(out, (size_t)(at - text));
			nvalue = 0;
			continue;
		}
		if (!in_word)
			begin_word(out, (size_t)(at - text));
		in_word = true;
		if (quote_step(&at, &out->quote, &character)) {
			if (nvalue + 1 >= sizeof(out->value))
				return false;
			out->value[nvalue++] = character;
			out->value[nvalue] = '\0';
		}
	}
	return at == end; /* a backslash at the very end took a character that is not ours */
}

bool parse_quote(const char *value, enum word_quote quote, char *to, size_t to_bytes)
{
	const char *special = quote == QUOTE_DOUBLE ? "\"\\$`" : " \t'\"\\$`;&|<>()#*?[]~!";
	size_t len = 0;

	for (; *value; value++) {
		bool escape = quote != QUOTE_SINGLE && strchr(special, *value);

		if (quote == QUOTE_SINGLE && *value == '\'')
			return false; /* cannot be written inside '..' */
		if (len + escape + 1 >= to_bytes)
			return false;
		if (escape)
			to[len++] = '\\';
		to[len++] = *value;
	}
	to[len] = '\0';
	return true;
}
