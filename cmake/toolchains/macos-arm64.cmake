# macOS on arm64 by zig, which brings the system's headers along; nothing runs what it makes.
set(zig_target aarch64-macos)
set(CMAKE_SYSTEM_PROCESSOR arm64)
include(${CMAKE_CURRENT_LIST_DIR}/macos.cmake)
found_there(macos-arm64)
