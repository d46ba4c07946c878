/* line.h - the line that is edited, as it is drawn on the terminal
 *
 * Who may write to the terminal changes during a read: see above.c. All
 * functions but host_line_take_back() are for the editor while it owns the
 * terminal.
 */
#ifndef HOST_LINE_H
#define HOST_LINE_H

#include "prompt/edited_state.h"
#include "terminal/layout.h"

#include <stdbool.h>

/* The one editor of the process: for libedit's callbacks, and at its exit. */
extern host_edited *host_edited_current;

void host_line_write(const host_edited *e, const char *text);

/* Returns where the cursor is, or the end of the line, in rows of so many
 * columns. A line that is higher than the screen is shown in part. */
host_place host_line_place(host_edited *e, bool at_end, int columns);

/* Draw the line. The cursor is at the start of an empty row. */
void host_line_draw(host_edited *e);
/* Erase the line, whose cursor is in this row, and draw it again. */
void host_line_redraw(host_edited *e, int row);
/* Move below the line, after writing `mark` at its end. */
void host_line_leave(host_edited *e, const char *mark);

/* Let the caller's code run: give up the terminal and the locale. */
void host_line_give_up(host_edited *e);
/* Take both back. Draws the line again if it was erased. */
void host_line_take_back(host_edited *e);

#endif
