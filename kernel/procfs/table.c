/*
 * Which files /proc has. What is not here has no figures behind it.
 */
#include "procfs.h"

#define FILE_ALL   (S_IFREG | 0444)
#define FILE_OWNER (S_IFREG | 0400)
#define LINK       (S_IFLNK | 0777)
#define FOLDER     (S_IFDIR | 0555)

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

	/* The machine. */
	{"self", PROC_ROOT, .mode = LINK, .link = proc_self},
	{"thread-self", PROC_ROOT, .mode = LINK, .link = proc_thread_self},
	{"mounts", PROC_ROOT, .mode = LINK, .link = proc_mounts_link},
	{"cmdline", PROC_ROOT, .mode = FILE_ALL, .text = proc_cmdline},
	{"cpuinfo", PROC_ROOT, .mode = FILE_ALL, .text = proc_cpuinfo},
	{"filesystems", PROC_ROOT, .mode = FILE_ALL, .text = proc_filesystems},
	{"loadavg", PROC_ROOT, .mode = FILE_ALL, .text = proc_loadavg},
	{"meminfo", PROC_ROOT, .mode = FILE_ALL, .text = proc_meminfo},
	{"net", PROC_ROOT, .mode = LINK, .link = proc_net_link},
	{"stat", PROC_ROOT, .mode = FILE_ALL, .text = proc_stat},
	{"swaps", PROC_ROOT, .mode = FILE_ALL, .text = proc_swaps},
	{"sys", PROC_ROOT, PROC_SYS, .mode = FOLDER},
	{"sysvipc", PROC_ROOT, PROC_SYSVIPC, .mode = FOLDER},
	{"msg", PROC_SYSVIPC, .mode = FILE_ALL, .text = proc_sysvipc_msg},
	{"sem", PROC_SYSVIPC, .mode = FILE_ALL, .text = proc_sysvipc_sem},
	{"shm", PROC_SYSVIPC, .mode = FILE_ALL, .text = proc_sysvipc_shm},
	{"uptime", PROC_ROOT, .mode = FILE_ALL, .text = proc_uptime},
	{"version", PROC_ROOT, .mode = FILE_ALL, .text = proc_version},
	{"kernel", PROC_SYS, PROC_SYS_KERNEL, .mode = FOLDER},
	{"domainname", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_domainname},
	{"hostname", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_hostname},
	{"msgmax", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_msgmax},
	{"msgmnb", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_msgmnb},
	{"msgmni", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_msgmni},
	{"osrelease", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_osrelease},
	{"ostype", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_ostype},
	{"pid_max", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_pid_max},
	{"random", PROC_SYS_KERNEL, PROC_SYS_RANDOM, .mode = FOLDER},
	{"sem", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_sem},
	{"shmall", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_shmall},
	{"shmmax", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_shmmax},
	{"shmmni", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_shmmni},
	{"version", PROC_SYS_KERNEL, .mode = FILE_ALL, .text = proc_osversion},
	{"boot_id", PROC_SYS_RANDOM, .mode = FILE_ALL, .text = proc_boot_id},
	{"entropy_avail", PROC_SYS_RANDOM, .mode = FILE_ALL, .text = proc_entropy},
	{"poolsize", PROC_SYS_RANDOM, .mode = FILE_ALL, .text = proc_poolsize},
	{"uuid", PROC_SYS_RANDOM, .mode = FILE_ALL, .text = proc_uuid},

	/* A process, or a thread. */
	{"auxv", PROC_PROCESS, .mode = FILE_OWNER, .flags = PROC_OWNER_ONLY,
	 .text = proc_process_auxv},
	{"cmdline", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_cmdline},
	{"comm", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_comm},
	{"cwd", PROC_PROCESS, .mode = LINK, .flags = PROC_OWNER_ONLY, .link = proc_path_link,
	 .follow = proc_cwd},
	{"environ", PROC_PROCESS, .mode = FILE_OWNER, .flags = PROC_OWNER_ONLY,
	 .text = proc_process_environ},
	{"exe", PROC_PROCESS, .mode = LINK, .flags = PROC_OWNER_ONLY, .link = proc_path_link,
	 .follow = proc_exe},
	{"fd", PROC_PROCESS, PROC_FD, .mode = S_IFDIR | 0500, .flags = PROC_OWNER_ONLY},
	{"fdinfo", PROC_PROCESS, PROC_FDINFO, .mode = S_IFDIR | 0500, .flags = PROC_OWNER_ONLY},
	{"limits", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_limits},
	{"maps", PROC_PROCESS, .mode = FILE_ALL, .flags = PROC_OWNER_ONLY,
	 .text = proc_process_maps},
	{"mountinfo", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_mountinfo},
	{"mounts", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_mounts},
	{"net", PROC_PROCESS, PROC_NET, .mode = FOLDER},
	{"unix", PROC_NET, .mode = FILE_ALL, .text = proc_net_unix},
	{"root", PROC_PROCESS, .mode = LINK, .flags = PROC_OWNER_ONLY, .link = proc_path_link,
	 .follow = proc_root},
	{"stat", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_stat},
	{"statm", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_statm},
	{"status", PROC_PROCESS, .mode = FILE_ALL, .text = proc_process_status},
	{"task", PROC_PROCESS, PROC_TASK, .mode = FOLDER, .flags = PROC_WHOLE_ONLY},
};

const unsigned proc_nentries = ARRAY_SIZE(proc_entries);
