-- libaiowire.a serves programs of any compiler.

local build <const> = os.getenv "AIOWIRE_BUILD_DIR" or "build/dev"

describe("libaiowire.a", function()
  it("has machine code alone: no bytecode for another linker [build]",
    function()
      local archive <close>, why = io.open(build .. "/libaiowire.a", "rb")
      if not archive then
        pending(why)
        return
      end
      local bytes = archive:read "a"
      assert.is_truthy(bytes:find("aw_engine_new", 1, true))
      assert.is_nil(bytes:find(".gnu.lto_", 1, true)) -- of gcc
      assert.is_nil(bytes:find("BC\xC0\xDE", 1, true)) -- of clang
    end)
end)
