/*
 * Threads: what the scheduler knows of one, its life, and how it waits for another. Memory for the
 * struct and its stack is handed in by the caller; nothing here allocates or can fail.
 *
 * Blocking is by token: thread_wake() of a thread that is not blocked leaves a token, and the next
 * thread_block() takes it and returns at once. So a wake-up is never lost between the look at a
 * condition and the sleep, and every waiter looks at its condition again after thread_block(). The
 * wait queues of sched/wait.h do all that; use those unless you build a lock.
 */
#ifndef SCHED_THREAD_H
#define SCHED_THREAD_H

#include <arch/context.h>
#include <arch/cpu.h>
#include <lib/atomic.h>
#include <lib/list.h>
#include <lib/lockorder.h>
#include <lib/types.h>
#include <sched/entity.h>

struct cpu_sched;

enum thread_state {
	THREAD_NEW,
	THREAD_READY,   /* in a run queue */
	THREAD_RUNNING, /* current on its CPU */
	THREAD_BLOCKED, /* in thread_block(); only a wake brings it back */
	THREAD_MOVING,  /* leaves a CPU that it may not use any more */
	THREAD_DEAD,    /* never runs again */
};

/* Bits of thread->pending. */
enum thread_pending {
	THREAD_KILLED = 1 << 0,      /* for good: every killable wait ends with -EINTR */
	THREAD_INTERRUPTED = 1 << 1, /* a signal waits: interruptible waits end with -EINTR */
};

/*
 *   [c] constant after thread_init()
 *   [q] cpu->lock of the CPU it belongs to (LOCK_RUNQ), interrupts off
 *   [o] the thread itself
 *   [a] the list of all threads (LOCK_THREADS)
 *   [p] kernel/: the process code's own rules
 */
struct thread {
	struct context context; /* [o] and the switch */

	struct sched_entity sched; /* [q] */
	struct cpu_sched *cpu;     /* [q] whose queue it belongs to */
	cpuset_t affinity;         /* [q] the CPUs that it may use */
	uint64_t ready_since_ns;   /* [q] several CPUs: since when it waits for one */
	bool told;                 /* [q] an idle one was told so, for the counters */
	uint64_t run_start_ns;     /* [q] when it was last switched to */
	uint64_t cpu_time_ns;      /* [q] without the run in progress: thread_cpu_time_ns() */
	uint64_t nswitches;        /* [q] how often it was switched to */
	uint64_t npreempted;       /* [q] how often from it while it had more to do */
	uint64_t user_ticks;   /* atomic, its CPU's: timer interrupts that met it in its program, */
	uint64_t system_ticks; /* and in the kernel */
	bool place_watched;    /* [o] or before it starts: see thread_watch_place() */
	bool cpu_watched;      /* atomic: it looks at its CPU time at each timer interrupt */
	uint8_t state;         /* [q] enum thread_state */
	bool wake_token;       /* [q] a wake came while it was not blocked */
	bool on_cpu;           /* atomic: its stack is in use; cleared after the switch away */
	uint32_t pending;      /* atomic: enum thread_pending */

	uint32_t tid;    /* [c] a process's first thread has the process's id */
	char name[16];   /* any thread of its process, read by anybody: may be seen half changed,
			  * always ends with a NUL */
	void *process;   /* [p] NULL: a kernel thread */
	void *user_data; /* [p] for who made the thread */
	void (*entry)(void *argument);    /* [c] */
	void *argument;                   /* [c] */
	void (*release)(struct thread *); /* [c] NULL: the hook thread_release() */
	struct list all_link;             /* [a] */
	const void *waits_on;             /* [o] wait queue or mutex, for ps and gdb */
	bool uninterruptible;             /* [o] while it sleeps: neither kill nor time ends it */
	bool told_hung;                   /* the watchdog's */
	struct lockorder_stack sleeping_locks; /* [o] debug builds: the mutexes that it holds */
};

struct thread_params {
	const char *name;              /* copied, cut to 15 characters */
	void (*entry)(void *argument); /* returning from it is thread_exit() */
	void *argument;
	vaddr_t stack_base; /* [stack_base, stack_top), page aligned */
	vaddr_t stack_top;
	int nice;                 /* of POLICY_OTHER */
	enum sched_policy policy; /* not POLICY_IDLE */
	unsigned priority;        /* of FIFO and RR: SCHED_PRIORITY_MIN .. _MAX */
	cpuset_t affinity;        /* the CPUs that it may use; 0: all */
	uint32_t tid;             /* 0: the next free number */
	void *process;
	void (*release)(struct thread *); /* NULL: the hook thread_release() */
};

/* ---- life ---- */

/* Fills `thread`, which is not yet known to anybody. The stack and the struct belong to the thread
 * until its release is called. */
void thread_init(struct thread *thread, const struct thread_params *params);
/* Makes it ready, on an idle CPU if there is one, and known to thread_for_each(). May be called
 * with interrupts off.
 */
void thread_start(struct thread *thread);
/* Ends the calling thread. It holds nothing any more. */
noreturn void thread_exit(void);
/* Hook of kernel/, for threads whose params named no release: `thread` is dead, its stack no longer
 * in use, nobody can find it by thread_for_each(). Called with preemption and interrupts off: it
 * hands the memory to a task (sched/task.h) and returns. */
void thread_release(struct thread *thread);

/* A number that no other thread or process has had. 1 is never given: it is init's. */
uint32_t thread_tid_alloc(void);

/* ---- running ---- */

/* Lets others of the same level run first; a boost is given back. */
void thread_yield(void);
/* Not before `duration_ns` has passed. -EINTR: killed before. */
err_t thread_sleep_ns(uint64_t duration_ns);
/* The same until clock_ns() reaches `deadline_ns`. */
err_t thread_sleep_until_ns(uint64_t deadline_ns);

void thread_set_nice(struct thread *thread, int nice); /* clamped; POLICY_OTHER only */
void thread_set_name(const char *name);                /* of the calling thread */
/* What a thread asks of the CPU. */
struct thread_policy {
	enum sched_policy policy; /* not POLICY_IDLE */
	unsigned priority;        /* of FIFO and RR: SCHED_PRIORITY_MIN .. _MAX */
	int nice;                 /* of OTHER */
	bool unhurried;           /* of OTHER: no boost when it wakes */
};
/* From now on, with a fresh slice if it was of another kind; wherever the thread is. From any
 * context that holds no lock of class LOCK_RUNQ or later. */
void thread_set_policy(struct thread *thread, const struct thread_policy *policy);
/* Confines it to these CPUs: if it is not on one of them, it soon is; the calling thread is as soon
 * as preemption is enabled. -EINVAL: none of them has started. From any context that holds no lock
 * of class LOCK_RUNQ or later. */
err_t must_check thread_set_affinity(struct thread *thread, cpuset_t cpus);
/* Those of its CPUs that have started. */
cpuset_t thread_affinity(const struct thread *thread);
/* CPU time used so far, the run in progress included. */
uint64_t thread_cpu_time_ns(struct thread *thread);

/* ---- ending and interrupting others; the caller keeps `thread` from going away ---- */

/* thread_killed() is true from now on, killable waits end with -EINTR. The thread ends itself where
 * it notices. From any context. */
void thread_kill(struct thread *thread);
/* Of the calling thread, which has noticed: what it waits for now, another kill ends. The result:
 * it was killed. */
bool thread_take_kill(void);
/* Ends interruptible waits until thread_clear_interrupt(). From any context. */
void thread_interrupt(struct thread *thread);
void thread_clear_interrupt(void);

/* Of a program's thread: trap_user_exit_work() is called before it is in user mode again, wherever
 * it runs. From any context. */
void thread_request_exit_work(struct thread *thread);
/* Of the calling thread, or of one that has not started: the same whenever it was preempted or came
 * to another CPU. */
void thread_watch_place(struct thread *thread, bool on);

/* Of the calling thread. */
bool thread_killed(void);
bool thread_interrupted(void); /* killed, or a signal waits */

/* ---- finding ---- */

/* Calls fn for each living thread, idle threads included, under a spinlock: fn must not sleep,
 * start or end threads. */
void thread_for_each(void (*fn)(struct thread *thread, void *argument), void *argument);
const char *thread_state_name(const struct thread *thread);
unsigned thread_cpu_id(const struct thread *thread);

/* ---- waiting, for those who build locks and queues ---- */

/* Sleeps until somebody calls thread_wake(), or returns at once if somebody has since the last time
 * it returned. May return for no reason. No spinlock is held, preemption and interrupts are on. */
void thread_block(void);
/* From any context with no lock of class LOCK_RUNQ or later held. Afterwards `thread` may already
 * be running on another CPU, or (if this is preemptible) have run here. */
void thread_wake(struct thread *thread);
/* thread_wake(partner) and thread_block() in one: the CPU goes to `partner` directly, on what is
 * left of the caller's slice, if it is blocked, may run here and no ready thread outranks it;
 * otherwise exactly the two calls. As thread_block(), it may return for no reason. */
void thread_wake_switch(struct thread *partner);

/* ---- the CPU's side ---- */

/* On each CPU, once, before anything is locked there: its queue, and the code that runs becomes its
 * idle thread. The stack bounds are of the stack it runs on. */
void sched_init_cpu(vaddr_t stack_base, vaddr_t stack_top);
/* From now on threads run; the caller is the idle thread and stays it. */
noreturn void sched_start(void);
/* True once sched_start() was reached on this machine: before, nothing can sleep. */
bool sched_started(void);
/* Something useful for idle CPUs, called with preemption and interrupts on and repeatedly while it
 * returns true; it returns false when nothing is left to do. */
void sched_set_idle_work(bool (*do_piece)(void));

/* Counters of one CPU, for ksh's `cpu`. */
struct sched_stats {
	uint64_t nswitches;
	uint64_t ndirect;      /* of those, direct switches */
	uint64_t npreemptions; /* of those, with the thread still ready to run */
	uint64_t nmoved;       /* threads that came from another CPU */
	uint64_t nstolen;      /* threads that an idle CPU took away */
	uint64_t idle_ns;
	uint64_t user_ticks;   /* timer interrupts that met a program, */
	uint64_t system_ticks; /* and the kernel, but for the idle thread */
	uint64_t waited_ns;    /* several CPUs: how long threads that ran here had waited ready */
	uint64_t wasted_ns;    /* of that, while some CPU that they may use idled untold */
	uint32_t nready;       /* threads waiting for the CPU */
	bool is_busy;          /* one runs, and it is not the idle thread */
};
void sched_stats(uint32_t cpu_number, struct sched_stats *out);

#endif
