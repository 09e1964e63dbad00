/*
 * passwd: another password. The new /etc/shadow is written beside the old one and takes its name,
 * so that whoever reads it sees one or the other. A lock keeps two of us apart, and is gone with
 * whoever has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/account.h"
#include "common/program.h"

static const char help[] = "usage: passwd [-d] [NAME]\n"
			   "Changes your password, or as user 0 that of NAME.\n"
			   "  -d  to none: whoever says the name is let in\n";

#define SHADOW     "/etc/shadow"
#define SHADOW_NEW "/etc/shadow.new"
#define LOCK_FILE  "/etc/.pwd.lock"
#define LOCK_S     15 /* so long is it waited for */
#define DAY_S      86400

/* The line of `name` with another secret; the others as they are. False: it has none. */
static bool copy_lines(FILE *from, FILE *to, const char *name, const char *secret)
{
	size_t name_len = strlen(name);
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (getline(&line, &room, from) > 0) {
		const char *rest = strchr(line, ':');

		if (rest && (size_t)(rest - line) == name_len && !strncmp(line, name, name_len)) {
			/* name:secret:day of the last change:... */
			rest = strchr(rest + 1, ':');
			rest = rest ? strchr(rest + 1, ':') : NULL;
			fprintf(to, "%s:%s:%ld%s", name, secret, (long)(time(NULL) / DAY_S),
				rest ? rest : ":0:99999:7:::\n");
			found = true;
		} else {
			fputs(line, to);
		}
	}
	free(line);
	return found;
}

/* Held until we end. */
static bool take_lock(void)
{
	int fd = open(LOCK_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool taken;

	alarm(LOCK_S);
	taken = fd >= 0 && flock(fd, LOCK_EX) == 0;
	alarm(0);
	if (!taken)
		complain_errno(LOCK_FILE);
	return taken;
}

static bool replace(const char *name, const char *secret)
{
	int fd = open(SHADOW_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *from = fopen(SHADOW, "re");
	FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool done = false;

	if (!to || !from) {
		complain_errno("%s", fd < 0 ? SHADOW_NEW : SHADOW);
	} else if (!copy_lines(from, to, name, secret)) {
		complain("%s: no such account in " SHADOW, name);
	} else {
		/* What was lost on the way is not told by the last flush. */
		done = !ferror(from) && !ferror(to) && fflush(to) == 0 && fsync(fd) == 0 &&
		       rename(SHADOW_NEW, SHADOW) == 0;
		if (!done)
			complain_errno(SHADOW);
	}
	if (fd >= 0 && !done)
		unlink(SHADOW_NEW);
	if (from)
		fclose(from);
	if (to)
		fclose(to);
	return done;
}

/* What is to be stored; NULL: with a complaint. */
static const char *ask_new(void)
{
	static char first[PASSWORD_MAX], second[PASSWORD_MAX];
	const char *secret = NULL;

	if (!account_ask("New password: ", first, sizeof(first)) ||
	    !account_ask("Retype new password: ", second, sizeof(second)))
		complain("there is no terminal to ask on");
	else if (strcmp(first, second) != 0)
		complain("the two are not the same, nothing was changed");
	else if (!first[0])
		complain("an empty one is made by -d");
	else
		secret = account_encrypt(first);
	explicit_bzero(first, sizeof(first));
	explicit_bzero(second, sizeof(second));
	return secret;
}

int main(int argc, char **argv)
{
	static char old[PASSWORD_MAX];
	const struct passwd *account;
	bool empty = false;
	const char *secret;
	char name[64];
	int option;

	program_start("passwd", help, argc, argv);
	while ((option = getopt(argc, argv, "d")) != -1) {
		if (option != 'd')
			usage_error("what is -%c?", optopt);
		empty = true;
	}
	account = optind < argc ? getpwnam(argv[optind]) : getpwuid(getuid());
	if (!account) {
		complain("%s: no such user", optind < argc ? argv[optind] : "you");
		return 1;
	}
	snprintf(name, sizeof(name), "%s", account->pw_name);
	if (getuid() != 0 && (account->pw_uid != getuid() || empty)) {
		complain("that is user 0's to do");
		return 1;
	}
	if (getuid() != 0 && !account_is_open(account)) {
		bool knows = account_ask("Current password: ", old, sizeof(old)) &&
			     account_knows(account, old);

		explicit_bzero(old, sizeof(old));
		if (!knows) {
			sleep(1);
			complain("Authentication failure");
			return 1;
		}
	}
	secret = empty ? "" : ask_new();
	if (!secret || !take_lock() || !replace(name, secret))
		return 1;
	printf("passwd: password of %s changed\n", name);
	return program_end(0);
}
