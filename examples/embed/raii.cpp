/* raii.cpp - aiowire in C++17: owners, lambdas as steps, exceptions
 *
 *   c++ -std=c++17 raii.cpp $(pkg-config --cflags --libs aiowire) -o raii
 *   target_link_libraries(raii aiowire::aiowire)
 *
 * Shows the little layer that a C++ program puts around the library. Copy it.
 *
 *   Owners      `engine`, `loop` and `wire` release what they own. The library
 *               takes the operands of a wire, which is a move in C++: so the
 *               functions below take their wires by value, and call release().
 *   Lambdas     call(f) makes a step of a function object; the wire owns it.
 *   Exceptions  must not pass through the library, which is C. call() catches
 *               them at the border and makes them the error of the task, so
 *               retries, time-outs and races see them as any other error. If
 *               nothing handles the error, run() throws the exception again,
 *               with its type. A plain function whose text is enough needs no
 *               layer: aw_call(aw_guard<f>, data), see aiowire.h. run() throws
 *               that text as a std::runtime_error.
 *
 * The program asks three mirrors for the same file, and takes what comes first.
 */
#include <aiowire.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace aw {

/* ---- errors -------------------------------------------------------------- */

/* The codes of the library, as those of std::error_code. */
inline const std::error_category &category() {
  struct type final : std::error_category {
    const char *name() const noexcept override {
      return "aiowire";
    }
    std::string message(int code) const override {
      return aw_strerror(code);
    }
  };
  static const type it;
  return it;
}

inline void check(int code) {
  if (code == AW_ENOMEM)
    throw std::bad_alloc();
  if (code < 0)
    throw std::system_error(code, category());
}

/* An exception on its way through the engine: what an aw_value of this program
 * points to. The engine may keep a value twice, so it counts its owners. */
struct thrown {
  std::exception_ptr exception;
  unsigned owners = 1;
};

inline thrown *thrown_of(aw_value value) noexcept {
  return reinterpret_cast<thrown *>(value);
}

inline void drop(void *, aw_value value) noexcept {
  if (--thrown_of(value)->owners == 0)
    delete thrown_of(value);
}

inline aw_value keep(void *, aw_value value) noexcept {
  thrown_of(value)->owners++;
  return value;
}

/* Make an error of the exception that is being handled. */
inline aw_error *current_error(aw_engine *engine) noexcept {
  auto *value = new (std::nothrow) thrown{std::current_exception()};
  if (!value)
    return aw_error_new(engine, AW_ENOMEM, 0);
  return aw_error_new(engine, AW_EHOST, reinterpret_cast<aw_value>(value));
}

/* ---- owners -------------------------------------------------------------- */

class wire {
public:
  /* Takes. NULL: the library is out of memory. */
  explicit wire(aw_wire *raw) : raw_(raw) {
    if (!raw)
      throw std::bad_alloc();
  }
  aw_wire *release() &&noexcept {
    return raw_.release();
  }

private:
  struct releaser {
    void operator()(aw_wire *raw) const noexcept {
      aw_wire_release(raw);
    }
  };
  std::unique_ptr<aw_wire, releaser> raw_;
};

class engine {
public:
  engine() {
    aw_engine_config config = {};
    config.size = sizeof config;
    config.drop = drop;
    config.keep = keep;
    aw_engine *raw;
    check(aw_engine_new(&config, &raw));
    raw_.reset(raw);
  }
  aw_engine *get() const noexcept {
    return raw_.get();
  }

private:
  struct freer {
    void operator()(aw_engine *raw) const noexcept {
      aw_engine_free(raw); /* its loops are freed: see `loop` */
    }
  };
  std::unique_ptr<aw_engine, freer> raw_;
};

/* Declare it behind its engine, so that it is freed before the engine. */
class loop {
public:
  explicit loop(engine &owner) {
    aw_loop *raw;
    check(aw_loop_new(owner.get(), nullptr, &raw));
    raw_.reset(raw);
  }

  void start(wire work) {
    check(
        aw_loop_start(raw_.get(), std::move(work).release(), nullptr, nullptr));
  }

  /* Throws the exception that ended the run, or a system_error. */
  void run(std::chrono::nanoseconds timeout) {
    int code = aw_loop_run(raw_.get(), static_cast<uint64_t>(timeout.count()));
    aw_error *error = aw_loop_error(raw_.get());
    if (code == AW_EHOST && error && aw_error_value(error))
      std::rethrow_exception(thrown_of(aw_error_value(error))->exception);
    if (code == AW_EHOST && error && aw_error_subject(error)) /* aw_guard() */
      throw std::runtime_error(aw_error_subject(error));
    check(code);
  }

private:
  struct freer {
    void operator()(aw_loop *raw) const noexcept {
      aw_loop_free(raw);
    }
  };
  std::unique_ptr<aw_loop, freer> raw_;
};

/* ---- wires --------------------------------------------------------------- */

/* A step that calls `f()`. An exception is the error of the task. */
template <class F> wire call(F f) {
  auto owned = std::make_unique<F>(std::move(f));
  aw_step_fn border = [](aw_task *task, void *data) noexcept -> aw_turn {
    try {
      (*static_cast<F *>(data))();
      return AW_DONE;
    } catch (...) {
      aw_task_set_error(task, current_error(aw_task_engine(task)));
      return AW_FAIL;
    }
  };
  aw_wire *step = aw_call(border, owned.get());
  /* Takes both, also on failure. */
  return wire(aw_hold(step, owned.release(),
                      [](void *data) { delete static_cast<F *>(data); }));
}

inline wire sleep(std::chrono::nanoseconds time) {
  return wire(aw_sleep(static_cast<uint64_t>(time.count())));
}

inline wire timeout(wire work, std::chrono::nanoseconds time) {
  return wire(aw_timeout(std::move(work).release(),
                         static_cast<uint64_t>(time.count()), AW_DEFAULT));
}

inline wire operator>>(wire first, wire second) {
  return wire(aw_then(std::move(first).release(), std::move(second).release()));
}

/* The first of the wires that succeeds; the others are cancelled. */
template <class... Wires> wire any(Wires... wires) {
  aw_wire *raw[] = {std::move(wires).release()...};
  return wire(aw_any(raw, sizeof...(wires)));
}

} // namespace aw

/* ---- the program --------------------------------------------------------- */

using namespace std::chrono_literals;

/* Ask a mirror, which answers after `delay`. */
static aw::wire ask(std::string name, std::chrono::milliseconds delay, bool up,
                    std::shared_ptr<std::string> file) {
  return aw::sleep(delay) >> aw::call([=] {
           if (!up)
             throw std::runtime_error(name + " is down");
           *file = "the file, from " + name;
         });
}

static std::string fetch(bool up) {
  aw::engine engine;
  aw::loop loop(engine);
  auto file = std::make_shared<std::string>();
  loop.start(aw::timeout(aw::any(ask("oslo", 5ms, false, file),
                                 ask("bonn", 10ms, up, file),
                                 ask("rome", up ? 10min : 15ms, up, file)),
                         1s));
  loop.run(5s);
  return *file;
}

int main() {
  try {
    std::string file = fetch(true);
    std::printf("%s\n", file.c_str());
    if (file != "the file, from bonn")
      return 1;
    fetch(false);
  } catch (const std::runtime_error &error) { /* what the step threw */
    std::printf("no mirror: %s\n", error.what());
    return std::string(error.what()) == "rome is down" ? 0 : 1;
  } catch (const std::exception &error) {
    std::printf("unexpected: %s\n", error.what());
  }
  return 1;
}
