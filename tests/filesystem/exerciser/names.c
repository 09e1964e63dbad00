/*
 * Steps that make, open, move and remove names; and the look at everything.
 */
#include "exerciser.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int draw_flags(void)
{
	static const int rights[] = {O_RDWR, O_RDWR, O_RDONLY, O_WRONLY};
	int flags = rights[draw_below(4)];

	if (can[APPEND_MAP] && draw_below(4) == 0)
		flags |= O_APPEND;
	if (draw_below(6) == 0)
		flags |= O_SYNC;
	if (can[DIRECT] && draw_below(5) == 0)
		flags |= O_DIRECT;
	return flags;
}

static void close_one(struct opened *which)
{
	expect(close(which->fd), 0, "close");
	which->fd = -1;
	which->file->nopen--;
	file_put(which->file);
}

void close_all(void)
{
	for (unsigned i = 0; i < NOPEN; i++) {
		if (opened[i].fd >= 0)
			close_one(&opened[i]);
	}
}

static void do_open(void)
{
	struct opened *place = &opened[draw_below(NOPEN)];
	unsigned name = draw_below(NNAMES);
	int flags = draw_flags();

	if (place->fd >= 0) {
		step("close %s", name_of(file_name(place->file)));
		close_one(place);
	}
	if (!names[name]) {
		struct file *file = file_alloc();

		if (!file)
			return;
		flags |= O_CREAT | (draw_below(2) ? O_EXCL : 0);
		names[name] = file;
		file->nnames = 1;
	} else if (can[TRUNC] && (flags & O_ACCMODE) != O_RDONLY && draw_below(12) == 0) {
		flags |= O_TRUNC;
		file_resize(names[name], 0);
	}
	step("open %s, flags %#o", name_of(name), flags);
	place->fd = open(name_of(name), flags, 0644);
	if (place->fd < 0)
		wrong("open: %s", strerror(errno));
	place->file = names[name];
	place->flags = flags;
	place->file->nopen++;
}

static void drop_name(unsigned name)
{
	struct file *file = names[name];

	names[name] = NULL;
	file->nnames--;
	file_put(file);
}

static void do_unlink(void)
{
	unsigned name = draw_below(NNAMES);
	long result;

	step("unlink %s", name_of(name));
	result = unlink(name_of(name));
	if (!names[name]) {
		if (result != -1 || errno != ENOENT)
			wrong("unlink of nothing is %ld, %s", result, strerror(errno));
		return;
	}
	expect(result, 0, "unlink");
	drop_name(name);
}

static void do_link(void)
{
	unsigned from = draw_name(true), to = draw_below(NNAMES);
	long result;

	if (from == NNAMES || !can[LINKS])
		return;
	step("link %s to %s", name_of(from), name_of(to));
	result = link(name_of(from), name_of(to));
	if (names[to]) {
		if (result != -1 || errno != EEXIST)
			wrong("link to what is there is %ld, %s", result, strerror(errno));
		return;
	}
	expect(result, 0, "link");
	names[to] = names[from];
	names[to]->nnames++;
}

static void do_rename(void)
{
	unsigned from = draw_name(true), to = draw_below(NNAMES);

	if (from == NNAMES)
		return;
	step("rename %s to %s", name_of(from), name_of(to));
	expect(rename(name_of(from), name_of(to)), 0, "rename");
	if (names[from] == names[to]) /* two names of a file, or one: nothing happens */
		return;
	if (names[to])
		drop_name(to);
	names[to] = names[from];
	names[from] = NULL;
}

static void check_name(unsigned name)
{
	struct stat status;
	int result = stat(name_of(name), &status);

	if (!names[name]) {
		if (result != -1 || errno != ENOENT)
			wrong("%s is there", name_of(name));
		return;
	}
	expect(result, 0, "stat");
	if (status.st_size != names[name]->size || status.st_nlink != names[name]->nnames)
		wrong("%s has %lld bytes and %u links, not %u and %u", name_of(name),
		      (long long)status.st_size, (unsigned)status.st_nlink, names[name]->size,
		      names[name]->nnames);
}

static void do_stat(void)
{
	unsigned name = draw_below(NNAMES);

	step("stat %s", name_of(name));
	check_name(name);
}

static void do_list(void)
{
	DIR *directory = opendir(".");
	struct dirent *entry;
	unsigned nfound = 0, nthere = 0;

	step("list");
	if (!directory)
		wrong("opendir: %s", strerror(errno));
	while ((entry = readdir(directory))) {
		unsigned name = (unsigned)(entry->d_name[1] - '0');

		if (entry->d_name[0] == '.')
			continue;
		if (entry->d_name[0] != 'f' || name >= NNAMES || !names[name])
			wrong("%s is listed", entry->d_name);
		nfound++;
	}
	closedir(directory);
	for (unsigned i = 0; i < NNAMES; i++)
		nthere += names[i] != NULL;
	if (nfound != nthere)
		wrong("%u names are listed, not %u", nfound, nthere);
}

/* Through a descriptor of its own, to the end and beyond. */
static void check_content(unsigned name)
{
	static unsigned char all[SIZE_MAX_ + 1];
	int fd = open(name_of(name), O_RDONLY);
	unsigned got = 0;
	long now;

	if (fd < 0)
		wrong("open of %s: %s", name_of(name), strerror(errno));
	while ((now = pread(fd, all + got, sizeof(all) - got, got)) > 0)
		got += (unsigned)now;
	expect(now < 0 ? -1L : (long)got, names[name]->size, "the whole of a file");
	expect_bytes(names[name], 0, all, got, "read as a whole");
	close(fd);
}

static void do_check_one(void)
{
	unsigned name = draw_name(true);

	if (name == NNAMES)
		return;
	step("read all of %s", name_of(name));
	check_content(name);
}

void check_all(void)
{
	step("look at everything");
	for (unsigned i = 0; i < NNAMES; i++) {
		check_name(i);
		if (names[i])
			check_content(i);
	}
	do_list();
}

const struct kind name_steps[] = {{do_open, 14}, {do_unlink, 2}, {do_link, 3},      {do_rename, 4},
				  {do_stat, 4},  {do_list, 1},   {do_check_one, 3}, {NULL, 0}};
