# What `cmake --install` puts where.
install(TARGETS udpbatch_shared udpbatch_static
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/udpbatch.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES man/udpbatch.3 man/udpbatch_meta.3 man/udpbatch_receive.3 man/udpbatch_send.3
  man/udpbatch_xdp.3
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)

# The prefix is where the .pc file is found, whatever --prefix says.
file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/udpbatch.pc.in udpbatch.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/udpbatch.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(UDPBATCH_CLI)
  install(TARGETS udpbatch_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES man/udpbatch.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
