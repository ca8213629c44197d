# What `cmake --install` puts where.
install(TARGETS udpbatch_shared udpbatch_static
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/udpbatch.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

configure_file(cmake/udpbatch.pc.in udpbatch.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/udpbatch.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

foreach(section 1 3)
  file(GLOB pages CONFIGURE_DEPENDS man/*.${section})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

if(UDPBATCH_CLI)
  install(TARGETS udpbatch_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
