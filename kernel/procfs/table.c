/*
 * Which files /proc and /sys have. What is not here has no figures behind it.
 */
#include "procfs.h"

#include <abi/capability.h>
#include <abi/socket.h>
#include <arch/cpu.h>
#include <fusek/by_clock.h>
#include <fusek/file.h>
#include <fusek/inotify.h>
#include <ipc/fdtable.h>
#include <ipc/mqueue.h>
#include <ipc/pipe.h>
#include <ipc/socket.h>
#include <ipc/sysv.h>
#include <mm/space.h>

#define FILE_ALL   (S_IFREG | 0444)
#define FILE_OWNER (S_IFREG | 0400)
#define FILE_SET   (S_IFREG | 0644)
#define LINK       (S_IFLNK | 0777)
#define FOLDER     (S_IFDIR | 0555)

/* What proc_number() and proc_number_write() know. */
#define NUMBER_BYTES(variable)                                                                     \
	(sizeof(variable) + 0 * sizeof(struct {                                                    \
				    _Static_assert(sizeof(variable) == 4 || sizeof(variable) == 8, \
						   "a number's size");                             \
				    int none;                                                      \
			    }))

/* A file that is a number, and can be set. */
#define NUMBER(variable, from, to)                                                                 \
	.mode = FILE_SET, .text = proc_number, .write = proc_number_write,                         \
	.number = &(const struct proc_number)                                                      \
	{                                                                                          \
		.at = &(variable), .bytes = NUMBER_BYTES(variable), .least = (from), .most = (to)  \
	}
/* The same, of a namespace of who asks. */
#define NUMBER_OF(type, member, from, to)                                                          \
	.mode = FILE_SET, .text = proc_number, .write = proc_number_write,                         \
	.number = &(const struct proc_number)                                                      \
	{                                                                                          \
		.of = proc_##type, .offset = offsetof(struct type, member),                        \
		.bytes = NUMBER_BYTES(((struct type *)NULL)->member), .least = (from),             \
		.most = (to)                                                                       \
	}
/* One that never changes. */
#define CONSTANT(value)                                                                            \
	.mode = FILE_ALL, .text = proc_number, .number = &(const struct proc_number)               \
	{                                                                                          \
		.most = (value)                                                                    \
	}

#define OVERFLOW_ID 65534 /* as Linux; it has no numbers that it could stand for */

const struct proc_entry proc_entries[] = {
	[PROC_ENTRY_ROOT] = {.directory = PROC_ROOT, .mode = FOLDER},
	[PROC_ENTRY_PROCESS] = {.parent = PROC_ROOT, .directory = PROC_PROCESS, .mode = FOLDER},
	[PROC_ENTRY_THREAD] = {.parent = PROC_TASK, .directory = PROC_PROCESS, .mode = FOLDER},
	[PROC_ENTRY_FD] = {.parent = PROC_FD,
			   .mode = S_IFLNK | 0700,
			   .flags = PROC_OWNER_ONLY,
			   .link = proc_fd_link,
			   .follow = proc_fd},
	[PROC_ENTRY_FDINFO] = {.parent = PROC_FDINFO,
			       .mode = FILE_OWNER,
			       .flags = PROC_OWNER_ONLY,
			       .text = proc_process_fdinfo},

	[PROC_ENTRY_SYSFS] = {.directory = SYSFS_ROOT, .mode = FOLDER},
	[PROC_ENTRY_CPU] = {.parent = SYSFS_CPUS,
			    .directory = SYSFS_CPU,
			    .mode = FOLDER,
			    .flags = PROC_OF_CPU},

	[PROC_ENTRY_FUSECTL] = {.directory = FUSECTL_ROOT, .mode = FOLDER},
	[PROC_ENTRY_CONNECTION] = {.parent = FUSECTL_ROOT,
				   .directory = FUSECTL_CONNECTION,
				   .mode = S_IFDIR | 0500,
				   .flags = PROC_OF_CONNECTION},

	/* The machine. */
	{"self", PROC_ROOT, .mode = LINK, .link = proc_self},
	{"thread-self", PROC_ROOT, .mode = LINK, .link = proc_thread_self},
	{"mounts", PROC_ROOT, .mode = LINK, .link = proc_mounts_link},
	{"cmdline", PROC_ROOT, .mode = FILE_ALL, .text = proc_cmdline},
	{"cpuinfo", PROC_ROOT, .mode = FILE_ALL, .text = proc_cpuinfo},
	{"diskstats", PROC_ROOT, .mode = FILE_ALL, .text = proc_nothing}, /* there are no disks */
	{"filesystems", PROC_ROOT, .mode = FILE_ALL, .text = proc_filesystems},
	{"interrupts", PROC_ROOT, .mode = FILE_ALL, .text = proc_interrupts},
	{"loadavg", PROC_ROOT, .mode = FILE_ALL, .text = proc_loadavg},
	{"locks", PROC_ROOT, .mode = FILE_ALL, .text = proc_locks},
	{"meminfo", PROC_ROOT, .mode = FILE_ALL, .text = proc_meminfo},
	{"modules", PROC_ROOT, .mode = FILE_ALL, .text = proc_nothing}, /* nor those */
	{"net", PROC_ROOT, .mode = LINK, .link = proc_net_link},
	{"partitions", PROC_ROOT, .mode = FILE_ALL, .text = proc_partitions},
	{"stat", PROC_ROOT, .mode = FILE_ALL, .text = proc_stat},
	{"swaps", PROC_ROOT, .mode = FILE_ALL, .text = proc_swaps},
	{"sys", PROC_ROOT, PROC_SYS, .mode = FOLDER},
	{"sysvipc", PROC_ROOT, PROC_SYSVIPC, .mode = FOLDER},
	{"msg", PROC_SYSVIPC, .mode = FILE_ALL, .text = proc_sysvipc_msg},
	{"sem", PROC_SYSVIPC, .mode = FILE_ALL, .text = proc_sysvipc_sem},
	{"shm", PROC_SYSVIPC, .mode = FILE_ALL, .text = proc_sysvipc_shm},
	{"tty", PROC_ROOT, PROC_TTY, .mode = FOLDER},
	{"drivers", PROC_TTY, .mode = FILE_ALL, .text = proc_tty_drivers},
	{"uptime", PROC_ROOT, .mode = FILE_ALL, .text = proc_uptime},
	{"version", PROC_ROOT, .mode = FILE_ALL, .text = proc_version},
	{"vmstat", PROC_ROOT, .mode = FILE_ALL, .text = proc_vmstat},

	/* Its settings. */
	{"crypto", PROC_SYS, PROC_SYS_CRYPTO, .mode = FOLDER},
	{"fips_enabled", PROC_SYS_CRYPTO, CONSTANT(0)},
	{"fs", PROC_SYS, PROC_SYS_FS, .mode = FOLDER},
	{"fuse", PROC_SYS_FS, PROC_SYS_FUSE, .mode = FOLDER},
	{"default_request_timeout", PROC_SYS_FUSE, NUMBER(fuse_default_timeout_s, 0, UINT16_MAX)},
	{"max_request_timeout", PROC_SYS_FUSE, NUMBER(fuse_max_timeout_s, 0, UINT16_MAX)},
	{"inotify", PROC_SYS_FS, PROC_SYS_INOTIFY, .mode = FOLDER},
	{"max_queued_events", PROC_SYS_INOTIFY, NUMBER(inotify_limits.queued_events, 0, INT32_MAX)},
	{"max_user_instances", PROC_SYS_INOTIFY,
	 NUMBER(inotify_limits.instances, 0, INOTIFY_INSTANCES_MAX)},
	{"max_user_watches", PROC_SYS_INOTIFY,
	 NUMBER(inotify_limits.watches, 0, INOTIFY_WATCHES_MAX)},
	{"lease-break-time", PROC_SYS_FS, NUMBER(lease_break_s, 0, INT32_MAX)},
	{"leases-enable", PROC_SYS_FS, NUMBER(leases_enabled, 0, INT32_MAX)},
	{"mqueue", PROC_SYS_FS, PROC_SYS_MQUEUE, .mode = FOLDER},
	{"msg_default", PROC_SYS_MQUEUE, NUMBER_OF(mqueue_limits, msg_default, 1, MQUEUE_MSG_MAX)},
	{"msg_max", PROC_SYS_MQUEUE, NUMBER_OF(mqueue_limits, msg_max, 1, MQUEUE_MSG_MAX)},
	{"msgsize_default", PROC_SYS_MQUEUE,
	 NUMBER_OF(mqueue_limits, msgsize_default, 128, MQUEUE_MSGSIZE_MAX)},
	{"msgsize_max", PROC_SYS_MQUEUE,
	 NUMBER_OF(mqueue_limits, msgsize_max, 128, MQUEUE_MSGSIZE_MAX)},
	{"queues_max", PROC_SYS_MQUEUE, NUMBER_OF(mqueue_limits, queues_max, 0, MQUEUE_QUEUES_MAX)},
	{"nr_open", PROC_SYS_FS, CONSTANT(FD_MAX)},
	{"pipe-max-size", PROC_SYS_FS, .mode = FILE_SET, .text = proc_number,
	 .write = proc_pipe_max_write,
	 .number = &(const struct proc_number){.at = &pipe_bytes_max,
					       .bytes = sizeof(pipe_bytes_max)}},
	{"kernel", PROC_SYS, PROC_SYS_KERNEL, .mode = FOLDER},
	{"cap_last_cap", PROC_SYS_KERNEL, CONSTANT(CAP_LAST_CAP)},
	{"core_pattern", PROC_SYS_KERNEL, .mode = FILE_SET, .text = proc_core_pattern,
	 .write = proc_core_pattern_write},
	{"core_uses_pid", PROC_SYS_KERNEL, .mode = FILE_SET, .text = proc_core_uses_pid,
	 .write = proc_core_uses_pid_write},
	{"domainname", PROC_SYS_KERNEL, .mode = FILE_SET, .text = proc_domainname,
	 .write = proc_domainname_write},
	{"hostname", PROC_SYS_KERNEL, .mode = FILE_SET, .text = proc_hostname,
	 .write = proc_hostname_write},
	{"msgmax", PROC_SYS_KERNEL, NUMBER_OF(sysv_limits, msgmax, 0, INT32_MAX)},
	{"msgmnb", PROC_SYS_KERNEL, NUMBER_OF(sysv_limits, msgmnb, 0, INT32_MAX)},
	{"msgmni", PROC_SYS_KERNEL, NUMBER_OF(sysv_limits, msgmni, 0, SYSV_IDS_MAX)},
	{"ngroups_max", PROC_SYS_KERNEL, CONSTANT(GROUPS_MAX)},
	{"osrelease", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_osrelease},
	{"ostype", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_ostype},
	{"overflowgid", PROC_SYS_KERNEL, CONSTANT(OVERFLOW_ID)},
	{"overflowuid", PROC_SYS_KERNEL, CONSTANT(OVERFLOW_ID)},
	{"pid_max", PROC_SYS_KERNEL, NUMBER(pid_limit, PID_LIMIT_MIN, PID_MAX)},
	{"random", PROC_SYS_KERNEL, PROC_SYS_RANDOM, .mode = FOLDER},
	{"seccomp", PROC_SYS_KERNEL, PROC_SYS_SECCOMP, .mode = FOLDER},
	{"actions_avail", PROC_SYS_SECCOMP, .mode = FILE_ALL, .text = proc_seccomp_actions},
	{"actions_logged", PROC_SYS_SECCOMP, .mode = FILE_SET, .text = proc_seccomp_logged,
	 .write = proc_seccomp_logged_write},
	{"sem", PROC_SYS_KERNEL, .mode = FILE_SET, .text = proc_sem, .write = proc_sem_write},
	{"shmall", PROC_SYS_KERNEL, NUMBER_OF(sysv_limits, shmall, 0, UINT64_MAX)},
	{"shmmax", PROC_SYS_KERNEL, NUMBER_OF(sysv_limits, shmmax, 0, UINT64_MAX)},
	{"shmmni", PROC_SYS_KERNEL, NUMBER_OF(sysv_limits, shmmni, 0, SYSV_IDS_MAX)},
	{"version", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_osversion},
	{"boot_id", PROC_SYS_RANDOM, .mode = FILE_ALL, .text = proc_boot_id},
	{"entropy_avail", PROC_SYS_RANDOM, .mode = FILE_ALL, .text = proc_entropy},
	{"poolsize", PROC_SYS_RANDOM, .mode = FILE_ALL, .text = proc_poolsize},
	{"uuid", PROC_SYS_RANDOM, .mode = FILE_ALL, .text = proc_uuid},
	{"net", PROC_SYS, PROC_SYS_NET, .mode = FOLDER},
	{"core", PROC_SYS_NET, PROC_SYS_NET_CORE, .mode = FOLDER},
	{"somaxconn", PROC_SYS_NET_CORE, NUMBER(socket_backlog_max, 0, SOMAXCONN)},
	{"vm", PROC_SYS, PROC_SYS_VM, .mode = FOLDER},
	{"dirty_expire_centisecs", PROC_SYS_VM, NUMBER(dirty_expire_cs, 0, INT32_MAX)},
	{"dirty_writeback_centisecs", PROC_SYS_VM, NUMBER(dirty_writeback_cs, 0, INT32_MAX)},
	{"drop_caches", PROC_SYS_VM, .mode = S_IFREG | 0200, .write = proc_drop_caches_write},
	{"max_map_count", PROC_SYS_VM, CONSTANT(SPACE_REGIONS_MAX)},
	{"min_free_kbytes", PROC_SYS_VM, .mode = FILE_ALL, .text = proc_min_free},
	{"overcommit_kbytes", PROC_SYS_VM, .mode = FILE_SET, .text = proc_overcommit_kbytes,
	 .write = proc_overcommit_kbytes_write},
	{"overcommit_memory", PROC_SYS_VM, .mode = FILE_SET, .text = proc_overcommit_memory,
	 .write = proc_overcommit_memory_write},
	{"overcommit_ratio", PROC_SYS_VM, .mode = FILE_SET, .text = proc_overcommit_ratio,
	 .write = proc_overcommit_ratio_write},

	/* A process, or a thread. */
	{"auxv", PROC_PROCESS, .mode = FILE_OWNER, .flags = PROC_OWNER_ONLY,
	 .text = proc_process_auxv},
	{"cmdline", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_cmdline},
	{"comm", PROC_PROCESS, .mode = FILE_SET, .flags = PROC_AS_WRITTEN,
	 .text = proc_process_comm, .write = proc_process_comm_write},
	{"coredump_filter", PROC_PROCESS, .mode = FILE_SET, .text = proc_core_filter,
	 .write = proc_core_filter_write},
	{"cwd", PROC_PROCESS, .mode = LINK, .flags = PROC_OWNER_ONLY, .link = proc_path_link,
	 .follow = proc_cwd},
	{"environ", PROC_PROCESS, .mode = FILE_OWNER, .flags = PROC_OWNER_ONLY,
	 .text = proc_process_environ},
	{"exe", PROC_PROCESS, .mode = LINK, .flags = PROC_OWNER_ONLY, .link = proc_path_link,
	 .follow = proc_exe},
	{"fd", PROC_PROCESS, PROC_FD, .mode = S_IFDIR | 0500, .flags = PROC_OWNER_ONLY},
	{"fdinfo", PROC_PROCESS, PROC_FDINFO, .mode = S_IFDIR | 0500, .flags = PROC_OWNER_ONLY},
	{"gid_map", PROC_PROCESS, .mode = FILE_SET, .flags = PROC_LONG, .text = proc_gid_map,
	 .write = proc_gid_map_write},
	{"limits", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_limits},
	{"maps", PROC_PROCESS, .mode = FILE_ALL, .flags = PROC_OWNER_ONLY,
	 .text = proc_process_maps},
	{"mem", PROC_PROCESS, .mode = S_IFREG | 0600, .flags = PROC_TRACER_ONLY,
	 .move = proc_process_mem},
	{"mountinfo", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_mountinfo},
	{"mounts", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_mounts},
	{"net", PROC_PROCESS, PROC_NET, .mode = FOLDER},
	{"unix", PROC_NET, .mode = FILE_ALL, .text = proc_net_unix},
	{"ns", PROC_PROCESS, PROC_NAMESPACES, .mode = S_IFDIR | 0511},
	{"ipc", PROC_NAMESPACES, .mode = LINK, .flags = PROC_OWNER_ONLY,
	 .link = proc_namespace_link, .follow = proc_namespace},
	{"mnt", PROC_NAMESPACES, .mode = LINK, .flags = PROC_OWNER_ONLY,
	 .link = proc_namespace_link, .follow = proc_namespace},
	{"net", PROC_NAMESPACES, .mode = LINK, .flags = PROC_OWNER_ONLY,
	 .link = proc_namespace_link, .follow = proc_namespace},
	{"pid", PROC_NAMESPACES, .mode = LINK, .flags = PROC_OWNER_ONLY,
	 .link = proc_namespace_link, .follow = proc_namespace},
	{"pid_for_children", PROC_NAMESPACES, .mode = LINK, .flags = PROC_OWNER_ONLY,
	 .link = proc_namespace_link, .follow = proc_namespace},
	{"time", PROC_NAMESPACES, .mode = LINK, .flags = PROC_OWNER_ONLY,
	 .link = proc_namespace_link, .follow = proc_namespace},
	{"time_for_children", PROC_NAMESPACES, .mode = LINK, .flags = PROC_OWNER_ONLY,
	 .link = proc_namespace_link, .follow = proc_namespace},
	{"user", PROC_NAMESPACES, .mode = LINK, .flags = PROC_OWNER_ONLY,
	 .link = proc_namespace_link, .follow = proc_namespace},
	{"uts", PROC_NAMESPACES, .mode = LINK, .flags = PROC_OWNER_ONLY,
	 .link = proc_namespace_link, .follow = proc_namespace},
	{"oom_adj", PROC_PROCESS, .mode = FILE_SET, .text = proc_oom_adj,
	 .write = proc_oom_adj_write},
	{"oom_score", PROC_PROCESS, .mode = FILE_ALL, .text = proc_oom_score},
	{"oom_score_adj", PROC_PROCESS, .mode = FILE_SET, .text = proc_oom_score_adj,
	 .write = proc_oom_score_adj_write},
	{"root", PROC_PROCESS, .mode = LINK, .flags = PROC_OWNER_ONLY, .link = proc_path_link,
	 .follow = proc_root},
	{"setgroups", PROC_PROCESS, .mode = FILE_SET, .text = proc_setgroups,
	 .write = proc_setgroups_write},
	{"smaps", PROC_PROCESS, .mode = FILE_ALL, .flags = PROC_OWNER_ONLY,
	 .text = proc_process_smaps},
	{"smaps_rollup", PROC_PROCESS, .mode = FILE_ALL, .flags = PROC_OWNER_ONLY | PROC_WHOLE_ONLY,
	 .text = proc_process_smaps_rollup},
	{"stat", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_stat},
	{"statm", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_statm},
	{"status", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_status},
	{"syscall", PROC_PROCESS, .mode = FILE_OWNER, .flags = PROC_TRACER_ONLY,
	 .text = proc_process_syscall},
	{"timens_offsets", PROC_PROCESS, .mode = FILE_SET, .flags = PROC_LONG | PROC_WHOLE_ONLY,
	 .text = proc_time_offsets, .write = proc_time_offsets_write},
	{"uid_map", PROC_PROCESS, .mode = FILE_SET, .flags = PROC_LONG, .text = proc_uid_map,
	 .write = proc_uid_map_write},
	{"task", PROC_PROCESS, PROC_TASK, .mode = FOLDER, .flags = PROC_WHOLE_ONLY},

	/* /sys. */
	{"devices", SYSFS_ROOT, SYSFS_DEVICES, .mode = FOLDER},
	{"system", SYSFS_DEVICES, SYSFS_DEVICES_SYSTEM, .mode = FOLDER},
	{"cpu", SYSFS_DEVICES_SYSTEM, SYSFS_CPUS, .mode = FOLDER},
	{"isolated", SYSFS_CPUS, .mode = FILE_ALL, .text = sysfs_no_cpus},
	{"kernel_max", SYSFS_CPUS, CONSTANT(CPU_MAX - 1)},
	{"offline", SYSFS_CPUS, .mode = FILE_ALL, .text = sysfs_no_cpus},
	{"online", SYSFS_CPUS, .mode = FILE_ALL, .text = sysfs_cpus},
	{"possible", SYSFS_CPUS, .mode = FILE_ALL, .text = sysfs_cpus},
	{"present", SYSFS_CPUS, .mode = FILE_ALL, .text = sysfs_cpus},
	{"online", SYSFS_CPU, .flags = PROC_OF_CPU, CONSTANT(1)},
	{"fs", SYSFS_ROOT, SYSFS_FS, .mode = FOLDER},
	{"fuse", SYSFS_FS, SYSFS_FUSE, .mode = FOLDER},
	{"connections", SYSFS_FUSE, SYSFS_FUSE_CONNECTIONS, .mode = FOLDER},
	{"kernel", SYSFS_ROOT, SYSFS_KERNEL, .mode = FOLDER},
	{"mm", SYSFS_KERNEL, SYSFS_MM, .mode = FOLDER},
	{"transparent_hugepage", SYSFS_MM, SYSFS_HUGE, .mode = FOLDER},
	{"enabled", SYSFS_HUGE, .mode = FILE_SET, .text = sysfs_huge_mode,
	 .write = sysfs_huge_mode_write},
	{"hpage_pmd_size", SYSFS_HUGE, CONSTANT(HUGE_PAGE_BYTES)},

	/* fusectl. */
	{"abort", FUSECTL_CONNECTION, .mode = S_IFREG | 0200, .flags = PROC_OF_CONNECTION,
	 .write = fusectl_abort_write},
	{"congestion_threshold", FUSECTL_CONNECTION, .mode = S_IFREG | 0600,
	 .flags = PROC_OF_CONNECTION, .text = fusectl_congestion,
	 .write = fusectl_congestion_write},
	{"max_background", FUSECTL_CONNECTION, .mode = S_IFREG | 0600, .flags = PROC_OF_CONNECTION,
	 .text = fusectl_max_background, .write = fusectl_max_background_write},
	{"requests", FUSECTL_CONNECTION, .mode = FILE_OWNER, .flags = PROC_OF_CONNECTION,
	 .text = fusectl_requests},
	{"waiting", FUSECTL_CONNECTION, .mode = FILE_OWNER, .flags = PROC_OF_CONNECTION,
	 .text = fusectl_waiting},
};

_Static_assert(ARRAY_SIZE(proc_entries) <= 1 << PROC_ENTRY_BITS, "a node's number has room");
const unsigned proc_nentries = ARRAY_SIZE(proc_entries);
