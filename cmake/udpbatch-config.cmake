# find_package(udpbatch): udpbatch::shared, udpbatch::static, and udpbatch::udpbatch, which is the one
# that BUILD_SHARED_LIBS says.
include(${CMAKE_CURRENT_LIST_DIR}/udpbatch-targets.cmake)

if(NOT TARGET udpbatch::udpbatch)
  if(BUILD_SHARED_LIBS)
    add_library(udpbatch::udpbatch ALIAS udpbatch::shared)
  else()
    add_library(udpbatch::udpbatch ALIAS udpbatch::static)
  endif()
endif()

foreach(component ${udpbatch_FIND_COMPONENTS})
  if(udpbatch_FIND_REQUIRED_${component} AND NOT TARGET udpbatch::${component})
    set(udpbatch_FOUND FALSE)
    set(udpbatch_NOT_FOUND_MESSAGE "it has no component ${component}, only shared and static")
  endif()
endforeach()
