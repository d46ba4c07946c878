/* sensor.c - a daemon that asks a sensor, with a time-out and retries
 *
 *   cc sensor.c $(pkg-config --cflags --libs aiowire) -o sensor
 *   target_link_libraries(sensor aiowire::aiowire)
 *
 * Shows descriptors, time-outs, retries, periods, Ctrl-C and a clean end.
 *
 * The sensor answers one line to each '?', as many do on a serial line. It is
 * not reliable: it loses requests, and sometimes it answers nonsense. The
 * daemon measures every 20 ms:
 *
 *     ask >> answer          a request, then the line that answers it
 *       .timeout(30 ms)      the request was lost
 *       .retry(4 tries)      ask again, also after nonsense
 *     bind record            the value of the measurement goes to `record`
 *     every 20 ms
 *
 * All of that is one wire. Wire constructors take their operands, and a NULL
 * operand gives NULL, so lack of memory is checked once: where the wire is
 * started. A step that fails says why by a code; a retry sees it first.
 *
 * SIGINT and SIGTERM end the daemon. The library takes no signals: the handler
 * writes into a pipe, and a task that waits for the pipe stops the loop.
 *
 * Here the sensor is a task in the same program, at the other end of a socket.
 */
#define _POSIX_C_SOURCE 200809L
#include <aiowire.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS (AW_SECOND / 1000)

enum { ENOUGH = 5 /* measurements */ };

/* A code of this program: far from those of errno, libuv and libzmq. */
enum { BAD_ANSWER = -30001 };

typedef struct daemon_state {
  aw_loop *loop;
  int port; /* our end */
  int count;
  long sum; /* of the measurements */
  int bad;  /* answers that were nonsense */
} daemon_state;

/* ---- the daemon ---------------------------------------------------------- */

static aw_turn ask(aw_task *task, void *data) {
  daemon_state *state = data;
  char old[64]; /* forget an answer that came too late */
  while (read(state->port, old, sizeof old) > 0) {
  }
  if (send(state->port, "?", 1, MSG_NOSIGNAL) < 0)
    return aw_task_fail(task, -errno);
  return AW_DONE;
}

/* Called when the port is readable. Ends with the measurement as its value. */
static aw_turn answer(aw_task *task, void *data) {
  daemon_state *state = data;
  char line[64];
  ssize_t got = read(state->port, line, sizeof line - 1);
  if (got <= 0)
    return aw_task_fail(task, got < 0 ? -errno : AW_ECLOSED);
  line[got] = '\0';
  long value = strtol(line, NULL, 10);
  if (value <= 0) {
    state->bad++;
    return aw_task_fail(task, BAD_ANSWER);
  }
  aw_task_set_value(task, (aw_value)value);
  return AW_DONE;
}

static aw_turn record(aw_task *task, void *data) {
  daemon_state *state = data;
  long value = (long)aw_task_take_value(task);
  printf("%ld.%ld degrees\n", value / 10, value % 10);
  state->sum += value;
  if (++state->count == ENOUGH)
    raise(SIGTERM); /* as somebody outside would send it */
  return AW_DONE;
}

static aw_wire *daemon_wire(daemon_state *state) {
  aw_wire *once = aw_then(aw_call(ask, state), aw_then(aw_readable(state->port),
                                                       aw_call(answer, state)));
  aw_retry_rule rule = {.times = 4, .delay = MS, .factor = 2};
  aw_wire *measure =
      aw_retry(aw_timeout(once, 30 * MS, AW_DEFAULT), &rule, NULL);
  return aw_every(20 * MS, aw_bind(measure, aw_call(record, state)),
                  AW_MISSED_SKIP);
}

/* ---- signals ------------------------------------------------------------- */

static int signal_pipe[2];

static void on_signal(int number) {
  (void)number;
  int before = errno;
  if (write(signal_pipe[1], "", 1) < 0) {
    /* It is full: the task will see it anyway. */
  }
  errno = before;
}

static aw_turn stop(aw_task *task, void *data) {
  (void)task;
  daemon_state *state = data;
  aw_loop_stop(state->loop, false); /* cancels all tasks, and lets them end */
  return AW_DONE;
}

static aw_wire *stop_on_signal(daemon_state *state) {
  return aw_then(aw_readable(signal_pipe[0]), aw_call(stop, state));
}

/* ---- the sensor ---------------------------------------------------------- */

typedef struct sensor {
  int port; /* its end */
  int asked;
} sensor;

static aw_turn reply(aw_task *task, void *data) {
  sensor *it = data;
  char request;
  if (read(it->port, &request, 1) <= 0)
    return aw_task_fail(task, AW_ECLOSED);
  it->asked++;
  char line[32];
  if (it->asked % 3 == 2)
    return AW_DONE; /* lost */
  if (it->asked % 4 == 0)
    snprintf(line, sizeof line, "###\n");
  else
    snprintf(line, sizeof line, "%d\n", 200 + it->asked);
  if (send(it->port, line, strlen(line), MSG_NOSIGNAL) < 0)
    return aw_task_fail(task, -errno);
  return AW_DONE;
}

/* ---- the program --------------------------------------------------------- */

/* Start a wire that keeps no loop running. */
static int start_beside(aw_loop *loop, aw_wire *wire, const char *name) {
  aw_task_config config = {
      .size = sizeof config, .name = name, .background = true};
  return aw_loop_start(loop, wire, &config, NULL);
}

static int run(aw_engine *engine, daemon_state *state, sensor *it) {
  int rc = aw_loop_new(engine, NULL, &state->loop);
  if (rc < 0)
    return rc;
  aw_wire *sensing = aw_then(aw_readable(it->port), aw_call(reply, it));
  rc = start_beside(state->loop, aw_repeat(sensing, AW_FOREVER), "sensor");
  if (rc == 0)
    rc = start_beside(state->loop, stop_on_signal(state), "signals");
  if (rc == 0)
    rc = aw_loop_start(state->loop, daemon_wire(state), NULL, NULL);
  if (rc == 0)
    rc = aw_loop_run(state->loop, 5 * AW_SECOND);
  aw_loop_free(state->loop);
  return rc;
}

int main(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || pipe(signal_pipe) < 0)
    return 1;
  for (int i = 0; i < 2; i++) {
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
    fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
  }
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);

  daemon_state state = {.port = ends[0]};
  sensor it = {.port = ends[1]};
  aw_engine *engine;
  int rc = aw_engine_new(NULL, &engine);
  if (rc == 0) {
    rc = run(engine, &state, &it);
    aw_engine_free(engine);
  }
  for (int i = 0; i < 2; i++) {
    close(ends[i]);
    close(signal_pipe[i]);
  }

  if (rc < 0 || state.count == 0) {
    fprintf(stderr, "sensor: %s\n", rc < 0 ? aw_strerror(rc) : "no answer");
    return 1;
  }
  printf("mean %ld.%ld after %d requests\n", state.sum / state.count / 10,
         state.sum / state.count % 10, it.asked);
  /* Each measurement came in the end, and none of them was nonsense. */
  return state.count >= ENOUGH && it.asked > ENOUGH && state.bad > 0 ? 0 : 1;
}
