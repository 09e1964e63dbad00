/* pan-cc: -w */
/* pan-run: -a -f -m1000000 */
/*
 * RCU by quiescent points (sched/rcu.c, and the note in sched/switch.c).
 *
 * Two CPUs read the published object in sections without preemption, and pass quiescent points in
 * between, or are idle until they are kicked. An updater publishes a new object twice and hands the
 * old one to rcu_call(). The work thread, on CPU 0, moves batches through grace periods. "The count
 * has moved since it was noted" is one bit for each CPU: noting clears it, a quiescent point sets it.
 * A store may stay in its CPU's buffer while the same CPU goes on to load (x86's order); a barrier
 * empties the buffer.
 *
 * Safety: no section reads an object that was freed. Liveness: both are freed at last.
 * Each of these breaks it, and spin finds how (-D to spin): NO_QUIESCENT_BARRIER, NO_NOTE_BARRIER,
 * NOTE_BEFORE_TAKE, NO_KICK, NO_WAIT.
 */
#define NCPU  2
#define NOLD  2 /* objects 0 and 1 are replaced, 2 stays */

byte published = 0;
bool freed[NOLD + 1];
bool queued[NOLD];  /* pushed by rcu_call() */
bool waiting[NOLD]; /* the batch whose grace period is running */
bool work = false;  /* rcu_work is queued */
bool moved[NCPU];
bool kicked[NCPU];
bool note_buffered[NCPU]; /* a quiescent point that other CPUs do not see yet */

/* What atomic_fetch_add_full() does; without its barrier, the store waits in the buffer. */
inline quiescent_point(cpu)
{
#ifdef NO_QUIESCENT_BARRIER
	note_buffered[cpu] = true
#else
	moved[cpu] = true
#endif
}

inline drain(cpu)
{
	if
	:: note_buffered[cpu] -> atomic { moved[cpu] = true; note_buffered[cpu] = false }
	:: else
	fi
}

proctype Cpu(byte cpu)
{
	byte object;
	byte nsections;

	do
	:: /* one or two read sections */
	   nsections = 0;
	   do
	   :: nsections < 2 ->
		nsections++;
		object = published;
		assert(!freed[object]);
		drain(cpu); /* at the latest some time later */
		assert(!freed[object])
	   :: nsections > 0 -> break
	   od;
	   if
	   :: true -> /* a switch, or a timer interrupt outside of sections */
	      quiescent_point(cpu)
	   :: true -> /* idle; the interrupt that ends it makes it switch */
	      kicked[cpu];
	      kicked[cpu] = false;
	      quiescent_point(cpu)
	   fi
	od
}

proctype Updater()
{
	byte object = 0;

	do
	:: object < NOLD ->
		/* rcu_assign() and rcu_call(); the exchange in work_queue() is a full barrier, so the
		   unlinking is visible before the work is. */
#ifdef NO_NOTE_BARRIER
		queued[object] = true;
		work = true;
		published = object + 1;
#else
		published = object + 1;
		queued[object] = true;
		work = true;
#endif
		object++
	:: else -> break
	od
}

inline take_queued()
{
	atomic {
		waiting[0] = queued[0];
		waiting[1] = queued[1];
		queued[0] = false;
		queued[1] = false
	}
}

inline note_all()
{
	moved[0] = false;
	moved[1] = false
}

proctype Worker()
{
end:	do
	:: work ->
		work = false;
#ifdef NOTE_BEFORE_TAKE
		note_all();
		(queued[0] || queued[1] || !work);
		take_queued();
#else
		take_queued();
		note_all();
#endif
		if
		:: waiting[0] || waiting[1] ->
			/* CPU 0 has switched to this thread itself, which is as good as a kick. */
			kicked[0] = true;
#ifndef NO_KICK
			kicked[1] = true;
#endif
#ifndef NO_WAIT
			(moved[0] && moved[1]);
#endif
			atomic {
				if
				:: waiting[0] -> freed[0] = true; waiting[0] = false
				:: else
				fi;
				if
				:: waiting[1] -> freed[1] = true; waiting[1] = false
				:: else
				fi
			};
			if
			:: queued[0] || queued[1] -> work = true
			:: else
			fi
		:: else
		fi
	od
}

init {
	atomic {
		run Cpu(0);
		run Cpu(1);
		run Updater();
		run Worker()
	}
}

/* What is freed stays freed; `always` keeps the assertions checked afterwards, too. */
ltl all_are_freed { <> [] (freed[0] && freed[1]) }
