/* text.h - the texts of answers; see text.c */
#ifndef AWM_TEXT_H
#define AWM_TEXT_H

#include "inspect/registry.h"

#include <lua.h>

/* Make the answer to a question in the Lua state of L. Gives; NULL: no memory.
 * Raises nothing. Call from: the driver, or a hook in L.
 *
 *   accounts  of the state, or NULL
 *   failed    receives true if the text is why there is no answer */
awm_text *awm_answer_make(lua_State *L, const awm_question *question,
                          awm_accounts *accounts, bool *failed);

#endif
