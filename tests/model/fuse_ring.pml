/* pan-cc: -DSAFETY -w */
/* pan-run: -m1000000 */
/*
 * The ring of a driver (fusek/driver/ring.c): two programs that ask once each, a driver of two
 * threads, one of which shares the ring with the kernel, and the other only calls. One place for a
 * request, one for an answer.
 *
 * Promises: when all has come to rest each program has its answer, and no request was in the hands
 * of two threads. That holds since who looks for work takes back what lies in the ring, and begins
 * to wait, under the one lock under which requests are put there; since a place is taken by an
 * atomic change; and since each call begins with the answers. Each of these breaks it (-D to spin):
 * NO_TAKING_BACK, WAIT_WITHOUT_LOCK, TAKE_IN_TWO_STEPS, NO_COLLECTING.
 */
#define NPROGRAMS 2
#define NTHREADS  2
#define NOBODY    9

bool locked;             /* connection->lock */
bool queued[NPROGRAMS];  /* [lock] */
bool waiting[NTHREADS];  /* [lock] */
bool answered[NPROGRAMS];
byte holders[NPROGRAMS]; /* threads that have the request */
bool token[NTHREADS];    /* a wake, as in waitq.pml */
byte given[NTHREADS];    /* [lock] handed to who waited */

/* Shared memory; who holds what is put there is in `place`. */
byte place = NOBODY;
byte answer = NOBODY;

inline lock()
{
	atomic { !locked -> locked = true }
}

inline unlock()
{
	locked = false
}

inline collect()
{
#ifndef NO_COLLECTING
	atomic {
		if
		:: answer != NOBODY -> answered[answer] = true; answer = NOBODY
		:: else
		fi
	}
#else
	skip
#endif
}

proctype Program(byte me)
{
	lock();
	if
	:: waiting[0] -> waiting[0] = false; given[0] = me; token[0] = true
	:: !waiting[0] && waiting[1] -> waiting[1] = false; given[1] = me; token[1] = true
	:: !waiting[0] && !waiting[1] ->
		collect();
		if
		:: place == NOBODY && !queued[0] && !queued[1] -> place = me
		:: else -> queued[me] = true
		fi
	fi;
	unlock();
end_waits:
	answered[me]
}

proctype Thread(byte me; bool has_ring)
{
	byte request = NOBODY;
	byte seen;

	do
	:: request != NOBODY ->
		/* The next one without a call, or a call. */
		seen = NOBODY;
		if
		:: has_ring && answer == NOBODY && place != NOBODY ->
#ifdef TAKE_IN_TWO_STEPS
			seen = place;
			place = NOBODY;
#else
			atomic { seen = place; place = NOBODY };
#endif
			if
			:: seen != NOBODY ->
				holders[seen]++;
				assert(holders[seen] == 1);
				answer = request;
				request = seen
			:: else
			fi
		:: !has_ring || answer != NOBODY || place == NOBODY
		fi;
		if
		:: seen == NOBODY -> answered[request] = true; request = NOBODY
		:: else
		fi
	:: request == NOBODY ->
		/* A call that takes. */
		collect();
		lock();
#ifndef NO_TAKING_BACK
		atomic {
			if
			:: place != NOBODY -> queued[place] = true; place = NOBODY
			:: else
			fi
		};
#endif
		if
		:: queued[0] -> queued[0] = false; request = 0
		:: !queued[0] && queued[1] -> queued[1] = false; request = 1
		:: !queued[0] && !queued[1] ->
#ifdef WAIT_WITHOUT_LOCK
			unlock();
			lock();
#endif
			waiting[me] = true
		fi;
		unlock();
		if
		:: request == NOBODY ->
end_sleeps:
			atomic { token[me] -> token[me] = false };
			request = given[me]
		:: else
		fi;
		holders[request]++;
		assert(holders[request] == 1)
	od
}

/* When nothing else can move. */
proctype Rest()
{
end_rest:
	timeout;
	assert(answered[0] && answered[1])
}

init {
	atomic {
		given[0] = NOBODY;
		given[1] = NOBODY;
		run Program(0);
		run Program(1);
		run Thread(0, true);
		run Thread(1, false);
		run Rest()
	}
}
