/*
 * The debug registers: breakpoints and watchpoints that a debugger has set in a program's thread
 * (SDM 3B, 18.2). A CPU gets them when it is switched to a thread that has some, and
 * keeps them until another one's are loaded or one of them hits somebody whose it is not; so the
 * switch from one thread to another does nothing for those that have none.
 */
#ifndef ARCH_DEBUG_REGISTERS_H
#define ARCH_DEBUG_REGISTERS_H

#include <lib/types.h>

struct context;
struct trap_frame;

/* What the thread has set is loaded, if it has set something. Interrupts are off. */
void debug_registers_load(const struct context *context);
/* #DB. True: the running program shall know of it, context->debug says what it was. Interrupts are
 * off. */
bool debug_trap(struct trap_frame *frame);

#endif
