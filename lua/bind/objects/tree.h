/* tree.h - the tasks below an EventLoop; see tree.c */
#ifndef AWL_TREE_H
#define AWL_TREE_H

#include "base/state.h"

int awl_loop_tasks(lua_State *L); /* the method ev:tasks() */

#endif
