/*
 * hello: the first program that runs, and the smallest that uses stdio.
 */
#include <stdio.h>

#include "common/program.h"

static const char help[] = "usage: hello [NAME]...\n"
			   "Greets the world, or everybody named.\n";

int main(int argc, char **argv)
{
	program_start("hello", help, argc, argv);
	if (argc < 2)
		puts("Hello, world!");
	for (int i = 1; i < argc; i++)
		printf("Hello, %s!\n", argv[i]);
	return program_end(0);
}
