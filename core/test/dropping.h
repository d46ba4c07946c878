/* dropping.h - an engine that adds up the values that it drops */
#ifndef DROPPING_H
#define DROPPING_H

#include "check.h"

static size_t dropped;

static void drop(void *host, aw_value value) {
  (void)host;
  dropped += (size_t)value;
}

static aw_engine *dropping_engine(void) {
  aw_engine_config config = {
      .clock = AW_CLOCK_VIRTUAL, .drop = drop, .deadlocks = true};
  aw_engine *engine;
  CHECK(aw_engine_new(&config, &engine) == 0);
  dropped = 0;
  log_clear();
  return engine;
}

#endif
