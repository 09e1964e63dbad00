/*
 * The protocol's structures as Linux's header has them: sizes and offsets for
 * tests/host/fusek/proto.c, which cannot include both headers.
 */
#include "wire.h"

#include <linux/fuse.h>
#include <stddef.h>

#define WIRE(type, member) {#type "." #member, sizeof(struct type), offsetof(struct type, member)},
const struct wire_place linux_wire[] = {
#include "wire.inc"
};
const size_t linux_wire_count = sizeof(linux_wire) / sizeof(linux_wire[0]);
