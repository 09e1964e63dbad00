/*
 * The server of ext2 images in memory.
 */
#ifndef FUSEK_RAMDISK_H
#define FUSEK_RAMDISK_H

#include <fusek/server.h>

/* A server for the image at [start, end), which stays for good. `source` must live as long. The
 * reader's errors, each with a line in the log that names the place. */
err_t must_check ramdisk_create(paddr_t start, paddr_t end, const char *source,
				struct server **out);

#endif
