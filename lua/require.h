/* require.h - a `require` whose modules may await; see require.c */
#ifndef AWL_REQUIRE_H
#define AWL_REQUIRE_H

#include "base/state.h"

/* Prepare awl_upcalls for modules that await. */
void awl_open_require(awl_state *s);

#endif
