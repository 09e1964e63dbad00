/*
 * The mock driver as a mount, for tests: set up, used by name, taken down with nothing left behind.
 */
#ifndef FAKE_MOUNTED_H
#define FAKE_MOUNTED_H

#include "driver.h"
#include "kernel.h"
#include "tree.h"

#define AT "/tmp/m"

/* Of a group, of each test. */
int mounted_begin(void **state);
int mounted(void **state);
int gone(void **state);

/* As the calls, with their errors. */
err_t look(const char *name);
ssize_t read_file(const char *name, char *to, size_t to_bytes);
ssize_t write_to(const char *name, const char *text, unsigned flags);
ssize_t read_link(void);
ssize_t list(const char *name);

#endif
