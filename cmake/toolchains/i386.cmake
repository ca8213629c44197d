# i386 by Debian's cross compiler, as gcc-multilib excludes all others. Most x86-64 kernels run what it
# makes as it is, by the loader and the libc that came with the compiler.
include(${CMAKE_CURRENT_LIST_DIR}/found_there.cmake)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_C_COMPILER i686-linux-gnu-gcc)
set(libc /usr/i686-linux-gnu/lib)
foreach(kind EXE SHARED)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT -Wl,-rpath,${libc})
endforeach()
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -Wl,--dynamic-linker=${libc}/ld-linux.so.2")
found_there(i386 /usr/i686-linux-gnu)
execute_process(COMMAND ${libc}/ld-linux.so.2 --version RESULT_VARIABLE status OUTPUT_QUIET
  ERROR_QUIET)
if(NOT status EQUAL 0)
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-i386)
endif()
