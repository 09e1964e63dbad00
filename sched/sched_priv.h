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
	struct spinlock lock;      /* LOCK_RUNQ: this, and every thread that belongs here */
	uint32_t id;               /* [c] */
	bool executor_wanted;      /* [l] tasks were woken here: wake it before switching */
	struct thread *current;    /* [q] written by this CPU alone */
	struct thread *left;       /* [l] who ran before the switch that is being finished */
	uint64_t slice_end_ns;     /* [l] when the running slice is spent; UINT64_MAX: never */
	uint64_t timer_armed_ns;   /* [l] what the timer interrupt is set to, at the latest */
	uint64_t quiescent_points; /* atomic, counted by this CPU: moments outside of all RCU reads
				    */
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

#endif
