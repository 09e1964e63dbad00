/*
 * x87, SSE and AVX state.
 */
#ifndef ARCH_FPU_H
#define ARCH_FPU_H

#include <lib/types.h>

void fpu_detect(void);
void fpu_enable(void);
void fpu_save(void *state);
void fpu_load(const void *state);
/* What XCR0 enables; 0: FXSAVE alone. */
uint64_t fpu_components(void);
/* The part of the check below that FXRSTOR makes. */
bool fpu_mxcsr_is_loadable(const void *state);
/* True if fpu_load() takes a state from a program: no bit that the CPU would fault on. */
bool fpu_state_is_loadable(const void *state);

#endif
