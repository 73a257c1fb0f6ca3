# cmake -D LIBRARY=<libicpi.so> -D SONAME=<name> -D NM=<nm> -D READELF=<readelf> -P check_exports.cmake
# Fails unless the shared library is named SONAME to who links it, exports what programs need, and hides its parts.
foreach(tool IN ITEMS NM READELF)
  if(NOT ${tool})
    message(FATAL_ERROR "${tool} is not there")
  endif()
endforeach()

execute_process(COMMAND ${READELF} -d ${LIBRARY} OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
string(FIND "${dynamic}" "soname: [${SONAME}]" found)
if(found EQUAL -1)
  message(FATAL_ERROR "${LIBRARY} is not ${SONAME}:\n${dynamic}")
endif()

execute_process(COMMAND ${NM} -DC --defined-only ${LIBRARY} OUTPUT_VARIABLE exported COMMAND_ERROR_IS_FATAL ANY)
foreach(wanted IN ITEMS "typeinfo for icpi::Error" "typeinfo for icpi::InvalidArgument" "icpi::new_prefix_identity()"
                        "icpi::AgentCore::decide_together(icpi::Until const&)")
  string(FIND "${exported}" " ${wanted}\n" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${LIBRARY} does not export ${wanted}")
  endif()
endforeach()

# Its parts are in it, and nobody else may reach them; nor what other libraries compile into it.
execute_process(COMMAND ${NM} -C --defined-only ${LIBRARY} OUTPUT_VARIABLE held COMMAND_ERROR_IS_FATAL ANY)
set(kinds "[A-Za-z] (typeinfo for |typeinfo name for |vtable for |guard variable for )?")
foreach(part IN ITEMS PromptBook PromptedQuestions SubmittedQuestions EngineWork PlanningWork induction)
  if(NOT held MATCHES " ${kinds}icpi::${part}::")
    message(FATAL_ERROR "${LIBRARY} has no ${part}: name a part that it has")
  endif()
  if(exported MATCHES " ${kinds}icpi::${part}(::|\n)")
    message(FATAL_ERROR "${LIBRARY} exports ${part}: ${CMAKE_MATCH_0}")
  endif()
endforeach()
if(exported MATCHES " ${kinds}(fmt|Eigen|nlohmann)::[^\n]*")
  message(FATAL_ERROR "${LIBRARY} exports what is not its own: ${CMAKE_MATCH_0}")
endif()
