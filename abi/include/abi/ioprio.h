/*
 * Priorities of input and output, as Linux has them: a class and a level in it.
 */
#ifndef ABI_IOPRIO_H
#define ABI_IOPRIO_H

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_WHO_PGRP    2
#define IOPRIO_WHO_USER    3

#define IOPRIO_CLASS_NONE 0 /* as the niceness says */
#define IOPRIO_CLASS_RT   1
#define IOPRIO_CLASS_BE   2
#define IOPRIO_CLASS_IDLE 3

#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_LEVEL_MASK  7
#define IOPRIO_DATA_MASK   ((1 << IOPRIO_CLASS_SHIFT) - 1)

#endif
