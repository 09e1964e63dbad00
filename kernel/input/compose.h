/*
 * Characters made of two keys: a dead key and a letter, or Compose and two characters. Constant
 * tables, no state.
 */
#ifndef KERNEL_INPUT_COMPOSE_H
#define KERNEL_INPUT_COMPOSE_H

#include "keymap.h"

/* The letter with the accent; the accent alone for a space (as a character that a shell knows, if
 * there is one). 0: there is no such letter. */
keysym_t compose_dead(enum dead_key dead, keysym_t base);

/* The accent alone. */
keysym_t compose_accent(enum dead_key dead);

/* What Compose and these two make, in either order; 0: nothing. */
keysym_t compose_pair(keysym_t first, keysym_t second);

#endif
