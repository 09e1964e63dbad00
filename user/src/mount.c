/*
 * mount: puts a filesystem over a directory.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] =
	"usage: mount -t TYPE [-o OPTION,...] SOURCE DIRECTORY\n"
	"TYPE is tmpfs, or fuse for whoever holds /dev/fuse open. Of the options ro, rw, nosuid,\n"
	"nodev, noexec, noatime and sync are the kernel's, the others are the filesystem's.\n"
	"ksh's mounts lists what there is; umount takes one away.\n";

static const struct {
	const char *name;
	unsigned long flag;
} flags_by_name[] = {
	{"ro", MS_RDONLY},        {"rw", 0},
	{"nosuid", MS_NOSUID},    {"nodev", MS_NODEV},
	{"noexec", MS_NOEXEC},    {"noatime", MS_NOATIME},
	{"sync", MS_SYNCHRONOUS},
};

/* The flag of a word, or -1: it is the filesystem's. */
static long flag_of(const char *word)
{
	for (size_t i = 0; i < sizeof(flags_by_name) / sizeof(flags_by_name[0]); i++) {
		if (strcmp(word, flags_by_name[i].name) == 0)
			return (long)flags_by_name[i].flag;
	}
	return -1;
}

/* Takes the kernel's words out of `options`; the others go to `rest`. */
static unsigned long sort_options(char *options, char *rest, size_t rest_bytes)
{
	unsigned long flags = 0;
	size_t used = 0;

	rest[0] = 0;
	for (char *word = strtok(options, ","); word; word = strtok(NULL, ",")) {
		long flag = flag_of(word);

		if (flag >= 0)
			flags |= (unsigned long)flag;
		else
			used += (size_t)snprintf(rest + used, rest_bytes - used, "%s%s",
						 used ? "," : "", word);
		if (used >= rest_bytes)
			usage_error("the options are too long");
	}
	return flags;
}

int main(int argc, char **argv)
{
	const char *type = NULL;
	char *options = NULL;
	char rest[1024] = "";
	unsigned long flags = 0;
	int option;

	program_start("mount", help, argc, argv);
	while ((option = getopt(argc, argv, "t:o:")) != -1) {
		if (option == 't')
			type = optarg;
		else if (option == 'o')
			options = optarg;
		else
			usage_error("what is -%c?", optopt);
	}
	if (argc - optind != 2 || !type)
		usage_error("a type, a source and a directory are needed");
	if (options)
		flags = sort_options(options, rest, sizeof(rest));
	if (mount(argv[optind], argv[optind + 1], type, flags, rest)) {
		complain_errno("%s (%s)", argv[optind + 1], type);
		return program_end(1);
	}
	return program_end(0);
}
