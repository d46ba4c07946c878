/* report.h - what a body returned or raised is reported to the core */
#ifndef AWL_REPORT_H
#define AWL_REPORT_H

#include "base/state.h"

/* The bottom of a worker's stack. The content of the leaf that ran last and
 * its EventLoop stay there, since the next step is most often of the same. */
enum {
  AWL_AT_HANDLER = 1,
  AWL_AT_CONTENT,
  AWL_AT_LOOP,
  AWL_AT_BASE = AWL_AT_LOOP
};

/* The body of the worker has ended, with a status of Lua; what it left is above
 * AWL_AT_BASE. Raises: then it is not reported. */
void awl_report_step(lua_State *L, awl_worker *worker, int status);
/* The body is over: forget the errors that were on their way in it. */
void awl_clear_body(awl_worker *worker);
/* The scope is not open any more: take it off the list of its worker. */
void awl_leave_scope(awl_scope *scope);
/* Warn if the function of the worker's leaf returned a Wire, at `index`, and
 * the results are dropped: nobody will run that Wire [P9]. Called at most
 * AWL_MOST_LOOKS times for a leaf: each time would cost a sequence of Calls 5
 * %.
 */
enum { AWL_MOST_LOOKS = 8 };
void awl_look_for_wire(lua_State *L, awl_worker *worker, int index);

#endif
