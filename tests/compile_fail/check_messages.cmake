# cmake -D SOURCE=<file> -D NUMBER=<N> -P check_messages.cmake -- <compile command>
# Compiles the source with ICPI_BROKEN=N. Fails unless that is an error, its text holds what stands behind "// case N: "
# in the source, and at most two errors are about lines of include/icpi.
set(most 2)

set(command "")
math(EXPR last "${CMAKE_ARGC} - 1")
set(begun FALSE)
foreach(i RANGE ${last})
  if(begun)
    list(APPEND command ${CMAKE_ARGV${i}})
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(begun TRUE)
  endif()
endforeach()

file(READ ${SOURCE} text)
if(NOT text MATCHES "// case ${NUMBER}: ([^\n]*)")
  message(FATAL_ERROR "${SOURCE} has no case ${NUMBER}")
endif()
set(expected "${CMAKE_MATCH_1}")

execute_process(COMMAND ${command} ${SOURCE} -D ICPI_BROKEN=${NUMBER} RESULT_VARIABLE result OUTPUT_VARIABLE said
                ERROR_VARIABLE said)
if(result EQUAL 0)
  message(FATAL_ERROR "it compiles")
endif()
string(FIND "${said}" "${expected}" found)
if(found EQUAL -1)
  message(FATAL_ERROR "the compiler does not say: ${expected}\n${said}")
endif()
string(REGEX MATCHALL "include/icpi/[a-z_/]*\\.hpp:[0-9]+:[0-9]+: (fatal )?error:" errors "${said}")
list(LENGTH errors count)
if(count GREATER most)
  message(FATAL_ERROR "${count} errors are about the library's own lines\n${said}")
endif()
