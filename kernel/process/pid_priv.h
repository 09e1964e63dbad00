/*
 * Between the PID table (pid.c) and what inner namespaces call its numbers (pid_names.c). All under
 * pid_lock.
 */
#ifndef KERNEL_PROCESS_PID_PRIV_H
#define KERNEL_PROCESS_PID_PRIV_H

#include "../process.h"

#define PID_FIRST 100 /* the kernel's own threads have small numbers */

extern struct spinlock pid_lock;

/* In an RCU section does as well. NULL: nobody has it. */
struct pid_link *pid_lookup(int32_t number);
/* Somebody has the number, or a group or session of one who has gone. */
bool pid_is_taken_locked(int32_t number) REQUIRES(pid_lock);
/* A group or session of a process that has gone had it when it was looked at last. */
bool pid_was_led_locked(int32_t number) REQUIRES(pid_lock);
/* 0: none is free. */
int32_t pid_next_free_locked(void) REQUIRES(pid_lock);
void pid_insert_locked(struct pid_link *link, int32_t number, bool in_turn) REQUIRES(pid_lock);
/* Numbers of groups and sessions that have no members any more are free again. Takes family_lock
 * and pid_lock, one after the other. */
void pid_free_led(void);

/* Who had it has gone, and so has what that was called. */
void pid_names_forget_locked(int32_t number) REQUIRES(pid_lock);
/* The link is taken out of the table. */
void pid_names_remove_locked(struct pid_link *link, bool is_led) REQUIRES(pid_lock);
extern uint32_t pid_nnames; /* that there are; 0: nobody needs to look */

#endif
