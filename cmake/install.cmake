# What `cmake --install` puts where.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS udpbatch_shared udpbatch_static EXPORT udpbatch-targets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES include/udpbatch.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# For find_package(udpbatch).
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/udpbatch)
install(EXPORT udpbatch-targets NAMESPACE udpbatch:: DESTINATION ${config_dir})
write_basic_package_version_file(udpbatch-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES cmake/udpbatch-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/udpbatch-config-version.cmake DESTINATION ${config_dir})

# For pkg-config. The prefix is where the .pc file is found, whatever --prefix says, unless the
# libraries have a place of their own.
file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
set(pc_prefix "\${pcfiledir}/${pc_prefix}")
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
endif()
cmake_path(APPEND pc_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND pc_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
list(TRANSFORM system_libraries PREPEND " -l" OUTPUT_VARIABLE pc_system_libraries)
configure_file(cmake/udpbatch.pc.in udpbatch.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/udpbatch.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# install_page(page): a page of the manual, and for each other name in its NAME section one that
# leads to it, so that `man udpbatch_sender_wait` finds it.
function(install_page page)
  get_filename_component(file ${page} NAME)
  get_filename_component(section ${page} LAST_EXT)
  string(SUBSTRING ${section} 1 -1 section)
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT manual)

  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page})
  file(READ ${page} text)
  string(REGEX MATCH "\n\\.Sh NAME\n.*\n\\.Nd " names "${text}")
  string(REGEX MATCHALL "\\.Nm [a-z0-9_]+" names "${names}")
  foreach(name ${names})
    string(REPLACE ".Nm " "" name ${name})
    set(link ${CMAKE_CURRENT_BINARY_DIR}/man/${name}.${section})
    if(NOT ${name}.${section} STREQUAL ${file})
      file(WRITE ${link} ".so man${section}/${file}\n")
      install(FILES ${link} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT manual)
    endif()
  endforeach()
endfunction()

file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/man/*.[37])
foreach(page ${pages})
  install_page(${page})
endforeach()

if(UDPBATCH_CLI)
  install(TARGETS udpbatch_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES man/udpbatch.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT manual)
endif()

# Container engines read the profile, and a distribution may leave out or compress documents.
install(FILES docs/seccomp.json DESTINATION ${CMAKE_INSTALL_DATADIR}/udpbatch COMPONENT manual)
if(is_top_level) # within another project the folder is that one's
  install(FILES docs/seccomp.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT manual)
endif()

# The command prints its completions, which takes that it runs here.
if(UDPBATCH_CLI AND NOT (CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR))
  foreach(shell bash zsh)
    set(completion ${CMAKE_CURRENT_BINARY_DIR}/completion.${shell})
    list(APPEND completions ${completion})
    add_custom_command(OUTPUT ${completion}
      COMMAND udpbatch_cli completion ${shell} > ${completion}
      DEPENDS udpbatch_cli VERBATIM)
  endforeach()
  add_custom_target(udpbatch_completions ALL DEPENDS ${completions})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/completion.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME udpbatch)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/completion.zsh
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _udpbatch)
endif()
