/*
 * What the parts of the terminal share: terminal.c (life), terminal_cells.c (the grid and the
 * cursor), terminal_parse.c (bytes to sequences), terminal_csi.c and terminal_colour.c (what they
 * mean).
 */
#ifndef KERNEL_CONSOLE_TERMINAL_PRIV_H
#define KERNEL_CONSOLE_TERMINAL_PRIV_H

#include "terminal.h"

/* ---- terminal_cells.c ---- */

void cells_dirty(struct terminal *t, unsigned first_row, unsigned last_row);
/* [first, last] of a row become blanks of the pen's background. */
void cells_erase(struct terminal *t, unsigned row, unsigned first, unsigned last);
void cells_erase_rows(struct terminal *t, unsigned first, unsigned last);
/* At the cursor, inside its row. */
void cells_insert(struct terminal *t, unsigned count);
void cells_delete(struct terminal *t, unsigned count);
/* Rows [top, bottom] move up or down; what becomes free is blank. */
void cells_scroll_up(struct terminal *t, unsigned top, unsigned bottom, unsigned count);
void cells_scroll_down(struct terminal *t, unsigned top, unsigned bottom, unsigned count);

void cursor_move(struct terminal *t, unsigned row, unsigned column);
/* As CUP means it: rows count from the region's top in origin mode. */
void cursor_address(struct terminal *t, unsigned row, unsigned column);
void cursor_up(struct terminal *t, unsigned count);
void cursor_down(struct terminal *t, unsigned count);
void cursor_left(struct terminal *t, unsigned count);
/* The next row, scrolling at the region's end; and the one before. */
void cursor_index(struct terminal *t);
void cursor_reverse_index(struct terminal *t);
void cursor_tab(struct terminal *t, unsigned count);
void cursor_tab_back(struct terminal *t, unsigned count);
void tabs_reset(struct terminal *t);
void tab_set(struct terminal *t, unsigned column, bool on);

/* One character where the cursor stands. */
void terminal_print(struct terminal *t, uint32_t character);

/* ---- terminal.c ---- */

void terminal_reset(struct terminal *t);
void terminal_answer(struct terminal *t, const char *format, ...) PRINTF(2, 3);
void terminal_place_save(struct terminal *t);
void terminal_place_restore(struct terminal *t);
void terminal_show_alternate(struct terminal *t, bool on);

/* ---- terminal_csi.c, terminal_colour.c ---- */

void csi_execute(struct terminal *t, uint8_t final);
/* SGR: CSI ... m */
void colour_execute(struct terminal *t);
/* OSC: the string is kept in t->string. */
void colour_string(struct terminal *t);
/* ESC ] P nrrggbb, whole in t->string. */
void colour_palette_entry(struct terminal *t);

#endif
