/* settings.h - how the Lua states of workers are made: as their parent's was
 *
 * A worker finds the same modules as its parent, and its state obeys the same
 * rules. So package.path, package.cpath, the C functions of package.preload and
 * the table `arg` are read in the parent; a program that hosts Lua says by
 * aw_lua_set_workers() how it makes states.
 */
#ifndef AWIO_SETTINGS_H
#define AWIO_SETTINGS_H

#include <aiowire_lua.h>

#include <stdbool.h>

typedef struct awio_thread_settings awio_thread_settings;

/* Make what settings need to exist in the state of L. Raises. */
void awio_settings_prepare(lua_State *L);
/* Read the settings of the state of L. Gives; raises. */
awio_thread_settings *awio_settings_new(lua_State *L);
awio_thread_settings *awio_settings_keep(awio_thread_settings *settings);
void awio_settings_release(awio_thread_settings *settings); /* takes */

/* Raise an argument error unless the argument at `arg` can be what a thread
 * runs: a function, or the name of a file. */
void awio_settings_check_body(lua_State *L, int arg);
/* If it is the name of a file, replace it by the chunk of that file. The file
 * is read here, so what is wrong with it is an error of the caller. Raises. */
void awio_settings_load_body(lua_State *L, const awio_thread_settings *settings,
                             int arg);

/* Make a state, with the standard libraries and the library open; NULL: no
 * memory. `*memo` is for awio_settings_close_state(). Call from: any thread. */
lua_State *awio_settings_open_state(const awio_thread_settings *settings,
                                    void **memo);
void awio_settings_close_state(const awio_thread_settings *settings,
                               lua_State *L, void *memo);

#endif
