--- Commands of the shell.
local M = {}

--- Quote a word for sh.
function M.quote(word)
  return "'" .. word:gsub("'", [['\'']]) .. "'"
end

--- Return a list of words as a command for sh.
function M.join(words)
  local quoted = {}
  for i, word in ipairs(words) do
    quoted[i] = M.quote(tostring(word))
  end
  return table.concat(quoted, " ")
end

--- Return the output of `command`, or nil if the command fails.
function M.output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  return pipe:close() and text or nil
end

--- Return the first line of a command's output, or "none".
function M.first_line(command)
  local text = M.output(command .. " 2>/dev/null")
  return text and text:match "[^\n]+" or "none"
end

--- Return the content of a file, or nil if it cannot be read.
function M.read(path)
  local file <close> = io.open(path)
  return file and file:read "a"
end

function M.write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

return M
