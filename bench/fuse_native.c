/*
 * fuse_native: the same requests as those of fuse.c to a driver that answers and waits by one call,
 * where there is such a call. On Linux it reads and writes as the other one does.
 */
#include "common/driver.h"
#include "common/fuse_rows.h"

int main(int argc, char **argv)
{
	return fuse_rows_main("fuse_native", DRIVER_NATIVE, argc, argv);
}
