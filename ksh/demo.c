/*
 * demo: a minute's tour. Every step says what it shows, shows the line, and runs it as if it had
 * been typed. Any key goes on, Ctrl-C ends it.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"

#define STEP_PAUSE_NS (4 * NSEC_PER_SEC) /* goes on by itself after that */

struct step {
	const char *says;
	const char *lines[2];
};

static const struct step steps[] = {
	{"A program from the ramdisk, in ring 3, linked against musl:", {"hello"}},
	{"The machine that it ran on:", {"cpu"}},
	{"Where the memory is. The ramdisk is used in place, nothing of it was copied:", {"mem"}},
	{"Filesystems: the ramdisk is read-only, /tmp is memory, /dev are devices:",
	 {"mounts", "ls -l /bin"}},
	{"Writing needs /tmp:", {"echo hello from the tour > /tmp/tour", "cat /tmp/tour"}},
	{"Programs in the background share the processor; `ps' sees them:",
	 {"spin & spin &", "ps"}},
	{"They are ended by signals, and a fault ends nobody but its program:",
	 {"kill %1 %2; wait", "crash null"}},
	{"Every page of the kernel's own memory can be looked up, four levels deep:",
	 {"vm 0", "vm 0 text"}},
	{"What a program asks of the kernel, as strace shows it:", {"trace hello"}},
	{"And something to look at:", {"mandelbrot"}},
};

/* False: Ctrl-C. */
static bool pause_for_reader(void)
{
	uint64_t end_ns = kernel->clock_ns() + STEP_PAUSE_NS;

	print("%s-- any key goes on, Ctrl-C ends the tour --%s", paint(PAINT_DIM),
	      paint(PAINT_NONE));
	output_flush();
	for (uint64_t now_ns = kernel->clock_ns(); now_ns < end_ns; now_ns = kernel->clock_ns()) {
		unsigned char byte;
		long got = kernel->console_read(&byte, 1, end_ns - now_ns);

		if (got == 1) {
			print("\r\033[K");
			return byte != 3;
		}
	}
	print("\r\033[K");
	return true;
}

static void run_step_line(const char *line)
{
	print("%sksh>%s %s\n", paint(PAINT_BOLD), paint(PAINT_NONE), line);
	output_flush();
	run_line(line);
	output_flush();
}

int command_demo(size_t nwords, const char *const *words)
{
	if (nwords > 1)
		return usage(words[0]);
	if (!*paint(PAINT_NONE)) {
		complain("demo", "the tour wants the console");
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		print("\n%s%zu/%zu  %s%s\n", paint(PAINT_CYAN), i + 1, ARRAY_SIZE(steps),
		      steps[i].says, paint(PAINT_NONE));
		for (size_t line = 0; line < ARRAY_SIZE(steps[i].lines) && steps[i].lines[line];
		     line++)
			run_step_line(steps[i].lines[line]);
		if (i + 1 < ARRAY_SIZE(steps) && !pause_for_reader())
			return 130;
	}
	print("\nThat was the tour. `help' lists all commands.\n");
	return 0;
}
