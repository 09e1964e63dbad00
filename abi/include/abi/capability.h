/*
 * Capabilities: the parts that Linux divides an administrator's rights into (linux/capability.h,
 * capabilities(7)), and what prctl knows of them.
 */
#ifndef ABI_CAPABILITY_H
#define ABI_CAPABILITY_H

#define CAP_CHOWN           0
#define CAP_DAC_OVERRIDE    1
#define CAP_DAC_READ_SEARCH 2
#define CAP_FOWNER          3
#define CAP_FSETID          4
#define CAP_KILL            5
#define CAP_SETGID          6
#define CAP_SETUID          7
#define CAP_SETPCAP         8
#define CAP_LINUX_IMMUTABLE 9
#define CAP_NET_ADMIN       12
#define CAP_NET_RAW         13
#define CAP_IPC_LOCK        14
#define CAP_IPC_OWNER       15
#define CAP_SYS_RAWIO       17
#define CAP_SYS_CHROOT      18
#define CAP_SYS_PTRACE      19
#define CAP_SYS_ADMIN       21
#define CAP_SYS_BOOT        22
#define CAP_SYS_NICE        23
#define CAP_SYS_RESOURCE    24
#define CAP_SYS_TIME        25
#define CAP_SYS_TTY_CONFIG  26
#define CAP_MKNOD           27
#define CAP_LEASE           28
#define CAP_SETFCAP         31
#define CAP_MAC_OVERRIDE    32
#define CAP_SYSLOG          34
#define CAP_WAKE_ALARM      35
#define CAP_LAST_CAP        40

#define CAP_CHECKPOINT_RESTORE 40

/* The version that stands in front of capget's sets; the first has one word for each, the others
 * two. */
#define CAPABILITY_VERSION_1 0x19980330
#define CAPABILITY_VERSION_2 0x20071026
#define CAPABILITY_VERSION_3 0x20080522

struct abi_capability_header {
	unsigned version;
	int pid;
};

struct abi_capability_data {
	unsigned effective;
	unsigned permitted;
	unsigned inheritable;
};

#define PR_GET_KEEPCAPS   7
#define PR_SET_KEEPCAPS   8
#define PR_CAPBSET_READ   23
#define PR_CAPBSET_DROP   24
#define PR_GET_SECUREBITS 27
#define PR_SET_SECUREBITS 28
#define PR_CAP_AMBIENT    47

#define PR_CAP_AMBIENT_IS_SET    1
#define PR_CAP_AMBIENT_RAISE     2
#define PR_CAP_AMBIENT_LOWER     3
#define PR_CAP_AMBIENT_CLEAR_ALL 4

/* Each has a lock bit above it: it stays as it is. */
#define SECBIT_NOROOT               (1u << 0) /* user 0 gets nothing by exec */
#define SECBIT_NO_SETUID_FIXUP      (1u << 2) /* other ids change no capability */
#define SECBIT_KEEP_CAPS            (1u << 4) /* leaving user 0 drops nothing permitted */
#define SECBIT_NO_CAP_AMBIENT_RAISE (1u << 6)
#define SECURE_ALL_BITS             0x55u
#define SECURE_ALL_LOCKS            (SECURE_ALL_BITS << 1)

#endif
