/* line.c - see line.h */
#include "thread/line.h"

struct awio_waiter {
  aw_task *task;
  aw_ticket *ticket; /* NULL: told */
  awio_waiter *next;
};

void awio_line_init(awio_line *line) {
  *line = (awio_line){.end = &line->first};
}

/* Why there is no ticket: a libuv loop needs descriptors. */
static int why_no_ticket(aw_task *task) {
  void *uv;
  int rc = aw_engine_uv(aw_loop_engine(aw_task_loop(task)), &uv);
  return rc < 0 ? rc : AW_ENOMEM;
}

int awio_line_join(awio_line *line, aw_task *task) {
  awio_waiter *w = aw_allocate(sizeof *w);
  if (!w)
    return AW_ENOMEM;
  w->ticket = aw_ticket_new(task);
  if (!w->ticket) {
    aw_free(w);
    return why_no_ticket(task);
  }
  w->task = task;
  *line->end = w;
  line->end = &w->next;
  line->count++;
  return 0;
}

bool awio_line_leave(awio_line *line, const aw_task *task) {
  awio_waiter **at = &line->first;
  while (*at && (*at)->task != task)
    at = &(*at)->next;
  awio_waiter *w = *at;
  if (!w)
    return false;
  bool told = !w->ticket;
  *at = w->next;
  if (!w->next)
    line->end = at;
  line->count--;
  line->told -= told;
  aw_ticket_release(w->ticket);
  aw_free(w);
  return told;
}

bool awio_line_tell(awio_line *line) {
  awio_waiter *w = line->first;
  while (w && !w->ticket)
    w = w->next;
  if (!w)
    return false;
  aw_ticket *ticket = w->ticket;
  w->ticket = NULL;
  line->told++;
  (void)aw_ticket_complete(ticket, AW_READY, 0);
  return true;
}

void awio_line_end(awio_line *line, int result) {
  awio_waiter *w = line->first;
  awio_line_init(line);
  while (w) {
    awio_waiter *next = w->next;
    if (w->ticket)
      (void)aw_ticket_complete(w->ticket, result, 0);
    aw_free(w);
    w = next;
  }
}
