/* closing.c - see closing.h */
#include "socket/closing.h"

void awz_watch_closing(awz_socket *s, awz_watcher *watcher) {
  watcher->next = s->watchers;
  watcher->place = &s->watchers;
  if (watcher->next)
    watcher->next->place = &watcher->next;
  s->watchers = watcher;
}

void awz_forget_watcher(awz_watcher *watcher) {
  if (!watcher->place)
    return;
  *watcher->place = watcher->next;
  if (watcher->next)
    watcher->next->place = watcher->place;
  watcher->next = NULL;
  watcher->place = NULL;
}

void awz_tell_watchers(awz_socket *s) {
  awz_watcher *watcher;
  while ((watcher = s->watchers) != NULL) {
    awz_forget_watcher(watcher);
    watcher->closed(watcher);
  }
}
