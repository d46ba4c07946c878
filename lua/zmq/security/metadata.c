/* metadata.c - see metadata.h */
#include "security/metadata.h"

#include <stdio.h>

static const struct {
  const char *field, *name; /* in Lua, in libzmq */
} properties[AWZ_PROPERTIES] = {{"user_id", "User-Id"},
                                {"address", "Peer-Address"},
                                {"socket_type", "Socket-Type"},
                                {"identity", "Identity"}};

/* The name that an authenticator gave the sender. If none was asked, the sender
 * may have put that name into its handshake itself. */
enum { USER_ID };

/* The last frame is the sender's own; a ROUTER has made the first. */
void awz_metadata_read(awz_metadata *out, const awz_message *message) {
  const awz_frame *last = &message->frames[message->count - 1];
  for (int i = 0; i < AWZ_PROPERTIES; i++) {
    bool hidden = i == USER_ID && message->socket->unasked;
    const char *text = hidden
                           ? NULL
                           : awz_raw_property(message->socket, &last->message,
                                              properties[i].name);
    snprintf(out->text[i], AWZ_PROPERTY_SIZE, "%s", text ? text : "");
  }
}

void awz_metadata_push(lua_State *L, const awz_metadata *metadata) {
  lua_createtable(L, 0, AWZ_PROPERTIES);
  for (int i = 0; i < AWZ_PROPERTIES; i++)
    if (*metadata->text[i]) {
      lua_pushstring(L, metadata->text[i]);
      lua_setfield(L, -2, properties[i].field);
    }
}

bool awz_wants_metadata(lua_State *L, int arg) {
  static const char *const known[] = {"meta", NULL};
  aw_lua_check_options(L, arg, known, false);
  return aw_lua_opt_flag(L, arg, "meta", false);
}
