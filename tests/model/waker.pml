/* pan-cc: -DSAFETY -w */
/* pan-run: -m1000000 */
/*
 * One task (sched/executor.c) with two wakers on two CPUs, an executor on each, somebody who cancels
 * it at any moment, and a joiner that frees the memory as soon as it may.
 *
 * Promises: it is never polled on two CPUs at once, and never on two ready stacks; when all has come
 * to rest no event is unseen, unless the task has ended; a cancelled task ends; nobody touches it
 * after the joiner has freed it. Each of these breaks one (-D to spin): LOOK_FIRST (a poll takes
 * READY off after it has looked), PUSH_WHILE_POLLING (a wake during a poll pushes), FORGET_AGAIN (a
 * wake during a poll is dropped), ONE_STEP_END (the joiner is woken after FINISHED),
 * JOIN_LOOKS_FIRST (the joiner looks before it is known), EVENT_LATE (woken before the event).
 */
#define READY     1
#define POLLING   2
#define CANCELLED 4
#define FINISHING 8
#define FINISHED  16
#define HAS(value, bits) (((value) & (bits)) != 0)

byte state = READY; /* started on CPU 0 */
bool on_stack[2];
byte nevents;      /* happened, not yet seen by a poll */
byte nwakers = 2;  /* who may still wake it: a poll that ends it waits for them, as timer_cancel() */
bool detached;
byte npolling;
bool joiner_known, joiner_woken, freed;
bool was_cancelled;

inline touch()
{
	assert(!freed)
}

/* atomic_fetch_or, then the push. */
inline wake(cpu, bits, before)
{
	atomic {
		touch();
		before = state;
		state = state | READY | bits
	};
	if
#ifdef PUSH_WHILE_POLLING
	:: !HAS(before, READY | FINISHING | FINISHED) ->
#else
	:: !HAS(before, READY | POLLING | FINISHING | FINISHED) ->
#endif
		atomic {
			assert(!on_stack[0] && !on_stack[1]);
			on_stack[cpu] = true
		}
	:: else
	fi
}

proctype Waker(byte cpu)
{
	byte before;
	bool inside;

	/* The task takes itself off what wakes it before it ends; that waits for who is inside. */
	atomic {
		if
		:: detached
		:: else -> inside = true
		fi
	};
	if
	:: inside ->
#ifdef EVENT_LATE
		wake(cpu, 0, before);
		nevents++
#else
		nevents++;
		wake(cpu, 0, before)
#endif
	:: else
	fi;
	nwakers--
}

proctype Canceller()
{
	byte before;
	bool inside;

	if
	:: true -> /* at any moment, by somebody who knows that it is there */
		atomic {
			if
			:: freed
			:: else ->
				before = state;
				state = state | READY | CANCELLED;
				was_cancelled = true;
				inside = true
			fi
		};
		if
		:: inside && !HAS(before, READY | POLLING | FINISHING | FINISHED) ->
			atomic {
				assert(!on_stack[0] && !on_stack[1]);
				on_stack[1] = true
			}
		:: else
		fi
	:: true
	fi
}

proctype Executor(byte cpu)
{
	byte before;
	bool ends;

	do
	:: atomic { on_stack[cpu] -> on_stack[cpu] = false };
#ifndef LOOK_FIRST
		atomic {
			touch();
			before = state;
			state = (state & (CANCELLED | FINISHING | FINISHED)) | POLLING
		};
#endif
		/* The poll. */
		npolling++;
		assert(npolling == 1);
		touch();
		nevents = 0;
		ends = HAS(state, CANCELLED);
		if
		:: ends ->
			detached = true;
			/* Who is inside comes out, whoever comes later does nothing. */
			nwakers == 0
		:: else
		fi;
		npolling--;
#ifdef LOOK_FIRST
		atomic {
			touch();
			before = state;
			state = (state & (CANCELLED | FINISHING | FINISHED)) | POLLING
		};
#endif
		if
		:: ends ->
#ifdef ONE_STEP_END
			state = FINISHED;
			if
			:: joiner_known -> touch(); joiner_woken = true
			:: else -> touch()
			fi
#else
			atomic { touch(); state = FINISHING };
			if
			:: joiner_known -> joiner_woken = true
			:: else
			fi;
			atomic { touch(); state = FINISHED }
#endif
		:: else ->
			atomic {
				touch();
				before = state;
				state = state & ~POLLING
			};
			if
#ifdef FORGET_AGAIN
			:: false
#else
			:: HAS(before, READY) ->
				atomic {
					assert(!on_stack[0] && !on_stack[1]);
					on_stack[cpu] = true
				}
#endif
			:: else
			fi
		fi
	:: atomic { state == FINISHED && freed -> break }
	:: timeout -> break
	od
}

/* task_join() */
proctype Joiner()
{
#ifdef JOIN_LOOKS_FIRST
	if
	:: HAS(state, FINISHING | FINISHED) -> goto seen
	:: else
	fi;
#endif
	joiner_known = true;
#ifndef JOIN_LOOKS_FIRST
	if
	:: HAS(state, FINISHING | FINISHED) -> goto seen
	:: else
	fi;
#endif
end_sleeps:
	joiner_woken;
seen:
	HAS(state, FINISHED);
	freed = true
}

/* When nothing else can move. */
proctype Rest()
{
end_rest:
	timeout;
	assert(HAS(state, FINISHED) || nevents == 0);
	assert(!was_cancelled || freed);
	assert(freed || !HAS(state, FINISHED))
}

init {
	atomic {
		on_stack[0] = true;
		run Executor(0);
		run Executor(1);
		run Waker(0);
		run Waker(1);
		run Canceller();
		run Joiner();
		run Rest()
	}
}
