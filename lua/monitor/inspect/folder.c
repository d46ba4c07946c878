/* folder.c - the folder and the socket of an inspected program [D42]
 *
 *     $XDG_RUNTIME_DIR/aiowire        if that variable has an absolute path
 *     /run/user/UID/aiowire           else, if /run/user/UID is the user's own
 *     /tmp/aiowire-UID                else
 *       └─ PID.sock
 *
 * The folder has the mode 0700 and the socket 0600. A folder that exists is
 * refused if it is a link, belongs to somebody else, or is open to others.
 * /tmp is open to all, so anybody may have made that folder first. The folder
 * is held open from the check on, and the file of the socket is looked up in
 * that folder again: so a folder that somebody exchanges in between is found.
 *
 * A program that was killed leaves its socket. The file PID.sock of a process
 * that ended belongs to nobody, unless another process with the same number
 * answers there, as in another container with the same folder. Each program
 * that begins to be inspected removes the files of processes that are no more.
 *
 * Neighbours: server.c serves the socket.
 */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "inspect/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700, SOCKET_MODE = 0600, BACKLOG = 16 };

typedef char folder_path[sizeof((struct sockaddr_un *)0)->sun_path];

static bool refuse_place(awm_fault *fault, int code, const char *path,
                         const char *why) {
  fault->code = code;
  snprintf(fault->about, sizeof fault->about, "%s%s", path, why);
  return false;
}

static bool fail_at(awm_fault *fault, const char *path) {
  return refuse_place(fault, -errno, path, "");
}

/* ---- the folder ---- */

static bool has_run_folder(void) {
  char path[64];
  struct stat is;
  snprintf(path, sizeof path, "/run/user/%lu", (unsigned long)geteuid());
  return stat(path, &is) == 0 && S_ISDIR(is.st_mode) && is.st_uid == geteuid();
}

/* Returns false if the path is too long. */
static bool name_folder(char *out, size_t size) {
  const char *base = getenv("XDG_RUNTIME_DIR");
  unsigned long user = (unsigned long)geteuid();
  int length;
  if (base && *base == '/')
    length = snprintf(out, size, "%s/aiowire", base);
  else if (has_run_folder())
    length = snprintf(out, size, "/run/user/%lu/aiowire", user);
  else
    length = snprintf(out, size, "/tmp/aiowire-%lu", user);
  return length > 0 && (size_t)length < size;
}

static bool check_folder(int fd, const char *path, awm_fault *fault) {
  struct stat is;
  if (fstat(fd, &is) < 0)
    return fail_at(fault, path);
  if (is.st_uid != geteuid())
    return refuse_place(fault, -EPERM, path, " belongs to another user");
  if (is.st_mode & 077)
    return refuse_place(fault, -EPERM, path,
                        " is open to other users: it needs the mode 0700");
  return true;
}

static bool is_link(const char *path) {
  struct stat is;
  return lstat(path, &is) == 0 && S_ISLNK(is.st_mode);
}

/* Returns a descriptor, or -1. */
static int open_folder(const char *path, awm_fault *fault) {
  if (mkdir(path, FOLDER_MODE) < 0 && errno != EEXIST) {
    fail_at(fault, path);
    return -1;
  }
  if (is_link(path)) {
    refuse_place(fault, -EPERM, path, " is a symbolic link");
    return -1;
  }
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    fail_at(fault, path);
  } else if (!check_folder(fd, path, fault)) {
    close(fd);
    fd = -1;
  }
  return fd;
}

/* ---- sockets ---- */

static const char *file_in(const char *path) {
  return strrchr(path, '/') + 1;
}

static bool fill_address(struct sockaddr_un *address, const char *path) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  size_t size = strlen(path) + 1;
  if (size > sizeof address->sun_path)
    return false;
  memcpy(address->sun_path, path, size);
  return true;
}

static int new_unix_socket(void) {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Does nobody listen there? */
static bool is_stale(const char *path) {
  struct sockaddr_un address;
  int fd = new_unix_socket();
  if (fd < 0)
    return false;
  bool stale = fill_address(&address, path) &&
               connect(fd, (struct sockaddr *)&address, sizeof address) < 0 &&
               errno == ECONNREFUSED;
  close(fd);
  return stale;
}

static bool bind_to(awm_place *place, awm_fault *fault) {
  struct sockaddr_un address;
  if (!fill_address(&address, place->path))
    return refuse_place(fault, -ENAMETOOLONG, place->path, "");
  for (int attempt = 0; attempt < 2; attempt++) {
    if (bind(place->socket, (struct sockaddr *)&address, sizeof address) == 0)
      return true;
    if (errno != EADDRINUSE || !is_stale(place->path))
      break;
    unlinkat(place->folder, file_in(place->path), 0);
    errno = EADDRINUSE;
  }
  return fail_at(fault, place->path);
}

/* The file must be in the folder that was checked. */
static bool find_file(awm_place *place, awm_fault *fault) {
  struct stat is;
  const char *name = file_in(place->path);
  if (fstatat(place->folder, name, &is, AT_SYMLINK_NOFOLLOW) < 0)
    return fail_at(fault, place->path);
  if (!S_ISSOCK(is.st_mode) || is.st_uid != geteuid())
    return refuse_place(fault, -EPERM, place->path, " was exchanged");
  place->device = is.st_dev;
  place->file = is.st_ino;
  if (fchmodat(place->folder, name, SOCKET_MODE, 0) < 0)
    return fail_at(fault, place->path);
  return true;
}

static bool listen_at(awm_place *place, awm_fault *fault) {
  place->socket = new_unix_socket();
  if (place->socket < 0)
    return fail_at(fault, place->path);
  if (!bind_to(place, fault))
    return false;
  if (!find_file(place, fault))
    return false;
  if (listen(place->socket, BACKLOG) < 0) {
    fail_at(fault, place->path);
    awm_place_remove(place);
    return false;
  }
  return true;
}

/* ---- what killed programs have left ---- */

/* The process of such a file; 0: it is another file. */
static pid_t process_of(const char *name) {
  char *end;
  long pid = strtol(name, &end, 10);
  return pid > 0 && strcmp(end, ".sock") == 0 ? (pid_t)pid : 0;
}

static void remove_stale(const awm_place *place, const char *folder,
                         const char *name) {
  char path[sizeof place->path];
  pid_t pid = process_of(name);
  if (pid == 0 || kill(pid, 0) == 0 || errno != ESRCH)
    return;
  int length = snprintf(path, sizeof path, "%s/%s", folder, name);
  if (length > 0 && (size_t)length < sizeof path && is_stale(path))
    unlinkat(place->folder, name, 0);
}

static void sweep(const awm_place *place, const char *folder) {
  int fd = openat(place->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = fd < 0 ? NULL : fdopendir(fd);
  if (!list) {
    if (fd >= 0)
      close(fd);
    return;
  }
  for (struct dirent *entry; (entry = readdir(list)) != NULL;)
    remove_stale(place, folder, entry->d_name);
  closedir(list);
}

/* ---- all of it ---- */

bool awm_place_open(awm_place *out, awm_fault *fault) {
  folder_path folder;
  *out = (awm_place){.folder = -1, .socket = -1};
  if (!name_folder(folder, sizeof folder))
    return refuse_place(fault, -ENAMETOOLONG, getenv("XDG_RUNTIME_DIR"),
                        "/aiowire");
  int length = snprintf(out->path, sizeof out->path, "%s/%ld.sock", folder,
                        (long)getpid());
  if (length < 0 || (size_t)length >= sizeof out->path)
    return refuse_place(fault, -ENAMETOOLONG, folder, "");
  out->folder = open_folder(folder, fault);
  if (out->folder < 0)
    return false;
  sweep(out, folder);
  if (listen_at(out, fault))
    return true;
  awm_place_close(out);
  return false;
}

void awm_place_remove(const awm_place *place) {
  struct stat is;
  const char *name = file_in(place->path);
  if (place->folder >= 0 &&
      fstatat(place->folder, name, &is, AT_SYMLINK_NOFOLLOW) == 0 &&
      is.st_dev == place->device && is.st_ino == place->file)
    unlinkat(place->folder, name, 0);
}

void awm_place_close(awm_place *place) {
  if (place->socket >= 0)
    close(place->socket);
  if (place->folder >= 0)
    close(place->folder);
  place->socket = place->folder = -1;
}
