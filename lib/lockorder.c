/*
 * The lock-order checker: see lib/lockorder.h. Pure data: every function works on what it is given.
 */
#include <lib/lockorder.h>

#include <lib/fmt.h>
#include <lib/panic.h>

/* Classes of which a thread may hold two, whose users keep an order of their own: lockclass.h says
 * which. */
static bool has_inner_order(enum lock_class class)
{
	return class == LOCK_PROCESS || class == LOCK_DIRECTORY || class == LOCK_RUNQ ||
	       class == LOCK_FUTEX || class == LOCK_POLLERS;
}

static enum lockorder_fault check_one(const struct lockorder_held *held, const void *lock,
				      enum lock_class class, uint32_t context, bool is_try)
{
	if (held->lock == lock)
		return LOCKORDER_RECURSIVE;
	if (is_try || held->context != context)
		return LOCKORDER_FINE;
	if (held->class > class)
		return LOCKORDER_INVERTED;
	if (held->class == class && !has_inner_order(class))
		return LOCKORDER_SAME_CLASS;
	return LOCKORDER_FINE;
}

enum lockorder_fault lockorder_acquire(struct lockorder_stack *stack, const void *lock,
				       enum lock_class class, uint32_t context, bool is_try)
{
	for (uint32_t i = 0; i < stack->nheld; i++) {
		enum lockorder_fault fault =
			check_one(&stack->held[i], lock, class, context, is_try);

		if (fault != LOCKORDER_FINE)
			return fault;
	}
	if (stack->nheld == LOCKORDER_MAX)
		return LOCKORDER_TOO_MANY;
	stack->held[stack->nheld++] = (struct lockorder_held){
		.lock = lock,
		.class = (uint16_t) class,
		.context = (uint16_t)context,
	};
	return LOCKORDER_FINE;
}

enum lockorder_fault lockorder_release(struct lockorder_stack *stack, const void *lock)
{
	/* Mostly the last one taken. */
	for (uint32_t i = stack->nheld; i-- > 0;) {
		if (stack->held[i].lock != lock)
			continue;
		for (stack->nheld--; i < stack->nheld; i++)
			stack->held[i] = stack->held[i + 1];
		return LOCKORDER_FINE;
	}
	return LOCKORDER_NOT_HELD;
}

enum lockorder_fault lockorder_use(struct lockorder_usage *usage, enum lock_class class,
				   bool in_interrupt, bool interrupts_on)
{
	if (in_interrupt)
		usage->in_interrupt[class] = true;
	else if (interrupts_on)
		usage->interruptible[class] = true;
	return usage->in_interrupt[class] && usage->interruptible[class] ? LOCKORDER_INTERRUPTIBLE
									 : LOCKORDER_FINE;
}

const char *lockclass_name(enum lock_class class)
{
	static const char *const names[LOCK_CLASSES] = {
		[LOCK_KSH] = "ksh",
		[LOCK_PROCESS] = "process",
		[LOCK_FSCONTEXT] = "fscontext",
		[LOCK_CUSE] = "cuse",
		[LOCK_MOUNT] = "mount",
		[LOCK_FILE] = "file",
		[LOCK_APPEND] = "append",
		[LOCK_DIRECTORY] = "directory",
		[LOCK_IDMAP] = "idmap",
		[LOCK_TIMESHIFT] = "timeshift",
		[LOCK_NODE] = "node",
		[LOCK_TTY_INPUT] = "tty-input",
		[LOCK_TTY] = "tty",
		[LOCK_CHANNEL] = "channel",
		[LOCK_SYSLOG] = "syslog",
		[LOCK_STREAM] = "stream",
		[LOCK_LEASE] = "lease",
		[LOCK_SPACE] = "space",
		[LOCK_PAGES] = "pages",
		[LOCK_OBJECT] = "object",
		[LOCK_SELFTEST] = "selftest",
		[LOCK_FDTABLE] = "fdtable",
		[LOCK_ASYNC] = "async",
		[LOCK_PIDTABLE] = "pidtable",
		[LOCK_DENTRY] = "dentry",
		[LOCK_CHANGED] = "changed",
		[LOCK_TOLD] = "told",
		[LOCK_UNAME] = "uname",
		[LOCK_SNAPSHOT] = "snapshot",
		[LOCK_PI] = "pi",
		[LOCK_PLACE] = "place",
		[LOCK_SIGNAL] = "signal",
		[LOCK_ACTIONS] = "actions",
		[LOCK_FUTEX] = "futex",
		[LOCK_PIPE] = "pipe",
		[LOCK_DRIVERS] = "drivers",
		[LOCK_DRIVER] = "driver",
		[LOCK_DEVICE] = "device",
		[LOCK_USERS] = "users",
		[LOCK_THREADS] = "threads",
		[LOCK_WAITQ] = "waitq",
		[LOCK_TIMER] = "timer",
		[LOCK_RUNQ] = "runq",
		[LOCK_RCU] = "rcu",
		[LOCK_KVA] = "kva",
		[LOCK_PAGETABLE] = "pagetable",
		[LOCK_SLAB] = "slab",
		[LOCK_MAGAZINE] = "magazine",
		[LOCK_FRAME] = "frame",
		[LOCK_CLOCK] = "clock",
		[LOCK_TASK] = "task",
		[LOCK_TEST] = "test",
		[LOCK_IRQ] = "irq",
		[LOCK_LOG] = "log",
		[LOCK_SERIAL] = "serial",
		[LOCK_NESTING] = "nesting",
		[LOCK_EPOLL] = "epoll",
		[LOCK_WATCHES] = "watches",
		[LOCK_READY] = "ready",
		[LOCK_SLEEPERS] = "sleepers",
		[LOCK_TIMERFD] = "timerfd",
		[LOCK_TIMESTART] = "timestart",
		[LOCK_NOTIFIER] = "notifier",
		[LOCK_SCREEN] = "screen",
		[LOCK_RECORDS] = "records",
		[LOCK_MAPPED] = "mapped",
		[LOCK_PARKING] = "parking",
		[LOCK_PTYS] = "ptys",
		[LOCK_FLIGHT] = "flight",
		[LOCK_SOCKETS] = "sockets",
		[LOCK_NOTIFY] = "notify",
		[LOCK_CLOCKSET] = "clockset",
		[LOCK_DAYTIMERS] = "daytimers",
		[LOCK_POLLERS] = "pollers",
		[LOCK_UNDO] = "undo",
		[LOCK_SYSVS] = "sysvs",
		[LOCK_SYSV] = "sysv",
		[LOCK_MOUNTUSE] = "mountuse",
	};

	if ((unsigned)class >= LOCK_CLASSES || !names[class])
		return "nameless";
	return names[class];
}

static const char *fault_text(enum lockorder_fault fault)
{
	switch (fault) {
	case LOCKORDER_FINE:
		return "is fine";
	case LOCKORDER_INVERTED:
		return "is taken too late: a class that comes after it is held";
	case LOCKORDER_SAME_CLASS:
		return "is taken while another of its class is held";
	case LOCKORDER_RECURSIVE:
		return "is taken by its own holder";
	case LOCKORDER_TOO_MANY:
		return "is one lock too many";
	case LOCKORDER_NOT_HELD:
		return "is released, but not held";
	case LOCKORDER_SLEEPS_IN_SPIN:
		return "may sleep, but preemption is off (a spinlock, an RCU read, an interrupt)";
	case LOCKORDER_INTERRUPTIBLE:
		return "is of a class that is taken in interrupts and also with interrupts on";
	}
	return "is broken";
}

noreturn void lockorder_report(enum lockorder_fault fault, const struct lockorder_stack *stack,
			       const void *lock, enum lock_class class)
{
	char text[256];
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < stack->nheld && used < sizeof(text); i++)
		used += kernel_format(text + used, sizeof(text) - used, "%s%s (%p)", i ? ", " : "",
				      lockclass_name(stack->held[i].class), stack->held[i].lock);
	panic("lock order: %s (%p) %s; held: %s", lockclass_name(class), lock, fault_text(fault),
	      stack->nheld ? text : "none");
}
