/*
 * memfs: a filesystem in memory, on libfuse 3's low level.
 *
 *	memfs [OPTIONS] DIRECTORY
 *
 * What it holds is gone with it.
 */
#include "front.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	char *size, *nr_inodes, *mode, *timeout;
	int locks, direct_io, writeback;
};

#define OPTION(text, member)                                                                       \
	{                                                                                          \
		text, offsetof(struct options, member), 1                                          \
	}

static const struct fuse_opt option_table[] = {
	OPTION("size=%s", size),        OPTION("nr_inodes=%s", nr_inodes),
	OPTION("mode=%s", mode),        OPTION("timeout=%s", timeout),
	OPTION("direct_io", direct_io), OPTION("writeback", writeback),
	OPTION("locks", locks),         FUSE_OPT_END};

static const char usage[] =
	"usage: memfs [options] DIRECTORY\n"
	"    -o size=N[kmg]         bytes of all contents (default: half of the memory)\n"
	"    -o nr_inodes=N[kmg]    files (default: one for each page of that)\n"
	"    -o mode=OCTAL          of the root (default: 1777)\n"
	"    -o timeout=SECONDS     that names and attributes may be remembered (default: 86400)\n"
	"    -o direct_io           contents are not remembered at all\n"
	"    -o writeback           what is written stays in the kernel at first\n"
	"    -o locks               locks of files are kept here, not by the kernel; then those "
	"of\n"
	"                           open files (F_OFD_SETLK) outlive them, as FUSE does not say\n";

/* "64k", "1m", "2g", or a number. False: it is none. */
static bool parse_number(const char *text, unsigned long *out)
{
	static const char suffixes[] = "kKmMgG";
	const char *suffix;
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	suffix = *end ? strchr(suffixes, *end) : NULL;
	if (errno || end == text || *text == '-' || (*end && (!suffix || end[1])))
		return false;
	for (long i = suffix ? (suffix - suffixes) / 2 : -1; i >= 0; i--) {
		if (*out > SIZE_MAX / 1024)
			return false;
		*out *= 1024;
	}
	return true;
}

/* A number of the options, if it is there. False: it is none, which has been said. */
static bool take_number(const char *option, const char *text, unsigned long *out)
{
	if (!text || parse_number(text, out))
		return true;
	fprintf(stderr, "memfs: %s=%s: this is no number\n", option, text);
	return false;
}

/* Fills in limits. False: an option makes no sense, which has been said. */
static bool take(struct memfs *memfs, const struct options *options, unsigned long *mode)
{
	unsigned long bytes = (unsigned long)sysconf(_SC_PHYS_PAGES) / 2 * PAGE_BYTES;
	unsigned long ninodes, valid_s = VALID_S;
	char *end = NULL;

	if (options->mode)
		*mode = strtoul(options->mode, &end, 8);
	if ((end && (*end || end == options->mode)) || *mode > 07777) {
		fprintf(stderr, "memfs: mode=%s: this is no mode\n", options->mode);
		return false;
	}
	if (!take_number("size", options->size, &bytes))
		return false;
	ninodes = bytes / PAGE_BYTES + 1;
	if (!take_number("nr_inodes", options->nr_inodes, &ninodes) ||
	    !take_number("timeout", options->timeout, &valid_s))
		return false;
	memfs->pages.limit = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
	memfs->inodes.limit = ninodes ? ninodes : 1;
	memfs->valid_s = (double)valid_s;
	memfs->direct_io = options->direct_io;
	memfs->writes_back = options->writeback;
	memfs->keeps_locks = options->locks;
	return true;
}

/* Makes the root. False: there is no memory, or an option makes no sense; it has been said. */
static bool begin(struct memfs *memfs, const struct options *options)
{
	unsigned long mode = 01777;
	int err;

	if (!take(memfs, options, &mode))
		return false;
	memfs->next_ino = FUSE_ROOT_ID;
	memfs->next_cookie = 3; /* behind those of "." and ".." */
	pthread_mutex_init(&memfs->lock, NULL);
	err = hash_init(&memfs->names);
	if (!err)
		err = hash_init(&memfs->cookies);
	if (!err)
		memfs->root = node_new(memfs, S_IFDIR | (mode_t)mode, 0, getuid(), getgid(), &err);
	if (err) {
		fprintf(stderr, "memfs: %s\n", strerror(-err));
		return false;
	}
	memfs->root->nlinks = 2;
	return true;
}

/* All memory back, names first. Works on half of it, too. */
static void end(struct memfs *memfs)
{
	struct hash_link *link;

	waiters_free(memfs);
	if (memfs->names.buckets) {
		while ((link = hash_take(&memfs->names)))
			free(hash_entry(link, struct name, by_text));
	}
	while (memfs->nodes)
		node_free(memfs, memfs->nodes);
	hash_destroy(&memfs->names);
	hash_destroy(&memfs->cookies);
}

static int serve(struct memfs *memfs, struct fuse_args *args, const struct fuse_cmdline_opts *line)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct fuse_session *session = fuse_session_new(args, &memfs_ops, sizeof(memfs_ops), memfs);
	int err = -1;

	if (!session || !config)
		goto destroy;
	if (fuse_set_signal_handlers(session))
		goto destroy;
	if (fuse_session_mount(session, line->mountpoint))
		goto handlers;
	fuse_loop_cfg_set_clone_fd(config, (unsigned)line->clone_fd);
	fuse_loop_cfg_set_max_threads(config, line->max_threads);
	if (!fuse_daemonize(line->foreground))
		err = line->singlethread ? fuse_session_loop(session)
					 : fuse_session_loop_mt(session, config);
	fuse_session_unmount(session);
handlers:
	fuse_remove_signal_handlers(session);
destroy:
	if (session)
		fuse_session_destroy(session);
	if (config)
		fuse_loop_cfg_destroy(config);
	return err;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts line = {0};
	struct options options = {.size = NULL};
	struct memfs memfs = {.nodes = NULL};
	int result = 2;

	if (fuse_opt_parse(&args, &options, option_table, NULL) || fuse_parse_cmdline(&args, &line))
		goto out;
	if (line.show_help) {
		printf("%s", usage);
		fuse_cmdline_help();
		result = 0;
		goto out;
	}
	if (!line.mountpoint) {
		fprintf(stderr, "%s", usage);
		goto out;
	}
	/* The kernel checks modes, and as root's everybody may come in: as with tmpfs. */
	if (fuse_opt_add_arg(&args, getuid() ? "-odefault_permissions"
					     : "-odefault_permissions,allow_other") ||
	    fuse_opt_add_arg(&args, "-osubtype=memfs"))
		goto out;
	if (begin(&memfs, &options))
		result = serve(&memfs, &args, &line) ? 1 : 0;
	end(&memfs);
out:
	fuse_opt_free_args(&args);
	free(options.size);
	free(options.nr_inodes);
	free(options.mode);
	free(options.timeout);
	free(line.mountpoint);
	return result;
}
