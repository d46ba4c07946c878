/* tcp_load.c - clients of the servers that tcp.lua compares
 *
 *   tcp_load echo PORT PID CONNECTIONS SIZE REQUESTS
 *       a closed loop: each connection has one request of SIZE bytes under way
 *   tcp_load idle PORT PID CONNECTIONS SIZE REQUESTS
 *       the same on one connection; then opens the others, uses each of them
 *       once, and measures the one among them. Prints "open COUNT", and waits
 *       for a line on stdin, before each of the two measurements.
 *   tcp_load copy PORT PID MEGABYTES
 *       two connections: sends on the first, and receives the same on the
 *       second
 *   tcp_load feed PORT FILE
 *       one connection, on which it sends a file
 *
 * PID is the server. The figures are its CPU time, which Linux shows to other
 * processes in nanoseconds; so all servers are measured alike, and neither
 * their start nor the opening of connections counts. The first tenth of the
 * requests is not measured either. Lines are "name value unit". All echoed
 * bytes are compared with those sent. Neighbour: tcp_echo.c.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
  MOST_SIZE = 64 * 1024, /* of a request: the kernel takes it in one piece */
  PATTERN = 251,         /* a prime: requests begin at different places of it */
  BATCH = 64,            /* connections that are opened at once */
  PIECE = 1024 * 1024,
  MEGABYTE = 1000 * 1000
};

static void check(bool good, const char *what) {
  if (good)
    return;
  fprintf(stderr, "tcp_load: %s: %s\n", what, errno ? strerror(errno) : "no");
  exit(1);
}

static long number(const char *text, long least, long most) {
  char *end;
  errno = 0;
  long n = strtol(text, &end, 10);
  check(end > text && *end == 0 && n >= least && n <= most, text);
  return n;
}

/* ---- the server's figures ---- */

static double read_clock(clockid_t clock) {
  struct timespec t;
  check(clock_gettime(clock, &t) == 0, "clock of the server");
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static clockid_t clock_of(pid_t pid) {
  clockid_t clock;
  errno = clock_getcpuclockid(pid, &clock);
  check(errno == 0, "clock of the server");
  return clock;
}

/* Return the resident bytes of the server. */
static double resident(pid_t pid) {
  char path[64];
  long all = 0, pages = 0;
  snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
  FILE *file = fopen(path, "r");
  check(file && fscanf(file, "%ld %ld", &all, &pages) == 2, path);
  fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* ---- connections ---- */

static int open_connection(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET};
  to.sin_port = htons((uint16_t)port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(fd >= 0, "socket");
  check(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
  return fd;
}

/* ---- echoes ---- */

typedef struct connection {
  int fd;
  unsigned turn; /* place in the pattern at which its request begins */
  size_t got;    /* bytes of the reply */
} connection;

typedef struct load {
  int port, epoll;
  pid_t pid;
  clockid_t clock;
  size_t size;
  long to_send, to_get; /* requests and replies that are left */
  connection *connections;
} load;

static char pattern[PATTERN + MOST_SIZE];

static void add_connection(load *l, int index) {
  connection *c = &l->connections[index];
  *c = (connection){.fd = open_connection(l->port),
                    .turn = (unsigned)index % PATTERN};
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};
  check(epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0, "epoll");
}

static void ask(load *l, connection *c) {
  if (l->to_send <= 0)
    return;
  l->to_send--;
  c->turn = (c->turn + 1) % PATTERN;
  c->got = 0;
  errno = 0;
  check(send(c->fd, pattern + c->turn, l->size, MSG_NOSIGNAL) ==
            (ssize_t)l->size,
        "send");
}

static void take_reply(load *l, connection *c) {
  static char reply[MOST_SIZE + 1];
  errno = 0;
  ssize_t count = recv(c->fd, reply, l->size - c->got + 1, 0);
  check(count > 0, "recv");
  check(c->got + (size_t)count <= l->size &&
            memcmp(reply, pattern + c->turn + c->got, (size_t)count) == 0,
        "the reply is the request");
  c->got += (size_t)count;
  if (c->got < l->size)
    return;
  l->to_get--;
  ask(l, c);
}

/* Send `requests` on connections `first` to `last`, and await all replies. */
static void exchange(load *l, int first, int last, long requests) {
  l->to_send = l->to_get = requests;
  for (int i = first; i <= last; i++)
    ask(l, &l->connections[i]);
  while (l->to_get > 0) {
    struct epoll_event events[BATCH];
    int count = epoll_wait(l->epoll, events, BATCH, -1);
    check(count > 0, "epoll_wait");
    for (int i = 0; i < count; i++)
      take_reply(l, events[i].data.ptr);
  }
}

static void measure(load *l, const char *name, int last, long requests) {
  exchange(l, 0, last, requests / 10 + 1);
  double wall = read_clock(CLOCK_MONOTONIC), cpu = read_clock(l->clock);
  exchange(l, 0, last, requests);
  cpu = read_clock(l->clock) - cpu;
  wall = read_clock(CLOCK_MONOTONIC) - wall;
  printf("%s %.4f us\n", name, cpu / (double)requests * 1e6);
  printf("%s_wall %.4f us\n", name, wall / (double)requests * 1e6);
}

/* Open connections `first` to `last`, and use each of them once. */
static void open_used(load *l, int first, int last) {
  for (; first <= last; first += BATCH) {
    int end = first + BATCH - 1 < last ? first + BATCH - 1 : last;
    for (int i = first; i <= end; i++)
      add_connection(l, i);
    exchange(l, first, end, end - first + 1);
  }
}

/* Let tcp.lua look at the server. */
static void pause_at(int count) {
  char line[80];
  printf("open %d\n", count);
  fflush(stdout);
  check(fgets(line, sizeof line, stdin) != NULL, "stdin");
}

static void echo(load *l, int count, long requests) {
  open_used(l, 0, count - 1);
  measure(l, "cpu", count - 1, requests);
}

static void idle(load *l, int count, long requests) {
  open_used(l, 0, 0);
  exchange(l, 0, 0, requests / 10 + 1);
  pause_at(1);
  double before = resident(l->pid);
  measure(l, "alone", 0, requests);
  open_used(l, 1, count - 1);
  pause_at(count);
  printf("rss %.0f B\n", (resident(l->pid) - before) / (count - 1));
  measure(l, "among", 0, requests);
}

static void run_load(char **argv) {
  int count = (int)number(argv[4], 1, 1000000);
  load l = {.port = (int)number(argv[2], 1, 65535),
            .pid = (pid_t)number(argv[3], 1, INT32_MAX),
            .size = (size_t)number(argv[5], 1, MOST_SIZE)};
  long requests = number(argv[6], 1, INT32_MAX);
  l.clock = clock_of(l.pid);
  l.epoll = epoll_create1(EPOLL_CLOEXEC);
  l.connections = calloc((size_t)count, sizeof *l.connections);
  check(l.epoll >= 0 && l.connections, "epoll");
  for (size_t i = 0; i < sizeof pattern; i++)
    pattern[i] = (char)(i % PATTERN);
  if (strcmp(argv[1], "idle") == 0)
    idle(&l, count, requests);
  else
    echo(&l, count, requests);
  for (int i = 0; i < count; i++)
    close(l.connections[i].fd);
}

/* ---- copies ---- */

/* Make a file in memory, of random bytes: sendfile(2) of it costs this side
 * little. */
static int make_piece(char *piece) {
  unsigned seed = 1;
  for (size_t i = 0; i < PIECE; i++) {
    seed = seed * 1103515245 + 12345;
    piece[i] = (char)(seed >> 16);
  }
  int file = memfd_create("piece", MFD_CLOEXEC);
  check(file >= 0 && write(file, piece, PIECE) == PIECE, "memfd");
  return file;
}

/* Send until the socket is full or `left` is 0; return the bytes sent. */
static long long send_some(int fd, int file, long long at, long long left) {
  long long sent = 0;
  while (sent < left) {
    off_t offset = (at + sent) % PIECE;
    long long size = PIECE - offset;
    if (size > left - sent)
      size = left - sent;
    ssize_t count = sendfile(fd, file, &offset, (size_t)size);
    if (count < 0 && errno == EAGAIN)
      break;
    check(count > 0, "sendfile");
    sent += count;
  }
  return sent;
}

/* Receive all that has come. One in 16 pieces is compared, the others are only
 * counted, for less work on this side. */
static long long get_some(int fd, const char *piece, long long at) {
  static char bytes[PIECE];
  long long got = 0;
  for (unsigned turn = 0;; turn++) {
    bool compares = turn % 16 == 0;
    size_t offset = (size_t)((at + got) % PIECE);
    size_t size = compares ? PIECE - offset : PIECE;
    ssize_t count = recv(fd, bytes, size, compares ? 0 : MSG_TRUNC);
    if (count < 0 && errno == EAGAIN)
      return got;
    errno = 0;
    check(count > 0, "recv");
    check(!compares || memcmp(bytes, piece + offset, (size_t)count) == 0,
          "the bytes are those sent");
    got += count;
  }
}

static void watch(int epoll, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.fd = fd}};
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll");
}

static void copy(char **argv) {
  static char piece[PIECE];
  int port = (int)number(argv[2], 1, 65535);
  clockid_t clock = clock_of((pid_t)number(argv[3], 1, INT32_MAX));
  long long all = number(argv[4], 1, 1000000) * (long long)MEGABYTE;
  int file = make_piece(piece), epoll = epoll_create1(EPOLL_CLOEXEC);
  int to = open_connection(port), from = open_connection(port);
  long long sent = 0, got = 0;
  watch(epoll, to, EPOLLOUT | EPOLLET);
  watch(epoll, from, EPOLLIN | EPOLLET);
  double cpu = read_clock(clock);
  while (got < all) {
    struct epoll_event events[2];
    check(epoll_wait(epoll, events, 2, -1) > 0, "epoll_wait");
    sent += send_some(to, file, sent, all - sent);
    got += get_some(from, piece, got);
  }
  cpu = read_clock(clock) - cpu;
  check(got == all, "no bytes beyond those sent");
  printf("copy %.4f ms\n", cpu / ((double)all / 1e9) * 1e3);
  close(to);
  close(from);
}

/* ---- a file ---- */

static void feed(char **argv) {
  int fd = open_connection((int)number(argv[2], 1, 65535));
  int file = open(argv[3], O_RDONLY | O_CLOEXEC);
  struct stat about;
  check(file >= 0 && fstat(file, &about) == 0, argv[3]);
  check(fcntl(fd, F_SETFL, 0) == 0, "fcntl");
  for (off_t at = 0; at < about.st_size;)
    check(sendfile(fd, file, &at, PIECE) > 0, "sendfile");
  close(fd);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (argc == 7 && (strcmp(what, "echo") == 0 || strcmp(what, "idle") == 0))
    run_load(argv);
  else if (argc == 5 && strcmp(what, "copy") == 0)
    copy(argv);
  else if (argc == 4 && strcmp(what, "feed") == 0)
    feed(argv);
  else
    return 2;
  return 0;
}
