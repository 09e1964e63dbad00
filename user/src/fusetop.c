/*
 * fusetop: what the programs that serve mounts are asked, how many bytes that moves, and how long
 * each kind of request takes.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/amount.h"
#include "common/program.h"
#include "common/seconds.h"

#define MOUNTS      "/proc/self/mountinfo"
#define CONNECTIONS "/sys/fs/fuse/connections"

#define MOUNTS_MAX 64
#define KINDS_MAX  64 /* of requests */
#define LATENCIES  20 /* bucket i: below 2^i units */
#define UNIT_NS    1024.0

static const char help[] =
	"usage: fusetop [-1] [SECONDS]\n"
	"Shows what is asked of the programs that serve mounts, anew after each SECONDS (1).\n"
	"  -1  once, all since each mount was made\n"
	"LATENCY has a character for a range of times, from below 1 us on, each twice the one\n"
	"before: the more requests took so long, the darker.\n";

struct kind {
	char name[24];
	unsigned long long count, bytes;
	unsigned long latencies[LATENCIES];
};

struct served {
	char at[200];
	char type[32];
	unsigned number; /* of its connection */
	unsigned nkinds;
	struct kind kinds[KINDS_MAX];
};

static struct served before[MOUNTS_MAX], now[MOUNTS_MAX];
static unsigned nbefore, nnow;

/* ---- what the kernel says ---- */

static bool read_kind(const char *line, struct kind *kind)
{
	int end;

	if (sscanf(line, "%23s %llu %llu%n", kind->name, &kind->count, &kind->bytes, &end) != 3)
		return false;
	line += end;
	for (unsigned i = 0; i < LATENCIES; i++) {
		char *next;

		kind->latencies[i] = strtoul(line, &next, 10);
		if (next == line)
			return false;
		line = next;
	}
	return true;
}

/* Its folder is for who has mounted it alone, and root. */
static bool read_requests(struct served *served)
{
	char line[512];
	FILE *file;

	snprintf(line, sizeof(line), CONNECTIONS "/%u/requests", served->number);
	file = fopen(line, "r");
	if (!file)
		return false;
	while (served->nkinds < KINDS_MAX && fgets(line, sizeof(line), file))
		served->nkinds += read_kind(line, &served->kinds[served->nkinds]);
	fclose(file);
	return true;
}

static bool read_mount(const char *line, struct served *served)
{
	const char *behind = strstr(line, " - ");

	return behind &&
	       sscanf(line, "%*u %*u %*u:%u %*s %199s", &served->number, served->at) == 2 &&
	       sscanf(behind, " - %31s", served->type) == 1 &&
	       strncmp(served->type, "fuse", 4) == 0 && strcmp(served->type, "fusectl") != 0;
}

/* A filesystem that is mounted twice is shown where it is first. */
static bool is_known(unsigned number)
{
	for (unsigned i = 0; i < nnow; i++) {
		if (now[i].number == number)
			return true;
	}
	return false;
}

static int look(void)
{
	FILE *mounts = fopen(MOUNTS, "r");
	char line[1024];

	if (!mounts) {
		complain_errno(MOUNTS);
		return 1;
	}
	memcpy(before, now, sizeof(now));
	nbefore = nnow;
	nnow = 0;
	while (nnow < MOUNTS_MAX && fgets(line, sizeof(line), mounts)) {
		struct served *served = &now[nnow];

		memset(served, 0, sizeof(*served));
		if (read_mount(line, served) && !is_known(served->number) && read_requests(served))
			nnow++;
	}
	fclose(mounts);
	return 0;
}

/* ---- what came since the last look ---- */

static const struct kind *kind_before(const struct served *served, const char *name)
{
	for (unsigned i = 0; i < nbefore; i++) {
		for (unsigned k = 0; before[i].number == served->number && k < before[i].nkinds;
		     k++) {
			if (strcmp(before[i].kinds[k].name, name) == 0)
				return &before[i].kinds[k];
		}
	}
	return NULL;
}

static struct kind since(const struct served *served, const struct kind *kind)
{
	const struct kind *old = kind_before(served, kind->name);
	struct kind change = *kind;

	if (!old || old->count > kind->count)
		return change;
	change.count -= old->count;
	change.bytes -= old->bytes;
	for (unsigned i = 0; i < LATENCIES; i++)
		change.latencies[i] -= old->latencies[i];
	return change;
}

/* ---- showing ---- */

/* Below how much `part` of them took. */
static const char *quantile(const struct kind *kind, double part, char text[AMOUNT_ROOM])
{
	double wanted = part * (double)kind->count, sum = 0;
	double below_us = UNIT_NS / 1000;

	for (unsigned i = 0; i < LATENCIES; i++, below_us *= 2) {
		sum += (double)kind->latencies[i];
		if (sum >= wanted)
			break;
	}
	if (below_us < 1000)
		snprintf(text, AMOUNT_ROOM, "%.0f us", below_us);
	else
		snprintf(text, AMOUNT_ROOM, "%.0f ms", below_us / 1000);
	return text;
}

static void draw(const struct kind *kind, char text[LATENCIES + 1])
{
	static const char shades[] = ".:-=+*#@";

	for (unsigned i = 0; i < LATENCIES; i++) {
		unsigned long long share =
			kind->count ? kind->latencies[i] * (sizeof(shades) - 2) / kind->count : 0;

		text[i] = kind->latencies[i] ? shades[share] : ' ';
	}
	text[LATENCIES] = 0;
}

static void show_kind(const struct kind *kind)
{
	char bytes[AMOUNT_ROOM], median[AMOUNT_ROOM], most[AMOUNT_ROOM], latency[LATENCIES + 1];

	draw(kind, latency);
	printf("  %-18s %9llu %10s %8s %8s |%s|\n", kind->name, kind->count,
	       bytes_text(kind->bytes, bytes), quantile(kind, 0.5, median),
	       quantile(kind, 0.99, most), latency);
}

static void show(void)
{
	for (unsigned i = 0; i < nnow; i++) {
		printf("%s (%s)\n", now[i].at, now[i].type);
		printf("  %-18s %9s %10s %8s %8s |%-20s|\n", "REQUEST", "COUNT", "BYTES", "MEDIAN",
		       "99 %", "LATENCY");
		for (unsigned k = 0; k < now[i].nkinds; k++) {
			struct kind change = since(&now[i], &now[i].kinds[k]);

			if (change.count)
				show_kind(&change);
		}
	}
	if (!nnow)
		printf("no mount is served by a program, or none of yours\n");
}

int main(int argc, char **argv)
{
	struct timespec pause = {.tv_sec = 1};
	bool once = false;

	program_start("fusetop", help, argc, argv);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-1") == 0)
			once = true;
		else
			pause = parse_seconds(argv[i]);
	}
	if (look())
		return 1;
	while (!once) {
		nanosleep(&pause, NULL);
		if (look())
			return 1;
		printf("\033[H\033[J");
		show();
		fflush(stdout);
	}
	show();
	return program_end(0);
}
