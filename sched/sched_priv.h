/*
 * What the files of sched/ share: the CPU's side of scheduling.
 */
#ifndef SCHED_PRIV_H
#define SCHED_PRIV_H

#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/spin.h>
#include <sched/thread.h>

#include "runq.h"

/*
 * One for each CPU.
 *   [c] constant after sched_init_cpu()
 *   [q] lock
 *   [l] this CPU alone, interrupts off
 */
struct cpu_sched {
	struct spinlock lock;   /* LOCK_RUNQ: this, and every thread that belongs here */
	uint32_t id;            /* [c] */
	bool executor_wanted;   /* [l] tasks were woken here: wake it before switching */
	struct thread *current; /* [q] written by this CPU alone */
	struct thread *left;    /* [l] who ran before the switch that is being finished */
	uint32_t last_look;     /* [l] which CPU's queue was compared last */
	uint64_t idle_start_ns; /* atomic: when it last halted for want of work; 0: never */
	uint64_t idle_end_ns; /* atomic: when it was told to wake; before idle_start_ns: it idles */
	uint64_t slice_end_ns;     /* [l] when the running slice is spent; UINT64_MAX: never */
	uint64_t timer_last_ns;    /* the clock at its last timer interrupt; its own */
	uint64_t timer_armed_ns;   /* [l] what the timer interrupt is set to, at the latest */
	uint64_t quiescent_points; /* atomic, counted by this CPU: moments outside of all RCU reads
				    */
	uint64_t user_ticks;       /* atomic, counted by this CPU: see struct sched_stats */
	uint64_t system_ticks;     /* the same */
	struct runq queue;         /* [q] */
	struct sched_stats stats;  /* [q] */
	struct thread idle;
} CACHE_ALIGNED;

extern PERCPU(struct cpu_sched, cpu_sched);

/* Has the timer interrupt come at `deadline_ns` at the latest. Interrupts off. */
static inline void sched_arm_timer(struct cpu_sched *cpu, uint64_t deadline_ns)
{
	if (deadline_ns >= cpu->timer_armed_ns)
		return;
	cpu->timer_armed_ns = deadline_ns;
	clock_set_timer(deadline_ns);
}

/* This CPU reads nothing under RCU right now. Full barrier: reads of a section that begins later
 * cannot come before it, nor those of an earlier one after it (tests/model/rcu.pml). */
static inline void rcu_note_quiescent(struct cpu_sched *cpu)
{
	atomic_fetch_add_full(&cpu->quiescent_points, 1);
}

/* In switch.c. The analysis of locks cannot follow which CPU's lock the next three hold. */
void sched_switched_in(void);
/* Interrupts off: the CPU that `thread` belongs to, its lock held. */
struct cpu_sched *sched_lock_cpu_of(struct thread *thread);
/* Interrupts off: may the CPU go to `partner` directly? True: it is ours, no other CPU can wake it,
 * the CPU's lock is held, and sched_switch_to_claimed() must follow, which returns when the caller
 * has been woken; in between, locks taken before may be released. */
bool sched_claim(struct thread *partner);
void sched_switch_to_claimed(struct thread *partner);
noreturn void sched_exit_current(void);
void sched_put_on_cpu(struct thread *thread);
bool sched_has_ready(struct cpu_sched *cpu);
/* Has another CPU that runs `thread` look at what is pending. */
void sched_kick(struct thread *thread);

/* `thread` was queued on `cpu`, whose lock is held. True: it outranks who runs there: once the lock
 * is dropped, sched_want_switch(); false: it waits. */
bool sched_outranks(const struct cpu_sched *cpu, const struct thread *thread);
/* Has `cpu` choose anew. With interrupts off, and without its lock: an interrupt takes its time. */
void sched_want_switch(const struct cpu_sched *cpu);

/* ---- balance.c ---- */

/* Atomic, set once: a second CPU schedules. What the next ones do is for several. */
extern bool sched_several;

/* Where a blocked thread of `cpu` (its lock is held) that wakes is to be queued: an idle CPU, which
 * is then ours to kick, else where it was. */
struct cpu_sched *sched_choose_cpu(struct cpu_sched *cpu, struct thread *thread);
/* The same for one that begins. */
struct cpu_sched *sched_choose_for_new(struct cpu_sched *cpu, struct thread *thread);
/* `thread` is in no queue and off its CPU, the lock of `from` is held: it belongs to `to` from now
 * on, or to the result, whose lock is held instead. */
struct cpu_sched *sched_move_locked(struct thread *thread, struct cpu_sched *from,
				    struct cpu_sched *to);
/* Queues a thread that has left a CPU which it may not use (THREAD_MOVING). Interrupts off. */
void sched_place(struct thread *thread);
/* Makes a sleeping thread belong to `to`, if that may be. Interrupts off, no lock held. */
bool sched_fetch(struct thread *thread, struct cpu_sched *to);
/* A thread waits in a queue: an idle CPU of `allowed` comes and looks. No lock of a run queue is
 * needed. False: none idles. */
bool sched_offer(cpuset_t allowed);

/* By the idle thread of `cpu`, interrupts on: takes a thread that waits elsewhere. NOTHING: there
 * is none, and a kick comes when there is; LATER: there is one that cannot be taken yet. */
enum sched_found { SCHED_FOUND_NOTHING, SCHED_FOUND_LATER, SCHED_FOUND };
enum sched_found sched_find_work(struct cpu_sched *cpu);
/* The idle thread is switched away from. */
void sched_idle_leave(struct cpu_sched *cpu);
/* It found nothing and is about to wait for an interrupt. Interrupts off. */
void sched_idle_halts(struct cpu_sched *cpu);
/* From the timer interrupt. */
void sched_tick(struct cpu_sched *cpu, bool slice_over);
/* `thread` was picked: counts how long it has waited. The lock of `cpu` is held. */
void sched_note_wait(struct cpu_sched *cpu, const struct thread *thread, uint64_t now_ns);

/* In thread.c: out of the list of all. */
void thread_list_add(struct thread *thread);

/* In timer.c: runs this CPU's timers that are due; the deadline of the next. Interrupts off. */
uint64_t timers_run(uint64_t now_ns);
uint64_t timers_next_deadline_ns(void);
void timers_init_cpu(void);

/* In task.c, of this CPU's executor: its state; its thread is woken, preemption off; the calling
 * thread is in a task's poll. */
void executor_init_cpu(void);
void executor_wake_thread(void);
bool executor_is_polling(void);

/* In rcu.c: once, on the first CPU. */
void rcu_init(void);
/* Has looked at what was handed to rcu_call(): before a CPU idles, and in its timer interrupt.
 * Interrupts off. */
void rcu_look(void);

#endif
