# What differs where programs are not run by this machine's kernel itself, but by qemu-user or Wine.

set(patience_s 300)
set(not_emulated)
set(emulator_ready)       # what has to be done before
set(emulator_environment) # what the emulator itself reads

# qemu_lacks(what test ...)
function(qemu_lacks what)
  foreach(name ${ARGN})
    set(${name}_needs ${what} PARENT_SCOPE)
  endforeach()
  set(not_emulated ${not_emulated} ${ARGN} PARENT_SCOPE)
endfunction()

if(CMAKE_CROSSCOMPILING_EMULATOR MATCHES "qemu")
  set(patience_s 600) # each instruction is many
  qemu_lacks("AF_XDP" test_xdp_scripted test_xdp_frames test_xdp_detours test_xdp_many
    test_xdp_routes test_xdp_faults test_xdp_threads test_xdp_signals test_xdp_forks
    test_xdp_descriptors)
  qemu_lacks("signals and limits of memory without its own"
    test_signals test_forks test_descriptors test_limits)
  qemu_lacks("filters that tell of system calls (seccomp_unotify(2))" faults)

  # Options that it does not know it does not set, and it does not tell of memory that is not there.
  set(beyond
    missing_memory_is_refused_as_a_bad_address
    what_a_full_buffer_drops_is_counted_though_nothing_follows
    drops_before_the_receiver_was_opened_are_not_its_own
    a_receiver_asks_the_kernel_to_count_drops
    what_the_system_does_not_tell_is_refused)
  if(CMAKE_C_BYTE_ORDER STREQUAL "BIG_ENDIAN") # nor does it turn what control messages hold
    set(emulator_environment "UDPBATCH_GSO=off")
    list(APPEND beyond
      a_packet_by_an_interface_is_from_the_address_of_its_socket
      a_mapped_packet_by_an_interface_is_from_the_address_of_its_socket
      the_statistics_add_up
      trains_that_the_device_never_takes_go_as_packets
      ipv6_trains_that_the_device_never_takes_go_as_packets
      an_unrouted_destination_is_refused_alone
      an_unrouted_ipv6_destination_is_refused_alone
      a_socket_that_hears_icmp_asks_once_more_before_it_refuses
      an_ipv6_socket_that_hears_icmp_asks_once_more_before_it_refuses)
    qemu_lacks("control messages with another order of bytes" test_receiver_trains
      test_bench_receive test_threads manual_udpbatch_meta cli_transfer)
  endif()
  list(JOIN beyond " " beyond)
  list(APPEND emulator_environment "BEYOND_EMULATOR=${beyond}")
  qemu_lacks("ioctls of network devices" test_trains_kernel test_probe test_bench_netns)
  qemu_lacks("SO_TIMESTAMPNS" cli_recv cli_hostile)
  qemu_lacks("socket filters, by which receivers of the bench take their own packets"
    test_bench_kernel cli_bench)
  qemu_lacks("system calls that strace can inject errors into" cli_probe)
  qemu_lacks("SO_TXTIME, SO_MARK and the like" test_meta_kernel)
  qemu_lacks("NETLINK_ROUTE in full" test_rtnetlink_kernel)
  qemu_lacks("IP_PKTINFO, IP_RECVERR and the like" test_receiver_meta test_receiver_errors
    test_receiver_flood test_differential manual_udpbatch_receive example_quic example_statsd_relay)
endif()

# to_run(target variable): the program by a name of one word, for scripts.
function(to_run target variable)
  set(${variable} $<TARGET_FILE:${target}> PARENT_SCOPE)
  if(CMAKE_CROSSCOMPILING_EMULATOR MATCHES "qemu")
    set(program ${CMAKE_CURRENT_BINARY_DIR}/emulated/$<TARGET_FILE_NAME:${target}>)
    list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
    file(GENERATE OUTPUT ${program}
      CONTENT "#!/bin/sh\nexec ${emulator} $<TARGET_FILE:${target}> \"$@\"\n"
      FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    set(${variable} ${program} PARENT_SCOPE)
  endif()
endfunction()

if(WIN32 AND CMAKE_CROSSCOMPILING_EMULATOR) # Wine, with a drive of its own
  set(emulator_environment "WINEPREFIX=${CMAKE_CURRENT_BINARY_DIR}/wine;WINEDEBUG=-all"
    "WINEPATH=$<TARGET_FILE_DIR:udpbatch_shared>")
  set(emulator_ready wine)
  # Its server stays for a while: a program that starts while one ends would lose its own.
  find_program(UDPBATCH_WINESERVER NAMES wineserver64 wineserver PATHS /usr/lib/wine)
  set(server "${UDPBATCH_WINESERVER}")
  if(NOT server)
    set(server :)
  endif()
  add_test(NAME wine_starts COMMAND
    sh -c "'${server}' -p120 >/dev/null 2>&1; exec '${CMAKE_CROSSCOMPILING_EMULATOR}' wineboot --init >/dev/null 2>&1")
  set_tests_properties(wine_starts PROPERTIES FIXTURES_SETUP wine TIMEOUT 120
    ENVIRONMENT "${emulator_environment}")
endif()

# emulated(name command variable): the command of this test, or one that says why it cannot run.
function(emulated name command variable)
  if(name IN_LIST not_emulated)
    set(command sh -c "echo 'cannot run here: qemu-user has no ${${name}_needs}' && exit 77")
  endif()
  set(${variable} "${command}" PARENT_SCOPE)
endfunction()
