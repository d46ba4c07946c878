/* settings.c - see settings.h
 *
 * A later value of an option replaces an earlier one, but for the filters, each
 * value of which adds to the list that libzmq has. Keys are among the values,
 * so their bytes are overwritten before they are freed.
 */
#include "socket/settings.h"

#include "base/wipe.h"

#include <string.h>

struct awz_setting {
  awz_setting *next; /* set later */
  int option;
  bool has_value;
  size_t size;
  char value[];
};

enum {
  TCP_ACCEPT_FILTER = 38,
  IPC_FILTER_PID = 58,
  IPC_FILTER_UID = 59,
  IPC_FILTER_GID = 60
};

static bool adds(int option) {
  return option == TCP_ACCEPT_FILTER || option == IPC_FILTER_PID ||
         option == IPC_FILTER_UID || option == IPC_FILTER_GID;
}

static void free_setting(awz_setting *setting) {
  awio_wipe(setting->value, setting->size);
  aw_free(setting);
}

static void free_settings(awz_setting *list) {
  while (list) {
    awz_setting *next = list->next;
    free_setting(list);
    list = next;
  }
}

int awz_setting_new(const awz_socket *s, int option, const void *value,
                    size_t size, awz_setting **out) {
  *out = NULL;
  if (s->type->number != AWZ_PUB || s->attached)
    return 0;
  awz_setting *setting = aw_allocate(sizeof *setting + size);
  if (!setting)
    return AW_ENOMEM;
  setting->option = option;
  setting->has_value = value != NULL;
  setting->size = size;
  if (value)
    memcpy(setting->value, value, size);
  *out = setting;
  return 0;
}

/* Remove an earlier value. Returns the end of the list. */
static awz_setting **replace(awz_socket *s, int option) {
  awz_setting **place = &s->settings;
  while (*place) {
    awz_setting *setting = *place;
    if (setting->option != option || adds(option)) {
      place = &setting->next;
    } else {
      *place = setting->next;
      free_setting(setting);
    }
  }
  return place;
}

void awz_setting_keep(awz_socket *s, awz_setting *setting, bool is_set) {
  if (setting && is_set)
    *replace(s, setting->option) = setting;
  else if (setting)
    free_setting(setting);
}

int awz_settings_repeat(awz_socket *s) {
  awz_setting *list = s->settings;
  int rc = 0;
  s->settings = NULL; /* each call makes a new copy */
  for (const awz_setting *one = list; one && rc == 0; one = one->next)
    rc = awz_raw_set(s, one->option, one->has_value ? one->value : NULL,
                     one->size);
  if (rc < 0) {
    awz_settings_forget(s);
    s->settings = list;
    return rc;
  }
  free_settings(list);
  return 0;
}

void awz_settings_forget(awz_socket *s) {
  free_settings(s->settings);
  s->settings = NULL;
}
