/* pan-cc: -DSAFETY -w */
/* pan-run: -m1000000 */
/*
 * Wait queues over wake tokens (sched/wait.c, sched/switch.c): two waiters that each take one item,
 * two producers that each make one and wake one, and somebody who kills the first waiter at any
 * moment.
 *
 * Promise: when everything has come to rest, nobody sleeps while an item is there. That holds only
 * if a wake between the look at the condition and the sleep is kept (the token), if who makes an item
 * looks at the queue afterwards and not before, and if a waiter that leaves with a wake-one that it
 * did not answer (it was killed, or found an item before it slept) passes it on. And a waker wakes
 * before it takes the entry off, so a waiter that runs again believes that it is still queued only
 * under the queue's lock. Each of these breaks it (-D to spin): NO_TOKEN, LOOK_FIRST, NO_PASSING_ON,
 * CHECK_BEFORE_QUEUE, QUEUED_WITHOUT_LOCK.
 */
#define NWAITERS 2

byte nitems = 0;
bool killed = false; /* of waiter 0 */

/* Of each waiter's thread, under its CPU's lock: each wake and each block is one step. */
bool blocked[NWAITERS];
bool token[NWAITERS];

/* The queue's lock, and under it: the entries in the order they came. */
bool locked = false;
byte head = 255;
byte second = 255;
bool queued[NWAITERS];
bool woken[NWAITERS];
bool done[NWAITERS];

inline thread_wake(who)
{
	if
	:: blocked[who] -> blocked[who] = false
#ifdef NO_TOKEN
	:: else
#else
	:: else -> token[who] = true
#endif
	fi
}

inline lock()
{
	atomic { !locked -> locked = true }
}

inline wake_one()
{
	if
	:: head == 255 /* nobody waits: seen without the lock */
	:: head != 255 ->
		lock();
		if
		:: head != 255 ->
			atomic { thread_wake(head) };
			/* The woken one may run before this. */
			atomic {
				woken[head] = true;
				queued[head] = false;
				head = second;
				second = 255
			}
		:: else
		fi;
		locked = false
	fi
}

inline queue_locked(who)
{
	atomic {
		if
		:: queued[who]
		:: else ->
			woken[who] = false;
			queued[who] = true;
			if
			:: head == 255 -> head = who
			:: else -> second = who
			fi
		fi
	}
}

inline prepare(who)
{
#ifdef QUEUED_WITHOUT_LOCK
	if
	:: queued[who]
	:: else ->
		lock();
		queue_locked(who);
		locked = false
	fi
#else
	lock();
	queue_locked(who);
	locked = false
#endif
}

inline finish(who)
{
	if
	:: queued[who] ->
		lock();
		atomic {
			if
			:: queued[who] ->
				queued[who] = false;
				if
				:: head == who -> head = second
				:: else
				fi;
				second = 255
			:: else
			fi
		};
		locked = false
	:: else
	fi
}

/* The condition, which takes what it finds: one compare-and-swap. */
inline try_take()
{
	atomic {
		if
		:: nitems > 0 -> nitems--; taken = true
		:: else
		fi
	}
}

proctype Waiter(byte who)
{
	bool taken = false;

	do
	:: true ->
#ifdef CHECK_BEFORE_QUEUE
		try_take();
		prepare(who);
#else
		prepare(who);
		try_take();
#endif
		if
		:: taken -> break
		:: else
		fi;
		if
		:: who == 0 && killed ->
			try_take(); /* a condition that holds wins */
			break
		:: else
		fi;
		/* thread_block() */
		atomic {
			if
			:: token[who] -> token[who] = false
			:: else -> blocked[who] = true
			fi
		};
end_asleep:	!blocked[who];
		/* A wake that came until here is answered by the look at the condition that follows. */
		atomic {
			if
			:: !queued[who] -> woken[who] = false
			:: else
			fi
		};
		try_take();
		if
		:: taken -> break
		:: else
		fi
	od;
	finish(who);
#ifndef NO_PASSING_ON
	if
	:: woken[who] -> wake_one()
	:: else
	fi;
#endif
	done[who] = true
}

proctype Producer()
{
#ifdef LOOK_FIRST
	bool nobody = (head == 255);

	nitems++;
	if
	:: nobody
	:: else -> wake_one()
	fi
#else
	nitems++;
	wake_one()
#endif
}

proctype Killer()
{
	killed = true;
	atomic { thread_wake(0) }
}

/* When nothing can move any more. */
proctype Rest()
{
end_rest:
	timeout;
	assert(nitems == 0 || (done[0] && done[1]))
}

init {
	atomic {
		run Waiter(0);
		run Waiter(1);
		run Producer();
		run Producer();
		run Killer();
		run Rest()
	}
}
