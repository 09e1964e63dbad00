/* sources: ksh/line.c ksh/line_draw.c ksh/keys.c ksh/history.c ksh/complete.c ksh/parse.c
   with: lib/fmt.c lib/string.c lib/utf8.c
   options: max_len=160 */
/*
 * Everything of ksh that sees what was typed, under libFuzzer: the first two bytes are the window,
 * the rest are keys. Lines that are entered go to the history and through the parser, Tab through
 * completion.
 */
#include "complete.h"
#include "line.h"
#include "parse.h"
#include "support/promise.h"
#include <lib/utf8.h>

#include <string.h>

struct session {
	struct line line;
	struct history history;
	struct completion completion;
	struct command command;
	unsigned rows, columns;
	uint64_t written; /* so that what is written is read */
};

static void host_write(void *argument, const char *text, size_t len)
{
	struct session *session = argument;

	for (size_t i = 0; i < len; i++)
		session->written += (unsigned char)text[i];
}

static void host_window(void *argument, unsigned *rows, unsigned *columns)
{
	const struct session *session = argument;

	*rows = session->rows;
	*columns = session->columns;
}

static void offer_commands(void *argument, struct completion *completion)
{
	completion_offer(completion, "cat", false);
	completion_offer(completion, "clear", false);
	completion_offer(completion, "help", false);
}

static void offer_directory(void *argument, const char *path, struct completion *completion)
{
	completion_offer(completion, "a file", false);
	completion_offer(completion, "a'b\"c", false);
	completion_offer(completion, "\xc3\xa4\xff", strlen(path) & 1);
	completion_offer(completion, ".hidden", true);
}

static bool offer_words(void *argument, const char *command, size_t index,
			struct completion *completion)
{
	completion_offer(completion, "on", false);
	return strcmp(command, "trace") == 0 && index == 1;
}

static const struct completion_source source = {
	.commands = offer_commands, .directory = offer_directory, .words = offer_words};

static void host_complete(void *argument, struct line *line, bool again)
{
	struct session *session = argument;
	struct completion *completion = &session->completion;

	complete(completion, &source, line->text, line->cursor);
	PROMISE(completion->start <= line->cursor);
	if (completion->extends && line_replace(line, completion->start, completion->with))
		line_draw(line);
	else if (again)
		line_list(line, completion->names, completion->nkept,
			  completion->nmatches - completion->nkept);
	else
		line_beep(line);
}

static void run(struct session *session, const char *line)
{
	struct command *command = &session->command;
	char problem[160];

	while (parse_command(&line, command, problem, sizeof(problem)) == PARSE_COMMAND) {
		PROMISE(command->nwords > 0 && command->nwords <= COMMAND_WORDS_MAX);
		PROMISE(!command->words[command->nwords]);
		for (size_t i = 0; i < command->nwords; i++)
			PROMISE(strlen(command->words[i]) < COMMAND_BYTES_MAX);
	}
}

static void check(const struct line *line)
{
	PROMISE(line->len < LINE_BYTES_MAX && line->text[line->len] == '\0');
	PROMISE(strlen(line->text) == line->len);
	PROMISE(line->cursor <= line->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session *session = calloc(1, sizeof(*session));
	struct line_host host = {.argument = session,
				 .write = host_write,
				 .window = host_window,
				 .complete = host_complete};

	PROMISE(session);
	if (size < 2) {
		free(session);
		return 0;
	}
	session->rows = data[0];
	session->columns = data[1];
	history_init(&session->history, malloc, free);
	line_init(&session->line, &host, &session->history);
	line_start(&session->line, "\033[1mksh>\033[0m ");
	for (size_t i = 2; i < size; i++) {
		enum line_event event = line_feed(&session->line, data[i]);

		check(&session->line);
		if (event == LINE_EDITING)
			continue;
		if (event == LINE_ENTERED) {
			history_add(&session->history, session->line.text);
			run(session, session->line.text);
		}
		line_start(&session->line, "\033[1mksh>\033[0m ");
	}
	for (size_t i = 0; i < session->history.count; i++)
		free((char *)history_line(&session->history, i));
	free(session);
	return 0;
}
