/*
 * What the kernel and ksh, its workbench, agree on: one table of functions that the kernel hands to
 * ksh's entry point, and the plain structures that they fill. ksh calls the kernel through nothing
 * else.
 *
 * Rules of the table:
 * - No kernel pointer and no lock ever crosses it: enumerations are snapshots in arrays that ksh
 *   owns, files and programs are small numbers.
 * - Functions return 0 or a count, or a negative errno of abi/errno.h.
 * - All that ksh got through it (memory, open files) is taken back when ksh ends or faults.
 * - New entries go to the end; what an entry means changes only together with KSH_ABI_VERSION.
 *   ksh's ELF file carries a note (struct ksh_note) with the version and the size that it was built
 *   against. The kernel loads it if the versions are equal and its own table is at least as long.
 *
 * This header includes nothing but the compiler's own.
 */
#ifndef ABI_KSH_H
#define ABI_KSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KSH_ABI_VERSION 4

/* The note in ksh's ELF file: name KSH_NOTE_NAME, type KSH_NOTE_TYPE, and this. */
#define KSH_NOTE_NAME "Fuselage"
#define KSH_NOTE_TYPE 0x6b736801u

struct ksh_note {
	uint32_t abi_version;
	uint32_t table_bytes; /* sizeof(struct ksh_exports) as ksh was compiled */
};

#define KSH_NAME_MAX 32   /* names of programs, caches, mounts' types; with the NUL */
#define KSH_PATH_MAX 1024 /* paths that ksh deals with; with the NUL */
#define KSH_FOREVER  UINT64_MAX

/* ---- console ---- */

/* In all of them "\n" written begins a new row at its start. */
enum ksh_console_mode {
	KSH_CONSOLE_RAW,  /* ksh reads single bytes: no echo, no signals */
	KSH_CONSOLE_EDIT, /* likewise, and what was written since the last "\r" or "\n" draws the
			     cursor's row anew: log lines may be shown above it */
	KSH_CONSOLE_LINE, /* a program runs: lines, echo, Ctrl-C to the foreground program */
};

struct ksh_window {
	uint16_t rows;
	uint16_t columns;
};

/* ---- files ---- */

enum ksh_open_flags {
	KSH_OPEN_READ = 1 << 0,
	KSH_OPEN_WRITE = 1 << 1,
	KSH_OPEN_CREATE = 1 << 2,
	KSH_OPEN_TRUNCATE = 1 << 3,
	KSH_OPEN_APPEND = 1 << 4,
	KSH_OPEN_DIRECTORY = 1 << 5,
};

struct ksh_stat {
	uint64_t inode;
	uint64_t size_bytes;
	uint64_t links;
	int64_t mtime_s; /* since 1970, UTC */
	uint64_t device; /* of a device node: major << 32 | minor */
	uint32_t mode;   /* type and permission bits as in Linux's st_mode */
	uint32_t uid;
	uint32_t gid;
};

struct ksh_dirent {
	uint8_t type; /* the type bits of st_mode, shifted right by 12 */
	char name[256];
};

struct ksh_mount {
	char type[KSH_NAME_MAX];
	char source[64];
	char path[256];
	char options[64];
	uint64_t total_bytes; /* 0: not limited */
	uint64_t free_bytes;
	uint32_t number; /* of its filesystem: the minor one of st_dev */
};

/* ---- programs and threads ---- */

/* Standard streams of a program that is started: the console, or an open file of ksh's. */
#define KSH_STREAM_CONSOLE (-1)

struct ksh_spawn {
	const char *path;        /* of the ELF file, resolved already */
	const char *const *argv; /* ends with NULL */
	const char *const *envp; /* ends with NULL */
	int streams[3];          /* file numbers or KSH_STREAM_CONSOLE */
	bool foreground;         /* it gets the console's Ctrl-C */
	bool trace;              /* its system calls are shown from the first on */
	int nice;
};

/* How a program ended, and what it used. */
struct ksh_exit {
	int status; /* of its exit, if signal is 0 */
	int signal; /* that ended it */
	bool core;  /* and it left a core */
	uint64_t cpu_ns;
	uint64_t real_ns; /* from its start to its end */
};

struct ksh_process {
	int pid; /* 0: a thread of the kernel */
	int parent;
	uint32_t tid;
	char state;    /* R runs or is ready, S sleeps, Z has ended, N not started */
	uint8_t level; /* of the scheduler's 64 */
	int8_t nice;
	uint8_t cpu;
	uint64_t cpu_ns;
	uint64_t memory_bytes; /* resident */
	char name[64];         /* with its arguments, as far as they fit */
};

enum ksh_region_flags {
	KSH_REGION_READ = 1 << 0,
	KSH_REGION_WRITE = 1 << 1,
	KSH_REGION_EXEC = 1 << 2,
	KSH_REGION_SHARED = 1 << 3,
};

struct ksh_region {
	uint64_t start;
	uint64_t end; /* exclusive */
	uint32_t flags;
	uint64_t resident_pages;
	char name[64];
};

#define KSH_WALK_LEVELS 4

struct ksh_walk_entry {
	uint64_t entry; /* as it stands in the table */
	uint64_t table; /* physical address of the table */
	uint32_t index; /* in the table */
	bool leaf;
};

/* One page walk, top level first. */
struct ksh_walk {
	uint32_t levels; /* entries that were read */
	bool mapped;
	uint64_t physical; /* of the address, if it is mapped */
	struct ksh_walk_entry entries[KSH_WALK_LEVELS];
};

/* KSH_TRACE_DRIVER: requests to the driver of filesystem `pid`, 0: to all. */
enum ksh_trace_target { KSH_TRACE_ALL, KSH_TRACE_PID, KSH_TRACE_DRIVER };

/* ---- what the machine does ---- */

struct ksh_memory {
	uint64_t total_bytes; /* usable memory that the firmware told of */
	uint64_t free_bytes;
	uint64_t ramdisk_bytes;   /* of total: the images, used in place */
	uint64_t kernel_bytes;    /* of total: the kernel's image with its data */
	uint64_t tables_bytes;    /* of total: the frame table's own frames */
	uint64_t slab_bytes;      /* of total: frames that slab caches hold */
	uint64_t free_blocks[16]; /* free buddy blocks of 4 KiB << n */
	uint32_t norders;
};

struct ksh_slab {
	char name[KSH_NAME_MAX];
	uint32_t object_bytes;
	uint64_t live;    /* objects in use */
	uint64_t stocked; /* free ones that CPUs keep at hand */
	uint64_t bytes;   /* frames held */
};

struct ksh_irq {
	uint32_t vector;
	int32_t line; /* ISA's 0 to 15, or ACPI's from there on; -1: no device's */
	uint32_t cpu; /* where the line leads to */
	char name[KSH_NAME_MAX];
	char controller[16]; /* "": not known */
	uint64_t count[64];  /* by CPU */
};

struct ksh_cpu {
	uint32_t id;
	uint32_t apic_id;
	uint32_t ready; /* threads that wait for it */
	uint64_t idle_ns;
	uint64_t switches;
	uint64_t direct_switches; /* of those, from a thread to its partner */
};

/* How one CPU's run queue went. */
struct ksh_sched {
	uint32_t id;
	uint32_t ready;  /* threads that wait for it */
	uint64_t moved;  /* threads that came from another CPU */
	uint64_t stolen; /* threads that an idle CPU took from it */
	uint64_t idle_ns;
	uint64_t waited_ns; /* threads that ran here had waited for so long (with several CPUs) */
	uint64_t wasted_ns; /* of that, while a CPU that they may use was idle */
};

/* The locks of one class that had to be waited for. */
struct ksh_lock {
	char name[KSH_NAME_MAX];
	bool sleeps; /* who waits sleeps; else spins */
	uint64_t waits;
	uint64_t waited_ns;
	uint64_t longest_ns;
};

/* A task of the kernel (not a program's): work that waits for events without a thread. */
struct ksh_task {
	char name[KSH_NAME_MAX];
	char awaits[KSH_NAME_MAX]; /* when it was polled last */
	char state[12];
	uint32_t cpu; /* where it was woken last */
	uint64_t polls;
};

struct ksh_machine {
	char version[64];
	char build[16]; /* debug or release */
	char cpu_vendor[16];
	char cpu_model[64];
	char features[128];
	char clock_source[32];
	char timer[32];
	char loader[16];
	uint32_t ncpus;
	uint64_t cycles_hz;
	uint64_t uptime_ns;
	uint64_t wall_ns;  /* since 1970, UTC */
	uint32_t restarts; /* of ksh since boot */
};

struct ksh_log_line {
	uint64_t time_ns;
	uint32_t level; /* 0 error, 1 warning, 2 information, 3 debug */
	uint32_t cpu;
	char text[256]; /* "subsystem: message" */
};

/* ---- self-tests, measurements, the end ---- */

struct ksh_test_result {
	bool passed;
	uint64_t took_ns;
	int64_t leaked_frames; /* frames in use after less before */
	char failure[160];     /* file:line and what did not hold; empty if passed */
};

struct ksh_bench_row {
	char name[48];
	char unit[16];
	uint64_t value; /* hundredths of the unit */
	uint64_t limit; /* likewise, at most this is promised; 0: no promise */
	char note[64];
};

struct ksh_trigger {
	char name[KSH_NAME_MAX];
	char effect[96];
};

/*
 * The table. Sleeps: only console_read, console_write, process_wait, sleep, selftest_run, bench_run
 * and the file functions wait for long; Ctrl-C reaches ksh as a byte that console_read returns.
 */
struct ksh_exports {
	uint32_t abi_version;
	uint32_t table_bytes;

	/* Console. Reading waits at most timeout_ns (0: only what is there; KSH_FOREVER) for the
	 * first byte; 0: nothing came; -EINTR: the window's size has changed. */
	long (*console_read)(void *to, size_t len_bytes, uint64_t timeout_ns);
	long (*console_write)(const void *from, size_t len_bytes);
	void (*console_size)(struct ksh_window *out);
	void (*console_mode)(enum ksh_console_mode mode);

	/* Memory, 16-byte aligned, not cleared; NULL: there is none. */
	void *(*memory_alloc)(size_t len_bytes);
	void (*memory_free)(void *memory);

	/* Time. */
	uint64_t (*clock_ns)(void);
	void (*sleep_ns)(uint64_t duration_ns);

	/* Files, by numbers from 0 up. Relative paths start at ksh's working directory. */
	int (*file_open)(const char *path, unsigned flags, unsigned mode);
	long (*file_read)(int file, void *to, size_t len_bytes);
	long (*file_write)(int file, const void *from, size_t len_bytes);
	/* The next entries of an open directory; 0 at the end. "." and ".." are among them. */
	long (*file_entries)(int file, struct ksh_dirent *out, size_t max);
	int (*file_close)(int file);
	int (*file_stat)(const char *path, bool follow_link, struct ksh_stat *out);
	/* The text of a symbolic link, cut to fit and NUL-terminated; its length. */
	long (*file_link)(const char *path, char *to, size_t to_bytes);
	int (*directory_change)(const char *path);
	int (*directory_name)(char *to, size_t to_bytes);
	long (*mount_list)(struct ksh_mount *out, size_t max);

	/* Programs. spawn returns the PID. wait: 0, -ECHILD (no program of ksh's), -EAGAIN (it
	 * still runs, and `block` is false), -EINTR. disown: nobody will wait for it. */
	int (*process_spawn)(const struct ksh_spawn *spawn);
	int (*process_wait)(int pid, bool block, struct ksh_exit *out);
	int (*process_disown)(int pid);
	int (*process_signal)(int pid, int signal);
	int (*process_nice)(int pid, int nice);
	/* Which program gets Ctrl-C; 0: none. */
	int (*process_foreground)(int pid);
	/* Both return how many there are, also when that is more than max. */
	long (*process_list)(struct ksh_process *out, size_t max);
	/* Regions of a program from address `from` up. */
	long (*space_regions)(int pid, uint64_t from, struct ksh_region *out, size_t max);
	/* pid 0: the kernel's own tables. */
	int (*space_walk)(int pid, uint64_t address, struct ksh_walk *out);
	int (*trace_set)(enum ksh_trace_target target, int pid, bool on);

	/* The machine. The lists return how many there are, also when that is more than max. */
	void (*memory_info)(struct ksh_memory *out);
	long (*slab_list)(struct ksh_slab *out, size_t max);
	long (*irq_list)(struct ksh_irq *out, size_t max);
	long (*cpu_list)(struct ksh_cpu *out, size_t max);
	void (*machine_info)(struct ksh_machine *out);
	/* The oldest line with a number >= *cursor, which becomes the next one's; 0: a line was
	 * there, -ENOENT: no more. */
	int (*log_line)(uint64_t *cursor, struct ksh_log_line *out);
	/* A line of ksh's own in the log. */
	void (*log_write)(const char *text);

	/* Self-tests by number from 0 up; selftest_name gives NULL past the last. */
	const char *(*selftest_name)(size_t number);
	int (*selftest_run)(size_t number, struct ksh_test_result *out);
	/* Measurements, likewise. run fills up to max rows and returns how many. -EPERM: a debug
	 * build measures nothing worth a figure. */
	const char *(*bench_name)(size_t number);
	long (*bench_run)(size_t number, struct ksh_bench_row *out, size_t max);
	/* True: the cycle counter counts instructions (QEMU -icount shift=0). */
	bool (*bench_counts_instructions)(void);

	/* The end. Triggers as with self-tests; a trigger that returns did not do what it says. */
	int (*trigger_info)(size_t number, struct ksh_trigger *out);
	int (*trigger_fire)(const char *name);
	int (*machine_poweroff)(void);
	int (*machine_reboot)(void);

	uint64_t (*random)(void);

	/* What follows `name=` on the kernel's command line, percent-decoded; its length, -ENOENT:
	 * it is not there; -E2BIG; -EINVAL: it is badly encoded. */
	long (*boot_option)(const char *name, char *to, size_t to_bytes);
	/* ksh is about to read its first line or to run its first command: boot is over. */
	void (*ready)(void);

	/* The kernel's tasks. */
	long (*task_list)(struct ksh_task *out, size_t max);

	/* The keyboard's layout: /lib/keymaps/NAME, or a file if there is a slash in it (an
	 * absolute path). -ENOENT, -EINVAL: it is no layout, and the log says why. */
	int (*keymap_load)(const char *name);
	void (*keymap_name)(char *to, size_t to_bytes);

	long (*sched_list)(struct ksh_sched *out, size_t max);
	/* Classes with no wait among them. */
	long (*lock_list)(struct ksh_lock *out, size_t max);

	/* Runs a program as PID 1, with all that it starts, until it has ended (streams and flags
	 * of `spawn` are not looked at). -EBUSY: there is one already; else as process_spawn. */
	int (*userspace_run)(const struct ksh_spawn *spawn, struct ksh_exit *out);
};

/* ksh's ELF entry point. When it returns, ksh is started anew. */
typedef int ksh_entry_function(const struct ksh_exports *exports);

#endif
