/*
 * Limits, usage, priorities, and what sysinfo and uname fill in, as Linux has them on x86-64.
 */
#ifndef ABI_RESOURCE_H
#define ABI_RESOURCE_H

#include <abi/time.h>
#include <stdint.h>

#define RLIMIT_CPU        0
#define RLIMIT_FSIZE      1
#define RLIMIT_DATA       2
#define RLIMIT_STACK      3
#define RLIMIT_CORE       4
#define RLIMIT_RSS        5
#define RLIMIT_NPROC      6
#define RLIMIT_NOFILE     7
#define RLIMIT_MEMLOCK    8
#define RLIMIT_AS         9
#define RLIMIT_LOCKS      10
#define RLIMIT_SIGPENDING 11
#define RLIMIT_MSGQUEUE   12
#define RLIMIT_NICE       13
#define RLIMIT_RTPRIO     14
#define RLIMIT_RTTIME     15
#define RLIMIT_COUNT      16

#define RLIM_INFINITY (~UINT64_C(0))

struct abi_rlimit {
	uint64_t rlim_cur;
	uint64_t rlim_max;
};

#define RUSAGE_SELF     0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1

struct abi_rusage {
	struct abi_timeval ru_utime;
	struct abi_timeval ru_stime;
	int64_t ru_maxrss; /* KiB */
	int64_t ru_ixrss, ru_idrss, ru_isrss;
	int64_t ru_minflt, ru_majflt, ru_nswap;
	int64_t ru_inblock, ru_oublock;
	int64_t ru_msgsnd, ru_msgrcv, ru_nsignals;
	int64_t ru_nvcsw, ru_nivcsw;
};

#define PRIO_PROCESS 0
#define PRIO_PGRP    1
#define PRIO_USER    2

#define ABI_UTSNAME_BYTES 65

struct abi_utsname {
	char sysname[ABI_UTSNAME_BYTES];
	char nodename[ABI_UTSNAME_BYTES];
	char release[ABI_UTSNAME_BYTES];
	char version[ABI_UTSNAME_BYTES];
	char machine[ABI_UTSNAME_BYTES];
	char domainname[ABI_UTSNAME_BYTES];
};

struct abi_sysinfo {
	int64_t uptime;    /* seconds */
	uint64_t loads[3]; /* load averages, 16 bits behind the point */
	uint64_t totalram; /* in units of mem_unit bytes, as all sizes here */
	uint64_t freeram;
	uint64_t sharedram;
	uint64_t bufferram;
	uint64_t totalswap;
	uint64_t freeswap;
	uint16_t procs;
	uint16_t padding;
	uint64_t totalhigh;
	uint64_t freehigh;
	uint32_t mem_unit;
};
_Static_assert(sizeof(struct abi_sysinfo) == 112, "struct sysinfo of x86-64");

#endif
