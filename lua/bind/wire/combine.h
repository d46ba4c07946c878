/* combine.h - methods and operators that combine Wires; see combine.c */
#ifndef AWL_COMBINE_H
#define AWL_COMBINE_H

#include "base/state.h"

/* For the class Wire, see constructors.c. */
extern const luaL_Reg awl_combine_methods[], awl_combine_operators[];

#endif
