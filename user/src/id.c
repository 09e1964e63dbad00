/*
 * id: who somebody is.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/account.h"
#include "common/program.h"

static const char help[] = "usage: id [-u | -g | -G] [-n] [NAME]\n"
			   "Who runs this, or NAME: user, group, all groups.\n"
			   "  -u, -g, -G  only the user, the group, the groups\n"
			   "  -n          names instead of numbers\n";

#define GROUPS_MAX 65536

static void print_id(unsigned id, const char *name)
{
	printf(name ? "%u(%s)" : "%u", id, name);
}

static const char *user_name(uid_t uid)
{
	const struct passwd *account = getpwuid(uid);

	return account ? account->pw_name : NULL;
}

static const char *group_name(gid_t gid)
{
	const struct group *group = getgrgid(gid);

	return group ? group->gr_name : NULL;
}

static void print_one(unsigned id, const char *name, bool by_name)
{
	if (by_name && name)
		printf("%s", name);
	else
		printf("%u", id);
}

static void print_all(uid_t uid, gid_t gid, const gid_t *groups, int ngroups)
{
	printf("uid=");
	print_id(uid, user_name(uid));
	printf(" gid=");
	print_id(gid, group_name(gid));
	printf(" groups=");
	for (int i = 0; i < ngroups; i++) {
		printf(i ? "," : "");
		print_id(groups[i], group_name(groups[i]));
	}
	printf("\n");
}

/* Those of who runs this, `gid` first and only there. */
static int own_groups(gid_t gid, gid_t *to)
{
	int ngroups = getgroups(GROUPS_MAX - 1, to + 1);
	int kept = 1;

	to[0] = gid;
	for (int i = 1; i <= ngroups; i++) {
		if (to[i] != gid)
			to[kept++] = to[i];
	}
	return kept;
}

int main(int argc, char **argv)
{
	static gid_t groups[GROUPS_MAX];
	int ngroups = 0;
	const struct passwd *account;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	bool by_name = false;
	char what = 0;
	int option;

	program_start("id", help, argc, argv);
	while ((option = getopt(argc, argv, "ugGn")) != -1) {
		if (option == 'n')
			by_name = true;
		else if (option != '?' && !what)
			what = (char)option;
		else
			usage_error("one of -u, -g, -G");
	}
	if (optind < argc) {
		account = getpwnam(argv[optind]);
		if (!account) {
			complain("%s: no such user", argv[optind]);
			return 1;
		}
		uid = account->pw_uid;
		gid = account->pw_gid;
		ngroups = account_groups(account, groups, GROUPS_MAX);
	} else {
		ngroups = own_groups(gid, groups);
	}
	if (what == 'u') {
		print_one(uid, user_name(uid), by_name);
	} else if (what == 'g') {
		print_one(gid, group_name(gid), by_name);
	} else if (what == 'G') {
		for (int i = 0; i < ngroups; i++) {
			printf(i ? " " : "");
			print_one(groups[i], group_name(groups[i]), by_name);
		}
	} else {
		print_all(uid, gid, groups, ngroups);
		return program_end(0);
	}
	printf("\n");
	return program_end(0);
}
