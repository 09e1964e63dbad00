/*
 * posixfs: what POSIX and Linux say of files, asked of a file system.
 *
 *	posixfs [--differences FILE] [--as NAME]... [--only TEXT] DIRECTORY
 *
 * A line "ok NAME" or "not ok NAME: where: what" for each case, and the sum. FILE lists what is
 * known to be different: lines "WHO CASE REASON", of which those whose WHO is a NAME count. Such a
 * case must fail, and is "differs NAME: REASON"; with a '?' behind its name it may pass by chance.
 * Ends with 1 if anything was not as it should be.
 */
#include "posix.h"

#include <ctype.h>
#include <ftw.h>
#include <getopt.h>

#define DIFFERENCES_MAX 256
#define OWN_NAMES_MAX   8
#define DEPTH_MAX       60 /* of the directories that a case leaves */

struct difference {
	char name[128], reason[256];
	bool met;
	bool may_pass;
};

static struct difference differences[DIFFERENCES_MAX];
static int ndifferences, ncases, nfailed, ndiffer;
static int root; /* the directory that was given */
static const char *only;
static const char *own_names[OWN_NAMES_MAX]; /* of what is tested; the others are NULL */

static struct difference *difference_of(const char *name)
{
	for (int i = 0; i < ndifferences; i++) {
		if (strcmp(differences[i].name, name) == 0)
			return &differences[i];
	}
	return NULL;
}

static bool is_own(const char *who)
{
	for (int i = 0; i < OWN_NAMES_MAX; i++) {
		if (own_names[i] && strcmp(own_names[i], who) == 0)
			return true;
	}
	return false;
}

/* False: it cannot be read, which has been said. */
static bool read_differences(const char *file)
{
	char line[512], said_who[64];
	struct difference next;
	FILE *stream = fopen(file, "r");

	if (!stream) {
		perror(file);
		return false;
	}
	while (fgets(line, sizeof(line), stream)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		memset(&next, 0, sizeof(next));
		if (sscanf(line, "%63s %127s %255[^\n]", said_who, next.name, next.reason) != 3) {
			fprintf(stderr, "%s: not WHO CASE REASON: %s", file, line);
			fclose(stream);
			return false;
		}
		next.may_pass = next.name[strlen(next.name) - 1] == '?';
		next.name[strlen(next.name) - next.may_pass] = 0;
		if (is_own(said_who) && !difference_of(next.name) && ndifferences < DIFFERENCES_MAX)
			differences[ndifferences++] = next;
	}
	fclose(stream);
	return true;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(name);
}

static void judge(const char *name)
{
	struct difference *difference = difference_of(name);

	if (difference)
		difference->met = true;
	if (!failure[0] && difference && !difference->may_pass)
		snprintf(failure, sizeof(failure), "it is listed as different, and is not");
	else if (failure[0] && difference) {
		printf("differs %s: %s\n", name, difference->reason);
		ndiffer++;
		return;
	}
	if (failure[0]) {
		printf("not ok %s: %s\n", name, failure);
		nfailed++;
	} else {
		printf("ok %s\n", name);
	}
}

void case_run(const char *name, void (*run)(void))
{
	static int nleft; /* directories that could not be removed */
	char own[32];

	if (only && !strstr(name, only))
		return;
	ncases++;
	failure[0] = 0;
	snprintf(own, sizeof(own), "posixfs-case%.0d", nleft);
	if (mkdirat(root, own, 0777) || fchdir(root) || chdir(own)) {
		printf("not ok %s: its directory cannot be made: %s\n", name, strerror(errno));
		exit(2);
	}
	errno = 0;
	run();
	as(0);
	umask(0);
	for (int fd = root + 1; fd < root + 16; fd++)
		close(fd);
	if (fchdir(root) || nftw(own, remove_one, DEPTH_MAX, FTW_DEPTH | FTW_PHYS)) {
		nleft++;
		if (!failure[0])
			snprintf(failure, sizeof(failure), "what it leaves cannot be removed: %s",
				 strerror(errno));
	}
	judge(name);
}

static void usage(void)
{
	fprintf(stderr,
		"usage: posixfs [--differences FILE] [--as NAME]... [--only TEXT] DIRECTORY\n");
	exit(2);
}

static void options(int argc, char **argv)
{
	static const struct option table[] = {{"differences", required_argument, NULL, 'd'},
					      {"as", required_argument, NULL, 'a'},
					      {"only", required_argument, NULL, 'o'},
					      {NULL, 0, NULL, 0}};
	const char *file = NULL;
	int option, nown = 0;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == 'd')
			file = optarg;
		else if (option == 'a' && nown < OWN_NAMES_MAX)
			own_names[nown++] = optarg;
		else if (option == 'o')
			only = optarg;
		else
			usage();
	}
	if (argc - optind != 1)
		usage();
	if (file && !read_differences(file))
		exit(2);
}

int main(int argc, char **argv)
{
	options(argc, argv);
	if (geteuid() != 0) {
		fprintf(stderr, "posixfs: it becomes other users, which only root can\n");
		return 2;
	}
	root = open(argv[optind], O_RDONLY | O_DIRECTORY);
	if (root < 0) {
		perror(argv[optind]);
		return 2;
	}
	umask(0);
	memset(too_long_path, '/', sizeof(too_long_path) - 1);
	for (const struct posix_case *const *each = __start_posix_cases; each < __stop_posix_cases;
	     each++)
		case_run((*each)->name, (*each)->run);
	matrix_run();
	for (int i = 0; i < ndifferences; i++) {
		if (!differences[i].met && !only) {
			printf("not ok %s: it is listed as different, and there is no such case\n",
			       differences[i].name);
			nfailed++;
		}
	}
	printf("%d cases: %d passed, %d differ, %d failed\n", ncases, ncases - ndiffer - nfailed,
	       ndiffer, nfailed);
	return nfailed || !ncases ? 1 : 0;
}
