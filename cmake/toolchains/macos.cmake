# What both kinds of macOS have in common. The compiler is an npm package that scripts/test fetches.
include(${CMAKE_CURRENT_LIST_DIR}/found_there.cmake)
set(CMAKE_SYSTEM_NAME Darwin)
file(GLOB zig ${CMAKE_CURRENT_LIST_DIR}/../../build/dependencies/zig/node_modules/@ryoppippi/*/zig)
set(CMAKE_C_COMPILER ${zig})
set(CMAKE_C_COMPILER_ARG1 "cc -target ${zig_target}")
set(CMAKE_C_ARCHIVE_CREATE "${zig} ar qc <TARGET> <OBJECTS>")
set(CMAKE_C_ARCHIVE_APPEND "${zig} ar q <TARGET> <OBJECTS>")
set(CMAKE_C_ARCHIVE_FINISH "${zig} ranlib <TARGET>")
set(CMAKE_INSTALL_NAME_TOOL true) # names are right already where they are installed
