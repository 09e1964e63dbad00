/* In the place of the CPU: nothing to relax. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

static inline void cpu_relax(void)
{
}

#endif
