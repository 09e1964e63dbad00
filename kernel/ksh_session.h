/*
 * What the kernel keeps for the running ksh, so that it can all be taken back when ksh ends or
 * faults: memory, open files, its working directory and its terminal. One thread alone uses it,
 * ksh's own, so there are no locks.
 */
#ifndef KERNEL_KSH_SESSION_H
#define KERNEL_KSH_SESSION_H

#include <abi/ksh.h>
#include <fusek/path.h>
#include <lib/types.h>

struct object;

#define KSH_FILES_MAX 32

/* The table that ksh's entry point gets (ksh_exports.c). */
extern const struct ksh_exports ksh_export_table;

/* ---- memory and files (ksh_resources.c) ---- */

void *ksh_memory_alloc(size_t len_bytes);
void ksh_memory_free(void *memory);

/* Takes the reference over. The number, or -EMFILE: then the reference is dropped. */
int ksh_file_add(struct object *object);
/* Borrowed from the table; NULL: no such number. */
struct object *ksh_file_object(int file);
int ksh_file_close(int file);

/* Takes back all memory and files. Returns how many pieces of memory and files there were. */
unsigned ksh_resources_release(void);

/* ---- files by name (ksh_files.c) ---- */

int ksh_file_open(const char *path, unsigned flags, unsigned mode);
long ksh_file_read(int file, void *to, size_t len_bytes);
long ksh_file_write(int file, const void *from, size_t len_bytes);
long ksh_file_entries(int file, struct ksh_dirent *out, size_t max);
int ksh_file_stat(const char *path, bool follow_link, struct ksh_stat *out);
long ksh_file_link(const char *path, char *to, size_t to_bytes);
int ksh_directory_change(const char *path);
int ksh_directory_name(char *to, size_t to_bytes);
long ksh_mount_list(struct ksh_mount *out, size_t max);

/* ---- programs (ksh_programs.c) ---- */

int ksh_process_spawn(const struct ksh_spawn *spawn);
int ksh_process_wait(int pid, bool block, struct ksh_exit *out);
int ksh_process_disown(int pid);
int ksh_userspace_run(const struct ksh_spawn *spawn, struct ksh_exit *out);
int ksh_process_signal(int pid, int signal);
int ksh_process_nice(int pid, int nice);
int ksh_process_foreground(int pid);
long ksh_process_list(struct ksh_process *out, size_t max);
long ksh_space_regions(int pid, uint64_t from, struct ksh_region *out, size_t max);
int ksh_space_walk(int pid, uint64_t address, struct ksh_walk *out);
int ksh_trace_set(enum ksh_trace_target target, int pid, bool on);

/* ---- the machine (ksh_machine.c) ---- */

void ksh_memory_info(struct ksh_memory *out);
long ksh_slab_list(struct ksh_slab *out, size_t max);
long ksh_irq_list(struct ksh_irq *out, size_t max);
long ksh_cpu_list(struct ksh_cpu *out, size_t max);
long ksh_task_list(struct ksh_task *out, size_t max);
long ksh_sched_list(struct ksh_sched *out, size_t max);
long ksh_lock_list(struct ksh_lock *out, size_t max);
void ksh_machine_info(struct ksh_machine *out);
int ksh_log_line(uint64_t *cursor, struct ksh_log_line *out);
void ksh_log_write(const char *text);
long ksh_boot_option(const char *name, char *to, size_t to_bytes);

/* Which session of terminals ksh leads: its thread's number. */
int32_t ksh_session_number(void);

#endif
