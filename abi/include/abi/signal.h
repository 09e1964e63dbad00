/*
 * Signal numbers and what the rt_sig* calls pass, as Linux has them on x86-64.
 */
#ifndef ABI_SIGNAL_H
#define ABI_SIGNAL_H

#include <stdint.h>

#define SIGHUP     1
#define SIGINT     2
#define SIGQUIT    3
#define SIGILL     4
#define SIGTRAP    5
#define SIGABRT    6
#define SIGBUS     7
#define SIGFPE     8
#define SIGKILL    9
#define SIGUSR1    10
#define SIGSEGV    11
#define SIGUSR2    12
#define SIGPIPE    13
#define SIGALRM    14
#define SIGTERM    15
#define SIGSTKFLT  16
#define SIGCHLD    17
#define SIGCONT    18
#define SIGSTOP    19
#define SIGTSTP    20
#define SIGTTIN    21
#define SIGTTOU    22
#define SIGURG     23
#define SIGXCPU    24
#define SIGXFSZ    25
#define SIGVTALRM  26
#define SIGPROF    27
#define SIGWINCH   28
#define SIGIO      29
#define SIGPWR     30
#define SIGSYS     31
#define SIGRTMIN   32 /* the kernel's; libc keeps the first for itself */
#define SIGNAL_MAX 64

/* A set is 64 bits, signal n is bit n - 1. */
#define ABI_SIGSET_BYTES   8
#define SIGNAL_BIT(signal) (UINT64_C(1) << ((signal)-1))

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SIG_DFL UINT64_C(0)
#define SIG_IGN UINT64_C(1)

#define SA_NOCLDSTOP 0x00000001u
#define SA_NOCLDWAIT 0x00000002u
#define SA_SIGINFO   0x00000004u
#define SA_RESTORER  0x04000000u
#define SA_ONSTACK   0x08000000u
#define SA_RESTART   0x10000000u
#define SA_NODEFER   0x40000000u
#define SA_RESETHAND 0x80000000u

struct abi_sigaction {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

struct abi_stack { /* sigaltstack */
	uint64_t ss_sp;
	int32_t ss_flags;
	int32_t padding;
	uint64_t ss_size;
};

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM (1u << 31) /* the handler finds it disabled */
#define MINSIGSTKSZ   2048

/* Why a signal came: si_code. */
#define SI_USER           0
#define SI_KERNEL         0x80
#define SI_QUEUE          (-1)
#define SI_TIMER          (-2)
#define SI_MESGQ          (-3)
#define SI_SIGIO          (-5)
#define SI_TKILL          (-6)
#define POLL_IN           1
#define POLL_OUT          2
#define POLL_MSG          3
#define POLL_ERR          4
#define POLL_PRI          5
#define POLL_HUP          6
#define ILL_ILLOPN        2
#define FPE_INTDIV        1
#define FPE_FLTDIV        3
#define FPE_FLTOVF        4
#define FPE_FLTUND        5
#define FPE_FLTRES        6
#define FPE_FLTINV        7
#define SEGV_MAPERR       1
#define SEGV_ACCERR       2
#define BUS_ADRALN        1
#define BUS_ADRERR        2
#define SYS_SECCOMP       1
#define SYS_USER_DISPATCH 2
#define TRAP_BRKPT        1
#define TRAP_TRACE        2
#define TRAP_HWBKPT       4
#define CLD_EXITED        1
#define CLD_KILLED        2
#define CLD_DUMPED        3
#define CLD_TRAPPED       4
#define CLD_STOPPED       5
#define CLD_CONTINUED     6

/* siginfo_t. What lies behind the padding depends on the signal and the code. */
struct abi_siginfo {
	int32_t si_signo;
	int32_t si_errno;
	int32_t si_code;
	int32_t padding;
	union {
		struct { /* kill, sigqueue, SIGCHLD */
			int32_t si_pid;
			uint32_t si_uid;
			union {
				uint64_t si_value;
				int32_t si_status;
			};
			int64_t si_utime; /* in units of 1 / USER_HZ seconds */
			int64_t si_stime;
		};
		uint64_t si_addr;      /* faults */
		uint64_t si_fields[4]; /* all that any signal uses */
	};
	uint64_t rest[10];
};
_Static_assert(sizeof(struct abi_siginfo) == 128, "siginfo_t of x86-64");

#endif
