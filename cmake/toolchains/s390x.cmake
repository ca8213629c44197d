# s390x by Debian's cross compiler; what it makes runs under qemu-user.
include(${CMAKE_CURRENT_LIST_DIR}/found_there.cmake)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(CMAKE_C_COMPILER s390x-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-s390x -L /usr/s390x-linux-gnu)
found_there(s390x /usr/s390x-linux-gnu)
