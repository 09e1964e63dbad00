/*
 * fuse: requests to a driver that reads and writes /dev/fuse.
 */
#include "common/fuse_rows.h"

int main(int argc, char **argv)
{
	return fuse_rows_main("fuse", 0, argc, argv);
}
