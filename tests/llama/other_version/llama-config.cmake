# A libllama of another version, for the test that what it lacks is named.
add_library(llama INTERFACE IMPORTED)
set_target_properties(llama PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_CURRENT_LIST_DIR})
