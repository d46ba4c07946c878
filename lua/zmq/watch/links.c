/* links.c - see links.h
 *
 * The links of a context are one list. An unbind ends no link: libzmq lets
 * connections over inproc live on. A PAIR turns a second peer away, so a link
 * to a PAIR that has one does not count. */
#include "watch/links.h"

#include "watch/watch.h"

#include <string.h>

struct awz_link {
  awz_link *next; /* in the context */
  awz_socket *from;
  awz_socket *to; /* NULL: the name is not bound yet */
  bool counts;
  char name[];
};

awz_link *awz_link_new(const char *name) {
  size_t size = strlen(name) + 1;
  awz_link *link = aw_allocate(sizeof *link + size);
  if (link)
    memcpy(link->name, name, size);
  return link;
}

static bool is_taken(const awz_socket *s) {
  enum { PAIR = 0 };
  return s->type->number == PAIR && s->linked > 0;
}

static void note_links(awz_socket *s, int change) {
  s->linked += (unsigned)change;
  s->unlinked += change < 0;
  awz_watch_linked(s);
}

static void join_ends(awz_link *link, awz_socket *to) {
  link->to = to;
  link->counts = !is_taken(link->from) && !is_taken(to);
  if (!link->counts)
    return;
  note_links(link->from, 1);
  note_links(to, 1);
}

void awz_link_add(awz_link *link, awz_socket *from, awz_socket *to) {
  awz_context *context = from->context;
  link->from = from;
  link->next = context->links;
  context->links = link;
  if (to)
    join_ends(link, to);
}

void awz_links_bound(awz_socket *to, const char *name) {
  for (awz_link *link = to->context->links; link; link = link->next)
    if (!link->to && strcmp(link->name, name) == 0)
      join_ends(link, to);
}

/* Remove the link at `place`. */
static void cut_link(awz_link **place) {
  awz_link *link = *place;
  *place = link->next;
  if (link->counts) {
    note_links(link->from, -1);
    note_links(link->to, -1);
  }
  aw_free(link);
}

void awz_links_cut(const awz_socket *from, const char *name) {
  awz_link **place = &from->context->links;
  while (*place)
    if ((*place)->from == from && strcmp((*place)->name, name) == 0)
      cut_link(place);
    else
      place = &(*place)->next;
}

void awz_links_leave(const awz_socket *s) {
  awz_link **place = &s->context->links;
  while (*place)
    if ((*place)->from == s || (*place)->to == s)
      cut_link(place);
    else
      place = &(*place)->next;
}
