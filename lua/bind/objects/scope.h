/* scope.h - protected calls that own a scope; see scope.c */
#ifndef AWL_SCOPE_H
#define AWL_SCOPE_H

#include "base/state.h"

void awl_leave_scope(awl_scope *scope); /* it is open no more */
void awl_free_scopes(awl_state *s);     /* the state ends */

#endif
