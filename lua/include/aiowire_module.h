/* aiowire_module.h - aiowire for C modules that Lua loads
 *
 * A C module is a shared library such as ticker.so, which `require "ticker"`
 * loads. It includes this header, which includes aiowire.h, aiowire_zmq.h and
 * aiowire_lua.h, and links no library of aiowire: it calls the copy that its
 * Lua state has opened, through a table of functions that this copy hands out.
 * So the same module works under a stock lua5.4 with aiowire.so, in the program
 * `aiowire`, and in a host that has opened libaiowire_lua.
 *
 *   #include <aiowire_module.h>
 *
 *   AW_MODULE_DEFINE
 *
 *   int luaopen_ticker(lua_State *L) {
 *     aw_module_load(L);
 *     ...
 *   }
 *
 *   cc -shared -fPIC ticker.c $(pkg-config --cflags aiowire-lua) -o ticker.so
 *
 * A module may have several source files. Each includes this header, before
 * aiowire.h if it includes that, too, and one of them has AW_MODULE_DEFINE.
 * Before aw_module_load() has returned, no function of aiowire may be called.
 *
 * The functions' names are macros here. They can be called and passed on, but
 * they are no constants: a static table cannot hold `aw_free`, and `&aw_free`
 * is not its address.
 *
 * For a module that is linked into a program together with libaiowire_lua,
 * define AW_MODULE_LINKED: then the names are the functions themselves, and the
 * same source works.
 */
#ifndef AIOWIRE_MODULE_H
#define AIOWIRE_MODULE_H

/* aw_guard() of C++ calls functions of aiowire: it must find the table. */
#if !defined(AW_MODULE_LINKED) && !defined(AIOWIRE_H)
#define AW_GUARD_BY_TABLE
#endif

#include "aiowire_lua.h"
#include "aiowire_zmq.h"

#ifndef __GNUC__
#error "aiowire_module.h needs __typeof__, as gcc and clang have it"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The number of incompatible changes of the table. */
#define AW_MODULE_ABI 0

/* The place of the table in Lua's registry, as a light userdata. */
#define AW_MODULE_KEY "aiowire.calls"

/* All functions but luaopen_*(), in the order of their places in the table. New
 * ones stand at the end. `./dev exports` writes this list and the macros. */
/* clang-format off */
#define AW_MODULE_CALLS(F) \
  F(aw_version) \
  F(aw_strerror) \
  F(aw_error_name) \
  F(aw_call) \
  F(aw_host_call) \
  F(aw_hold) \
  F(aw_then) \
  F(aw_sequence) \
  F(aw_repeat) \
  F(aw_sleep) \
  F(aw_sleep_until) \
  F(aw_whole) \
  F(aw_named) \
  F(aw_all) \
  F(aw_both) \
  F(aw_race) \
  F(aw_either) \
  F(aw_any) \
  F(aw_select) \
  F(aw_wire_is_event) \
  F(aw_or_else) \
  F(aw_timeout) \
  F(aw_shielded) \
  F(aw_bind) \
  F(aw_catch) \
  F(aw_finally) \
  F(aw_retry) \
  F(aw_every) \
  F(aw_when_done) \
  F(aw_wire_keep) \
  F(aw_wire_release) \
  F(aw_wire_bytes) \
  F(aw_wire_name) \
  F(aw_wire_data) \
  F(aw_wire_look) \
  F(aw_wire_part) \
  F(aw_engine_new) \
  F(aw_engine_free) \
  F(aw_engine_now) \
  F(aw_engine_virtual) \
  F(aw_engine_uv) \
  F(aw_engine_add_closer) \
  F(aw_engine_find_closer) \
  F(aw_engine_wakeable) \
  F(aw_engine_wake) \
  F(aw_engine_wake_at) \
  F(aw_engine_tick) \
  F(aw_engine_stats) \
  F(aw_loop_new) \
  F(aw_loop_free) \
  F(aw_loop_begin) \
  F(aw_loop_run) \
  F(aw_loop_stop) \
  F(aw_loop_follow) \
  F(aw_loop_pause) \
  F(aw_loop_close) \
  F(aw_loop_fail) \
  F(aw_loop_state_of) \
  F(aw_loop_error) \
  F(aw_loop_cut) \
  F(aw_loop_host) \
  F(aw_loop_engine) \
  F(aw_loop_scope) \
  F(aw_loop_grace) \
  F(aw_loop_timeout) \
  F(aw_loop_start) \
  F(aw_scope_start) \
  F(aw_task_keep) \
  F(aw_task_release) \
  F(aw_task_cancel) \
  F(aw_task_state_of) \
  F(aw_task_id) \
  F(aw_task_name) \
  F(aw_task_where) \
  F(aw_task_started) \
  F(aw_task_steps) \
  F(aw_task_background) \
  F(aw_task_loop) \
  F(aw_task_parent) \
  F(aw_task_whole) \
  F(aw_task_value) \
  F(aw_task_error) \
  F(aw_task_handler) \
  F(aw_task_set_handler) \
  F(aw_task_set_locals) \
  F(aw_task_locals) \
  F(aw_task_waited) \
  F(aw_task_mark_waited) \
  F(aw_task_watch) \
  F(aw_task_wire) \
  F(aw_task_innermost) \
  F(aw_task_chain) \
  F(aw_task_waiting) \
  F(aw_task_cancelled) \
  F(aw_task_overdue) \
  F(aw_task_cancelled_by) \
  F(aw_task_deadline) \
  F(aw_task_extend) \
  F(aw_scope_extend) \
  F(aw_task_held_error) \
  F(aw_task_hold_back) \
  F(aw_task_let_out) \
  F(aw_task_failed_late) \
  F(aw_next) \
  F(aw_step_done) \
  F(aw_step_next) \
  F(aw_step_fail) \
  F(aw_step_cancelled) \
  F(aw_step_killed) \
  F(aw_step_handled) \
  F(aw_step_again) \
  F(aw_step_itself) \
  F(aw_step_can_become) \
  F(aw_step_become) \
  F(aw_step_wants_value) \
  F(aw_step_wants_error) \
  F(aw_current) \
  F(aw_task_result) \
  F(aw_task_set_value) \
  F(aw_task_set_next) \
  F(aw_task_set_error) \
  F(aw_task_take_value) \
  F(aw_task_take_next) \
  F(aw_task_take_error) \
  F(aw_task_park) \
  F(aw_task_host_at) \
  F(aw_await_sleep) \
  F(aw_await_until) \
  F(aw_await_yield) \
  F(aw_begin_yield) \
  F(aw_await_idle) \
  F(aw_await_task) \
  F(aw_await_operation) \
  F(aw_begin_operation) \
  F(aw_await_ready) \
  F(aw_await_readable) \
  F(aw_await_writable) \
  F(aw_await_loop) \
  F(aw_await_wire) \
  F(aw_scope_open) \
  F(aw_scope_cancel) \
  F(aw_scope_leave) \
  F(aw_await_join) \
  F(aw_scope_close) \
  F(aw_wait_for) \
  F(aw_wait_complete) \
  F(aw_task_rivals) \
  F(aw_wait_interrupt) \
  F(aw_alarm_arm) \
  F(aw_alarm_disarm) \
  F(aw_when_ready) \
  F(aw_readable) \
  F(aw_writable) \
  F(aw_ready_operation) \
  F(aw_poller_forget) \
  F(aw_ready_arm) \
  F(aw_ready_disarm) \
  F(aw_ready_arm_kept) \
  F(aw_ready_done) \
  F(aw_channel_new) \
  F(aw_channel_keep) \
  F(aw_channel_release) \
  F(aw_channel_try_send) \
  F(aw_channel_try_recv) \
  F(aw_channel_receiver) \
  F(aw_channel_close) \
  F(aw_send) \
  F(aw_recv) \
  F(aw_await_send) \
  F(aw_await_recv) \
  F(aw_channel_send_waits) \
  F(aw_park_send) \
  F(aw_park_recv) \
  F(aw_channel_has_room) \
  F(aw_await_room) \
  F(aw_send_arm) \
  F(aw_send_disarm) \
  F(aw_recv_arm) \
  F(aw_recv_disarm) \
  F(aw_channel_describe) \
  F(aw_channel_look) \
  F(aw_channel_open_to) \
  F(aw_event_new) \
  F(aw_event_keep) \
  F(aw_event_release) \
  F(aw_event_set) \
  F(aw_event_clear) \
  F(aw_event_is_set) \
  F(aw_when_set) \
  F(aw_await_event) \
  F(aw_event_waiting) \
  F(aw_event_name) \
  F(aw_event_open_to) \
  F(aw_semaphore_new) \
  F(aw_semaphore_keep) \
  F(aw_semaphore_release) \
  F(aw_semaphore_try_acquire) \
  F(aw_semaphore_give_back) \
  F(aw_acquire) \
  F(aw_await_acquire) \
  F(aw_acquire_arm) \
  F(aw_acquire_disarm) \
  F(aw_semaphore_describe) \
  F(aw_semaphore_count) \
  F(aw_semaphore_waiting) \
  F(aw_semaphore_name) \
  F(aw_semaphore_open_to) \
  F(aw_rate_new) \
  F(aw_rate_keep) \
  F(aw_rate_release) \
  F(aw_rate_try_acquire) \
  F(aw_acquire_rate) \
  F(aw_await_rate) \
  F(aw_rate_look) \
  F(aw_error_new) \
  F(aw_error_keep) \
  F(aw_error_release) \
  F(aw_error_code) \
  F(aw_error_value) \
  F(aw_error_set_value) \
  F(aw_error_attempts) \
  F(aw_error_wire) \
  F(aw_error_cut) \
  F(aw_error_call) \
  F(aw_error_fd) \
  F(aw_error_set_about) \
  F(aw_error_subject) \
  F(aw_error_set_subject) \
  F(aw_error_suppress) \
  F(aw_error_suppressed) \
  F(aw_error_next_suppressed) \
  F(aw_task_take_cut) \
  F(aw_task_cut_outside) \
  F(aw_cut_set_value) \
  F(aw_cut_value) \
  F(aw_cut_text) \
  F(aw_cut_task) \
  F(aw_cut_own) \
  F(aw_cut_keep) \
  F(aw_cut_release) \
  F(aw_scope_walk) \
  F(aw_scope_task) \
  F(aw_scope_cancelled) \
  F(aw_scope_overdue) \
  F(aw_scope_shields) \
  F(aw_scope_label) \
  F(aw_set_allocator) \
  F(aw_reallocate) \
  F(aw_allocate) \
  F(aw_free) \
  F(aw_zmq_open) \
  F(aw_zmq_new) \
  F(aw_zmq_close) \
  F(aw_zmq_attend) \
  F(aw_zmq_touch) \
  F(aw_zmq_found_empty) \
  F(aw_zmq_fd) \
  F(aw_zmq_events) \
  F(aw_zmq_awaited) \
  F(aw_zmq_receiving) \
  F(aw_zmq_sending) \
  F(aw_zmq_arm) \
  F(aw_zmq_arm_receive) \
  F(aw_zmq_arm_send) \
  F(aw_zmq_arm_watch) \
  F(aw_zmq_disarm) \
  F(aw_zmq_operation) \
  F(aw_zmq_when_ready) \
  F(aw_zmq_forks) \
  F(aw_lua_main) \
  F(aw_lua_interrupt) \
  F(aw_lua_install_host) \
  F(aw_lua_engine) \
  F(aw_lua_task) \
  F(aw_lua_may_await) \
  F(aw_lua_at_once) \
  F(aw_lua_quick) \
  F(aw_lua_place) \
  F(aw_lua_await) \
  F(aw_lua_await_here) \
  F(aw_lua_begin) \
  F(aw_lua_box) \
  F(aw_lua_take_results) \
  F(aw_lua_take_results_here) \
  F(aw_lua_push_wire) \
  F(aw_lua_part) \
  F(aw_lua_to_wire) \
  F(aw_lua_weigh) \
  F(aw_lua_weigh_open) \
  F(aw_lua_weigh_closed) \
  F(aw_lua_hold) \
  F(aw_lua_let_go) \
  F(aw_lua_add_source) \
  F(aw_lua_find_source) \
  F(aw_lua_tell_fd) \
  F(aw_lua_push_owner) \
  F(aw_lua_where) \
  F(aw_lua_mistake) \
  F(aw_lua_signal_take) \
  F(aw_lua_signal_give_back) \
  F(aw_lua_signal_await) \
  F(aw_lua_signal_arrived) \
  F(aw_lua_push_function) \
  F(aw_lua_set_functions) \
  F(aw_lua_error) \
  F(aw_lua_arg_error) \
  F(aw_lua_type_error) \
  F(aw_lua_arg_check) \
  F(aw_lua_type_name) \
  F(aw_lua_check_any) \
  F(aw_lua_check_type) \
  F(aw_lua_check_integer) \
  F(aw_lua_check_string) \
  F(aw_lua_check_options) \
  F(aw_lua_unknown_option) \
  F(aw_lua_bad_option) \
  F(aw_lua_opt_flag) \
  F(aw_lua_nearest) \
  F(aw_lua_system_error) \
  F(aw_lua_push_system_error) \
  F(aw_task_engine) \
  F(aw_step_else) \
  F(aw_task_fail) \
  F(aw_ticket_new) \
  F(aw_ticket_complete) \
  F(aw_ticket_release) \
  F(aw_step_answer) \
  F(aw_engine_driven) \
  F(aw_engine_fd) \
  F(aw_engine_timeout) \
  F(aw_engine_turn) \
  F(aw_engine_close) \
  F(aw_with_slot) \
  F(aw_task_slot) \
  F(aw_task_came_back) \
  F(aw_engine_instrument) \
  F(aw_engine_config_of) \
  F(aw_engine_set_host) \
  F(aw_engine_end_loops) \
  F(aw_step_is_of) \
  F(aw_lua_config) \
  F(aw_lua_open) \
  F(aw_lua_step) \
  F(aw_lua_pull) \
  F(aw_lua_start) \
  F(aw_lua_start_file) \
  F(aw_lua_start_buffer) \
  F(aw_lua_loop) \
  F(aw_lua_close) \
  F(aw_lua_box_integer) \
  F(aw_lua_box_number) \
  F(aw_lua_box_boolean) \
  F(aw_lua_box_string) \
  F(aw_lua_give_results) \
  F(aw_loop_untold) \
  F(aw_lua_push_error) \
  F(aw_lua_box_release) \
  F(aw_lua_add_transfer) \
  F(aw_lua_find_transfer) \
  F(aw_lua_error_class) \
  F(aw_lua_set_error_class) \
  F(aw_lua_set_workers) \
  F(aw_lua_raise_with) \
  F(aw_lua_interrupts_open) \
  F(aw_lua_interrupts_send) \
  F(aw_lua_interrupts_clear) \
  F(aw_lua_interrupts_close) \
  F(aw_lua_print) \
  F(aw_forks) \
  F(aw_lua_session_open) \
  F(aw_lua_session_call) \
  F(aw_lua_session_wait) \
  F(aw_lua_session_push_loop) \
  F(aw_lua_session_close) \
  F(aw_lua_set_notice) \
  F(aw_lua_request_dump) \
  F(aw_lua_main_with) \
  F(aw_lua_opt_ns) \
  F(aw_task_tell) \
  F(aw_lua_instrument_add) \
  F(aw_lua_instrument_remove) \
  F(aw_lua_instrument_engine) \
  F(aw_task_swallowed) \
  F(aw_lua_steps) \
  F(aw_lua_end_trace) \
  F(aw_lua_pause_begins) \
  F(aw_lua_pause_ends) \
  F(aw_lua_stopped_by)
/* clang-format on */

#define AW_MODULE_MEMBER(name) __typeof__(name) *at_##name;

/* The table. Its first three members never change. */
typedef struct aw_module_calls {
  size_t size;         /* of this struct, where the library was compiled */
  unsigned abi;        /* AW_MODULE_ABI of the library */
  const char *version; /* of the library */
  AW_MODULE_CALLS(AW_MODULE_MEMBER)
} aw_module_calls;

/* The module's own pointer to the table; NULL before aw_module_load(). */
extern __attribute__((visibility("hidden")))
const aw_module_calls *aw_module_table;

#ifdef AW_MODULE_LINKED
#define AW_MODULE_DEFINE struct aw_module_calls;
#else
#define AW_MODULE_DEFINE const aw_module_calls *aw_module_table;
#endif

/* Return the table of the state's copy of the library, or NULL: private. */
static inline const aw_module_calls *aw_module_find(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, AW_MODULE_KEY);
  const aw_module_calls *calls = (const aw_module_calls *)lua_touserdata(L, -1);
  lua_pop(L, 1);
  return calls;
}

/* Require "aiowire", unless the state has opened it already, and get its table.
 *
 * Raises the error of `require`; an error if the copy of aiowire is too old for
 * this module, or incompatible with it; and an error if this process has
 * another copy, and another state has loaded this module with that one. Returns
 * 0. Call from: luaopen_*(), before anything else of aiowire.
 */
static inline int aw_module_load(lua_State *L) {
  const aw_module_calls *calls = aw_module_find(L);
  if (!calls) {
    lua_getglobal(L, "require");
    lua_pushliteral(L, "aiowire");
    lua_call(L, 1, 0);
    calls = aw_module_find(L);
  }
  if (!calls || (calls->abi == AW_MODULE_ABI && calls->size < sizeof *calls))
    return luaL_error(L,
                      "this C module needs aiowire %s or later: the loaded one "
                      "is %s",
                      AW_VERSION_STRING, calls ? calls->version : "older");
  if (calls->abi != AW_MODULE_ABI)
    return luaL_error(L,
                      "this C module was compiled for aiowire %s: compile it "
                      "again for aiowire %s",
                      AW_VERSION_STRING, calls->version);
#ifndef AW_MODULE_LINKED
  /* Several threads may load the module at the same time. */
  const aw_module_calls *known = NULL;
  if (!__atomic_compare_exchange_n(&aw_module_table, &known, calls, 0,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
      known != calls)
    return luaL_error(L, "this process has two copies of aiowire, and another "
                         "Lua state has loaded this C module with the other "
                         "one");
#endif
  return 0;
}

#ifdef __cplusplus
}
#endif

/* clang-format off */
#ifndef AW_MODULE_LINKED
#define aw_version (aw_module_table->at_aw_version)
#define aw_strerror (aw_module_table->at_aw_strerror)
#define aw_error_name (aw_module_table->at_aw_error_name)
#define aw_call (aw_module_table->at_aw_call)
#define aw_host_call (aw_module_table->at_aw_host_call)
#define aw_hold (aw_module_table->at_aw_hold)
#define aw_then (aw_module_table->at_aw_then)
#define aw_sequence (aw_module_table->at_aw_sequence)
#define aw_repeat (aw_module_table->at_aw_repeat)
#define aw_sleep (aw_module_table->at_aw_sleep)
#define aw_sleep_until (aw_module_table->at_aw_sleep_until)
#define aw_whole (aw_module_table->at_aw_whole)
#define aw_named (aw_module_table->at_aw_named)
#define aw_all (aw_module_table->at_aw_all)
#define aw_both (aw_module_table->at_aw_both)
#define aw_race (aw_module_table->at_aw_race)
#define aw_either (aw_module_table->at_aw_either)
#define aw_any (aw_module_table->at_aw_any)
#define aw_select (aw_module_table->at_aw_select)
#define aw_wire_is_event (aw_module_table->at_aw_wire_is_event)
#define aw_or_else (aw_module_table->at_aw_or_else)
#define aw_timeout (aw_module_table->at_aw_timeout)
#define aw_shielded (aw_module_table->at_aw_shielded)
#define aw_bind (aw_module_table->at_aw_bind)
#define aw_catch (aw_module_table->at_aw_catch)
#define aw_finally (aw_module_table->at_aw_finally)
#define aw_retry (aw_module_table->at_aw_retry)
#define aw_every (aw_module_table->at_aw_every)
#define aw_when_done (aw_module_table->at_aw_when_done)
#define aw_wire_keep (aw_module_table->at_aw_wire_keep)
#define aw_wire_release (aw_module_table->at_aw_wire_release)
#define aw_wire_bytes (aw_module_table->at_aw_wire_bytes)
#define aw_wire_name (aw_module_table->at_aw_wire_name)
#define aw_wire_data (aw_module_table->at_aw_wire_data)
#define aw_wire_look (aw_module_table->at_aw_wire_look)
#define aw_wire_part (aw_module_table->at_aw_wire_part)
#define aw_engine_new (aw_module_table->at_aw_engine_new)
#define aw_engine_free (aw_module_table->at_aw_engine_free)
#define aw_engine_now (aw_module_table->at_aw_engine_now)
#define aw_engine_virtual (aw_module_table->at_aw_engine_virtual)
#define aw_engine_uv (aw_module_table->at_aw_engine_uv)
#define aw_engine_add_closer (aw_module_table->at_aw_engine_add_closer)
#define aw_engine_find_closer (aw_module_table->at_aw_engine_find_closer)
#define aw_engine_wakeable (aw_module_table->at_aw_engine_wakeable)
#define aw_engine_wake (aw_module_table->at_aw_engine_wake)
#define aw_engine_wake_at (aw_module_table->at_aw_engine_wake_at)
#define aw_engine_tick (aw_module_table->at_aw_engine_tick)
#define aw_engine_stats (aw_module_table->at_aw_engine_stats)
#define aw_loop_new (aw_module_table->at_aw_loop_new)
#define aw_loop_free (aw_module_table->at_aw_loop_free)
#define aw_loop_begin (aw_module_table->at_aw_loop_begin)
#define aw_loop_run (aw_module_table->at_aw_loop_run)
#define aw_loop_stop (aw_module_table->at_aw_loop_stop)
#define aw_loop_follow (aw_module_table->at_aw_loop_follow)
#define aw_loop_pause (aw_module_table->at_aw_loop_pause)
#define aw_loop_close (aw_module_table->at_aw_loop_close)
#define aw_loop_fail (aw_module_table->at_aw_loop_fail)
#define aw_loop_state_of (aw_module_table->at_aw_loop_state_of)
#define aw_loop_error (aw_module_table->at_aw_loop_error)
#define aw_loop_cut (aw_module_table->at_aw_loop_cut)
#define aw_loop_host (aw_module_table->at_aw_loop_host)
#define aw_loop_engine (aw_module_table->at_aw_loop_engine)
#define aw_loop_scope (aw_module_table->at_aw_loop_scope)
#define aw_loop_grace (aw_module_table->at_aw_loop_grace)
#define aw_loop_timeout (aw_module_table->at_aw_loop_timeout)
#define aw_loop_start (aw_module_table->at_aw_loop_start)
#define aw_scope_start (aw_module_table->at_aw_scope_start)
#define aw_task_keep (aw_module_table->at_aw_task_keep)
#define aw_task_release (aw_module_table->at_aw_task_release)
#define aw_task_cancel (aw_module_table->at_aw_task_cancel)
#define aw_task_state_of (aw_module_table->at_aw_task_state_of)
#define aw_task_id (aw_module_table->at_aw_task_id)
#define aw_task_name (aw_module_table->at_aw_task_name)
#define aw_task_where (aw_module_table->at_aw_task_where)
#define aw_task_started (aw_module_table->at_aw_task_started)
#define aw_task_steps (aw_module_table->at_aw_task_steps)
#define aw_task_background (aw_module_table->at_aw_task_background)
#define aw_task_loop (aw_module_table->at_aw_task_loop)
#define aw_task_parent (aw_module_table->at_aw_task_parent)
#define aw_task_whole (aw_module_table->at_aw_task_whole)
#define aw_task_value (aw_module_table->at_aw_task_value)
#define aw_task_error (aw_module_table->at_aw_task_error)
#define aw_task_handler (aw_module_table->at_aw_task_handler)
#define aw_task_set_handler (aw_module_table->at_aw_task_set_handler)
#define aw_task_set_locals (aw_module_table->at_aw_task_set_locals)
#define aw_task_locals (aw_module_table->at_aw_task_locals)
#define aw_task_waited (aw_module_table->at_aw_task_waited)
#define aw_task_mark_waited (aw_module_table->at_aw_task_mark_waited)
#define aw_task_watch (aw_module_table->at_aw_task_watch)
#define aw_task_wire (aw_module_table->at_aw_task_wire)
#define aw_task_innermost (aw_module_table->at_aw_task_innermost)
#define aw_task_chain (aw_module_table->at_aw_task_chain)
#define aw_task_waiting (aw_module_table->at_aw_task_waiting)
#define aw_task_cancelled (aw_module_table->at_aw_task_cancelled)
#define aw_task_overdue (aw_module_table->at_aw_task_overdue)
#define aw_task_cancelled_by (aw_module_table->at_aw_task_cancelled_by)
#define aw_task_deadline (aw_module_table->at_aw_task_deadline)
#define aw_task_extend (aw_module_table->at_aw_task_extend)
#define aw_scope_extend (aw_module_table->at_aw_scope_extend)
#define aw_task_held_error (aw_module_table->at_aw_task_held_error)
#define aw_task_hold_back (aw_module_table->at_aw_task_hold_back)
#define aw_task_let_out (aw_module_table->at_aw_task_let_out)
#define aw_task_failed_late (aw_module_table->at_aw_task_failed_late)
#define aw_next (aw_module_table->at_aw_next)
#define aw_step_done (aw_module_table->at_aw_step_done)
#define aw_step_next (aw_module_table->at_aw_step_next)
#define aw_step_fail (aw_module_table->at_aw_step_fail)
#define aw_step_cancelled (aw_module_table->at_aw_step_cancelled)
#define aw_step_killed (aw_module_table->at_aw_step_killed)
#define aw_step_handled (aw_module_table->at_aw_step_handled)
#define aw_step_again (aw_module_table->at_aw_step_again)
#define aw_step_itself (aw_module_table->at_aw_step_itself)
#define aw_step_can_become (aw_module_table->at_aw_step_can_become)
#define aw_step_become (aw_module_table->at_aw_step_become)
#define aw_step_wants_value (aw_module_table->at_aw_step_wants_value)
#define aw_step_wants_error (aw_module_table->at_aw_step_wants_error)
#define aw_current (aw_module_table->at_aw_current)
#define aw_task_result (aw_module_table->at_aw_task_result)
#define aw_task_set_value (aw_module_table->at_aw_task_set_value)
#define aw_task_set_next (aw_module_table->at_aw_task_set_next)
#define aw_task_set_error (aw_module_table->at_aw_task_set_error)
#define aw_task_take_value (aw_module_table->at_aw_task_take_value)
#define aw_task_take_next (aw_module_table->at_aw_task_take_next)
#define aw_task_take_error (aw_module_table->at_aw_task_take_error)
#define aw_task_park (aw_module_table->at_aw_task_park)
#define aw_task_host_at (aw_module_table->at_aw_task_host_at)
#define aw_await_sleep (aw_module_table->at_aw_await_sleep)
#define aw_await_until (aw_module_table->at_aw_await_until)
#define aw_await_yield (aw_module_table->at_aw_await_yield)
#define aw_begin_yield (aw_module_table->at_aw_begin_yield)
#define aw_await_idle (aw_module_table->at_aw_await_idle)
#define aw_await_task (aw_module_table->at_aw_await_task)
#define aw_await_operation (aw_module_table->at_aw_await_operation)
#define aw_begin_operation (aw_module_table->at_aw_begin_operation)
#define aw_await_ready (aw_module_table->at_aw_await_ready)
#define aw_await_readable (aw_module_table->at_aw_await_readable)
#define aw_await_writable (aw_module_table->at_aw_await_writable)
#define aw_await_loop (aw_module_table->at_aw_await_loop)
#define aw_await_wire (aw_module_table->at_aw_await_wire)
#define aw_scope_open (aw_module_table->at_aw_scope_open)
#define aw_scope_cancel (aw_module_table->at_aw_scope_cancel)
#define aw_scope_leave (aw_module_table->at_aw_scope_leave)
#define aw_await_join (aw_module_table->at_aw_await_join)
#define aw_scope_close (aw_module_table->at_aw_scope_close)
#define aw_wait_for (aw_module_table->at_aw_wait_for)
#define aw_wait_complete (aw_module_table->at_aw_wait_complete)
#define aw_task_rivals (aw_module_table->at_aw_task_rivals)
#define aw_wait_interrupt (aw_module_table->at_aw_wait_interrupt)
#define aw_alarm_arm (aw_module_table->at_aw_alarm_arm)
#define aw_alarm_disarm (aw_module_table->at_aw_alarm_disarm)
#define aw_when_ready (aw_module_table->at_aw_when_ready)
#define aw_readable (aw_module_table->at_aw_readable)
#define aw_writable (aw_module_table->at_aw_writable)
#define aw_ready_operation (aw_module_table->at_aw_ready_operation)
#define aw_poller_forget (aw_module_table->at_aw_poller_forget)
#define aw_ready_arm (aw_module_table->at_aw_ready_arm)
#define aw_ready_disarm (aw_module_table->at_aw_ready_disarm)
#define aw_ready_arm_kept (aw_module_table->at_aw_ready_arm_kept)
#define aw_ready_done (aw_module_table->at_aw_ready_done)
#define aw_channel_new (aw_module_table->at_aw_channel_new)
#define aw_channel_keep (aw_module_table->at_aw_channel_keep)
#define aw_channel_release (aw_module_table->at_aw_channel_release)
#define aw_channel_try_send (aw_module_table->at_aw_channel_try_send)
#define aw_channel_try_recv (aw_module_table->at_aw_channel_try_recv)
#define aw_channel_receiver (aw_module_table->at_aw_channel_receiver)
#define aw_channel_close (aw_module_table->at_aw_channel_close)
#define aw_send (aw_module_table->at_aw_send)
#define aw_recv (aw_module_table->at_aw_recv)
#define aw_await_send (aw_module_table->at_aw_await_send)
#define aw_await_recv (aw_module_table->at_aw_await_recv)
#define aw_channel_send_waits (aw_module_table->at_aw_channel_send_waits)
#define aw_park_send (aw_module_table->at_aw_park_send)
#define aw_park_recv (aw_module_table->at_aw_park_recv)
#define aw_channel_has_room (aw_module_table->at_aw_channel_has_room)
#define aw_await_room (aw_module_table->at_aw_await_room)
#define aw_send_arm (aw_module_table->at_aw_send_arm)
#define aw_send_disarm (aw_module_table->at_aw_send_disarm)
#define aw_recv_arm (aw_module_table->at_aw_recv_arm)
#define aw_recv_disarm (aw_module_table->at_aw_recv_disarm)
#define aw_channel_describe (aw_module_table->at_aw_channel_describe)
#define aw_channel_look (aw_module_table->at_aw_channel_look)
#define aw_channel_open_to (aw_module_table->at_aw_channel_open_to)
#define aw_event_new (aw_module_table->at_aw_event_new)
#define aw_event_keep (aw_module_table->at_aw_event_keep)
#define aw_event_release (aw_module_table->at_aw_event_release)
#define aw_event_set (aw_module_table->at_aw_event_set)
#define aw_event_clear (aw_module_table->at_aw_event_clear)
#define aw_event_is_set (aw_module_table->at_aw_event_is_set)
#define aw_when_set (aw_module_table->at_aw_when_set)
#define aw_await_event (aw_module_table->at_aw_await_event)
#define aw_event_waiting (aw_module_table->at_aw_event_waiting)
#define aw_event_name (aw_module_table->at_aw_event_name)
#define aw_event_open_to (aw_module_table->at_aw_event_open_to)
#define aw_semaphore_new (aw_module_table->at_aw_semaphore_new)
#define aw_semaphore_keep (aw_module_table->at_aw_semaphore_keep)
#define aw_semaphore_release (aw_module_table->at_aw_semaphore_release)
#define aw_semaphore_try_acquire (aw_module_table->at_aw_semaphore_try_acquire)
#define aw_semaphore_give_back (aw_module_table->at_aw_semaphore_give_back)
#define aw_acquire (aw_module_table->at_aw_acquire)
#define aw_await_acquire (aw_module_table->at_aw_await_acquire)
#define aw_acquire_arm (aw_module_table->at_aw_acquire_arm)
#define aw_acquire_disarm (aw_module_table->at_aw_acquire_disarm)
#define aw_semaphore_describe (aw_module_table->at_aw_semaphore_describe)
#define aw_semaphore_count (aw_module_table->at_aw_semaphore_count)
#define aw_semaphore_waiting (aw_module_table->at_aw_semaphore_waiting)
#define aw_semaphore_name (aw_module_table->at_aw_semaphore_name)
#define aw_semaphore_open_to (aw_module_table->at_aw_semaphore_open_to)
#define aw_rate_new (aw_module_table->at_aw_rate_new)
#define aw_rate_keep (aw_module_table->at_aw_rate_keep)
#define aw_rate_release (aw_module_table->at_aw_rate_release)
#define aw_rate_try_acquire (aw_module_table->at_aw_rate_try_acquire)
#define aw_acquire_rate (aw_module_table->at_aw_acquire_rate)
#define aw_await_rate (aw_module_table->at_aw_await_rate)
#define aw_rate_look (aw_module_table->at_aw_rate_look)
#define aw_error_new (aw_module_table->at_aw_error_new)
#define aw_error_keep (aw_module_table->at_aw_error_keep)
#define aw_error_release (aw_module_table->at_aw_error_release)
#define aw_error_code (aw_module_table->at_aw_error_code)
#define aw_error_value (aw_module_table->at_aw_error_value)
#define aw_error_set_value (aw_module_table->at_aw_error_set_value)
#define aw_error_attempts (aw_module_table->at_aw_error_attempts)
#define aw_error_wire (aw_module_table->at_aw_error_wire)
#define aw_error_cut (aw_module_table->at_aw_error_cut)
#define aw_error_call (aw_module_table->at_aw_error_call)
#define aw_error_fd (aw_module_table->at_aw_error_fd)
#define aw_error_set_about (aw_module_table->at_aw_error_set_about)
#define aw_error_subject (aw_module_table->at_aw_error_subject)
#define aw_error_set_subject (aw_module_table->at_aw_error_set_subject)
#define aw_error_suppress (aw_module_table->at_aw_error_suppress)
#define aw_error_suppressed (aw_module_table->at_aw_error_suppressed)
#define aw_error_next_suppressed (aw_module_table->at_aw_error_next_suppressed)
#define aw_task_take_cut (aw_module_table->at_aw_task_take_cut)
#define aw_task_cut_outside (aw_module_table->at_aw_task_cut_outside)
#define aw_cut_set_value (aw_module_table->at_aw_cut_set_value)
#define aw_cut_value (aw_module_table->at_aw_cut_value)
#define aw_cut_text (aw_module_table->at_aw_cut_text)
#define aw_cut_task (aw_module_table->at_aw_cut_task)
#define aw_cut_own (aw_module_table->at_aw_cut_own)
#define aw_cut_keep (aw_module_table->at_aw_cut_keep)
#define aw_cut_release (aw_module_table->at_aw_cut_release)
#define aw_scope_walk (aw_module_table->at_aw_scope_walk)
#define aw_scope_task (aw_module_table->at_aw_scope_task)
#define aw_scope_cancelled (aw_module_table->at_aw_scope_cancelled)
#define aw_scope_overdue (aw_module_table->at_aw_scope_overdue)
#define aw_scope_shields (aw_module_table->at_aw_scope_shields)
#define aw_scope_label (aw_module_table->at_aw_scope_label)
#define aw_set_allocator (aw_module_table->at_aw_set_allocator)
#define aw_reallocate (aw_module_table->at_aw_reallocate)
#define aw_allocate (aw_module_table->at_aw_allocate)
#define aw_free (aw_module_table->at_aw_free)
#define aw_zmq_open (aw_module_table->at_aw_zmq_open)
#define aw_zmq_new (aw_module_table->at_aw_zmq_new)
#define aw_zmq_close (aw_module_table->at_aw_zmq_close)
#define aw_zmq_attend (aw_module_table->at_aw_zmq_attend)
#define aw_zmq_touch (aw_module_table->at_aw_zmq_touch)
#define aw_zmq_found_empty (aw_module_table->at_aw_zmq_found_empty)
#define aw_zmq_fd (aw_module_table->at_aw_zmq_fd)
#define aw_zmq_events (aw_module_table->at_aw_zmq_events)
#define aw_zmq_awaited (aw_module_table->at_aw_zmq_awaited)
#define aw_zmq_receiving (aw_module_table->at_aw_zmq_receiving)
#define aw_zmq_sending (aw_module_table->at_aw_zmq_sending)
#define aw_zmq_arm (aw_module_table->at_aw_zmq_arm)
#define aw_zmq_arm_receive (aw_module_table->at_aw_zmq_arm_receive)
#define aw_zmq_arm_send (aw_module_table->at_aw_zmq_arm_send)
#define aw_zmq_arm_watch (aw_module_table->at_aw_zmq_arm_watch)
#define aw_zmq_disarm (aw_module_table->at_aw_zmq_disarm)
#define aw_zmq_operation (aw_module_table->at_aw_zmq_operation)
#define aw_zmq_when_ready (aw_module_table->at_aw_zmq_when_ready)
#define aw_zmq_forks (aw_module_table->at_aw_zmq_forks)
#define aw_lua_main (aw_module_table->at_aw_lua_main)
#define aw_lua_interrupt (aw_module_table->at_aw_lua_interrupt)
#define aw_lua_install_host (aw_module_table->at_aw_lua_install_host)
#define aw_lua_engine (aw_module_table->at_aw_lua_engine)
#define aw_lua_task (aw_module_table->at_aw_lua_task)
#define aw_lua_may_await (aw_module_table->at_aw_lua_may_await)
#define aw_lua_at_once (aw_module_table->at_aw_lua_at_once)
#define aw_lua_quick (aw_module_table->at_aw_lua_quick)
#define aw_lua_place (aw_module_table->at_aw_lua_place)
#define aw_lua_await (aw_module_table->at_aw_lua_await)
#define aw_lua_await_here (aw_module_table->at_aw_lua_await_here)
#define aw_lua_begin (aw_module_table->at_aw_lua_begin)
#define aw_lua_box (aw_module_table->at_aw_lua_box)
#define aw_lua_take_results (aw_module_table->at_aw_lua_take_results)
#define aw_lua_take_results_here (aw_module_table->at_aw_lua_take_results_here)
#define aw_lua_push_wire (aw_module_table->at_aw_lua_push_wire)
#define aw_lua_part (aw_module_table->at_aw_lua_part)
#define aw_lua_to_wire (aw_module_table->at_aw_lua_to_wire)
#define aw_lua_weigh (aw_module_table->at_aw_lua_weigh)
#define aw_lua_weigh_open (aw_module_table->at_aw_lua_weigh_open)
#define aw_lua_weigh_closed (aw_module_table->at_aw_lua_weigh_closed)
#define aw_lua_hold (aw_module_table->at_aw_lua_hold)
#define aw_lua_let_go (aw_module_table->at_aw_lua_let_go)
#define aw_lua_add_source (aw_module_table->at_aw_lua_add_source)
#define aw_lua_find_source (aw_module_table->at_aw_lua_find_source)
#define aw_lua_tell_fd (aw_module_table->at_aw_lua_tell_fd)
#define aw_lua_push_owner (aw_module_table->at_aw_lua_push_owner)
#define aw_lua_where (aw_module_table->at_aw_lua_where)
#define aw_lua_mistake (aw_module_table->at_aw_lua_mistake)
#define aw_lua_signal_take (aw_module_table->at_aw_lua_signal_take)
#define aw_lua_signal_give_back (aw_module_table->at_aw_lua_signal_give_back)
#define aw_lua_signal_await (aw_module_table->at_aw_lua_signal_await)
#define aw_lua_signal_arrived (aw_module_table->at_aw_lua_signal_arrived)
#define aw_lua_push_function (aw_module_table->at_aw_lua_push_function)
#define aw_lua_set_functions (aw_module_table->at_aw_lua_set_functions)
#define aw_lua_error (aw_module_table->at_aw_lua_error)
#define aw_lua_arg_error (aw_module_table->at_aw_lua_arg_error)
#define aw_lua_type_error (aw_module_table->at_aw_lua_type_error)
#define aw_lua_arg_check (aw_module_table->at_aw_lua_arg_check)
#define aw_lua_type_name (aw_module_table->at_aw_lua_type_name)
#define aw_lua_check_any (aw_module_table->at_aw_lua_check_any)
#define aw_lua_check_type (aw_module_table->at_aw_lua_check_type)
#define aw_lua_check_integer (aw_module_table->at_aw_lua_check_integer)
#define aw_lua_check_string (aw_module_table->at_aw_lua_check_string)
#define aw_lua_check_options (aw_module_table->at_aw_lua_check_options)
#define aw_lua_unknown_option (aw_module_table->at_aw_lua_unknown_option)
#define aw_lua_bad_option (aw_module_table->at_aw_lua_bad_option)
#define aw_lua_opt_flag (aw_module_table->at_aw_lua_opt_flag)
#define aw_lua_nearest (aw_module_table->at_aw_lua_nearest)
#define aw_lua_system_error (aw_module_table->at_aw_lua_system_error)
#define aw_lua_push_system_error (aw_module_table->at_aw_lua_push_system_error)
#define aw_task_engine (aw_module_table->at_aw_task_engine)
#define aw_step_else (aw_module_table->at_aw_step_else)
#define aw_task_fail (aw_module_table->at_aw_task_fail)
#define aw_ticket_new (aw_module_table->at_aw_ticket_new)
#define aw_ticket_complete (aw_module_table->at_aw_ticket_complete)
#define aw_ticket_release (aw_module_table->at_aw_ticket_release)
#define aw_step_answer (aw_module_table->at_aw_step_answer)
#define aw_engine_driven (aw_module_table->at_aw_engine_driven)
#define aw_engine_fd (aw_module_table->at_aw_engine_fd)
#define aw_engine_timeout (aw_module_table->at_aw_engine_timeout)
#define aw_engine_turn (aw_module_table->at_aw_engine_turn)
#define aw_engine_close (aw_module_table->at_aw_engine_close)
#define aw_with_slot (aw_module_table->at_aw_with_slot)
#define aw_task_slot (aw_module_table->at_aw_task_slot)
#define aw_task_came_back (aw_module_table->at_aw_task_came_back)
#define aw_engine_instrument (aw_module_table->at_aw_engine_instrument)
#define aw_engine_config_of (aw_module_table->at_aw_engine_config_of)
#define aw_engine_set_host (aw_module_table->at_aw_engine_set_host)
#define aw_engine_end_loops (aw_module_table->at_aw_engine_end_loops)
#define aw_step_is_of (aw_module_table->at_aw_step_is_of)
#define aw_lua_config (aw_module_table->at_aw_lua_config)
#define aw_lua_open (aw_module_table->at_aw_lua_open)
#define aw_lua_step (aw_module_table->at_aw_lua_step)
#define aw_lua_pull (aw_module_table->at_aw_lua_pull)
#define aw_lua_start (aw_module_table->at_aw_lua_start)
#define aw_lua_start_file (aw_module_table->at_aw_lua_start_file)
#define aw_lua_start_buffer (aw_module_table->at_aw_lua_start_buffer)
#define aw_lua_loop (aw_module_table->at_aw_lua_loop)
#define aw_lua_close (aw_module_table->at_aw_lua_close)
#define aw_lua_box_integer (aw_module_table->at_aw_lua_box_integer)
#define aw_lua_box_number (aw_module_table->at_aw_lua_box_number)
#define aw_lua_box_boolean (aw_module_table->at_aw_lua_box_boolean)
#define aw_lua_box_string (aw_module_table->at_aw_lua_box_string)
#define aw_lua_give_results (aw_module_table->at_aw_lua_give_results)
#define aw_loop_untold (aw_module_table->at_aw_loop_untold)
#define aw_lua_push_error (aw_module_table->at_aw_lua_push_error)
#define aw_lua_box_release (aw_module_table->at_aw_lua_box_release)
#define aw_lua_add_transfer (aw_module_table->at_aw_lua_add_transfer)
#define aw_lua_find_transfer (aw_module_table->at_aw_lua_find_transfer)
#define aw_lua_error_class (aw_module_table->at_aw_lua_error_class)
#define aw_lua_set_error_class (aw_module_table->at_aw_lua_set_error_class)
#define aw_lua_set_workers (aw_module_table->at_aw_lua_set_workers)
#define aw_lua_raise_with (aw_module_table->at_aw_lua_raise_with)
#define aw_lua_interrupts_open (aw_module_table->at_aw_lua_interrupts_open)
#define aw_lua_interrupts_send (aw_module_table->at_aw_lua_interrupts_send)
#define aw_lua_interrupts_clear (aw_module_table->at_aw_lua_interrupts_clear)
#define aw_lua_interrupts_close (aw_module_table->at_aw_lua_interrupts_close)
#define aw_lua_print (aw_module_table->at_aw_lua_print)
#define aw_forks (aw_module_table->at_aw_forks)
#define aw_lua_session_open (aw_module_table->at_aw_lua_session_open)
#define aw_lua_session_call (aw_module_table->at_aw_lua_session_call)
#define aw_lua_session_wait (aw_module_table->at_aw_lua_session_wait)
#define aw_lua_session_push_loop (aw_module_table->at_aw_lua_session_push_loop)
#define aw_lua_session_close (aw_module_table->at_aw_lua_session_close)
#define aw_lua_set_notice (aw_module_table->at_aw_lua_set_notice)
#define aw_lua_request_dump (aw_module_table->at_aw_lua_request_dump)
#define aw_lua_main_with (aw_module_table->at_aw_lua_main_with)
#define aw_lua_opt_ns (aw_module_table->at_aw_lua_opt_ns)
#define aw_task_tell (aw_module_table->at_aw_task_tell)
#define aw_lua_instrument_add (aw_module_table->at_aw_lua_instrument_add)
#define aw_lua_instrument_remove (aw_module_table->at_aw_lua_instrument_remove)
#define aw_lua_instrument_engine (aw_module_table->at_aw_lua_instrument_engine)
#define aw_task_swallowed (aw_module_table->at_aw_task_swallowed)
#define aw_lua_steps (aw_module_table->at_aw_lua_steps)
#define aw_lua_end_trace (aw_module_table->at_aw_lua_end_trace)
#define aw_lua_pause_begins (aw_module_table->at_aw_lua_pause_begins)
#define aw_lua_pause_ends (aw_module_table->at_aw_lua_pause_ends)
#define aw_lua_stopped_by (aw_module_table->at_aw_lua_stopped_by)
#endif
/* clang-format on */

#if defined(AW_GUARD_BY_TABLE) && defined(__cplusplus) && \
    (defined(__cpp_exceptions) || defined(__EXCEPTIONS))
inline aw_turn aw_guard_failed(aw_task *task, int code, const char *subject) {
  aw_error *error = aw_error_new(aw_task_engine(task), code, 0);
  aw_error_set_subject(error, subject);
  aw_task_set_error(task, error);
  return AW_FAIL;
}
#endif

#endif
