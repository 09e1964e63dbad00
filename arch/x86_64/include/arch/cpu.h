/*
 * The CPU that runs this code: its own data, interrupts on and off, preemption on and off, waiting;
 * and how it reaches the others.
 *
 * Every CPU has one struct cpu, which its GS base points at while it is in the kernel. Other
 * folders keep data of their own for each CPU with PERCPU(): CPU 0 uses the variable itself, every
 * other CPU a copy at the same offset of a block of its own. All copies begin as zeros (the section
 * has no bytes in the file, so an initialiser that is not zero does not compile). Whoever touches
 * this CPU's copy has preemption (or interrupts) off.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <lib/types.h>

#define CPU_MAX 64

struct thread;

/*
 * No lock: each field belongs to its CPU, with interrupts off where an interrupt touches it too.
 * The first fields are known to the assembly (arch/x86_64/offsets.c). Aligned as the PERCPU()
 * variables behind it want to be (arch/x86_64/smp/cpus.c).
 */
struct cpu {
	struct cpu *self;
	struct thread *current;
	uint64_t kernel_stack_top; /* where a system call of the running thread begins to push */
	uint64_t user_sp;          /* scratch of the system call entry */
	uint64_t percpu_delta; /* added to the address of a PERCPU() variable gives this CPU's copy
				*/
	uint64_t stack_canary; /* the running thread's; its place is the compiler's (Flags.cmake) */
	/* Bits 0..30: how often preemption was disabled. Bit 31 is set while NO switch is wanted,
	 * so that one decrement to zero tells both "enabled again" and "a switch is due". */
	uint32_t preempt_count;
	uint32_t interrupt_depth; /* hardware interrupts being handled */
	uint32_t id;              /* 0.. in order of start */
	uint32_t apic_id;
	uint64_t tsc_offset;      /* added to its TSC gives the first CPU's */
	struct cpu_arch *arch;    /* GDT, TSS, entry stacks: arch's own */
	bool interrupted_program; /* the interrupt that is being handled came while one ran */
} CACHE_ALIGNED;

#define CPU_NO_SWITCH_WANTED UINT32_C(0x80000000)

/* The running CPU. Only a hint unless preemption is off. */
static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(cpu) : "i"(offsetof(struct cpu, self)));
	return cpu;
}

/* A 32-bit field of the running CPU, in one instruction: a thread that moves to another CPU between
 * finding its struct and reading it would read the wrong one's. */
#define cpu_word(field)                                                                            \
	({                                                                                         \
		uint32_t word_;                                                                    \
		__asm__ volatile("movl %%gs:%c1, %0"                                               \
				 : "=r"(word_)                                                     \
				 : "i"(offsetof(struct cpu, field))                                \
				 : "memory");                                                      \
		word_;                                                                             \
	})

static inline uint32_t cpu_id(void)
{
	uint32_t id;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(id) : "i"(offsetof(struct cpu, id)));
	return id;
}

/* The running thread: the same whatever CPU it moves to. NULL early at boot. */
static inline struct thread *current_thread(void)
{
	struct thread *thread;

	/* Not volatile: a thread's own identity cannot change under it, the compiler may remember
	 * it. */
	__asm__("movq %%gs:%c1, %0" : "=r"(thread) : "i"(offsetof(struct cpu, current)));
	return thread;
}

/* CPUs that have started: 0 .. cpu_count() - 1. */
uint32_t cpu_count(void);
struct cpu *cpu_by_id(uint32_t id);

#define for_each_cpu(cpu_number)                                                                   \
	for (uint32_t cpu_number = 0; cpu_number < cpu_count(); cpu_number++)

/* ---- data of each CPU ---- */

#define PERCPU(type, name) __attribute__((section(".bss.percpu"))) type name

#define this_percpu(variable)                                                                      \
	((typeof(&(variable)))((char *)&(variable) + this_cpu()->percpu_delta))
#define percpu_of(cpu_number, variable)                                                            \
	((typeof(&(variable)))((char *)&(variable) + cpu_by_id(cpu_number)->percpu_delta))

/* ---- interrupts ---- */

typedef uint64_t irqflags_t;

static inline bool irqs_off(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
	return !(flags & (1u << 9)); /* SDM 1, 3.4.3: RFLAGS.IF */
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline irqflags_t irq_save(void)
{
	irqflags_t flags;

	__asm__ volatile("pushfq\n\tpopq %0\n\tcli" : "=r"(flags)::"memory");
	return flags;
}

static inline void irq_restore(irqflags_t flags)
{
	if (flags & (1u << 9))
		irq_enable();
}

/* True inside a hardware interrupt's handler: nothing there may sleep. */
static inline bool in_interrupt(void)
{
	return cpu_word(interrupt_depth) != 0;
}

/* ---- preemption ---- */

/* Hook of sched/: called with preemption enabled and a switch wanted; returns when this thread runs
 * again. */
void preempt_schedule(void);

static inline void preempt_disable(void)
{
	__asm__ volatile("incl %%gs:%c0" ::"i"(offsetof(struct cpu, preempt_count))
			 : "memory", "cc");
}

static inline void preempt_enable_no_switch(void)
{
	__asm__ volatile("decl %%gs:%c0" ::"i"(offsetof(struct cpu, preempt_count))
			 : "memory", "cc");
}

/* A switch that became due meanwhile happens here (unless interrupts are off: then at the next
 * enable). */
static inline void preempt_enable(void)
{
	bool due;

	__asm__ volatile("decl %%gs:%c1"
			 : "=@ccz"(due)
			 : "i"(offsetof(struct cpu, preempt_count))
			 : "memory");
	if (unlikely(due) && !irqs_off())
		preempt_schedule();
}

/* How often it is disabled now. */
static inline uint32_t preempt_depth(void)
{
	return cpu_word(preempt_count) & ~CPU_NO_SWITCH_WANTED;
}

/* Asks this CPU to switch as soon as it may; interrupts or preemption must be off. */
static inline void cpu_want_switch(void)
{
	__asm__ volatile("andl $0x7fffffff, %%gs:%c0" ::"i"(offsetof(struct cpu, preempt_count))
			 : "memory", "cc");
}

static inline void cpu_switch_done(void)
{
	__asm__ volatile("orl $0x80000000, %%gs:%c0" ::"i"(offsetof(struct cpu, preempt_count))
			 : "memory", "cc");
}

static inline bool cpu_switch_wanted(void)
{
	return !(cpu_word(preempt_count) & CPU_NO_SWITCH_WANTED);
}

/* ---- waiting ---- */

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

/* Enables interrupts and stops until one comes, with no gap between; interrupts are off on entry,
 * on afterwards. */
static inline void cpu_wait_for_interrupt(void)
{
	__asm__ volatile("sti\n\thlt" ::: "memory");
}

/* ---- other CPUs ---- */

/* Bit n: CPU n. */
typedef uint64_t cpuset_t;

static inline cpuset_t cpuset_of(uint32_t id)
{
	return UINT64_C(1) << id;
}

/* Those that have started. */
cpuset_t cpuset_all(void);

/* Asks a CPU to look at its run queue. From any context. */
void cpu_kick(uint32_t id);

/*
 * Calls function(argument) on each CPU of the set that has started, the calling one too if it is
 * named, and returns when all have. There it is called as an interrupt's handler is: interrupts
 * off, nothing may sleep; it is short.
 *
 * The caller may be preemptible, have preemption off, or interrupts off; it is no interrupt's
 * handler. It may hold spinlocks, but none that anybody takes with interrupts off (who spins for it
 * would not answer), and none that `function` takes. A caller with interrupts off answers the calls
 * of others while it waits, so `function` takes no lock that anybody holds while he calls.
 */
void cpu_call(cpuset_t cpus, void (*function)(void *argument), void *argument);

/*
 * The same without waiting, for one CPU, from any context and under any lock: function(argument)
 * will be called there. The struct is the caller's, who leaves it alone until the function is
 * called; from then on it may be used again. False: it is still on its way, and the call to come
 * sees what was written before this one.
 */
struct cpu_request {
	struct cpu_request *next;
	void (*function)(void *argument);
	void *argument;
	bool queued; /* atomic */
};
bool cpu_request(uint32_t id, struct cpu_request *request);

/* ---- the machine ---- */

struct cpu_features {
	bool nx, smep, smap, umip, pge, pat, pdpe1gb, xsave, fsgsbase, rdrand, erms, invariant_tsc,
		hypervisor, apic;
	char vendor[13];
	char model[49];
	uint32_t family, model_number, stepping;
	uint32_t physical_bits, virtual_bits;
	uint32_t leaf1_edx; /* CPUID leaf 1, EDX: what programs get as AT_HWCAP */
};
const struct cpu_features *cpu_features(void);

/* 64 random bits. As good as what the machine has to offer: RDRAND, or else what could be gathered
 * about this start of it (arch/x86_64/entropy.c). May be called from anywhere. */
uint64_t cpu_random(void);

noreturn void machine_poweroff(void);
noreturn void machine_reboot(void);
/* All CPUs stop, for good. */
noreturn void machine_halt(void);
/* Only this one. */
noreturn void cpu_halt(void);

#endif
