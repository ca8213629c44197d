# found_there(NAME [FOLDER ...]): libraries are looked for where scripts/dependencies has put them, and
# in these folders; nothing of the machine that builds is taken for that of another.
macro(found_there name)
  set(dependencies ${CMAKE_CURRENT_LIST_DIR}/../../build/dependencies/${name})
  get_filename_component(dependencies ${dependencies} ABSOLUTE)
  set(ENV{PKG_CONFIG_LIBDIR} ${dependencies}/lib/pkgconfig)
  set(ENV{PKG_CONFIG_PATH} "")
  set(CMAKE_FIND_ROOT_PATH ${dependencies} ${ARGN})
  set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
  foreach(kind LIBRARY INCLUDE PACKAGE)
    set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
  endforeach()
endmacro()
