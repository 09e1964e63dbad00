/*
 * su: another user, in this session.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"
#include "common/program.h"

static const char help[] = "usage: su [-] [NAME] [-c COMMAND]\n"
			   "Starts the shell of NAME (root), who is asked for the password.\n"
			   "  -, -l       as a fresh session\n"
			   "  -c COMMAND  runs it by the shell\n";

int main(int argc, char **argv)
{
	static char password[PASSWORD_MAX];
	const struct passwd *account;
	const char *command = NULL;
	const char *name = NULL;
	bool login = false;
	bool knows;
	int option;

	program_start("su", help, argc, argv);
	/* Options may stand behind the name, too. */
	while (optind < argc) {
		option = getopt(argc, argv, "lc:");
		if (option == 'l')
			login = true;
		else if (option == 'c')
			command = optarg;
		else if (option != -1)
			usage_error("what is -%c?", optopt);
		else if (optind < argc && strcmp(argv[optind], "-") == 0)
			login = argv[optind++] != NULL;
		else if (optind < argc && !name)
			name = argv[optind++];
		else if (optind < argc)
			usage_error("one name, or none");
	}
	account = getpwnam(name ? name : "root");
	knows = account && (getuid() == 0 || account_is_open(account));
	if (!knows && account_ask("Password: ", password, sizeof(password)))
		knows = account_knows(account, password);
	explicit_bzero(password, sizeof(password));
	if (!knows) {
		sleep(1);
		complain("Authentication failure");
		return 1;
	}
	if (account_become(account))
		account_run_shell(account, login, command);
	return 126;
}
