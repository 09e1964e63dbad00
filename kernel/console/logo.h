/*
 * What the screen shows first: the logo, and the name.
 */
#ifndef KERNEL_CONSOLE_LOGO_H
#define KERNEL_CONSOLE_LOGO_H

#include "terminal.h"

/* Draws it where the cursor stands; `pixels`: on a display that has the console's font. */
void logo_draw(struct terminal *terminal, bool pixels);

#endif
