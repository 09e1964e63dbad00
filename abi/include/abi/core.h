/*
 * Core files: the structures of their notes, and what of the memory goes into them, as Linux has it
 * on x86-64 (core(5), linux/elfcore.h).
 */
#ifndef ABI_CORE_H
#define ABI_CORE_H

#include <abi/ptrace.h>
#include <abi/resource.h>

struct abi_note {
	uint32_t name_bytes; /* with its NUL; name and contents are padded to 4 */
	uint32_t contents_bytes;
	uint32_t type; /* NT_* of abi/ptrace.h */
};

/* NT_PRSTATUS, of each thread. */
struct abi_prstatus {
	int32_t signal;
	int32_t code;
	int32_t error;
	int16_t current_signal;
	int16_t padding;
	uint64_t pending;
	uint64_t blocked;
	int32_t tid;
	int32_t parent;
	int32_t group;
	int32_t session;
	struct abi_timeval user_time;
	struct abi_timeval system_time;
	struct abi_timeval children_user_time;
	struct abi_timeval children_system_time;
	struct abi_user_regs regs;
	int32_t has_fpu;
	int32_t padding_behind;
};
_Static_assert(sizeof(struct abi_prstatus) == 336, "struct elf_prstatus of x86-64");

#define PRPSINFO_NAME_BYTES      16
#define PRPSINFO_ARGUMENTS_BYTES 80

/* NT_PRPSINFO. */
struct abi_prpsinfo {
	char state;
	char state_letter;
	char is_zombie;
	int8_t nice;
	uint32_t padding;
	uint64_t flags;
	uint32_t uid;
	uint32_t gid;
	int32_t pid;
	int32_t parent;
	int32_t group;
	int32_t session;
	char name[PRPSINFO_NAME_BYTES];
	char arguments[PRPSINFO_ARGUMENTS_BYTES];
};
_Static_assert(sizeof(struct abi_prpsinfo) == 136, "struct elf_prpsinfo of x86-64");

/* NT_FILE: a head, that many ranges, and then their names, each with its NUL. */
struct abi_file_note {
	uint64_t nranges;
	uint64_t page_bytes;
};
struct abi_file_range {
	uint64_t start;
	uint64_t end;
	uint64_t offset_pages;
};

/* /proc/PID/coredump_filter. */
#define CORE_ANONYMOUS_PRIVATE 0x001u
#define CORE_ANONYMOUS_SHARED  0x002u
#define CORE_MAPPED_PRIVATE    0x004u
#define CORE_MAPPED_SHARED     0x008u
#define CORE_ELF_HEADERS       0x010u
#define CORE_FILTER_ALL        0x1ffu /* those of huge pages and of DAX mean nothing here */
#define CORE_FILTER_DEFAULT    0x033u

#endif
