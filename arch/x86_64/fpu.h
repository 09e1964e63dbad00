/*
 * x87, SSE and AVX state.
 */
#ifndef ARCH_FPU_H
#define ARCH_FPU_H

void fpu_detect(void);
void fpu_enable(void);
void fpu_save(void *state);
void fpu_load(const void *state);

#endif
