# The addon for a language server: types of the library, from meta.lua.
#
#   PREFIX/share/aiowire/lls/aiowire/config.json
#                                    library/aiowire.lua
#                                    library/aiowire/zmq.lua
#
# A user names the folder `lls` in Lua.workspace.userThirdParty, or the folder
# `library` in Lua.workspace.library.

set(lls_dir ${CMAKE_INSTALL_DATADIR}/aiowire/lls/aiowire)
install(FILES cmake/lls/config.json DESTINATION ${lls_dir})
install(FILES lua/aiowire/meta.lua DESTINATION ${lls_dir}/library
  RENAME aiowire.lua)
install(FILES cmake/lls/zmq.lua DESTINATION ${lls_dir}/library/aiowire)
