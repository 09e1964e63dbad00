/*
 * true: does nothing and succeeds.
 */
#include "common/program.h"

int main(int argc, char **argv)
{
	program_start("true", "usage: true\nDoes nothing and succeeds.\n", argc, argv);
	return 0;
}
