/*
 * login: begins a session on the terminal that it stands on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/account.h"
#include "common/program.h"

static const char help[] = "usage: login [-f NAME | NAME]\n"
			   "Asks for a name and its password and starts the account's shell.\n"
			   "  -f NAME  without a password (for user 0 only)\n";

#define TRIES_MAX  3
#define PATIENCE_S 60
#define TTY_GROUP  5
#define LINE_BYTES 128
#define TTY_MODE   0620

/* False: the end of the file. */
static bool ask_name(char *to, size_t to_bytes)
{
	char host[64] = "fuselage";

	for (;;) {
		(void)gethostname(host, sizeof(host) - 1);
		printf("%s login: ", host);
		fflush(stdout);
		if (!fgets(to, (int)to_bytes, stdin))
			return false;
		to[strcspn(to, "\r\n")] = '\0';
		if (to[0])
			return true;
	}
}

/* NULL: not that one, or the password is wrong. */
static const struct passwd *check(const char *name, bool trusted)
{
	static char password[PASSWORD_MAX];
	const struct passwd *account = getpwnam(name);
	bool knows = trusted && account;

	if (!knows && account_is_open(account))
		knows = true;
	if (!knows && account_ask("Password: ", password, sizeof(password)))
		knows = account_knows(account, password);
	explicit_bzero(password, sizeof(password));
	return knows ? getpwnam(name) : NULL;
}

static void show_motd(void)
{
	char line[256];
	FILE *file = fopen("/etc/motd", "r");

	while (file && fgets(line, sizeof(line), file))
		fputs(line, stdout);
	if (file)
		fclose(file);
	fflush(stdout);
}

static void begin(const struct passwd *account)
{
	(void)!fchown(STDIN_FILENO, account->pw_uid, TTY_GROUP);
	(void)!fchmod(STDIN_FILENO, TTY_MODE);
	alarm(0);
	show_motd();
	if (account_become(account))
		account_run_shell(account, true, NULL);
}

int main(int argc, char **argv)
{
	char name[LINE_BYTES] = "";
	bool trusted = false;
	int option;

	program_start("login", help, argc, argv);
	while ((option = getopt(argc, argv, "f:p")) != -1) {
		if (option == 'f')
			trusted = true;
		else if (option != 'p')
			usage_error("what is -%c?", optopt);
		if (option == 'f')
			snprintf(name, sizeof(name), "%s", optarg);
	}
	if (optind < argc)
		snprintf(name, sizeof(name), "%s", argv[optind]);
	if (geteuid() != 0 || (trusted && getuid() != 0)) {
		complain("only user 0 begins sessions");
		return 1;
	}
	alarm(PATIENCE_S); /* nobody keeps a line without saying who it is */
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		const struct passwd *account;

		if (!name[0] && !ask_name(name, sizeof(name)))
			return 1;
		account = check(name, trusted);
		if (account) {
			begin(account);
			return 1;
		}
		sleep(1);
		printf("Login incorrect\n");
		name[0] = '\0';
		trusted = false;
	}
	return 1;
}
