# musl by its wrapper of gcc. The kernel's headers are this machine's, by links to them alone: the
# folder that they lie in has those of another libc too.
include(${CMAKE_CURRENT_LIST_DIR}/found_there.cmake)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_C_COMPILER musl-gcc)
found_there(musl /usr/lib/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-musl)
set(headers ${dependencies}/kernel_headers)
if(NOT EXISTS ${headers}/asm)
  file(MAKE_DIRECTORY ${headers})
  foreach(folder linux asm-generic)
    file(CREATE_LINK /usr/include/${folder} ${headers}/${folder} SYMBOLIC)
  endforeach()
  file(GLOB asm /usr/include/*/asm /usr/include/asm)
  list(GET asm 0 asm)
  file(CREATE_LINK ${asm} ${headers}/asm SYMBOLIC)
endif()
set(CMAKE_C_FLAGS_INIT "-isystem ${headers}")

# Its lengths in struct msghdr are an int and a socklen_t where others have a size_t, and CMSG_NXTHDR
# mixes signs: warnings about that are switched off, behind those that the project switches on.
set(CMAKE_C_COMPILE_OBJECT "<CMAKE_C_COMPILER> <DEFINES> <INCLUDES> <FLAGS> -Wno-conversion \
-Wno-sign-conversion -Wno-sign-compare -o <OBJECT> -c <SOURCE>")
