/*
 * Measurements that need a program in ring 3: /bin/measure times system calls and page faults from
 * its own side of the border and says hundredths of a cycle on its standard output, a name and a
 * number a line, which goes to a file in /tmp; and the start of a program until its end is known.
 */
#include "bench_priv.h"

#include "process.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/wait.h>
#include <fusek/file.h>
#include <ipc/object.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define MEASURE_PROGRAM "/bin/measure"
#define RESULT_FILE     "/tmp/.measure"
#define SPAWN_PROGRAM   "/bin/true"
#define SPAWNS          8
#define NULL_CALL_LIMIT 160

static err_t run_program(const char *path, struct object *output)
{
	const char *argv[] = {path, NULL};
	struct spawn_request request = {
		.path = path,
		.argv = argv,
		.streams = {NULL, output, output},
	};
	int32_t pid;
	int status;
	err_t err = process_spawn(&request, &pid);

	if (!err)
		err = process_wait(pid, &status, NULL);
	if (!err && (!WIFEXITED(status) || WEXITSTATUS(status)))
		err = -EIO;
	return err;
}

/* ---- system calls and faults ---- */

static void add_line(struct bench_rows *rows, char *line)
{
	char *number = strrchr(line, ' ');
	uint64_t hundredths;

	if (!number)
		return;
	*number++ = '\0';
	if (string_to_u64(number, &hundredths) != 0)
		return;
	bench_add_value(rows, line, bench_counts_instructions() ? "instructions" : "cycles",
			hundredths,
			strcmp(line, "null system call") == 0 ? NULL_CALL_LIMIT * 100 : 0, "");
}

static void add_lines(struct bench_rows *rows, char *text)
{
	while (*text) {
		char *end = strchr(text, '\n');

		if (end)
			*end = '\0';
		add_line(rows, text);
		if (!end)
			return;
		text = end + 1;
	}
}

err_t bench_calls(struct bench_rows *rows)
{
	struct vfs_context context = vfs_kernel_context();
	struct object *file;
	char text[512];
	ssize_t got;
	err_t err = vfs_open(&context, NULL, RESULT_FILE, O_RDWR | O_CREAT | O_TRUNC, 0600, &file);

	if (err)
		return err;
	err = run_program(MEASURE_PROGRAM, file);
	if (!err) {
		got = object_read_kernel(file, text, sizeof(text) - 1, 0);
		err = got < 0 ? (err_t)got : 0;
		text[err ? 0 : got] = '\0';
		if (!err)
			add_lines(rows, text);
	}
	object_put(file);
	if (vfs_unlink(&context, NULL, RESULT_FILE, 0) != 0)
		err = err ? err : -EIO;
	return err;
}

/* ---- starting a program ---- */

err_t bench_spawn(struct bench_rows *rows)
{
	uint64_t least = 0;
	err_t err;

	for (unsigned i = 0; i <= SPAWNS; i++) {
		uint64_t start = clock_cycles();

		err = run_program(SPAWN_PROGRAM, NULL);
		if (err)
			return err;
		if (i) /* the first one fills the caches */
			bench_keep_least(&least, clock_cycles() - start);
	}
	bench_add(rows, "spawn of a program, until its end", least, 1, 0, SPAWN_PROGRAM);
	return 0;
}
