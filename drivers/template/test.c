/*
 * The test of @NAME@: starts the driver on a directory of its own, uses it as programs do, unmounts
 * it, and looks how it ended. The same on Linux and on Fuselage; it wants root or, on Linux,
 * fusermount3.
 *
 *	@NAME@-test DRIVER
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned npassed, nfailed;
static bool fine; /* the test that runs has had no complaint */

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("     line %d: %s (errno: %s)\n", __LINE__, #condition,             \
			       strerror(errno));                                                   \
			fine = false;                                                              \
		}                                                                                  \
	} while (0)

/* ---- the tests: each begins and ends with an empty filesystem, which is the current directory */

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	EXPECT(file && fputs(text, file) >= 0);
	EXPECT(file && fclose(file) == 0);
}

static bool holds(const char *name, const char *text)
{
	char found[256] = "";
	FILE *file = fopen(name, "r");
	size_t len = file ? fread(found, 1, sizeof(found) - 1, file) : 0;

	if (file)
		fclose(file);
	return file && len == strlen(text) && memcmp(found, text, len) == 0;
}

static void what_is_written_is_read(void)
{
	put("file", "some text\n");
	EXPECT(holds("file", "some text\n"));
	EXPECT(unlink("file") == 0);
	EXPECT(access("file", F_OK) == -1 && errno == ENOENT);
}

static void a_directory_lists_its_names(void)
{
	unsigned nnames = 0, nseen = 0;
	struct dirent *entry;
	char name[16];
	DIR *directory;

	EXPECT(mkdir("directory", 0755) == 0);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "directory/%d", i);
		put(name, name);
	}
	directory = opendir("directory");
	while (directory && (entry = readdir(directory))) {
		nseen++;
		nnames += entry->d_name[0] != '.';
	}
	if (directory)
		closedir(directory);
	EXPECT(nnames == 100 && nseen == 102);
	EXPECT(rmdir("directory") == -1 && errno == ENOTEMPTY);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "directory/%d", i);
		EXPECT(unlink(name) == 0);
	}
	EXPECT(rmdir("directory") == 0);
}

static void a_name_moves_and_replaces(void)
{
	put("old", "old");
	put("new", "new");
	EXPECT(rename("old", "new") == 0);
	EXPECT(holds("new", "old"));
	EXPECT(access("old", F_OK) == -1);
	EXPECT(unlink("new") == 0);
}

static void a_file_is_cut_and_grows_with_zeroes(void)
{
	struct stat about;

	put("file", "0123456789");
	EXPECT(truncate("file", 4) == 0);
	EXPECT(holds("file", "0123"));
	EXPECT(truncate("file", 100000) == 0);
	EXPECT(stat("file", &about) == 0 && about.st_size == 100000);
	EXPECT(unlink("file") == 0);
}

static void what_is_unlinked_and_open_can_be_read(void)
{
	char text[8] = "";
	int file;

	put("file", "still");
	file = open("file", O_RDONLY);
	EXPECT(unlink("file") == 0);
	EXPECT(read(file, text, sizeof(text)) == 5 && strcmp(text, "still") == 0);
	close(file);
}

static void modes_and_times_are_kept(void)
{
	struct timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 5}, {.tv_sec = 2000, .tv_nsec = 7}};
	struct stat about;

	put("file", "text");
	EXPECT(chmod("file", 0640) == 0);
	EXPECT(utimensat(AT_FDCWD, "file", times, 0) == 0);
	EXPECT(stat("file", &about) == 0);
	EXPECT(about.st_mode == (S_IFREG | 0640));
	EXPECT(about.st_mtim.tv_sec == 2000 && about.st_mtim.tv_nsec == 7);
	EXPECT(unlink("file") == 0);
}

/* ---- starting, running, ending ---- */

static void run(const char *name, void (*test)(void))
{
	fine = true;
	errno = 0;
	test();
	printf("%s %s\n", fine ? "ok  " : "FAIL", name);
	fine ? npassed++ : nfailed++;
}
#define RUN(test) run(#test, test)

/* Runs a program to its end; its status as wait(2) has it. */
static int status_of(char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execvp(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static bool unmount(const char *directory)
{
	if (umount2(directory, 0) == 0)
		return true;
	return errno == EPERM &&
	       status_of((char *[]){"fusermount3", "-u", (char *)directory, NULL}) == 0;
}

static void it_ends_without_complaint(void)
{
	int status = -1;

	EXPECT(wait(&status) > 0 && status == 0);
}

int main(int argc, char **argv)
{
	char directory[] = "/tmp/@NAME@.XXXXXX";

	if (argc != 2) {
		fprintf(stderr, "usage: @NAME@-test DRIVER\n");
		return 2;
	}
	/* It mounts, then goes to the background, where it is ours: its first process's end says
	 * that the mount stands, its second one's how it ended. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!mkdtemp(directory) ||
	    status_of((char *[]){argv[1], "-o", "default_permissions", directory, NULL}) != 0 ||
	    chdir(directory)) {
		fprintf(stderr, "%s does not start\n", argv[1]);
		rmdir(directory);
		return 1;
	}
	RUN(what_is_written_is_read);
	RUN(a_directory_lists_its_names);
	RUN(a_name_moves_and_replaces);
	RUN(a_file_is_cut_and_grows_with_zeroes);
	RUN(what_is_unlinked_and_open_can_be_read);
	RUN(modes_and_times_are_kept);
	put("left", "freed at the end");
	if (chdir("/") || !unmount(directory)) {
		perror(directory);
		return 1;
	}
	RUN(it_ends_without_complaint);
	rmdir(directory);
	printf("%u passed, %u failed\n", npassed, nfailed);
	return nfailed ? 1 : 0;
}
