# macOS on x86_64 by zig, which brings the system's headers along; nothing runs what it makes.
set(zig_target x86_64-macos)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
include(${CMAKE_CURRENT_LIST_DIR}/macos.cmake)
found_there(macos-x86_64)
