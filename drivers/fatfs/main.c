/*
 * fatfs: FAT12, FAT16 and FAT32 with long names, on libfuse 3's low level.
 *
 *	fatfs [OPTIONS] IMAGE DIRECTORY
 *
 * IMAGE is a file or a block device. One thread serves, so nothing below has a lock.
 */
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	char *image;
	unsigned uid, gid;
	unsigned umask, fmask, dmask; /* NOT_SET: see umask */
	int time_offset, read_only;
};

#define NOT_SET ~0u

#define OPTION(text, member)                                                                       \
	{                                                                                          \
		text, offsetof(struct options, member), 1                                          \
	}

static const struct fuse_opt option_table[] = {OPTION("uid=%u", uid),
					       OPTION("gid=%u", gid),
					       OPTION("umask=%o", umask),
					       OPTION("fmask=%o", fmask),
					       OPTION("dmask=%o", dmask),
					       OPTION("time_offset=%d", time_offset),
					       OPTION("ro", read_only),
					       FUSE_OPT_KEY("ro", FUSE_OPT_KEY_KEEP),
					       FUSE_OPT_END};

static const char usage[] =
	"usage: fatfs [options] IMAGE DIRECTORY\n"
	"    -o uid=N, gid=N        owner of all files (default: who mounts)\n"
	"    -o umask=OCTAL         mode bits that no file has; fmask=, dmask= for files and\n"
	"                           directories alone\n"
	"    -o time_offset=MIN     the disk's times are so many minutes ahead of UTC\n"
	"    -o ro                  nothing is changed\n";

static int take_argument(void *data, const char *argument, int key, struct fuse_args *args)
{
	struct options *options = data;

	(void)args;
	if (key != FUSE_OPT_KEY_NONOPT || options->image)
		return 1;
	options->image = strdup(argument);
	return options->image ? 0 : -1;
}

static void report(void *argument, const char *text)
{
	fprintf(stderr, "fatfs: %s: %s\n", (const char *)argument, text);
}

/* The image, and nobody else's. Returns its descriptor, or -1 and has said why not. */
static int open_image(const char *path, bool read_only, uint64_t *len_bytes)
{
	int fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (end < 0) {
		fprintf(stderr, "fatfs: %s: %s\n", path, strerror(errno));
	} else if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB)) {
		fprintf(stderr, "fatfs: %s: somebody has mounted it: %s\n", path, strerror(errno));
		end = -1;
	}
	if (end < 0 && fd >= 0) {
		close(fd);
		fd = -1;
	}
	*len_bytes = (uint64_t)end;
	return fd;
}

/* Serves until it is unmounted. */
static int serve(struct front *front, struct fuse_args *args, const struct fuse_cmdline_opts *line)
{
	struct fuse_session *session = fuse_session_new(args, &front_ops, sizeof(front_ops), front);
	int err = -1;

	if (!session)
		return -1;
	if (fuse_set_signal_handlers(session))
		goto destroy;
	if (fuse_session_mount(session, line->mountpoint))
		goto handlers;
	if (!fuse_daemonize(line->foreground))
		err = fuse_session_loop(session);
	fuse_session_unmount(session);
handlers:
	fuse_remove_signal_handlers(session);
destroy:
	fuse_session_destroy(session);
	return err;
}

/* All that lies between an open image and a closed one. */
static int run(const struct options *options, struct fuse_args *args,
	       const struct fuse_cmdline_opts *line)
{
	struct front front = {
		.uid = options->uid,
		.gid = options->gid,
		.file_mask = options->fmask == NOT_SET ? options->umask : options->fmask,
		.directory_mask = options->dmask == NOT_SET ? options->umask : options->dmask};
	struct disk disk;
	uint64_t len_bytes;
	int fd = open_image(options->image, options->read_only, &len_bytes);
	int result = -1, err;

	if (fd < 0)
		return -1;
	err = disk_init(&disk, &disk_file_ops, &fd, len_bytes);
	if (!err)
		err = volume_open(&front.volume, &disk, options->read_only, report, options->image);
	front.volume.time_offset_min = -options->time_offset;
	if (!err)
		err = node_mount(&front.volume);
	if (!err) {
		result = serve(&front, args, line);
		node_unmount(&front.volume);
		err = volume_close(&front.volume);
	}
	if (err)
		fprintf(stderr, "fatfs: %s: %s\n", options->image, strerror(-err));
	disk_destroy(&disk);
	close(fd);
	return err ? -1 : result;
}

/*
 * The kernel checks modes, and as root's everybody may come in: as with Linux's vfat. The image is
 * what mount shows, in whose name a comma may stand.
 */
static int add_mount_options(struct fuse_args *args, const char *image)
{
	char source[PATH_MAX + sizeof("fsname=")], *all = NULL;
	int err;

	snprintf(source, sizeof(source), "fsname=%s", image);
	err = fuse_opt_add_opt(&all, getuid() ? "default_permissions"
					      : "default_permissions,allow_other") ||
	      fuse_opt_add_opt(&all, "subtype=fatfs") || fuse_opt_add_opt_escaped(&all, source) ||
	      fuse_opt_add_arg(args, "-o") || fuse_opt_add_arg(args, all);
	free(all);
	return err;
}

int main(int argc, char **argv)
{
	struct options options = {
		.uid = getuid(), .gid = getgid(), .umask = 022, .fmask = NOT_SET, .dmask = NOT_SET};
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts line = {0};
	int result = 2;

	if (fuse_opt_parse(&args, &options, option_table, take_argument) ||
	    fuse_parse_cmdline(&args, &line))
		goto out;
	if (line.show_help) {
		printf("%s", usage);
		fuse_cmdline_help();
		result = 0;
		goto out;
	}
	if (!options.image || !line.mountpoint) {
		fprintf(stderr, "%s", usage);
		goto out;
	}
	if (add_mount_options(&args, options.image))
		goto out;
	result = run(&options, &args, &line) ? 1 : 0;
out:
	fuse_opt_free_args(&args);
	free(options.image);
	free(line.mountpoint);
	return result;
}
