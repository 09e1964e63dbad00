/*
 * fsexercise: random steps with the files of a directory, each compared with a model of them.
 *
 *	fsexercise [--seed N] [--steps N] [--without FEATURE]... DIRECTORY
 *
 * Features are what a file system may lack: shared_map (a shared mapping that is writable),
 * append_map (the same while the file is also open to append: a driver that hands O_APPEND on
 * appends the pages), direct (O_DIRECT), punch and zero (of fallocate), copy (copy_file_range),
 * links (two names are one file, with one number and one size), trunc (an open with O_TRUNC). What
 *is said to be lacking must be, what is not said must be there: so a run says what it has tried.
 *Ends with "ok" or, at the first byte that is wrong, with the seed, the step and those before it,
 *and the status 1.
 */
#include "exerciser.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS_PER_LOOK 1000 /* at everything */

static const char *const feature_names[NFEATURES] = {"shared_map", "append_map", "direct", "punch",
						     "zero",       "copy",       "links",  "trunc"};
unsigned long long seed = 1;
bool can[NFEATURES] = {true, true, true, true, true, true, true, true};
static unsigned long steps = 20000;

static bool has_shared_map(int fd)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at != MAP_FAILED && munmap(at, PAGE) == 0;
}

static bool has_append_map(void)
{
	struct stat status;
	int fd = open("probe", O_RDWR | O_APPEND);
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at != MAP_FAILED) {
		at[0] = 'y';
		msync(at, PAGE, MS_SYNC);
		munmap(at, PAGE);
	}
	close(fd);
	return stat("probe", &status) == 0 && status.st_size == 1;
}

static bool has_direct(void)
{
	int fd = open("probe", O_RDWR | O_DIRECT);

	return fd >= 0 && close(fd) == 0;
}

static bool has_copy(int fd)
{
	off_t in = 0, out = PAGE;

	return copy_file_range(fd, &in, fd, &out, 1, 0) == 1;
}

static bool has_links(int fd)
{
	struct stat first, second;
	bool same = link("probe", "probe2") == 0 && fstat(fd, &first) == 0 &&
		    stat("probe2", &second) == 0 && first.st_ino == second.st_ino;

	unlink("probe2");
	return same;
}

static bool has_trunc(int fd)
{
	struct stat status;
	int other = open("probe", O_WRONLY | O_TRUNC);

	return other >= 0 && close(other) == 0 && fstat(fd, &status) == 0 && !status.st_size;
}

/* What is there must be what was said. */
static void probe(void)
{
	int fd = open("probe", O_RDWR | O_CREAT | O_EXCL, 0644);
	bool found[NFEATURES];

	if (fd < 0 || write(fd, "x", 1) != 1) {
		perror("fsexercise: a first file");
		exit(2);
	}
	found[SHARED_MAP] = has_shared_map(fd);
	found[APPEND_MAP] = has_append_map();
	found[DIRECT] = has_direct();
	found[PUNCH] = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1) == 0;
	found[ZERO] = fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 1) == 0;
	found[COPY] = has_copy(fd);
	found[LINKS] = has_links(fd);
	found[TRUNC] = has_trunc(fd);
	close(fd);
	unlink("probe");
	for (int i = 0; i < NFEATURES; i++) {
		if (found[i] != can[i]) {
			printf("not ok: %s is %s\n", feature_names[i],
			       found[i] ? "there, and was said to be lacking" : "not there");
			exit(1);
		}
	}
}

static void usage(void)
{
	fprintf(stderr,
		"usage: fsexercise [--seed N] [--steps N] [--without FEATURE]... DIRECTORY\n"
		"features: shared_map, append_map, direct, punch, zero, copy, links, trunc\n");
	exit(2);
}

static unsigned long long number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (end == text || *end)
		usage();
	return value;
}

static void lack(const char *name)
{
	for (int i = 0; i < NFEATURES; i++) {
		if (strcmp(name, feature_names[i]) == 0) {
			can[i] = false;
			return;
		}
	}
	usage();
}

static void options(int argc, char **argv)
{
	static const struct option table[] = {{"seed", required_argument, NULL, 's'},
					      {"steps", required_argument, NULL, 'n'},
					      {"without", required_argument, NULL, 'w'},
					      {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == 's')
			seed = number(optarg);
		else if (option == 'n')
			steps = (unsigned long)number(optarg);
		else if (option == 'w')
			lack(optarg);
		else
			usage();
	}
	if (argc - optind != 1)
		usage();
}

static unsigned weight_of(const struct kind *kinds)
{
	unsigned sum = 0;

	for (; kinds->make; kinds++)
		sum += kinds->weight;
	return sum;
}

static void one_step(void)
{
	static const struct kind *const tables[] = {data_steps, name_steps, map_steps};
	unsigned at =
		draw_below(weight_of(data_steps) + weight_of(name_steps) + weight_of(map_steps));

	for (unsigned i = 0;; i++) {
		for (const struct kind *kind = tables[i]; kind->make; kind++) {
			if (at < kind->weight) {
				kind->make();
				return;
			}
			at -= kind->weight;
		}
	}
}

/* Leaves nothing behind, and nothing of an unlinked file that a driver would have to hide. */
static void end(void)
{
	check_all();
	close_all();
	unmap_all();
	for (unsigned i = 0; i < NNAMES; i++) {
		if (names[i])
			expect(unlink(name_of(i)), 0, "unlink");
	}
}

int main(int argc, char **argv)
{
	static const char own[] = "fsexercise";
	const char *directory;

	options(argc, argv);
	directory = argv[optind];
	if (chdir(directory) || mkdir(own, 0755) || chdir(own)) {
		perror(directory);
		return 2;
	}
	for (unsigned i = 0; i < NOPEN; i++)
		opened[i].fd = -1;
	probe();
	peer_start();
	for (unsigned long i = 1; i <= steps; i++) {
		one_step();
		if (i % STEPS_PER_LOOK == 0)
			check_all();
	}
	end();
	if (chdir("..") || rmdir(own)) {
		perror(own);
		return 1;
	}
	printf("ok: %lu steps, seed %llu\n", steps, seed);
	return 0;
}
