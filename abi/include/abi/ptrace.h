/*
 * ptrace(2), and the registers as it and core files show them, as Linux has them on x86-64.
 */
#ifndef ABI_PTRACE_H
#define ABI_PTRACE_H

#include <stdint.h>

#define PTRACE_TRACEME                0
#define PTRACE_PEEKTEXT               1
#define PTRACE_PEEKDATA               2
#define PTRACE_PEEKUSR                3
#define PTRACE_POKETEXT               4
#define PTRACE_POKEDATA               5
#define PTRACE_POKEUSR                6
#define PTRACE_CONT                   7
#define PTRACE_KILL                   8
#define PTRACE_SINGLESTEP             9
#define PTRACE_GETREGS                12
#define PTRACE_SETREGS                13
#define PTRACE_GETFPREGS              14
#define PTRACE_SETFPREGS              15
#define PTRACE_ATTACH                 16
#define PTRACE_DETACH                 17
#define PTRACE_OLDSETOPTIONS          21
#define PTRACE_SYSCALL                24
#define PTRACE_ARCH_PRCTL             30
#define PTRACE_SYSEMU                 31
#define PTRACE_SYSEMU_SINGLESTEP      32
#define PTRACE_SINGLEBLOCK            33
#define PTRACE_SETOPTIONS             0x4200
#define PTRACE_GETEVENTMSG            0x4201
#define PTRACE_GETSIGINFO             0x4202
#define PTRACE_SETSIGINFO             0x4203
#define PTRACE_GETREGSET              0x4204
#define PTRACE_SETREGSET              0x4205
#define PTRACE_SEIZE                  0x4206
#define PTRACE_INTERRUPT              0x4207
#define PTRACE_LISTEN                 0x4208
#define PTRACE_PEEKSIGINFO            0x4209
#define PTRACE_GETSIGMASK             0x420a
#define PTRACE_SETSIGMASK             0x420b
#define PTRACE_SECCOMP_GET_FILTER     0x420c
#define PTRACE_SECCOMP_GET_METADATA   0x420d
#define PTRACE_GET_SYSCALL_INFO       0x420e
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f

#define PTRACE_O_TRACESYSGOOD    0x001u
#define PTRACE_O_TRACEFORK       0x002u
#define PTRACE_O_TRACEVFORK      0x004u
#define PTRACE_O_TRACECLONE      0x008u
#define PTRACE_O_TRACEEXEC       0x010u
#define PTRACE_O_TRACEVFORKDONE  0x020u
#define PTRACE_O_TRACEEXIT       0x040u
#define PTRACE_O_TRACESECCOMP    0x080u
#define PTRACE_O_EXITKILL        0x100000u
#define PTRACE_O_SUSPEND_SECCOMP 0x200000u
#define PTRACE_O_KNOWN           (0xffu | PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP)

/* The option's bit is 1 << event. */
#define PTRACE_EVENT_FORK       1
#define PTRACE_EVENT_VFORK      2
#define PTRACE_EVENT_CLONE      3
#define PTRACE_EVENT_EXEC       4
#define PTRACE_EVENT_VFORK_DONE 5
#define PTRACE_EVENT_EXIT       6
#define PTRACE_EVENT_SECCOMP    7
#define PTRACE_EVENT_STOP       128

/* What GETEVENTMSG says at a stop of a system call. */
#define PTRACE_EVENTMSG_SYSCALL_ENTRY 1
#define PTRACE_EVENTMSG_SYSCALL_EXIT  2

#define PTRACE_PEEKSIGINFO_SHARED 1u

/* PTRACE_SECCOMP_GET_METADATA */
struct abi_seccomp_metadata {
	uint64_t offset; /* which filter; 0: the oldest */
	uint64_t flags;  /* SECCOMP_FILTER_FLAG_LOG */
};

struct abi_ptrace_rseq {
	uint64_t address; /* of its struct abi_rseq; 0: none */
	uint32_t len_bytes;
	uint32_t signature;
	uint32_t flags; /* 0 */
	uint32_t padding;
};

struct abi_peeksiginfo {
	uint64_t offset;
	uint32_t flags;
	int32_t count;
};

#define PTRACE_SYSCALL_INFO_NONE    0
#define PTRACE_SYSCALL_INFO_ENTRY   1
#define PTRACE_SYSCALL_INFO_EXIT    2
#define PTRACE_SYSCALL_INFO_SECCOMP 3

#define AUDIT_ARCH_X86_64 UINT32_C(0xc000003e)

struct abi_syscall_info {
	uint8_t op;
	uint8_t padding[3];
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t stack_pointer;
	union {
		struct {
			uint64_t number;
			uint64_t arguments[6];
			uint32_t filter_data; /* of PTRACE_SYSCALL_INFO_SECCOMP alone */
		} entry;
		struct {
			int64_t value;
			uint8_t is_error;
		} exit;
	};
};

/* struct user_regs_struct */
struct abi_user_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t orig_rax; /* the number of the call that it is in; -1: none */
	uint64_t rip, cs, rflags, rsp, ss;
	uint64_t fs_base, gs_base;
	uint64_t ds, es, fs, gs;
};
_Static_assert(sizeof(struct abi_user_regs) == 27 * 8, "as Linux's");

/* struct user, the area of PEEKUSR and POKEUSR: registers at its beginning, debug registers near
 * its end; all else reads as zeros. */
#define USER_AREA_DEBUG_REGISTERS 848
#define USER_AREA_BYTES           928

/* Kinds of register sets, and notes of core files. */
#define NT_PRSTATUS   1
#define NT_PRFPREG    2
#define NT_PRPSINFO   3
#define NT_AUXV       6
#define NT_X86_XSTATE 0x202
#define NT_FILE       0x46494c45
#define NT_SIGINFO    0x53494749

#endif
