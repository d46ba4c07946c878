/* channel.c - channels: tasks send values to tasks [H1, H2]
 *
 *     senders ──► ring of `capacity` values ──► receivers
 *
 * Senders and receivers wait in a queue each, linked by their `link`. The
 * message of a waiting sender is the value of its task (`out`): a cancel drops
 * the message like any other value, and a wait allocates nothing. A commit
 * moves a message in one go. So each message is in the ring, or is the value of
 * a waiting sender or of its receiver, and is nowhere else [C6].
 *
 * A third queue has watchers: tasks that wait until the channel has room, since
 * they send to several channels at once.
 *
 * Invariants: receivers wait only while the ring is empty, senders and watchers
 * only while the ring is full. (Without capacity the ring is always both.) A
 * receiver and a sender wait at the same time only if they are rivals: operands
 * of one race do not meet each other, and leave the queues when the race is
 * decided [H3].
 *
 * aw_wait_complete() may remove other tasks from these queues, the losers of a
 * race. So no pointer to the next link is held across that call.
 *
 * More than 500 lines: struct aw_channel is known only here.
 */
#include "base/config.h"
#include "run/task.h"
#include "run/wait.h"
#include "sources/meeting.h"

#include <assert.h>

struct aw_channel {
  aw_meeting meeting;
  aw_link receivers, senders, watchers;
  aw_value *ring; /* grows as needed */
  size_t size;    /* of the ring */
  size_t first, count;
  aw_channel_config config;
  bool closed;
};

/* ---- values ---- */

static void drop(const aw_channel *channel, aw_value value) {
  if (value && channel->config.drop)
    channel->config.drop(channel->config.host, value);
}

static aw_value keep(const aw_channel *channel, aw_value value) {
  if (value && channel->config.keep)
    return channel->config.keep(channel->config.host, value);
  return value;
}

/* Make `value` the result of the wait of `task`. If the wait is that of a wire,
 * `deliver` of the config is called first. */
static void deliver(const aw_channel *channel, aw_task *task, aw_value value) {
  if (channel->config.deliver && task->go == AW_GO_LEAF)
    channel->config.deliver(channel->config.host, value, task);
  aw_task_set_value(task, value);
}

/* Let the host settle `value`, which comes from a waiting sender or from the
 * ring. False: the value was lost with its sender, and is dropped. */
static bool settle(const aw_channel *channel, aw_value value) {
  if (!channel->config.settle ||
      channel->config.settle(channel->config.host, value))
    return true;
  drop(channel, value);
  return false;
}

/* ---- the ring ---- */

/* Make room for one more value. */
static int grow(aw_channel *channel) {
  enum { SMALLEST = 4 };
  if (channel->count < channel->size)
    return 0;
  if (channel->size > SIZE_MAX / 2 / sizeof *channel->ring)
    return AW_ENOMEM;
  size_t size = channel->size ? channel->size * 2 : SMALLEST;
  if (size > channel->config.capacity)
    size = channel->config.capacity;
  aw_value *ring = aw_allocate(size * sizeof *ring);
  if (!ring)
    return AW_ENOMEM;
  assert(channel->count <= channel->size);
  for (size_t i = 0; i < channel->count; i++)
    ring[i] = channel->ring[(channel->first + i) % channel->size];
  aw_free(channel->ring);
  channel->ring = ring;
  channel->size = size;
  channel->first = 0;
  return 0;
}

static int push(aw_channel *channel, aw_value value) {
  int rc = grow(channel);
  if (rc < 0)
    return rc;
  size_t place = channel->first + channel->count++;
  if (place >= channel->size)
    place -= channel->size;
  channel->ring[place] = value;
  return 0;
}

static aw_value shift(aw_channel *channel) {
  aw_value value = channel->ring[channel->first];
  if (++channel->first == channel->size)
    channel->first = 0;
  channel->count--;
  return value;
}

/* ---- meeting ---- */

/* The first task in `queue` that may meet `task`, or NULL. (`task` is NULL for
 * a call from outside tasks.) All events of a race are armed one after another
 * while no other task runs, so rivals of `task` are the last in the queue: if
 * the first is a rival, all are. */
static inline aw_task *first_for(const aw_link *queue, const aw_task *task) {
  aw_task *first = aw__meeting_first(queue);
  if (!first || !task || !aw_task_rivals(first, task))
    return first;
  assert(aw_task_rivals(AW_CONTAINER(aw_task, link, queue->prev), task));
  return NULL;
}

/* Take the message of a waiting sender, whose wait ends. */
static aw_value take_from(aw_channel *channel, aw_task *sender) {
  aw_value value = sender->out.value;
  sender->out.value = 0;
  aw__meeting_leave(&channel->meeting, sender);
  aw_wait_complete(sender, 0);
  return value;
}

bool aw_channel_has_room(const aw_channel *channel) {
  return channel->closed || (channel->count < channel->config.capacity &&
                             aw__list_empty(&channel->senders));
}

static void tell_watchers(aw_channel *channel) {
  aw_task *watcher;
  while ((watcher = aw__meeting_first(&channel->watchers)) != NULL) {
    aw__meeting_leave(&channel->meeting, watcher);
    aw_wait_complete(watcher, 0);
  }
}

/* The ring has room: move the message of a waiting sender there. */
static void refill(aw_channel *channel, const aw_task *task) {
  aw_task *sender;
  while ((sender = first_for(&channel->senders, task)) != NULL) {
    aw_value value = take_from(channel, sender);
    if (settle(channel, value)) {
      push(channel, value);
      return;
    }
  }
  if (!aw__list_empty(&channel->watchers))
    tell_watchers(channel);
}

/* Receive for `task`, or for a call from outside tasks (NULL), without waiting.
 */
static int take(aw_channel *channel, const aw_task *task, aw_value *out) {
  if (channel->count > 0) {
    *out = shift(channel);
    refill(channel, task);
    return 0;
  }
  aw_task *sender = first_for(&channel->senders, task);
  if (sender) {
    *out = take_from(channel, sender);
    return 0;
  }
  return channel->closed ? AW_ECLOSED : AW_EAGAIN;
}

/* Send for `task`, or for a call from outside tasks (NULL), without waiting.
 * Takes `value` if it returns 0. */
static int give(aw_channel *channel, const aw_task *task, aw_value value) {
  if (channel->closed)
    return AW_ECLOSED;
  aw_task *receiver = first_for(&channel->receivers, task);
  if (receiver) {
    aw__meeting_leave(&channel->meeting, receiver);
    deliver(channel, receiver, value);
    aw_wait_complete(receiver, 0);
    return 0;
  }
  if (channel->count < channel->config.capacity)
    return push(channel, value);
  return AW_EAGAIN;
}

/* ---- life ---- */

/* No channel was made: drop the value that its configuration gave. */
static int not_made(const aw_channel_config *config, int rc) {
  if (config->end && config->drop)
    config->drop(config->host, config->end);
  return rc;
}

static void release(void *channel) {
  aw_channel_release(channel);
}

int aw_channel_new(const aw_channel_config *config, aw_channel **out) {
  static const aw_channel_config plain = {0};
  aw_channel_config room;
  const void *own = config ? config : &plain;
  if (aw__config_fit(&own, AW_CONFIG_LAYOUT(aw_channel_config), &room) < 0 ||
      !out)
    return not_made(own, AW_EINVAL);
  config = own;
  aw_channel *channel =
      aw__meeting_new(sizeof *channel, "channel", config->name, release);
  if (!channel)
    return not_made(config, AW_ENOMEM);
  channel->config = *config;
  aw__list_init(&channel->receivers);
  aw__list_init(&channel->senders);
  aw__list_init(&channel->watchers);
  *out = channel;
  return 0;
}

aw_channel *aw_channel_keep(aw_channel *channel) {
  return aw__meeting_keep(channel);
}

/* No task waits, since waiting tasks keep the channel. */
void aw_channel_release(aw_channel *channel) {
  if (!aw__meeting_release(channel))
    return;
  while (channel->count > 0)
    drop(channel, shift(channel));
  drop(channel, channel->config.end);
  aw_free(channel->ring);
  aw_free(channel);
}

/* The end of a channel is an ordinary result, which Cancelled does not replace.
 * Only for a background task it does: the loop may be about to end, too. */
static void end_receiver(aw_channel *channel, aw_task *task) {
  aw__meeting_leave(&channel->meeting, task);
  aw_task_set_value(task, keep(channel, channel->config.end));
  if (task->background)
    aw__task_wake_closed(task, 0);
  else
    aw_wait_complete(task, 0);
}

static void end_sender(aw_channel *channel, aw_task *task) {
  aw__meeting_leave(&channel->meeting, task);
  aw__task_drop_outcome(task); /* the message */
  aw_wait_complete(task, AW_ECLOSED);
}

/* The waiting sender that is an operand to the left of `receiver` in the same
 * race, and so must end first [O5]; or NULL. A sender and a receiver that wait
 * at the same time are rivals. Operands begin from left to right, in the order
 * of their ids. */
static aw_task *left_of(const aw_channel *channel, const aw_task *receiver) {
  aw_task *sender = aw__meeting_first(&channel->senders);
  if (!sender)
    return NULL;
  assert(aw_task_rivals(sender, receiver));
  return sender->id < receiver->id ? sender : NULL;
}

void aw_channel_close(aw_channel *channel) {
  channel->closed = true;
  aw_channel_keep(channel);
  aw_task *receiver, *sender;
  while ((receiver = aw__meeting_first(&channel->receivers)) != NULL) {
    sender = left_of(channel, receiver);
    if (sender)
      end_sender(channel, sender);
    else
      end_receiver(channel, receiver);
  }
  while ((sender = aw__meeting_first(&channel->senders)) != NULL)
    end_sender(channel, sender);
  tell_watchers(channel);
  aw_channel_release(channel);
}

int aw_channel_try_send(aw_channel *channel, aw_value value) {
  return channel ? give(channel, NULL, value) : AW_EINVAL;
}

int aw_channel_try_recv(aw_channel *channel, aw_value *out) {
  if (!channel || !out)
    return AW_EINVAL;
  if (channel->count == 0 && aw__list_empty(&channel->senders))
    return channel->closed ? AW_ECLOSED : AW_EAGAIN;
  return take(channel, NULL, out);
}

aw_task *aw_channel_receiver(const aw_channel *channel) {
  aw_task *task = aw__meeting_first(&channel->receivers);
  return task && task->go == AW_GO_RESUME ? task : NULL;
}

void aw_channel_look(const aw_channel *channel, aw_channel_view *out) {
  out->name = channel->meeting.name;
  out->capacity = channel->config.capacity;
  out->count = channel->count;
  out->receivers = aw__meeting_count(&channel->receivers);
  out->senders = aw__meeting_count(&channel->senders);
  out->closed = channel->closed;
}

bool aw_channel_open_to(const aw_channel *channel, const aw_engine *engine) {
  return aw__meeting_open_to(&channel->meeting, engine);
}

/* ---- waiting ---- */

int aw_recv_arm(aw_task *task, aw_channel *channel) {
  if (!aw_channel_open_to(channel, task->engine))
    return AW_EINVAL;
  aw_value value = 0;
  int rc;
  do
    rc = take(channel, task, &value);
  while (rc == 0 && !settle(channel, value));
  if (rc == 0)
    deliver(channel, task, value);
  else if (rc == AW_ECLOSED)
    aw_task_set_value(task, keep(channel, channel->config.end));
  else
    aw__meeting_wait(&channel->meeting, &channel->receivers, task);
  return rc != AW_EAGAIN;
}

void aw_recv_disarm(aw_task *task, aw_channel *channel) {
  aw__meeting_disarm(task, channel);
}

int aw_send_arm(aw_task *task, aw_channel *channel, aw_value value) {
  int rc = AW_EINVAL;
  if (aw_channel_open_to(channel, task->engine))
    rc = give(channel, task, value);
  if (rc == 0)
    return 1;
  if (rc != AW_EAGAIN) {
    drop(channel, value);
    return rc;
  }
  aw_task_set_value(task, value);
  aw__meeting_wait(&channel->meeting, &channel->senders, task);
  return 0;
}

void aw_send_disarm(aw_task *task, aw_channel *channel) {
  aw__task_drop_outcome(task); /* the message */
  aw__meeting_disarm(task, channel);
}

/* The operations of awaits and of the wire aw_recv(): `data` is the channel. */
static int arm_recv(aw_task *task, void *data) {
  return aw_recv_arm(task, data);
}

static void disarm_send(aw_task *task, void *data) {
  aw_send_disarm(task, data);
}

void aw_channel_describe(const aw_channel *channel, char *out, size_t size) {
  aw__meeting_describe(channel, out, size);
}

static const aw_operation receiving = {.label = "recv",
                                       .arm = arm_recv,
                                       .disarm = aw__meeting_disarm,
                                       .describe = aw__meeting_describe};
static const aw_operation sending = {
    .label = "send", .disarm = disarm_send, .describe = aw__meeting_describe};

int aw_await_recv(aw_task *task, aw_channel *channel) {
  if (!channel)
    return AW_EINVAL;
  return aw_await_operation(task, &receiving, channel);
}

static int arm_watch(aw_task *task, void *data) {
  aw_channel *channel = data;
  if (!aw_channel_open_to(channel, task->engine))
    return AW_EINVAL;
  if (aw_channel_has_room(channel))
    return 1;
  aw__meeting_wait(&channel->meeting, &channel->watchers, task);
  return 0;
}

static const aw_operation watching = {.label = "room in",
                                      .arm = arm_watch,
                                      .disarm = aw__meeting_disarm,
                                      .describe = aw__meeting_describe};

int aw_await_room(aw_task *task, aw_channel *channel) {
  if (!channel)
    return AW_EINVAL;
  return aw_await_operation(task, &watching, channel);
}

int aw_await_send(aw_task *task, aw_channel *channel, aw_value value) {
  if (!channel)
    return AW_EINVAL;
  if (!aw__task_may_wait(task)) {
    drop(channel, value);
    return AW_EINVAL;
  }
  if (aw__wait_refused(task, AW_GO_RESUME)) {
    drop(channel, value);
    return 0;
  }
  aw__task_drop_outcome(task);
  int rc = aw_send_arm(task, channel, value);
  return aw__wait_armed(task, rc, &sending, channel);
}

bool aw_channel_send_waits(const aw_channel *channel) {
  return !channel->closed && channel->count >= channel->config.capacity &&
         aw__list_empty(&channel->receivers);
}

/* May `task` be parked at `channel`? */
static bool may_park(const aw_task *task, const aw_channel *channel) {
  return aw__task_may_wait(task) && channel &&
         aw_channel_open_to(channel, task->engine);
}

/* Let `task` wait in `queue`. */
static void park(aw_task *task, aw_channel *channel, aw_link *queue,
                 const aw_operation *operation) {
  aw__meeting_wait(&channel->meeting, queue, task);
  aw__wait_armed(task, 0, operation, channel);
}

int aw_park_send(aw_task *task, aw_channel *channel, aw_value value) {
  if (!may_park(task, channel) || !aw_channel_send_waits(channel)) {
    if (channel)
      drop(channel, value);
    return AW_EINVAL;
  }
  if (aw__wait_refused(task, AW_GO_RESUME)) {
    drop(channel, value);
    return 0;
  }
  aw_task_set_value(task, value);
  park(task, channel, &channel->senders, &sending);
  return 0;
}

int aw_park_recv(aw_task *task, aw_channel *channel) {
  if (!may_park(task, channel) || channel->count > 0 || channel->closed ||
      !aw__list_empty(&channel->senders))
    return AW_EINVAL;
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  aw__task_drop_outcome(task);
  park(task, channel, &channel->receivers, &receiving);
  return 0;
}

/* ---- wires ---- */

static void release_channel(void *channel) {
  aw_channel_release(channel);
}

aw_wire *aw_recv(aw_channel *channel) {
  if (!channel)
    return NULL;
  aw_wire *wire = aw_wait_for(&receiving, channel);
  return aw_hold(wire, aw_channel_keep(channel), release_channel);
}

typedef struct aw_message { /* what a wire sends */
  aw_channel *channel;
  aw_value value;
} aw_message;

static void release_message(void *data) {
  aw_message *message = data;
  drop(message->channel, message->value);
  aw_channel_release(message->channel);
  aw_free(message);
}

static int arm_message(aw_task *task, void *data) {
  const aw_message *message = data;
  aw_value value = keep(message->channel, message->value);
  return aw_send_arm(task, message->channel, value);
}

static void disarm_message(aw_task *task, void *data) {
  aw_send_disarm(task, ((const aw_message *)data)->channel);
}

static void describe_message(const void *data, char *out, size_t size) {
  aw__meeting_describe(((const aw_message *)data)->channel, out, size);
}

static const aw_operation sending_message = {.label = "send",
                                             .arm = arm_message,
                                             .disarm = disarm_message,
                                             .describe = describe_message};

aw_wire *aw_send(aw_channel *channel, aw_value value) {
  if (!channel)
    return NULL;
  aw_message *message = aw_allocate(sizeof *message);
  if (!message) {
    drop(channel, value);
    return NULL;
  }
  message->channel = aw_channel_keep(channel);
  message->value = value;
  return aw_hold(aw_wait_for(&sending_message, message), message,
                 release_message);
}
