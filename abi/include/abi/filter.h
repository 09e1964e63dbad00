/*
 * Classic BPF, as filters of sockets and of system calls are given to Linux (linux/filter.h). A
 * machine of two registers of 32 bits, A and X, sixteen words of memory, and jumps that only go
 * forward.
 */
#ifndef ABI_FILTER_H
#define ABI_FILTER_H

#include <stdint.h>

struct abi_filter_instruction {
	uint16_t code;
	uint8_t if_true, if_false; /* instructions that a conditional jump leaves out */
	uint32_t k;
};

struct abi_filter_program {
	uint16_t count;
	uint64_t instructions; /* address */
};

_Static_assert(sizeof(struct abi_filter_instruction) == 8, "Linux's");
_Static_assert(sizeof(struct abi_filter_program) == 16, "Linux's on x86-64");

#define BPF_INSTRUCTIONS_MAX 4096
#define BPF_MEMORY_WORDS     16

/* A code is a class and what that class takes. */
#define BPF_CLASS(code) ((code)&0x07)
#define BPF_LD          0x00
#define BPF_LDX         0x01
#define BPF_ST          0x02
#define BPF_STX         0x03
#define BPF_ALU         0x04
#define BPF_JMP         0x05
#define BPF_RET         0x06
#define BPF_MISC        0x07

/* LD, LDX: how much, and from where. */
#define BPF_SIZE(code) ((code)&0x18)
#define BPF_W          0x00
#define BPF_H          0x08
#define BPF_B          0x10
#define BPF_MODE(code) ((code)&0xe0)
#define BPF_IMM        0x00
#define BPF_ABS        0x20
#define BPF_IND        0x40
#define BPF_MEM        0x60
#define BPF_LEN        0x80
#define BPF_MSH        0xa0

/* ALU, JMP: which, and by k or X; RET: A or k. */
#define BPF_OP(code)  ((code)&0xf0)
#define BPF_ADD       0x00
#define BPF_SUB       0x10
#define BPF_MUL       0x20
#define BPF_DIV       0x30
#define BPF_OR        0x40
#define BPF_AND       0x50
#define BPF_LSH       0x60
#define BPF_RSH       0x70
#define BPF_NEG       0x80
#define BPF_MOD       0x90
#define BPF_XOR       0xa0
#define BPF_JA        0x00
#define BPF_JEQ       0x10
#define BPF_JGT       0x20
#define BPF_JGE       0x30
#define BPF_JSET      0x40
#define BPF_SRC(code) ((code)&0x08)
#define BPF_K         0x00
#define BPF_X         0x08
#define BPF_A         0x10
#define BPF_TAX       0x00
#define BPF_TXA       0x80

/* Loads from there on are of what a packet has beside its bytes. */
#define BPF_LINK_AT           0xffe00000u
#define BPF_NETWORK_AT        0xfff00000u
#define BPF_BESIDE_AT         0xfffff000u
#define BPF_BESIDE_PROTOCOL   0
#define BPF_BESIDE_TYPE       4
#define BPF_BESIDE_INTERFACE  8
#define BPF_BESIDE_ATTRIBUTE  12
#define BPF_BESIDE_NESTED     16
#define BPF_BESIDE_MARK       20
#define BPF_BESIDE_QUEUE      24
#define BPF_BESIDE_HARDWARE   28
#define BPF_BESIDE_HASH       32
#define BPF_BESIDE_CPU        36
#define BPF_BESIDE_XOR        40
#define BPF_BESIDE_VLAN       44
#define BPF_BESIDE_HAS_VLAN   48
#define BPF_BESIDE_PAYLOAD    52
#define BPF_BESIDE_RANDOM     56
#define BPF_BESIDE_VLAN_PROTO 60
#define BPF_BESIDE_END        64

#endif
