--- zmq_auth.lua: the task of an authenticator with `handler` or `on_denied`
---
---     the thread ─► notices ─┬► a question: a task calls the handler, and
---                            │  answers
---                            └► a denial: a task calls on_denied
---
--- The task runs in the background of each run, and ends when the authenticator
--- is closed. A question whose task ends without an answer, as by a cancel, is
--- denied.
local aw, inner = ...

local raw = inner.zmq_raw

-- The thread denies after as many seconds; until then the handler may answer.
local PATIENCE <const> = 5

--- Return the text of an error of the user's function.
local function text_of(err)
  local ok, text = pcall(tostring, err)
  return ok and text or "(an error whose text cannot be made)"
end

--- Call a function of the user. Return true and its first result, or false and
--- the text of its error. A cancel is raised on.
local function attempt(f, ...)
  local ok, result = pcall(f, ...)
  if not ok and aw.is_cancelled(result) then
    error(result, 0)
  end
  return ok, ok and result or not ok and text_of(result) or nil
end

local function limited(handler, request)
  return aw.timeout(PATIENCE, handler, request)
end

--- Call the handler. Return whether it admits the peer, and the user id or why
--- not.
local function verdict(handler, request)
  local ok, result = attempt(limited, handler, request)
  if not ok then
    return false, "the handler failed: " .. result
  elseif result == true or type(result) == "string" then
    return true, result
  end
  return false, "the handler said no"
end

--- Call `on_denied`, if there is one. Its error is a warning.
local function deny(auth, request, why)
  if not auth.on_denied then
    return
  end
  local ok, fault = attempt(auth.on_denied, request, why)
  if not ok then
    raw.auth_failed(auth.where, "on_denied of a zmq authenticator failed: "
      .. fault)
  end
end

--- Answer a question, in a task of its own.
local function answer(_, auth, request, number)
  local asker = auth.asker
  local unanswered <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      raw.auth_answer(asker, number)
    end,
  })
  local admits, detail = verdict(auth.handler, request)
  local user_id = type(detail) == "string" and admits and detail or nil
  local in_time = raw.auth_answer(asker, number, admits, user_id)
  request.password = nil
  if in_time == nil then
    admits, detail = false, "the handler returned no user id"
    in_time = raw.auth_answer(asker, number, false)
  end
  if in_time and not admits then
    deny(auth, request, detail)
  end
end

--- Tell of a denial, in a task of its own.
local function tell(_, auth, request, why)
  deny(auth, request, why)
end

--- Start a task for each notice, until the authenticator is closed. Then the
--- handlers are cancelled, while calls of on_denied go on.
local function serve_notices(auth)
  aw.scope(function(denials)
    aw.scope(function(questions)
      while true do
        local request, what = raw.auth_next(auth.asker)
        if not request then
          questions:cancel()
          return
        elseif math.type(what) then
          questions:start(aw.Wire(answer, auth, request, what):named "handler")
        else
          denials:start(aw.Wire(tell, auth, request, what):named "on_denied")
        end
      end
    end)
  end)
end

--- Serve an authenticator in the background of each run.
---
--- `asker` receives the notices; `where` is the place of zmq.auth().
local function serve_auth(asker, handler, on_denied, where)
  local auth = { asker = asker, handler = handler, on_denied = on_denied,
    where = where }
  local work
  function work()
    serve_notices(auth)
    inner.no_background(work)
  end
  inner.background(work, "zmq.auth")
end

return { serve_auth = serve_auth }
