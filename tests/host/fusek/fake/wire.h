/*
 * Where a member of a structure of the protocol lies.
 */
#ifndef FAKE_WIRE_H
#define FAKE_WIRE_H

#include <stddef.h>

struct wire_place {
	const char *name;
	size_t struct_bytes;
	size_t offset_bytes;
};

extern const struct wire_place linux_wire[];
extern const size_t linux_wire_count;

#endif
