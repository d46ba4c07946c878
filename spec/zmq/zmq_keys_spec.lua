-- Keys of CURVE: making them, their files, and setting them on sockets.

local folders = require "spec.support.folder"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local zmq = sockets.zmq
local blames_file, says = places.blames_file, places.says

local PUBLIC <const> = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
local SECRET <const> = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
local OTHER <const> = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

--- As sockets.fact(), and `f` gets a new folder. Needs libzmq with CURVE.
local function fact(f)
  return sockets.fact(function()
    if not zmq.has "curve" then
      helper.pending "libzmq has no CURVE"
    end
    local folder <close> = folders.new()
    f(folder)
  end)
end

describe("a pair of keys", function()
  it("is made anew each time, and is a pair [M7]", fact(function()
    local public, secret = zmq.curve_keypair()
    assert.are.equal(40, #public)
    assert.are.equal(40, #secret)
    assert.are.equal(public, zmq.curve_public(secret))
    assert.are_not.equal(secret, (select(2, zmq.curve_keypair())))
  end))

  it("has the public key that belongs to the secret [M7]", fact(function()
    assert.are.equal("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
      zmq.curve_public "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")
  end))

  it("is not shown by the error for a bad one [M8]", fact(function()
    for _, bad in ipairs { "", SECRET:sub(2), SECRET .. "x",
      SECRET:sub(1, 39) .. "~", ("#"):rep(40), SECRET:sub(1, 39) .. "\0" } do
      says("bad argument #1 to 'curve_public' (a secret key of 40 characters "
        .. "of Z85 expected)", function()
        zmq.curve_public(bad)
      end)
      says("bad argument #3 to 'save_keys' (a secret key of 40 characters "
        .. "of Z85 expected)", function()
        zmq.save_keys("unused", PUBLIC, bad)
      end)
    end
  end))
end)

describe("a key file", function()
  it("has the keys that were saved, and mode 0600 [M7]", fact(function(folder)
    local public, secret = zmq.curve_keypair()
    local path = folder:file "keys"
    zmq.save_keys(path, public, secret)
    assert.are.same({ public, secret }, { zmq.load_keys(path) })
    assert.are.equal("600\n", folder:shell "stat -c %a keys")
    zmq.save_keys(path, public)
    assert.are.same({ n = 2, public }, table.pack(zmq.load_keys(path)))
    assert.are.equal("600 1 keys\n", folder:shell
      "echo $(stat -c '%a %h' keys) $(ls)")
  end))

  it("is not saved with keys that are no pair [M7]", fact(function(folder)
    says("bad argument #3 to 'save_keys' (it is not the secret key of that "
      .. "public key)", function()
      zmq.save_keys(folder:file "keys", OTHER, SECRET)
    end)
    says("bad argument #2 to 'save_keys' (a public key of 40 characters of Z85 "
      .. "expected)", function()
      zmq.save_keys(folder:file "keys", "x")
    end)
    says("bad argument #1 to 'save_keys' (the path of a file expected)",
      function()
        zmq.save_keys("a\0b", OTHER)
      end)
    assert.are.equal("", folder:shell "ls -A")
  end))

  it("stays as it was when a save fails [M7]", fact(function(folder)
    local path = folder:file "keys"
    zmq.save_keys(path, PUBLIC)
    folder:shell "mkdir folder; touch folder/x"
    for _, bad in ipairs { "folder", "absent/keys", "keys/below",
      ("x"):rep(300) } do
      local err = helper.caught(function()
        zmq.save_keys(folder:file(bad), OTHER)
      end)
      assert.are.equal("save", err.call)
      assert.are.equal(folder:file(bad), err.about)
    end
    assert.are.equal(PUBLIC, (zmq.load_keys(path)))
    assert.are.equal("folder\nkeys\n", folder:shell "ls -A")
  end))

  it("stays as it was when the disk is full [M7]", function()
    sockets.needed()
    local outcome = process.run([[$aiowire one.lua && cp keys before &&
      (trap "" XFSZ; ulimit -f 0; exec $aiowire two.lua) &&
      cmp keys before && ls]], { ["one.lua"] = [[
      local zmq = require "aiowire.zmq"
      zmq.save_keys("keys", zmq.curve_keypair())
    ]], ["two.lua"] = [[
      local zmq = require "aiowire.zmq"
      local ok, err = pcall(zmq.save_keys, "keys", (zmq.curve_keypair()))
      assert(not ok and err.code == "EFBIG", err)
    ]] })
    assert.are.equal("before\nkeys\none.lua\ntwo.lua\n",
      outcome.out .. outcome.err)
  end)

  it("replaces a symbolic link, and follows none [M7]", fact(function(folder)
    folder:shell "echo untouched >target; ln -s target keys"
    zmq.save_keys(folder:file "keys", PUBLIC)
    assert.are.equal("untouched\n", folder:shell "cat target")
    assert.are.equal("regular file\n", folder:shell "stat -c %F keys")
  end))

  it("without a public key gets it from the secret [M7]", fact(function(folder)
    local public, secret = zmq.curve_keypair()
    local path = folder:file("keys", 'curve\n    secret-key = "' .. secret
      .. '"')
    folder:shell "chmod 600 keys"
    assert.are.same({ public, secret }, { zmq.load_keys(path) })
  end))

  it("may have comments, sections and other quotes [M7]", fact(function(folder)
    local path = folder:file("keys", ([[
# a comment
    # another one

metadata # with one behind it
    name = "a "b" # c"
    public-key = nonsense
    curve
        public-key = nonsense
curve
    other = 5
    public-key = '%s'  # as this
    public-key = "%s"
other
    secret-key = nonsense
]]):format(PUBLIC, OTHER):gsub("\n", "\r\n"), nil)
    assert.are.same({ n = 2, PUBLIC }, table.pack(zmq.load_keys(path)))
  end))

  it("with a mistake names its line and shows nothing [M8]",
    fact(function(folder)
      local key = "    public-key = \"" .. PUBLIC .. "\"\n"
      local key_fault = "a key is 40 characters of Z85, in quotes"
      for text, why in pairs {
        [""] = ": it has no key in a section 'curve'",
        ["metadata\n" .. key] = ": it has no key in a section 'curve'",
        [key] = ": it has no key in a section 'curve'",
        ["curve\n  public-key = \"x\""] =
          ", line 2: each level is indented by four spaces",
        ["curve\n\tpublic-key = \"x\""] =
          ", line 2: each level is indented by four spaces",
        ["curve\n    public-key = \"" .. PUBLIC] = ", line 2: " .. key_fault,
        ["#\ncurve\n    public-key"] = ", line 3: " .. key_fault,
        ["curve\n    secret-key ="] = ", line 2: " .. key_fault,
        ["curve\n    secret-key = 5 5"] = ", line 2: " .. key_fault,
        ["curve\n" .. key .. "    secret-key = \"" .. ("#"):rep(40) .. "\""] =
          ", line 3: " .. key_fault,
        ["curve\n" .. key .. "    secret-key = \"" .. SECRET .. "x\""] =
          ", line 3: " .. key_fault,
        ["curve\n    public-key = \"" .. OTHER .. "\"\n    secret-key = \""
          .. SECRET .. "\""] =
          ": its public key and its secret key are no pair",
        ["\0"] = ": it is no text",
      } do
        local path = folder:file("keys", text)
        says(("bad key file '%s'%s"):format(path, why), function()
          zmq.load_keys(path)
        end)
      end
    end))

  it("is a regular file that is not large [M7]", fact(function(folder)
    folder:shell "mkfifo fifo; head -c 100000 /dev/zero >large"
    for name, code in pairs { fifo = "EINVAL", large = "EFBIG",
      absent = "ENOENT", ["."] = "EISDIR" } do
      local err = helper.caught(zmq.load_keys, folder:file(name))
      assert.are.equal(code, err.code)
      assert.are.equal(folder:file(name), err.about)
    end
  end))

  it("of CZMQ is read, and CZMQ reads ours [M7]", fact(function(folder)
    folder:file("czmq.c", [[
      #include <czmq.h>
      int main(int count, char **arguments) {
        zcert_t *cert = zcert_new();
        if (count > 1) {
          cert = zcert_load(arguments[1]);
          printf("%s %s\n", zcert_public_txt(cert), zcert_secret_txt(cert));
          return 0;
        }
        zcert_set_meta(cert, "name", "some \"body\" # 1");
        zcert_save(cert, "both");
        printf("%s %s\n", zcert_public_txt(cert), zcert_secret_txt(cert));
      }]])
    if folder:shell "cc -o czmq czmq.c -lczmq" ~= "" then
      helper.pending "CZMQ is not installed"
    end
    local public, secret = folder:shell("./czmq"):match "(%S+) (%S+)"
    assert.are.same({ n = 2, public },
      table.pack(zmq.load_keys(folder:file "both")))
    assert.are.same({ public, secret },
      { zmq.load_keys(folder:file "both_secret") })
    zmq.save_keys(folder:file "ours", public, secret)
    assert.are.equal(public .. " " .. secret .. "\n",
      folder:shell "./czmq ours")
    zmq.save_keys(folder:file "ours", public)
    local none = ("0"):rep(40)
    assert.are.equal(public .. " " .. none .. "\n", folder:shell "./czmq ours")
  end))

  it("of pyzmq is read, and pyzmq reads ours [M7]", fact(function(folder)
    local python = "/usr/bin/python3 -c 'import zmq.auth; %s'"
    local made = folder:shell(python:format(
      'print(zmq.auth.create_certificates(".", "key"))'))
    if not made:find "key_secret" then
      helper.pending "python3-zmq is not installed"
    end
    local public, secret = zmq.load_keys(folder:file "key.key_secret")
    assert.are.equal(public, (zmq.load_keys(folder:file "key.key")))
    zmq.save_keys(folder:file "ours", public, secret)
    assert.are.equal(public .. secret .. "\n", folder:shell(python:format(
      'print(b"".join(zmq.auth.load_certificate("ours")).decode())')))
  end))
end)

describe("a secret key that others may use", function()
  it("is a mistake that is warned of [M8, D4]", function()
    process.each("", [[
      local zmq = require "aiowire.zmq"
      if not pcall(zmq.version) or not zmq.has "curve" then
        io.stderr:write "nothing"
        return
      end
      zmq.save_keys("keys", zmq.curve_keypair())
      zmq.load_keys "keys"
      warn "@on"
      os.execute "chmod 640 keys"
      for _ = 1, 2 do
        zmq.load_keys "keys"
      end
      local s <close> = zmq.socket("dealer", { curve_serverkey = "keys" })
    ]], function(outcome)
      local warning = "Lua warning: aiowire: s.lua:%d: others may use the key "
        .. "file 'keys', which has a secret key: take its permissions away "
        .. "(chmod go= …), and make new keys if somebody may have read it\n"
      assert.is_true(outcome.err == "nothing"
        or outcome.err == warning:format(11) .. warning:format(13),
        outcome.err)
    end)
  end)
end)

describe("a key of a socket", function()
  it("comes from a file, with the public key beside it [M8]",
    fact(function(folder)
      local public, secret = zmq.curve_keypair()
      local path = folder:file "keys"
      zmq.save_keys(path, public, secret)
      local s <close> = zmq.socket("dealer", { curve_secretkey = path })
      assert.are.equal(secret, s.curve_secretkey)
      assert.are.equal(public, s.curve_publickey)
      s.curve_serverkey = path
      assert.are.equal(public, s.curve_serverkey)
      local other <close> = zmq.socket "dealer"
      other.curve_publickey = OTHER
      other.curve_secretkey = path
      assert.are.equal(OTHER, other.curve_publickey)
      assert.are.equal(secret, other.curve_secretkey)
      assert.are.equal(zmq.CURVE, other.mechanism)
    end))

  it("is replaced by another file, with the public key beside it [M8]",
    fact(function(folder)
      local s <close> = zmq.socket "dealer"
      for _, name in ipairs { "old", "new" } do
        local public, secret = zmq.curve_keypair()
        zmq.save_keys(folder:file(name), public, secret)
        s.curve_secretkey = folder:file(name)
        assert.are.equal(secret, s.curve_secretkey)
        assert.are.equal(public, s.curve_publickey)
      end
    end))

  it("may be 32 bytes, which a path of 32 characters is not [M8]",
    fact(function(folder)
      local s <close> = zmq.socket "dealer"
      s.curve_serverkey = "\0\1\2" .. ("x"):rep(29)
      assert.are.equal(40, #s.curve_serverkey)
      local path = folder:file(("x"):rep(31 - #folder.path))
      assert.are.equal(32, #path)
      zmq.save_keys(path, PUBLIC)
      s.curve_serverkey = path
      assert.are.equal(PUBLIC, s.curve_serverkey)
    end))

  it("encrypts what it is set for [M8]", fact(function(folder)
    local path = folder:file "server"
    zmq.save_keys(path, zmq.curve_keypair())
    zmq.save_keys(folder:file "client", zmq.curve_keypair())
    local _ <close> = zmq.auth { curve = "any" }
    local server <close> = zmq.socket("rep", { curve_server = true,
      curve_secretkey = path })
    local client <close> = zmq.socket("req", { curve_serverkey = path,
      curve_secretkey = folder:file "client" })
    server:bind "tcp://127.0.0.1:*"
    client:connect(server.last_endpoint)
    client:send "hello"
    assert.are.equal("hello", server:recv())
    server:send "world"
    assert.are.equal("world", client:recv())
  end))

  it("is not set from a file without it [M8]", fact(function(folder)
    local path = folder:file "public"
    zmq.save_keys(path, PUBLIC)
    local s <close> = zmq.socket "dealer"
    says(("the key file '%s' has no secret key"):format(path), function()
      s.curve_secretkey = path
    end)
    local err = helper.caught(function()
      s.curve_secretkey = folder:file "absent"
    end)
    assert.are.equal("ENOENT", err.code)
    assert.are.equal(folder:file "absent", err.about)
    assert.are.equal(("0"):rep(40), s.curve_publickey)
  end))
end)

describe("the error for a bad secret", function()
  it("does not show it [M8]", fact(function()
    local s <close> = zmq.socket "dealer"
    local hidden = setmetatable({}, { __tostring = function() return SECRET end,
      __name = "Hidden" })
    local hex = ("0123456789abcdef"):rep(4)
    for _, name in ipairs { "curve_secretkey", "curve_publickey",
      "curve_serverkey" } do
      for _, bad in ipairs { SECRET:sub(2), SECRET .. "\n", SECRET .. "\0", hex,
        '"' .. SECRET .. '"', "", 1234567890, true, hidden } do
        says(("bad value for option '%s' (40 characters of Z85, 32 bytes or "
          .. "the path of a key file expected, got %s)"):format(name,
          bad == hidden and "Hidden" or type(bad)), function()
          s[name] = bad
        end)
      end
    end
    for _, bad in ipairs { 1234567890, hidden, "pass\0word" } do
      local err = helper.caught(function()
        s:set("plain_password", bad)
      end)
      assert.is_nil(err:find("1234567890", 1, true), err)
      assert.is_nil(err:find(SECRET, 1, true), err)
      assert.is_nil(err:find("pass\0", 1, true), err)
    end
    blames_file("bad value for option 'plain_password' (string expected, got "
      .. "number)", function()
      s.plain_password = 5
    end)
  end))

  it("does not show it in a table of options [M8]", fact(function()
    for _, err in ipairs {
      helper.caught(zmq.socket, "dealer", { curve_secretkey = SECRET .. "x" }),
      helper.caught(zmq.socket, "dealer", { plain_password = 12345 }),
      helper.caught(zmq.socket, "dealer", { plain_passwort = SECRET }),
    } do
      assert.is_nil(err:find(SECRET, 1, true), err)
      assert.is_nil(err:find("12345", 1, true), err)
    end
  end))
end)

describe("a key that is missing", function()
  --- What is on standard error after a socket of `type` with `options`.
  local function warnings(options, act)
    return process.host(([[
      local aw, zmq = require "aiowire", require "aiowire.zmq"
      local PUBLIC <const>, SECRET <const> = %q, %q
      local auth <close> = zmq.auth { curve = "any" }
      local s <close> = zmq.socket("dealer", %s)
      %s
    ]]):format(PUBLIC, SECRET, options, act)).err
  end
  local CONNECT <const> = 's:connect "tcp://127.0.0.1:9"'
  local BIND <const> = 's:bind "tcp://127.0.0.1:*"'

  local function is_told(name, options, act)
    local text = warnings(options, act)
    assert.truthy(text:find("s.lua:5: this DEALER socket has no '" .. name
      .. "': each handshake at 'tcp://", 1, true), text)
  end

  it("is told at the connect and at the bind [M8, D4]", fact(function()
    is_told("curve_secretkey", "{ curve_serverkey = PUBLIC }", CONNECT)
    is_told("curve_secretkey", "{ curve_server = true }", BIND)
    is_told("curve_serverkey",
      "{ curve_secretkey = SECRET, curve_publickey = PUBLIC }", CONNECT)
    is_told("curve_publickey",
      "{ curve_secretkey = SECRET, curve_serverkey = PUBLIC }", CONNECT)
  end))

  it("is not told where all keys are there, or none is needed [M8, D4]",
    fact(function()
      for options, act in pairs {
        ["{}"] = CONNECT,
        ["{ curve_server = true, curve_secretkey = SECRET }"] = BIND,
        ["{ curve_secretkey = SECRET, curve_publickey = PUBLIC, "
          .. "curve_serverkey = PUBLIC }"] = CONNECT,
        ["{ curve_server = true }"] = 's:bind "inproc://x"',
      } do
        assert.are.equal("", warnings(options, act))
      end
    end))
end)
