/*
 * I/O ports. The only way for the rest of the kernel to reach a device that has no memory of its
 * own. The bulk forms are one instruction, which an interrupt may come in the middle of; whoever
 * moves much in a loop keeps the pieces small where preemption is off.
 */
#ifndef ARCH_PORT_H
#define ARCH_PORT_H

#include <lib/types.h>

static inline uint8_t port_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint16_t port_in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t port_in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void port_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void port_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void port_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

/* One byte of `from` after the other to the same port. */
static inline void port_out_bytes(uint16_t port, const void *from, size_t len_bytes)
{
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(len_bytes) : "d"(port) : "memory");
}

/* Reads the same port `len_bytes` times. */
static inline void port_in_bytes(uint16_t port, void *to, size_t len_bytes)
{
	__asm__ volatile("rep insb" : "+D"(to), "+c"(len_bytes) : "d"(port) : "memory");
}

#endif
