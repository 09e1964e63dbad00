/*
 * pwd: the folder that the program was started in.
 */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/program.h"

int main(int argc, char **argv)
{
	char path[PATH_MAX];

	program_start("pwd", "usage: pwd\nWrites the path of the working folder.\n", argc, argv);
	if (!getcwd(path, sizeof(path))) {
		complain_errno("the working folder");
		return 1;
	}
	puts(path);
	return program_end(0);
}
