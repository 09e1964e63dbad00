/*
 * Proof that entry.inc's numbers are what C lays out. No code.
 */
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/trap.h>

#define AT_OFFSET(type, member, offset)                                                            \
	_Static_assert(offsetof(type, member) == (offset), #member " moved: change entry.inc")

AT_OFFSET(struct cpu, self, 0);
AT_OFFSET(struct cpu, current, 8);
AT_OFFSET(struct cpu, kernel_stack_top, 16);
AT_OFFSET(struct cpu, user_sp, 24);
AT_OFFSET(struct cpu, stack_canary, 40); /* and in cmake/Flags.cmake */
AT_OFFSET(struct cpu, preempt_count, 48);
AT_OFFSET(struct context, sp, 0);
AT_OFFSET(struct context, stack_canary, 8);
AT_OFFSET(struct trap_frame, rax, 80);
AT_OFFSET(struct trap_frame, rcx, 88);
AT_OFFSET(struct trap_frame, r11, 48);
AT_OFFSET(struct trap_frame, vector, 120);
AT_OFFSET(struct trap_frame, rip, 136);
AT_OFFSET(struct trap_frame, cs, 144);
AT_OFFSET(struct trap_frame, rflags, 152);
AT_OFFSET(struct trap_frame, rsp, 160);
_Static_assert(sizeof(struct trap_frame) == 22 * 8, "FRAME_WORDS: change entry.inc");
