--- Certificates, keys and lists of revoked certificates for specs of TLS, made
--- with the program openssl when they are first asked for, in a folder that is
--- removed after the last spec.
---
---   certificates.server          { cert = path, key = path }
---   certificates.file "ca"       the path of a file
---   certificates.text "ca"       the text of a file
---
---   ca, other_ca                 roots; clients of specs trust `ca`
---   server                       localhost, 127.0.0.1 and ::1
---   wildcard                     *.example.test
---   first, second                first.test; second.test
---   elsewhere                    elsewhere.test
---   unnamed                      no name but that of its subject, localhost
---   numbered                     127.0.0.2 and no name
---   expired, early               as server, but until 2020, or from 2049 on
---   revoked                      as server, and in the file `crl`
---   stranger                     as server, signed by `other_ca`
---   self_signed                  as server, signed by itself
---   chained                      as server, with that of an authority between
---   lonely                       as chained, without the one between
---   rsa                          as server, with a key of RSA
---   locked                       as server, its key encrypted by PASSWORD
---   client, revoked_client, strange_client
---   unrevoked                    the list of the authority between, empty
---   between_revoked              that, and one of `ca` that has the authority
---   folder                       a folder with `ca`, by hashes

local aw = require "aiowire"
local busted = require "busted"
local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local M = {}

--- The password of the key of `locked`.
M.PASSWORD = "pass word of a key"

-- The settings of an authority. `openssl ca` takes any dates.
local SETTINGS <const> = [[
[ca]
default_ca = authority
[authority]
database = %s.index
serial = %s.serial
new_certs_dir = .
certificate = %s.pem
private_key = %s.key
default_md = sha256
default_days = 1000
default_crl_days = 1000
policy = policy
copy_extensions = copy
unique_subject = no
[policy]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
[client]
basicConstraints = CA:FALSE
extendedKeyUsage = clientAuth
[between]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
]]

local HERE <const> = "DNS:localhost,IP:127.0.0.1,IP:::1"
local EC <const> = "-newkey ec -pkeyopt ec_paramgen_curve:P-256"
local RSA <const> = "-newkey rsa:2048"

-- How each certificate is made: the subject, the other names, and the rest.
local KINDS <const> = {
  server = { "localhost", HERE },
  wildcard = { "wildcard.test", "DNS:*.example.test" },
  first = { "first.test", "DNS:first.test" },
  second = { "second.test", "DNS:second.test" },
  elsewhere = { "elsewhere.test", "DNS:elsewhere.test" },
  unnamed = { "localhost" },
  numbered = { "numbered.test", "IP:127.0.0.2" },
  expired = { "expired.test", HERE,
    dates = "-startdate 20190101000000Z -enddate 20200101000000Z" },
  early = { "early.test", HERE,
    dates = "-startdate 20490101000000Z -enddate 20500101000000Z" },
  revoked = { "revoked.test", HERE },
  stranger = { "stranger.test", HERE, by = "other_ca" },
  self_signed = { "self.test", HERE, by = false },
  chained = { "chained.test", HERE, by = "between", chain = true },
  lonely = { "lonely.test", HERE, by = "between" },
  rsa = { "rsa.test", HERE, key = RSA },
  client = { "client.test", as = "client" },
  revoked_client = { "revoked client.test", as = "client" },
  strange_client = { "strange client.test", as = "client", by = "other_ca" },
}

local made = {}
local at -- the folder

--- Run a command of the shell in the folder.
local function shell(command)
  local text = at:shell(command .. " || echo failed: $?")
  if text:find "failed: %d+\n$" then
    busted.fail(command .. "\n" .. text, 3)
  end
  return text
end

-- Makes a request of a certificate, and its key.
local function request(name, kind, more)
  local names = kind[2] and " -addext subjectAltName=" .. kind[2] or ""
  return ("openssl req %s %s -nodes -batch -subj '/CN=%s'%s -keyout %s.key")
    :format(more, kind.key or EC, kind[1], names, name)
end

local function begin_authority(name)
  at:file(name .. ".cnf", SETTINGS:format(name, name, name, name))
  at:file(name .. ".index", "")
  at:file(name .. ".serial", "1000\n")
end

local function root(name, subject)
  begin_authority(name)
  shell(request(name, { subject }, "-x509 -days 1000 -out " .. name .. ".pem"))
end

-- Has an authority sign a request.
local function sign(name, kind)
  local by = kind.by or "ca"
  M.file(by)
  shell(request(name, kind, "-new -out " .. name .. ".csr"))
  shell(("openssl ca -batch -notext -config %s.cnf -extensions %s %s -in %s.csr"
    .. " -out %s.pem"):format(by, kind.as or "leaf", kind.dates or "", name,
    name))
end

-- Functions that make files by their names.
local makers = {}

function makers.ca()
  root("ca", "Root of the specs")
end

function makers.other_ca()
  root("other_ca", "Root of others")
end

function makers.between()
  begin_authority "between"
  sign("between", { "Authority of the specs", as = "between" })
end

function makers.crl()
  for _, name in ipairs { "revoked", "revoked_client" } do
    M.file(name)
    shell(("openssl ca -config ca.cnf -revoke %s.pem"):format(name))
  end
  shell "openssl ca -config ca.cnf -gencrl -out crl.pem"
end

function makers.unrevoked()
  M.file "between"
  shell "openssl ca -config between.cnf -gencrl -out unrevoked.pem"
end

function makers.between_revoked()
  M.file "unrevoked"
  shell("sed s/ca.index/once.index/ ca.cnf >once.cnf; cp ca.index once.index; "
    .. "openssl ca -config once.cnf -revoke between.pem && "
    .. "openssl ca -config once.cnf -gencrl -out between_revoked.pem && "
    .. "cat unrevoked.pem >>between_revoked.pem")
end

function makers.locked()
  M.file "server"
  shell("cp server.pem locked.pem; openssl pkey -in server.key -aes256 "
    .. "-passout 'pass:" .. M.PASSWORD .. "' -out locked.key")
end

function makers.folder()
  M.file "ca"
  shell "mkdir folder && cp ca.pem folder && openssl rehash folder"
end

local function make(name)
  local kind = KINDS[name]
  if makers[name] then
    makers[name]()
  elseif kind.by == false then
    shell(request(name, kind, "-x509 -days 1000 -out " .. name .. ".pem"))
  else
    sign(name, kind)
  end
  if kind and kind.chain then
    shell(("cat %s.pem >>%s.pem"):format(kind.by, name))
  end
end

local has_openssl, has_tls

--- Tell whether aw.tls has OpenSSL, and the program openssl is installed. If
--- not, the second result says what is missing.
---@return boolean
---@return string?
function M.installed()
  if has_openssl == nil then
    has_openssl = process.run("command -v openssl").code == 0
    local _, err = pcall(aw.tls.listen, "127.0.0.1", 0,
      { cert = "-----BEGIN", key = "-----BEGIN" })
    has_tls = err.code ~= "NO_OPENSSL"
  end
  return has_openssl and has_tls,
    has_tls and "openssl is not installed" or "aw.tls has no OpenSSL"
end

--- End the current test as pending if something is missing.
function M.needed()
  local installed, missing = M.installed()
  if not installed then
    helper.pending(missing)
  end
end

local function remove()
  if at then
    local _ <close> = at
    at, made = nil, {}
  end
  return nil, true
end

busted.subscribe({ "suite", "end" }, remove)

--- Returns the path of a file: that of a certificate by its name, that of a key
--- by its name and ".key", that of a list of revoked ones, or "folder".
---@param name string
---@return string
function M.file(name)
  local base = name:gsub("%.key$", "")
  if not made[base] then
    M.needed()
    at = at or folder.new()
    made[base] = true
    make(base)
  end
  return at:file(base == "folder" and base or name == base and name .. ".pem"
    or name)
end

--- Returns a path in the folder. Writes `text` into the file, if given.
function M.path(name, text)
  at = at or folder.new()
  return at:file(name, text)
end

--- Returns the text of a file.
---@param name string
---@return string
function M.text(name)
  return process.read(M.file(name))
end

--- Returns the texts that are in no error, dump or trace: the lines of the keys
--- that have been made, and the password.
---@return string[]
function M.secrets()
  local list = { M.PASSWORD }
  for name in pairs(made) do
    for line in process.read(at:file(name .. ".key")):gmatch "[^\n]+" do
      if not line:find("-", 1, true) then
        list[#list + 1] = line
      end
    end
  end
  return list
end

--- Fail if one of the secrets is in the text.
---@param text string
function M.assert_hidden(text)
  for _, secret in ipairs(M.secrets()) do
    if text:find(secret, 1, true) then
      busted.fail("a secret is in: " .. text, 2)
    end
  end
end

return setmetatable(M, {
  __index = function(_, name)
    return { cert = M.file(name), key = M.file(name .. ".key") }
  end,
})
