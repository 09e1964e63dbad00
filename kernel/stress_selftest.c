/*
 * Everything at once on every CPU: frames, slab objects and whole pages that are freed elsewhere
 * than they were allocated, mappings that change under readers, wake-ups of threads and tasks,
 * threads that come and go. Each operation checks what it finds. `stress=` on the command line says
 * how many operations; the promise is for a million.
 */
#include "kthread.h"

#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <lib/atomic.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kva.h>
#include <mm/slab.h>
#include <sched/lock.h>
#include <sched/rcu.h>
#include <sched/task.h>
#include <sched/thread.h>
#include <sched/wait.h>

#define OPERATIONS   20000 /* where the command line does not say */
#define WORKERS_MAX  32
#define MAILBOXES    64
#define OBJECT_MAX   2000 /* bytes */
#define PAGES_EVERY  64   /* allocations */
#define REMAP_EVERY  1000 /* operations of a worker */
#define THREAD_EVERY 200
#define SLEEP_EVERY  100

/* What is passed on from CPU to CPU: its first word names it. */
struct parcel {
	uint64_t tag;
	uint32_t kind; /* 0: slab object, 1: frame, 2: whole pages */
	uint32_t bytes;
};

/* A request to a task of the test's, which answers by waking. */
struct server {
	struct task task;
	uint32_t asked; /* atomic: bit n: worker n waits */
	uint64_t npolls;
};

struct worker {
	uint32_t number;
	uint64_t random; /* its own */
	bool answered;   /* atomic */
	struct waitq answer;
};

static struct worker workers[WORKERS_MAX];
static struct server servers[WORKERS_MAX];
static unsigned nworkers;

static struct parcel *mailboxes[MAILBOXES]; /* atomic */
static int64_t left;                        /* atomic: operations */
static uint32_t nworking;                   /* atomic */
static uint32_t nchildren;                  /* atomic: threads that were started and run */
static uint64_t nbroken;                    /* atomic */
static WAITQ(all_done);

/* The second page of an area (the first one's frame names the area), mapped to one frame after the
 * other. */
static struct {
	struct mutex lock; /* of who changes it */
	void *area;
	vaddr_t address;
	uint64_t generation; /* atomic: odd: it is being changed; its frame says the same */
} window;

static void broken(void)
{
	atomic_fetch_add_full(&nbroken, 1);
}

static uint64_t draw(struct worker *worker, uint64_t below)
{
	worker->random ^= worker->random << 13; /* Marsaglia, "Xorshift RNGs", 2003 */
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return worker->random % below;
}

/* ---- memory that changes hands ---- */

static struct parcel *parcel_make(struct worker *worker)
{
	uint32_t kind = (uint32_t)draw(worker, PAGES_EVERY);
	uint32_t bytes = PAGE_SIZE;
	struct parcel *parcel;
	struct frame *frame;

	kind = kind == 0 ? 2 : kind & 1; /* few whole pages: each costs all CPUs a flush */
	if (kind == 0) {
		bytes = (uint32_t)(sizeof(*parcel) + draw(worker, OBJECT_MAX));
		parcel = kmalloc(bytes);
	} else if (kind == 1) {
		frame = frame_alloc(0, FRAME_ZERO);
		parcel = frame ? frame_virt(frame) : NULL;
		if (parcel && (parcel->tag || parcel->kind))
			broken();
	} else {
		parcel = kva_alloc(1);
	}
	if (!parcel)
		return NULL;
	*parcel = (struct parcel){.tag = (uint64_t)parcel ^ bytes, .kind = kind, .bytes = bytes};
	((uint8_t *)parcel)[bytes - 1] = bytes > sizeof(*parcel) ? (uint8_t)parcel->tag : 0;
	return parcel;
}

static void parcel_open(struct parcel *parcel)
{
	uint32_t kind = parcel->kind;

	if (parcel->tag != ((uint64_t)parcel ^ parcel->bytes) ||
	    (parcel->bytes > sizeof(*parcel) &&
	     ((uint8_t *)parcel)[parcel->bytes - 1] != (uint8_t)parcel->tag))
		broken();
	if (kind == 0)
		kfree(parcel);
	else if (kind == 1)
		frame_put(frame_from_phys(direct_to_phys(parcel)));
	else
		kva_free(parcel);
}

static void pass_on(struct worker *worker)
{
	struct parcel *parcel = parcel_make(worker);

	parcel = atomic_exchange_full(&mailboxes[draw(worker, MAILBOXES)], parcel);
	if (parcel)
		parcel_open(parcel);
}

/* ---- a mapping that changes ---- */

static bool map_window(uint64_t generation)
{
	struct frame *frame = frame_alloc(0, 0);

	if (!frame)
		return false;
	*(uint64_t *)frame_virt(frame) = generation;
	if (kernel_map(window.address, frame_phys(frame), 1, PAGE_WRITE)) {
		frame_free(frame, 0);
		return false;
	}
	return true;
}

static void unmap_window(void)
{
	struct frame *frame;
	paddr_t phys = 0;

	if (!kernel_translate(window.address, &phys)) {
		broken();
		return;
	}
	frame = frame_from_phys(phys);
	kernel_unmap(window.address, 1);
	frame_free(frame, 0);
}

static void change_window(void)
{
	uint64_t generation;

	if (!mutex_trylock(&window.lock))
		return;
	generation = read_once(&window.generation);
	store_release(&window.generation, generation + 1);
	rcu_synchronize(); /* nobody is in it */
	unmap_window();
	if (map_window(generation + 2))
		store_release(&window.generation, generation + 2);
	else
		broken();
	mutex_unlock(&window.lock);
}

static void look_through_window(void)
{
	uint64_t generation;

	rcu_read_lock();
	generation = load_acquire(&window.generation);
	if (!(generation & 1) && *(volatile uint64_t *)window.address != generation)
		broken(); /* the CPU remembers what was mapped before */
	rcu_read_unlock();
}

/* ---- wake-ups ---- */

static enum task_poll server_poll(struct task *task)
{
	struct server *server = container_of(task, struct server, task);
	uint32_t asked = atomic_exchange_full(&server->asked, 0);

	server->npolls++;
	while (asked) {
		struct worker *worker = &workers[__builtin_ctz(asked)];

		asked &= asked - 1;
		store_release(&worker->answered, true);
		waitq_wake_one(&worker->answer);
	}
	return task_cancelled(task) ? TASK_DONE : task_pending(task, "workers");
}

static void ask(struct worker *worker)
{
	struct server *server = &servers[draw(worker, nworkers)];

	write_once(&worker->answered, false);
	atomic_fetch_or_full(&server->asked, UINT32_C(1) << worker->number);
	task_wake(&server->task);
	wait_event(&worker->answer, load_acquire(&worker->answered));
}

static void child(void *argument)
{
	(void)argument;
	thread_yield();
	atomic_fetch_sub_full(&nchildren, 1);
}

static void start_child(void)
{
	atomic_fetch_add_full(&nchildren, 1);
	if (kthread_start("stress-child", child, NULL, NULL)) {
		atomic_fetch_sub_full(&nchildren, 1);
		broken();
	}
}

/* ---- all of it ---- */

static void operate(struct worker *worker, uint64_t round)
{
	if (round % REMAP_EVERY == worker->number)
		change_window();
	else if (round % THREAD_EVERY == 0)
		start_child();
	else if (round % SLEEP_EVERY == 0)
		(void)thread_sleep_ns(20 * NSEC_PER_USEC);
	else if (draw(worker, 4) == 0)
		ask(worker);
	else if (draw(worker, 4) == 0)
		look_through_window();
	else
		pass_on(worker);
}

static void work(void *argument)
{
	struct worker *worker = argument;

	for (uint64_t round = 1; atomic_fetch_sub_full(&left, 1) > 0; round++)
		operate(worker, round);
	if (atomic_fetch_sub_full(&nworking, 1) == 1)
		waitq_wake_all(&all_done);
}

static int64_t operations(void)
{
	char text[16];
	uint64_t value;

	if (boot_option("stress", text, sizeof(text)) && !string_to_u64(text, &value) &&
	    value <= INT64_MAX)
		return (int64_t)value;
	return OPERATIONS;
}

static bool begin(void)
{
	window.area = kva_alloc(2);
	if (!selftest_check(window.area))
		return false;
	mutex_init(&window.lock, LOCK_SELFTEST);
	window.address = (vaddr_t)window.area + PAGE_SIZE;
	window.generation = 0;
	*(uint64_t *)window.address = 0;
	nworkers = MIN(MAX(2 * cpu_count(), 4u), (unsigned)WORKERS_MAX);
	nbroken = 0;
	left = operations();
	nworking = nworkers;
	for (unsigned i = 0; i < nworkers; i++) {
		workers[i] = (struct worker){.number = i, .random = clock_cycles() | 1};
		waitq_init(&workers[i].answer);
		servers[i] = (struct server){.asked = 0};
		task_init(&servers[i].task, "stress", server_poll, NULL);
		task_start(&servers[i].task);
	}
	return true;
}

static void end(void)
{
	for (unsigned i = 0; i < nworkers; i++)
		task_cancel_and_join(&servers[i].task);
	for (unsigned i = 0; i < MAILBOXES; i++) {
		if (mailboxes[i])
			parcel_open(mailboxes[i]);
		mailboxes[i] = NULL;
	}
	while (read_once(&nchildren))
		(void)thread_sleep_ns(NSEC_PER_MSEC);
	kva_free(window.area);
}

SELFTEST(stress_of_everything_on_every_cpu)
{
	if (!begin())
		return;
	for (unsigned i = 0; i < nworkers; i++) {
		if (!selftest_check(!kthread_start("stress", work, &workers[i], NULL)))
			atomic_fetch_sub_full(&nworking, 1);
	}
	wait_event(&all_done, read_once(&nworking) == 0);
	end();
	selftest_check(read_once(&nbroken) == 0);
}
