# What makes the faults of a release harder to make use of, where compiler and linker have it (ELF).
# Another project, or a distributor's build without a type, brings flags of its own; a sanitizer looks
# closer than these do.
set(hardening_compile)
set(hardening_link)
set(is_released FALSE)
string(TOLOWER "${CMAKE_BUILD_TYPE}" build_type) # CMake takes either case
if(NOT is_top_level OR NOT UNIX OR APPLE OR CMAKE_C_FLAGS MATCHES "-fsanitize")
  return()
endif()
include(CheckCCompilerFlag)
include(CheckLinkerFlag)

set(jumps -fcf-protection) # which says where they may lead
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$") # no other is asked: clang only warns of it
  set(jumps -mbranch-protection=standard)
endif()
foreach(flag -fstack-protector-strong -fstack-clash-protection ${jumps})
  string(MAKE_C_IDENTIFIER "UDPBATCH_HAS${flag}" has)
  check_c_compiler_flag(${flag} ${has})
  if(${has})
    list(APPEND hardening_compile ${flag})
  endif()
endforeach()
foreach(flag relro now noexecstack separate-code)
  string(MAKE_C_IDENTIFIER "UDPBATCH_HAS-z-${flag}" has)
  check_linker_flag(C -Wl,-z,${flag} ${has})
  if(${has})
    list(APPEND hardening_link -Wl,-z,${flag})
  endif()
endforeach()
# Some compilers define it by themselves, and to more, where they optimise.
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_FLAGS -O2)
check_c_source_compiles("
#ifdef _FORTIFY_SOURCE
#error
#endif
int main(void) { return 0; }" UDPBATCH_IS_NOT_FORTIFIED)
unset(CMAKE_REQUIRED_FLAGS)
if(UDPBATCH_IS_NOT_FORTIFIED AND NOT CMAKE_C_FLAGS MATCHES "_FORTIFY_SOURCE")
  list(APPEND hardening_compile -D_FORTIFY_SOURCE=2)
endif()

# It takes an optimised build, which with some generators is one of several.
if(CMAKE_CONFIGURATION_TYPES OR build_type MATCHES "^(release|relwithdebinfo|minsizerel)$")
  set(is_released TRUE)
endif()
set(released "$<CONFIG:Release,RelWithDebInfo,MinSizeRel>")
set(hardening_compile "$<${released}:${hardening_compile}>")
set(hardening_link "$<${released}:${hardening_link}>")
