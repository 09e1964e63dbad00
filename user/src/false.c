/*
 * false: does nothing and fails.
 */
#include "common/program.h"

int main(int argc, char **argv)
{
	program_start("false", "usage: false\nDoes nothing and ends with status 1.\n", argc, argv);
	return 1;
}
