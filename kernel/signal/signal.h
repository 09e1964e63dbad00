/*
 * Signals: raising them, from anywhere; taking them, in the thread on its way to user mode.
 *
 * One lock a process (process->signal_lock) has all of it: what is pending for the process and for
 * each of its threads, whether it is stopped or ending. The actions have a struct and a lock of
 * their own, since processes may share them (CLONE_SIGHAND without CLONE_THREAD); a handler's
 * address alone is read without it.
 *
 * Who raises a signal chooses a thread that does not block it and interrupts that one
 * (thread_interrupt): its waits end with -EINTR, and it comes to signal_deliver(). A signal whose
 * default is the end begins it at once, so killable waits of all threads end.
 */
#ifndef KERNEL_SIGNAL_SIGNAL_H
#define KERNEL_SIGNAL_SIGNAL_H

#include "../process/uthread.h"

struct trap_frame;

#define STOP_SIGNALS                                                                               \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
/* Whose default is the end with a core (signal(7)). */
#define CORE_SIGNALS                                                                               \
	(SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) |    \
	 SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGXCPU) |     \
	 SIGNAL_BIT(SIGXFSZ) | SIGNAL_BIT(SIGSYS))
#define UNBLOCKABLE_SIGNALS (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* The part of siginfo that signals use. */
struct signal_info {
	int32_t signal;
	int32_t error;
	int32_t code;
	int32_t padding;
	uint64_t fields[4];
};

struct posix_timer;

struct signal_entry {
	struct list link; /* [s] in the order they came */
	struct signal_info info;
	struct posix_timer *timer; /* [s] whose it is, and who gets it back; NULL: nobody's */
};

/*
 *   [l] lock; a handler's address is [a], too
 */
struct signal_actions {
	struct refcount references;
	struct spinlock lock;                /* LOCK_ACTIONS, inside of a signal_lock */
	struct abi_sigaction of[SIGNAL_MAX]; /* [l] */
};

/* ---- raising (send.c) ---- */

/* Ends it with wait4's status, whatever it does about signals, init too. From anywhere. */
void signal_end_process(struct process *process, int status);
/* From the kernel (SI_KERNEL): from anywhere, interrupts too, and it cannot fail. 1 .. SIGNAL_MAX.
 */
void process_signal(struct process *process, int signal);
/* With all that siginfo says. -EAGAIN: a queued one (si_code < 0 of rt_sigqueueinfo) finds no room;
 * others always come through, if need be without their info. Not from interrupts. */
err_t signal_send(struct process *process, const struct signal_info *info);
/* To one thread, in an RCU section that keeps it there. -ESRCH: it has gone. */
err_t signal_send_thread(struct uthread *uthread, const struct signal_info *info);
/* To the process, or to one thread as above (NULL: to any); -EAGAIN: a real-time signal finds no
 * room for what it says. */
err_t must_check signal_send_whole(struct process *process, struct uthread *only,
				   const struct signal_info *info);
/* What the running thread did to itself: cannot be blocked or ignored. True: a handler will see it.
 */
bool signal_force(const struct signal_info *info);
/* The same, and no handler will see it: init ends as well. */
void signal_force_default(const struct signal_info *info);
/* To the running thread, as if it had sent it itself. */
void signal_raise(int signal);
/* The same if the running thread may, else -EPERM. `info->signal` 0 only asks. */
err_t must_check signal_send_allowed(struct process *process, const struct signal_info *info);
/* The same to a thread of it. A first one that has gone before the others takes it silently.
 * -ESRCH: there is no such thread. */
err_t must_check signal_send_to_thread(struct process *process, int32_t tid,
				       const struct signal_info *info);
/* The same to each of a process group that it may be sent to. `serial`: of the group's number.
 * -ESRCH: it has no members. */
err_t must_check signal_send_to_group(int32_t group, uint64_t serial,
				      const struct signal_info *info);
/* -EPERM: only to itself may a program pretend that the kernel, or kill(), sent it. */
err_t must_check signal_check_info(const struct process *target, const struct signal_info *info);
/* It has a user, of who sent it or of a child: within the kernel, the kernel's id. */
bool signal_says_user(const struct signal_info *info);
/* The running program has written it: its user is the kernel's id then. */
void signal_info_from_program(struct signal_info *info);
/* si_code SI_USER and the like, from the running process. */
struct signal_info signal_info_from_self(int signal, int code);

/* For POSIX timers. An entry of one's own: kfree() it. NULL: no memory. */
struct signal_entry *signal_entry_alloc(void);
/* *entry is taken over (and NULL then) if the signal waits; from anywhere. `only`: to this thread.
 * `forced`: it is not from the process's PID namespace, and so ends the init of an inner one, too.
 */
void signal_send_entry_locked(struct process *process, struct uthread *only, int signal,
			      bool forced, struct signal_entry **entry)
	REQUIRES(process->signal_lock);
/* The entry that waits is the timer's no more. */
void signal_forget_timer_locked(struct process *process, const struct posix_timer *timer)
	REQUIRES(process->signal_lock);

/* ---- masks and what is pending (pending.c) ---- */

/* Changes what the running thread blocks. */
void signal_set_blocked(uint64_t blocked);
/* Until the call that runs now has ended or its handler has. */
void signal_set_blocked_for_now(uint64_t blocked);
/* The call ended without a handler to come. */
void signal_end_blocked_for_now(void);
uint64_t signal_pending_set(const struct uthread *uthread);

/* Takes the next one of `set` for the running thread: its own before the process's, the lowest
 * number first. 0: none. */
int signal_take_locked(struct process *process, struct uthread *uthread, uint64_t set,
		       struct signal_info *info) REQUIRES(process->signal_lock);
/* The same with the lock taken, whether it blocks them or not. */
int signal_try_take(uint64_t set, struct signal_info *info);
/* Interrupts others for what the running thread will not take. */
void signal_hand_over_locked(struct process *process, struct uthread *uthread, uint64_t set)
	REQUIRES(process->signal_lock);
/* Drops all of `set`. */
void signal_drop_locked(struct process *process, uint64_t set) REQUIRES(process->signal_lock);
void signal_drop_thread_locked(struct process *process, struct uthread *uthread, uint64_t set)
	REQUIRES(process->signal_lock);
/* The running thread looks whether anything waits for it. */
void signal_recalculate_locked(struct process *process, struct uthread *uthread)
	REQUIRES(process->signal_lock);
bool signal_wants_locked(struct process *process, const struct uthread *uthread, int signal)
	REQUIRES(process->signal_lock);
void signal_pending_init(struct signal_pending *pending);
void signal_pending_add_locked(struct process *process, struct signal_pending *pending, int signal,
			       struct signal_entry **entry) REQUIRES(process->signal_lock);

/* ---- actions (actions.c) ---- */

struct signal_actions *signal_actions_create(struct signal_actions *from);
void signal_actions_put(struct signal_actions *actions);
void signal_get_action(int signal, struct abi_sigaction *out);
/* The pending ones that are ignored now are dropped. */
void signal_set_action(int signal, const struct abi_sigaction *action);
/* For a new program: handlers become defaults, the alternate stack goes. The actions are the
 * process's alone. */
void signal_reset_handlers(void);
/* The action of one signal becomes its default. */
void signal_default_locked(struct process *process, int signal) REQUIRES(process->signal_lock);
/* clone3's CLEAR_SIGHAND. */
void signal_actions_default(struct signal_actions *actions);
bool signal_is_ignored(const struct process *process, int signal);
bool signal_is_fatal_by_default(int signal);

/* ---- taking (deliver.c, stop.c) ---- */

/* On the way to user mode. */
void signal_deliver(struct trap_frame *frame);
/* rt_sigreturn. */
void signal_return(struct trap_frame *frame);
/* sigaltstack's checks. -EINVAL, -ENOMEM. */
err_t must_check signal_set_stack(struct uthread *uthread, const struct abi_stack *stack);
bool signal_is_on_stack(const struct uthread *uthread, uint64_t sp);
/* Begins a stop of the running process. */
void signal_stop_locked(struct process *process, int signal) REQUIRES(process->signal_lock);
/* The running thread rests until the process is continued or the thread is killed. */
void signal_rest(void);
/* A thread that leaves a process that is being stopped. True: the others have come to rest. */
bool signal_stop_is_complete_locked(struct process *process) REQUIRES(process->signal_lock);

/* ---- signals as descriptors (signalfd.c) ---- */

void signalfd_init(void);
/* Under its signal_lock or not: something waits to be taken by `process`. */
void signalfd_tell(const struct process *process);

/* ---- the alarm clock (time/interval.c) ---- */

/* What the process's timer does when it rings, in its interrupt. */
void signal_alarm(struct process *process);
/* SIGALRM was taken: one with an interval runs again. */
void signal_alarm_taken_locked(struct process *process) REQUIRES(process->signal_lock);
/* None is set, and the timer's function does not run. Only the process's own threads call it. */
void signal_cancel_alarm(struct process *process);

/* ---- ends (send.c) ---- */

/* Marks the beginning of the running process's end, and says with which status. */
int signal_begin_exit(int status);
/* The same to write a core first: process->core is `wait`, and *wait says how many threads are to
 * join it. False: the end had begun, or a new program has. */
struct core_wait;
bool must_check signal_begin_core(int status, struct core_wait *wait);

/* Adds -ERESTARTNOINTR for what begins anew whatever happened: never seen by a program. */
#define ERESTARTNOINTR 513
/* What begins anew unless a handler without SA_RESTART ran, whatever the call. */
#define ERESTARTSYS 512

#endif
