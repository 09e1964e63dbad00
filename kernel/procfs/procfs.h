/*
 * /proc from inside: one table says which files there are (table.c), a file for each subject how
 * their texts are made, tree.c what a node's number means, server.c serves it all to fusek/.
 *
 * Nothing here has a life of its own: a node's number names a process and an entry of the table,
 * and each operation looks whether that process is still there. A text is made as a whole when it
 * is read from its beginning, and kept with the open file until it is read from there again, as
 * Linux's seq_file does; so what one reader sees fits together, and nothing is held meanwhile.
 */
#ifndef KERNEL_PROCFS_PROCFS_H
#define KERNEL_PROCFS_PROCFS_H

#include "text.h"

#include "../process.h"

#include <fusek/path.h>
#include <fusek/server.h>

/* Which entries a directory has. */
enum proc_directory {
	PROC_NO_DIRECTORY,
	PROC_ROOT,
	PROC_PROCESS, /* of a process, or of one thread of it */
	PROC_TASK,
	PROC_FD,
	PROC_FDINFO,
	PROC_NAMESPACES,
	PROC_NET,
	PROC_SYS,
	PROC_SYS_KERNEL,
	PROC_SYS_RANDOM,
	PROC_SYS_VM,
	PROC_SYSVIPC,
	PROC_SYS_FS,
	PROC_SYS_FUSE,
	PROC_SYS_MQUEUE,
	PROC_SYS_INOTIFY,
	PROC_SYS_NET,
	PROC_SYS_NET_CORE,
	PROC_SYS_CRYPTO,
	PROC_SYS_SECCOMP,
	PROC_TTY,
	/* Of /sys. */
	SYSFS_ROOT,
	SYSFS_DEVICES,
	SYSFS_DEVICES_SYSTEM,
	SYSFS_CPUS,
	SYSFS_CPU, /* one of them */
	SYSFS_FS,
	SYSFS_FUSE,
	SYSFS_FUSE_CONNECTIONS,
	SYSFS_KERNEL,
	SYSFS_MM,
	SYSFS_HUGE,
	/* Of fusectl. */
	FUSECTL_ROOT,
	FUSECTL_CONNECTION, /* one of them */
};

/* A number that is a file: one that can be set, or a constant. */
struct proc_number {
	void *at; /* uint32_t or uint64_t; read_once, write_once */
	/* Instead: it lies `offset` bytes behind this. NULL both: it is `most`. */
	void *(*of)(void);
	size_t offset;
	unsigned bytes; /* of it: 4 or 8 */
	uint64_t least, most;
};

struct proc_entry;

/* What a node is about. */
struct proc_subject {
	const struct proc_entry *entry;
	struct process *process;               /* a reference; NULL: the machine */
	int32_t tid;                           /* one thread of it; 0: all of it */
	const struct pid_namespace *namespace; /* whose numbers are shown, borrowed from the mount;
						* NULL: the first's */
	int fd;                                /* in fd/ and fdinfo/ */
	uint32_t index;                        /* of PROC_OF_CPU, PROC_OF_CONNECTION: its number */
	/* Of what is written: as who opened the file. Else NULL. */
	const struct credentials *opener;
};

enum proc_flags {
	PROC_OWNER_ONLY = 1 << 0,    /* process_may_inspect() decides */
	PROC_WHOLE_ONLY = 1 << 1,    /* not in the directory of a thread */
	PROC_TRACER_ONLY = 1 << 2,   /* process_may_trace() decides */
	PROC_OF_CPU = 1 << 3,        /* there is one for each CPU */
	PROC_OF_CONNECTION = 1 << 4, /* for each driver's mount */
	PROC_AS_WRITTEN = 1 << 5,    /* `write` gets line ends as well, and the beginning of a long
				      * text */
	PROC_LONG = 1 << 6,          /* what is written may be as long as a page, without one byte,
				      * and comes at once */
};

struct proc_entry {
	const char *name; /* NULL: one for each process, thread or descriptor */
	enum proc_directory parent;
	enum proc_directory directory; /* that it is */
	uint32_t mode;                 /* with the type */
	unsigned flags;                /* enum proc_flags */
	/* A file's. On an error text->err. */
	void (*text)(struct text *text, const struct proc_subject *subject);
	/* What is written to it, without the line's end (but PROC_AS_WRITTEN). NULL: nothing can
	 * be. */
	err_t (*write)(const struct proc_subject *subject, const char *text);
	const struct proc_number *number; /* of proc_number and proc_number_write */
	/* In the place of both: what is read from there, or written. Bytes. */
	ssize_t (*move)(const struct proc_subject *subject, struct buffer *buffer,
			uint64_t offset_bytes, bool is_write);
	/* A link's text, with its NUL; the length without it. */
	ssize_t (*link)(const struct proc_subject *subject, char *to, size_t to_bytes);
	/* Where a link leads; NULL: where its text says. */
	err_t (*follow)(const struct proc_subject *subject, struct path *out);
};

/* Entries without a name, and the root: their places in the table. */
enum {
	PROC_ENTRY_ROOT = 1,
	PROC_ENTRY_PROCESS,
	PROC_ENTRY_THREAD,
	PROC_ENTRY_FD,
	PROC_ENTRY_FDINFO,
	PROC_ENTRY_SYSFS, /* the root of /sys */
	PROC_ENTRY_CPU,
	PROC_ENTRY_FUSECTL, /* the root of fusectl */
	PROC_ENTRY_CONNECTION,
	PROC_ENTRY_FIRST_NAMED,
};

#define PROC_ENTRY_BITS 8 /* of a node's number: the place in the table */

extern const struct proc_entry proc_entries[];
extern const unsigned proc_nentries;

struct region_info;
/* The line of a region in maps and smaps (memory.c). */
void proc_add_region(struct text *text, const struct region_info *region, const char *name);

/* ---- tree.c ---- */

/* What `node` is about, by the numbers of `namespace`; proc_subject_put() afterwards. -ENOENT: its
 * process has gone. */
err_t must_check proc_subject_get(const struct pid_namespace *namespace, struct nodeid node,
				  struct proc_subject *out);
void proc_subject_put(struct proc_subject *subject);
/* It does not go away. */
bool proc_subject_stays(const struct proc_subject *subject);
/* The same without its process: `node` is one that a look-up gave. */
const struct proc_entry *proc_entry_of(struct nodeid node);
void proc_attr(const struct proc_subject *subject, struct nodeid node, struct server_attr *out);
err_t must_check proc_lookup(const struct proc_subject *parent, struct server_name name,
			     struct server_entry *out);
err_t must_check proc_readdir(const struct proc_subject *directory, uint64_t cookie,
			      struct dirent_sink *sink);

/* ---- texts of the machine (machine.c, cpu.c, system.c) ---- */

typedef void proc_text_fn(struct text *text, const struct proc_subject *subject);
proc_text_fn proc_stat, proc_meminfo, proc_vmstat, proc_uptime, proc_loadavg, proc_cpuinfo;
proc_text_fn proc_version, proc_filesystems, proc_cmdline, proc_swaps;
proc_text_fn proc_hostname, proc_domainname, proc_ostype, proc_osrelease, proc_osversion;
proc_text_fn proc_interrupts, proc_tty_drivers, proc_partitions, proc_nothing;
proc_text_fn proc_boot_id, proc_uuid, proc_entropy, proc_poolsize;

/* ---- System V objects and their limits (sysv.c) ---- */

proc_text_fn proc_sysvipc_shm, proc_sysvipc_sem, proc_sysvipc_msg;
proc_text_fn proc_sem;
void *proc_sysv_limits(void); /* of who asks */
void *proc_mqueue_limits(void);

/* ---- texts of processes (status.c, memory.c, mounts.c) ---- */

proc_text_fn proc_process_stat, proc_process_status, proc_process_statm, proc_process_comm;
proc_text_fn proc_process_limits;
/* A number of `process` as each namespace has it, from the mount's to the process's own. */
void proc_add_numbers(struct text *text, const struct proc_subject *subject,
		      const struct process *process, int32_t number);
proc_text_fn proc_process_cmdline, proc_process_environ, proc_process_auxv, proc_process_maps;
proc_text_fn proc_process_smaps, proc_process_smaps_rollup;
proc_text_fn proc_process_syscall;
ssize_t proc_process_mem(const struct proc_subject *subject, struct buffer *buffer,
			 uint64_t offset_bytes, bool is_write);
proc_text_fn proc_process_mounts, proc_process_mountinfo;
proc_text_fn proc_process_fdinfo;

proc_text_fn proc_net_unix; /* sockets.c */
proc_text_fn proc_locks;    /* locks.c */

/* ---- settings (settings.c, memory_settings.c) ---- */

typedef err_t proc_write_fn(const struct proc_subject *subject, const char *text);
/* -EINVAL: it is no number, or not within the two. Blanks before it are skipped. */
err_t must_check proc_read_number(const char *text, int64_t least, int64_t most, int64_t *out);
proc_text_fn proc_number;
proc_write_fn proc_number_write;
proc_write_fn proc_process_comm_write;
proc_write_fn proc_hostname_write, proc_domainname_write, proc_sem_write, proc_pipe_max_write;
proc_text_fn proc_oom_score, proc_oom_score_adj, proc_oom_adj;
proc_write_fn proc_oom_score_adj_write, proc_oom_adj_write;
proc_text_fn proc_core_filter, proc_core_pattern, proc_core_uses_pid; /* core.c */
proc_write_fn proc_core_filter_write, proc_core_pattern_write, proc_core_uses_pid_write;
proc_text_fn proc_overcommit_memory, proc_overcommit_ratio, proc_overcommit_kbytes;
proc_write_fn proc_overcommit_memory_write, proc_overcommit_ratio_write;
proc_write_fn proc_drop_caches_write;
proc_write_fn proc_overcommit_kbytes_write;
proc_text_fn proc_min_free;
proc_text_fn proc_seccomp_actions, proc_seccomp_logged; /* ../seccomp/log.c */
proc_write_fn proc_seccomp_logged_write;

/* ../namespace/time.c */
proc_text_fn proc_time_offsets;
proc_write_fn proc_time_offsets_write;

/* ../namespace/user.c */
proc_text_fn proc_uid_map, proc_gid_map, proc_setgroups;
proc_write_fn proc_uid_map_write, proc_gid_map_write, proc_setgroups_write;

/* ---- /sys (sysfs.c) ---- */

proc_text_fn sysfs_cpus, sysfs_no_cpus, sysfs_huge_mode;
proc_write_fn sysfs_huge_mode_write;

/* ---- fusectl (fusectl.c) ---- */

proc_text_fn fusectl_waiting, fusectl_max_background, fusectl_congestion, fusectl_requests;
proc_write_fn fusectl_abort_write, fusectl_max_background_write, fusectl_congestion_write;

/* ---- links (links.c) ---- */

typedef ssize_t proc_link_fn(const struct proc_subject *subject, char *to, size_t to_bytes);
typedef err_t proc_follow_fn(const struct proc_subject *subject, struct path *out);
proc_link_fn proc_self, proc_thread_self, proc_mounts_link, proc_net_link;
proc_link_fn proc_path_link, proc_fd_link;
proc_follow_fn proc_exe, proc_cwd, proc_root, proc_fd;
/* ../namespace/file.c */
proc_link_fn proc_namespace_link;
proc_follow_fn proc_namespace;
/* The object that subject->fd names, with a reference, and whether it goes with exec; NULL: closed.
 */
struct object *proc_fd_object(const struct proc_subject *subject, bool *close_on_exec);

#endif
