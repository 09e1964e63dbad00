/*
 * What a file's status looks like to a person.
 */
#include "common/status.h"

#include <string.h>

static char type_letter(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return '-';
	}
}

void mode_text(mode_t mode, char text[11])
{
	static const char letters[] = "rwxrwxrwx";

	text[0] = type_letter(mode);
	for (int i = 0; i < 9; i++)
		text[1 + i] = (mode & (0400 >> i)) ? letters[i] : '-';
	if (mode & S_ISUID)
		text[3] = (mode & S_IXUSR) ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = (mode & S_IXGRP) ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = (mode & S_IXOTH) ? 't' : 'T';
	text[10] = 0;
}

const char *name_colour(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "\033[1;34m";
	case S_IFLNK:
		return "\033[1;36m";
	case S_IFCHR:
	case S_IFBLK:
		return "\033[1;33m";
	case S_IFIFO:
		return "\033[33m";
	case S_IFSOCK:
		return "\033[1;35m";
	default:
		return mode & 0111 ? "\033[1;32m" : "";
	}
}
