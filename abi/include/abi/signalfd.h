/*
 * What a read of a signalfd gives, as Linux has it: signalfd(2).
 */
#ifndef ABI_SIGNALFD_H
#define ABI_SIGNALFD_H

#include <stdint.h>

struct abi_signalfd_siginfo {
	uint32_t ssi_signo;
	int32_t ssi_errno;
	int32_t ssi_code;
	uint32_t ssi_pid;
	uint32_t ssi_uid;
	int32_t ssi_fd;
	uint32_t ssi_tid;
	uint32_t ssi_band;
	uint32_t ssi_overrun;
	uint32_t ssi_trapno;
	int32_t ssi_status;
	int32_t ssi_int;
	uint64_t ssi_ptr;
	uint64_t ssi_utime;
	uint64_t ssi_stime;
	uint64_t ssi_addr;
	uint16_t ssi_addr_lsb;
	uint16_t padding;
	int32_t ssi_syscall;
	uint64_t ssi_call_addr;
	uint32_t ssi_arch;
	uint8_t padding_to_128[28];
};

_Static_assert(sizeof(struct abi_signalfd_siginfo) == 128, "Linux's");

#endif
