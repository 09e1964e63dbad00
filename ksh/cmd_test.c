/*
 * selftest and bench: choosing by name, running, and the table of results.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"
#include "suggest.h"

/* True if no names were given, or one of them is part of `name`. */
static bool is_chosen(const char *name, size_t nwords, const char *const *words)
{
	for (size_t i = 1; i < nwords; i++) {
		if (strstr(name, words[i]))
			return true;
	}
	return nwords == 1;
}

static int complain_no_match(const char *command, const char *typed,
			     const char *(*name_of)(size_t number))
{
	struct suggestion suggestion;
	const char *name;

	suggest_init(&suggestion, typed);
	for (size_t i = 0; (name = name_of(i)); i++)
		suggest_consider(&suggestion, name);
	if (suggest_result(&suggestion))
		complain(command, "%s: no such name. Did you mean `%s'?", typed,
			 suggest_result(&suggestion));
	else
		complain(command, "%s: no such name; Tab lists them", typed);
	return 2;
}

/* ---- selftest ---- */

static bool run_test(size_t number, const char *name)
{
	struct ksh_test_result result = {0};
	int err;

	print("%-52s ", name);
	output_flush();
	err = kernel->selftest_run(number, &result);
	if (!err && result.passed) {
		print("%sok%s %9s\n", paint(PAINT_GREEN), paint(PAINT_NONE),
		      human_time(result.took_ns));
		return true;
	}
	print("%sFAILED%s\n    %s\n", paint(PAINT_RED), paint(PAINT_NONE),
	      err ? error_text(err) : result.failure);
	return false;
}

int command_selftest(size_t nwords, const char *const *words)
{
	unsigned passed = 0;
	unsigned failed = 0;
	bool others = false; /* those that are not named */
	const char *name;

	if (nwords == 2 && strcmp(words[1], "-l") == 0) {
		for (size_t i = 0; (name = kernel->selftest_name(i)); i++)
			print("%s\n", name);
		return 0;
	}
	if (nwords > 2 && strcmp(words[1], "-v") == 0) {
		others = true;
		words++;
		nwords--;
	}
	for (size_t i = 0; (name = kernel->selftest_name(i)) && !interrupted(); i++) {
		if (is_chosen(name, nwords, words) == others)
			continue;
		if (run_test(i, name))
			passed++;
		else
			failed++;
	}
	if (!passed && !failed)
		return nwords > 1 ? complain_no_match("selftest", words[1], kernel->selftest_name)
				  : 1;
	print("%s%u passed, %u failed%s\n", failed ? paint(PAINT_RED) : paint(PAINT_GREEN), passed,
	      failed, paint(PAINT_NONE));
	return failed ? 1 : 0;
}

/* ---- bench ---- */

#define ROWS_MAX 16

static void print_row(const struct ksh_bench_row *row)
{
	bool broken = row->limit && row->value > row->limit;
	char value[32];

	if (!row->unit[0])
		string_copy(value, sizeof(value), "-");
	else if (row->value % 100 && row->value < 1000000)
		kernel_format(value, sizeof(value), "%lu.%02lu", row->value / 100,
			      row->value % 100);
	else
		kernel_format(value, sizeof(value), "%lu", row->value / 100);
	print("%-40s %12s %-12s", row->name, value, row->unit);
	if (row->limit)
		print(" %s%s %lu%s", broken ? paint(PAINT_RED) : paint(PAINT_GREEN),
		      broken ? "above" : "within", row->limit / 100, paint(PAINT_NONE));
	print("  %s%s%s\n", paint(PAINT_DIM), row->note, paint(PAINT_NONE));
}

static int run_bench(size_t number, const char *name, struct ksh_bench_row *rows)
{
	long count = kernel->bench_run(number, rows, ROWS_MAX);

	if (count == -ENOENT) {
		print("%-40s %12s              its program is not in the ramdisk\n", name, "-");
		return 1;
	}
	if (count < 0) {
		complain("bench", "%s: %s", name, error_text(count));
		return 1;
	}
	for (long i = 0; i < MIN(count, (long)ROWS_MAX); i++)
		print_row(&rows[i]);
	output_flush();
	return 0;
}

int command_bench(size_t nwords, const char *const *words)
{
	struct ksh_bench_row *rows;
	struct ksh_machine machine;
	bool any = false;
	int status = 0;
	const char *name;

	kernel->machine_info(&machine);
	if (strcmp(machine.build, "release") != 0) {
		complain("bench",
			 "this is the %s build, and figures mean the release build: "
			 "./fuselage run --preset release",
			 machine.build);
		return 1;
	}
	rows = kernel->memory_alloc(ROWS_MAX * sizeof(*rows));
	if (!rows) {
		complain("bench", "out of memory");
		return 1;
	}
	print("%sbuild %s, %u CPU, figures in %s%s\n", paint(PAINT_BOLD), machine.build,
	      machine.ncpus,
	      kernel->bench_counts_instructions()
		      ? "instructions"
		      : "TSC cycles: `./fuselage run --icount' counts instructions",
	      paint(PAINT_NONE));
	output_flush();
	for (size_t i = 0; (name = kernel->bench_name(i)) && !interrupted(); i++) {
		if (!is_chosen(name, nwords, words))
			continue;
		any = true;
		status |= run_bench(i, name, rows);
	}
	kernel->memory_free(rows);
	if (!any && nwords > 1)
		return complain_no_match("bench", words[1], kernel->bench_name);
	return status;
}
