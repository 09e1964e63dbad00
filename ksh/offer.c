/*
 * What completion may offer: ksh's commands, the programs of /bin, the entries of directories, and
 * the words that a command takes. complete.c decides.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "complete.h"
#include "shell.h"

#define MODE_DIRECTORY 0040000u
#define MODE_LINK      0120000u
#define MODE_TYPE      0170000u

static bool is_directory(const char *folder, const struct ksh_dirent *entry)
{
	uint32_t mode = (uint32_t)entry->type << 12;
	char path[KSH_PATH_MAX];
	struct ksh_stat stat;

	if (mode != MODE_LINK && mode != 0)
		return mode == MODE_DIRECTORY;
	kernel_format(path, sizeof(path), "%s/%s", folder, entry->name);
	return kernel->file_stat(path, true, &stat) == 0 &&
	       (stat.mode & MODE_TYPE) == MODE_DIRECTORY;
}

static void offer_directory(void *argument, const char *path, struct completion *completion)
{
	int folder = kernel->file_open(path, KSH_OPEN_READ | KSH_OPEN_DIRECTORY, 0);
	struct ksh_dirent entry;

	if (folder < 0)
		return;
	while (kernel->file_entries(folder, &entry, 1) > 0) {
		if (strcmp(entry.name, ".") != 0 && strcmp(entry.name, "..") != 0)
			completion_offer(completion, entry.name, is_directory(path, &entry));
	}
	kernel->file_close(folder);
}

static void offer_commands(void *argument, struct completion *completion)
{
	const struct builtin *builtin;

	for (size_t i = 0; (builtin = builtin_at(i)); i++)
		completion_offer(completion, builtin->name, false);
	offer_directory(NULL, "/bin", completion);
}

static void offer_tests(struct completion *completion)
{
	const char *name;

	for (size_t i = 0; (name = kernel->selftest_name(i)); i++)
		completion_offer(completion, name, false);
}

static void offer_benches(struct completion *completion)
{
	const char *name;

	for (size_t i = 0; (name = kernel->bench_name(i)); i++)
		completion_offer(completion, name, false);
}

static void offer_triggers(struct completion *completion)
{
	struct ksh_trigger trigger;

	for (size_t i = 0; kernel->trigger_info(i, &trigger) == 0; i++)
		completion_offer(completion, trigger.name, false);
	completion_offer(completion, "ksh", false);
}

static bool offer_words(void *argument, const char *command, size_t index,
			struct completion *completion)
{
	const struct builtin *builtin = builtin_find(command);

	if (strcmp(command, "help") == 0 || (strcmp(command, "time") == 0 && index == 1)) {
		offer_commands(NULL, completion);
		return true;
	}
	if (strcmp(command, "trace") == 0 && index == 1)
		offer_commands(NULL, completion);
	if (strcmp(command, "selftest") == 0)
		offer_tests(completion);
	if (strcmp(command, "bench") == 0)
		offer_benches(completion);
	if (strcmp(command, "panic") == 0)
		offer_triggers(completion);
	if (strcmp(command, "keymap") == 0) {
		completion_offer(completion, "us", false);
		offer_directory(NULL, "/lib/keymaps", completion);
		return true;
	}
	if (!builtin || !builtin->arguments)
		return false;
	for (const char *const *word = builtin->arguments; *word; word++)
		completion_offer(completion, *word, false);
	return true;
}

static const struct completion_source source = {
	.commands = offer_commands,
	.directory = offer_directory,
	.words = offer_words,
};

void offer_completion(void *argument, struct line *line, bool again)
{
	/* Static: too large for a kernel stack; one completion at a time. */
	static struct completion completion;

	complete(&completion, &source, line->text, line->cursor);
	if (completion.extends) {
		if (line_replace(line, completion.start, completion.with))
			line_draw(line);
		else
			line_beep(line);
	} else if (completion.nmatches > 1 && again) {
		line_list(line, completion.names, completion.nkept,
			  completion.nmatches - completion.nkept);
	} else {
		line_beep(line);
	}
}
