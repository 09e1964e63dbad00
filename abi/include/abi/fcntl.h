/*
 * Opening and controlling files, as Linux has it on x86-64: open flags, fcntl commands, the *at
 * calls' flags, file modes, access modes.
 */
#ifndef ABI_FCNTL_H
#define ABI_FCNTL_H

#include <stdint.h>

#define O_ACCMODE   3u
#define O_RDONLY    0u
#define O_WRONLY    1u
#define O_RDWR      2u
#define O_CREAT     0100u
#define O_EXCL      0200u
#define O_NOCTTY    0400u
#define O_TRUNC     01000u
#define O_APPEND    02000u
#define O_NONBLOCK  04000u
#define O_DSYNC     010000u
#define O_ASYNC     020000u
#define O_DIRECT    040000u
#define O_LARGEFILE 0100000u
#define O_DIRECTORY 0200000u
#define O_NOFOLLOW  0400000u
#define O_NOATIME   01000000u
#define O_CLOEXEC   02000000u
#define O_SYNC      04010000u
#define O_PATH      010000000u
#define O_TMPFILE   020200000u /* holds O_DIRECTORY */

/* openat2 */
struct abi_open_how {
	uint64_t flags, mode, resolve;
};
#define OPEN_HOW_SIZE_VER0 24

#define RESOLVE_NO_XDEV       0x01u
#define RESOLVE_NO_MAGICLINKS 0x02u
#define RESOLVE_NO_SYMLINKS   0x04u
#define RESOLVE_BENEATH       0x08u
#define RESOLVE_IN_ROOT       0x10u
#define RESOLVE_CACHED        0x20u

#define F_DUPFD         0
#define F_GETFD         1
#define F_SETFD         2
#define F_GETFL         3
#define F_SETFL         4
#define F_GETLK         5
#define F_SETLK         6
#define F_SETLKW        7
#define F_SETOWN        8
#define F_GETOWN        9
#define F_SETSIG        10
#define F_GETSIG        11
#define F_SETOWN_EX     15
#define F_GETOWN_EX     16
#define F_SETLEASE      1024
#define F_GETLEASE      1025
#define F_NOTIFY        1026
#define F_DUPFD_QUERY   1027
#define F_CREATED_QUERY 1028
#define F_DUPFD_CLOEXEC 1030
#define F_ADD_SEALS     1033
#define F_GET_SEALS     1034
#define F_SETPIPE_SZ    1031
#define F_GETPIPE_SZ    1032

#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38

#define F_GET_RW_HINT          1035
#define F_SET_RW_HINT          1036
#define F_GET_FILE_RW_HINT     1037
#define F_SET_FILE_RW_HINT     1038
#define RWH_WRITE_LIFE_EXTREME 5

#define F_OWNER_TID  0
#define F_OWNER_PID  1
#define F_OWNER_PGRP 2
struct abi_owner_ex {
	int32_t type;
	int32_t pid;
};

/* F_NOTIFY */
#define DN_ACCESS    0x00000001u
#define DN_MODIFY    0x00000002u
#define DN_CREATE    0x00000004u
#define DN_DELETE    0x00000008u
#define DN_RENAME    0x00000010u
#define DN_ATTRIB    0x00000020u
#define DN_MULTISHOT 0x80000000u

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

struct abi_flock {
	int16_t l_type;
	int16_t l_whence;
	int64_t l_start;
	int64_t l_len; /* 0: for ever */
	int32_t l_pid;
};

/* flock(2) */
#define LOCK_SH 1u
#define LOCK_EX 2u
#define LOCK_NB 4u
#define LOCK_UN 8u

#define FD_CLOEXEC 1

#define AT_FDCWD            (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_EACCESS          0x200u /* faccessat2 */
#define AT_REMOVEDIR        0x200u /* unlinkat */
#define AT_SYMLINK_FOLLOW   0x400u
#define AT_NO_AUTOMOUNT     0x800u
#define AT_EMPTY_PATH       0x1000u
#define AT_RECURSIVE        0x8000u
#define AT_STATX_SYNC_TYPE  0x6000u
#define AT_STATX_FORCE_SYNC 0x2000u
#define AT_STATX_DONT_SYNC  0x4000u

/* name_to_handle_at */
struct abi_file_handle {
	uint32_t handle_bytes;
	int32_t handle_type;
};
#define FILE_HANDLE_BYTES_MAX 128
#define FILE_HANDLE_TYPE      1
#define AT_HANDLE_FID         0x200u

#define F_OK 0u
#define X_OK 1u
#define W_OK 2u
#define R_OK 4u

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define FALLOC_FL_KEEP_SIZE      0x01u
#define FALLOC_FL_PUNCH_HOLE     0x02u
#define FALLOC_FL_COLLAPSE_RANGE 0x08u
#define FALLOC_FL_ZERO_RANGE     0x10u
#define FALLOC_FL_INSERT_RANGE   0x20u
#define FALLOC_FL_UNSHARE_RANGE  0x40u

#define RENAME_NOREPLACE (1u << 0)
#define RENAME_EXCHANGE  (1u << 1)
#define RENAME_WHITEOUT  (1u << 2)

#define NAME_MAX 255
#define PATH_MAX 4096 /* with the NUL */
#define IOV_MAX  1024

struct abi_iovec {
	uint64_t base; /* user address */
	uint64_t len_bytes;
};

/* preadv2, pwritev2 */
#define RWF_HIPRI    0x01u
#define RWF_DSYNC    0x02u
#define RWF_SYNC     0x04u
#define RWF_NOWAIT   0x08u
#define RWF_APPEND   0x10u
#define RWF_NOAPPEND 0x20u
#define RWF_NOSIGNAL 0x100u

/* splice, tee, vmsplice */
#define SPLICE_F_MOVE     1u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE     4u
#define SPLICE_F_GIFT     8u

/* fadvise64 */
#define POSIX_FADV_NORMAL  0
#define POSIX_FADV_NOREUSE 5

/* sync_file_range */
#define SYNC_FILE_RANGE_WAIT_BEFORE 1u
#define SYNC_FILE_RANGE_WRITE       2u
#define SYNC_FILE_RANGE_WAIT_AFTER  4u

/* close_range */
#define CLOSE_RANGE_UNSHARE (1u << 1)
#define CLOSE_RANGE_CLOEXEC (1u << 2)

/* ioctl numbers that every descriptor knows */
#define FIONBIO  0x5421u
#define FIOASYNC 0x5452u
#define FIONCLEX 0x5450u
#define FIOCLEX  0x5451u

#define POLLIN   0x001
#define POLLPRI  0x002
#define POLLOUT  0x004
#define POLLERR  0x008
#define POLLHUP  0x010
#define POLLNVAL 0x020

#define POLLRDNORM 0x040
#define POLLRDBAND 0x080
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200
#define POLLMSG    0x400
#define POLLRDHUP  0x2000

struct abi_pollfd {
	int32_t fd;
	int16_t events;
	int16_t revents;
};

#endif
