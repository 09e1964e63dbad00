/*
 * A filesystem server for tests of the name cache: one directory with few names in it, which
 * answers as it is told and lets others act while it is being asked.
 */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include <fusek/server.h>

struct fake_server {
	struct server server;
	uint64_t node;        /* what "name" is; 0: not there */
	uint64_t from, third; /* the same for names of renames */
	uint64_t generation;
	uint64_t entry_valid_ns, attr_valid_ns;
	uint32_t mode;
	uint64_t size_bytes;
	bool keep_negative;
	err_t error;
	void (*beforehand)(void); /* called before the server does what it is asked, once */
	void (*meanwhile)(void);  /* called when it has, before the answer is there, once */
	unsigned nlookups, ngetattrs, ncreates, nmknods;
	int64_t nremembered; /* look-ups given out less those taken back */
};

extern struct fake_server fake;
extern const struct server_ops fake_ops;

#endif
