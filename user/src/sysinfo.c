/*
 * sysinfo: the machine at a glance, beside the outline that the project has its name from.
 *
 * Asks the kernel by system calls and the CPU by CPUID, and reads no file, so it works before /proc
 * is there. What a kernel cannot tell is left out.
 */
#include <cpuid.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "common/amount.h"
#include "common/program.h"
#include "common/screen.h"

#define CPUID_BRAND_FIRST 0x80000002U
#define CPUID_BRAND_LAST  0x80000004U
#define CPUID_HYPERVISOR  0x40000000U
#define CPUID_1_ECX_HYPER (1U << 31)

static const char help[] = "usage: sysinfo\n"
			   "Shows the system, its CPUs, memory, clock and root file system.\n";

static const char *const picture[] = {
	"             |",
	"             |",
	"           .-^-.",
	"          /_/_\\_\\",
	" ________(  ( )  )________",
	" '---(_)--\\     /--(_)---'",
	"           '-.-'",
	"           o   o",
};

#define PICTURE_WIDTH 29
#define PICTURE_LINES (sizeof(picture) / sizeof(*picture))

static struct screen screen;
static unsigned lines_printed;

static const char *in_colour(const char *sequence)
{
	return screen.has_colours ? sequence : "";
}

/* The next line of the picture, where there is room for one. */
static void print_picture_line(void)
{
	if (screen.columns < PICTURE_WIDTH + 40)
		return;
	printf("%s%-*s%s", in_colour("\033[1;36m"), PICTURE_WIDTH,
	       lines_printed < PICTURE_LINES ? picture[lines_printed] : "", in_colour("\033[0m"));
}

static void print_line(const char *label, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void print_line(const char *label, const char *format, ...)
{
	va_list arguments;

	print_picture_line();
	printf("%s%-9s%s", in_colour("\033[1;33m"), label, in_colour("\033[0m"));
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	lines_printed++;
}

static void show_system(void)
{
	struct utsname name;

	if (uname(&name) < 0)
		return;
	print_line("system", "%s %s on %s", name.sysname, name.release, name.machine);
	print_line("version", "%s", name.version);
	print_line("host", "%s", name.nodename);
}

/* The brand string is 48 characters, often with blanks in front. */
static void show_cpu_name(void)
{
	unsigned words[13] = {0}, eax, ebx, ecx, edx;
	const char *brand = (const char *)words;

	if (__get_cpuid_max(0x80000000U, NULL) >= CPUID_BRAND_LAST) {
		for (unsigned leaf = 0; leaf < 3; leaf++)
			__cpuid(CPUID_BRAND_FIRST + leaf, words[leaf * 4], words[leaf * 4 + 1],
				words[leaf * 4 + 2], words[leaf * 4 + 3]);
	} else {
		/* The vendor stands in EBX, EDX, ECX. */
		__cpuid(0, eax, words[0], words[2], words[1]);
	}
	print_line("cpu", "%s", brand + strspn(brand, " "));

	__cpuid(1, eax, ebx, ecx, edx);
	if (!(ecx & CPUID_1_ECX_HYPER))
		return;
	memset(words, 0, sizeof(words));
	__cpuid(CPUID_HYPERVISOR, eax, words[0], words[1], words[2]);
	if (*brand)
		print_line("under", "%s", brand);
}

static void show_cpu_count(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return;
	print_line("cpus", "%d that this program may use", CPU_COUNT(&cpus));
}

static void show_memory(const struct sysinfo *info)
{
	char total[AMOUNT_ROOM], free[AMOUNT_ROOM];
	unsigned long long unit = info->mem_unit ? info->mem_unit : 1;

	print_line("memory", "%s, %s free (%llu%%)", bytes_text(info->totalram * unit, total),
		   bytes_text(info->freeram * unit, free),
		   info->totalram ? info->freeram * 100ULL / info->totalram : 0ULL);
}

/* Magic numbers of statfs(2). */
static const char *filesystem_name(unsigned long magic)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} known[] = {
		{0xef53, "ext2"},      {0x01021994, "tmpfs"},    {0x794c7630, "overlay"},
		{0x9123683e, "btrfs"}, {0x58465342, "xfs"},      {0x65735546, "FUSE"},
		{0x858458f6, "ramfs"}, {0x73717368, "squashfs"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].magic == magic)
			return known[i].name;
	return "file system";
}

static void show_root(void)
{
	struct statfs root;
	char total[AMOUNT_ROOM], free[AMOUNT_ROOM];
	unsigned long long block;

	if (statfs("/", &root) < 0)
		return;
	block = (unsigned long long)root.f_bsize;
	print_line("root", "%s, %s, %s free", filesystem_name((unsigned long)root.f_type),
		   bytes_text(root.f_blocks * block, total),
		   bytes_text(root.f_bfree * block, free));
}

static void show_clock(void)
{
	time_t now = time(NULL);
	struct tm *utc = gmtime(&now);
	char text[40];

	if (utc && strftime(text, sizeof(text), "%A %F %T UTC", utc))
		print_line("clock", "%s", text);
}

/* The sixteen colours that every terminal has: a look tells whether they arrive. */
static void show_colours(void)
{
	if (!screen.has_colours)
		return;
	print_picture_line();
	printf("%-9s", "");
	for (int colour = 40; colour < 48; colour++)
		printf("\033[%dm  ", colour);
	for (int colour = 100; colour < 108; colour++)
		printf("\033[%dm  ", colour);
	puts("\033[0m");
	lines_printed++;
}

int main(int argc, char **argv)
{
	struct sysinfo info;

	program_start("sysinfo", help, argc, argv);
	screen = screen_get();
	show_system();
	show_cpu_name();
	show_cpu_count();
	if (sysinfo(&info) == 0) {
		char text[AMOUNT_ROOM];

		show_memory(&info);
		print_line("up", "%s, %u process%s",
			   duration_text((unsigned long)info.uptime, text), info.procs,
			   info.procs == 1 ? "" : "es");
	}
	show_root();
	show_clock();
	if (screen.is_terminal)
		print_line("terminal", "%u x %u", screen.columns, screen.rows);
	show_colours();
	return program_end(0);
}
