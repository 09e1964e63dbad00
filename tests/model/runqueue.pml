/* pan-cc: -DSAFETY -w -DCOLLAPSE */
/* pan-run: -m1000000 */
/*
 * Two CPUs and their run queues (sched/balance.c, sched/idle.c, sched/switch.c): threads that are
 * woken, placed on idle CPUs, left waiting on busy ones, offered, and stolen.
 *
 * Thread 0 runs on CPU 0, blocks, is woken, and then computes until thread 1 has ended, which sleeps
 * on CPU 0 and is woken. A CPU that has nothing to run idles: shows itself, looks, and waits for a kick.
 *
 * Promises: a thread runs on one CPU at a time, and only on a stack that nobody is on; when all has
 * come to rest, no thread waits in a queue: nobody waits while a CPU idles. Each of these breaks
 * one (-D to spin): LOOK_FIRST (an idle CPU looks before it shows itself), NO_OFFER (who leaves a
 * thread waiting does not look for idle CPUs), OFFER_EARLY (he looks before it is in the queue),
 * STEAL_ON_CPU (a thread is taken whose stack is in use).
 */
#define NTHREADS 2
#define BLOCKED  0
#define READY    1
#define RUNNING  2
#define ENDED    3

byte state[NTHREADS];
bool on_cpu[NTHREADS];
bool sleeps_again[NTHREADS];
byte home[NTHREADS];          /* thread->cpu */
byte queue_of[NTHREADS];      /* in whose queue, 2: in none */
byte nready[2];
bool idle_shown[2];           /* idle_cpus */
bool kicked[2];
byte current[2] = {255, 255}; /* 255: the idle thread */
byte nrunning[NTHREADS];

inline enqueue(thread, cpu)
{
	queue_of[thread] = cpu;
	home[thread] = cpu;
	nready[cpu]++
}

inline dequeue(thread, cpu)
{
	queue_of[thread] = 2;
	nready[cpu]--
}

/* claim_any_idle() for one CPU. */
inline claim(cpu, claimed)
{
	atomic {
		claimed = idle_shown[cpu];
		idle_shown[cpu] = false
	}
}

/* thread_wake() */
proctype Waker(byte thread)
{
	bool claimed = false;
	byte target;
	bool waits = false;

	/* Its CPU's lock is held: a blocked thread becomes ready, in no queue yet. */
	atomic {
		state[thread] == BLOCKED;
		state[thread] = READY;
		target = home[thread]
	};
	if
	:: on_cpu[thread] /* its stack is in use: it stays */
	:: else ->
		claim(target, claimed);
		if
		:: claimed
		:: else ->
			claim(1 - target, claimed);
			if
			:: claimed -> target = 1 - target
			:: else
			fi
		fi
	fi;
#ifdef OFFER_EARLY
	if
	:: idle_shown[0] || idle_shown[1] -> waits = true
	:: else
	fi;
#endif
	atomic { /* the target's lock */
		enqueue(thread, target);
		if
		:: current[target] == 255 -> kicked[target] = true
#ifdef OFFER_EARLY
		:: else
#else
		:: else -> waits = true
#endif
		fi
	};
#ifndef NO_OFFER
	if
	:: waits ->
		claim(0, claimed);
		if
		:: claimed -> kicked[0] = true
		:: else ->
			claim(1, claimed);
			if
			:: claimed -> kicked[1] = true
			:: else
			fi
		fi
	:: else
	fi
#endif
}

proctype Cpu(byte cpu)
{
	byte other = 1 - cpu;
	byte next;
	byte i;
	bool found;
	bool later;

	do
	:: nready[cpu] > 0 ->
		/* reschedule() from the idle thread: picks, runs, and the thread ends or blocks. */
		atomic {
			next = 255;
			i = 0;
			do
			:: i < NTHREADS ->
				if
				:: queue_of[i] == cpu -> next = i
				:: else
				fi;
				i++
			:: else -> break
			od;
			if
			:: next != 255 ->
				dequeue(next, cpu);
				assert(!on_cpu[next]);
				state[next] = RUNNING;
				on_cpu[next] = true;
				current[cpu] = next;
				idle_shown[cpu] = false
			:: else
			fi
		};
		if
		:: next != 255 ->
			nrunning[next]++;
			assert(nrunning[next] == 1);
			nrunning[next]--;
			if
			:: next == 0 && !sleeps_again[0] ->
end_computes:			state[1] == ENDED
			:: else
			fi;
			/* thread_block() or the end; its stack is in use until the switch is over. */
			atomic {
				if
				:: sleeps_again[next] -> sleeps_again[next] = false; state[next] = BLOCKED
				:: else -> state[next] = ENDED
				fi;
				current[cpu] = 255
			};
			on_cpu[next] = false
		:: else
		fi
	:: nready[cpu] == 0 ->
		/* sched_find_work() */
		found = false;
		later = false;
#ifndef LOOK_FIRST
		idle_shown[cpu] = true;
#endif
		if
		:: nready[other] > 0 ->
			atomic { /* the other's lock */
				i = 0;
				do
				:: i < NTHREADS && !found ->
					if
#ifdef STEAL_ON_CPU
					:: queue_of[i] == other ->
#else
					:: queue_of[i] == other && on_cpu[i] -> later = true
					:: queue_of[i] == other && !on_cpu[i] ->
#endif
						dequeue(i, other);
						found = true;
						next = i
					:: else
					fi;
					i++
				:: else -> break
				od
			};
			if
			:: found -> atomic { enqueue(next, cpu) }
			:: else
			fi
		:: else
		fi;
#ifdef LOOK_FIRST
		idle_shown[cpu] = true;
#endif
		if
		:: found || later
		:: else ->
end_idle:		atomic { kicked[cpu] -> kicked[cpu] = false } /* sti; hlt */
		fi
	od
}

/* When nothing else can move. */
proctype Rest()
{
end_rest:
	timeout;
	assert(nready[0] == 0 && nready[1] == 0);
	assert(state[0] == ENDED && state[1] == ENDED)
}

init {
	atomic {
		queue_of[1] = 2;
		sleeps_again[0] = true;
		state[0] = READY;
		enqueue(0, 0);
		run Cpu(0);
		run Cpu(1);
		run Waker(0);
		run Waker(1);
		run Rest()
	}
}
