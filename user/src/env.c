/*
 * env: shows the environment, or runs a program in a changed one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] =
	"usage: env [-i] [NAME=VALUE]... [PROGRAM ARGUMENT...]\n"
	"Runs the program in the environment changed so; prints it without one.\n"
	"  -i  starts from an empty one\n";

int main(int argc, char **argv)
{
	int i = 1;

	program_start("env", help, argc, argv);
	if (i < argc && strcmp(argv[i], "-i") == 0) {
		clearenv();
		i++;
	}
	for (; i < argc && strchr(argv[i], '='); i++) {
		if (putenv(argv[i]) != 0) {
			complain_errno("%s", argv[i]);
			return 125;
		}
	}
	if (i < argc) {
		execvp(argv[i], argv + i);
		complain_errno("%s", argv[i]);
		return errno == ENOENT ? 127 : 126;
	}
	for (char **variable = environ; variable && *variable; variable++)
		puts(*variable);
	return program_end(0);
}
