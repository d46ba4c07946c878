/* report.h - reports to the core what a body returned or raised */
#ifndef AWL_REPORT_H
#define AWL_REPORT_H

#include "base/state.h"

/* The lowest places of a worker's stack. The content of the last leaf and its
 * EventLoop stay there, since the next step most often needs the same ones. In
 * `a // b` the contents of both are there: worker->content is the place of the
 * leaf that runs. */
enum {
  AWL_AT_HANDLER = 1,
  AWL_AT_CONTENT,
  AWL_AT_SECOND_CONTENT,
  AWL_AT_LOOP,
  AWL_AT_BASE = AWL_AT_LOOP
};

/* Report the end of the worker's body. `status` is Lua's; the results or the
 * error are above AWL_AT_BASE. If awl_goes_on() has reported the step, only its
 * body is cleared. Raises; then nothing has been reported. */
void awl_report_step(lua_State *L, awl_worker *worker, int status);
/* The body is over: leave its scopes, and forget the errors on their way in
 * it. */
void awl_clear_body(awl_worker *worker);
/* Remove a scope that is not open any more from the list of its worker. */
void awl_leave_scope(awl_scope *scope);
/* Is the value at `index`, which the worker's body returned, the wire that the
 * body runs in: the body itself, or its Wire? */
bool awl_is_itself(lua_State *L, const awl_worker *worker, int index);
/* Let the task go on to the value at `index`, which the worker's body returned
 * and which is not itself, without a new leaf: see awl_become(). True: either
 * the worker's leaf is that of the next body, which is under way; only if
 * `at_once`. Or the step is reported. Raises; then nothing is reported. */
bool awl_goes_on(lua_State *L, awl_worker *worker, int index, bool at_once);
/* Warn if the function of the worker's leaf returned a Wire, at `index`, and
 * the results are dropped: nobody will run that Wire [P9]. Called at most
 * AWL_MOST_LOOKS times for a leaf: to look every time would slow a sequence of
 * Calls down by 5 %. */
enum { AWL_MOST_LOOKS = 8 };
void awl_look_for_wire(lua_State *L, awl_worker *worker, int index);

#endif
