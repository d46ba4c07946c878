# What is installed to be read: the man page, README.md, the guides, and the
# examples. Links from one to another work in share/doc/aiowire/, too.

if(AIOWIRE_HOST)
  install(FILES docs/aiowire.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
if(NOT AIOWIRE_DOCS)
  return()
endif()
install(FILES README.md CHANGELOG.md LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR}
  FILES_MATCHING PATTERN "*.md" PATTERN "*.svg" PATTERN "*.png"
  PATTERN make EXCLUDE)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
