/* In the place of I/O ports: a chip made of C (tests/host/serial/uart.c). */
#ifndef ARCH_PORT_H
#define ARCH_PORT_H

#include <lib/types.h>

uint8_t port_in8(uint16_t port);
void port_out8(uint16_t port, uint8_t value);
void port_in_bytes(uint16_t port, void *to, size_t len_bytes);
void port_out_bytes(uint16_t port, const void *from, size_t len_bytes);

#endif
