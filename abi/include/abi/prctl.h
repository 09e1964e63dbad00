/*
 * Operations of prctl, arch_prctl and getrandom, as Linux has them on x86-64.
 */
#ifndef ABI_PRCTL_H
#define ABI_PRCTL_H

#define PR_SET_PDEATHSIG             1
#define PR_GET_PDEATHSIG             2
#define PR_GET_DUMPABLE              3
#define PR_SET_DUMPABLE              4
#define PR_GET_TIMING                13
#define PR_SET_TIMING                14
#define PR_SET_NAME                  15
#define PR_GET_NAME                  16
#define PR_GET_SECCOMP               21
#define PR_SET_SECCOMP               22
#define PR_GET_TSC                   25
#define PR_SET_TSC                   26
#define PR_SET_TIMERSLACK            29
#define PR_GET_TIMERSLACK            30
#define PR_MCE_KILL                  33
#define PR_MCE_KILL_GET              34
#define PR_SET_MM                    35
#define PR_SET_CHILD_SUBREAPER       36
#define PR_GET_CHILD_SUBREAPER       37
#define PR_SET_NO_NEW_PRIVS          38
#define PR_GET_NO_NEW_PRIVS          39
#define PR_GET_TID_ADDRESS           40
#define PR_SET_THP_DISABLE           41
#define PR_GET_THP_DISABLE           42
#define PR_GET_SPECULATION_CTRL      52
#define PR_SET_SPECULATION_CTRL      53
#define PR_SET_IO_FLUSHER            57
#define PR_GET_IO_FLUSHER            58
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SET_MDWE                  65
#define PR_GET_MDWE                  66
#define PR_GET_AUXV                  0x41555856

#define PR_TIMING_STATISTICAL 0

#define PR_TSC_ENABLE  1
#define PR_TSC_SIGSEGV 2

#define PR_MCE_KILL_CLEAR   0
#define PR_MCE_KILL_SET     1
#define PR_MCE_KILL_LATE    0
#define PR_MCE_KILL_EARLY   1
#define PR_MCE_KILL_DEFAULT 2

#define PR_SET_MM_START_CODE  1
#define PR_SET_MM_END_CODE    2
#define PR_SET_MM_START_DATA  3
#define PR_SET_MM_END_DATA    4
#define PR_SET_MM_START_STACK 5
#define PR_SET_MM_START_BRK   6
#define PR_SET_MM_BRK         7
#define PR_SET_MM_ARG_START   8
#define PR_SET_MM_ARG_END     9
#define PR_SET_MM_ENV_START   10
#define PR_SET_MM_ENV_END     11
#define PR_SET_MM_AUXV        12
#define PR_SET_MM_EXE_FILE    13

#define PR_SPEC_STORE_BYPASS    0
#define PR_SPEC_INDIRECT_BRANCH 1
#define PR_SPEC_L1D_FLUSH       2
#define PR_SPEC_ENABLE          2
#define PR_SPEC_DISABLE         4
#define PR_SPEC_FORCE_DISABLE   8
#define PR_SPEC_DISABLE_NOEXEC  16

#define PR_SYS_DISPATCH_OFF   0
#define PR_SYS_DISPATCH_ON    1
#define PR_SYS_DISPATCH_ALLOW 0 /* the selector's byte */
#define PR_SYS_DISPATCH_BLOCK 1

#define PR_MDWE_REFUSE_EXEC_GAIN 1
#define PR_MDWE_NO_INHERIT       2

#define ARCH_SET_GS               0x1001
#define ARCH_SET_FS               0x1002
#define ARCH_GET_FS               0x1003
#define ARCH_GET_GS               0x1004
#define ARCH_GET_CPUID            0x1011
#define ARCH_SET_CPUID            0x1012
#define ARCH_GET_XCOMP_SUPP       0x1021
#define ARCH_GET_XCOMP_PERM       0x1022
#define ARCH_REQ_XCOMP_PERM       0x1023
#define ARCH_GET_XCOMP_GUEST_PERM 0x1024
#define ARCH_REQ_XCOMP_GUEST_PERM 0x1025

#define GRND_NONBLOCK 1u
#define GRND_RANDOM   2u
#define GRND_INSECURE 4u

#endif
