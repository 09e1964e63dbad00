/*
 * Accounts: see account.h. No state but what libc keeps.
 */
#include "account.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "program.h"

#define DEFAULT_SHELL "/bin/sh"
#define ROOT_PATH     "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define USER_PATH     "/usr/local/bin:/usr/bin:/bin"
#define SALT_BYTES    12
#define GROUPS_MAX    256

bool account_ask(const char *prompt, char *to, size_t to_bytes)
{
	struct termios before, silent;
	size_t len = 0;
	ssize_t got;
	char byte;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &before))
		return false;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ICANON | ISIG;
	tcsetattr(fd, TCSAFLUSH, &silent);
	(void)!write(fd, prompt, strlen(prompt));
	while ((got = read(fd, &byte, 1)) == 1 && byte != '\n') {
		if (len + 1 < to_bytes)
			to[len++] = byte;
	}
	to[len] = '\0';
	(void)!write(fd, "\n", 1);
	tcsetattr(fd, TCSAFLUSH, &before);
	close(fd);
	return got == 1 || len > 0;
}

/* The encrypted password; "*" where nobody can know it. */
static const char *secret_of(const struct passwd *account)
{
	const struct spwd *shadow;

	if (strcmp(account->pw_passwd, "x") != 0)
		return account->pw_passwd;
	shadow = getspnam(account->pw_name);
	return shadow ? shadow->sp_pwdp : "*";
}

bool account_is_open(const struct passwd *account)
{
	return account && secret_of(account)[0] == '\0';
}

bool account_knows(const struct passwd *account, const char *password)
{
	/* Somebody who is not there costs as much time as somebody who is. */
	const char *secret = account ? secret_of(account) : "$6$nobody$x";
	const char *tried;

	if (account && !secret[0])
		return true;
	tried = crypt(password, secret);
	return account && tried && tried[0] == '$' && strcmp(tried, secret) == 0;
}

const char *account_encrypt(const char *password)
{
	static const char letters[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned char random[SALT_BYTES];
	char setting[sizeof("$6$") + SALT_BYTES + 1] = "$6$";
	const char *made;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return NULL;
	for (size_t i = 0; i < SALT_BYTES; i++)
		setting[3 + i] = letters[random[i] % 64];
	setting[3 + SALT_BYTES] = '$';
	made = crypt(password, setting);
	return made && strncmp(made, "$6$", 3) == 0 ? made : NULL;
}

static void make_home(const struct passwd *account)
{
	if (mkdir(account->pw_dir, 0700) == 0)
		(void)!chown(account->pw_dir, account->pw_uid, account->pw_gid);
}

static bool has_member(const struct group *group, const char *name)
{
	for (char **member = group->gr_mem; *member; member++) {
		if (strcmp(*member, name) == 0)
			return true;
	}
	return false;
}

int account_groups(const struct passwd *account, gid_t *to, int max)
{
	const struct group *group;
	int count = 0;

	to[count++] = account->pw_gid;
	setgrent();
	while (count < max && (group = getgrent())) {
		if (group->gr_gid != account->pw_gid && has_member(group, account->pw_name))
			to[count++] = group->gr_gid;
	}
	endgrent();
	return count;
}

bool account_become(const struct passwd *account)
{
	gid_t groups[GROUPS_MAX];
	int ngroups = account_groups(account, groups, GROUPS_MAX);

	make_home(account);
	if (setgroups((size_t)ngroups, groups) || setgid(account->pw_gid) ||
	    setuid(account->pw_uid)) {
		complain_errno("cannot become %s", account->pw_name);
		return false;
	}
	return true;
}

static void set_environment(const struct passwd *account, const char *shell, bool login)
{
	const char *terminal = getenv("TERM");
	char kept[64];

	snprintf(kept, sizeof(kept), "%s", terminal ? terminal : "linux");
	if (login) {
		clearenv();
		setenv("TERM", kept, 1);
		setenv("PATH", account->pw_uid ? USER_PATH : ROOT_PATH, 1);
		setenv("LANG", "C.UTF-8", 1);
	}
	setenv("HOME", account->pw_dir, 1);
	setenv("SHELL", shell, 1);
	setenv("USER", account->pw_name, 1);
	setenv("LOGNAME", account->pw_name, 1);
}

void account_run_shell(const struct passwd *account, bool login, const char *command)
{
	const char *shell = account->pw_shell[0] ? account->pw_shell : DEFAULT_SHELL;
	const char *name = strrchr(shell, '/') ? strrchr(shell, '/') + 1 : shell;
	char argument0[64];

	set_environment(account, shell, login);
	if (login && chdir(account->pw_dir)) {
		complain_errno("%s", account->pw_dir);
		(void)!chdir("/");
	}
	snprintf(argument0, sizeof(argument0), "%s%s", login ? "-" : "", name);
	if (command)
		execl(shell, argument0, "-c", command, (char *)NULL);
	else
		execl(shell, argument0, (char *)NULL);
	complain_errno("%s", shell);
}
