/* measure.c - runs a program once and prints what it cost
 *
 *   measure [OPTION…] PROGRAM…
 *       runs PROGRAM to its end
 *   measure --tcp|--ipc [OPTION…] SERVER… --load LOAD…
 *       starts SERVER, waits until it serves, runs LOAD to its end, ends SERVER
 *       by SIGTERM; the cost is the server's, the wall time that of the load
 *   measure --tcp|--ipc [OPTION…] PROGRAM… --beside HELPER…
 *       starts both and runs PROGRAM to its end, then ends HELPER by SIGTERM;
 *       the cost is the program's
 *   measure --tcp [OPTION…] PROGRAM… --facing SERVER…
 *       starts SERVER, waits until it serves, and runs PROGRAM to its end, then
 *       ends SERVER by SIGTERM; the cost is the program's
 *
 *   --times=COUNT     run PROGRAM so often; prints the cost of one run
 *   --limit=SECONDS   kill everything after so long (default 60)
 *   --pin             first command on one processor, second on another
 *
 * With --tcp, the words ADDRESS in both commands become a free port of
 * 127.0.0.1; with --ipc, an unused ipc://PATH.
 *
 * Prints the lines "wall SECONDS", "user SECONDS", "system SECONDS" and "peak
 * BYTES" (resident; the most of its life), after what LOAD prints itself. The
 * standard output of other commands is dropped. The exit status is 1 if a
 * command fails.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS = 65536, LIMIT_SECONDS = 60, TRY_NS = 1000000 };

typedef struct cost {
  double wall, user, system, peak;
} cost;

typedef struct options {
  char **first, **second; /* the commands; the second may be NULL */
  bool second_leads;      /* the second command's end ends the first one */
  bool second_serves;     /* the second command starts first */
  bool tcp, ipc, pin;
  int times;
  unsigned limit;
} options;

/* The commands that run, for the signal handler. */
static volatile sig_atomic_t running[2];

static char address[64];
static char folder[] = "/tmp/aiowire-bench-XXXXXX";

static const char *ipc_path(void) {
  return address + strlen("ipc://");
}

static void remove_path(void) {
  if (strncmp(address, "ipc://", 6) != 0)
    return;
  unlink(ipc_path());
  rmdir(folder);
}

static void fail(const char *what, const char *why) {
  remove_path();
  for (int i = 0; i < 2; i++)
    if (running[i] > 0)
      kill(running[i], SIGKILL);
  fprintf(stderr, "measure: %s: %s\n", what, why);
  exit(1);
}

static void check(bool good, const char *what) {
  if (!good)
    fail(what, strerror(errno));
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_shortly(void) {
  nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
}

/* ---- addresses ---- */

static struct sockaddr_in local_port(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void choose_port(void) {
  struct sockaddr_in at = local_port(0);
  socklen_t size = sizeof at;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  check(fd >= 0 && bind(fd, (struct sockaddr *)&at, size) == 0, "bind");
  check(getsockname(fd, (struct sockaddr *)&at, &size) == 0, "getsockname");
  close(fd);
  snprintf(address, sizeof address, "%d", ntohs(at.sin_port));
}

static void choose_path(void) {
  check(mkdtemp(folder) != NULL, folder);
  snprintf(address, sizeof address, "ipc://%s/socket", folder);
}

static int try_tcp(void) {
  struct sockaddr_in to = local_port(atoi(address));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int failed = connect(fd, (struct sockaddr *)&to, sizeof to);
  close(fd);
  return failed;
}

static int try_ipc(void) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  snprintf(to.sun_path, sizeof to.sun_path, "%s", ipc_path());
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int failed = connect(fd, (struct sockaddr *)&to, sizeof to);
  close(fd);
  return failed;
}

/* ---- commands ---- */

static void allow_descriptors(void) {
  struct rlimit most;
  if (getrlimit(RLIMIT_NOFILE, &most) != 0 || most.rlim_cur >= DESCRIPTORS)
    return;
  most.rlim_cur = most.rlim_max < DESCRIPTORS ? most.rlim_max : DESCRIPTORS;
  setrlimit(RLIMIT_NOFILE, &most);
}

/* Keep to one of the processors, the last for command 0, so that the kernel's
 * work on the first one disturbs the load instead. */
static void pin_to(int index) {
  cpu_set_t all, one;
  CPU_ZERO(&one);
  if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2)
    return;
  size_t chosen = 0;
  for (size_t i = 0; i < CPU_SETSIZE; i++) {
    if (!CPU_ISSET(i, &all))
      continue;
    chosen = i;
    if (index == 1)
      break;
  }
  CPU_SET(chosen, &one);
  sched_setaffinity(0, sizeof one, &one);
}

/* Do what a leading `env VARIABLE=VALUE…` asks for, and return the rest of the
 * command: the cost of the program env would count as the command's. */
static char **set_environment(char **command) {
  if (strcmp(command[0], "env") != 0)
    return command;
  while (*++command && strchr(*command, '='))
    putenv(*command);
  return command;
}

/* Start command 0 or 1. */
static pid_t start(const options *o, int index) {
  char **command = index == 0 ? o->first : o->second;
  fflush(stdout);
  pid_t pid = fork();
  check(pid >= 0, "fork");
  if (pid > 0) {
    running[index] = pid;
    return pid;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  allow_descriptors();
  if (o->pin)
    pin_to(index);
  if (!freopen("/dev/null", "r", stdin))
    _exit(127);
  if (!(index == 1 && o->second_leads) && !freopen("/dev/null", "w", stdout))
    _exit(127);
  command = set_environment(command);
  execvp(command[0], command);
  fprintf(stderr, "measure: %s: %s\n", command[0], strerror(errno));
  _exit(127);
}

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Wait for the end of command `index`; add its cost to `sum`. Returns its
 * status. */
static int finish(int index, cost *sum) {
  int status;
  struct rusage used;
  while (wait4(running[index], &status, 0, &used) < 0)
    check(errno == EINTR, "wait4");
  running[index] = 0;
  sum->user += seconds(used.ru_utime);
  sum->system += seconds(used.ru_stime);
  double peak = (double)used.ru_maxrss * 1024;
  sum->peak = peak > sum->peak ? peak : sum->peak;
  return status;
}

static void need_success(int status, char **command) {
  if (WIFSIGNALED(status))
    fail(command[0], strsignal(WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0)
    fail(command[0], "exit status is not 0");
}

/* Does a command still run? Its cost is still to be taken. */
static bool runs(int index) {
  siginfo_t ended = {0};
  waitid(P_PID, (id_t)running[index], &ended, WEXITED | WNOHANG | WNOWAIT);
  return ended.si_pid == 0;
}

/* Returns whether a command serves; otherwise it has ended. */
static bool wait_until_it_serves(const options *o, int index) {
  while ((o->tcp ? try_tcp() : try_ipc()) != 0) {
    if (!runs(index))
      return false;
    pause_shortly();
  }
  return true;
}

/* ---- what is measured ---- */

static void run_alone(const options *o, cost *sum) {
  for (int i = 0; i < o->times; i++) {
    double began = now();
    start(o, 0);
    need_success(finish(0, sum), o->first);
    sum->wall += now() - began;
  }
  sum->wall /= o->times;
  sum->user /= o->times;
  sum->system /= o->times;
}

static void run_server(const options *o, cost *sum) {
  cost unused = {0};
  start(o, 0);
  if (!wait_until_it_serves(o, 0))
    fail(o->first[0], "the server ended before it served");
  double began = now();
  start(o, 1);
  need_success(finish(1, &unused), o->second);
  sum->wall = now() - began;
  if (!runs(0))
    fail(o->first[0], "the server ended by itself");
  kill(running[0], SIGTERM);
  finish(0, sum);
}

/* A helper of ZeroMQ that connects too early would lose 0.1 s until it tries
 * again. One of TCP tries again by itself: to look whether the program serves
 * would take the place of its connection. */
static void run_beside(const options *o, cost *sum) {
  cost unused = {0};
  start(o, 0);
  if (o->ipc)
    wait_until_it_serves(o, 0);
  double began = now();
  start(o, 1);
  need_success(finish(0, sum), o->first);
  sum->wall = now() - began;
  kill(running[1], SIGTERM);
  finish(1, &unused);
}

static void run_facing(const options *o, cost *sum) {
  cost unused = {0};
  start(o, 1);
  if (!wait_until_it_serves(o, 1))
    fail(o->second[0], "the server ended before it served");
  double began = now();
  start(o, 0);
  need_success(finish(0, sum), o->first);
  sum->wall = now() - began;
  kill(running[1], SIGTERM);
  finish(1, &unused);
}

/* ---- options ---- */

static void usage(void) {
  fputs("usage: measure [--times=COUNT] [--limit=SECONDS] [--pin] PROGRAM…\n"
        "       measure --tcp|--ipc [--limit=SECONDS] [--pin] SERVER… "
        "--load LOAD…\n"
        "       measure --tcp|--ipc [--limit=SECONDS] [--pin] PROGRAM… "
        "--beside HELPER…\n"
        "       measure --tcp [--limit=SECONDS] [--pin] PROGRAM… "
        "--facing SERVER…\n",
        stderr);
  exit(2);
}

static void parse_option(options *o, const char *word) {
  if (strcmp(word, "--tcp") == 0)
    o->tcp = true;
  else if (strcmp(word, "--ipc") == 0)
    o->ipc = true;
  else if (strcmp(word, "--pin") == 0)
    o->pin = true;
  else if (sscanf(word, "--times=%d", &o->times) != 1 &&
           sscanf(word, "--limit=%u", &o->limit) != 1)
    usage();
}

static options parse(char **words) {
  options o = {.times = 1, .limit = LIMIT_SECONDS};
  for (; *words && strncmp(*words, "--", 2) == 0; words++)
    parse_option(&o, *words);
  o.first = words;
  for (; *words; words++) {
    bool loads = strcmp(*words, "--load") == 0;
    bool serves = strcmp(*words, "--facing") == 0;
    if (!loads && !serves && strcmp(*words, "--beside") != 0)
      continue;
    *words = NULL;
    o.second = words + 1;
    o.second_leads = loads;
    o.second_serves = serves;
    break;
  }
  bool has_address = o.tcp != o.ipc;
  if (!o.first[0] || o.times < 1 ||
      (o.second && (!o.second[0] || !has_address)))
    usage();
  return o;
}

static void put_address(char **command) {
  for (char **word = command; word && *word; word++)
    if (strcmp(*word, "ADDRESS") == 0)
      *word = address;
}

static void limit_reached(int number) {
  (void)number;
  static const char text[] = "measure: the time limit was reached\n";
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
  for (int i = 0; i < 2; i++)
    if (running[i] > 0)
      kill(running[i], SIGKILL);
}

int main(int argc, char **argv) {
  (void)argc;
  options o = parse(argv + 1);
  if (o.tcp)
    choose_port();
  else if (o.ipc)
    choose_path();
  put_address(o.first);
  put_address(o.second);
  signal(SIGALRM, limit_reached);
  alarm(o.limit);

  cost sum = {0};
  if (!o.second)
    run_alone(&o, &sum);
  else if (o.second_leads)
    run_server(&o, &sum);
  else if (o.second_serves)
    run_facing(&o, &sum);
  else
    run_beside(&o, &sum);
  remove_path();
  printf("wall %.9f\nuser %.6f\nsystem %.6f\npeak %.0f\n", sum.wall, sum.user,
         sum.system, sum.peak);
  return 0;
}
