/* lscope.h - protected calls that own a scope; see lscope.c */
#ifndef AWL_LSCOPE_H
#define AWL_LSCOPE_H

#include "bridge.h"

void awl_leave_scope(awl_scope *scope); /* it is open no more */
void awl_free_scopes(awl_state *s);     /* the state ends */

#endif
