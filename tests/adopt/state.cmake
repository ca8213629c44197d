# write_state(name): all that a library may change of a project that takes it in, as lines in name.txt:
# its variables and options, and what its folder gives to each of its targets.
function(write_state name)
  get_cmake_property(variables VARIABLES)
  list(FILTER variables EXCLUDE REGEX "^(ARG.*|name)$")
  foreach(variable ${variables})
    string(REPLACE "\n" " " value "${${variable}}")
    string(APPEND state "${variable} = ${value}\n")
  endforeach()
  foreach(property COMPILE_DEFINITIONS COMPILE_OPTIONS INCLUDE_DIRECTORIES LINK_DIRECTORIES
      LINK_OPTIONS BUILDSYSTEM_TARGETS TESTS)
    get_property(value DIRECTORY PROPERTY ${property})
    string(APPEND state "${property}: ${value}\n")
  endforeach()
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}.txt "${state}")
endfunction()
