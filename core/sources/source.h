/* source.h - kinds of objects that the engine looks after; see source.c */
#ifndef AW_SOURCE_H
#define AW_SOURCE_H

#include "state.h"

/* Register `source` with the engine. Borrowed until it is removed. */
void aw__source_add(aw_engine *engine, aw_source *source);
void aw__source_remove(aw_engine *engine, aw_source *source);
/* Call these functions of all sources; aw__sources_are_dirty() tells whether
 * one of them is dirty. */
void aw__sources_look(aw_engine *engine);
void aw__sources_settle(aw_engine *engine);
bool aw__sources_are_dirty(const aw_engine *engine);

#endif
