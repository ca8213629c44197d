# aarch64 by Debian's cross compiler; what it makes runs under qemu-user.
include(${CMAKE_CURRENT_LIST_DIR}/found_there.cmake)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
found_there(aarch64 /usr/aarch64-linux-gnu)
